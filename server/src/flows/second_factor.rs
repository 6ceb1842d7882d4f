//! Verifying a second factor, in a challenge and in a live session.
//!
//! Three steps: claim the attempt, which counts it; judge the code, which changes nothing; make it count, in one
//! transaction that every guard can still stop.

use super::{Authenticated, Caller, FlowError, Flows, with_random};
use countersign_domain::account::Account;
use countersign_domain::audit::EventKind;
use countersign_domain::backup_code::BackupCode;
use countersign_domain::challenge::{Challenge, Factor};
use countersign_domain::ids::SessionId;
use countersign_domain::mailed_code::{MailedCode, Subject};
use countersign_domain::password::{Cost, PasswordHash};
use countersign_domain::secret::{ChallengeToken, TrustToken};
use countersign_domain::time::Timestamp;
use countersign_domain::totp;
use countersign_domain::trusted_device;
use countersign_store::work::{
    Actor, Authenticator, Claim, ClaimAttempt, FailAttempt, Granted, Material, NewTrust, PassSecondFactor, Passed,
    Proof, StoredBackupCode,
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
enum Judgement {
    Right(Proof),
    Replayed,
    Wrong,
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
        let now = self.now();
        let factor = attempt.factor;
        // Whoever is shed has not spent a try, so a place in the queue comes before the claim.
        let place = match factor {
            Factor::BackupCode => Some(self.hasher.admit()?),
            Factor::Totp | Factor::MailedCode => None,
        };
        let actor = presenter.actor();
        let claim = ClaimAttempt {
            actor: actor.clone(),
            factor,
            now,
            policy: Arc::clone(&self.policy),
            lock_event: caller.factor_event(EventKind::AccountLocked, factor, None, presenter.session_id(), now),
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
        let judgement = match material {
            Material::Totp { active, pending } => self.judge_totp(attempt.code, active, pending, now)?,
            Material::MailedCode(mac) => self.judge_mailed_code(attempt.code, &actor.subject(), mac),
            Material::BackupCodes(codes) => match (BackupCode::parse(attempt.code), place) {
                (Some(code), Some(place)) => {
                    let candidates = self.candidates(&code, &account, codes);
                    place.run(move |memory| judge_backup_code(&code, &candidates, memory)).await?
                }
                _ => Judgement::Wrong,
            },
        };
        let proof = match judgement {
            Judgement::Right(proof) => proof,
            Judgement::Replayed => {
                return self.fail(caller, &presenter, &account, factor, true, Refused::WrongCode).await;
            }
            Judgement::Wrong => {
                return self.fail(caller, &presenter, &account, factor, false, Refused::WrongCode).await;
            }
        };
        self.pass(caller, presenter, account, challenge, proof, &attempt, now).await
    }

    fn judge_totp(
        &self,
        code: &str,
        active: Option<Authenticator>,
        pending: Option<Authenticator>,
        now: Timestamp,
    ) -> Result<Judgement, FlowError> {
        let mut judgement = Judgement::Wrong;
        // The app being enrolled comes first: its code is what finishes the enrolment.
        for (authenticator, confirms) in [(pending, true), (active, false)] {
            let Some(authenticator) = authenticator else { continue };
            let secret = self.open_secret(&authenticator)?;
            match secret.judge(code, now, self.policy.totp_skew, authenticator.last_step) {
                totp::Verdict::Right { step } => {
                    return Ok(Judgement::Right(Proof::Totp { authenticator_id: authenticator.id, step, confirms }));
                }
                totp::Verdict::Replayed => judgement = Judgement::Replayed,
                totp::Verdict::Wrong => {}
            }
        }
        Ok(judgement)
    }

    fn judge_mailed_code(&self, code: &str, subject: &Subject, mac: Vec<u8>) -> Judgement {
        if MailedCode::presented(code).matches(subject, &mac, &self.keyring) {
            Judgement::Right(Proof::MailedCode(mac))
        } else {
            Judgement::Wrong
        }
    }

    /// The stored codes that the presented one may be.
    fn candidates(&self, code: &BackupCode, account: &Account, stored: Vec<StoredBackupCode>) -> Vec<StoredBackupCode> {
        let selectors = code.selectors(account.id, &self.keyring);
        stored.into_iter().filter(|stored| selectors.contains(&stored.selector)).collect()
    }

    async fn fail(
        &self,
        caller: &Caller,
        presenter: &Presenter,
        account: &Account,
        factor: Factor,
        is_replay: bool,
        refused: Refused,
    ) -> Result<Result<Verified, Refused>, FlowError> {
        let kind = if is_replay { EventKind::SecondFactorReplayed } else { EventKind::SecondFactorRejected };
        let event = caller.factor_event(kind, factor, Some(account.id), presenter.session_id(), self.now());
        self.store
            .fail_attempt(FailAttempt { actor: presenter.actor(), factor, account_id: account.id, is_replay, event })
            .await?;
        Ok(Err(refused))
    }

    /// Makes a right code count.
    #[expect(clippy::too_many_arguments, reason = "the parts of one decision, each named")]
    async fn pass(
        &self,
        caller: &Caller,
        presenter: Presenter,
        mut account: Account,
        challenge: Option<Challenge>,
        proof: Proof,
        attempt: &Attempt<'_>,
        now: Timestamp,
    ) -> Result<Result<Verified, Refused>, FlowError> {
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
        let session_id = if opens_session { Some(session.session.id) } else { presenter.session_id() };
        let pass = PassSecondFactor {
            actor: presenter.actor(),
            account_id: account.id,
            proof,
            session: opens_session.then(|| session.clone()),
            trust: trust_token
                .as_ref()
                .map(|token| NewTrust { digest: token.digest(), expires_at: now + self.policy.trust_lifetime }),
            enables,
            now,
            event: caller.factor_event(kind, attempt.factor, Some(account.id), session_id, now),
        };
        match self.store.pass_second_factor(pass).await? {
            Passed::Done => {}
            Passed::ActorGone => return Ok(Err(Refused::NoActor)),
            Passed::ProofSpent => {
                // The code was right; somebody was faster with it. That is no guess.
                let refused = match attempt.factor {
                    Factor::Totp => Refused::WrongCode,
                    Factor::MailedCode => Refused::NoCode,
                    Factor::BackupCode => Refused::Raced,
                };
                return self.fail(caller, &presenter, &account, attempt.factor, true, refused).await;
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

/// Compares a code with those it may be, with the same work when there are none. A spent one is told from a wrong
/// one, so that presenting a right code twice at once counts as no guess.
fn judge_backup_code(code: &BackupCode, candidates: &[StoredBackupCode], memory: &mut Vec<argon2::Block>) -> Judgement {
    if candidates.is_empty() {
        let _ = code.matches(&PasswordHash::of_nobody(Cost::BACKUP_CODE), memory);
    }
    match candidates.iter().find(|stored| code.matches(&stored.hash, memory)) {
        Some(stored) if stored.is_spent => Judgement::Replayed,
        Some(stored) => Judgement::Right(Proof::BackupCode(stored.id)),
        None => Judgement::Wrong,
    }
}
