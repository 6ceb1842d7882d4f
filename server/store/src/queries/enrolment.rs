//! Enrolling, replacing and removing second factors.

use super::accounts::end_grants;
use super::{Conn, Work, audit};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AuthenticatorRow, BackupCodeRow, SessionRow};
use crate::schema::{accounts, authenticators, backup_codes, mailed_codes, sessions};
use crate::work::{
    Authenticator, BeginEnrolment, Changed, DisableTwoFactor, ReplaceBackupCodes, StoredBackupCode, Unit,
};
use countersign_domain::ids::{AccountId, AuthenticatorId};
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// The confirmed and the pending authenticator app of an account.
pub(crate) async fn authenticators_of(
    connection: &mut Conn,
    account_id: &AccountId,
) -> Result<(Option<Authenticator>, Option<Authenticator>), StoreError> {
    let rows: Vec<AuthenticatorRow> = authenticators::table
        .filter(authenticators::account_id.eq(account_id.to_text()))
        .select(AuthenticatorRow::as_select())
        .load(connection)
        .await?;
    active_and_pending(rows)
}

/// Tells an account's apps apart: at most one is confirmed, and at most one waits to be.
pub(super) fn active_and_pending(
    rows: Vec<AuthenticatorRow>,
) -> Result<(Option<Authenticator>, Option<Authenticator>), StoreError> {
    let (mut active, mut pending) = (None, None);
    for row in rows {
        let place = if row.confirmed_at.is_some() { &mut active } else { &mut pending };
        *place = Some(Authenticator::try_from(row)?);
    }
    Ok((active, pending))
}

/// Whether an authenticator app of the account was ever confirmed.
pub(super) async fn has_confirmed_authenticator(
    connection: &mut Conn,
    account_id: AccountId,
) -> Result<bool, StoreError> {
    let confirmed = authenticators::table
        .filter(authenticators::account_id.eq(account_id.to_text()))
        .filter(authenticators::confirmed_at.is_not_null());
    let count: i64 = confirmed.count().get_result(connection).await?;
    Ok(count > 0)
}

async fn insert_codes(
    connection: &mut Conn,
    account_id: AccountId,
    codes: &[StoredBackupCode],
    is_pending: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    // One statement a row: diesel-async has no batch insert for SQLite.
    for code in codes {
        let row = BackupCodeRow::new(code, account_id, is_pending, now);
        diesel::insert_into(backup_codes::table).values(row).execute(connection).await?;
    }
    Ok(())
}

/// Stores an authenticator app that is to be confirmed, and its backup codes. While the second factor is on, both
/// wait beside the old ones, which stay good until the new app is confirmed (attack 29).
pub(crate) async fn begin_enrolment(connection: &mut Conn, begin: &BeginEnrolment) -> Work<Changed> {
    let id = begin.account_id.to_text();
    // Touching the account's row, without a change, puts parallel enrolments in a line.
    let enabled: Option<bool> = diesel::update(accounts::table.find(&id))
        .filter(accounts::credentials_version.eq(begin.credentials_version))
        .set(accounts::credentials_version.eq(accounts::credentials_version))
        .returning(accounts::two_factor_enabled)
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    let Some(two_factor_enabled) = enabled else { return Ok(Unit::Rollback(Changed::Stale)) };

    let pending = authenticators::account_id.eq(&id).and(authenticators::confirmed_at.is_null());
    diesel::delete(authenticators::table.filter(pending)).execute(connection).await?;
    let row = AuthenticatorRow::pending(&begin.authenticator, begin.account_id, begin.now);
    diesel::insert_into(authenticators::table).values(row).execute(connection).await?;

    let mine = backup_codes::account_id.eq(&id);
    if two_factor_enabled {
        diesel::delete(backup_codes::table.filter(mine).filter(backup_codes::is_pending)).execute(connection).await?;
    } else {
        diesel::delete(backup_codes::table.filter(mine)).execute(connection).await?;
    }
    insert_codes(connection, begin.account_id, &begin.backup_codes, two_factor_enabled, begin.now).await?;
    audit::write(connection, &begin.event).await?;
    Ok(Unit::Commit(Changed::Done))
}

/// Puts a pending authenticator app, and the backup codes that came with it, in the place of the old ones; within
/// the transaction that is open.
pub(super) async fn confirm_authenticator(
    connection: &mut Conn,
    account_id: AccountId,
    authenticator_id: AuthenticatorId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = account_id.to_text();
    let others = authenticators::account_id.eq(&id).and(authenticators::id.ne(authenticator_id.to_text()));
    diesel::delete(authenticators::table.filter(others)).execute(connection).await?;
    diesel::update(authenticators::table.find(authenticator_id.to_text()))
        .set(authenticators::confirmed_at.eq(now.as_millis()))
        .cached()
        .execute(connection)
        .await?;
    let pending = backup_codes::table.filter(backup_codes::account_id.eq(&id)).filter(backup_codes::is_pending);
    let waiting: i64 = pending.count().get_result(connection).await?;
    if waiting > 0 {
        let mine = backup_codes::account_id.eq(&id);
        let old = backup_codes::table.filter(mine).filter(backup_codes::is_pending.eq(false));
        diesel::delete(old).execute(connection).await?;
        let mine = backup_codes::table.filter(backup_codes::account_id.eq(&id));
        diesel::update(mine).set(backup_codes::is_pending.eq(false)).cached().execute(connection).await?;
    }
    Ok(())
}

/// Replaces all backup codes, if the account still has its second factor and the same password.
pub(crate) async fn replace_backup_codes(connection: &mut Conn, replace: &ReplaceBackupCodes) -> Work<Changed> {
    let id = replace.account_id.to_text();
    let touched = diesel::update(accounts::table.find(&id))
        .filter(accounts::credentials_version.eq(replace.credentials_version))
        .filter(accounts::two_factor_enabled)
        .set(accounts::credentials_version.eq(accounts::credentials_version))
        .cached()
        .execute(connection)
        .await?;
    if touched == 0 {
        return Ok(Unit::Rollback(Changed::Stale));
    }
    diesel::delete(backup_codes::table.filter(backup_codes::account_id.eq(&id))).execute(connection).await?;
    insert_codes(connection, replace.account_id, &replace.backup_codes, false, replace.now).await?;
    audit::write(connection, &replace.event).await?;
    Ok(Unit::Commit(Changed::Done))
}

/// Removes every second factor of an account, every trust and every open challenge, and replaces the session.
pub(crate) async fn disable_two_factor(connection: &mut Conn, disable: &DisableTwoFactor) -> Work<Changed> {
    let id = disable.account_id.to_text();
    let touched = diesel::update(accounts::table.find(&id))
        .filter(accounts::credentials_version.eq(disable.credentials_version))
        .set((
            accounts::two_factor_enabled.eq(false),
            accounts::credentials_version.eq(accounts::credentials_version + 1),
            accounts::updated_at.eq(disable.now.as_millis()),
        ))
        .cached()
        .execute(connection)
        .await?;
    if touched == 0 {
        return Ok(Unit::Rollback(Changed::Stale));
    }
    let ended = diesel::delete(sessions::table.find(disable.session_id.to_text())).execute(connection).await?;
    if ended == 0 {
        return Ok(Unit::Rollback(Changed::Stale));
    }
    diesel::insert_into(sessions::table).values(SessionRow::from(&disable.session)).execute(connection).await?;
    diesel::delete(authenticators::table.filter(authenticators::account_id.eq(&id))).execute(connection).await?;
    diesel::delete(backup_codes::table.filter(backup_codes::account_id.eq(&id))).execute(connection).await?;
    diesel::delete(mailed_codes::table.filter(mailed_codes::account_id.eq(&id))).execute(connection).await?;
    end_grants(connection, disable.account_id).await?;
    audit::write(connection, &disable.event).await?;
    Ok(Unit::Commit(Changed::Done))
}
