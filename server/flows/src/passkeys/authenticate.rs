//! Authenticating with a passkey: signing in, passing a second factor in a challenge or in a session.

use super::BROWSER_TIMEOUT;
use crate::second_factor::{Assertion, Attempt, Claimant, Refused, Verified};
use crate::sign_in::{Checked, Device, NotCompleted, SignIn};
use crate::{Authenticated, Caller, FlowError, Flows};
use countersign_domain::account::{Account, Versions};
use countersign_domain::address::MethodKind;
use countersign_domain::audit::{AuditContext, EventKind};
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::passkey_use::PasskeyUse;
use countersign_domain::decisions::second_factor::Request;
use countersign_domain::decisions::session_scope::SessionScope;
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::observer::{FirstProof, SignInResult};
use countersign_domain::passkey::Passkey;
use countersign_domain::passkey::ceremony::{Ceremony, Purpose};
use countersign_domain::passkey::options::{Descriptor, RequestOptions, UserVerification};
use countersign_domain::passkey::relying_party::RelyingParty;
use countersign_domain::passkey::response::{AssertionResponse, EncodedAssertion};
use countersign_domain::passkey::verifier::{self, Asserted, Expected, NotVerified};
use countersign_domain::secret::{CeremonyToken, Digest};
use countersign_domain::terms::{Grant, Terms};
use countersign_domain::time::Timestamp;
use countersign_store::work::{FindCeremony, FoundCeremony, UsedPasskey, WaitingSignIn};

/// What an assertion is requested for.
#[derive(Clone, Copy, Debug)]
pub enum AuthenticationFor<'a> {
    /// A sign-in, by the user that the passkey belongs to.
    SignIn,
    /// The second factor of the challenge with this digest; a sign-in, if no passkey of its account can complete it.
    Challenge(Digest),
    /// A second factor in this session; a sign-in, if the account has no second factor or no passkeys.
    Session(&'a Authenticated),
}

/// A ceremony to begin.
struct CeremonyRequest {
    purpose: Purpose,
    /// Of the account.
    versions: Versions,
    allow: Option<Vec<Descriptor>>,
    demands_verification: bool,
}

/// An assertion that a browser is asked for.
#[derive(Debug)]
pub struct BegunAuthentication {
    pub options: RequestOptions,
    /// Finds the ceremony when the response comes.
    pub token: CeremonyToken,
}

/// A response of a browser.
#[derive(Clone, Copy, Debug)]
pub struct PresentedPasskey<'a> {
    /// The tenant that the caller means; passkeys of another one do not exist for it.
    pub tenant_id: TenantId,
    /// Of the ceremony, as presented.
    pub token: Option<&'a str>,
    pub response: EncodedAssertion<'a>,
    /// Token of a trusted device, for a passkey that is one factor only.
    pub trust: Option<&'a str>,
    /// Whether the session outlives the browser.
    pub is_remembered: bool,
    /// The live session, if there is one.
    pub session: Option<&'a Authenticated>,
    /// What is asked for besides, if a challenge is completed.
    pub request: Request,
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
    /// Asks a browser for a signature; `None` where there is no relying party.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_passkey_authentication(
        &self,
        purpose: AuthenticationFor<'_>,
    ) -> Result<Option<BegunAuthentication>, FlowError> {
        let rules = self.rules();
        let Some(relying_party) = &rules.relying_party else { return Ok(None) };
        if let Some(request) = self.second_factor_request(purpose).await?
            && let Some(begun) = self.begin_assertion(relying_party, request).await?
        {
            return Ok(Some(begun));
        }
        let demands_verification = relying_party.demands_verification;
        let versions = Versions::default();
        let sign_in = CeremonyRequest { purpose: Purpose::SignIn, versions, allow: None, demands_verification };
        self.begin_assertion(relying_party, sign_in).await
    }

    /// Begins a ceremony; `None` if the account changed since it was read.
    async fn begin_assertion(
        &self,
        relying_party: &RelyingParty,
        request: CeremonyRequest,
    ) -> Result<Option<BegunAuthentication>, FlowError> {
        let CeremonyRequest { purpose, versions, allow, demands_verification } = request;
        let begun = self.begin_ceremony(purpose, &relying_party.id, versions, demands_verification).await?;
        let Some((token, challenge)) = begun else { return Ok(None) };
        let options = RequestOptions {
            challenge,
            relying_party: relying_party.id.clone(),
            timeout: BROWSER_TIMEOUT,
            allow,
            user_verification: UserVerification::of(demands_verification),
        };
        Ok(Some(BegunAuthentication { options, token }))
    }

    /// The second factor of a challenge or a session; `None` if the account has no passkey for it.
    async fn second_factor_request(
        &self,
        purpose: AuthenticationFor<'_>,
    ) -> Result<Option<CeremonyRequest>, FlowError> {
        let (account, purpose, demands_verification) = match purpose {
            AuthenticationFor::SignIn => return Ok(None),
            AuthenticationFor::Challenge(sign_in) => {
                let found = self.store().waiting_sign_in((sign_in, self.now())).await?;
                let completes = |waiting: &WaitingSignIn| {
                    waiting.account.two_factor_enabled
                        && waiting.challenge.first_factor.is_complemented_by(MethodKind::Passkey)
                };
                let Some(WaitingSignIn { account, .. }) = found.filter(completes) else { return Ok(None) };
                let purpose = Purpose::SecondFactor { account_id: account.id, sign_in };
                // The first factor is proved, and a key in the hand is the second.
                (account, purpose, false)
            }
            AuthenticationFor::Session(Authenticated { session, account, scope: SessionScope::Full, .. })
                if account.two_factor_enabled =>
            {
                let purpose = Purpose::StepUp { account_id: account.id, session_id: session.id };
                // The session may have been opened by this very key, which must not count twice.
                (account.clone(), purpose, true)
            }
            AuthenticationFor::Session(_) => return Ok(None),
        };
        if !self.rules().tenant_of(&account).allows(MethodKind::Passkey) {
            return Ok(None);
        }
        let mut passkeys = self.store().passkeys_of(account.id).await?;
        let id = self.rules().relying_party.as_ref().map(|relying_party| relying_party.id.clone());
        passkeys.retain(|passkey| Some(&passkey.relying_party) == id.as_ref());
        let allow: Vec<Descriptor> = passkeys.iter().map(Descriptor::from).collect();
        let versions = account.versions();
        let request = CeremonyRequest { purpose, versions, allow: Some(allow), demands_verification };
        Ok((!passkeys.is_empty()).then_some(request))
    }

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
        let now = self.now();
        let Some(token) = presented.token.and_then(CeremonyToken::parse) else {
            return Ok(PasskeyAuthentication::NoCeremony);
        };
        let response = presented.response.decode();
        let credential_id = response.as_ref().map(|response| response.credential_id.clone());
        let find = FindCeremony { digest: token.digest(), credential_id, now };
        let Some(FoundCeremony { ceremony, passkey }) = self.store().find_ceremony(find).await? else {
            return Ok(PasskeyAuthentication::NoCeremony);
        };
        let claimant = match (ceremony.purpose, presented.session) {
            (Purpose::SignIn, _) => None,
            (Purpose::SecondFactor { sign_in, .. }, _) => Some(Claimant::Challenge(sign_in)),
            (Purpose::StepUp { session_id, .. }, Some(live)) if live.session.id == session_id => {
                Some(Claimant::Session(Box::new(live.clone())))
            }
            (Purpose::StepUp { .. } | Purpose::Registration(_), _) => return Ok(PasskeyAuthentication::NoCeremony),
        };
        let response = match (claimant, response) {
            (Some(claimant), Some(response)) => {
                let attempt = Attempt {
                    request: presented.request,
                    tenant_id: Some(presented.tenant_id),
                    ..Attempt::of_passkey(Assertion { ceremony: ceremony.digest, response })
                };
                let verified = self.verify_second_factor(caller, claimant, attempt, terms).await?;
                return Ok(PasskeyAuthentication::SecondFactor(verified));
            }
            (_, response) => response,
        };
        let passkey = passkey.filter(|(_, account)| self.allows_passkeys(account, presented.tenant_id));
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
                    let checked = Checked::by_passkey(account, used);
                    let device = Device { trust: presented.trust, is_remembered: presented.is_remembered };
                    return Ok(match self.complete_sign_in(caller, checked, device, false, terms).await? {
                        Ok(sign_in) => PasskeyAuthentication::SignIn(sign_in),
                        Err(NotCompleted::Stale) => PasskeyAuthentication::NoCeremony,
                        Err(NotCompleted::PasskeyRefused(why)) => PasskeyAuthentication::Refused(why),
                    });
                }
            },
        };
        let event = self.rejection(caller, account_id, now).event(EventKind::PasskeyRejected);
        let is_spent = self.spend_ceremony(ceremony.digest, event).await?;
        Ok(if is_spent { refused } else { PasskeyAuthentication::NoCeremony })
    }

    /// Whether an account is one of this tenant, which allows passkeys.
    fn allows_passkeys(&self, account: &Account, tenant_id: TenantId) -> bool {
        account.tenant_id == tenant_id && self.rules().tenant_of(account).allows(MethodKind::Passkey)
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
