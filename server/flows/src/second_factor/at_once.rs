//! Attempts with passkeys, and with codes that are quick to judge: one transaction claims, judges, and records or completes them.

use super::attempt::FailedAttempt;
use super::completion::{Openings, RightCode, TRIES};
use super::{Attempt, Claimant, Refused, Verified};
use crate::{Caller, FlowError, Flows};
use countersign_domain::attempt::{Claimant as ClaimantKey, Expected, Proof};
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::judgement::{Judgement, PasskeyJudgement, judge_passkey};
use countersign_domain::ids::AccountId;
use countersign_domain::stored_secret::Renewal;
use countersign_domain::terms::Terms;
use countersign_domain::time::Timestamp;
use countersign_store::work::{
    AttemptEnded, AttemptSecondFactor, ClaimAttempt, Granted, PresentedPasskey, Ruling, SecondFactorCompleted,
};
use std::sync::Arc;

/// What the transaction judges with, as often as it is repeated.
struct Judge {
    flows: Flows,
    caller: Caller,
    claimant: Claimant,
    attempt: Attempt,
    terms: Terms,
    /// When the code was presented.
    at: Timestamp,
}

/// Why an attempt is withdrawn.
struct Withdrawn {
    account_id: AccountId,
    reason: Reason,
}

enum Reason {
    /// The challenge is one of another tenant than the caller means; for this caller there is none, so this was no guess.
    OtherTenant,
    NotJudged(FlowError),
}

impl Judge {
    fn judge(&self, granted: &Granted) -> Ruling<Openings, Withdrawn> {
        let account = &granted.account;
        let withdraw = |reason| Ruling::Withdraw(Withdrawn { account_id: account.id, reason });
        if self.attempt.tenant_id.is_some_and(|tenant| tenant != account.tenant_id) {
            return withdraw(Reason::OtherTenant);
        }
        if let Some(assertion) = &self.attempt.assertion {
            let relying_party = self.flows.services.rules.relying_party.as_ref();
            return match judge_passkey(&assertion.response, &granted.material, relying_party) {
                PasskeyJudgement::Right(proof) => self.complete(granted, &proof, None),
                PasskeyJudgement::Wrong(kind) => self.fail(granted, kind),
            };
        }
        match self.judge_code(granted) {
            Ok((Judgement::Right(proof), renewal)) => self.complete(granted, &proof, renewal.as_ref()),
            Ok((Judgement::Replayed, _)) => self.fail(granted, EventKind::SecondFactorReplayed),
            Ok((Judgement::Wrong, _)) => self.fail(granted, EventKind::SecondFactorRejected),
            Err(error) => withdraw(Reason::NotJudged(error)),
        }
    }

    fn judge_code(&self, granted: &Granted) -> Result<(Judgement, Option<Renewal>), FlowError> {
        let (Attempt { expected, code, .. }, key) = (&self.attempt, self.claimant.key());
        let judgement =
            self.flows.judge_unhashed(*expected, code, &key, &granted.account, &granted.material, self.at)?;
        let renewal = self.flows.renewal(&judgement, &granted.material)?;
        Ok((judgement, renewal))
    }

    fn complete(&self, granted: &Granted, proof: &Proof, renewal: Option<&Renewal>) -> Ruling<Openings, Withdrawn> {
        let Granted { account, challenge, charge, .. } = granted;
        let right = RightCode { account, challenge: challenge.as_ref(), proof, renewal, charge: *charge };
        let (complete, openings) =
            self.flows.prepare_completion(&self.caller, &self.claimant, &self.attempt, &self.terms, &right);
        Ruling::Complete(Box::new(complete), openings)
    }

    fn fail(&self, granted: &Granted, kind: EventKind) -> Ruling<Openings, Withdrawn> {
        let failed = FailedAttempt {
            account_id: granted.account.id,
            factor: self.attempt.expected.factor(),
            kind,
            ceremony: self.attempt.assertion.as_ref().map(|assertion| assertion.ceremony),
            guess: granted.guess,
            charge: granted.charge,
            locks: granted.locks,
        };
        Ruling::Fail(Box::new(self.flows.failure(&self.caller, self.claimant.key(), failed)))
    }
}

impl Flows {
    /// Claims and judges an attempt, and makes a right code count, in one transaction.
    pub(super) async fn verify_at_once(
        &self,
        caller: &Caller,
        claimant: Claimant,
        attempt: Attempt,
        terms: &Terms,
    ) -> Result<Result<Verified, Refused>, FlowError> {
        let factor = attempt.expected.factor();
        let (flows, terms, at) = (self.clone(), *terms, self.now());
        let judge = Arc::new(Judge { flows, caller: caller.clone(), claimant: claimant.clone(), attempt, terms, at });
        let verified = self.attempt_at_once(caller, claimant, &judge).await;
        self.note_refusal(caller, factor, &verified);
        verified
    }

    async fn attempt_at_once(
        &self,
        caller: &Caller,
        claimant: Claimant,
        judge: &Arc<Judge>,
    ) -> Result<Result<Verified, Refused>, FlowError> {
        let (expected, key) = (judge.attempt.expected, claimant.key());
        for _ in 0..TRIES {
            let claim = self.new_claim(key.clone(), expected, &judge.attempt.code, judge.at);
            let passkey = judge.attempt.assertion.as_ref().map(|assertion| PresentedPasskey {
                ceremony: assertion.ceremony,
                credential_id: assertion.response.credential_id.clone(),
            });
            let claim = ClaimAttempt { passkey, ..claim };
            let judging = Arc::clone(judge);
            let attempt = AttemptSecondFactor { claim, judge: Box::new(move |granted| judging.judge(granted)) };
            let (completed, openings) = match self.store().attempt_second_factor(attempt).await? {
                AttemptEnded::NotGranted(claimed) => match self.granted_attempt(caller, expected, claimed) {
                    Ok(_) => continue,
                    Err(refused) => return Ok(Err(refused)),
                },
                AttemptEnded::Failed { fail, locks } => {
                    self.note_failure(caller, fail.account_id, fail.factor, fail.is_replay, locks);
                    return Ok(Err(Refused::WrongCode));
                }
                AttemptEnded::Withdrawn(Withdrawn { account_id, reason }) => {
                    self.record_uncounted(caller, &key, expected, account_id, EventKind::SecondFactorNotJudged).await;
                    return match reason {
                        Reason::OtherTenant => Ok(Err(Refused::NoClaimant)),
                        Reason::NotJudged(error) => Err(error),
                    };
                }
                AttemptEnded::Completed(completed, openings) => (completed, openings),
            };
            let (account_id, factor) = (openings.account_id, openings.factor);
            let (kind, refused) = match completed {
                SecondFactorCompleted::Done { decision, account, user } => {
                    return self.verified(caller, claimant, decision, *account, user.map(|user| *user), openings);
                }
                SecondFactorCompleted::Changed(_) => continue,
                SecondFactorCompleted::ClaimantGone => (EventKind::SecondFactorReplayed, Refused::NoClaimant),
                SecondFactorCompleted::ProofSpent => (EventKind::SecondFactorReplayed, Refused::spent(factor)),
                SecondFactorCompleted::EnrolmentDue => (EventKind::SecondFactorNotJudged, Refused::NotEnrolled),
            };
            self.record_uncounted(caller, &key, Expected::One(factor), account_id, kind).await;
            return Ok(Err(refused));
        }
        Err(FlowError::Contended(TRIES))
    }

    /// Records what became of an attempt of which nothing else is stored. What was decided stands if this fails.
    async fn record_uncounted(
        &self,
        caller: &Caller,
        claimant: &ClaimantKey,
        expected: Expected,
        account_id: AccountId,
        kind: EventKind,
    ) {
        let session_id = claimant.session_id();
        let audit = self.factor_audit(caller, expected.factor(), Some(account_id), session_id, self.now());
        if let Err(error) = self.store().record(audit.event(kind)).await {
            let cause = countersign_domain::error_chain(&error);
            slog::error!(
                self.services.log, "failed to record an attempt"; "account" => account_id.to_hyphenated(), "cause" => cause
            );
        }
    }
}
