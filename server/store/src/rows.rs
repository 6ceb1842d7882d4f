//! Rows as the tables hold them, and their way into and out of the types of the domain.

use crate::error::StoreError;
use crate::schema::{
    accounts, api_keys, audit_events, backup_codes, challenges, mailed_codes, methods, refresh_tokens, registrations,
    sessions, tickets, trusted_devices,
};
use crate::work::{
    ApiKeyRecord, Authenticator, NewFactor, NewMethod, NewRefreshToken, NewSession, NewTicket, NewTrust, Registration,
    StoredBackupCode, StoredTrust,
};
use countersign_domain::account::{Account, EmailAddress, PhoneNumber, Username};
use countersign_domain::audit::AuditEvent;
use countersign_domain::challenge::Challenge;
use countersign_domain::ids::{
    AccountId, ApiKeyId, ApplicationId, BackupCodeId, MethodId, RefreshTokenId, RegistrationId, SessionId, TenantId,
};
use countersign_domain::keyring::Sealed;
use countersign_domain::method::{Method, MethodHandle, MethodKind};
use countersign_domain::password::PasswordHash;
use countersign_domain::secret::Digest;
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

fn corrupt(table: &'static str, what: &'static str) -> StoreError {
    StoreError::Corrupt { table, what }
}

#[derive(Queryable, Selectable)]
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
    pub(crate) failed_attempts: i64,
    pub(crate) consecutive_locks: i64,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let hash = |text: String| PasswordHash::parse(&text).ok_or(corrupt("accounts", "its password hash"));
        Ok(Self {
            id: AccountId::parse(&row.id).ok_or(corrupt("accounts", "its id"))?,
            tenant_id: TenantId::parse(&row.tenant_id).ok_or(corrupt("accounts", "its tenant"))?,
            email: row.email.as_deref().map(EmailAddress::new),
            username: row.username.as_deref().and_then(Username::new),
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
    failed_attempts: i64,
    consecutive_locks: i64,
    locked_until: Option<i64>,
    last_sign_in_at: Option<i64>,
    two_factor_enabled: bool,
    created_at: i64,
    #[diesel(embed)]
    rest: AccountChanges,
    #[diesel(embed)]
    password: PasswordChanges,
}

impl NewAccountRow {
    pub(crate) fn new(account: &Account, profile: &str) -> Self {
        Self {
            id: account.id.to_text(),
            tenant_id: account.tenant_id.to_text(),
            credentials_version: account.credentials_version,
            failed_attempts: 0,
            consecutive_locks: 0,
            locked_until: None,
            last_sign_in_at: None,
            two_factor_enabled: account.two_factor_enabled,
            created_at: account.created_at.as_millis(),
            rest: AccountChanges::new(account, profile),
            password: PasswordChanges::new(account),
        }
    }
}

/// What a service may change of an account.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = accounts, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct AccountChanges {
    email: Option<String>,
    username: Option<String>,
    username_key: Option<String>,
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
            username: account.username.as_ref().map(|name| name.as_str().to_owned()),
            username_key: account.username.as_ref().map(Username::key),
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
#[diesel(table_name = methods, treat_none_as_default_value = false)]
pub(crate) struct MethodRow {
    pub(crate) id: String,
    account_id: String,
    pub(crate) handle: String,
    pub(crate) kind: String,
    name: Option<String>,
    pub(crate) address: Option<String>,
    key_id: Option<String>,
    sealed_secret: Option<Vec<u8>>,
    last_step: Option<i64>,
    pub(crate) confirmed_at: Option<i64>,
    last_used_at: Option<i64>,
    created_at: i64,
}

impl MethodRow {
    /// An authenticator app that is to be confirmed.
    pub(crate) fn pending(
        authenticator: &Authenticator,
        handle: &MethodHandle,
        account_id: AccountId,
        now: Timestamp,
    ) -> Self {
        Self {
            id: authenticator.id.to_text(),
            account_id: account_id.to_text(),
            handle: handle.as_str().to_owned(),
            kind: MethodKind::Authenticator.name().to_owned(),
            name: None,
            address: None,
            key_id: Some(authenticator.secret.key_id.clone()),
            sealed_secret: Some(authenticator.secret.bytes.clone()),
            last_step: authenticator.last_step,
            confirmed_at: None,
            last_used_at: None,
            created_at: now.as_millis(),
        }
    }

    /// A method that is good from now on.
    pub(crate) fn confirmed(method: &NewMethod, handle: &MethodHandle, account_id: AccountId, now: Timestamp) -> Self {
        let (kind, address, secret, last_step) = match &method.what {
            NewFactor::Authenticator(secret, step) => (MethodKind::Authenticator, None, Some(secret), Some(*step)),
            NewFactor::Address(address) => (address.kind(), Some(address.as_str().to_owned()), None, None),
        };
        Self {
            id: method.id.to_text(),
            account_id: account_id.to_text(),
            handle: handle.as_str().to_owned(),
            kind: kind.name().to_owned(),
            name: method.name.clone(),
            address,
            key_id: secret.map(|secret| secret.key_id.clone()),
            sealed_secret: secret.map(|secret| secret.bytes.clone()),
            last_step,
            confirmed_at: Some(now.as_millis()),
            last_used_at: None,
            created_at: now.as_millis(),
        }
    }
}

impl TryFrom<MethodRow> for Authenticator {
    type Error = StoreError;

    fn try_from(row: MethodRow) -> Result<Self, StoreError> {
        let secret = row.key_id.zip(row.sealed_secret).map(|(key_id, bytes)| Sealed { key_id, bytes });
        Ok(Self {
            id: MethodId::parse(&row.id).ok_or(corrupt("methods", "its id"))?,
            secret: secret.ok_or(corrupt("methods", "its secret"))?,
            last_step: row.last_step,
        })
    }
}

impl TryFrom<MethodRow> for Method {
    type Error = StoreError;

    fn try_from(row: MethodRow) -> Result<Self, StoreError> {
        let kind = MethodKind::parse(&row.kind).ok_or(corrupt("methods", "its kind"))?;
        let address = row.address.as_deref().and_then(|text| Method::read_address(kind, text));
        if address.is_none() && kind != MethodKind::Authenticator {
            return Err(corrupt("methods", "its address"));
        }
        Ok(Self {
            id: MethodId::parse(&row.id).ok_or(corrupt("methods", "its id"))?,
            handle: MethodHandle::parse(&row.handle).ok_or(corrupt("methods", "its handle"))?,
            kind,
            name: row.name,
            address,
            last_used_at: row.last_used_at.map(Timestamp::from_millis),
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = backup_codes, treat_none_as_default_value = false)]
pub(crate) struct BackupCodeRow {
    id: String,
    account_id: String,
    selector: Vec<u8>,
    hash: String,
    is_pending: bool,
    used_at: Option<i64>,
    created_at: i64,
}

impl BackupCodeRow {
    pub(crate) fn new(code: &StoredBackupCode, account_id: AccountId, is_pending: bool, now: Timestamp) -> Self {
        Self {
            id: code.id.to_text(),
            account_id: account_id.to_text(),
            selector: code.selector.clone(),
            hash: code.hash.to_text(),
            is_pending,
            used_at: None,
            created_at: now.as_millis(),
        }
    }
}

impl TryFrom<BackupCodeRow> for StoredBackupCode {
    type Error = StoreError;

    fn try_from(row: BackupCodeRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: BackupCodeId::parse(&row.id).ok_or(corrupt("backup_codes", "its id"))?,
            selector: row.selector,
            hash: PasswordHash::parse(&row.hash).ok_or(corrupt("backup_codes", "its hash"))?,
            is_spent: row.used_at.is_some(),
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub(crate) struct SessionRow {
    id: String,
    account_id: String,
    token_digest: Vec<u8>,
    is_remembered: bool,
    second_factor_at: Option<i64>,
    ip_address: String,
    user_agent: String,
    created_at: i64,
    updated_at: i64,
    expires_at: i64,
}

impl From<&NewSession> for SessionRow {
    fn from(NewSession { session, token }: &NewSession) -> Self {
        Self {
            id: session.id.to_text(),
            account_id: session.account_id.to_text(),
            token_digest: token.as_bytes().to_vec(),
            is_remembered: session.is_remembered,
            second_factor_at: session.second_factor_at.map(Timestamp::as_millis),
            ip_address: session.ip_address.clone(),
            user_agent: session.user_agent.clone(),
            created_at: session.created_at.as_millis(),
            updated_at: session.updated_at.as_millis(),
            expires_at: session.expires_at.as_millis(),
        }
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: SessionId::parse(&row.id).ok_or(corrupt("sessions", "its id"))?,
            account_id: AccountId::parse(&row.account_id).ok_or(corrupt("sessions", "its account"))?,
            is_remembered: row.is_remembered,
            second_factor_at: row.second_factor_at.map(Timestamp::from_millis),
            ip_address: row.ip_address,
            user_agent: row.user_agent,
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            expires_at: Timestamp::from_millis(row.expires_at),
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = challenges, treat_none_as_default_value = false)]
pub(crate) struct ChallengeRow {
    digest: Vec<u8>,
    pub(crate) account_id: String,
    tries: i64,
    pub(crate) failures: i64,
    is_remembered: bool,
    application_id: Option<String>,
    state: Option<String>,
    trust_challenge: Option<Vec<u8>>,
    created_at: i64,
    pub(crate) expires_at: i64,
}

impl From<&Challenge> for ChallengeRow {
    fn from(challenge: &Challenge) -> Self {
        Self {
            digest: challenge.digest.as_bytes().to_vec(),
            account_id: challenge.account_id.to_text(),
            tries: 0,
            failures: 0,
            is_remembered: challenge.is_remembered,
            application_id: challenge.application_id.map(ApplicationId::to_text),
            state: challenge.state.clone(),
            trust_challenge: challenge.trust_challenge.map(|digest| digest.as_bytes().to_vec()),
            created_at: challenge.created_at.as_millis(),
            expires_at: challenge.expires_at.as_millis(),
        }
    }
}

impl ChallengeRow {
    /// The challenge that was found by `digest`.
    pub(crate) fn into_challenge(self, digest: Digest) -> Result<Challenge, StoreError> {
        Ok(Challenge {
            digest,
            account_id: AccountId::parse(&self.account_id).ok_or(corrupt("challenges", "its account"))?,
            is_remembered: self.is_remembered,
            application_id: self.application_id.as_deref().and_then(ApplicationId::parse),
            state: self.state,
            trust_challenge: self.trust_challenge.as_deref().and_then(Digest::from_bytes),
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: Timestamp::from_millis(self.expires_at),
        })
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = mailed_codes, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct MailedCodeRow {
    pub(crate) subject: String,
    pub(crate) account_id: String,
    pub(crate) method_id: Option<String>,
    pub(crate) mac: Vec<u8>,
    pub(crate) tries: i64,
    pub(crate) failures: i64,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = trusted_devices, treat_none_as_default_value = false)]
pub(crate) struct TrustedDeviceRow {
    digest: Vec<u8>,
    account_id: String,
    application_id: Option<String>,
    created_at: i64,
    expires_at: i64,
}

impl TrustedDeviceRow {
    pub(crate) fn new(trust: &NewTrust, account_id: AccountId, now: Timestamp) -> Self {
        Self {
            digest: trust.digest.as_bytes().to_vec(),
            account_id: account_id.to_text(),
            application_id: trust.application_id.map(ApplicationId::to_text),
            created_at: now.as_millis(),
            expires_at: trust.expires_at.as_millis(),
        }
    }
}

impl From<TrustedDeviceRow> for StoredTrust {
    fn from(row: TrustedDeviceRow) -> Self {
        Self {
            application_id: row.application_id.as_deref().and_then(ApplicationId::parse),
            created_at: Timestamp::from_millis(row.created_at),
            expires_at: Timestamp::from_millis(row.expires_at),
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
            roles: serde_json::to_string(&registration.roles).expect("a list of texts is JSON"),
            username: registration.username.clone(),
            data: registration.data.clone(),
            last_sign_in_at: registration.last_sign_in_at.map(Timestamp::as_millis),
            created_at: registration.created_at.as_millis(),
            updated_at: registration.updated_at.as_millis(),
        }
    }
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

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens, treat_none_as_default_value = false)]
pub(crate) struct RefreshTokenRow {
    pub(crate) digest: Vec<u8>,
    pub(crate) family_id: String,
    pub(crate) account_id: String,
    pub(crate) application_id: String,
    pub(crate) second_factor_at: Option<i64>,
    pub(crate) signed_in_at: i64,
    pub(crate) used_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

impl RefreshTokenRow {
    pub(crate) fn first(token: &NewRefreshToken, account_id: AccountId, now: Timestamp) -> Self {
        Self {
            digest: token.digest.as_bytes().to_vec(),
            family_id: token.family_id.to_text(),
            account_id: account_id.to_text(),
            application_id: token.application_id.to_text(),
            second_factor_at: token.second_factor_at.map(Timestamp::as_millis),
            signed_in_at: now.as_millis(),
            used_at: None,
            created_at: now.as_millis(),
            expires_at: token.expires_at.as_millis(),
        }
    }

    pub(crate) fn names(&self) -> Result<(RefreshTokenId, ApplicationId), StoreError> {
        let family = RefreshTokenId::parse(&self.family_id).ok_or(corrupt("refresh_tokens", "its family"))?;
        let application = ApplicationId::parse(&self.application_id);
        Ok((family, application.ok_or(corrupt("refresh_tokens", "its application"))?))
    }
}

#[derive(Insertable)]
#[diesel(table_name = tickets, treat_none_as_default_value = false)]
pub(crate) struct TicketRow {
    digest: Vec<u8>,
    kind: String,
    account_id: String,
    trust_challenge: Option<Vec<u8>>,
    state: Option<String>,
    created_at: i64,
    expires_at: i64,
}

impl TicketRow {
    pub(crate) fn new(ticket: &NewTicket, account_id: AccountId, now: Timestamp) -> Self {
        Self {
            digest: ticket.digest.as_bytes().to_vec(),
            kind: ticket.kind.name().to_owned(),
            account_id: account_id.to_text(),
            trust_challenge: ticket.trust_challenge.map(|digest| digest.as_bytes().to_vec()),
            state: ticket.state.clone(),
            created_at: now.as_millis(),
            expires_at: ticket.expires_at.as_millis(),
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub(crate) struct ApiKeyRow {
    id: String,
    name: String,
    tenant_id: Option<String>,
    permissions: Option<String>,
    created_at: i64,
    revoked_at: Option<i64>,
}

impl TryFrom<ApiKeyRow> for ApiKeyRecord {
    type Error = StoreError;

    fn try_from(row: ApiKeyRow) -> Result<Self, StoreError> {
        let tenant = |text: String| TenantId::parse(&text).ok_or(corrupt("api_keys", "its tenant"));
        Ok(Self {
            id: ApiKeyId::parse(&row.id).ok_or(corrupt("api_keys", "its id"))?,
            name: row.name,
            tenant_id: row.tenant_id.map(tenant).transpose()?,
            permissions: row.permissions,
            created_at: Timestamp::from_millis(row.created_at),
            revoked_at: row.revoked_at.map(Timestamp::from_millis),
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
pub(crate) struct AuditEventRow {
    id: String,
    at: i64,
    kind: String,
    account_id: Option<String>,
    session_id: Option<String>,
    factor: Option<String>,
    dialect: String,
    ip_address: String,
    api_key_id: Option<String>,
}

impl From<&AuditEvent> for AuditEventRow {
    fn from(event: &AuditEvent) -> Self {
        Self {
            id: event.id.to_text(),
            at: event.at.as_millis(),
            kind: event.kind.name().to_owned(),
            account_id: event.account_id.map(AccountId::to_text),
            session_id: event.session_id.map(SessionId::to_text),
            factor: event.factor.map(|factor| factor.name().to_owned()),
            dialect: event.dialect.to_owned(),
            ip_address: event.ip_address.clone(),
            api_key_id: event.api_key_id.map(ApiKeyId::to_text),
        }
    }
}
