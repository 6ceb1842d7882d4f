//! Authenticating with a passkey: signing in.

use super::BROWSER_TIMEOUT;
use crate::sign_in::{Checked, Device, NotCompleted, SignIn};
use crate::{Caller, FlowError, Flows};
use countersign_domain::account::{Account, Versions};
use countersign_domain::address::MethodKind;
use countersign_domain::audit::{AuditContext, EventKind};
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::passkey_use::PasskeyUse;
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::observer::{FirstProof, SignInResult};
use countersign_domain::passkey::Passkey;
use countersign_domain::passkey::ceremony::{Ceremony, Challenge, Purpose};
use countersign_domain::passkey::options::{RequestOptions, UserVerification};
use countersign_domain::passkey::response::{AssertionResponse, EncodedAssertion};
use countersign_domain::passkey::verifier::{self, Asserted, Expected, NotVerified};
use countersign_domain::secret::CeremonyToken;
use countersign_domain::terms::{Grant, Terms};
use countersign_domain::time::Timestamp;
use countersign_store::work::{BeginCeremony, FindCeremony, FoundCeremony, UsedPasskey};

/// Who is to authenticate.
#[derive(Clone, Copy, Debug)]
pub enum Asker {
    /// Whoever the passkey belongs to signs in.
    Anybody,
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
}

/// How an authentication with a passkey ended.
#[derive(Debug)]
pub enum PasskeyAuthentication {
    /// As a sign-in ends.
    SignIn(SignIn),
    /// The ceremony is unknown, spent, expired or one of another kind.
    NoCeremony,
    /// Nobody has this passkey.
    UnknownPasskey,
    /// The response is not right.
    NotVerified(NotVerified),
    /// It is right, and does not count.
    Refused(PasskeyUse),
}

impl PasskeyAuthentication {
    fn result(&self) -> SignInResult {
        match self {
            Self::SignIn(sign_in) => sign_in.result(),
            Self::NoCeremony | Self::UnknownPasskey | Self::NotVerified(_) | Self::Refused(_) => SignInResult::Rejected,
        }
    }
}

impl Flows {
    /// Asks a browser for a signature; `None` where there is no relying party.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_passkey_authentication(&self, asker: Asker) -> Result<Option<BegunAuthentication>, FlowError> {
        let (rules, now) = (self.rules(), self.now());
        let Some(relying_party) = &rules.relying_party else { return Ok(None) };
        let Asker::Anybody = asker;
        let (token, challenge) =
            self.random().draw(|random| (CeremonyToken::generate(random), Challenge::generate(random)));
        let demands_verification = relying_party.demands_verification;
        let ceremony = Ceremony {
            digest: token.digest(),
            challenge: challenge.digest(),
            purpose: Purpose::SignIn,
            relying_party: relying_party.id.clone(),
            demands_verification,
            versions: Versions::default(),
            created_at: now,
            expires_at: now + self.policy().passkey_ceremony_lifetime,
        };
        let begin = BeginCeremony { ceremony, most: self.policy().passkey_ceremonies };
        self.store().begin_ceremony(begin).await?;
        let options = RequestOptions {
            challenge,
            relying_party: relying_party.id.clone(),
            timeout: BROWSER_TIMEOUT,
            allow: None,
            user_verification: UserVerification::of(demands_verification),
        };
        Ok(Some(BegunAuthentication { options, token }))
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
        let ended = self.verify_and_sign_in(caller, presented, terms).await;
        let result = ended.as_ref().map_or(SignInResult::Error, PasskeyAuthentication::result);
        self.observer().sign_in_ended(FirstProof::Passkey, result, caller.dialect);
        ended
    }

    async fn verify_and_sign_in(
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
        if ceremony.purpose != Purpose::SignIn {
            return Ok(PasskeyAuthentication::NoCeremony);
        }
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
