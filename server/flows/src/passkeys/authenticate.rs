//! Completing an authentication with a passkey: signing in, passing a second factor in a challenge or in a session.

use super::ceremony_digest;
use crate::second_factor::{Assertion, Attempt, Claimant, Refused, Verified};
use crate::sign_in::{Checked, Device, NotCompleted, SignIn};
use crate::{Authenticated, Caller, FlowError, Flows};
use countersign_domain::account::Account;
use countersign_domain::address::MethodKind;
use countersign_domain::audit::{AuditContext, EventKind};
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::passkey_use::PasskeyUse;
use countersign_domain::decisions::second_factor::Request;
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::observer::{FirstProof, SignInResult};
use countersign_domain::passkey::Passkey;
use countersign_domain::passkey::ceremony::{Ceremony, Purpose};
use countersign_domain::passkey::response::{AssertionResponse, EncodedAssertion};
use countersign_domain::passkey::verifier::{self, Asserted, Expected, NotVerified};
use countersign_domain::secret::Digest;
use countersign_domain::terms::{CeremonyForm, Grant, Terms};
use countersign_domain::time::Timestamp;
use countersign_store::work::{FindCeremony, FoundCeremony, UsedPasskey};

/// A response of a browser.
#[derive(Clone, Copy, Debug)]
pub struct PresentedPasskey<'a> {
    /// The tenant that the caller means; passkeys of another one do not exist for it.
    pub tenant_id: Option<TenantId>,
    /// Of the ceremony, as presented, where clients keep one.
    pub token: Option<&'a str>,
    pub response: EncodedAssertion<'a>,
    /// Token of a trusted device, for a passkey that is one factor only.
    pub trust: Option<&'a str>,
    /// Whether the session outlives the browser.
    pub is_remembered: bool,
    /// Whether a refresh token is wanted, where tokens are granted.
    pub wants_tokens: bool,
    /// The live session, if there is one.
    pub session: Option<&'a Authenticated>,
    /// Digest of the challenge that the caller presents.
    pub challenge: Option<Digest>,
    /// What is asked for besides, if a challenge is completed.
    pub request: Request,
}

/// A response, and what it is to.
pub(super) struct PresentedCeremony {
    pub(super) row: Ceremony,
    pub(super) passkey: Option<(Passkey, Account)>,
    /// `None` if it is not encoded as it should be.
    pub(super) response: Option<AssertionResponse>,
}

/// How an authentication with a passkey ended.
#[derive(Debug)]
pub enum PasskeyAuthentication {
    /// As a sign-in ends.
    SignIn(SignIn),
    /// As an attempt at a second factor ends: it completed a challenge, or the live session has passed it.
    SecondFactor(Result<Verified, Refused>),
    /// The ceremony is unknown, spent, expired or one of another kind.
    NoCeremony,
    /// No account has this passkey.
    UnknownPasskey,
    /// The response is not right.
    NotVerified(NotVerified),
    /// It is right, and does not count.
    Refused(PasskeyUse),
}

impl PasskeyAuthentication {
    /// How the sign-in ended, if it was one.
    fn result(&self) -> Option<SignInResult> {
        match self {
            Self::SignIn(sign_in) => Some(sign_in.result()),
            Self::SecondFactor(_) => None,
            Self::NoCeremony | Self::UnknownPasskey | Self::NotVerified(_) | Self::Refused(_) => {
                Some(SignInResult::Rejected)
            }
        }
    }
}

impl Flows {
    /// Verifies the response of a browser, and opens what is decided.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn complete_passkey_authentication(
        &self,
        caller: &Caller,
        presented: PresentedPasskey<'_>,
        terms: &Terms,
    ) -> Result<PasskeyAuthentication, FlowError> {
        let ended = self.verify_and_complete(caller, presented, terms).await;
        let result = ended.as_ref().map_or(Some(SignInResult::Error), PasskeyAuthentication::result);
        if let Some(result) = result {
            self.observer().sign_in_ended(FirstProof::Passkey, result, caller.dialect);
        }
        ended
    }

    async fn verify_and_complete(
        &self,
        caller: &Caller,
        presented: PresentedPasskey<'_>,
        terms: &Terms,
    ) -> Result<PasskeyAuthentication, FlowError> {
        if terms.grant == Grant::Tokens {
            self.check_signing()?;
        }
        let Some(ceremony) = self.presented(&presented, terms).await? else {
            return Ok(PasskeyAuthentication::NoCeremony);
        };
        let claimant = match (ceremony.row.purpose, presented.session) {
            (Purpose::SignIn(_), _) => None,
            // Completed where that challenge is presented.
            (Purpose::SecondFactor { .. }, _) if terms.ceremony == CeremonyForm::Challenge => {
                return Ok(PasskeyAuthentication::NoCeremony);
            }
            (Purpose::SecondFactor { sign_in, .. }, _) if presented.challenge == Some(sign_in) => {
                Some(Claimant::Challenge(sign_in))
            }
            (Purpose::StepUp { session_id, .. }, Some(live)) if live.session.id == session_id => {
                Some(Claimant::Session(Box::new(live.clone())))
            }
            (Purpose::SecondFactor { .. } | Purpose::StepUp { .. } | Purpose::Registration(_), _) => {
                return Ok(PasskeyAuthentication::NoCeremony);
            }
        };
        if let (Some(claimant), Some(response)) = (claimant, &ceremony.response) {
            let assertion = Assertion { ceremony: ceremony.row.digest, response: response.clone() };
            let attempt = Attempt {
                request: presented.request,
                tenant_id: presented.tenant_id,
                ..Attempt::of_passkey(assertion)
            };
            let verified = self.verify_second_factor(caller, claimant, attempt, terms).await?;
            return Ok(PasskeyAuthentication::SecondFactor(verified));
        }
        let details = ceremony.row.details.clone();
        let (account, used) = match self.verified_passkey(caller, ceremony).await? {
            Ok(verified) => verified,
            Err(refused) => return Ok(refused),
        };
        let checked = Checked::by_passkey(account, used, &details);
        let device = Device { trust: presented.trust, is_remembered: presented.is_remembered };
        Ok(match self.complete_sign_in(caller, checked, device, presented.wants_tokens, terms).await? {
            Ok(sign_in) => PasskeyAuthentication::SignIn(sign_in),
            Err(NotCompleted::Stale) => PasskeyAuthentication::NoCeremony,
            Err(NotCompleted::PasskeyRefused(why)) => PasskeyAuthentication::Refused(why),
        })
    }

    /// The account whose passkey has signed, and what it signed. A response that is not right ends its ceremony.
    pub(super) async fn verified_passkey(
        &self,
        caller: &Caller,
        presented: PresentedCeremony,
    ) -> Result<Result<(Account, UsedPasskey), PasskeyAuthentication>, FlowError> {
        let PresentedCeremony { row: ceremony, passkey, response } = presented;
        let now = self.now();
        let account_id = passkey.as_ref().map(|(_, account)| account.id);
        let refused = match (response, passkey) {
            (None, _) => PasskeyAuthentication::NotVerified(NotVerified::Malformed),
            (Some(_), None) => PasskeyAuthentication::UnknownPasskey,
            (Some(response), Some((passkey, account))) => match self.verify(&ceremony, &passkey, &response) {
                Err(why) => PasskeyAuthentication::NotVerified(why),
                Ok(asserted) => {
                    let used = UsedPasskey {
                        ceremony: ceremony.digest,
                        id: passkey.id,
                        asserted,
                        user_handle: response.user_handle,
                        refusal_audit: self.rejection(caller, account_id, now),
                    };
                    return Ok(Ok((account, used)));
                }
            },
        };
        let event = self.rejection(caller, account_id, now).event(EventKind::PasskeyRejected);
        let is_spent = self.spend_ceremony(ceremony.digest, event).await?;
        Ok(Err(if is_spent { refused } else { PasskeyAuthentication::NoCeremony }))
    }

    /// The ceremony that a response is to, and the passkey of the response if the caller's tenant has it and allows passkeys.
    pub(super) async fn presented(
        &self,
        presented: &PresentedPasskey<'_>,
        terms: &Terms,
    ) -> Result<Option<PresentedCeremony>, FlowError> {
        let digest = ceremony_digest(terms.ceremony, presented.token, presented.response.client_data);
        let Some(digest) = digest else { return Ok(None) };
        let response = presented.response.decode();
        let credential_id = response.as_ref().map(|response| response.credential_id.clone());
        let find = FindCeremony { digest, credential_id, now: self.now() };
        let Some(FoundCeremony { ceremony: row, passkey }) = self.store().find_ceremony(find).await? else {
            return Ok(None);
        };
        let counts = |(passkey, account): &(Passkey, Account)| {
            presented.tenant_id.is_none_or(|tenant_id| account.tenant_id == tenant_id)
                && row.details.passkey_id.is_none_or(|id| passkey.id == id)
                && self.rules().tenant_of(account).allows(MethodKind::Passkey)
        };
        let passkey = passkey.filter(counts);
        Ok(Some(PresentedCeremony { row, passkey, response }))
    }

    /// Verifies a response, unless the relying party is not the one that the ceremony began with any more.
    fn verify(
        &self,
        ceremony: &Ceremony,
        passkey: &Passkey,
        response: &AssertionResponse,
    ) -> Result<Asserted, NotVerified> {
        match &self.rules().relying_party {
            Some(relying_party) if relying_party.id == ceremony.relying_party => {
                verifier::assert(Expected { relying_party, challenge: &ceremony.challenge }, passkey, response)
            }
            _ => Err(NotVerified::OtherRelyingParty),
        }
    }

    /// The audit context of a response that is refused.
    fn rejection(&self, caller: &Caller, account_id: Option<AccountId>, now: Timestamp) -> AuditContext {
        self.factor_audit(caller, Some(Factor::Passkey), account_id, None, now)
    }
}
