//! Writing accounts and passwords.

use super::sessions::open_session;
use super::users::methods_if;
use super::{
    Conn, RunQueryDsl, TxResult, addresses, audit, endings, messages, methods, pipeline_commit, tickets, usernames,
};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountChanges, NewAccountRow, PasswordChanges, ProfileChanges, RegistrationRow, UsernameColumns};
use crate::schema::{accounts, budgets, registrations};
use crate::work::{AccountWritten, ChangeAccount, ChangePassword, Changed, CreateAccount, TxOutcome, UpdateProfile};
use countersign_domain::account::Account;
use countersign_domain::audit::{AuditEvent, EventKind};
use countersign_domain::decisions::address_change::{self, Move};
use countersign_domain::decisions::endings::Event;
use countersign_domain::ids::AccountId;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Creates an account, with a registration or a first session if there is one.
pub(crate) async fn create_account(connection: &mut Conn, create: &CreateAccount) -> TxResult<AccountWritten> {
    let (account, event) = (&create.account, &create.event);
    let id = account.id.to_text();
    let (is_made, username_is_taken, email_is_reserved) = pipeline!(
        connection;
        insert(create),
        // No index has the names of earlier versions that have the same form and another key.
        username_is_taken(account, &id),
        email_is_reserved(account, &id),
    );
    if !is_made {
        let taken = find_taken_name(connection, account, "").await?;
        return Ok(TxOutcome::Rollback(taken.unwrap_or(AccountWritten::IdTaken)));
    }
    if username_is_taken {
        return Ok(TxOutcome::Rollback(AccountWritten::UsernameTaken));
    }
    if email_is_reserved {
        return Ok(TxOutcome::Rollback(AccountWritten::EmailTaken));
    }
    let (ticket, message) = create.verification.as_ref().map(|(ticket, message)| (ticket, message)).unzip();
    pipeline!(
        connection;
        insert_registration(create),
        tickets::give(ticket, account.id, account.versions(), event.at),
        messages::enqueue(message),
        open_session(create.session.as_ref(), account.versions()),
        audit::write(event),
        pipeline_commit(audit::is_one_statement(event)),
    );
    Ok(TxOutcome::Commit(AccountWritten::Done))
}

/// Stores the account; `false` if its id or one of its login names is taken.
async fn insert(connection: &mut Conn, create: &CreateAccount) -> Result<bool, StoreError> {
    let row = NewAccountRow::new(&create.account, &create.profile, create.session.is_some());
    let made = diesel::insert_into(accounts::table).values(row).on_conflict_do_nothing().execute(connection).await?;
    Ok(made == 1)
}

async fn insert_registration(connection: &mut Conn, create: &CreateAccount) -> Result<(), StoreError> {
    if let Some(registration) = &create.registration {
        let row = RegistrationRow::new(registration, create.account.id);
        diesel::insert_into(registrations::table).values(row).execute(connection).await?;
    }
    Ok(())
}

/// Whether another account may still get the address back.
async fn email_is_reserved(connection: &mut Conn, account: &Account, id: &str) -> Result<bool, StoreError> {
    let Some(email) = &account.email else { return Ok(false) };
    addresses::is_reserved(connection, account.tenant_id, email, id, account.created_at).await
}

/// Whether another account has a user name of the same form.
async fn username_is_taken(connection: &mut Conn, account: &Account, except: &str) -> Result<bool, StoreError> {
    let Some(name) = &account.username else { return Ok(false) };
    usernames::is_taken(connection, &account.tenant_id.to_text(), &name.key(), except).await
}

/// The login name of the account that an account other than `except` uses already.
pub(super) async fn find_taken_name(
    connection: &mut Conn,
    account: &Account,
    except: &str,
) -> Result<Option<AccountWritten>, StoreError> {
    let others = || accounts::tenant_id.eq(account.tenant_id.to_text()).and(accounts::id.ne(except));
    let mut taken = None;
    if let Some(number) = &account.phone_number {
        let same = accounts::table.filter(others()).filter(accounts::phone_number.eq(number.as_str()));
        let count: i64 = same.count().get_result(connection).await?;
        taken = (count > 0).then_some(AccountWritten::PhoneNumberTaken).or(taken);
    }
    if username_is_taken(connection, account, except).await? {
        taken = Some(AccountWritten::UsernameTaken);
    }
    if let Some(email) = &account.email {
        let same = accounts::table.filter(others()).filter(accounts::email.eq(email.as_str()));
        let count: i64 = same.count().get_result(connection).await?;
        let is_taken = count > 0
            || addresses::is_reserved(connection, account.tenant_id, email, except, account.updated_at).await?;
        taken = is_taken.then_some(AccountWritten::EmailTaken).or(taken);
    }
    Ok(taken)
}

/// Changes an account, if it is still as it was read.
pub(crate) async fn change_account(connection: &mut Conn, change: &ChangeAccount) -> TxResult<AccountWritten> {
    let (account, id) = (&change.account, change.account.id.to_text());
    // Locks the row.
    let as_read = accounts::table
        .find(&id)
        .filter(accounts::updated_at.eq(change.before.updated_at.as_millis()))
        .filter(accounts::credentials_version.eq(account.credentials_version));
    let names = as_read.select(UsernameColumns::as_select());
    let before: Option<UsernameColumns> = locked!(names).get_result(connection).await.optional()?;
    let Some(before) = before else { return Ok(TxOutcome::Rollback(AccountWritten::Stale)) };
    let names = UsernameColumns::of(account);
    // A name that stays keeps its key: another account may have its form.
    let (names, unnamed) = match names.is_same_name(&before) {
        true => (before, Account { username: None, ..account.clone() }),
        false => (names, account.clone()),
    };
    if let Some(taken) = find_taken_name(connection, &unnamed, &id).await? {
        return Ok(TxOutcome::Rollback(taken));
    }
    let touched = diesel::update(accounts::table.find(&id))
        .set((names, AccountChanges::new(account, &change.profile)))
        .cached()
        .execute(connection)
        .await;
    match touched {
        Ok(_) => {}
        // Another account took the name between the check and the change: the caller has to read again.
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            return Ok(TxOutcome::Rollback(AccountWritten::Stale));
        }
        Err(error) => return Err(error.into()),
    }
    if change.sets_password {
        diesel::update(accounts::table.find(&id))
            .set(PasswordChanges::new(account))
            .cached()
            .execute(connection)
            .await?;
    }
    // The account's row is locked, so no method comes or goes meanwhile.
    let methods = methods_if(connection, !change.moved.is_empty(), account.id).await?;
    let facts = address_change::Facts {
        tenant: change.rules.tenant_of(account),
        before: &change.before,
        after: account,
        methods: &methods,
        changes: &change.moved,
    };
    if address_change::decide(&facts) == Move::LeavesNoMethod {
        return Ok(TxOutcome::Rollback(AccountWritten::LeavesNoMethod));
    }
    for moved in &change.moved {
        methods::follow(connection, account.id, moved).await?;
    }
    if change.sets_password {
        lift_lock(connection, account.id).await?;
    }
    if change.before.email != account.email {
        endings::carry_out(connection, account.id, Event::AddressChangedByService, None).await?;
    }
    if let Some(event) = change.ending {
        endings::carry_out(connection, account.id, event, None).await?;
    }
    for event in &change.events {
        audit::write(connection, event).await?;
        if let (EventKind::AddressChanged, Some(old)) = (event.kind, &change.before.email) {
            messages::notify_at(connection, event, old, change.before.email_verified).await?;
        }
    }
    Ok(TxOutcome::Commit(AccountWritten::Done))
}

/// Deletes an account and everything that belongs to it; says whether it was there.
pub(crate) async fn delete_account(connection: &mut Conn, (id, event): &(AccountId, AuditEvent)) -> TxResult<bool> {
    // Before, because receivers of webhooks get the user as it was.
    audit::write(connection, event).await?;
    match remove(connection, *id).await? {
        true => Ok(TxOutcome::Commit(true)),
        false => Ok(TxOutcome::Rollback(false)),
    }
}

/// Removes an account with everything that refers to it, and what was counted against it; within the open transaction.
pub(super) async fn remove(connection: &mut Conn, id: AccountId) -> Result<bool, StoreError> {
    let gone = diesel::delete(accounts::table.find(id.to_text())).execute(connection).await?;
    diesel::delete(budgets::table.filter(budgets::account_id.eq(id.to_text()))).execute(connection).await?;
    Ok(gone == 1)
}

/// Changes the name or the picture of an account; says whether it is there.
pub(crate) async fn update_profile(connection: &mut Conn, update: &UpdateProfile) -> TxResult<bool> {
    let account = accounts::table.find(update.account_id.to_text());
    let changes = ProfileChanges {
        name: update.name.clone(),
        image: update.image.clone(),
        updated_at: update.event.at.as_millis(),
    };
    if diesel::update(account).set(changes).cached().execute(connection).await? == 0 {
        return Ok(TxOutcome::Rollback(false));
    }
    audit::write_and_commit(connection, &update.event, true).await
}

/// Ends the lock after consecutive wrong second factors, within the open transaction: the attacker guessed with a password that
/// is no longer good. The long-term count stays.
async fn lift_lock(connection: &mut Conn, account_id: AccountId) -> Result<(), StoreError> {
    diesel::update(accounts::table.find(account_id.to_text()))
        .set((
            accounts::failed_attempts.eq(0),
            accounts::consecutive_locks.eq(0),
            accounts::locked_until.eq(None::<i64>),
        ))
        .cached()
        .execute(connection)
        .await?;
    Ok(())
}

/// Sets a new password, if the credentials are those that the change was decided on.
pub(crate) async fn change_password(connection: &mut Conn, change: &ChangePassword) -> TxResult<Changed> {
    let id = change.account_id.to_text();
    let touched = diesel::update(accounts::table.find(&id))
        .filter(accounts::credentials_version.eq(change.versions.credentials))
        .filter(accounts::factors_version.eq(change.versions.factors))
        .set((
            accounts::password_hash.eq(change.password.to_text()),
            accounts::password_changed_at.eq(change.now.as_millis()),
            accounts::password_change_required.eq(false),
            accounts::updated_at.eq(change.now.as_millis()),
        ))
        .cached()
        .execute(connection)
        .await?;
    if touched == 0 {
        return Ok(TxOutcome::Rollback(Changed::Stale));
    }
    if let Some(ticket) = &change.ticket
        && !tickets::spend(connection, ticket, change.account_id, change.versions, change.now).await?
    {
        return Ok(TxOutcome::Rollback(Changed::NoTicket));
    }
    if let Some(ticket) = &change.step_up
        && !tickets::spend(connection, ticket, change.account_id, change.versions, change.now).await?
    {
        return Ok(TxOutcome::Rollback(Changed::NoStepUp));
    }
    if let Some(address) = &change.proved_address {
        methods::verify_own_address(connection, change.account_id, address, change.now).await?;
    }
    if change.lifts_lock {
        lift_lock(connection, change.account_id).await?;
    }
    let Some(versions) = endings::carry_out(connection, change.account_id, change.ending, None).await? else {
        return Ok(TxOutcome::Rollback(Changed::Stale));
    };
    pipeline!(
        connection;
        open_session(change.session.as_ref(), versions),
        tickets::give(change.one_time_password.as_ref(), change.account_id, versions, change.now),
        audit::write(&change.event),
        pipeline_commit(audit::is_one_statement(&change.event)),
    );
    Ok(TxOutcome::Commit(Changed::Done))
}
