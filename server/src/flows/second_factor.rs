//! Verifying a second factor, in a challenge and in a live session.
//!
//! Three steps: claim the attempt, which counts it; judge the code, which changes nothing; make it count, in one
//! transaction that every guard can still stop.

use super::enrolment::new_handles;
use super::{Authenticated, Caller, FlowError, Flows, with_random};
use crate::hashing::Place;
use countersign_domain::account::Account;
use countersign_domain::audit::EventKind;
use countersign_domain::backup_code::BackupCode;
use countersign_domain::challenge::{Challenge, Factor};
use countersign_domain::ids::{AccountId, MethodId, SessionId};
use countersign_domain::mailed_code::{Address, MailedCode, Subject};
use countersign_domain::password::{Cost, PasswordHash};
use countersign_domain::secret::{ChallengeToken, TrustToken};
use countersign_domain::time::Timestamp;
use countersign_domain::totp;
use countersign_domain::trusted_device;
use countersign_store::work::{
    Actor, Authenticator, Claim, ClaimAttempt, Expected, FailAttempt, Granted, Material, NewFactor, NewMethod,
    NewTrust, PassSecondFactor, Passed, Proof, StoredBackupCode,
};
use std::sync::Arc;

/// Who presents a second factor, by what.
#[derive(Debug)]
pub enum Presenter {
    /// A sign-in that waits for it.
    Challenge(ChallengeToken),
    /// A live session.
    Session(Box<Authenticated>),
}

impl Presenter {
    pub(super) fn actor(&self) -> Actor {
        match self {
            Self::Challenge(token) => Actor::Challenge(token.digest()),
            Self::Session(authenticated) => {
                Actor::Session { session_id: authenticated.session.id, account_id: authenticated.account.id }
            }
        }
    }

    pub(super) fn session_id(&self) -> Option<SessionId> {
        match self {
            Self::Challenge(_) => None,
            Self::Session(authenticated) => Some(authenticated.session.id),
        }
    }
}

/// A second factor as presented.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// Of which kind.
    pub factor: Factor,
    /// The code as typed.
    pub code: &'a str,
    /// Whether the device is to skip the second factor from now on; counts in a challenge only.
    pub trusts_device: bool,
    /// Whether a challenge is to end without a session.
    pub without_session: bool,
}

/// What a right second factor led to.
#[derive(Debug)]
pub enum Verified {
    /// A challenge ended in a session.
    SignedIn {
        /// It, and whose it is.
        signed_in: Box<Authenticated>,
        /// The value of the trust cookie, if the device is trusted now.
        trust: Option<String>,
    },
    /// A challenge ended without a session, as asked.
    Confirmed(Box<Account>),
    /// The second factor is switched on, and the session replaced.
    Enabled(Box<Authenticated>),
    /// The live session has passed a second factor.
    Passed(Box<Authenticated>),
}

/// Why a second factor is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The challenge is unknown, expired or used, or the session has ended.
    NoActor,
    /// The code is wrong or spent.
    WrongCode,
    /// A backup code that was right was used by somebody else at the same moment.
    Raced,
    /// The account has no such factor.
    NotEnrolled,
    /// No mailed code is waiting for an answer.
    NoCode,
    /// The mailed code was guessed at too often and is dead now.
    CodeExhausted,
    /// The challenge was guessed at too often and is dead now.
    ChallengeExhausted,
    /// The account is locked.
    Locked {
        /// Until when.
        until: Timestamp,
    },
}

/// What a code turned out to be.
pub(super) enum Judgement {
    Right(Proof),
    Replayed,
    Wrong,
}

/// A right code, not yet counting.
pub(super) struct Judged {
    pub(super) actor: Actor,
    pub(super) session_id: Option<SessionId>,
    pub(super) account: Account,
    pub(super) challenge: Option<Challenge>,
    pub(super) proof: Proof,
}

impl Judged {
    pub(super) fn factor(&self) -> Factor {
        match self.proof {
            Proof::Totp { .. } => Factor::Totp,
            Proof::MailedCode(_) => Factor::MailedCode,
            Proof::BackupCode(_) => Factor::BackupCode,
        }
    }
}

impl Flows {
    /// Verifies a second factor.
    ///
    /// # Errors
    /// When the hashing queue is full (before anything is counted), or the database fails.
    pub async fn verify_second_factor(
        &self,
        caller: &Caller,
        presenter: Presenter,
        attempt: Attempt<'_>,
    ) -> Result<Result<Verified, Refused>, FlowError> {
        let (actor, session_id) = (presenter.actor(), presenter.session_id());
        let expected = Expected::One(attempt.factor);
        match self.judge_second_factor(caller, actor, session_id, expected, attempt.code).await? {
            Ok(judged) => self.pass(caller, presenter, judged, &attempt).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Claims an attempt and judges the code. A wrong one is recorded here; a right one counts only when the caller makes
    /// it count.
    ///
    /// # Errors
    /// When the hashing queue is full (before anything is counted), or the database fails.
    pub(super) async fn judge_second_factor(
        &self,
        caller: &Caller,
        actor: Actor,
        session_id: Option<SessionId>,
        expected: Expected,
        code: &str,
    ) -> Result<Result<Judged, Refused>, FlowError> {
        let now = self.now();
        // Whoever is shed has not spent a try, so a place in the queue comes before the claim.
        let place = expected.includes(Factor::BackupCode).then(|| self.hasher.admit()).transpose()?;
        let claim = ClaimAttempt {
            actor: actor.clone(),
            expected,
            now,
            policy: Arc::clone(&self.policy),
            lock_event: caller.factor_event(EventKind::AccountLocked, expected.factor(), None, session_id, now),
        };
        let granted = match self.store.claim_attempt(claim).await? {
            Claim::Granted(granted) => *granted,
            Claim::NoActor => return Ok(Err(Refused::NoActor)),
            Claim::Locked { until } => return Ok(Err(Refused::Locked { until })),
            Claim::ChallengeExhausted => return Ok(Err(Refused::ChallengeExhausted)),
            Claim::NotEnrolled => return Ok(Err(Refused::NotEnrolled)),
            Claim::NoCode => return Ok(Err(Refused::NoCode)),
            Claim::CodeExhausted => return Ok(Err(Refused::CodeExhausted)),
        };
        let Granted { account, challenge, material } = granted;
        let judgement = self.judge(expected, code, &actor.subject(), &account, material, place, now).await?;
        let is_replay = match judgement {
            Judgement::Right(proof) => return Ok(Ok(Judged { actor, session_id, account, challenge, proof })),
            Judgement::Replayed => true,
            Judgement::Wrong => false,
        };
        self.fail(caller, actor, session_id, account.id, expected.factor(), is_replay).await?;
        Ok(Err(Refused::WrongCode))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one decision, each named")]
    async fn judge(
        &self,
        expected: Expected,
        code: &str,
        subject: &Subject,
        account: &Account,
        material: Material,
        place: Option<Place>,
        now: Timestamp,
    ) -> Result<Judgement, FlowError> {
        let Material { authenticators, pending, mailed_code, backup_codes } = material;
        let totp = self.judge_totp(code, authenticators, pending, now)?;
        if !matches!(totp, Judgement::Wrong) {
            return Ok(totp);
        }
        if let Some(stored) = mailed_code
            && MailedCode::presented(code).matches(subject, &stored.mac, &self.keyring)
        {
            return Ok(Judgement::Right(Proof::MailedCode(stored)));
        }
        let Some(place) = place else { return Ok(Judgement::Wrong) };
        let typed = match expected {
            Expected::One(_) => BackupCode::parse(code).into_iter().collect(),
            Expected::Any { .. } => BackupCode::forgiving(code),
        };
        if typed.is_empty() {
            return Ok(Judgement::Wrong);
        }
        let candidates = self.candidates(typed, account, &backup_codes);
        Ok(place.run(move |memory| judge_backup_code(&candidates, memory)).await?)
    }

    pub(super) fn judge_totp(
        &self,
        code: &str,
        confirmed: Vec<Authenticator>,
        pending: Option<Authenticator>,
        now: Timestamp,
    ) -> Result<Judgement, FlowError> {
        let mut judgement = Judgement::Wrong;
        // The app being enrolled comes first: its code is what finishes the enrolment.
        let pending = pending.map(|authenticator| (authenticator, true));
        let confirmed = confirmed.into_iter().map(|authenticator| (authenticator, false));
        for (authenticator, confirms) in pending.into_iter().chain(confirmed) {
            let secret = self.open_secret(&authenticator)?;
            match secret.judge(code, now, self.policy.totp_skew, authenticator.last_step) {
                totp::Verdict::Right { step } => {
                    return Ok(Judgement::Right(Proof::Totp { method_id: authenticator.id, step, confirms }));
                }
                totp::Verdict::Replayed => judgement = Judgement::Replayed,
                totp::Verdict::Wrong => {}
            }
        }
        Ok(judgement)
    }

    /// What was typed, each beside the stored codes that it may be.
    fn candidates(
        &self,
        typed: Vec<BackupCode>,
        account: &Account,
        stored: &[StoredBackupCode],
    ) -> Vec<(BackupCode, Vec<StoredBackupCode>)> {
        let candidates = typed.into_iter().map(|code| {
            let selectors = code.selectors(account.id, &self.keyring);
            let found = stored.iter().filter(|stored| selectors.contains(&stored.selector)).cloned().collect();
            (code, found)
        });
        candidates.collect()
    }

    /// Records an attempt that failed; a replay is no guess, and its try is given back.
    pub(super) async fn fail(
        &self,
        caller: &Caller,
        actor: Actor,
        session_id: Option<SessionId>,
        account_id: AccountId,
        factor: Option<Factor>,
        is_replay: bool,
    ) -> Result<(), FlowError> {
        let kind = if is_replay { EventKind::SecondFactorReplayed } else { EventKind::SecondFactorRejected };
        let event = caller.factor_event(kind, factor, Some(account_id), session_id, self.now());
        Ok(self.store.fail_attempt(FailAttempt { actor, factor, account_id, is_replay, event }).await?)
    }

    /// Makes a right code count.
    async fn pass(
        &self,
        caller: &Caller,
        presenter: Presenter,
        judged: Judged,
        attempt: &Attempt<'_>,
    ) -> Result<Result<Verified, Refused>, FlowError> {
        let now = self.now();
        let Judged { actor, session_id, mut account, challenge, proof } = judged;
        let in_session = matches!(presenter, Presenter::Session(_));
        // A backup code proves nothing new about a factor that is not on yet; the other two finish an enrolment.
        let enables = in_session && !account.two_factor_enabled && attempt.factor != Factor::BackupCode;
        let replaces = matches!(proof, Proof::Totp { confirms: true, .. }) && !enables;
        let is_remembered = match (&presenter, &challenge) {
            (Presenter::Session(authenticated), _) => authenticated.session.is_remembered,
            (Presenter::Challenge(_), challenge) => challenge.as_ref().is_some_and(|challenge| challenge.is_remembered),
        };
        let (session, token) = self.new_session(caller, &account, is_remembered, Some(now), now);
        let opens_session = if in_session { enables } else { !attempt.without_session };
        let kind = match (in_session, enables, replaces) {
            (true, true, _) => EventKind::TwoFactorEnabled,
            (true, false, true) => EventKind::AuthenticatorReplaced,
            (true, false, false) => EventKind::SecondFactorPassed,
            (false, ..) if opens_session => EventKind::SecondFactorSignedIn,
            (false, ..) => EventKind::SecondFactorConfirmed,
        };
        let trust_token =
            (!in_session && opens_session && attempt.trusts_device).then(|| with_random(TrustToken::generate));
        let opened = if opens_session { Some(session.session.id) } else { session_id };
        let pass = PassSecondFactor {
            actor: actor.clone(),
            account_id: account.id,
            proof,
            session: opens_session.then(|| session.clone()),
            refresh_token: None,
            ticket: None,
            trust: trust_token.as_ref().map(|token| NewTrust {
                digest: token.digest(),
                application_id: None,
                expires_at: now + self.policy.trust_lifetime,
            }),
            enables: if enables { Some(mail_method(&account, now)?) } else { None },
            removes: None,
            now,
            event: caller.factor_event(kind, Some(attempt.factor), Some(account.id), opened, now),
        };
        match self.store.pass_second_factor(pass).await? {
            Passed::Done => {}
            Passed::ActorGone => return Ok(Err(Refused::NoActor)),
            Passed::ProofSpent => {
                // The code was right; somebody was faster with it. That is no guess.
                self.fail(caller, actor, session_id, account.id, Some(attempt.factor), true).await?;
                return Ok(Err(match attempt.factor {
                    Factor::Totp => Refused::WrongCode,
                    Factor::MailedCode => Refused::NoCode,
                    Factor::BackupCode => Refused::Raced,
                }));
            }
        }
        if enables {
            (account.two_factor_enabled, account.updated_at) = (true, now);
        }
        let trust = trust_token.map(|token| trusted_device::cookie_value(&token, account.id, &self.keyring));
        Ok(Ok(match presenter {
            Presenter::Session(authenticated) if !enables => Verified::Passed(authenticated),
            Presenter::Session(_) => {
                Verified::Enabled(Box::new(Authenticated { session: session.session, account, token }))
            }
            Presenter::Challenge(_) if opens_session => {
                let signed_in = Box::new(Authenticated { session: session.session, account, token });
                Verified::SignedIn { signed_in, trust }
            }
            Presenter::Challenge(_) => Verified::Confirmed(Box::new(account)),
        }))
    }
}

/// Codes by mail are a second factor beside the app as soon as the second factor is on.
fn mail_method(account: &Account, now: Timestamp) -> Result<NewMethod, FlowError> {
    let email = account.email.clone().ok_or(FlowError::NoAddress)?;
    Ok(NewMethod {
        id: with_random(|random| MethodId::generate(now, random)),
        handles: new_handles(),
        name: None,
        what: NewFactor::Address(Address::Email(email)),
    })
}

/// Compares codes with those they may be, with the same work when there are none. A spent one is told from a wrong
/// one, so that presenting a right code twice at once counts as no guess.
fn judge_backup_code(candidates: &[(BackupCode, Vec<StoredBackupCode>)], memory: &mut Vec<argon2::Block>) -> Judgement {
    if let [(code, _), ..] = candidates
        && candidates.iter().all(|(_, stored)| stored.is_empty())
    {
        let _ = code.matches(&PasswordHash::of_nobody(Cost::BACKUP_CODE), memory);
    }
    let mut pairs = candidates.iter().flat_map(|(code, stored)| stored.iter().map(move |stored| (code, stored)));
    match pairs.find(|(code, stored)| code.matches(&stored.hash, memory)) {
        Some((_, stored)) if stored.is_spent => Judgement::Replayed,
        Some((_, stored)) => Judgement::Right(Proof::BackupCode(stored.id)),
        None => Judgement::Wrong,
    }
}
