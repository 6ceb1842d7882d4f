//! Trust in devices.

use countersign_domain::ids::ApplicationId;
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;

/// A trust in a device to be recorded.
#[derive(Clone, Debug)]
pub struct NewTrust {
    /// What it is found by.
    pub digest: Digest,
    /// The application it was given in.
    pub application_id: Option<ApplicationId>,
    /// Until when it holds.
    pub expires_at: Timestamp,
}

/// A trust that a device shows.
#[derive(Clone, Debug)]
pub enum ShownTrust {
    /// One that is good for one sign-in, and what takes its place.
    Rotating(Digest, NewTrust),
    /// One that is good until its end.
    Lasting {
        /// What it is found by.
        digest: Digest,
        /// Where it must have been given.
        given: TrustScope,
    },
}

/// Where a trust must have been given to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustScope {
    /// Anywhere.
    Anywhere,
    /// In this application, or outside of all.
    Here(Option<ApplicationId>),
}

/// A trust in a device, as stored.
#[derive(Clone, Copy, Debug)]
pub struct StoredTrust {
    /// The application it was given in.
    pub application_id: Option<ApplicationId>,
    /// When it was given.
    pub created_at: Timestamp,
    /// Until when it holds.
    pub expires_at: Timestamp,
}
