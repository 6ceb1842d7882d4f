//! Which keyring the database was used with.

use countersign_domain::attempt::Authenticator;
use countersign_domain::decisions::keyring::Canary;
use countersign_domain::time::Timestamp;

/// A canary to be stored behind the one that its keyring was checked with.
#[derive(Clone, Debug)]
pub struct AddCanary {
    pub canary: Canary,
    /// Number of the canary that was checked; 0 without one.
    pub after: i64,
    pub now: Timestamp,
}

/// What shows which keyring the database was used with.
#[derive(Clone, Debug)]
pub struct KeyringFacts {
    /// The newest one.
    pub canary: Option<Canary>,
    /// Number of that canary; 0 without one.
    pub number: i64,
    /// The newest authenticator app; read only where there is no canary.
    pub newest_app: Option<Authenticator>,
    pub has_accounts: bool,
    /// Ids of the keys that rows are sealed with.
    pub sealed_with: Vec<String>,
}
