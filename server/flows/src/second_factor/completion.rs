//! Making a right code count: what is prepared for whatever it may open, and what it has opened.

use super::{Attempt, Claimant, Judged, Refused, Verified};
use crate::enrolment::new_handles;
use crate::sign_in::PreparedGrant;
use crate::{Caller, FlowError, Flows};
use countersign_domain::account::Account;
use countersign_domain::address::Address;
use countersign_domain::assurance::{Assurance, Manager};
use countersign_domain::attempt::Proof;
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::{Challenge, Factor};
use countersign_domain::decisions::second_factor::{SecondFactor, SessionChange};
use countersign_domain::ids::{AccountId, MethodId};
use countersign_domain::observer::SecondFactorResult;
use countersign_domain::secret::{Bearer, ChangePasswordId, StepUpToken};
use countersign_domain::stored_secret::Renewal;
use countersign_domain::terms::{Grant, Terms};
use countersign_domain::time::Timestamp;
use countersign_domain::user::User;
use countersign_store::work::{
    CompleteSecondFactor, NewFactor, NewMethod, NewTicket, SecondFactorCompleted, TicketKind,
};
use std::time::Duration;

/// How often an account may change while a second factor is completed.
pub(super) const TRIES: u32 = 4;

/// A right code, and what it was judged with.
#[derive(Clone, Copy)]
pub(super) struct RightCode<'a> {
    pub(super) account: &'a Account,
    pub(super) challenge: Option<&'a Challenge>,
    pub(super) proof: &'a Proof,
    pub(super) renewal: Option<&'a Renewal>,
    /// What the attempt has added to the long-term count of guesses.
    pub(super) charge: Duration,
}

/// The caller's side of what a completion may open: of these, it gets what is decided.
pub(super) struct Openings {
    pub(super) account_id: AccountId,
    pub(super) factor: Factor,
    grant: PreparedGrant,
    trust: Bearer,
    step_up: StepUpToken,
    change_password: ChangePasswordId,
    /// Of the challenge.
    state: Option<String>,
    at: Timestamp,
}

impl Flows {
    /// Claims and judges an attempt, and makes a right code count, in a transaction each.
    pub(super) async fn verify_in_two_transactions(
        &self,
        caller: &Caller,
        claimant: Claimant,
        attempt: Attempt,
        terms: &Terms,
    ) -> Result<Result<Verified, Refused>, FlowError> {
        let judged = match self.judge_second_factor(caller, claimant.key(), attempt.expected, &attempt.code).await? {
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

    /// Makes a right code count.
    async fn complete(
        &self,
        caller: &Caller,
        claimant: Claimant,
        judged: &Judged,
        attempt: &Attempt,
        terms: &Terms,
    ) -> Result<Result<Verified, Refused>, FlowError> {
        let mut account = judged.account.clone();
        for _ in 0..TRIES {
            let right = RightCode {
                account: &account,
                challenge: judged.challenge.as_ref(),
                proof: &judged.proof,
                renewal: judged.renewal.as_ref(),
                charge: judged.charge,
            };
            let (complete, openings) = self.prepare_completion(caller, &claimant, attempt, terms, &right);
            match self.store().complete_second_factor(complete).await? {
                SecondFactorCompleted::Done { decision, account, user } => {
                    return self.verified(caller, claimant, decision, *account, user.map(|user| *user), openings);
                }
                SecondFactorCompleted::ClaimantGone => {
                    self.record_replay(caller, judged).await;
                    return Ok(Err(Refused::NoClaimant));
                }
                SecondFactorCompleted::ProofSpent => {
                    self.record_replay(caller, judged).await;
                    return Ok(Err(Refused::spent(judged.proof.factor())));
                }
                SecondFactorCompleted::EnrolmentDue => {
                    self.return_attempt(caller, judged).await;
                    return Ok(Err(Refused::NotEnrolled));
                }
                SecondFactorCompleted::Changed(changed) => account = *changed,
            }
        }
        Err(FlowError::Contended(TRIES))
    }

    /// Prepares for whatever a right code may open.
    pub(super) fn prepare_completion(
        &self,
        caller: &Caller,
        claimant: &Claimant,
        attempt: &Attempt,
        terms: &Terms,
        right: &RightCode<'_>,
    ) -> (CompleteSecondFactor, Openings) {
        let now = self.now();
        let RightCode { account, challenge, proof, renewal, charge } = *right;
        let key = claimant.key();
        let is_remembered = match claimant {
            Claimant::Session(authenticated) => authenticated.session.is_remembered,
            Claimant::Challenge(_) => challenge.is_some_and(|challenge| challenge.is_remembered),
        };
        let application_id =
            attempt.application_id.or_else(|| challenge.and_then(|challenge| challenge.application_id));
        let for_tokens = application_id.filter(|_| attempt.wants_tokens);
        let mut prepared = self.prepare_grant(caller, account, is_remembered, for_tokens, Some(now), now);
        prepared.application_id = application_id;
        let (mut session_token, mut is_assured) = (prepared.session.token, false);
        if let Claimant::Session(authenticated) = claimant {
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
        let factor = proof.factor();
        let audit = self.factor_audit(caller, Some(factor), Some(account.id), key.session_id(), now);
        let more_audit = self.random().draw(|random| [audit.again(random), audit.again(random)]);
        let absence_audit = self.random().draw(|random| audit.again(random));
        let few_codes = self.random().draw(|random| audit.again(random)).event(EventKind::BackupCodesFew);
        let complete = CompleteSecondFactor {
            claimant: key,
            account: account.clone(),
            proof: proof.clone(),
            renewal: renewal.cloned(),
            charge,
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
        let openings = Openings {
            account_id: account.id,
            factor,
            grant: prepared,
            trust,
            step_up,
            change_password: change_password_id,
            state: challenge.and_then(|challenge| challenge.state.clone()),
            at: now,
        };
        (complete, openings)
    }

    /// What a right code has opened.
    pub(super) fn verified(
        &self,
        caller: &Caller,
        claimant: Claimant,
        decision: SecondFactor,
        account: Account,
        user: Option<User>,
        openings: Openings,
    ) -> Result<Result<Verified, Refused>, FlowError> {
        let Openings { grant, trust, step_up, change_password, state, factor, at, .. } = openings;
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
        Ok(Ok(match (decision, claimant) {
            (SecondFactor::EnrolmentDue, _) => return Ok(Err(Refused::NotEnrolled)),
            (SecondFactor::SignedIn { trusts_device }, _) => Verified::Granted {
                granted: self.granted(grant, account, user),
                trust: trusts_device.then_some(trust),
                step_up,
                state,
            },
            (SecondFactor::PasswordChangeDue, _) => Verified::PasswordChangeDue(change_password),
            (SecondFactor::Refused(why), _) => Verified::Unusable(why),
            (SecondFactor::Enabled(_), _) => Verified::Enabled(self.granted(grant, account, None).into_session()?),
            (SecondFactor::Passed { .. } | SecondFactor::Replaced, Claimant::Session(mut authenticated)) => {
                authenticated.session.second_factor_at = Some(at);
                authenticated.account = account;
                let has_new_token = decision.session_change() == SessionChange::NewToken;
                if has_new_token {
                    authenticated.token = grant.session_token;
                }
                Verified::Passed { session: authenticated, has_new_token }
            }
            (SecondFactor::Confirmed | SecondFactor::Passed { .. } | SecondFactor::Replaced, _) => {
                Verified::Confirmed(Box::new(account))
            }
        }))
    }

    /// The method for the account's e-mail address, in case it becomes one.
    pub(crate) fn email_method(&self, account: &Account, now: Timestamp) -> Option<NewMethod> {
        let email = account.email.clone()?;
        Some(self.random().draw(|random| NewMethod {
            id: MethodId::generate(now, random),
            handles: new_handles(random),
            name: None,
            factor: NewFactor::Address(Address::Email(email)),
        }))
    }
}
