//! Trusted devices.

use crate::schema::trusted_devices;
use crate::work::NewTrust;
use countersign_domain::account::Versions;
use countersign_domain::ids::{AccountId, ApplicationId};
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use countersign_domain::trusted_device::TrustedDevice;
use diesel::prelude::*;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = trusted_devices, treat_none_as_default_value = false)]
pub(crate) struct TrustedDeviceRow {
    digest: Vec<u8>,
    account_id: String,
    application_id: Option<String>,
    credentials_version: i64,
    factors_version: i64,
    given_at: Option<i64>,
    created_at: i64,
    expires_at: i64,
    replaces: Option<Vec<u8>>,
}

impl TrustedDeviceRow {
    /// Trust that goes back to a second factor passed at `given_at`, and takes the place of one with the digest `replaces`.
    pub(crate) fn new(
        trust: &NewTrust,
        account_id: AccountId,
        versions: Versions,
        given_at: Timestamp,
        replaces: Option<&Digest>,
        now: Timestamp,
    ) -> Self {
        Self {
            digest: trust.digest.as_bytes().to_vec(),
            account_id: account_id.to_text(),
            application_id: trust.application_id.map(ApplicationId::to_text),
            credentials_version: versions.credentials,
            factors_version: versions.factors,
            given_at: Some(given_at.as_millis()),
            created_at: now.as_millis(),
            expires_at: trust.expires_at.as_millis(),
            replaces: replaces.map(|digest| digest.as_bytes().to_vec()),
        }
    }
}

impl From<TrustedDeviceRow> for TrustedDevice {
    fn from(row: TrustedDeviceRow) -> Self {
        Self {
            application_id: row.application_id.as_deref().and_then(ApplicationId::parse),
            given_at: Timestamp::from_millis(row.given_at.unwrap_or(row.created_at)),
            created_at: Timestamp::from_millis(row.created_at),
            expires_at: Timestamp::from_millis(row.expires_at),
        }
    }
}
