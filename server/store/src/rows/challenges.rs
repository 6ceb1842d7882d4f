//! Challenges, and the codes that are sent for them.

use super::corrupt;
use crate::error::StoreError;
use crate::schema::{challenges, mailed_codes};
use countersign_domain::account::Versions;
use countersign_domain::challenge::{Challenge, FirstFactor};
use countersign_domain::ids::{AccountId, ApplicationId};
use countersign_domain::network::{ClientDigest, NetworkDigests};
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

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
    credentials_version: i64,
    factors_version: i64,
    created_at: i64,
    pub(crate) expires_at: i64,
    first_factor: String,
    client_network: Option<Vec<u8>>,
    known_network: Option<Vec<u8>>,
}

/// Reads the stored name. One that a later version wrote is taken for the factor that fewer second factors complement.
pub(crate) fn first_factor(name: &str) -> FirstFactor {
    FirstFactor::parse(name).unwrap_or(FirstFactor::Mailbox)
}

impl ChallengeRow {
    pub(crate) fn new(challenge: &Challenge, versions: Versions) -> Self {
        Self {
            digest: challenge.digest.as_bytes().to_vec(),
            account_id: challenge.account_id.to_text(),
            tries: 0,
            failures: 0,
            is_remembered: challenge.is_remembered,
            application_id: challenge.application_id.map(ApplicationId::to_text),
            state: challenge.state.clone(),
            trust_challenge: challenge.trust_challenge.map(|digest| digest.as_bytes().to_vec()),
            credentials_version: versions.credentials,
            factors_version: versions.factors,
            created_at: challenge.created_at.as_millis(),
            expires_at: challenge.expires_at.as_millis(),
            first_factor: challenge.first_factor.name().to_owned(),
            client_network: challenge.network.map(|network| network.client.0.to_vec()),
            known_network: challenge.network.map(|network| network.known.to_vec()),
        }
    }

    pub(crate) fn versions(&self) -> Versions {
        Versions { credentials: self.credentials_version, factors: self.factors_version }
    }

    /// The challenge that was found by `digest`.
    pub(crate) fn into_challenge(self, digest: Digest) -> Result<Challenge, StoreError> {
        let network =
            client_digest(self.client_network).zip(self.known_network.and_then(|known| known.try_into().ok()));
        Ok(Challenge {
            digest,
            first_factor: first_factor(&self.first_factor),
            account_id: AccountId::parse(&self.account_id).ok_or(corrupt("challenges", "its account"))?,
            is_remembered: self.is_remembered,
            application_id: self.application_id.as_deref().and_then(ApplicationId::parse),
            state: self.state,
            trust_challenge: self.trust_challenge.as_deref().and_then(Digest::from_bytes),
            network: network.map(|(client, known)| NetworkDigests { client, known }),
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: Timestamp::from_millis(self.expires_at),
        })
    }
}

/// A stored digest of a client network.
pub(crate) fn client_digest(bytes: Option<Vec<u8>>) -> Option<ClientDigest> {
    bytes?.try_into().ok().map(ClientDigest)
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = mailed_codes, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct OneTimeCodeRow {
    pub(crate) subject: String,
    pub(crate) account_id: String,
    pub(crate) method_id: Option<String>,
    pub(crate) mac: Vec<u8>,
    pub(crate) tries: i64,
    pub(crate) failures: i64,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}
