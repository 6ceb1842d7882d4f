//! Trusted devices.

use super::locking::lock;
use super::{Conn, RunQueryDsl, TxResult, audit, endings};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::TrustedDeviceRow;
use crate::schema::{accounts, trusted_devices};
use crate::work::{
    ChangeTrustedDevice, Changed, CompleteSignIn, DeviceChange, EndTrust, FindTrust, FindTrustedDevices,
    FoundTrustedDevice, NewTrust, PresentedTrust, TxOutcome,
};
use countersign_domain::account::Versions;
use countersign_domain::decisions::endings::Event;
use countersign_domain::decisions::trust::{self, Trust};
use countersign_domain::ids::AccountId;
use countersign_domain::policy::Policy;
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use countersign_domain::trusted_device::TrustedDevice;
use diesel::prelude::*;

/// Whether the trust that a device presents counts. A rotating one is replaced: of parallel sign-ins, the one that deletes
/// its row has used it, and the others see that it was replaced.
pub(super) async fn use_trust(
    connection: &mut Conn,
    input: &CompleteSignIn,
    versions: Versions,
    now: Timestamp,
) -> Result<Trust, StoreError> {
    let Some(PresentedTrust { digests, next }) = &input.trust else { return Ok(Trust::Ignored) };
    let find = FindTrust { digests: digests.clone(), account_id: input.account_id, versions, now };
    let policy = &input.rules.policy;
    let found = match next {
        None => find_live(connection, &find).await?,
        Some(_) => match take(connection, &find).await? {
            Some(found) => Some(found),
            None => {
                return Ok(trust::decide_replaced(replaced_at(connection, &find).await?, policy, now));
            }
        },
    };
    let Some((found, digest)) = found else { return Ok(Trust::Ignored) };
    let application = input.rules.application(input.application_id);
    let facts = trust::Facts {
        given_in: found.application_id,
        application: input.application_id,
        policy: application.map(|application| application.trust_policy).unwrap_or_default(),
        given_at: found.given_at,
    };
    let decision = trust::decide(&facts, policy, now);
    match next {
        _ if decision != Trust::Counts => {}
        Some(next) => {
            let end = found.given_at + policy.trust_absolute_lifetime;
            let next = NewTrust { expires_at: next.expires_at.min(end), ..next.clone() };
            let row = TrustedDeviceRow::new(&next, input.account_id, versions, now);
            insert(connection, row.in_place_of(&found, digest)).await?;
        }
        None => {
            let address = Some(input.seen.ip_address.clone()).filter(|address| !address.is_empty());
            diesel::update(trusted_devices::table.find(digest.as_bytes().as_slice()))
                .set((
                    trusted_devices::last_used_at.eq(now.as_millis()),
                    trusted_devices::ip_address.eq(address.unwrap_or(found.ip_address)),
                ))
                .cached()
                .execute(connection)
                .await?;
        }
    }
    Ok(decision)
}

/// Records a trusted device, if there is one to record, and ends trust in those beyond the account's limit; within the open
/// transaction.
pub(super) async fn give(
    connection: &mut Conn,
    trust: Option<&NewTrust>,
    account_id: AccountId,
    versions: Versions,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(trust) = trust else { return Ok(()) };
    let row = TrustedDeviceRow::new(trust, account_id, versions, now);
    pipeline!(connection; insert(row), delete_beyond_cap(account_id, versions, policy, now));
    Ok(())
}

/// Deletes the devices that were used longest ago, if there are more than an account may have.
async fn delete_beyond_cap(
    connection: &mut Conn,
    account_id: AccountId,
    versions: Versions,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), StoreError> {
    let other = diesel::alias!(trusted_devices as other);
    let beyond = other
        .filter(other.field(trusted_devices::account_id).eq(account_id.to_text()))
        .filter(other.field(trusted_devices::expires_at).gt(now.as_millis()))
        .filter(other.field(trusted_devices::credentials_version).eq(versions.credentials))
        .filter(other.field(trusted_devices::factors_version).eq(versions.factors))
        .order((
            other.field(trusted_devices::last_used_at).is_null(),
            other.field(trusted_devices::last_used_at).desc(),
            other.field(trusted_devices::created_at).desc(),
            other.field(trusted_devices::digest),
        ))
        .limit(i64::MAX)
        .offset(i64::from(policy.trusted_devices_per_account))
        .select(other.field(trusted_devices::digest));
    diesel::delete(trusted_devices::table.filter(trusted_devices::digest.eq_any(beyond))).execute(connection).await?;
    Ok(())
}

async fn insert(connection: &mut Conn, row: TrustedDeviceRow) -> Result<(), StoreError> {
    diesel::insert_into(trusted_devices::table).values(row).execute(connection).await?;
    Ok(())
}

/// Trust that counts for the account as it is now, as part of a statement.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_live(find: &FindTrust) -> _ {
    let account_id: String = find.account_id.to_text();
    let now: i64 = find.now.as_millis();
    let credentials: i64 = find.versions.credentials;
    let factors: i64 = find.versions.factors;
    trusted_devices::account_id
        .eq(account_id)
        .and(trusted_devices::expires_at.gt(now))
        .and(trusted_devices::credentials_version.eq(credentials))
        .and(trusted_devices::factors_version.eq(factors))
}

/// Takes a live trust away; returns it with the digest that it had.
async fn take<'a>(
    connection: &mut Conn,
    find: &'a FindTrust,
) -> Result<Option<(TrustedDevice, &'a Digest)>, StoreError> {
    for digest in &find.digests {
        let row: Option<TrustedDeviceRow> = diesel::delete(trusted_devices::table.find(digest.as_bytes().as_slice()))
            .filter(is_live(find))
            .returning(TrustedDeviceRow::as_returning())
            .get_result(connection)
            .await
            .optional()?;
        if let Some(row) = row {
            return Ok(Some((TrustedDevice::try_from(&row)?, digest)));
        }
    }
    Ok(None)
}

/// When a live trust took the place of the one that is presented.
async fn replaced_at(connection: &mut Conn, find: &FindTrust) -> Result<Option<Timestamp>, StoreError> {
    for digest in &find.digests {
        let at: Option<i64> = trusted_devices::table
            .filter(is_live(find))
            .filter(trusted_devices::replaces.eq(digest.as_bytes().as_slice()))
            .select(trusted_devices::created_at)
            .first(connection)
            .await
            .optional()?;
        if let Some(at) = at {
            return Ok(Some(Timestamp::from_millis(at)));
        }
    }
    Ok(None)
}

/// A live trust of an account, with its digest.
async fn find_live<'a>(
    connection: &mut Conn,
    find: &'a FindTrust,
) -> Result<Option<(TrustedDevice, &'a Digest)>, StoreError> {
    for digest in &find.digests {
        let row: Option<TrustedDeviceRow> = trusted_devices::table
            .find(digest.as_bytes().as_slice())
            .filter(is_live(find))
            .select(TrustedDeviceRow::as_select())
            .get_result(connection)
            .await
            .optional()?;
        if let Some(row) = row {
            return Ok(Some((TrustedDevice::try_from(&row)?, digest)));
        }
    }
    Ok(None)
}

/// A live trust of an account.
pub(crate) async fn trust(connection: &mut Conn, find: &FindTrust) -> Result<Option<TrustedDevice>, StoreError> {
    Ok(find_live(connection, find).await?.map(|(device, _)| device))
}

/// The live trusted devices of an account whose credentials have these versions, those that were used last first.
async fn live_rows(
    connection: &mut Conn,
    find: &FindTrustedDevices,
    versions: Versions,
) -> Result<Vec<(TrustedDeviceRow, FoundTrustedDevice)>, StoreError> {
    let of_account = FindTrust { digests: Vec::new(), account_id: find.account_id, versions, now: find.now };
    let rows: Vec<TrustedDeviceRow> = trusted_devices::table
        .filter(is_live(&of_account))
        // Rows of the version before have no time, and the databases do not agree on where that is sorted.
        .order((
            trusted_devices::last_used_at.is_null(),
            trusted_devices::last_used_at.desc(),
            trusted_devices::created_at.desc(),
            trusted_devices::digest,
        ))
        .limit(i64::from(find.rules.policy.trusted_devices_per_account))
        .select(TrustedDeviceRow::as_select())
        .load(connection)
        .await?;
    let with_device = rows.into_iter().map(|row| {
        let device = TrustedDevice::try_from(&row)?;
        let is_presented = find.presented.iter().any(|digest| digest.as_bytes().as_slice() == row.digest);
        Ok((row, FoundTrustedDevice { device, is_presented }))
    });
    let mut found = with_device.collect::<Result<Vec<_>, StoreError>>()?;
    found.retain(|(_, found)| found.device.is_live(find.now, &find.rules.policy));
    Ok(found)
}

/// The live trusted devices of an account.
pub(crate) async fn trusted_devices(
    connection: &mut Conn,
    find: &FindTrustedDevices,
) -> Result<Vec<FoundTrustedDevice>, StoreError> {
    let account = accounts::table.find(find.account_id.to_text());
    let versions: Option<(i64, i64)> = account
        .select((accounts::credentials_version, accounts::factors_version))
        .get_result(connection)
        .await
        .optional()?;
    let Some((credentials, factors)) = versions else { return Ok(Vec::new()) };
    let rows = live_rows(connection, find, Versions { credentials, factors }).await?;
    Ok(rows.into_iter().map(|(_, found)| found).collect())
}

/// Changes one live trusted device of the account, if it has it. The account's row is locked first, so that no sign-in replaces
/// the trust meanwhile.
pub(crate) async fn change_trusted_device(
    connection: &mut Conn,
    change: &ChangeTrustedDevice,
) -> TxResult<Option<FoundTrustedDevice>> {
    let Some(account) = lock(connection, change.find.account_id).await? else { return Ok(TxOutcome::Rollback(None)) };
    let rows = live_rows(connection, &change.find, account.versions()).await?;
    let Some((row, mut found)) = rows.into_iter().find(|(_, found)| found.device.id == change.id) else {
        return Ok(TxOutcome::Rollback(None));
    };
    let row = trusted_devices::table.find(row.digest);
    match &change.change {
        DeviceChange::Rename(name) => {
            let renamed = trusted_devices::name.eq(name.as_str());
            diesel::update(row).set(renamed).cached().execute(connection).await?;
            found.device.name = Some(name.clone());
        }
        DeviceChange::EndTrust => {
            diesel::delete(row).execute(connection).await?;
        }
    }
    audit::write_and_commit(connection, &change.event, Some(found)).await
}

/// Ends all trust of an account, if its credentials are those that this was decided on.
pub(crate) async fn end_trust(connection: &mut Conn, end: &EndTrust) -> TxResult<Changed> {
    let after = endings::carry_out(connection, end.account_id, Event::TrustRevoked, None).await?;
    if after.is_none() || end.versions.is_some_and(|versions| after != Some(versions)) {
        return Ok(TxOutcome::Rollback(Changed::Stale));
    }
    audit::write_and_commit(connection, &end.event, Changed::Done).await
}
