//! Signing in with a password: to a session, or to a challenge.

use super::password_check::PasswordCheck;
use super::{Authenticated, Caller, FlowError, Flows, with_random};
use countersign_domain::account::{EmailAddress, Unusable};
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::Challenge;
use countersign_domain::method::Method;
use countersign_domain::secret::{ChallengeToken, TrustToken};
use countersign_domain::tenant::LoginPolicy;
use countersign_domain::time::Timestamp;
use countersign_domain::trusted_device;
use countersign_store::work::{self, Asks, CompleteSignIn, NewTrust, ShownTrust};

/// What a sign-in presents.
#[derive(Debug)]
pub struct Credentials<'a> {
    /// The address.
    pub email: EmailAddress,
    /// The password as typed.
    pub password: &'a str,
    /// Whether the session is to outlive the browser.
    pub is_remembered: bool,
    /// The trust cookie's value, its signature checked.
    pub trust: Option<&'a str>,
}

/// How a sign-in ends.
#[derive(Debug)]
pub enum SignIn {
    /// The session is open.
    Done {
        /// It, and whose it is.
        signed_in: Box<Authenticated>,
        /// The new value of the trust cookie, when the device is trusted.
        trust: Option<String>,
    },
    /// A second factor is asked for.
    Challenged {
        /// What continues the sign-in.
        token: ChallengeToken,
        /// What can answer.
        methods: Vec<Method>,
    },
    /// The password is right and has to be changed first, which this dialect cannot do.
    PasswordChangeRequired,
    /// The password is right, but the account may not be used.
    Unusable(Unusable),
    /// Address and password are not a pair.
    Rejected,
    /// Too many wrong passwords were given for this address from this network.
    TooMany {
        /// When the next one will be looked at.
        until: Timestamp,
    },
}

impl Flows {
    /// Checks a password and opens what it leads to.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails.
    pub async fn sign_in(&self, caller: &Caller, credentials: Credentials<'_>) -> Result<SignIn, FlowError> {
        let account = self.store.account_by_email((self.directory.home().id, credentials.email.clone())).await?;
        let checked =
            self.check_password(caller, credentials.email.as_str(), account.as_ref(), credentials.password).await?;
        let (account, rehashed, budget) = match (account, checked) {
            (Some(account), PasswordCheck::Right { rehashed, budget }) => (account, rehashed, budget),
            (_, PasswordCheck::Exhausted { until }) => return Ok(SignIn::TooMany { until }),
            (_, PasswordCheck::Wrong) | (None, PasswordCheck::Right { .. }) => return Ok(SignIn::Rejected),
        };
        let now = self.now();
        let (session, token) = self.new_session(caller, &account, credentials.is_remembered, None, now);
        let (challenge_token, next_trust) =
            with_random(|random| (ChallengeToken::generate(random), TrustToken::generate(random)));
        let presented = credentials.trust.and_then(|value| {
            trusted_device::read_cookie_value(value, account.id, &self.keyring).map(|token| token.digest())
        });
        let next = NewTrust {
            digest: next_trust.digest(),
            application_id: None,
            expires_at: now + self.policy.trust_lifetime,
        };
        let complete = CompleteSignIn {
            account_id: account.id,
            credentials_version: account.credentials_version,
            rehashed,
            budget: Some(budget),
            ticket: None,
            asks: match self.directory.home().login_policy {
                LoginPolicy::Disabled => Asks::Never,
                // Whoever has no second factor enrols one in a session.
                LoginPolicy::Enabled | LoginPolicy::Required => Asks::IfEnabled,
            },
            session: Some(session.clone()),
            refresh_token: None,
            challenge: Challenge {
                digest: challenge_token.digest(),
                account_id: account.id,
                is_remembered: credentials.is_remembered,
                application_id: None,
                state: None,
                trust_challenge: None,
                created_at: now,
                expires_at: now + self.policy.challenge_lifetime,
            },
            trust: presented.map(|digest| ShownTrust::Rotating(digest, next)),
            change_password: self.change_password_ticket(None, now).0,
            event: caller.event(EventKind::SignedIn, Some(account.id), now),
        };
        let done = |trust| SignIn::Done {
            signed_in: Box::new(Authenticated { session: session.session, account: account.clone(), token }),
            trust,
        };
        Ok(match self.store.complete_sign_in(complete).await? {
            work::SignIn::SignedIn => done(None),
            work::SignIn::Trusted => done(Some(trusted_device::cookie_value(&next_trust, account.id, &self.keyring))),
            work::SignIn::Challenged { methods } => SignIn::Challenged { token: challenge_token, methods },
            work::SignIn::PasswordChangeRequired => SignIn::PasswordChangeRequired,
            work::SignIn::Unusable(why) => SignIn::Unusable(why),
            // The password was changed while it was checked: what was typed is not the password any more.
            work::SignIn::Stale => SignIn::Rejected,
        })
    }
}
