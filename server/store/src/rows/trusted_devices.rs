//! Trusted devices.

use super::corrupt;
use crate::error::StoreError;
use crate::schema::trusted_devices;
use crate::work::NewTrust;
use countersign_domain::account::Versions;
use countersign_domain::device::DeviceName;
use countersign_domain::ids::{AccountId, ApplicationId, TrustedDeviceId};
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use countersign_domain::trusted_device::{self, TrustedDevice};
use diesel::prelude::*;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = trusted_devices, treat_none_as_default_value = false)]
pub(crate) struct TrustedDeviceRow {
    pub(crate) digest: Vec<u8>,
    account_id: String,
    application_id: Option<String>,
    credentials_version: i64,
    factors_version: i64,
    given_at: Option<i64>,
    created_at: i64,
    expires_at: i64,
    replaces: Option<Vec<u8>>,
    id: Option<String>,
    name: Option<String>,
    user_agent: Option<String>,
    ip_address: Option<String>,
    last_used_at: Option<i64>,
}

impl TrustedDeviceRow {
    /// Trust that is given now.
    pub(crate) fn new(trust: &NewTrust, account_id: AccountId, versions: Versions, now: Timestamp) -> Self {
        Self {
            digest: trust.digest.as_bytes().to_vec(),
            account_id: account_id.to_text(),
            application_id: trust.application_id.map(ApplicationId::to_text),
            credentials_version: versions.credentials,
            factors_version: versions.factors,
            given_at: Some(now.as_millis()),
            created_at: now.as_millis(),
            expires_at: trust.expires_at.as_millis(),
            replaces: None,
            id: Some(trusted_device::id_of(&trust.digest).to_text()),
            name: trust.name.as_ref().map(|name| name.as_str().to_owned()),
            user_agent: Some(trust.seen.user_agent.clone()),
            ip_address: Some(trust.seen.ip_address.clone()),
            last_used_at: Some(now.as_millis()),
        }
    }

    /// The same device under the token that takes the place of the one with the digest `replaces`.
    pub(crate) fn in_place_of(self, device: &TrustedDevice, replaces: &Digest) -> Self {
        Self {
            given_at: Some(device.given_at.as_millis()),
            replaces: Some(replaces.as_bytes().to_vec()),
            id: Some(device.id.to_text()),
            name: device.name.as_ref().map(|name| name.as_str().to_owned()),
            ..self
        }
    }
}

/// A row that a version without ids has written is known by its digest.
impl TryFrom<&TrustedDeviceRow> for TrustedDevice {
    type Error = StoreError;

    fn try_from(row: &TrustedDeviceRow) -> Result<Self, StoreError> {
        let id = match &row.id {
            Some(id) => TrustedDeviceId::parse(id),
            None => Digest::from_bytes(&row.digest).map(|digest| trusted_device::id_of(&digest)),
        };
        Ok(Self {
            id: id.ok_or(corrupt("trusted_devices", "its id"))?,
            name: row.name.as_deref().and_then(DeviceName::new),
            user_agent: row.user_agent.clone().unwrap_or_default(),
            ip_address: row.ip_address.clone().unwrap_or_default(),
            application_id: row.application_id.as_deref().and_then(ApplicationId::parse),
            given_at: Timestamp::from_millis(row.given_at.unwrap_or(row.created_at)),
            last_used_at: Timestamp::from_millis(row.last_used_at.unwrap_or(row.created_at)),
            expires_at: Timestamp::from_millis(row.expires_at),
        })
    }
}
