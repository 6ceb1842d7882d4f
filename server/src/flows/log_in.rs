//! Logging in for an application: with a password to a token or a challenge, and out of the challenge with any second
//! factor.

use super::password_check::PasswordCheck;
use super::second_factor::{Judged, Refused};
use super::{Caller, FlowError, Flows, with_random};
use countersign_domain::account::{LoginName, Unusable};
use countersign_domain::audit::EventKind;
use countersign_domain::backup_code::BackupCode;
use countersign_domain::challenge::Challenge;
use countersign_domain::ids::{AccountId, ApplicationId, RefreshTokenId, TenantId};
use countersign_domain::mailed_code::MailedCode;
use countersign_domain::mailed_code::Subject;
use countersign_domain::method::{Method, MethodKind};
use countersign_domain::secret::{
    ChangePasswordId, Digest, OneTimePassword, RefreshToken, StepUpToken, TwoFactorId, TwoFactorTrustId,
};
use countersign_domain::tenant::{LoginPolicy, TrustPolicy};
use countersign_domain::time::Timestamp;
use countersign_store::work::{
    self, Actor, Asks, CompleteSignIn, Expected, NewRefreshToken, NewTicket, NewTrust, OpenChallenge, PassSecondFactor,
    Passed, Person, PresentedTicket, ShownTrust, StoredTrust, TicketKind, TrustScope, Whose,
};

/// What proves who logs in.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    /// A name and a password.
    Password {
        /// The name as typed.
        login_name: &'a str,
        /// What it may be.
        names: &'a [LoginName],
        /// The password as typed.
        password: &'a str,
    },
    /// What changing the password gave in its place.
    OneTimePassword(&'a str),
}

/// A log-in.
#[derive(Clone, Copy, Debug)]
pub struct LogIn<'a> {
    /// Where the person is at home.
    pub tenant_id: TenantId,
    /// Who it is.
    pub shown: Shown<'a>,
    /// What is logged in to.
    pub application_id: Option<ApplicationId>,
    /// The device's trust.
    pub trust: Option<&'a str>,
    /// Whether tokens are wanted.
    pub wants_tokens: bool,
}

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// Who.
    pub person: Person,
    /// To what.
    pub application_id: Option<ApplicationId>,
    /// When.
    pub at: Timestamp,
    /// When a second factor was passed, if one was.
    pub second_factor_at: Option<Timestamp>,
    /// What gives new access tokens, and the name of all that follow from it.
    pub refresh_token: Option<(RefreshToken, RefreshTokenId)>,
}

impl LoggedIn {
    /// Whether the person is registered where they logged in; where that is nowhere in particular, they are.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.application_id.is_none_or(|id| self.person.registrations.iter().any(|one| one.application_id == id))
    }
}

/// How a log-in ends.
#[derive(Debug)]
pub enum LogInOutcome {
    /// Well.
    Done(Box<LoggedIn>),
    /// A second factor is asked for.
    Challenged {
        /// What continues it.
        id: TwoFactorId,
        /// What can answer.
        methods: Vec<Method>,
        /// What can be enrolled to answer, when there is nothing yet.
        configurable: Vec<MethodKind>,
    },
    /// The password has to be changed first.
    ChangePassword(ChangePasswordId),
    /// That is not who they say they are.
    Rejected,
    /// The account may not be used.
    Unusable(Unusable),
    /// Too many wrong passwords were given.
    TooMany {
        /// When the next one will be looked at.
        until: Timestamp,
    },
}

/// A second factor that completes a log-in.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The challenge.
    pub id: &'a str,
    /// Whatever code was typed.
    pub code: &'a str,
    /// The application, if it was not named before.
    pub application_id: Option<ApplicationId>,
    /// The tenant that was named, or that the application belongs to.
    pub tenant_id: Option<TenantId>,
    /// Whether the device is to skip the second factor from now on.
    pub trusts_device: bool,
    /// Whether tokens are wanted.
    pub wants_tokens: bool,
}

/// What a right second factor gives.
#[derive(Debug)]
pub enum Answered {
    /// The person is logged in.
    LoggedIn {
        /// Who, and where.
        logged_in: Box<LoggedIn>,
        /// What whoever opened the challenge wants to have back: JSON text.
        state: Option<String>,
        /// Shows that a second factor was passed.
        step_up: StepUpToken,
        /// The device's trust.
        trust: Option<TwoFactorTrustId>,
    },
    /// The password has to be changed first.
    ChangePassword(ChangePasswordId),
    /// The account may not be used.
    Unusable(Unusable),
}

/// What is asked for outside of a log-in.
#[derive(Debug)]
pub struct StepUp<'a> {
    /// The application.
    pub application_id: Option<ApplicationId>,
    /// The code that is to answer; one is made without.
    pub code: Option<&'a str>,
    /// What is to come back at the end: JSON text.
    pub state: Option<String>,
    /// A text that whoever uses what this leads to must know.
    pub trust_challenge: Option<&'a str>,
}

/// A challenge and the code that answers it.
#[derive(Debug)]
pub struct StepUpBegun {
    /// The challenge.
    pub id: TwoFactorId,
    /// The code, which is for the caller to deliver.
    pub code: MailedCode,
}

impl Flows {
    /// Checks who somebody is and opens what that leads to.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails.
    pub async fn log_in(&self, caller: &Caller, log_in: LogIn<'_>) -> Result<LogInOutcome, FlowError> {
        let now = self.now();
        let (person, rehashed, budget, ticket) = match log_in.shown {
            Shown::Password { login_name, names, password } => {
                let person = self.store.person(Whose::Login(log_in.tenant_id, names.to_vec())).await?;
                let account = person.as_ref().map(|person| &person.account);
                // However a person is named, it is one budget (attack 33).
                let known = account.map(|account| account.login_name().to_owned());
                let login_name = known.unwrap_or_else(|| login_name.trim().to_lowercase());
                let checked = self.check_password(caller, &login_name, account, password).await?;
                match (person, checked) {
                    (Some(person), PasswordCheck::Right { rehashed, budget }) => (person, rehashed, Some(budget), None),
                    (_, PasswordCheck::Exhausted { until }) => return Ok(LogInOutcome::TooMany { until }),
                    (_, PasswordCheck::Wrong) | (None, PasswordCheck::Right { .. }) => {
                        return Ok(LogInOutcome::Rejected);
                    }
                }
            }
            Shown::OneTimePassword(text) => {
                let Some(password) = OneTimePassword::parse(text) else { return Ok(LogInOutcome::Rejected) };
                let digest = password.digest();
                let ticket = PresentedTicket { kind: TicketKind::OneTimePassword, digest, trust_challenge: None };
                let Some((account, _)) = self.store.ticket((ticket.clone(), now)).await? else {
                    return Ok(LogInOutcome::Rejected);
                };
                match self.person(account.id, Some(log_in.tenant_id)).await? {
                    Some(person) => (person, None, None, Some(ticket)),
                    None => return Ok(LogInOutcome::Rejected),
                }
            }
        };
        let account = &person.account;
        let id = with_random(TwoFactorId::generate);
        let refresh = self.new_refresh_token(log_in.application_id.filter(|_| log_in.wants_tokens), None, now);
        let (change_password, change_password_id) = self.change_password_ticket(None, now);
        let tenant = self.directory.tenant(account.tenant_id).unwrap_or(self.directory.home());
        let complete = CompleteSignIn {
            account_id: account.id,
            credentials_version: account.credentials_version,
            rehashed,
            budget,
            ticket,
            asks: match tenant.login_policy {
                LoginPolicy::Enabled => Asks::IfEnabled,
                LoginPolicy::Disabled => Asks::Never,
                LoginPolicy::Required => Asks::Always,
            },
            session: None,
            refresh_token: refresh.as_ref().map(|(_, row)| row.clone()),
            challenge: Challenge {
                digest: id.digest(),
                account_id: account.id,
                is_remembered: false,
                application_id: log_in.application_id,
                state: None,
                trust_challenge: None,
                created_at: now,
                expires_at: now + self.policy.two_factor_id_lifetime,
            },
            trust: self.shown_trust(log_in.trust, log_in.application_id),
            change_password,
            event: caller.event(EventKind::SignedIn, Some(account.id), now),
        };
        Ok(match self.store.complete_sign_in(complete).await? {
            work::SignIn::SignedIn | work::SignIn::Trusted => LogInOutcome::Done(Box::new(LoggedIn {
                person: Person { last_sign_in_at: Some(now), ..person },
                application_id: log_in.application_id,
                at: now,
                second_factor_at: None,
                refresh_token: refresh.map(|(token, row)| (token, row.family_id)),
            })),
            work::SignIn::Challenged { methods } => {
                let none_yet = methods.is_empty();
                let configurable = tenant.methods.iter().copied().filter(|_| none_yet).collect();
                LogInOutcome::Challenged { id, methods, configurable }
            }
            work::SignIn::PasswordChangeRequired => LogInOutcome::ChangePassword(change_password_id),
            work::SignIn::Unusable(why) => LogInOutcome::Unusable(why),
            work::SignIn::Stale => LogInOutcome::Rejected,
        })
    }

    /// Completes a challenge with whatever second factor the code is of.
    ///
    /// # Errors
    /// When the hashing queue is full (before anything is counted), or the database fails.
    pub async fn answer(&self, caller: &Caller, answer: Answer<'_>) -> Result<Result<Answered, Refused>, FlowError> {
        let Some(id) = TwoFactorId::parse(answer.id) else { return Ok(Err(Refused::NoActor)) };
        let expected = Expected::Any { backup_code: !BackupCode::forgiving(answer.code).is_empty() };
        let actor = Actor::Challenge(id.digest());
        let judged = match self.judge_second_factor(caller, actor, None, expected, answer.code).await? {
            Ok(judged) => judged,
            Err(refused) => return Ok(Err(refused)),
        };
        let factor = judged.factor();
        let Judged { actor, account, challenge, proof, .. } = judged;
        if answer.tenant_id.is_some_and(|tenant| tenant != account.tenant_id) {
            // There is no such challenge in that tenant, and so this was no guess.
            self.fail(caller, actor, None, account.id, Some(factor), true).await?;
            return Ok(Err(Refused::NoActor));
        }
        let now = self.now();
        let challenge_application = challenge.as_ref().and_then(|challenge| challenge.application_id);
        let application_id = answer.application_id.or(challenge_application);
        let unusable = account.unusable(now);
        let opens = unusable.is_none() && !account.password_change_required;
        let wants_tokens = opens && answer.wants_tokens;
        let refresh = self.new_refresh_token(application_id.filter(|_| wants_tokens), Some(now), now);
        let (change_password, change_password_id) = self.change_password_ticket(None, now);
        let step_up = with_random(StepUpToken::generate);
        let step_up_ticket = NewTicket {
            kind: TicketKind::StepUp,
            digest: step_up.digest(),
            trust_challenge: challenge.as_ref().and_then(|challenge| challenge.trust_challenge),
            state: None,
            expires_at: now + self.policy.trust_token_lifetime,
        };
        let trust = (opens && answer.trusts_device).then(|| with_random(TwoFactorTrustId::generate));
        let kind = if opens { EventKind::SecondFactorSignedIn } else { EventKind::SecondFactorConfirmed };
        let pass = PassSecondFactor {
            actor: actor.clone(),
            account_id: account.id,
            proof,
            session: None,
            refresh_token: refresh.as_ref().map(|(_, row)| row.clone()),
            ticket: match unusable {
                Some(_) => None,
                None if account.password_change_required => Some(change_password),
                None => Some(step_up_ticket),
            },
            trust: trust.as_ref().map(|token| NewTrust {
                digest: token.digest(),
                application_id,
                expires_at: now + self.policy.trust_lifetime,
            }),
            enables: None,
            removes: None,
            now,
            event: caller.factor_event(kind, Some(factor), Some(account.id), None, now),
        };
        match self.store.pass_second_factor(pass).await? {
            Passed::Done => {}
            Passed::ActorGone => return Ok(Err(Refused::NoActor)),
            Passed::ProofSpent => {
                self.fail(caller, actor, None, account.id, Some(factor), true).await?;
                return Ok(Err(Refused::WrongCode));
            }
        }
        if let Some(why) = unusable {
            return Ok(Ok(Answered::Unusable(why)));
        }
        if account.password_change_required {
            return Ok(Ok(Answered::ChangePassword(change_password_id)));
        }
        let Some(person) = self.person(account.id, None).await? else { return Ok(Err(Refused::NoActor)) };
        Ok(Ok(Answered::LoggedIn {
            logged_in: Box::new(LoggedIn {
                person,
                application_id,
                at: now,
                second_factor_at: Some(now),
                refresh_token: refresh.map(|(token, row)| (token, row.family_id)),
            }),
            state: challenge.and_then(|challenge| challenge.state),
            step_up,
            trust,
        }))
    }

    /// Opens a challenge without a password, for a service that knows who it has to do with. The code goes to the
    /// service and to nobody else.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_step_up(
        &self,
        caller: &Caller,
        account_id: AccountId,
        step_up: StepUp<'_>,
    ) -> Result<Option<StepUpBegun>, FlowError> {
        let now = self.now();
        let id = with_random(TwoFactorId::generate);
        let chosen = step_up.code.and_then(MailedCode::chosen);
        let code = chosen.unwrap_or_else(|| with_random(MailedCode::generate));
        let open = OpenChallenge {
            mac: code.mac(&Subject::Challenge(id.digest()), &self.keyring),
            challenge: Challenge {
                digest: id.digest(),
                account_id,
                is_remembered: false,
                application_id: step_up.application_id,
                state: step_up.state,
                trust_challenge: step_up.trust_challenge.map(Digest::of_text),
                created_at: now,
                expires_at: now + self.policy.two_factor_id_lifetime,
            },
            event: caller.event(EventKind::StepUpBegun, Some(account_id), now),
        };
        Ok(self.store.open_challenge(open).await?.then_some(StepUpBegun { id, code }))
    }

    /// A live trust of an account that counts in this application, with its dates.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn trust_of(
        &self,
        account_id: AccountId,
        trust: &str,
        application_id: Option<ApplicationId>,
    ) -> Result<Option<StoredTrust>, FlowError> {
        let Some(ShownTrust::Lasting { digest, given }) = self.shown_trust(Some(trust), application_id) else {
            return Ok(None);
        };
        let trust = self.store.trust((digest, account_id, self.now())).await?;
        Ok(trust.filter(|trust| match given {
            TrustScope::Anywhere => true,
            TrustScope::Here(application) => trust.application_id == application,
        }))
    }

    /// A trust that is shown, and where it must have been given to count.
    fn shown_trust(&self, trust: Option<&str>, application_id: Option<ApplicationId>) -> Option<ShownTrust> {
        let digest = TwoFactorTrustId::parse(trust?)?.digest();
        let application = application_id.and_then(|id| self.directory.application(id));
        let given = match application.map(|application| application.trust_policy).unwrap_or_default() {
            TrustPolicy::Any => TrustScope::Anywhere,
            TrustPolicy::This => TrustScope::Here(application_id),
            TrustPolicy::None => return None,
        };
        Some(ShownTrust::Lasting { digest, given })
    }

    /// A refresh token for an application that gives them.
    fn new_refresh_token(
        &self,
        application_id: Option<ApplicationId>,
        second_factor_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<(RefreshToken, NewRefreshToken)> {
        let application = self.directory.application(application_id?)?;
        application.refresh_tokens.then(|| {
            let token = with_random(RefreshToken::generate);
            let row = NewRefreshToken {
                digest: token.digest(),
                family_id: with_random(|random| RefreshTokenId::generate(now, random)),
                application_id: application.id,
                second_factor_at,
                expires_at: now + self.policy.refresh_token_lifetime,
            };
            (token, row)
        })
    }
}
