//! Passing a second factor, in a challenge and in a live session.
//!
//! Three steps: claim the attempt, which counts it; judge the code, which changes nothing; complete it in one transaction
//! that every guard can still stop.

use super::enrolment::new_handles;
use super::hashing::Permit;
use super::sign_in::Granted;
use super::{Authenticated, Caller, FlowError, Flows};
use countersign_domain::account::{Account, Unusable};
use countersign_domain::address::Address;
use countersign_domain::assurance::{Assurance, Manager};
use countersign_domain::attempt::{self, Expected, Material, Proof};
use countersign_domain::audit::{AuditContext, EventKind};
use countersign_domain::backup_code::BackupCode;
use countersign_domain::challenge::{Challenge, Factor};
use countersign_domain::decisions::judgement::{
    Judgement, backup_code_candidates, judge_backup_code, judge_one_time_code, judge_totp,
};
use countersign_domain::decisions::second_factor::{Request, SecondFactor, SessionChange};
use countersign_domain::guess::Guess;
use countersign_domain::ids::{AccountId, ApplicationId, MethodId, SessionId, TenantId};
use countersign_domain::observer::SecondFactorResult;
use countersign_domain::presentation::Presentation;
use countersign_domain::presented_code::PresentedCode;
use countersign_domain::secret::{Bearer, ChangePasswordId, Digest, StepUpToken};
use countersign_domain::stored_secret::{self, Renewal};
use countersign_domain::terms::{Grant, Terms};
use countersign_domain::time::Timestamp;
use countersign_store::work::{
    Claim, ClaimAttempt, CompleteSecondFactor, FailAttempt, Granted as GrantedAttempt, NewFactor, NewMethod, NewTicket,
    ReturnAttempt, SecondFactorCompleted, TicketKind,
};
use rand_core::CryptoRng;
use std::time::Duration;

/// Who presents a second factor.
#[derive(Debug)]
pub enum Claimant {
    /// A sign-in that waits for it, by the digest of its challenge token.
    Challenge(Digest),
    Session(Box<Authenticated>),
}

impl Claimant {
    pub(super) fn key(&self) -> attempt::Claimant {
        match self {
            Self::Challenge(digest) => attempt::Claimant::Challenge(*digest),
            Self::Session(authenticated) => attempt::Claimant::Session {
                session_id: authenticated.session.id,
                account_id: authenticated.account.id,
            },
        }
    }
}

/// A second factor as presented.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    pub expected: Expected,
    /// As typed.
    pub code: &'a str,
    pub request: Request,
    /// The application, if the challenge does not name it.
    pub application_id: Option<ApplicationId>,
    /// The tenant that the caller means; a challenge of another one does not exist for it.
    pub tenant_id: Option<TenantId>,
    /// Whether a refresh token is wanted, where tokens are granted.
    pub wants_tokens: bool,
}

impl<'a> Attempt<'a> {
    /// An attempt with one factor that asks for nothing else.
    #[must_use]
    pub fn of(factor: Factor, code: &'a str) -> Self {
        Self {
            expected: Expected::One(factor),
            code,
            request: Request::default(),
            application_id: None,
            tenant_id: None,
            wants_tokens: false,
        }
    }

    /// An attempt with a code of whichever factor.
    #[must_use]
    pub fn of_any(code: &'a str) -> Self {
        let backup_code = !BackupCode::parse_typed(&PresentedCode::new(code)).is_empty();
        Self { expected: Expected::Any { backup_code }, ..Self::of(Factor::Totp, code) }
    }
}

/// What a right second factor led to.
#[derive(Debug)]
pub enum Verified {
    /// A challenge ended in what the terms grant.
    Granted {
        granted: Granted,
        /// The token of a newly trusted device.
        trust: Option<Bearer>,
        /// Shows that a second factor was passed; where tokens are granted.
        step_up: StepUpToken,
        /// The caller's `state` (JSON text).
        state: Option<String>,
    },
    /// A challenge was consumed without a grant, as asked.
    Confirmed(Box<Account>),
    PasswordChangeDue(ChangePasswordId),
    Unusable(Unusable),
    /// The second factor is switched on, and the session replaced.
    Enabled(Box<Authenticated>),
    /// The live session has passed a second factor.
    Passed {
        session: Box<Authenticated>,
        has_new_token: bool,
    },
}

/// Why a second factor is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The challenge is unknown, expired or used, or the session has ended.
    NoClaimant,
    /// Wrong or used.
    WrongCode,
    /// Right, but another request used the same one-time code at the same moment.
    CodeUsed,
    /// Right, but another request used the same backup code at the same moment.
    BackupCodeUsed,
    /// The tenant does not allow this factor.
    NotAllowed,
    NotEnrolled,
    /// No one-time code is waiting.
    NoCode,
    /// The one-time code has no tries left.
    CodeExhausted,
    /// The challenge has no tries left.
    ChallengeExhausted,
    /// The account is locked, or its long-term limit of guesses is reached.
    Locked {
        until: Timestamp,
    },
}

impl Refused {
    /// How the attempt ended; `None` if that was noted when it was recorded.
    fn result(self) -> Option<SecondFactorResult> {
        match self {
            Self::WrongCode | Self::CodeUsed | Self::BackupCodeUsed => None,
            Self::NoClaimant => Some(SecondFactorResult::NoChallenge),
            Self::Locked { .. } => Some(SecondFactorResult::Locked),
            Self::CodeExhausted | Self::ChallengeExhausted => Some(SecondFactorResult::Exhausted),
            Self::NotAllowed | Self::NotEnrolled | Self::NoCode => Some(SecondFactorResult::NotPossible),
        }
    }
}

/// A right code that does not count yet.
pub(super) struct Judged {
    pub(super) claimant: attempt::Claimant,
    expected: Expected,
    pub(super) account: Account,
    challenge: Option<Challenge>,
    pub(super) proof: Proof,
    /// What the row of the app lacks, if it is of an earlier version.
    pub(super) renewal: Option<Renewal>,
    guess: Guess,
    /// What it has added to the long-term count of guesses.
    pub(super) charge: Duration,
}

/// A claimed attempt that did not succeed.
struct FailedAttempt {
    account_id: AccountId,
    factor: Option<Factor>,
    /// Whether the code was right and used already.
    is_replay: bool,
    guess: Guess,
    charge: Duration,
    /// Whether the claim locked the account.
    locks: bool,
}

impl Flows {
    /// Verifies a second factor and opens what is decided.
    ///
    /// # Errors
    /// When the hashing queue is full (before anything is counted), or the database fails.
    pub async fn verify_second_factor(
        &self,
        caller: &Caller,
        claimant: Claimant,
        attempt: Attempt<'_>,
        terms: &Terms,
    ) -> Result<Result<Verified, Refused>, FlowError> {
        // Before anything is counted: a server that cannot sign is no reason to charge an account.
        if terms.grant == Grant::Tokens {
            self.check_signing()?;
        }
        let judged = match self.judge_second_factor(caller, claimant.key(), attempt.expected, attempt.code).await? {
            Ok(judged) => judged,
            Err(refused) => return Ok(Err(refused)),
        };
        if attempt.tenant_id.is_some_and(|tenant| tenant != judged.account.tenant_id) {
            // For this caller there is no such challenge, so this was no guess.
            self.return_attempt(caller, &judged).await;
            return Ok(Err(Refused::NoClaimant));
        }
        let completed = self.complete(caller, claimant, &judged, &attempt, terms).await;
        if completed.is_err() {
            self.return_attempt(caller, &judged).await;
        }
        completed
    }

    /// Claims an attempt and judges the code. A wrong one is recorded here; a right one counts only once it is completed.
    pub(super) async fn judge_second_factor(
        &self,
        caller: &Caller,
        claimant: attempt::Claimant,
        expected: Expected,
        code: &str,
    ) -> Result<Result<Judged, Refused>, FlowError> {
        let judged = self.claim_and_judge(caller, claimant, expected, code).await;
        let result = match &judged {
            Ok(Ok(_)) => None,
            Ok(Err(refused)) => refused.result(),
            Err(_) => Some(SecondFactorResult::Error),
        };
        if let Some(result) = result {
            self.note_second_factor(caller, expected.factor(), result);
        }
        judged
    }

    /// Notes how an attempt ended. Each is noted once: where it is recorded if it is, else where it is refused.
    pub(super) fn note_second_factor(&self, caller: &Caller, factor: Option<Factor>, result: SecondFactorResult) {
        self.observer().second_factor_ended(factor, result, caller.dialect);
    }

    async fn claim_and_judge(
        &self,
        caller: &Caller,
        claimant: attempt::Claimant,
        expected: Expected,
        code: &str,
    ) -> Result<Result<Judged, Refused>, FlowError> {
        let now = self.now();
        // The permit comes before the claim, so that a request that is shed costs no try.
        let permit = expected.includes(Factor::BackupCode).then(|| self.admit(caller)).transpose()?;
        let presentation =
            Presentation::new(&PresentedCode::new(code), expected, &claimant.subject(), now, self.keyring());
        let claim = ClaimAttempt { claimant: claimant.clone(), expected, presentation, now, rules: self.rules() };
        let GrantedAttempt { account, challenge, material, guess, charge, locks } =
            match self.store().claim_attempt(claim).await? {
                Claim::Granted(granted) => *granted,
                Claim::Repeated => {
                    self.note_second_factor(caller, expected.factor(), SecondFactorResult::Wrong);
                    return Ok(Err(Refused::WrongCode));
                }
                Claim::NoClaimant => return Ok(Err(Refused::NoClaimant)),
                Claim::Locked { until } => return Ok(Err(Refused::Locked { until })),
                Claim::ChallengeExhausted => return Ok(Err(Refused::ChallengeExhausted)),
                Claim::NotAllowed => return Ok(Err(Refused::NotAllowed)),
                Claim::NotEnrolled => return Ok(Err(Refused::NotEnrolled)),
                Claim::NoCode => return Ok(Err(Refused::NoCode)),
                Claim::CodeExhausted => return Ok(Err(Refused::CodeExhausted)),
            };
        let judged = self.judge(expected, code, &claimant, &account, &material, permit, now).await;
        let judged = judged.and_then(|judgement| Ok((self.renewal(&judgement, &material)?, judgement)));
        let (renewal, judgement) = match judged {
            Ok(judged) => judged,
            Err(error) => {
                self.return_claim(caller, claimant, expected, account.id, charge).await;
                return Err(error);
            }
        };
        let is_replay = match judgement {
            Judgement::Right(proof) => {
                return Ok(Ok(Judged { claimant, expected, account, challenge, proof, renewal, guess, charge }));
            }
            Judgement::Replayed => true,
            Judgement::Wrong => false,
        };
        let failed =
            FailedAttempt { account_id: account.id, factor: expected.factor(), is_replay, guess, charge, locks };
        self.fail_attempt(caller, claimant, failed).await?;
        Ok(Err(Refused::WrongCode))
    }

    #[expect(clippy::too_many_arguments, reason = "each is a part of one judgement")]
    async fn judge(
        &self,
        expected: Expected,
        code: &str,
        claimant: &attempt::Claimant,
        account: &Account,
        material: &Material,
        permit: Option<Permit>,
        now: Timestamp,
    ) -> Result<Judgement, FlowError> {
        let code = PresentedCode::new(code);
        if expected.includes(Factor::Totp) {
            let (judgement, unopened) = judge_totp(&code, material, self.keyring(), self.policy().totp_skew, now)?;
            for (method_id, error) in unopened {
                let cause = countersign_domain::error_chain(&error);
                slog::error!(
                    self.services.log, "left out an authenticator app"; "account" => account.id.to_hyphenated(),
                    "method" => %method_id, "cause" => cause
                );
            }
            if judgement != Judgement::Wrong {
                return Ok(judgement);
            }
        }
        if expected.includes(Factor::OneTimeCode) {
            let judgement = judge_one_time_code(&code, material, &claimant.subject(), account.id, self.keyring());
            if judgement != Judgement::Wrong {
                return Ok(judgement);
            }
        }
        let Some(permit) = permit else { return Ok(Judgement::Wrong) };
        let readings = match expected {
            Expected::One(_) => BackupCode::parse(&code).into_iter().collect(),
            Expected::Any { .. } => BackupCode::parse_typed(&code),
        };
        if readings.is_empty() {
            return Ok(Judgement::Wrong);
        }
        let candidates = backup_code_candidates(readings, account.id, &material.backup_codes, self.keyring());
        Ok(permit.run(move |memory| judge_backup_code(&candidates, memory)).await?)
    }

    fn renewal(&self, judgement: &Judgement, material: &Material) -> Result<Option<Renewal>, FlowError> {
        let Judgement::Right(proof) = judgement else { return Ok(None) };
        let apps = material.authenticators.iter().chain(&material.pending);
        let renew = |random: &mut dyn CryptoRng| {
            stored_secret::renewal(apps, proof, self.secret_binding(), self.keyring(), random)
        };
        Ok(self.random().draw(renew)?)
    }

    /// Gives back an attempt whose code was right and was not made to count. If the failure came after a commit of which this server
    /// does not know, it is given back twice; only a right code leads here, so no guess is gained.
    pub(super) async fn return_attempt(&self, caller: &Caller, judged: &Judged) {
        let Judged { claimant, expected, account, charge, .. } = judged;
        self.note_second_factor(caller, Some(judged.proof.factor()), SecondFactorResult::NotJudged);
        self.return_claim(caller, claimant.clone(), *expected, account.id, *charge).await;
    }

    /// Gives an attempt back that this server did not judge, or not make count. If that fails too, the failure is logged and the
    /// attempt counts.
    async fn return_claim(
        &self,
        caller: &Caller,
        claimant: attempt::Claimant,
        expected: Expected,
        account_id: AccountId,
        charge: Duration,
    ) {
        let session_id = claimant.session_id();
        let audit = self.factor_audit(caller, expected.factor(), Some(account_id), session_id, self.now());
        let event = audit.event(EventKind::SecondFactorNotJudged);
        let give = ReturnAttempt { claimant, expected, account_id, charge, event };
        if let Err(error) = self.store().return_attempt(give).await {
            let cause = countersign_domain::error_chain(&error);
            slog::error!(
                self.services.log, "failed to give an attempt back"; "account" => account_id.to_hyphenated(), "cause" => cause
            );
        }
    }

    /// Records an attempt that failed. A replay is no guess, so the account is not charged for it.
    async fn fail_attempt(
        &self,
        caller: &Caller,
        claimant: attempt::Claimant,
        failed: FailedAttempt,
    ) -> Result<(), FlowError> {
        let FailedAttempt { account_id, factor, is_replay, guess, charge, locks } = failed;
        let kind = if is_replay { EventKind::SecondFactorReplayed } else { EventKind::SecondFactorRejected };
        let session_id = claimant.session_id();
        let audit = self.factor_audit(caller, factor, Some(account_id), session_id, self.now());
        let event = audit.event(kind);
        let lock_event =
            locks.then(|| self.random().draw(|random| audit.again(random)).by_server().event(EventKind::AccountLocked));
        let fail = FailAttempt {
            claimant,
            factor,
            account_id,
            is_replay,
            guess,
            charge,
            rules: self.rules(),
            event,
            lock_event,
        };
        if self.store().fail_attempt(fail).await? {
            self.log_lock(caller, account_id, "locked an account after too many wrong second factors");
        }
        let result = if is_replay { SecondFactorResult::Replayed } else { SecondFactorResult::Wrong };
        self.note_second_factor(caller, factor, result);
        Ok(())
    }

    /// Records a right code that another request used first: a replay, for which the account is not charged. What was decided
    /// stands if this fails.
    pub(super) async fn record_replay(&self, caller: &Caller, judged: &Judged) {
        let failed = FailedAttempt {
            account_id: judged.account.id,
            factor: Some(judged.proof.factor()),
            is_replay: true,
            guess: judged.guess,
            charge: judged.charge,
            locks: false,
        };
        if let Err(error) = self.fail_attempt(caller, judged.claimant.clone(), failed).await {
            let cause = countersign_domain::error_chain(&error);
            slog::error!(
                self.services.log, "failed to record a replay"; "account" => judged.account.id.to_hyphenated(), "cause" => cause
            );
        }
    }

    /// Makes a right code count.
    async fn complete(
        &self,
        caller: &Caller,
        claimant: Claimant,
        judged: &Judged,
        attempt: &Attempt<'_>,
        terms: &Terms,
    ) -> Result<Result<Verified, Refused>, FlowError> {
        /// How often the account may change in between.
        const TRIES: u32 = 4;
        let mut current = judged.account.clone();
        for _ in 0..TRIES {
            let now = self.now();
            let account = &current;
            let challenge = judged.challenge.as_ref();
            let is_remembered = match &claimant {
                Claimant::Session(authenticated) => authenticated.session.is_remembered,
                Claimant::Challenge(_) => challenge.is_some_and(|challenge| challenge.is_remembered),
            };
            let application_id =
                attempt.application_id.or_else(|| challenge.and_then(|challenge| challenge.application_id));
            let for_tokens = application_id.filter(|_| attempt.wants_tokens);
            let mut prepared = self.prepare_grant(caller, account, is_remembered, for_tokens, Some(now), now);
            prepared.application_id = application_id;
            let (mut session_token, mut is_assured) = (prepared.session.token, false);
            if let Claimant::Session(authenticated) = &claimant {
                let next = prepared.session.session.clone();
                prepared.session.session = next.in_place_of(&authenticated.session, self.policy());
                session_token = authenticated.token.digest();
                let owner = Manager::Owner(Assurance::of_session(&authenticated.session, &authenticated.account));
                let is_enrolled = account.two_factor_enabled;
                is_assured = is_enrolled && owner.check_assurance(account, self.policy(), now).is_ok();
            }
            let (change_password, change_password_id) = self.new_change_password_ticket(now);
            let step_up = self.random().draw(StepUpToken::generate);
            let step_up_ticket = NewTicket {
                kind: TicketKind::StepUp,
                digest: step_up.digest(),
                trust_challenge: challenge.and_then(|challenge| challenge.trust_challenge),
                state: None,
                expires_at: now + self.policy().trust_token_lifetime,
                address: None,
            };
            let (trust, new_trust) = self.new_trust(caller, account, application_id, terms, now);
            let uses_tickets = terms.grant == Grant::Tokens;
            let factor = judged.proof.factor();
            let audit = self.factor_audit(caller, Some(factor), Some(account.id), judged.claimant.session_id(), now);
            let more_audit = self.random().draw(|random| [audit.again(random), audit.again(random)]);
            let absence_audit = self.random().draw(|random| audit.again(random));
            let few_codes = self.random().draw(|random| audit.again(random)).event(EventKind::BackupCodesFew);
            let complete = CompleteSecondFactor {
                claimant: judged.claimant.clone(),
                account: account.clone(),
                proof: judged.proof.clone(),
                renewal: judged.renewal.clone(),
                charge: judged.charge,
                few_codes,
                request: attempt.request,
                rules: self.rules(),
                terms: *terms,
                session: prepared.session.clone(),
                session_token,
                is_assured,
                refresh_token: prepared.refresh_token.clone(),
                step_up: uses_tickets.then_some(step_up_ticket),
                change_password: uses_tickets.then_some(change_password),
                trust: new_trust,
                network: challenge
                    .and_then(|challenge| challenge.network)
                    .map(|network| self.known_network(network.known, now)),
                email_method: self.email_method(account, now),
                now,
                audit,
                more_audit,
                absence_audit,
            };
            let (decision, account, user) = match self.store().complete_second_factor(complete).await? {
                SecondFactorCompleted::Done { decision, account, user } => (decision, *account, user),
                SecondFactorCompleted::ClaimantGone => {
                    self.record_replay(caller, judged).await;
                    return Ok(Err(Refused::NoClaimant));
                }
                SecondFactorCompleted::ProofSpent => {
                    self.record_replay(caller, judged).await;
                    return Ok(Err(match factor {
                        Factor::Totp => Refused::WrongCode,
                        Factor::OneTimeCode => Refused::CodeUsed,
                        Factor::BackupCode => Refused::BackupCodeUsed,
                    }));
                }
                SecondFactorCompleted::EnrolmentDue => {
                    self.return_attempt(caller, judged).await;
                    return Ok(Err(Refused::NotEnrolled));
                }
                SecondFactorCompleted::Changed(account) => {
                    current = *account;
                    continue;
                }
            };
            let result = match decision {
                SecondFactor::EnrolmentDue | SecondFactor::Refused(_) => SecondFactorResult::NotPossible,
                SecondFactor::SignedIn { .. }
                | SecondFactor::Confirmed
                | SecondFactor::PasswordChangeDue
                | SecondFactor::Enabled(_)
                | SecondFactor::Replaced
                | SecondFactor::Passed { .. } => SecondFactorResult::Success,
            };
            self.note_second_factor(caller, Some(factor), result);
            let user = user.map(|user| *user);
            return Ok(Ok(match (decision, claimant) {
                (SecondFactor::EnrolmentDue, _) => return Ok(Err(Refused::NotEnrolled)),
                (SecondFactor::SignedIn { trusts_device }, _) => Verified::Granted {
                    granted: self.granted(prepared, account, user),
                    trust: trusts_device.then_some(trust),
                    step_up,
                    state: challenge.and_then(|challenge| challenge.state.clone()),
                },
                (SecondFactor::PasswordChangeDue, _) => Verified::PasswordChangeDue(change_password_id),
                (SecondFactor::Refused(why), _) => Verified::Unusable(why),
                (SecondFactor::Enabled(_), _) => {
                    Verified::Enabled(self.granted(prepared, account, None).into_session()?)
                }
                (SecondFactor::Passed { .. } | SecondFactor::Replaced, Claimant::Session(mut authenticated)) => {
                    authenticated.session.second_factor_at = Some(now);
                    authenticated.account = account;
                    let has_new_token = decision.session_change() == SessionChange::NewToken;
                    if has_new_token {
                        authenticated.token = prepared.session_token;
                    }
                    Verified::Passed { session: authenticated, has_new_token }
                }
                (SecondFactor::Confirmed | SecondFactor::Passed { .. } | SecondFactor::Replaced, _) => {
                    Verified::Confirmed(Box::new(account))
                }
            }));
        }
        Err(FlowError::Contended(TRIES))
    }

    /// The method for the account's e-mail address, in case it becomes one.
    pub(super) fn email_method(&self, account: &Account, now: Timestamp) -> Option<NewMethod> {
        let email = account.email.clone()?;
        Some(self.random().draw(|random| NewMethod {
            id: MethodId::generate(now, random),
            handles: new_handles(random),
            name: None,
            factor: NewFactor::Address(Address::Email(email)),
        }))
    }

    pub(super) fn factor_audit(
        &self,
        caller: &Caller,
        factor: Option<Factor>,
        account_id: Option<AccountId>,
        session_id: Option<SessionId>,
        now: Timestamp,
    ) -> AuditContext {
        AuditContext { factor, account_id, session_id, ..self.audit(caller, now) }
    }
}
