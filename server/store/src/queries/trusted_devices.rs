//! Trusted devices.

use super::Conn;
use crate::error::StoreError;
use crate::rows::TrustedDeviceRow;
use crate::schema::trusted_devices;
use crate::work::{CompleteSignIn, FindTrust, NewTrust, PresentedTrust};
use countersign_domain::decisions::trust::{self, Trust};
use countersign_domain::ids::AccountId;
use countersign_domain::time::Timestamp;
use countersign_domain::trusted_device::TrustedDevice;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// Whether the trust that a device presents counts. A rotating one is replaced: of parallel sign-ins, the one that deletes
/// its row has used it.
pub(super) async fn use_trust(
    connection: &mut Conn,
    input: &CompleteSignIn,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(PresentedTrust { digests, next }) = &input.trust else { return Ok(false) };
    let find = FindTrust { digests: digests.clone(), account_id: input.account_id, now };
    let found = match next {
        None => trust(connection, &find).await?,
        Some(_) => take(connection, &find).await?,
    };
    let Some(found) = found else { return Ok(false) };
    let application = input.rules.application(input.application_id);
    let facts = trust::Facts {
        given_in: found.application_id,
        application: input.application_id,
        policy: application.map(|application| application.trust_policy).unwrap_or_default(),
    };
    let counts = trust::decide(&facts) == Trust::Counts;
    if counts {
        give(connection, next.as_ref(), input.account_id, now).await?;
    }
    Ok(counts)
}

/// Records a trusted device, if there is one to record; within the open transaction.
pub(super) async fn give(
    connection: &mut Conn,
    trust: Option<&NewTrust>,
    account_id: AccountId,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(trust) = trust {
        let row = TrustedDeviceRow::new(trust, account_id, now);
        diesel::insert_into(trusted_devices::table).values(row).execute(connection).await?;
    }
    Ok(())
}

async fn take(connection: &mut Conn, find: &FindTrust) -> Result<Option<TrustedDevice>, StoreError> {
    for digest in &find.digests {
        let row: Option<TrustedDeviceRow> = diesel::delete(trusted_devices::table.find(digest.as_bytes().as_slice()))
            .filter(trusted_devices::account_id.eq(find.account_id.to_text()))
            .filter(trusted_devices::expires_at.gt(find.now.as_millis()))
            .returning(TrustedDeviceRow::as_returning())
            .get_result(connection)
            .await
            .optional()?;
        if let Some(row) = row {
            return Ok(Some(TrustedDevice::from(row)));
        }
    }
    Ok(None)
}

/// A live trust of an account.
pub(crate) async fn trust(connection: &mut Conn, find: &FindTrust) -> Result<Option<TrustedDevice>, StoreError> {
    for digest in &find.digests {
        let row: Option<TrustedDeviceRow> = trusted_devices::table
            .find(digest.as_bytes().as_slice())
            .filter(trusted_devices::account_id.eq(find.account_id.to_text()))
            .filter(trusted_devices::expires_at.gt(find.now.as_millis()))
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

/// Ends all trust of an account, within the open transaction.
pub(super) async fn end(connection: &mut Conn, account_id: AccountId) -> Result<(), StoreError> {
    let mine = trusted_devices::table.filter(trusted_devices::account_id.eq(account_id.to_text()));
    diesel::delete(mine).execute(connection).await?;
    Ok(())
}
