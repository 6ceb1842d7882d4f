//! Accounts and registrations.

use super::corrupt;
use crate::error::StoreError;
use crate::schema::{accounts, registrations};
use countersign_domain::account::{Account, EmailAddress, PhoneNumber, Username, Versions};
use countersign_domain::guess::Guess;
use countersign_domain::ids::{AccountId, ApplicationId, RegistrationId, TenantId};
use countersign_domain::password::PasswordHash;
use countersign_domain::time::Timestamp;
use countersign_domain::user::Registration;
use diesel::prelude::*;

#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = accounts)]
pub(crate) struct AccountRow {
    pub(crate) id: String,
    tenant_id: String,
    email: Option<String>,
    username: Option<String>,
    phone_number: Option<String>,
    name: String,
    email_verified: bool,
    image: Option<String>,
    password_hash: Option<String>,
    password_changed_at: i64,
    password_change_required: bool,
    is_active: bool,
    expires_at: Option<i64>,
    two_factor_enabled: bool,
    credentials_version: i64,
    factors_version: i64,
    pub(crate) failed_attempts: i64,
    pub(crate) consecutive_locks: i64,
    locked_until: Option<i64>,
    pub(crate) guesses_decay_at: Option<i64>,
    limits_epoch: i64,
    suspended_until: Option<i64>,
    wrong_guess: Option<Vec<u8>>,
    created_at: i64,
    updated_at: i64,
}

impl AccountRow {
    pub(crate) fn username(&self) -> Option<Username> {
        self.username.as_deref().and_then(Username::new)
    }

    pub(crate) fn versions(&self) -> Versions {
        Versions { credentials: self.credentials_version, factors: self.factors_version }
    }
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let hash = |text: String| PasswordHash::parse(&text).ok_or(corrupt("accounts", "its password hash"));
        Ok(Self {
            id: AccountId::parse(&row.id).ok_or(corrupt("accounts", "its id"))?,
            tenant_id: TenantId::parse(&row.tenant_id).ok_or(corrupt("accounts", "its tenant"))?,
            email: row.email.as_deref().map(EmailAddress::new),
            username: row.username(),
            phone_number: row.phone_number.as_deref().and_then(PhoneNumber::new),
            name: row.name,
            email_verified: row.email_verified,
            image: row.image,
            password: row.password_hash.map(hash).transpose()?,
            password_changed_at: Timestamp::from_millis(row.password_changed_at),
            password_change_required: row.password_change_required,
            is_active: row.is_active,
            expires_at: row.expires_at.map(Timestamp::from_millis),
            two_factor_enabled: row.two_factor_enabled,
            credentials_version: row.credentials_version,
            limits_epoch: row.limits_epoch,
            factors_version: row.factors_version,
            lock_ends_at: row.locked_until.map(Timestamp::from_millis),
            guess_level: row.guesses_decay_at.map(Timestamp::from_millis),
            suspended_until: row.suspended_until.map(Timestamp::from_millis),
            wrong_guess: row.wrong_guess.as_deref().and_then(Guess::from_bytes),
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = accounts, treat_none_as_default_value = false)]
pub(crate) struct NewAccountRow {
    id: String,
    tenant_id: String,
    credentials_version: i64,
    factors_version: i64,
    failed_attempts: i64,
    consecutive_locks: i64,
    locked_until: Option<i64>,
    last_sign_in_at: Option<i64>,
    two_factor_enabled: bool,
    created_at: i64,
    #[diesel(embed)]
    username: UsernameColumns,
    #[diesel(embed)]
    rest: AccountChanges,
    #[diesel(embed)]
    password: PasswordChanges,
}

impl NewAccountRow {
    /// `signs_in`: its first session is opened with it.
    pub(crate) fn new(account: &Account, profile: &str, signs_in: bool) -> Self {
        Self {
            id: account.id.to_text(),
            tenant_id: account.tenant_id.to_text(),
            credentials_version: account.credentials_version,
            factors_version: account.factors_version,
            failed_attempts: 0,
            consecutive_locks: 0,
            locked_until: None,
            last_sign_in_at: signs_in.then_some(account.created_at.as_millis()),
            two_factor_enabled: account.two_factor_enabled,
            created_at: account.created_at.as_millis(),
            username: UsernameColumns::of(account),
            rest: AccountChanges::new(account, profile),
            password: PasswordChanges::new(account),
        }
    }
}

/// Columns that a service may change.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = accounts, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct AccountChanges {
    email: Option<String>,
    phone_number: Option<String>,
    name: String,
    email_verified: bool,
    image: Option<String>,
    profile: String,
    password_change_required: bool,
    is_active: bool,
    expires_at: Option<i64>,
    updated_at: i64,
}

impl AccountChanges {
    pub(crate) fn new(account: &Account, profile: &str) -> Self {
        Self {
            email: account.email.as_ref().map(|email| email.as_str().to_owned()),
            phone_number: account.phone_number.as_ref().map(|number| number.as_str().to_owned()),
            name: account.name.clone(),
            email_verified: account.email_verified,
            image: account.image.clone(),
            profile: profile.to_owned(),
            password_change_required: account.password_change_required,
            is_active: account.is_active,
            expires_at: account.expires_at.map(Timestamp::as_millis),
            updated_at: account.updated_at.as_millis(),
        }
    }
}

/// Columns that a user may change freely; `None` leaves one as it is.
#[derive(AsChangeset)]
#[diesel(table_name = accounts)]
pub(crate) struct ProfileChanges {
    pub(crate) name: Option<String>,
    pub(crate) image: Option<Option<String>>,
    pub(crate) updated_at: i64,
}

/// A user name: as chosen, the key that is unique, and the form in which it is compared. The key is another one than the form
/// where the account had its name before another account's was found to have the same form.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = accounts, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct UsernameColumns {
    username: Option<String>,
    username_key: Option<String>,
    username_form: Option<String>,
}

impl UsernameColumns {
    pub(crate) fn of(account: &Account) -> Self {
        let form = account.username.as_ref().map(Username::key);
        Self {
            username: account.username.as_ref().map(|name| name.as_str().to_owned()),
            username_key: form.clone(),
            username_form: form,
        }
    }

    pub(crate) fn is_same_name(&self, other: &Self) -> bool {
        self.username == other.username
    }
}

/// A password as it is set.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = accounts, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct PasswordChanges {
    password_hash: Option<String>,
    password_changed_at: i64,
}

impl PasswordChanges {
    pub(crate) fn new(account: &Account) -> Self {
        Self {
            password_hash: account.password.as_ref().map(PasswordHash::to_text),
            password_changed_at: account.password_changed_at.as_millis(),
        }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = registrations, treat_none_as_default_value = false)]
pub(crate) struct RegistrationRow {
    id: String,
    account_id: String,
    application_id: String,
    roles: String,
    username: Option<String>,
    data: Option<String>,
    last_sign_in_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
}

impl RegistrationRow {
    pub(crate) fn new(registration: &Registration, account_id: AccountId) -> Self {
        Self {
            id: registration.id.to_text(),
            account_id: account_id.to_text(),
            application_id: registration.application_id.to_text(),
            roles: roles_text(&registration.roles),
            username: registration.username.clone(),
            data: registration.data.clone(),
            last_sign_in_at: registration.last_sign_in_at.map(Timestamp::as_millis),
            created_at: registration.created_at.as_millis(),
            updated_at: registration.updated_at.as_millis(),
        }
    }
}

/// Columns of a registration that a service may change.
#[derive(AsChangeset)]
#[diesel(table_name = registrations, treat_none_as_null = true)]
pub(crate) struct RegistrationChanges {
    roles: String,
    username: Option<String>,
    data: Option<String>,
    updated_at: i64,
}

impl RegistrationChanges {
    pub(crate) fn new(registration: &Registration) -> Self {
        Self {
            roles: roles_text(&registration.roles),
            username: registration.username.clone(),
            data: registration.data.clone(),
            updated_at: registration.updated_at.as_millis(),
        }
    }
}

fn roles_text(roles: &[String]) -> String {
    serde_json::to_string(roles).expect("a list of texts is JSON")
}

impl TryFrom<RegistrationRow> for Registration {
    type Error = StoreError;

    fn try_from(row: RegistrationRow) -> Result<Self, StoreError> {
        let application = ApplicationId::parse(&row.application_id);
        Ok(Self {
            id: RegistrationId::parse(&row.id).ok_or(corrupt("registrations", "its id"))?,
            application_id: application.ok_or(corrupt("registrations", "its application"))?,
            roles: serde_json::from_str(&row.roles).map_err(|_| corrupt("registrations", "its roles"))?,
            username: row.username,
            data: row.data,
            last_sign_in_at: row.last_sign_in_at.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
        })
    }
}
