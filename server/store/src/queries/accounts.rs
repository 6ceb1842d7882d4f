//! Accounts and their passwords.

use super::sessions::open_session;
use super::{Conn, Work, audit};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::AccountRow;
use crate::schema::{accounts, challenges, sessions, trusted_devices};
use crate::work::{ChangePassword, Changed, SignUp, SignedUp, Unit};
use countersign_domain::account::{Account, EmailAddress};
use countersign_domain::ids::AccountId;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// The account with this address.
pub(crate) async fn account_by_email(
    connection: &mut Conn,
    email: &EmailAddress,
) -> Result<Option<Account>, StoreError> {
    let row = accounts::table
        .filter(accounts::email.eq(email.as_str()))
        .select(AccountRow::as_select())
        .get_result(connection)
        .await
        .optional()?;
    row.map(Account::try_from).transpose()
}

/// Makes an account and its first session.
pub(crate) async fn sign_up(connection: &mut Conn, sign_up: &SignUp) -> Work<SignedUp> {
    let made = diesel::insert_into(accounts::table)
        .values(AccountRow::from(&sign_up.account))
        .on_conflict(accounts::email)
        .do_nothing()
        .execute(connection)
        .await?;
    if made == 0 {
        return Ok(Unit::Rollback(SignedUp::EmailTaken));
    }
    together!(connection; open_session(Some(&sign_up.session)), audit::write(&sign_up.event));
    Ok(Unit::Commit(SignedUp::Done))
}

/// Ends every trust and every open challenge of an account, within the transaction that is open: what was granted
/// under the old credentials is not good under the new ones (attack 28).
pub(super) async fn end_grants(connection: &mut Conn, account_id: AccountId) -> Result<(), StoreError> {
    let id = account_id.to_text();
    diesel::delete(trusted_devices::table.filter(trusted_devices::account_id.eq(&id))).execute(connection).await?;
    diesel::delete(challenges::table.filter(challenges::account_id.eq(&id))).execute(connection).await?;
    Ok(())
}

/// Sets a new password, if the old one is still what was checked.
pub(crate) async fn change_password(connection: &mut Conn, change: &ChangePassword) -> Work<Changed> {
    let id = change.account_id.to_text();
    let touched = diesel::update(accounts::table.find(&id))
        .filter(accounts::credentials_version.eq(change.credentials_version))
        .set((
            accounts::password_hash.eq(change.password.to_text()),
            accounts::credentials_version.eq(accounts::credentials_version + 1),
            accounts::updated_at.eq(change.now.as_millis()),
        ))
        .cached()
        .execute(connection)
        .await?;
    if touched == 0 {
        return Ok(Unit::Rollback(Changed::Stale));
    }
    if change.session.is_some() {
        diesel::delete(sessions::table.filter(sessions::account_id.eq(&id))).execute(connection).await?;
    }
    together!(
        connection;
        end_grants(change.account_id),
        open_session(change.session.as_ref()),
        audit::write(&change.event),
    );
    Ok(Unit::Commit(Changed::Done))
}
