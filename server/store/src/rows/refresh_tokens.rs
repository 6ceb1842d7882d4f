//! Refresh tokens.

use super::corrupt;
use crate::error::StoreError;
use crate::schema::refresh_tokens;
use crate::work::NewRefreshToken;
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
        }
    }

    pub(crate) fn names(&self) -> Result<(RefreshTokenId, ApplicationId), StoreError> {
        let family = RefreshTokenId::parse(&self.family_id).ok_or(corrupt("refresh_tokens", "its family"))?;
        let application = ApplicationId::parse(&self.application_id);
        Ok((family, application.ok_or(corrupt("refresh_tokens", "its application"))?))
    }
}
