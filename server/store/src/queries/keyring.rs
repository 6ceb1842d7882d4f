//! Which keyring the database was used with.

use super::key_rotation::sealing_keys;
use super::{Conn, RunQueryDsl, TxResult};
use crate::error::StoreError;
use crate::rows::MethodRow;
use crate::schema::{accounts, keyring_canaries, methods};
use crate::work::{AddCanary, KeyringFacts, SealedTable, TxOutcome};
use countersign_domain::attempt::Authenticator;
use countersign_domain::decisions::keyring::Canary;
use countersign_domain::keyring::Sealed;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

/// What shows which keyring the database was used with. The conditions on the keys hold for every row: with them an index
/// gives the order.
pub(crate) async fn keyring_facts(connection: &mut Conn, (): &()) -> Result<KeyringFacts, StoreError> {
    // Without the key of a block, a node can do everything but verify the audit trail.
    let sealing = sealing_keys(connection, &()).await?.into_iter();
    let sealed_with =
        sealing.filter(|(table, _)| *table != SealedTable::AuditBlocks).map(|(_, key_id)| key_id).collect();
    let canary: Option<(i64, String, Vec<u8>, i64)> = keyring_canaries::table
        .filter(keyring_canaries::number.gt(0))
        .order(keyring_canaries::number.desc())
        .limit(1)
        .select((
            keyring_canaries::number,
            keyring_canaries::key_id,
            keyring_canaries::sealed,
            keyring_canaries::secrets_bound_from,
        ))
        .get_result(connection)
        .await
        .optional()?;
    if let Some((number, key_id, bytes, bound_from)) = canary {
        let sealed = Sealed { key_id, bytes };
        let canary = Canary { sealed, secrets_bound_from: Timestamp::from_millis(bound_from) };
        return Ok(KeyringFacts { canary: Some(canary), number, newest_app: None, has_accounts: true, sealed_with });
    }
    let app: Option<MethodRow> = methods::table
        .filter(methods::id.gt(""))
        .filter(methods::sealed_secret.is_not_null())
        .order(methods::id.desc())
        .limit(1)
        .select(MethodRow::as_select())
        .get_result(connection)
        .await
        .optional()?;
    let account: Option<String> = accounts::table
        .filter(accounts::id.gt(""))
        .order(accounts::id)
        .limit(1)
        .select(accounts::id)
        .get_result(connection)
        .await
        .optional()?;
    let newest_app = app.map(Authenticator::try_from).transpose()?;
    Ok(KeyringFacts { canary: None, number: 0, newest_app, has_accounts: account.is_some(), sealed_with })
}

/// Stores the canary of a key as the newest; `false` if the key has one, or another node has stored one since the keyring was
/// checked.
pub(crate) async fn add_canary(connection: &mut Conn, add: &AddCanary) -> TxResult<bool> {
    let AddCanary { canary, after, now } = add;
    let made = diesel::insert_into(keyring_canaries::table)
        .values((
            keyring_canaries::number.eq(after + 1),
            keyring_canaries::key_id.eq(&canary.sealed.key_id),
            keyring_canaries::sealed.eq(&canary.sealed.bytes),
            keyring_canaries::secrets_bound_from.eq(canary.secrets_bound_from.as_millis()),
            keyring_canaries::created_at.eq(now.as_millis()),
        ))
        .on_conflict_do_nothing()
        .execute(connection)
        .await?;
    Ok(TxOutcome::Commit(made == 1))
}
