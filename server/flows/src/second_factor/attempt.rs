//! Attempts in a transaction of their own: claimed, judged outside of it, and recorded or given back.

use super::Refused;
use crate::hashing::Permit;
use crate::{Caller, FlowError, Flows};
use countersign_domain::account::Account;
use countersign_domain::attempt::{Claimant, Expected, Material, Proof};
use countersign_domain::audit::{AuditContext, EventKind};
use countersign_domain::backup_code::BackupCode;
use countersign_domain::challenge::{Challenge, Factor};
use countersign_domain::decisions::judgement::{
    Judgement, backup_code_candidates, judge_backup_code, judge_one_time_code, judge_totp,
};
use countersign_domain::guess::Guess;
use countersign_domain::ids::{AccountId, SessionId};
use countersign_domain::observer::SecondFactorResult;
use countersign_domain::presentation::Presentation;
use countersign_domain::presented_code::PresentedCode;
use countersign_domain::secret::Digest;
use countersign_domain::stored_secret::{self, Renewal};
use countersign_domain::time::Timestamp;
use countersign_store::work::{Claim, ClaimAttempt, FailAttempt, Granted as GrantedAttempt, ReturnAttempt};
use rand_core::CryptoRng;
use std::time::Duration;

/// A right code that does not count yet.
pub(crate) struct Judged {
    pub(crate) claimant: Claimant,
    pub(super) expected: Expected,
    pub(crate) account: Account,
    pub(super) challenge: Option<Challenge>,
    pub(crate) proof: Proof,
    /// What the row of the app lacks, if it is of an earlier version.
    pub(crate) renewal: Option<Renewal>,
    guess: Guess,
    /// What it has added to the long-term count of guesses.
    pub(crate) charge: Duration,
}

/// A claimed attempt that did not succeed.
pub(super) struct FailedAttempt {
    pub(super) account_id: AccountId,
    pub(super) factor: Option<Factor>,
    /// What the audit trail records: that it was wrong, or right and used already, or a copy.
    pub(super) kind: EventKind,
    /// The ceremony of a passkey, which is spent.
    pub(super) ceremony: Option<Digest>,
    pub(super) guess: Guess,
    pub(super) charge: Duration,
    /// Whether the claim locked the account.
    pub(super) locks: bool,
}

impl Flows {
    /// Claims an attempt and judges the code. A wrong one is recorded here; a right one counts only once it is completed.
    pub(crate) async fn judge_second_factor(
        &self,
        caller: &Caller,
        claimant: Claimant,
        expected: Expected,
        code: &PresentedCode,
    ) -> Result<Result<Judged, Refused>, FlowError> {
        let judged = self.claim_and_judge(caller, claimant, expected, code).await;
        self.note_refusal(caller, expected.factor(), &judged);
        judged
    }

    async fn claim_and_judge(
        &self,
        caller: &Caller,
        claimant: Claimant,
        expected: Expected,
        code: &PresentedCode,
    ) -> Result<Result<Judged, Refused>, FlowError> {
        let now = self.now();
        // The permit comes before the claim, so that a request that is shed costs no try.
        let permit = expected.includes(Factor::BackupCode).then(|| self.admit(caller)).transpose()?;
        let claim = self.new_claim(claimant.clone(), expected, code, now);
        let claimed = self.store().claim_attempt(claim).await?;
        let GrantedAttempt { account, challenge, material, guess, charge, locks, .. } =
            match self.granted_attempt(caller, expected, claimed) {
                Ok(granted) => granted,
                Err(refused) => return Ok(Err(refused)),
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
        let kind = match judgement {
            Judgement::Right(proof) => {
                return Ok(Ok(Judged { claimant, expected, account, challenge, proof, renewal, guess, charge }));
            }
            Judgement::Replayed => EventKind::SecondFactorReplayed,
            Judgement::Wrong => EventKind::SecondFactorRejected,
        };
        let (account_id, factor, ceremony) = (account.id, expected.factor(), None);
        let failed = FailedAttempt { account_id, factor, kind, ceremony, guess, charge, locks };
        self.fail_attempt(caller, claimant, failed).await?;
        Ok(Err(Refused::WrongCode))
    }

    /// A claim of an attempt with this code.
    pub(super) fn new_claim(
        &self,
        claimant: Claimant,
        expected: Expected,
        code: &PresentedCode,
        now: Timestamp,
    ) -> ClaimAttempt {
        let presentation = Presentation::new(code, expected, &claimant.subject(), now, self.keyring());
        ClaimAttempt { claimant, expected, presentation, passkey: None, now, rules: self.rules() }
    }

    /// The attempt if it was granted, else why it was not.
    pub(super) fn granted_attempt(
        &self,
        caller: &Caller,
        expected: Expected,
        claimed: Claim,
    ) -> Result<GrantedAttempt, Refused> {
        Err(match claimed {
            Claim::Granted(granted) => return Ok(*granted),
            Claim::Repeated => {
                self.note_second_factor(caller, expected.factor(), SecondFactorResult::Wrong);
                Refused::WrongCode
            }
            Claim::NoClaimant => Refused::NoClaimant,
            Claim::Locked { until } => Refused::Locked { until },
            Claim::ChallengeExhausted => Refused::ChallengeExhausted,
            Claim::NotAllowed => Refused::NotAllowed,
            Claim::NotEnrolled => Refused::NotEnrolled,
            Claim::NoCode => Refused::NoCode,
            Claim::CodeExhausted => Refused::CodeExhausted,
        })
    }

    #[expect(clippy::too_many_arguments, reason = "each is a part of one judgement")]
    async fn judge(
        &self,
        expected: Expected,
        code: &PresentedCode,
        claimant: &Claimant,
        account: &Account,
        material: &Material,
        permit: Option<Permit>,
        now: Timestamp,
    ) -> Result<Judgement, FlowError> {
        let judgement = self.judge_unhashed(expected, code, claimant, account, material, now)?;
        let Some(permit) = permit.filter(|_| judgement == Judgement::Wrong) else { return Ok(judgement) };
        let readings = match expected {
            Expected::One(_) => BackupCode::parse(code).into_iter().collect(),
            Expected::Any { .. } => BackupCode::parse_typed(code),
        };
        if readings.is_empty() {
            return Ok(Judgement::Wrong);
        }
        let candidates = backup_code_candidates(readings, account.id, &material.backup_codes, self.keyring());
        Ok(permit.run(move |memory| judge_backup_code(&candidates, memory)).await?)
    }

    /// Judges a code as one of an authenticator app or one that was sent, which takes microseconds.
    pub(super) fn judge_unhashed(
        &self,
        expected: Expected,
        code: &PresentedCode,
        claimant: &Claimant,
        account: &Account,
        material: &Material,
        now: Timestamp,
    ) -> Result<Judgement, FlowError> {
        if expected.includes(Factor::Totp) {
            let (judgement, unopened) = judge_totp(code, material, self.keyring(), self.policy().totp_skew, now)?;
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
            return Ok(judge_one_time_code(code, material, &claimant.subject(), account.id, self.keyring()));
        }
        Ok(Judgement::Wrong)
    }

    /// What the row of the app lacks that has proved the code, if it is of an earlier version.
    pub(super) fn renewal(&self, judgement: &Judgement, material: &Material) -> Result<Option<Renewal>, FlowError> {
        let Judgement::Right(proof) = judgement else { return Ok(None) };
        let apps = material.authenticators.iter().chain(&material.pending);
        let renew = |random: &mut dyn CryptoRng| {
            stored_secret::renewal(apps, proof, self.secret_binding(), self.keyring(), random)
        };
        Ok(self.random().draw(renew)?)
    }

    /// Gives back an attempt whose code was right and was not made to count. If the failure came after a commit of which this server
    /// does not know, it is given back twice; only a right code leads here, so no guess is gained.
    pub(crate) async fn return_attempt(&self, caller: &Caller, judged: &Judged) {
        let Judged { claimant, expected, account, charge, .. } = judged;
        self.note_second_factor(caller, Some(judged.proof.factor()), SecondFactorResult::NotJudged);
        self.return_claim(caller, claimant.clone(), *expected, account.id, *charge).await;
    }

    /// Gives an attempt back that this server did not judge, or not make count. If that fails too, the failure is logged and the
    /// attempt counts.
    async fn return_claim(
        &self,
        caller: &Caller,
        claimant: Claimant,
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
    async fn fail_attempt(&self, caller: &Caller, claimant: Claimant, failed: FailedAttempt) -> Result<(), FlowError> {
        let (account_id, factor) = (failed.account_id, failed.factor);
        let is_replay = failed.kind == EventKind::SecondFactorReplayed;
        let locks = self.store().fail_attempt(self.failure(caller, claimant, failed)).await?;
        self.note_failure(caller, account_id, factor, is_replay, locks);
        Ok(())
    }

    /// What is stored of an attempt that failed.
    pub(super) fn failure(&self, caller: &Caller, claimant: Claimant, failed: FailedAttempt) -> FailAttempt {
        let FailedAttempt { account_id, factor, kind, ceremony, guess, charge, locks } = failed;
        let is_replay = kind == EventKind::SecondFactorReplayed;
        let session_id = claimant.session_id();
        let audit = self.factor_audit(caller, factor, Some(account_id), session_id, self.now());
        let event = audit.event(kind);
        let lock_event =
            locks.then(|| self.random().draw(|random| audit.again(random)).by_server().event(EventKind::AccountLocked));
        let rules = self.rules();
        FailAttempt { claimant, factor, account_id, is_replay, guess, charge, ceremony, rules, event, lock_event }
    }

    /// Notes an attempt that failed and was recorded.
    pub(super) fn note_failure(
        &self,
        caller: &Caller,
        account_id: AccountId,
        factor: Option<Factor>,
        is_replay: bool,
        locks: bool,
    ) {
        if locks {
            self.log_lock(caller, account_id, "locked an account after too many wrong second factors");
        }
        let result = if is_replay { SecondFactorResult::Replayed } else { SecondFactorResult::Wrong };
        self.note_second_factor(caller, factor, result);
    }

    /// Records a right code that another request used first: a replay, for which the account is not charged. What was decided
    /// stands if this fails.
    pub(crate) async fn record_replay(&self, caller: &Caller, judged: &Judged) {
        let failed = FailedAttempt {
            account_id: judged.account.id,
            factor: Some(judged.proof.factor()),
            kind: EventKind::SecondFactorReplayed,
            ceremony: None,
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

    pub(crate) fn factor_audit(
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
