//! Trusted devices.

use super::{Conn, TxResult, audit, endings};
use crate::error::StoreError;
use crate::rows::TrustedDeviceRow;
use crate::schema::trusted_devices;
use crate::work::{Changed, CompleteSignIn, EndTrust, FindTrust, NewTrust, PresentedTrust, TxOutcome};
use countersign_domain::account::Versions;
use countersign_domain::decisions::endings::Event;
use countersign_domain::decisions::trust::{self, Trust};
use countersign_domain::ids::AccountId;
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use countersign_domain::trusted_device::TrustedDevice;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

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
    let (found, replaced) = match next {
        None => (trust(connection, &find).await?, None),
        Some(_) => match take(connection, &find).await? {
            Some((found, digest)) => (Some(found), Some(digest)),
            None => {
                return Ok(trust::decide_replaced(replaced_at(connection, &find).await?, policy, now));
            }
        },
    };
    let Some(found) = found else { return Ok(Trust::Ignored) };
    let application = input.rules.application(input.application_id);
    let facts = trust::Facts {
        given_in: found.application_id,
        application: input.application_id,
        policy: application.map(|application| application.trust_policy).unwrap_or_default(),
        given_at: found.given_at,
    };
    let decision = trust::decide(&facts, policy, now);
    if let Some(next) = next.as_ref().filter(|_| decision == Trust::Counts) {
        let end = found.given_at + policy.trust_absolute_lifetime;
        let next = NewTrust { expires_at: next.expires_at.min(end), ..next.clone() };
        let row = TrustedDeviceRow::new(&next, input.account_id, versions, found.given_at, replaced, now);
        insert(connection, row).await?;
    }
    Ok(decision)
}

/// Records a trusted device, if there is one to record; within the open transaction.
pub(super) async fn give(
    connection: &mut Conn,
    trust: Option<&NewTrust>,
    account_id: AccountId,
    versions: Versions,
    now: Timestamp,
) -> Result<(), StoreError> {
    match trust {
        Some(trust) => insert(connection, TrustedDeviceRow::new(trust, account_id, versions, now, None, now)).await,
        None => Ok(()),
    }
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
            return Ok(Some((TrustedDevice::from(row), digest)));
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

/// A live trust of an account.
pub(crate) async fn trust(connection: &mut Conn, find: &FindTrust) -> Result<Option<TrustedDevice>, StoreError> {
    for digest in &find.digests {
        let row: Option<TrustedDeviceRow> = trusted_devices::table
            .find(digest.as_bytes().as_slice())
            .filter(is_live(find))
            .select(TrustedDeviceRow::as_select())
            .get_result(connection)
            .await
            .optional()?;
        if let Some(row) = row {
            return Ok(Some(TrustedDevice::from(row)));
        }
    }
    Ok(None)
}

/// Ends all trust of an account, if its credentials are those that this was decided on.
pub(crate) async fn end_trust(connection: &mut Conn, end: &EndTrust) -> TxResult<Changed> {
    let after = endings::carry_out(connection, end.account_id, Event::TrustRevoked, None).await?;
    if after != Some(end.versions) {
        return Ok(TxOutcome::Rollback(Changed::Stale));
    }
    audit::write(connection, &end.event).await?;
    Ok(TxOutcome::Commit(Changed::Done))
}
