//! Second factors and backup codes.

use super::corrupt;
use crate::error::StoreError;
use crate::schema::{backup_codes, methods};
use crate::work::{NewFactor, NewMethod};
use countersign_domain::address::{Address, MethodKind};
use countersign_domain::attempt::{Authenticator, StoredBackupCode};
use countersign_domain::ids::{AccountId, BackupCodeId, MethodId};
use countersign_domain::keyring::Sealed;
use countersign_domain::method::{Method, MethodHandle};
use countersign_domain::password::PasswordHash;
use countersign_domain::stored_secret::SecretFingerprint;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

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
    proved_at: Option<i64>,
    created_at: i64,
    secret_fingerprint: Option<Vec<u8>>,
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
            proved_at: None,
            created_at: now.as_millis(),
            secret_fingerprint: authenticator.fingerprint.map(|fingerprint| fingerprint.as_bytes().to_vec()),
        }
    }

    /// A method that is good from now on.
    pub(crate) fn confirmed(
        method: &NewMethod,
        handle: &MethodHandle,
        account_id: AccountId,
        is_proved: bool,
        now: Timestamp,
    ) -> Self {
        let kind = method.factor.kind();
        let (address, app) = match &method.factor {
            NewFactor::Authenticator(app) => (None, Some(app)),
            NewFactor::Address(address) => (Some(address.as_str().to_owned()), None),
        };
        Self {
            id: method.id.to_text(),
            account_id: account_id.to_text(),
            handle: handle.as_str().to_owned(),
            kind: kind.name().to_owned(),
            name: method.name.clone(),
            address,
            key_id: app.map(|app| app.secret.key_id.clone()),
            sealed_secret: app.map(|app| app.secret.bytes.clone()),
            last_step: app.map(|app| app.step),
            confirmed_at: Some(now.as_millis()),
            last_used_at: None,
            proved_at: (is_proved && kind != MethodKind::Authenticator).then(|| now.as_millis()),
            created_at: now.as_millis(),
            secret_fingerprint: app.map(|app| app.fingerprints[0].as_bytes().to_vec()),
        }
    }
}

impl TryFrom<MethodRow> for Authenticator {
    type Error = StoreError;

    fn try_from(row: MethodRow) -> Result<Self, StoreError> {
        let secret = row.key_id.zip(row.sealed_secret).map(|(key_id, bytes)| Sealed { key_id, bytes });
        Ok(Self {
            id: MethodId::parse(&row.id).ok_or(corrupt("methods", "its id"))?,
            account_id: AccountId::parse(&row.account_id).ok_or(corrupt("methods", "its account"))?,
            secret: secret.ok_or(corrupt("methods", "its secret"))?,
            fingerprint: row.secret_fingerprint.as_deref().and_then(SecretFingerprint::from_bytes),
            last_step: row.last_step,
        })
    }
}

impl TryFrom<MethodRow> for Method {
    type Error = StoreError;

    fn try_from(row: MethodRow) -> Result<Self, StoreError> {
        let kind = MethodKind::parse(&row.kind).ok_or(corrupt("methods", "its kind"))?;
        let address = row.address.as_deref().and_then(|text| Address::read(kind, text));
        if address.is_none() && kind != MethodKind::Authenticator {
            return Err(corrupt("methods", "its address"));
        }
        Ok(Self {
            id: MethodId::parse(&row.id).ok_or(corrupt("methods", "its id"))?,
            handle: MethodHandle::parse(&row.handle).ok_or(corrupt("methods", "its handle"))?,
            kind,
            name: row.name,
            address,
            proved_at: row.proved_at.map(Timestamp::from_millis),
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
