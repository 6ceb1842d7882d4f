//! Signing in with the first factor: to a session or to tokens, to a challenge, or to a ticket that changes the password.

use super::devices::seen;
use super::link_ids::SignInFor;
use super::password::presented;
use super::password_check::{PasswordCheck, Presenter};
use super::{Authenticated, Caller, FlowError, Flows};
use countersign_domain::account::{Account, EmailAddress, LoginName, Unusable};
use countersign_domain::address::MethodKind;
use countersign_domain::audit::{AuditContext, EventKind};
use countersign_domain::challenge::{Challenge, FirstFactor};
use countersign_domain::decisions::mailed_link::{self, LinkUse, Purpose};
use countersign_domain::decisions::passkey_use::PasskeyUse;
use countersign_domain::decisions::sign_in as decision;
use countersign_domain::decisions::trust::Trust;
use countersign_domain::ids::{ApplicationId, RefreshTokenId, TenantId};
use countersign_domain::method::Method;
use countersign_domain::observer::{FirstProof, SignInResult};
use countersign_domain::passkey::ceremony::Details;
use countersign_domain::password::PasswordHash;
use countersign_domain::quota::QuotaUse;
use countersign_domain::secret::{
    Bearer, ChangePasswordId, OneTimePassword, PasswordlessCode, RefreshToken, SessionToken, VerificationToken,
};
use countersign_domain::terms::{Grant, Terms, TrustForm};
use countersign_domain::time::Timestamp;
use countersign_domain::trusted_device;
use countersign_domain::user::{AccountLookup, User};
use countersign_store::work::{
    CompleteSignIn, NewRefreshToken, NewSession, NewTrust, PresentedTicket, PresentedTrust, SignInCompleted,
    TicketKind, UsedPasskey,
};

/// What proves who signs in.
#[derive(Clone, Copy, Debug)]
pub enum Credential<'a> {
    Password {
        /// As typed.
        login_name: &'a str,
        /// What the login name may be, in the order of lookup.
        names: &'a [LoginName],
        /// As typed.
        password: &'a str,
    },
    /// What changing the password gave in its place.
    OneTimePassword(&'a str),
    /// Token of a mailed link that proves the account's address.
    VerificationLink(&'a VerificationToken),
    /// Code that was mailed, or given to a service. Tenant and application are those that it was asked for with; `tenant_id` is set
    /// where the request names a tenant all the same.
    Passwordless { code: &'a str, tenant_id: Option<TenantId> },
}

impl Credential<'_> {
    fn proof(&self) -> FirstProof {
        match self {
            Self::Password { .. } => FirstProof::Password,
            Self::OneTimePassword(_) => FirstProof::OneTimePassword,
            Self::VerificationLink(_) => FirstProof::VerificationLink,
            Self::Passwordless { .. } => FirstProof::Passwordless,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct SignInRequest<'a> {
    pub tenant_id: TenantId,
    pub credential: Credential<'a>,
    pub application_id: Option<ApplicationId>,
    /// Token of a trusted device.
    pub trust: Option<&'a str>,
    /// Whether the session outlives the browser.
    pub is_remembered: bool,
    /// Whether a refresh token is wanted, where tokens are granted.
    pub wants_tokens: bool,
}

#[derive(Debug)]
pub enum SignIn {
    Granted {
        granted: Granted,
        /// The next token of the trusted device, if it was renewed.
        trust: Option<Bearer>,
        /// The caller's own state, given when the code to sign in was asked for: JSON text.
        state: Option<String>,
    },
    SecondFactorDue {
        challenge: Bearer,
        /// The account's e-mail address, which has been proved if a mailed link was the credential.
        address: Option<EmailAddress>,
        /// The methods that can complete it.
        methods: Vec<Method>,
        /// Whether the trust that was presented was replaced a moment ago, so that the device has, or will have, another one.
        trust_is_superseded: bool,
    },
    /// A second factor has to be enrolled, and then completes the challenge.
    EnrolmentDue {
        challenge: Bearer,
        /// What can be enrolled.
        configurable: Vec<MethodKind>,
    },
    PasswordChangeDue(ChangePasswordId),
    /// The account's e-mail address has to be proved first.
    VerificationDue,
    Unusable(Unusable),
    Rejected,
    /// Too many wrong passwords.
    TooMany {
        until: Timestamp,
    },
}

impl SignIn {
    pub(super) fn result(&self) -> SignInResult {
        match self {
            Self::Granted { .. } => SignInResult::Granted,
            Self::SecondFactorDue { .. } => SignInResult::SecondFactorDue,
            Self::EnrolmentDue { .. } => SignInResult::EnrolmentDue,
            Self::PasswordChangeDue(_) => SignInResult::PasswordChangeDue,
            Self::VerificationDue => SignInResult::VerificationDue,
            Self::Unusable(_) => SignInResult::Unusable,
            Self::Rejected => SignInResult::Rejected,
            Self::TooMany { .. } => SignInResult::TooMany,
        }
    }
}

/// What the terms grant.
#[derive(Debug)]
pub enum Granted {
    Session(Box<Authenticated>),
    Tokens(Box<TokenGrant>),
}

/// A sign-in that tokens are issued for.
#[derive(Clone, Debug)]
pub struct TokenGrant {
    pub user: User,
    pub application_id: Option<ApplicationId>,
    pub at: Timestamp,
    pub second_factor_at: Option<Timestamp>,
    /// A refresh token, and the id of all that follow from this sign-in.
    pub refresh_token: Option<(RefreshToken, RefreshTokenId)>,
}

impl Granted {
    /// # Errors
    /// When the terms grant tokens.
    pub fn into_session(self) -> Result<Box<Authenticated>, FlowError> {
        match self {
            Self::Session(session) => Ok(session),
            Self::Tokens(_) => Err(FlowError::OtherGrant),
        }
    }

    /// # Errors
    /// When the terms grant sessions.
    pub fn into_tokens(self) -> Result<Box<TokenGrant>, FlowError> {
        match self {
            Self::Tokens(tokens) => Ok(tokens),
            Self::Session(_) => Err(FlowError::OtherGrant),
        }
    }
}

/// Everything that may be granted, prepared before the store decides.
pub(super) struct PreparedGrant {
    pub(super) session: NewSession,
    pub(super) refresh_token: Option<NewRefreshToken>,
    pub(super) session_token: SessionToken,
    refresh: Option<(RefreshToken, RefreshTokenId)>,
    /// The application that was signed in to, whether it gives refresh tokens or not.
    pub(super) application_id: Option<ApplicationId>,
    at: Timestamp,
    second_factor_at: Option<Timestamp>,
}

/// The device that signs in.
#[derive(Clone, Copy)]
pub(super) struct Device<'a> {
    /// Token of its trust.
    pub(super) trust: Option<&'a str>,
    /// Whether its session outlives the browser.
    pub(super) is_remembered: bool,
}

/// Why a first factor that was right opens nothing.
pub(super) enum NotCompleted {
    /// The credentials changed while it was checked, or what stood in for the password was used up by another request.
    Stale,
    PasskeyRefused(PasskeyUse),
}

/// An account that has proved its first factor.
pub(super) struct Checked {
    account: Account,
    first_factor: FirstFactor,
    rehashed: Option<PasswordHash>,
    password_uses: Vec<QuotaUse>,
    ticket: Option<PresentedTicket>,
    passkey: Option<UsedPasskey>,
    /// The address that the ticket was mailed to.
    proved: Option<EmailAddress>,
    application_id: Option<ApplicationId>,
    state: Option<String>,
}

impl Checked {
    fn of(account: Account, first_factor: FirstFactor, application_id: Option<ApplicationId>) -> Self {
        Self {
            account,
            first_factor,
            rehashed: None,
            password_uses: Vec::new(),
            ticket: None,
            passkey: None,
            proved: None,
            application_id,
            state: None,
        }
    }

    /// An account whose passkey has signed, which counts once the sign-in is completed.
    pub(super) fn by_passkey(account: Account, used: UsedPasskey, asked: &Details) -> Self {
        let state = asked.state.clone();
        Self { passkey: Some(used), state, ..Self::of(account, FirstFactor::Passkey, asked.application_id) }
    }
}

impl Flows {
    /// Checks a credential and opens what is decided.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails.
    pub async fn sign_in(
        &self,
        caller: &Caller,
        request: SignInRequest<'_>,
        terms: &Terms,
    ) -> Result<SignIn, FlowError> {
        let proof = request.credential.proof();
        let ended = self.check_and_complete(caller, request, terms).await;
        let result = ended.as_ref().map_or(SignInResult::Error, SignIn::result);
        self.observer().sign_in_ended(proof, result, caller.dialect);
        ended
    }

    async fn check_and_complete(
        &self,
        caller: &Caller,
        request: SignInRequest<'_>,
        terms: &Terms,
    ) -> Result<SignIn, FlowError> {
        // Before anything is counted: a server that cannot sign is no reason to charge an account.
        if terms.grant == Grant::Tokens {
            self.check_signing()?;
        }
        let first = match self.check_credential(caller, &request, terms).await? {
            Ok(first) => first,
            Err(refused) => return Ok(refused),
        };
        let device = Device { trust: request.trust, is_remembered: request.is_remembered };
        // What was typed is no longer the password.
        let completed = self.complete_sign_in(caller, first, device, request.wants_tokens, terms).await?;
        Ok(completed.unwrap_or(SignIn::Rejected))
    }

    /// Opens what is decided for an account that has proved its first factor, or both.
    pub(super) async fn complete_sign_in(
        &self,
        caller: &Caller,
        first: Checked,
        device: Device<'_>,
        wants_tokens: bool,
        terms: &Terms,
    ) -> Result<Result<SignIn, NotCompleted>, FlowError> {
        let Checked { account, first_factor, rehashed, password_uses, ticket, passkey, proved, application_id, state } =
            first;
        let now = self.now();
        let application = application_id.filter(|_| wants_tokens);
        let is_remembered = device.is_remembered;
        let second_factor_at = passkey.as_ref().is_some_and(|used| used.asserted.user_verified).then_some(now);
        let mut prepared = self.prepare_grant(caller, &account, is_remembered, application, second_factor_at, now);
        prepared.application_id = application_id;
        let challenge = self.random().draw(|random| Bearer::challenge(terms.challenge, random));
        let (trust, next_trust) = self.presented_trust(caller, &account, device.trust, terms, now);
        let (change_password, change_password_id) = self.new_change_password_ticket(now);
        let network = self.network_digests(caller, account.id);
        let verified = self.audit(caller, now).about(account.id).event(EventKind::AddressVerified);
        let complete = CompleteSignIn {
            account_id: account.id,
            credentials_version: account.credentials_version,
            rehashed,
            password_uses: password_uses.clone(),
            network: network.map(|network| self.known_network(network.known, now)),
            ticket,
            passkey,
            proved: proved.map(|address| (address, verified)),
            rules: self.rules(),
            terms: *terms,
            application_id,
            trust,
            seen: seen(caller),
            session: (terms.grant == Grant::Session).then(|| prepared.session.clone()),
            refresh_token: prepared.refresh_token.clone(),
            challenge: Challenge {
                digest: challenge.digest(),
                account_id: account.id,
                first_factor,
                is_remembered,
                application_id,
                state: state.clone(),
                trust_challenge: None,
                network,
                created_at: now,
                expires_at: now + terms.challenge_lifetime,
            },
            change_password: (terms.grant == Grant::Tokens).then_some(change_password),
            audit: AuditContext { factor: first_factor.code(), ..self.audit(caller, now).about(account.id) },
            absence_audit: self.audit(caller, now).about(account.id),
        };
        let decided = match self.store().complete_sign_in(complete).await {
            Ok(SignInCompleted::Decided(decided)) => *decided,
            Ok(SignInCompleted::PasskeyRefused(why)) => return Ok(Err(NotCompleted::PasskeyRefused(why))),
            Ok(SignInCompleted::Stale) => return Ok(Err(NotCompleted::Stale)),
            Err(error) => {
                // A right password costs nothing, whatever failed afterwards.
                if let Err(error) = self.store().give_back(password_uses).await {
                    let cause = countersign_domain::error_chain(&error);
                    slog::error!(
                        self.services.log, "failed to give the quota of a right password back";
                        "account" => account.id.to_hyphenated(), "cause" => cause
                    );
                }
                return Err(error.into());
            }
        };
        let enrollable = || {
            let methods = self.rules().tenant_of(&decided.account).allowed_methods().into_iter();
            methods.filter(|kind| kind.can_be_first() && first_factor.is_complemented_by(*kind)).collect()
        };
        Ok(Ok(match decided.decision {
            decision::SignIn::Granted { by_trust } => SignIn::Granted {
                granted: self.granted(prepared, decided.account, decided.user),
                trust: next_trust.filter(|_| by_trust),
                state,
            },
            decision::SignIn::GrantedForEnrolment => {
                SignIn::Granted { granted: self.granted(prepared, decided.account, decided.user), trust: None, state }
            }
            decision::SignIn::SecondFactorDue => SignIn::SecondFactorDue {
                challenge,
                address: decided.account.email,
                methods: decided.methods,
                trust_is_superseded: decided.trust == Trust::Superseded,
            },
            decision::SignIn::EnrolmentDue => SignIn::EnrolmentDue { challenge, configurable: enrollable() },
            decision::SignIn::PasswordChangeDue => SignIn::PasswordChangeDue(change_password_id),
            decision::SignIn::VerificationDue => SignIn::VerificationDue,
            decision::SignIn::Refused(why) => SignIn::Unusable(why),
        }))
    }

    /// Finds the account and checks the password, or the one-time password in its place.
    async fn check_credential(
        &self,
        caller: &Caller,
        request: &SignInRequest<'_>,
        terms: &Terms,
    ) -> Result<Result<Checked, SignIn>, FlowError> {
        match request.credential {
            Credential::Password { login_name, names, password } => {
                // The permit comes first: a request that is shed must cost nothing, not even a look at the database, and
                // users who sign in at once must not use up each other's quota while they wait.
                let permit = self.admit(caller)?.ready().await?;
                let lookup = AccountLookup::Login(request.tenant_id, names.to_vec());
                let account = self.store().account(lookup).await?;
                let trust = account
                    .as_ref()
                    .zip(request.trust)
                    .map(|(account, text)| trusted_device::read(terms.trust, text, account.id, self.keyring()))
                    .unwrap_or_default();
                let presenter = Presenter::Anybody { tenant_id: request.tenant_id, login_name, trust: &trust };
                let checked = self.check_password(caller, permit, presenter, account.as_ref(), password).await?;
                Ok(match (account, checked) {
                    (Some(account), PasswordCheck::Right { rehashed, uses }) => {
                        let first_factor = FirstFactor::Password;
                        let application_id = request.application_id;
                        let checked = Checked::of(account, first_factor, application_id);
                        Ok(Checked { rehashed, password_uses: uses, ..checked })
                    }
                    (_, PasswordCheck::Exhausted { until }) => Err(SignIn::TooMany { until }),
                    (_, PasswordCheck::Wrong) | (None, PasswordCheck::Right { .. }) => Err(SignIn::Rejected),
                })
            }
            Credential::OneTimePassword(text) => {
                let Some(password) = OneTimePassword::parse(text) else { return Ok(Err(SignIn::Rejected)) };
                let ticket = presented(TicketKind::OneTimePassword, password.digest());
                let checked = self.find_by_ticket(Some(request.tenant_id), ticket).await?;
                Ok(checked.map(|checked| Checked { application_id: request.application_id, state: None, ..checked }))
            }
            Credential::VerificationLink(token) => {
                let ticket = presented(TicketKind::VerifyAddress, token.digest());
                let checked = self.find_by_ticket(Some(request.tenant_id), ticket).await?;
                Ok(checked.map(|checked| Checked { first_factor: FirstFactor::Mailbox, ..checked }))
            }
            Credential::Passwordless { code, tenant_id } => {
                let Some(code) = PasswordlessCode::parse(code) else { return Ok(Err(SignIn::Rejected)) };
                let checked = self.find_by_ticket(tenant_id, presented(TicketKind::SignIn, code.digest())).await?;
                Ok(checked.and_then(|checked| {
                    let usable = mailed_link::decide_use(Purpose::SignIn, &checked.account, self.policy(), self.now());
                    let asked = checked.state.as_deref().map(SignInFor::parse).unwrap_or_default();
                    let (application_id, state) = (asked.application_id, asked.state);
                    match usable {
                        LinkUse::SwitchedOff => Err(SignIn::Rejected),
                        _ => Ok(Checked { first_factor: FirstFactor::Mailbox, application_id, state, ..checked }),
                    }
                }))
            }
        }
    }

    async fn find_by_ticket(
        &self,
        tenant_id: Option<TenantId>,
        ticket: PresentedTicket,
    ) -> Result<Result<Checked, SignIn>, FlowError> {
        let found = self.find_ticket(&ticket, tenant_id).await?;
        let checked = found.map(|found| Checked {
            ticket: Some(ticket),
            proved: found.address,
            state: found.state,
            ..Checked::of(found.account, FirstFactor::Password, None)
        });
        Ok(checked.ok_or(SignIn::Rejected))
    }

    /// Prepares a session, and a refresh token if `application` gives them.
    pub(super) fn prepare_grant(
        &self,
        caller: &Caller,
        account: &Account,
        is_remembered: bool,
        application: Option<ApplicationId>,
        second_factor_at: Option<Timestamp>,
        now: Timestamp,
    ) -> PreparedGrant {
        let (session, session_token) = self.new_session(caller, account, is_remembered, second_factor_at, now);
        let application = self.rules().application(application).cloned();
        let refresh = application.filter(|application| application.refresh_tokens).map(|application| {
            let (token, family_id) =
                self.random().draw(|random| (RefreshToken::generate(random), RefreshTokenId::generate(now, random)));
            let row = NewRefreshToken {
                digest: token.digest(),
                family_id,
                application_id: application.id,
                second_factor_at,
                device: caller.device.clone(),
                ip_address: seen(caller).ip_address,
                expires_at: now
                    + self.policy().refresh_token_lifetime.min(self.policy().refresh_token_absolute_lifetime),
            };
            (row, (token, family_id))
        });
        let (refresh_token, refresh) = refresh.unzip();
        PreparedGrant {
            session,
            refresh_token,
            session_token,
            refresh,
            application_id: None,
            at: now,
            second_factor_at,
        }
    }

    /// The grant that the store has made: tokens if it has returned the user with them, else the session.
    pub(super) fn granted(&self, prepared: PreparedGrant, account: Account, user: Option<User>) -> Granted {
        match user {
            Some(user) => Granted::Tokens(Box::new(TokenGrant {
                user,
                application_id: prepared.application_id,
                at: prepared.at,
                second_factor_at: prepared.second_factor_at,
                refresh_token: prepared.refresh,
            })),
            None => {
                let NewSession { session, .. } = prepared.session;
                Granted::Session(Box::new(self.authenticated(session, account, prepared.session_token)))
            }
        }
    }

    /// The trust that a device presents, and the token that takes its place if it rotates.
    fn presented_trust(
        &self,
        caller: &Caller,
        account: &Account,
        trust: Option<&str>,
        terms: &Terms,
        now: Timestamp,
    ) -> (Option<PresentedTrust>, Option<Bearer>) {
        let read = |text| trusted_device::read(terms.trust, text, account.id, self.keyring());
        let digests = trust.map(read).unwrap_or_default();
        if digests.is_empty() {
            return (None, None);
        }
        match terms.trust {
            TrustForm::Lasting => (Some(PresentedTrust { digests, next: None }), None),
            TrustForm::Rotating => {
                let (next, row) = self.new_trust(caller, account, None, terms, now);
                (Some(PresentedTrust { digests, next: Some(row) }), Some(next))
            }
        }
    }

    /// Whether a trust of the lasting form was given by this deployment; see [`Caller::is_known`].
    #[must_use]
    pub fn has_given_trust(&self, text: &str) -> bool {
        trusted_device::is_signed(text, self.keyring())
    }

    /// A new trust in a device, and its token.
    pub(super) fn new_trust(
        &self,
        caller: &Caller,
        account: &Account,
        application_id: Option<ApplicationId>,
        terms: &Terms,
        now: Timestamp,
    ) -> (Bearer, NewTrust) {
        let token =
            self.random().draw(|random| trusted_device::generate(terms.trust, account.id, self.keyring(), random));
        let expires_at = now + self.policy().trust_lifetime.min(self.policy().trust_absolute_lifetime);
        let name = caller.device.name.clone();
        let row = NewTrust { digest: token.digest(), application_id, name, seen: seen(caller), expires_at };
        (token, row)
    }
}
