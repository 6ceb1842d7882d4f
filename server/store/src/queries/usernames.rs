//! Bringing stored user names to the form in which they are compared now.

use super::{Conn, TxResult};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::schema::{accounts, progress, username_conflicts};
use crate::work::{NormalizeUsernames, TxOutcome, UsernameConflict, UsernamesNormalized};
use countersign_domain::account::Username;
use countersign_domain::ids::AccountId;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// Name of the row that says how far this has come.
const WORK: &str = "usernames";

/// Brings the names of some accounts to their form, in the order of the accounts' ids, and goes on where the last call
/// stopped. Nodes that do it at once take turns: the row that says how far it has come is locked first. A name whose form
/// another account has keeps the form that it had, and the account is noted.
pub(crate) async fn normalize_usernames(
    connection: &mut Conn,
    normalize: &NormalizeUsernames,
) -> TxResult<UsernamesNormalized> {
    let position: Option<String> = diesel::update(progress::table.find(WORK))
        .set(progress::position.eq(progress::position))
        .returning(progress::position)
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    let Some(position) = position else { return Ok(TxOutcome::Rollback(UsernamesNormalized::default())) };
    type Row = (String, String, Option<String>, Option<String>);
    let rows: Vec<Row> = accounts::table
        .filter(accounts::id.gt(&position))
        .order(accounts::id)
        .limit(i64::from(normalize.batch))
        .select((accounts::id, accounts::tenant_id, accounts::username, accounts::username_key))
        .load(connection)
        .await?;
    let Some((last, ..)) = rows.last() else { return Ok(TxOutcome::Rollback(UsernamesNormalized::default())) };
    let (last, mut outcome) = (last.clone(), UsernamesNormalized { accounts: rows.len(), ..Default::default() });
    for (id, tenant_id, username, key) in rows {
        let Some(name) = username.as_deref().and_then(Username::new) else { continue };
        if key.as_ref() == Some(&name.key()) {
            continue;
        }
        let same = accounts::tenant_id.eq(&tenant_id).and(accounts::username_key.eq(name.key()));
        let others: i64 = accounts::table.filter(same.and(accounts::id.ne(&id))).count().get_result(connection).await?;
        if others > 0 {
            diesel::delete(username_conflicts::table.find(&id)).execute(connection).await?;
            diesel::insert_into(username_conflicts::table)
                .values((username_conflicts::account_id.eq(&id), username_conflicts::username_key.eq(name.key())))
                .execute(connection)
                .await?;
            outcome.conflicts += 1;
            continue;
        }
        outcome.changed += diesel::update(accounts::table.find(&id))
            .set(accounts::username_key.eq(name.key()))
            .cached()
            .execute(connection)
            .await?;
    }
    diesel::update(progress::table.find(WORK)).set(progress::position.eq(last)).cached().execute(connection).await?;
    Ok(TxOutcome::Commit(outcome))
}

/// The accounts whose user name has the form of another account's, and still the form that it had before.
pub(crate) async fn username_conflicts(connection: &mut Conn, (): &()) -> Result<Vec<UsernameConflict>, StoreError> {
    let rows: Vec<(String, String, Option<String>, Option<String>)> = username_conflicts::table
        .inner_join(accounts::table)
        .filter(username_conflicts::account_id.gt(""))
        .order(username_conflicts::account_id)
        .select((
            username_conflicts::account_id,
            username_conflicts::username_key,
            accounts::username,
            accounts::username_key,
        ))
        .load(connection)
        .await?;
    // An account that was given another name since is no conflict any more.
    let unsolved = rows.into_iter().filter(|(_, wanted, name, _)| {
        name.as_deref().and_then(Username::new).is_some_and(|name| name.key() == *wanted)
    });
    let unsolved = unsolved.filter(|(_, wanted, _, key)| key.as_ref() != Some(wanted));
    let conflicts = unsolved.filter_map(|(id, wanted, name, _)| {
        Some(UsernameConflict { account_id: AccountId::parse(&id)?, username: name?, username_key: wanted })
    });
    Ok(conflicts.collect())
}
