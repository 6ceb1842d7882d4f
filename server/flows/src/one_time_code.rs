//! Sending one-time codes, and opening a challenge whose code the caller delivers.

use super::delivery::FirstAttempt;
use super::delivery::queue::HAND_OVER;
use super::second_factor::Claimant;
use super::{Caller, FlowError, Flows};
use countersign_domain::address::Address;
use countersign_domain::attempt;
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::{Challenge, Factor, FirstFactor};
use countersign_domain::decisions::delivery::SendTo;
use countersign_domain::ids::{AccountId, ApplicationId, MessageId};
use countersign_domain::method::{Method, MethodHandle};
use countersign_domain::observer::Quota;
use countersign_domain::one_time_code::{OneTimeCode, Subject};
use countersign_domain::secret::{Bearer, Digest};
use countersign_domain::terms::Terms;
use countersign_domain::time::Timestamp;
use countersign_store::work::{CodeMessage, IssueCode, Issued, OpenChallenge};
use std::time::Duration;

/// How sending a code ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendCode {
    /// The code is stored, and delivered or about to be.
    Sent,
    /// The recipient's server will never take it. Only a service is told, because others would learn which addresses take mail
    /// (wire reference §8.3).
    Refused,
    /// The challenge is unknown, expired or used, or the session has ended.
    NoClaimant,
    /// The account has no such method, or none that a code can be sent by.
    NoMethod,
    /// An authenticator app takes no messages.
    CannotSend,
    /// The tenant does not allow methods of this kind.
    NotAllowed,
    /// The account is locked, or its long-term limit of guesses is reached.
    Locked { until: Timestamp },
    /// The account, or the address, was sent as many codes as it may be.
    TooMany { until: Timestamp },
}

/// A challenge without a password, for a service that knows the user.
#[derive(Debug)]
pub struct StepUp<'a> {
    pub application_id: Option<ApplicationId>,
    /// The code that completes it; one is generated if there is none.
    pub code: Option<&'a str>,
    /// Returned when the challenge ends: JSON text.
    pub state: Option<String>,
    /// Caller-chosen secret that must accompany the token which the challenge gives.
    pub trust_challenge: Option<&'a str>,
}

/// A challenge and the code that completes it, for the caller to deliver.
#[derive(Debug)]
pub struct StepUpBegun {
    pub challenge: Bearer,
    pub code: OneTimeCode,
}

impl Flows {
    /// Sends a code for a sign-in or a live session; the one before it is dead.
    ///
    /// # Errors
    /// When the database fails; then nothing is sent.
    pub async fn send_code(&self, caller: &Caller, claimant: &Claimant, terms: &Terms) -> Result<SendCode, FlowError> {
        self.send(caller, claimant.key(), SendTo::Primary, terms.code_lifetime).await
    }

    /// Sends a code for a sign-in by one of the account's methods.
    ///
    /// # Errors
    /// When the database fails; then nothing is sent.
    pub async fn send_code_by_method(
        &self,
        caller: &Caller,
        challenge: Digest,
        handle: &str,
        terms: &Terms,
    ) -> Result<SendCode, FlowError> {
        // A malformed handle belongs to no method. Whether the challenge exists is said first, so a free one is looked up.
        let handle = MethodHandle::parse(handle).unwrap_or_else(|| self.random().draw(MethodHandle::generate));
        let claimant = attempt::Claimant::Challenge(challenge);
        self.send(caller, claimant, SendTo::Method(handle), terms.code_lifetime).await
    }

    /// Sends a code to an address that is to become a method.
    ///
    /// # Errors
    /// When the database fails; then nothing is sent.
    pub async fn send_code_to_enable(
        &self,
        caller: &Caller,
        account_id: AccountId,
        address: Address,
    ) -> Result<SendCode, FlowError> {
        let subject = Subject::Enable { account_id, address: address.clone() };
        let claimant = attempt::Claimant::Holder { account_id, subject };
        self.send(caller, claimant, SendTo::Address(address), self.policy().method_code_lifetime).await
    }

    /// Sends a code by a method that is to be removed.
    ///
    /// # Errors
    /// When the database fails; then nothing is sent.
    pub async fn send_code_to_disable(
        &self,
        caller: &Caller,
        account_id: AccountId,
        method: &Method,
    ) -> Result<SendCode, FlowError> {
        let subject = Subject::Disable { account_id, method_id: method.id };
        let claimant = attempt::Claimant::Holder { account_id, subject };
        let to = SendTo::Method(method.handle.clone());
        self.send(caller, claimant, to, self.policy().method_code_lifetime).await
    }

    /// Waits for the first attempt to deliver the code. A code that could not be delivered at once is tried again while it is
    /// valid; the code of a later request takes its place.
    async fn send(
        &self,
        caller: &Caller,
        claimant: attempt::Claimant,
        to: SendTo,
        lifetime: Duration,
    ) -> Result<SendCode, FlowError> {
        let now = self.now();
        let (code, id) = self.random().draw(|random| (OneTimeCode::generate(random), MessageId::generate(now, random)));
        let audit = self.factor_audit(caller, Some(Factor::OneTimeCode), None, claimant.session_id(), now);
        let sealer = self.services.delivery.sealer().clone();
        let languages = caller.languages.clone();
        let message = CodeMessage { id, code, sealer, languages, due_at: now + HAND_OVER };
        let network = caller.network().map(|network| network.client_digest(self.keyring()));
        let is_service = caller.actor.is_service();
        let rules = self.rules();
        let issue = IssueCode { claimant, to, network, is_service, message, lifetime, now, rules, audit };
        Ok(match self.store().issue_code(issue).await? {
            Issued::To { .. } => match self.services.delivery.deliver(id).await {
                FirstAttempt::Refused if is_service => SendCode::Refused,
                FirstAttempt::Delivered | FirstAttempt::Failed | FirstAttempt::Refused | FirstAttempt::Unknown => {
                    SendCode::Sent
                }
            },
            Issued::NoClaimant => SendCode::NoClaimant,
            Issued::NoMethod => SendCode::NoMethod,
            Issued::CannotSend => SendCode::CannotSend,
            Issued::NotAllowed => SendCode::NotAllowed,
            Issued::Locked { until } => SendCode::Locked { until },
            Issued::Exhausted { until } => {
                self.note_exceeded(caller, Quota::Codes);
                SendCode::TooMany { until }
            }
        })
    }

    /// Opens a challenge without a password. The code goes to the calling service and to nobody else. `None` if the account
    /// is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_step_up(
        &self,
        caller: &Caller,
        account_id: AccountId,
        step_up: StepUp<'_>,
        terms: &Terms,
    ) -> Result<Option<StepUpBegun>, FlowError> {
        let now = self.now();
        let chosen = step_up.code.and_then(OneTimeCode::chosen);
        let (challenge, code) = self.random().draw(|random| {
            let challenge = Bearer::challenge(terms.challenge, random);
            (challenge, chosen.unwrap_or_else(|| OneTimeCode::generate(random)))
        });
        let open = OpenChallenge {
            mac: code.mac(&Subject::Challenge(challenge.digest()), account_id, self.keyring()),
            challenge: Challenge {
                digest: challenge.digest(),
                account_id,
                first_factor: FirstFactor::Password,
                is_remembered: false,
                application_id: step_up.application_id,
                state: step_up.state,
                trust_challenge: step_up
                    .trust_challenge
                    .map(|text| Digest::of_trust_challenge(text, account_id, self.keyring()).swap_remove(0)),
                network: None,
                created_at: now,
                expires_at: now + terms.challenge_lifetime,
            },
            event: self.audit(caller, now).about(account_id).event(EventKind::StepUpBegun),
        };
        Ok(self.store().open_challenge(open).await?.then_some(StepUpBegun { challenge, code }))
    }
}
