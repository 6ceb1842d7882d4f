//! Accounts and their passwords.

use super::sessions::open_session;
use super::{Conn, Work, audit, methods, refresh_tokens, tickets};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountChanges, AccountRow, NewAccountRow, PasswordChanges, RegistrationRow};
use crate::schema::{
    accounts, challenges, mailed_codes, registrations, sessions, tickets as tickets_table, trusted_devices,
};
use crate::work::{
    AccountWritten, ChangeAccount, ChangePassword, Changed, CreateAccount, Person, Register, Registration, SignUp,
    SignedUp, Unit, Whose,
};
use countersign_domain::account::{Account, EmailAddress, LoginName};
use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// The account with this address.
pub(crate) async fn account_by_email(
    connection: &mut Conn,
    (tenant, email): &(TenantId, EmailAddress),
) -> Result<Option<Account>, StoreError> {
    let row = accounts::table
        .filter(accounts::tenant_id.eq(tenant.to_text()))
        .filter(accounts::email.eq(email.as_str()))
        .select(AccountRow::as_select())
        .get_result(connection)
        .await
        .optional()?;
    row.map(Account::try_from).transpose()
}

type PersonRow = (AccountRow, String, Option<i64>);

macro_rules! find_person {
    ($connection:expr, $condition:expr) => {
        accounts::table
            .filter($condition)
            .select((AccountRow::as_select(), accounts::profile, accounts::last_sign_in_at))
            .get_result::<PersonRow>($connection)
            .await
            .optional()?
    };
}

/// Everything about a person.
pub(crate) async fn person(connection: &mut Conn, whose: &Whose) -> Result<Option<Person>, StoreError> {
    let mut found: Option<PersonRow> = None;
    match whose {
        Whose::Id(id) => found = find_person!(connection, accounts::id.eq(id.to_text())),
        Whose::Login(tenant, names) => {
            let at_home = || accounts::tenant_id.eq(tenant.to_text());
            for name in names {
                found = match name {
                    LoginName::Email(email) => {
                        find_person!(connection, at_home().and(accounts::email.eq(email.as_str())))
                    }
                    LoginName::Username(name) => {
                        find_person!(connection, at_home().and(accounts::username_key.eq(name.key())))
                    }
                    LoginName::PhoneNumber(number) => {
                        find_person!(connection, at_home().and(accounts::phone_number.eq(number.as_str())))
                    }
                };
                if found.is_some() {
                    break;
                }
            }
        }
    }
    let Some((row, profile, last_sign_in_at)) = found else { return Ok(None) };
    let account = Account::try_from(row)?;
    let (methods, registrations) =
        together!(connection; methods::methods_of(&account.id), registrations_of(&account.id));
    let last_sign_in_at = last_sign_in_at.map(Timestamp::from_millis);
    Ok(Some(Person { account, profile, last_sign_in_at, methods, registrations }))
}

async fn registrations_of(connection: &mut Conn, id: &AccountId) -> Result<Vec<Registration>, StoreError> {
    let rows: Vec<RegistrationRow> = registrations::table
        .filter(registrations::account_id.eq(id.to_text()))
        .order((registrations::created_at, registrations::id))
        .select(RegistrationRow::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Registration::try_from).collect()
}

/// Makes an account and its first session.
pub(crate) async fn sign_up(connection: &mut Conn, sign_up: &SignUp) -> Work<SignedUp> {
    let made = diesel::insert_into(accounts::table)
        .values(NewAccountRow::new(&sign_up.account, "{}"))
        .on_conflict((accounts::tenant_id, accounts::email))
        .do_nothing()
        .execute(connection)
        .await?;
    if made == 0 {
        return Ok(Unit::Rollback(SignedUp::EmailTaken));
    }
    together!(connection; open_session(Some(&sign_up.session)), audit::write(&sign_up.event));
    Ok(Unit::Commit(SignedUp::Done))
}

/// Makes an account without signing in to it.
pub(crate) async fn create_account(connection: &mut Conn, create: &CreateAccount) -> Work<AccountWritten> {
    let made = diesel::insert_into(accounts::table)
        .values(NewAccountRow::new(&create.account, &create.profile))
        .on_conflict_do_nothing()
        .execute(connection)
        .await?;
    if made == 0 {
        let taken = what_is_taken(connection, &create.account, None).await?;
        return Ok(Unit::Rollback(taken.unwrap_or(AccountWritten::IdTaken)));
    }
    if let Some(registration) = &create.registration {
        let row = RegistrationRow::new(registration, create.account.id);
        diesel::insert_into(registrations::table).values(row).execute(connection).await?;
    }
    audit::write(connection, &create.event).await?;
    Ok(Unit::Commit(AccountWritten::Done))
}

/// What of an account somebody else has.
async fn what_is_taken(
    connection: &mut Conn,
    account: &Account,
    except: Option<AccountId>,
) -> Result<Option<AccountWritten>, StoreError> {
    let except = except.map(AccountId::to_text).unwrap_or_default();
    let others = || accounts::tenant_id.eq(account.tenant_id.to_text()).and(accounts::id.ne(except.clone()));
    let mut taken = None;
    if let Some(number) = &account.phone_number {
        let same = accounts::table.filter(others()).filter(accounts::phone_number.eq(number.as_str()));
        let count: i64 = same.count().get_result(connection).await?;
        taken = (count > 0).then_some(AccountWritten::PhoneNumberTaken).or(taken);
    }
    if let Some(name) = &account.username {
        let same = accounts::table.filter(others()).filter(accounts::username_key.eq(name.key()));
        let count: i64 = same.count().get_result(connection).await?;
        taken = (count > 0).then_some(AccountWritten::UsernameTaken).or(taken);
    }
    if let Some(email) = &account.email {
        let same = accounts::table.filter(others()).filter(accounts::email.eq(email.as_str()));
        let count: i64 = same.count().get_result(connection).await?;
        taken = (count > 0).then_some(AccountWritten::EmailTaken).or(taken);
    }
    Ok(taken)
}

/// Changes an account, if it is still what was read.
pub(crate) async fn change_account(connection: &mut Conn, change: &ChangeAccount) -> Work<AccountWritten> {
    let (account, id) = (&change.account, change.account.id.to_text());
    if let Some(taken) = what_is_taken(connection, account, Some(account.id)).await? {
        return Ok(Unit::Rollback(taken));
    }
    let touched = diesel::update(accounts::table.find(&id))
        .filter(accounts::updated_at.eq(change.was_updated_at.as_millis()))
        .filter(accounts::credentials_version.eq(account.credentials_version))
        .set(AccountChanges::new(account, &change.profile))
        .cached()
        .execute(connection)
        .await;
    match touched {
        Ok(1) => {}
        Ok(_) => return Ok(Unit::Rollback(AccountWritten::Stale)),
        // Somebody took the name between our look and our change: let the caller look again.
        Err(diesel::result::Error::DatabaseError(diesel::result::DatabaseErrorKind::UniqueViolation, _)) => {
            return Ok(Unit::Rollback(AccountWritten::Stale));
        }
        Err(error) => return Err(error.into()),
    }
    if change.sets_password {
        let new_version = accounts::credentials_version.eq(accounts::credentials_version + 1);
        diesel::update(accounts::table.find(&id))
            .set((PasswordChanges::new(account), new_version))
            .cached()
            .execute(connection)
            .await?;
    }
    if change.sets_password {
        end_everything(connection, account.id).await?;
    } else if !account.is_active {
        // Whoever answers an open challenge is told that the account may not be used.
        end_what_is_open(connection, account.id).await?;
        end_trust(connection, account.id).await?;
    }
    for event in &change.events {
        audit::write(connection, event).await?;
    }
    Ok(Unit::Commit(AccountWritten::Done))
}

/// Removes an account and all that belongs to it; says whether it was there.
pub(crate) async fn delete_account(connection: &mut Conn, (id, event): &(AccountId, AuditEvent)) -> Work<bool> {
    let gone = diesel::delete(accounts::table.find(id.to_text())).execute(connection).await?;
    if gone == 0 {
        return Ok(Unit::Rollback(false));
    }
    audit::write(connection, event).await?;
    Ok(Unit::Commit(true))
}

/// Registers a person for an application; says whether they were not yet.
pub(crate) async fn register(connection: &mut Conn, register: &Register) -> Work<bool> {
    let made = diesel::insert_into(registrations::table)
        .values(RegistrationRow::new(&register.registration, register.account_id))
        .on_conflict((registrations::account_id, registrations::application_id))
        .do_nothing()
        .execute(connection)
        .await?;
    if made == 0 {
        return Ok(Unit::Rollback(false));
    }
    audit::write(connection, &register.event).await?;
    Ok(Unit::Commit(true))
}

/// Ends whatever an account's credentials have opened, within the transaction that is open.
async fn end_everything(connection: &mut Conn, account_id: AccountId) -> Result<(), StoreError> {
    end_what_is_open(connection, account_id).await?;
    end_grants(connection, account_id).await
}

/// Ends sessions, tokens, tickets and codes, within the transaction that is open.
async fn end_what_is_open(connection: &mut Conn, account_id: AccountId) -> Result<(), StoreError> {
    let id = account_id.to_text();
    diesel::delete(sessions::table.filter(sessions::account_id.eq(&id))).execute(connection).await?;
    diesel::delete(mailed_codes::table.filter(mailed_codes::account_id.eq(&id))).execute(connection).await?;
    diesel::delete(tickets_table::table.filter(tickets_table::account_id.eq(&id))).execute(connection).await?;
    refresh_tokens::end(connection, account_id).await
}

async fn end_trust(connection: &mut Conn, account_id: AccountId) -> Result<(), StoreError> {
    let mine = trusted_devices::table.filter(trusted_devices::account_id.eq(account_id.to_text()));
    diesel::delete(mine).execute(connection).await?;
    Ok(())
}

/// Ends every trust and every open challenge of an account, within the transaction that is open: what was granted
/// under the old credentials is not good under the new ones (attack 28).
pub(super) async fn end_grants(connection: &mut Conn, account_id: AccountId) -> Result<(), StoreError> {
    end_trust(connection, account_id).await?;
    let mine = challenges::table.filter(challenges::account_id.eq(account_id.to_text()));
    diesel::delete(mine).execute(connection).await?;
    Ok(())
}

/// Sets a new password, if the old one is still what was checked.
pub(crate) async fn change_password(connection: &mut Conn, change: &ChangePassword) -> Work<Changed> {
    let id = change.account_id.to_text();
    let touched = diesel::update(accounts::table.find(&id))
        .filter(accounts::credentials_version.eq(change.credentials_version))
        .set((
            accounts::password_hash.eq(change.password.to_text()),
            accounts::password_changed_at.eq(change.now.as_millis()),
            accounts::password_change_required.eq(false),
            accounts::credentials_version.eq(accounts::credentials_version + 1),
            accounts::updated_at.eq(change.now.as_millis()),
        ))
        .cached()
        .execute(connection)
        .await?;
    if touched == 0 {
        return Ok(Unit::Rollback(Changed::Stale));
    }
    for ticket in &change.tickets {
        if !tickets::spend(connection, ticket, change.account_id, change.now).await? {
            return Ok(Unit::Rollback(Changed::NoTicket));
        }
    }
    match change.ends_sessions {
        true => end_everything(connection, change.account_id).await?,
        false => end_grants(connection, change.account_id).await?,
    }
    together!(
        connection;
        open_session(change.session.as_ref()),
        tickets::give(change.grants.as_ref(), change.account_id, change.now),
        audit::write(&change.event),
    );
    Ok(Unit::Commit(Changed::Done))
}
