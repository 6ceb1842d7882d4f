//! Asking a browser for a signature: to sign in, or to pass a second factor in a challenge or in a session.

use super::{BegunCeremony, NewCeremony};
use crate::{Authenticated, FlowError, Flows};
use countersign_domain::account::{Account, Versions};
use countersign_domain::address::MethodKind;
use countersign_domain::decisions::session_scope::SessionScope;
use countersign_domain::ids::{ApplicationId, MethodId, TenantId};
use countersign_domain::passkey::ceremony::{Details, Purpose};
use countersign_domain::passkey::options::{Descriptor, RequestOptions, UserVerification};
use countersign_domain::passkey::relying_party::RelyingParty;
use countersign_domain::secret::{CeremonyToken, Digest};
use countersign_domain::terms::{CeremonyForm, Terms};
use countersign_store::work::WaitingSignIn;

/// What an assertion is requested for.
#[derive(Clone, Copy, Debug)]
pub enum AuthenticationFor<'a> {
    /// A sign-in, by the user that the passkey belongs to.
    SignIn,
    /// A sign-in by this user.
    NamedSignIn(NamedSignIn<'a>),
    /// The second factor of the challenge with this digest, if its account is one of this tenant.
    Challenge(Digest, Option<TenantId>),
    /// A second factor in this session.
    Session(&'a Authenticated),
}

/// A sign-in of a user whom the caller names.
#[derive(Clone, Copy, Debug)]
pub struct NamedSignIn<'a> {
    pub account: &'a Account,
    pub application_id: Option<ApplicationId>,
    /// Id of the one passkey that is taken, as presented.
    pub passkey_id: Option<&'a str>,
    /// The caller's own, which the sign-in returns: JSON text.
    pub state: Option<&'a str>,
    /// Whether the authenticator has to verify the user, even if the operator does not demand it.
    pub demands_verification: bool,
}

/// A ceremony to begin, and the credentials that may sign.
struct CeremonyRequest {
    ceremony: NewCeremony,
    allow: Option<Vec<Descriptor>>,
}

/// An assertion that a browser is asked for.
#[derive(Debug)]
pub struct BegunAuthentication {
    pub options: RequestOptions,
    /// Finds the ceremony when the response comes, unless the challenge does.
    pub token: Option<CeremonyToken>,
}

/// Why no assertion is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotBegun {
    /// There is no relying party, or the tenant does not allow passkeys.
    NotAllowed,
    /// The challenge is unknown, expired or used.
    NoChallenge,
    /// The account has no passkey for it.
    NoPasskey,
}

impl Flows {
    /// Asks a browser for a signature. If the account that is meant has no passkey for it, and clients keep a token of the ceremony, the
    /// browser may offer those of any account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_passkey_authentication(
        &self,
        purpose: AuthenticationFor<'_>,
        terms: &Terms,
    ) -> Result<Result<BegunAuthentication, NotBegun>, FlowError> {
        let rules = self.rules();
        let Some(relying_party) = &rules.relying_party else { return Ok(Err(NotBegun::NotAllowed)) };
        let begun = match self.request_of_account(purpose, relying_party).await? {
            Ok(request) => self.begin_assertion(relying_party, request, terms).await?,
            Err(why) => Err(why),
        };
        if begun.is_ok() || terms.ceremony == CeremonyForm::Challenge {
            return Ok(begun);
        }
        let ceremony = NewCeremony {
            purpose: Purpose::SignIn(None),
            versions: Versions::default(),
            demands_verification: relying_party.demands_verification,
            details: Details::default(),
        };
        self.begin_assertion(relying_party, CeremonyRequest { ceremony, allow: None }, terms).await
    }

    async fn begin_assertion(
        &self,
        relying_party: &RelyingParty,
        request: CeremonyRequest,
        terms: &Terms,
    ) -> Result<Result<BegunAuthentication, NotBegun>, FlowError> {
        let CeremonyRequest { ceremony, allow } = request;
        let user_verification = UserVerification::of(ceremony.demands_verification);
        let begun = self.begin_ceremony(&relying_party.id, ceremony, terms).await?;
        // The account has changed since it was read.
        let Some(BegunCeremony { challenge, token, timeout }) = begun else { return Ok(Err(NotBegun::NoPasskey)) };
        let relying_party = relying_party.id.clone();
        let options = RequestOptions { challenge, relying_party, timeout, allow, user_verification };
        Ok(Ok(BegunAuthentication { options, token }))
    }

    /// What is asked of the account that is meant.
    async fn request_of_account(
        &self,
        purpose: AuthenticationFor<'_>,
        relying_party: &RelyingParty,
    ) -> Result<Result<CeremonyRequest, NotBegun>, FlowError> {
        let mut details = Details::default();
        let mut meant = None;
        let (account, purpose, demands_verification) = match purpose {
            AuthenticationFor::SignIn => return Ok(Err(NotBegun::NoPasskey)),
            AuthenticationFor::NamedSignIn(named) => {
                details.application_id = named.application_id;
                details.state = named.state.map(str::to_owned);
                meant = named.passkey_id;
                let demands_verification = named.demands_verification || relying_party.demands_verification;
                (named.account.clone(), Purpose::SignIn(Some(named.account.id)), demands_verification)
            }
            AuthenticationFor::Challenge(sign_in, tenant_id) => {
                let found = self.store().waiting_sign_in((sign_in, self.now())).await?;
                let is_meant =
                    |waiting: &WaitingSignIn| tenant_id.is_none_or(|tenant_id| waiting.account.tenant_id == tenant_id);
                let Some(waiting) = found.filter(is_meant) else { return Ok(Err(NotBegun::NoChallenge)) };
                let WaitingSignIn { account, challenge } = waiting;
                let completes = challenge.first_factor.is_complemented_by(MethodKind::Passkey);
                if !account.two_factor_enabled || !completes {
                    return Ok(Err(NotBegun::NoPasskey));
                }
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
            AuthenticationFor::Session(_) => return Ok(Err(NotBegun::NoPasskey)),
        };
        if !self.rules().tenant_of(&account).allows(MethodKind::Passkey) {
            return Ok(Err(NotBegun::NotAllowed));
        }
        let mut passkeys = self.store().passkeys_of(account.id).await?;
        passkeys.retain(|passkey| passkey.relying_party == relying_party.id);
        if let Some(text) = meant {
            details.passkey_id = MethodId::parse(text);
            passkeys.retain(|passkey| Some(passkey.id) == details.passkey_id);
        }
        if passkeys.is_empty() {
            return Ok(Err(NotBegun::NoPasskey));
        }
        Ok(Ok(CeremonyRequest {
            ceremony: NewCeremony { purpose, versions: account.versions(), demands_verification, details },
            allow: Some(passkeys.iter().map(Descriptor::from).collect()),
        }))
    }
}
