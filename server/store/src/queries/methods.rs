//! Enrolling, replacing and removing second factors.

use super::accounts::end_grants;
use super::{Conn, Work, attempts, audit};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{BackupCodeRow, MailedCodeRow, MethodRow, SessionRow};
use crate::schema::{accounts, backup_codes, challenges, mailed_codes, methods, sessions};
use crate::work::{
    AddMethod, Authenticator, BeginEnrolment, Changed, DisableTwoFactor, MethodAdded, NewFactor, NewMethod, Removal,
    RenameMethod, ReplaceBackupCodes, StoredBackupCode, Unit,
};
use countersign_domain::audit::{AuditEvent, EventKind};
use countersign_domain::ids::{AccountId, MethodId};
use countersign_domain::mailed_code::{Address, Subject};
use countersign_domain::method::{Method, MethodHandle, MethodKind};
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// The most methods that an account may have.
const MOST: usize = 16;

/// The confirmed authenticator apps of an account, the oldest first, and the one that waits to be confirmed.
pub(crate) async fn authenticators_of(
    connection: &mut Conn,
    account_id: &AccountId,
) -> Result<(Vec<Authenticator>, Option<Authenticator>), StoreError> {
    let rows: Vec<MethodRow> = methods::table
        .filter(methods::account_id.eq(account_id.to_text()))
        .filter(methods::kind.eq(MethodKind::Authenticator.name()))
        .order((methods::created_at, methods::kind, methods::id))
        .select(MethodRow::as_select())
        .load(connection)
        .await?;
    confirmed_and_pending(rows)
}

/// Tells an account's apps apart: at most one waits to be confirmed.
pub(super) fn confirmed_and_pending(
    rows: Vec<MethodRow>,
) -> Result<(Vec<Authenticator>, Option<Authenticator>), StoreError> {
    let (mut confirmed, mut pending) = (Vec::new(), None);
    for row in rows {
        match row.confirmed_at {
            Some(_) => confirmed.push(Authenticator::try_from(row)?),
            None => pending = Some(Authenticator::try_from(row)?),
        }
    }
    Ok((confirmed, pending))
}

/// The confirmed methods of an account, the oldest first.
pub(crate) async fn methods_of(connection: &mut Conn, account_id: &AccountId) -> Result<Vec<Method>, StoreError> {
    let rows: Vec<MethodRow> = methods::table
        .filter(methods::account_id.eq(account_id.to_text()))
        .filter(methods::confirmed_at.is_not_null())
        .order((methods::created_at, methods::kind, methods::id))
        .select(MethodRow::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Method::try_from).collect()
}

/// The first of `handles` that the account does not use yet.
async fn free_handle(
    connection: &mut Conn,
    account_id: AccountId,
    handles: &[MethodHandle; 3],
) -> Result<MethodHandle, StoreError> {
    let mine = methods::table.filter(methods::account_id.eq(account_id.to_text()));
    let taken: Vec<String> = mine.select(methods::handle).load(connection).await?;
    let free = handles.iter().find(|handle| taken.iter().all(|taken| taken != handle.as_str()));
    free.cloned().ok_or(StoreError::Corrupt { table: "methods", what: "its handles: none of three was free" })
}

/// Stores a method, within the transaction that is open; one for an address that is one already stays as it is.
pub(super) async fn insert(
    connection: &mut Conn,
    account_id: AccountId,
    method: &NewMethod,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let NewFactor::Address(address) = &method.what {
        let same = methods::kind.eq(address.kind().name()).and(methods::address.eq(address.as_str()));
        let mine = methods::table.filter(methods::account_id.eq(account_id.to_text())).filter(same);
        let count: i64 = mine.count().get_result(connection).await?;
        if count > 0 {
            return Ok(());
        }
    }
    let handle = free_handle(connection, account_id, &method.handles).await?;
    let row = MethodRow::confirmed(method, &handle, account_id, now);
    diesel::insert_into(methods::table).values(row).execute(connection).await?;
    Ok(())
}

/// Turns the second factor on, within the transaction that is open. Whatever sessions passed before, it was not the
/// factor that is on now.
pub(super) async fn switch_on(connection: &mut Conn, account_id: AccountId, now: Timestamp) -> Result<(), StoreError> {
    let id = account_id.to_text();
    diesel::update(accounts::table.find(&id))
        .set((
            accounts::two_factor_enabled.eq(true),
            accounts::credentials_version.eq(accounts::credentials_version + 1),
            accounts::updated_at.eq(now.as_millis()),
        ))
        .cached()
        .execute(connection)
        .await?;
    diesel::update(sessions::table.filter(sessions::account_id.eq(&id)))
        .set(sessions::second_factor_at.eq(None::<i64>))
        .cached()
        .execute(connection)
        .await?;
    Ok(())
}

/// Turns the second factor off, within the transaction that is open, and ends all that hung on it.
async fn switch_off(connection: &mut Conn, account_id: AccountId) -> Result<(), StoreError> {
    let id = account_id.to_text();
    diesel::delete(methods::table.filter(methods::account_id.eq(&id))).execute(connection).await?;
    diesel::delete(backup_codes::table.filter(backup_codes::account_id.eq(&id))).execute(connection).await?;
    diesel::delete(mailed_codes::table.filter(mailed_codes::account_id.eq(&id))).execute(connection).await?;
    end_grants(connection, account_id).await
}

/// Gives methods up, within the transaction that is open.
pub(super) async fn remove(
    connection: &mut Conn,
    account_id: AccountId,
    removal: Removal,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = account_id.to_text();
    if let Removal::One(method_id) = removal {
        let confirmed = methods::table.filter(methods::account_id.eq(&id)).filter(methods::confirmed_at.is_not_null());
        diesel::delete(confirmed.filter(methods::id.eq(method_id.to_text()))).execute(connection).await?;
        let left: i64 = confirmed.count().get_result(connection).await?;
        if left > 0 {
            let subject = Subject::Disable { account_id, method_id }.to_text();
            diesel::delete(mailed_codes::table.find(subject)).execute(connection).await?;
            return Ok(());
        }
    }
    diesel::update(accounts::table.find(&id))
        .set((
            accounts::two_factor_enabled.eq(false),
            accounts::credentials_version.eq(accounts::credentials_version + 1),
            accounts::updated_at.eq(now.as_millis()),
        ))
        .cached()
        .execute(connection)
        .await?;
    switch_off(connection, account_id).await
}

/// Adds a method whose code was judged by the caller (an authenticator app) or is judged here (an address). Which of
/// several parallel calls is the first is decided by the account's row.
pub(crate) async fn add_method(connection: &mut Conn, add: &AddMethod) -> Work<MethodAdded> {
    let id = add.account_id.to_text();
    let enabled: Option<bool> = diesel::update(accounts::table.find(&id))
        .filter(accounts::credentials_version.eq(add.credentials_version))
        .set(accounts::credentials_version.eq(accounts::credentials_version))
        .returning(accounts::two_factor_enabled)
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    let Some(two_factor_enabled) = enabled else { return Ok(Unit::Rollback(MethodAdded::Stale)) };
    if let NewFactor::Address(address) = &add.method.what {
        match prove_address(connection, add, address).await? {
            Proven::Yes => {}
            Proven::No(outcome) => return Ok(Unit::Commit(outcome)),
        }
    }
    let mine = methods::table.filter(methods::account_id.eq(&id)).filter(methods::confirmed_at.is_not_null());
    let count: i64 = mine.count().get_result(connection).await?;
    if usize::try_from(count).is_ok_and(|count| count >= MOST) {
        return Ok(Unit::Rollback(MethodAdded::TooMany));
    }
    if let Some((digest, mac)) = &add.challenge {
        let live = challenges::account_id.eq(&id).and(challenges::expires_at.gt(add.now.as_millis()));
        let challenge = challenges::table.find(digest.as_bytes().as_slice()).filter(live);
        let expires_at: Option<i64> =
            challenge.select(challenges::expires_at).get_result(connection).await.optional()?;
        let Some(expires_at) = expires_at else { return Ok(Unit::Rollback(MethodAdded::NoChallenge)) };
        let code = MailedCodeRow {
            subject: Subject::Challenge(*digest).to_text(),
            account_id: id.clone(),
            method_id: None,
            mac: mac.to_vec(),
            tries: 0,
            failures: 0,
            created_at: add.now.as_millis(),
            expires_at,
        };
        super::codes::store(connection, &code).await?;
    }
    insert(connection, add.account_id, &add.method, add.now).await?;
    let (outcome, kind) = match two_factor_enabled {
        true => (MethodAdded::Further, EventKind::MethodAdded),
        false => (MethodAdded::First, EventKind::TwoFactorEnabled),
    };
    if !two_factor_enabled {
        switch_on(connection, add.account_id, add.now).await?;
        let mine = backup_codes::table.filter(backup_codes::account_id.eq(&id));
        diesel::delete(mine).execute(connection).await?;
        // An app that was never confirmed is not waited for any more.
        let pending = methods::account_id.eq(&id).and(methods::confirmed_at.is_null());
        diesel::delete(methods::table.filter(pending)).execute(connection).await?;
        insert_codes(connection, add.account_id, &add.backup_codes, false, add.now).await?;
    }
    audit::write(connection, &AuditEvent { kind, ..add.event.clone() }).await?;
    Ok(Unit::Commit(outcome))
}

enum Proven {
    Yes,
    No(MethodAdded),
}

/// Whether the sent code was presented that proves an address; it is spent by that, and a wrong one costs a try.
async fn prove_address(connection: &mut Conn, add: &AddMethod, address: &Address) -> Result<Proven, StoreError> {
    let subject = Subject::Enable { account_id: add.account_id, address: address.clone() };
    let cap = i64::from(add.policy.mailed_code_tries);
    let Some(code) = attempts::take_try_of_code(connection, &subject, cap, add.now).await? else {
        let kind = format!("enable:{}:{}:%", add.account_id, address.kind().name());
        let other = mailed_codes::account_id.eq(add.account_id.to_text()).and(mailed_codes::subject.like(kind));
        let live = mailed_codes::expires_at.gt(add.now.as_millis()).and(mailed_codes::subject.ne(subject.to_text()));
        let count: i64 = mailed_codes::table.filter(other.and(live)).count().get_result(connection).await?;
        let outcome = if count > 0 { MethodAdded::OtherAddress } else { MethodAdded::WrongCode };
        return Ok(Proven::No(outcome));
    };
    if !add.macs.iter().any(|mac| mac.as_slice() == code.mac) {
        diesel::update(mailed_codes::table.find(subject.to_text()))
            .set(mailed_codes::failures.eq(mailed_codes::failures + 1))
            .cached()
            .execute(connection)
            .await?;
        let event = AuditEvent { kind: EventKind::SecondFactorRejected, ..add.event.clone() };
        audit::write(connection, &event).await?;
        return Ok(Proven::No(MethodAdded::WrongCode));
    }
    diesel::delete(mailed_codes::table.find(subject.to_text())).execute(connection).await?;
    Ok(Proven::Yes)
}

/// Gives a method a name; says whether there is such a method.
pub(crate) async fn rename_method(connection: &mut Conn, rename: &RenameMethod) -> Work<bool> {
    let mine = methods::account_id.eq(rename.account_id.to_text()).and(methods::handle.eq(rename.handle.as_str()));
    let touched = diesel::update(methods::table.filter(mine).filter(methods::confirmed_at.is_not_null()))
        .set(methods::name.eq(rename.name.clone()))
        .cached()
        .execute(connection)
        .await?;
    if touched == 0 {
        return Ok(Unit::Rollback(false));
    }
    audit::write(connection, &rename.event).await?;
    Ok(Unit::Commit(true))
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

    let pending = methods::account_id.eq(&id).and(methods::confirmed_at.is_null());
    diesel::delete(methods::table.filter(pending)).execute(connection).await?;
    let handle = free_handle(connection, begin.account_id, &begin.handles).await?;
    let row = MethodRow::pending(&begin.authenticator, &handle, begin.account_id, begin.now);
    diesel::insert_into(methods::table).values(row).execute(connection).await?;

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
/// the transaction that is open. Of several apps the oldest one gives way.
pub(super) async fn confirm_authenticator(
    connection: &mut Conn,
    account_id: AccountId,
    method_id: MethodId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = account_id.to_text();
    let (confirmed, _) = authenticators_of(connection, &account_id).await?;
    if let [oldest, ..] = confirmed.as_slice() {
        diesel::delete(methods::table.find(oldest.id.to_text())).execute(connection).await?;
    }
    diesel::update(methods::table.find(method_id.to_text()))
        .set(methods::confirmed_at.eq(now.as_millis()))
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
    switch_off(connection, disable.account_id).await?;
    audit::write(connection, &disable.event).await?;
    Ok(Unit::Commit(Changed::Done))
}
