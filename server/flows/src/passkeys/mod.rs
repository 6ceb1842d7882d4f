//! Passkeys: registering, managing, and signing in with them.
//!
//! | intent | module |
//! |---|---|
//! | register a passkey | [`register`] |
//! | list, rename, remove passkeys | [`manage`] |
//! | sign in with a passkey, or pass a second factor with it | [`authenticate`] |
//!
//! Each ceremony is begun by one request and completed by another. What a browser signs in between is verified here, outside of the
//! database; that it counts once is for the store.

pub mod authenticate;
pub mod manage;
pub mod register;

pub use authenticate::{Asker, BegunAuthentication, PasskeyAuthentication, PresentedPasskey};
pub use manage::PasskeyNotRemoved;
pub use register::{BegunRegistration, NotRegistered};

use crate::{FlowError, Flows};
use countersign_domain::audit::AuditEvent;
use countersign_domain::secret::Digest;
use countersign_store::work::SpendCeremony;
use std::time::Duration;

/// How long a browser shows its dialog: 1 minute, as the dialect's own server asks.
const BROWSER_TIMEOUT: Duration = Duration::from_secs(60);

impl Flows {
    /// Ends a ceremony whose response was not right; `false` if another response has.
    async fn spend_ceremony(&self, digest: Digest, event: AuditEvent) -> Result<bool, FlowError> {
        Ok(self.store().spend_ceremony(SpendCeremony { digest, event }).await?)
    }
}
