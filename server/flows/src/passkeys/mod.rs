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

pub use authenticate::{AuthenticationFor, BegunAuthentication, PasskeyAuthentication, PresentedPasskey};
pub use manage::PasskeyNotRemoved;
pub use register::{BegunRegistration, NotRegistered};

use crate::{FlowError, Flows};
use countersign_domain::account::Versions;
use countersign_domain::audit::AuditEvent;
use countersign_domain::passkey::ceremony::{Ceremony, Challenge, Purpose};
use countersign_domain::passkey::relying_party::RelyingPartyId;
use countersign_domain::secret::{CeremonyToken, Digest};
use countersign_store::work::{BeginCeremony, SpendCeremony};
use std::time::Duration;

/// How long a browser shows its dialog: 1 minute, as the dialect's own server asks.
const BROWSER_TIMEOUT: Duration = Duration::from_secs(60);

impl Flows {
    /// Stores a ceremony, and returns its token and the challenge to sign; `None` if the account changed since it was read.
    async fn begin_ceremony(
        &self,
        purpose: Purpose,
        relying_party: &RelyingPartyId,
        versions: Versions,
        demands_verification: bool,
    ) -> Result<Option<(CeremonyToken, Challenge)>, FlowError> {
        let now = self.now();
        let (token, challenge) =
            self.random().draw(|random| (CeremonyToken::generate(random), Challenge::generate(random)));
        let ceremony = Ceremony {
            digest: token.digest(),
            challenge: challenge.digest(),
            purpose,
            relying_party: relying_party.clone(),
            demands_verification,
            versions,
            created_at: now,
            expires_at: now + self.policy().passkey_ceremony_lifetime,
        };
        let begin = BeginCeremony { ceremony, most: self.policy().passkey_ceremonies };
        Ok(self.store().begin_ceremony(begin).await?.then_some((token, challenge)))
    }

    /// Ends a ceremony whose response was not right; `false` if another response has.
    async fn spend_ceremony(&self, digest: Digest, event: AuditEvent) -> Result<bool, FlowError> {
        Ok(self.store().spend_ceremony(SpendCeremony { digest, event }).await?)
    }
}
