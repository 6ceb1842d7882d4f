//! Sessions.

use super::{AccountRow, corrupt};
use crate::error::StoreError;
use crate::schema::sessions;
use crate::work::NewSession;
use countersign_domain::account::{Account, Versions};
use countersign_domain::ids::{AccountId, SessionId};
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub(crate) struct SessionRow {
    id: String,
    account_id: String,
    token_digest: Vec<u8>,
    is_remembered: bool,
    second_factor_at: Option<i64>,
    ip_address: String,
    user_agent: String,
    credentials_version: i64,
    factors_version: i64,
    signed_in_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
    expires_at: i64,
    last_used_at: Option<i64>,
}

impl SessionRow {
    pub(crate) fn new(NewSession { session, token }: &NewSession, versions: Versions) -> Self {
        Self {
            id: session.id.to_text(),
            account_id: session.account_id.to_text(),
            token_digest: token.as_bytes().to_vec(),
            is_remembered: session.is_remembered,
            second_factor_at: session.second_factor_at.map(Timestamp::as_millis),
            ip_address: session.ip_address.clone(),
            user_agent: session.user_agent.clone(),
            credentials_version: versions.credentials,
            factors_version: versions.factors,
            signed_in_at: Some(session.signed_in_at.as_millis()),
            created_at: session.created_at.as_millis(),
            updated_at: session.updated_at.as_millis(),
            expires_at: session.expires_at.as_millis(),
            last_used_at: Some(session.last_used_at.as_millis()),
        }
    }
}

impl SessionRow {
    /// The session of an account whose factors are at this version: a second factor of older ones counts no more.
    pub(crate) fn into_session(self, factors_version: i64) -> Result<Session, StoreError> {
        let row = self;
        let second_factor_at = row.second_factor_at.filter(|_| row.factors_version == factors_version);
        Ok(Session {
            id: SessionId::parse(&row.id).ok_or(corrupt("sessions", "its id"))?,
            account_id: AccountId::parse(&row.account_id).ok_or(corrupt("sessions", "its account"))?,
            is_remembered: row.is_remembered,
            second_factor_at: second_factor_at.map(Timestamp::from_millis),
            ip_address: row.ip_address,
            user_agent: row.user_agent,
            signed_in_at: Timestamp::from_millis(row.signed_in_at.unwrap_or(row.created_at)),
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            last_used_at: Timestamp::from_millis(row.last_used_at.unwrap_or(row.updated_at)),
            expires_at: Timestamp::from_millis(row.expires_at),
        })
    }
}

/// A session, live or not, and its account.
#[derive(Clone, Queryable, Selectable)]
pub(crate) struct FoundSession {
    #[diesel(embed)]
    session: SessionRow,
    #[diesel(embed)]
    account: AccountRow,
}

impl FoundSession {
    /// The digest of its token.
    pub(crate) fn token(&self) -> &[u8] {
        &self.session.token_digest
    }

    /// The session, if it is live at this time.
    pub(crate) fn if_live(self, now: Timestamp) -> Result<Option<(Session, Account)>, StoreError> {
        if self.session.expires_at <= now.as_millis() {
            return Ok(None);
        }
        let account = Account::try_from(self.account)?;
        Ok(Some((self.session.into_session(account.factors_version)?, account)))
    }
}
