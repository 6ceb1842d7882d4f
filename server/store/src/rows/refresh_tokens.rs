//! Refresh tokens.

use super::corrupt;
use crate::error::StoreError;
use crate::schema::refresh_tokens;
use crate::work::{NewRefreshToken, StoredRefreshToken};
use countersign_domain::account::Versions;
use countersign_domain::ids::{AccountId, ApplicationId, RefreshTokenId};
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

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
    pub(crate) credentials_version: i64,
    pub(crate) factors_version: i64,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) device: Option<String>,
    pub(crate) ip_address: Option<String>,
}

impl RefreshTokenRow {
    pub(crate) fn first(token: &NewRefreshToken, account_id: AccountId, versions: Versions, now: Timestamp) -> Self {
        Self {
            digest: token.digest.as_bytes().to_vec(),
            family_id: token.family_id.to_text(),
            account_id: account_id.to_text(),
            application_id: token.application_id.to_text(),
            second_factor_at: token.second_factor_at.map(Timestamp::as_millis),
            signed_in_at: now.as_millis(),
            used_at: None,
            credentials_version: versions.credentials,
            factors_version: versions.factors,
            created_at: now.as_millis(),
            expires_at: token.expires_at.as_millis(),
            device: serde_json::to_string(&token.device).ok(),
            ip_address: Some(token.ip_address.clone()),
        }
    }

    pub(crate) fn names(&self) -> Result<(RefreshTokenId, ApplicationId), StoreError> {
        let family = RefreshTokenId::parse(&self.family_id).ok_or(corrupt("refresh_tokens", "its family"))?;
        let application = ApplicationId::parse(&self.application_id);
        Ok((family, application.ok_or(corrupt("refresh_tokens", "its application"))?))
    }
}

impl TryFrom<RefreshTokenRow> for StoredRefreshToken {
    type Error = StoreError;

    fn try_from(row: RefreshTokenRow) -> Result<Self, StoreError> {
        let (id, application_id) = row.names()?;
        Ok(Self {
            id,
            account_id: AccountId::parse(&row.account_id).ok_or(corrupt("refresh_tokens", "its account"))?,
            application_id,
            signed_in_at: Timestamp::from_millis(row.signed_in_at),
            used_at: Timestamp::from_millis(row.created_at),
            device: row.device.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
            ip_address: row.ip_address.unwrap_or_default(),
        })
    }
}
