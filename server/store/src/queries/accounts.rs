//! Accounts and their passwords.

use super::{Conn, Work, audit};
use crate::error::StoreError;
use crate::rows::{AccountRow, SessionRow};
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
        .first(connection)
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
    diesel::insert_into(sessions::table).values(SessionRow::from(&sign_up.session)).execute(connection).await?;
    audit::write(connection, &sign_up.event).await?;
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
        .execute(connection)
        .await?;
    if touched == 0 {
        return Ok(Unit::Rollback(Changed::Stale));
    }
    end_grants(connection, change.account_id).await?;
    if let Some(session) = &change.session {
        diesel::delete(sessions::table.filter(sessions::account_id.eq(&id))).execute(connection).await?;
        diesel::insert_into(sessions::table).values(SessionRow::from(session)).execute(connection).await?;
    }
    audit::write(connection, &change.event).await?;
    Ok(Unit::Commit(Changed::Done))
}
