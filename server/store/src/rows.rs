//! Rows as the tables hold them, and their way into and out of the types of the domain.

use crate::error::StoreError;
use crate::schema::{
    accounts, audit_events, authenticators, backup_codes, challenges, mailed_codes, sessions, trusted_devices,
};
use crate::work::{Authenticator, NewSession, NewTrust, StoredBackupCode};
use countersign_domain::account::{Account, EmailAddress};
use countersign_domain::audit::AuditEvent;
use countersign_domain::challenge::Challenge;
use countersign_domain::ids::{AccountId, AuthenticatorId, BackupCodeId, SessionId};
use countersign_domain::keyring::Sealed;
use countersign_domain::password::PasswordHash;
use countersign_domain::secret::Digest;
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

fn corrupt(table: &'static str, what: &'static str) -> StoreError {
    StoreError::Corrupt { table, what }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = accounts, treat_none_as_default_value = false)]
pub(crate) struct AccountRow {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) email_verified: bool,
    pub(crate) image: Option<String>,
    pub(crate) password_hash: Option<String>,
    pub(crate) two_factor_enabled: bool,
    pub(crate) credentials_version: i64,
    pub(crate) failed_attempts: i64,
    pub(crate) consecutive_locks: i64,
    pub(crate) locked_until: Option<i64>,
    pub(crate) last_sign_in_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

impl From<&Account> for AccountRow {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id.to_text(),
            email: account.email.as_str().to_owned(),
            name: account.name.clone(),
            email_verified: account.email_verified,
            image: account.image.clone(),
            password_hash: account.password.as_ref().map(PasswordHash::to_text),
            two_factor_enabled: account.two_factor_enabled,
            credentials_version: account.credentials_version,
            failed_attempts: 0,
            consecutive_locks: 0,
            locked_until: None,
            last_sign_in_at: None,
            created_at: account.created_at.as_millis(),
            updated_at: account.updated_at.as_millis(),
        }
    }
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let hash = |text: String| PasswordHash::parse(&text).ok_or(corrupt("accounts", "its password hash"));
        Ok(Self {
            id: AccountId::parse(&row.id).ok_or(corrupt("accounts", "its id"))?,
            email: EmailAddress::new(&row.email),
            name: row.name,
            email_verified: row.email_verified,
            image: row.image,
            password: row.password_hash.map(hash).transpose()?,
            two_factor_enabled: row.two_factor_enabled,
            credentials_version: row.credentials_version,
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = authenticators, treat_none_as_default_value = false)]
pub(crate) struct AuthenticatorRow {
    id: String,
    account_id: String,
    key_id: String,
    sealed_secret: Vec<u8>,
    last_step: Option<i64>,
    pub(crate) confirmed_at: Option<i64>,
    created_at: i64,
}

impl AuthenticatorRow {
    pub(crate) fn pending(authenticator: &Authenticator, account_id: AccountId, now: Timestamp) -> Self {
        Self {
            id: authenticator.id.to_text(),
            account_id: account_id.to_text(),
            key_id: authenticator.secret.key_id.clone(),
            sealed_secret: authenticator.secret.bytes.clone(),
            last_step: authenticator.last_step,
            confirmed_at: None,
            created_at: now.as_millis(),
        }
    }
}

impl TryFrom<AuthenticatorRow> for Authenticator {
    type Error = StoreError;

    fn try_from(row: AuthenticatorRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: AuthenticatorId::parse(&row.id).ok_or(corrupt("authenticators", "its id"))?,
            secret: Sealed { key_id: row.key_id, bytes: row.sealed_secret },
            last_step: row.last_step,
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
    created_at: i64,
    expires_at: i64,
}

impl From<&Challenge> for ChallengeRow {
    fn from(challenge: &Challenge) -> Self {
        Self {
            digest: challenge.digest.as_bytes().to_vec(),
            account_id: challenge.account_id.to_text(),
            tries: 0,
            failures: 0,
            is_remembered: challenge.is_remembered,
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
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: Timestamp::from_millis(self.expires_at),
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = mailed_codes)]
pub(crate) struct MailedCodeRow {
    pub(crate) subject: String,
    pub(crate) account_id: String,
    pub(crate) mac: Vec<u8>,
    pub(crate) tries: i64,
    pub(crate) failures: i64,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

#[derive(Insertable)]
#[diesel(table_name = trusted_devices)]
pub(crate) struct TrustedDeviceRow {
    digest: Vec<u8>,
    account_id: String,
    created_at: i64,
    expires_at: i64,
}

impl TrustedDeviceRow {
    pub(crate) fn new(trust: &NewTrust, account_id: AccountId, now: Timestamp) -> Self {
        Self {
            digest: trust.digest.as_bytes().to_vec(),
            account_id: account_id.to_text(),
            created_at: now.as_millis(),
            expires_at: trust.expires_at.as_millis(),
        }
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
        }
    }
}
