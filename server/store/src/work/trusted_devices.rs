//! Trusted devices.

use countersign_domain::account::Versions;
use countersign_domain::audit::AuditEvent;
use countersign_domain::device::DeviceName;
use countersign_domain::ids::{AccountId, ApplicationId, TrustedDeviceId};
use countersign_domain::secret::Digest;
use countersign_domain::terms::Rules;
use countersign_domain::time::Timestamp;
use countersign_domain::trusted_device::TrustedDevice;
use std::sync::Arc;

/// A trusted device to be recorded.
#[derive(Clone, Debug)]
pub struct NewTrust {
    pub digest: Digest,
    /// Application in which the trust is given.
    pub application_id: Option<ApplicationId>,
    pub name: Option<DeviceName>,
    pub seen: Seen,
    pub expires_at: Timestamp,
}

/// The client that a device is used by.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Empty if unknown, as is the address.
    pub user_agent: String,
    pub ip_address: String,
}

/// Lookup of a trusted device.
#[derive(Clone, Debug)]
pub struct FindTrust {
    /// What the presented token may be stored as.
    pub digests: Vec<Digest>,
    pub account_id: AccountId,
    /// Those of the account: a trust of older ones is none.
    pub versions: Versions,
    pub now: Timestamp,
}

/// The trusted devices of an account.
#[derive(Clone, Debug)]
pub struct FindTrustedDevices {
    pub account_id: AccountId,
    pub rules: Arc<Rules>,
    pub now: Timestamp,
    /// What the trust that the caller presents may be stored as.
    pub presented: Vec<Digest>,
}

/// A change to one trusted device of an account.
#[derive(Clone, Debug)]
pub struct ChangeTrustedDevice {
    pub find: FindTrustedDevices,
    pub id: TrustedDeviceId,
    pub change: DeviceChange,
    pub event: AuditEvent,
}

#[derive(Clone, Debug)]
pub enum DeviceChange {
    Rename(DeviceName),
    /// The device is asked for a second factor from now on.
    EndTrust,
}

#[derive(Clone, Debug)]
pub struct FoundTrustedDevice {
    pub device: TrustedDevice,
    /// Whether it is the one that the caller presents.
    pub is_presented: bool,
}

/// Ending trust in all devices of an account.
#[derive(Clone, Debug)]
pub struct EndTrust {
    pub account_id: AccountId,
    /// Those that this was decided on, if it was decided on any.
    pub versions: Option<Versions>,
    pub event: AuditEvent,
}
