//! Reading accounts and users.

use super::passkeys::passkeys_if;
use super::{Conn, RunQueryDsl, methods, usernames};
use crate::error::StoreError;
use crate::rows::{AccountRow, RegistrationRow};
use crate::schema::{accounts, registrations};
use countersign_domain::account::{Account, LoginName};
use countersign_domain::ids::AccountId;
use countersign_domain::method::Method;
use countersign_domain::passkey::Passkey;
use countersign_domain::time::Timestamp;
use countersign_domain::user::{AccountLookup, Registration, User};
use diesel::prelude::*;

/// An account's row, its profile, and when it last signed in.
pub(super) type UserRow = (AccountRow, String, Option<i64>);

macro_rules! find_user {
    ($connection:expr, $condition:expr) => {
        accounts::table
            .filter($condition)
            .select((AccountRow::as_select(), accounts::profile, accounts::last_sign_in_at))
            .get_result::<UserRow>($connection)
            .await
            .optional()?
    };
}

async fn find(connection: &mut Conn, lookup: &AccountLookup) -> Result<Option<UserRow>, StoreError> {
    let (tenant, names) = match lookup {
        AccountLookup::Id(id) => return Ok(find_user!(connection, accounts::id.eq(id.to_text()))),
        AccountLookup::IdIn(tenant, id) => {
            let mine = accounts::id.eq(id.to_text()).and(accounts::tenant_id.eq(tenant.to_text()));
            return Ok(find_user!(connection, mine));
        }
        AccountLookup::Login(tenant, names) => (tenant, names),
    };
    let of_tenant = || accounts::tenant_id.eq(tenant.to_text());
    for name in names {
        let found = match name {
            LoginName::Email(email) => {
                find_user!(connection, of_tenant().and(accounts::email.eq(email.as_str())))
            }
            LoginName::Username(name) => usernames::find_by_username(connection, *tenant, name).await?,
            LoginName::PhoneNumber(number) => {
                find_user!(connection, of_tenant().and(accounts::phone_number.eq(number.as_str())))
            }
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The account alone.
pub(crate) async fn account(connection: &mut Conn, lookup: &AccountLookup) -> Result<Option<Account>, StoreError> {
    find(connection, lookup).await?.map(|(row, ..)| Account::try_from(row)).transpose()
}

/// The account with its profile, methods and registrations.
pub(crate) async fn user(connection: &mut Conn, lookup: &AccountLookup) -> Result<Option<User>, StoreError> {
    match find(connection, lookup).await? {
        Some(row) => load(connection, row).await.map(Some),
        None => Ok(None),
    }
}

/// An account, and when it last signed in.
pub(super) async fn with_last_sign_in(
    connection: &mut Conn,
    id: AccountId,
) -> Result<Option<(Account, Option<Timestamp>)>, StoreError> {
    let found = find(connection, &AccountLookup::Id(id)).await?;
    found.map(|(row, _, at)| Ok((Account::try_from(row)?, at.map(Timestamp::from_millis)))).transpose()
}

/// Completes an account's row to a user.
pub(super) async fn load(connection: &mut Conn, (row, profile, last_sign_in_at): UserRow) -> Result<User, StoreError> {
    let account = Account::try_from(row)?;
    let (mut methods, passkeys, registrations) = pipeline!(
        connection;
        methods_if(true, account.id),
        passkeys_if(account.two_factor_enabled, account.id),
        registrations_if(true, account.id),
    );
    methods.extend(passkeys.iter().map(Passkey::as_method));
    let last_sign_in_at = last_sign_in_at.map(Timestamp::from_millis);
    Ok(User { account, profile, last_sign_in_at, methods, registrations })
}

/// The confirmed methods of an account; empty and without a query unless `wanted`.
pub(super) async fn methods_if(connection: &mut Conn, wanted: bool, id: AccountId) -> Result<Vec<Method>, StoreError> {
    if wanted { methods::methods_of(connection, &id).await } else { Ok(Vec::new()) }
}

/// The registrations of an account; empty and without a query unless `wanted`.
pub(super) async fn registrations_if(
    connection: &mut Conn,
    wanted: bool,
    id: AccountId,
) -> Result<Vec<Registration>, StoreError> {
    if !wanted {
        return Ok(Vec::new());
    }
    let rows: Vec<RegistrationRow> = registrations::table
        .filter(registrations::account_id.eq(id.to_text()))
        .order((registrations::created_at, registrations::id))
        .select(RegistrationRow::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Registration::try_from).collect()
}
