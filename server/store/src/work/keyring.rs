//! Which keyring the database was used with.

use countersign_domain::attempt::Authenticator;
use countersign_domain::decisions::keyring::Canary;

/// What shows which keyring the database was used with.
#[derive(Clone, Debug)]
pub struct KeyringFacts {
    /// The newest one.
    pub canary: Option<Canary>,
    /// The newest authenticator app; read only where there is no canary.
    pub newest_app: Option<Authenticator>,
    pub has_accounts: bool,
}
