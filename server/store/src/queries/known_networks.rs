//! Networks from which an account has completed a sign-in.

use super::{Conn, RunQueryDsl};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::schema::known_networks;
use crate::work::{KnownNetwork, TakePasswordTry};
use countersign_domain::ids::AccountId;
use diesel::prelude::*;

/// Whether the account knows the client's network.
pub(super) async fn is_known(connection: &mut Conn, wanted: &TakePasswordTry) -> Result<bool, StoreError> {
    let Some((digests, _)) = &wanted.network else { return Ok(false) };
    for digest in digests {
        let known = known_networks::table
            .find(digest.as_slice())
            .filter(known_networks::account_id.eq(wanted.account_id.to_text()))
            .filter(known_networks::expires_at.gt(wanted.now.as_millis()));
        let count: i64 = known.count().get_result(connection).await?;
        if count > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// By how much the end of a row has to move for it to be written again, so that most sign-ins write none.
const STEP: i64 = 24 * 60 * 60 * 1_000;

/// Records the network of a completed sign-in, if there is one to record; within the open transaction.
pub(super) async fn record(
    connection: &mut Conn,
    network: Option<&KnownNetwork>,
    account_id: AccountId,
) -> Result<(), StoreError> {
    use diesel::query_dsl::methods::FilterDsl as _;
    if let Some(network) = network {
        let end = network.expires_at.as_millis();
        let expires_at = known_networks::expires_at.eq(end);
        diesel::insert_into(known_networks::table)
            .values((
                known_networks::digest.eq(network.digest.as_slice()),
                known_networks::account_id.eq(account_id.to_text()),
                expires_at,
            ))
            .on_conflict(known_networks::digest)
            .do_update()
            .set(expires_at)
            .filter(known_networks::expires_at.lt(end - STEP))
            .cached()
            .execute(connection)
            .await?;
    }
    Ok(())
}
