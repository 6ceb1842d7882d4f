//! Passkeys: registering, managing, and signing in with them.
//!
//! | intent | module |
//! |---|---|
//! | register a passkey | [`register`] |
//! | bring passkeys from another server | [`import`] |
//! | list, rename, remove passkeys | [`manage`] |
//! | show that somebody holds a passkey | [`confirm`] |
//! | sign in with a passkey, or pass a second factor with it | [`begin`], [`authenticate`] |
//!
//! Each ceremony is begun by one request and completed by another. What a browser signs in between is verified here, outside of the
//! database; that it counts once is for the store.

pub mod authenticate;
pub mod begin;
pub mod confirm;
pub mod import;
pub mod manage;
pub mod register;

pub use authenticate::{PasskeyAuthentication, PresentedPasskey};
pub use begin::{AuthenticationFor, BegunAuthentication, NamedSignIn, NotBegun};
pub use confirm::PasskeyConfirmation;
pub use import::{ForeignPasskey, NotImported};
pub use manage::{PasskeyNotRemoved, WhichPasskeys};
pub use register::{BegunRegistration, NotRegistered, PasskeyRequest, PresentedRegistration};

use crate::{Caller, FlowError, Flows, FullSession};
use countersign_domain::account::{Account, Versions};
use countersign_domain::assurance::{Assurance, Manager};
use countersign_domain::audit::{AuditContext, AuditEvent};
use countersign_domain::challenge::Factor;
use countersign_domain::passkey::ceremony::{Ceremony, Challenge, Details, Purpose};
use countersign_domain::passkey::relying_party::RelyingPartyId;
use countersign_domain::passkey::response::presented_challenge;
use countersign_domain::secret::{CeremonyToken, Digest};
use countersign_domain::terms::{CeremonyForm, Terms};
use countersign_store::work::{BeginCeremony, SpendCeremony};
use std::time::Duration;

/// How long a browser shows its dialog where it keeps a token: 1 minute, as the dialect's own server asks. Where the challenge finds the
/// ceremony, as long as that lives.
const BROWSER_TIMEOUT: Duration = Duration::from_secs(60);

/// Who manages the passkeys of an account.
#[derive(Clone, Copy, Debug)]
pub enum PasskeyManager<'a> {
    /// Its owner, in a session.
    Owner(&'a FullSession),
    /// A service with an API key. It has begun a registration that anybody completes who has the challenge from it.
    Service(&'a Account),
}

impl PasskeyManager<'_> {
    fn account(&self) -> &Account {
        match self {
            Self::Owner(session) => &session.account,
            Self::Service(account) => account,
        }
    }

    fn assurance(&self) -> Manager {
        match self {
            Self::Owner(session) => Manager::Owner(Assurance::of_session(&session.session, &session.account)),
            Self::Service(_) => Manager::Service,
        }
    }
}

/// A ceremony to begin.
struct NewCeremony {
    purpose: Purpose,
    /// Of the account.
    versions: Versions,
    demands_verification: bool,
    details: Details,
}

/// A ceremony that was begun.
struct BegunCeremony {
    challenge: Challenge,
    /// Finds it, unless the challenge does.
    token: Option<CeremonyToken>,
    /// How long a browser shows its dialog.
    timeout: Duration,
}

/// Digest of what finds the ceremony that a response is to: a token, as presented, or the challenge in client data.
fn ceremony_digest(form: CeremonyForm, token: Option<&str>, client_data: &str) -> Option<Digest> {
    match form {
        CeremonyForm::Token => token.and_then(CeremonyToken::parse).map(|token| token.digest()),
        CeremonyForm::Challenge => presented_challenge(client_data),
    }
}

impl Flows {
    /// Stores a ceremony; `None` if the account changed since it was read.
    async fn begin_ceremony(
        &self,
        relying_party: &RelyingPartyId,
        new: NewCeremony,
        terms: &Terms,
    ) -> Result<Option<BegunCeremony>, FlowError> {
        let (now, policy) = (self.now(), self.policy());
        let challenge = self.random().draw(Challenge::generate);
        let (token, lifetime, timeout) = match terms.ceremony {
            CeremonyForm::Token => {
                (Some(self.random().draw(CeremonyToken::generate)), policy.passkey_ceremony_lifetime, BROWSER_TIMEOUT)
            }
            CeremonyForm::Challenge => (None, policy.passkey_challenge_lifetime, policy.passkey_challenge_lifetime),
        };
        let NewCeremony { purpose, versions, demands_verification, details } = new;
        let ceremony = Ceremony {
            digest: token.as_ref().map_or_else(|| challenge.digest(), CeremonyToken::digest),
            challenge: challenge.digest(),
            purpose,
            relying_party: relying_party.clone(),
            demands_verification,
            versions,
            created_at: now,
            expires_at: now + lifetime,
            details,
        };
        let begin = BeginCeremony { ceremony, most: policy.passkey_ceremonies };
        let is_begun = self.store().begin_ceremony(begin).await?;
        Ok(is_begun.then_some(BegunCeremony { challenge, token, timeout }))
    }

    /// Ends a ceremony whose response was not right; `false` if another response has.
    async fn spend_ceremony(&self, digest: Digest, event: AuditEvent) -> Result<bool, FlowError> {
        Ok(self.store().spend_ceremony(SpendCeremony { digest, event }).await?)
    }

    /// The audit context of a change to passkeys.
    fn passkey_audit(&self, caller: &Caller, manager: PasskeyManager<'_>) -> AuditContext {
        let session_id = match manager {
            PasskeyManager::Owner(session) => Some(session.session.id),
            PasskeyManager::Service(_) => None,
        };
        self.factor_audit(caller, Some(Factor::Passkey), Some(manager.account().id), session_id, self.now())
    }
}
