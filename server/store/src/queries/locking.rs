//! Locking the row of an account, which a unit of work does before it touches other rows of the account, so that parallel ones
//! queue up there.

use super::users::UserRow;
use super::{Conn, RunQueryDsl};
use crate::error::StoreError;
use crate::rows::AccountRow;
use crate::schema::accounts;
use countersign_domain::account::{Account, Versions};
use countersign_domain::ids::AccountId;
use diesel::prelude::*;

/// Locks the row of an account and reads it; `None` if it is gone.
pub(super) async fn lock(connection: &mut Conn, account_id: AccountId) -> Result<Option<Account>, StoreError> {
    let account = accounts::table.find(account_id.to_text()).select(AccountRow::as_select());
    let row: Option<AccountRow> = locked!(account).get_result(connection).await.optional()?;
    row.map(Account::try_from).transpose()
}

/// The same, with the profile and the time of the last sign-in.
pub(super) async fn lock_user(connection: &mut Conn, account_id: AccountId) -> Result<Option<UserRow>, StoreError> {
    let user = accounts::table.find(account_id.to_text());
    let user = user.select((AccountRow::as_select(), accounts::profile, accounts::last_sign_in_at));
    Ok(locked!(user).get_result(connection).await.optional()?)
}

/// [`lock`]; `None` as well if the account is not at these versions any more.
pub(super) async fn lock_at(
    connection: &mut Conn,
    account_id: AccountId,
    versions: Versions,
) -> Result<Option<Account>, StoreError> {
    Ok(lock(connection, account_id).await?.filter(|account| account.versions() == versions))
}
