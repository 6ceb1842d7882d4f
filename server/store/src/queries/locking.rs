//! Locking the row of an account, which a unit of work does before it touches other rows of the account, so that parallel ones
//! queue up there: an `UPDATE` that changes nothing, because not every engine has `FOR UPDATE` as it is needed.

use super::Conn;
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::AccountRow;
use crate::schema::accounts;
use countersign_domain::account::{Account, Versions};
use countersign_domain::ids::AccountId;
use diesel::dsl::Eq;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// The changeset that locks rows of accounts and leaves them as they are, for statements that read other columns or find the
/// account by something else than its id.
pub(super) fn unchanged() -> Eq<accounts::credentials_version, accounts::credentials_version> {
    accounts::credentials_version.eq(accounts::credentials_version)
}

/// Locks the row of an account and reads it; `None` if it is gone.
pub(super) async fn lock(connection: &mut Conn, account_id: AccountId) -> Result<Option<Account>, StoreError> {
    let row: Option<AccountRow> = diesel::update(accounts::table.find(account_id.to_text()))
        .set(unchanged())
        .returning(AccountRow::as_returning())
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    row.map(Account::try_from).transpose()
}

/// The same; `None` as well if the account is not at these versions any more.
pub(super) async fn lock_at(
    connection: &mut Conn,
    account_id: AccountId,
    versions: Versions,
) -> Result<Option<Account>, StoreError> {
    Ok(lock(connection, account_id).await?.filter(|account| account.versions() == versions))
}
