//! Sending a code by mail or SMS.

use super::second_factor::Presenter;
use super::{Caller, FlowError, Flows, with_random};
use crate::delivery::{Channel, Message};
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::Factor;
use countersign_domain::ids::AccountId;
use countersign_domain::mailed_code::{Address, MailedCode};
use countersign_domain::time::Timestamp;
use countersign_store::work::{IssueCode, Issued, SendTo};
use std::sync::Arc;
use std::time::Duration;

/// How sending a code ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendCode {
    /// It is on its way.
    Sent,
    /// The challenge is unknown, expired or used, or the session has ended.
    NoActor,
    /// The account has no method that a code can be sent by.
    NoMethod,
    /// A code cannot be sent by that method.
    CannotSend,
    /// The account was sent too many.
    TooMany {
        /// When it may be sent one again.
        until: Timestamp,
    },
}

impl Flows {
    /// Sends a new code to the account's address; the one before it is dead. A message that cannot be delivered is
    /// logged and not told: the person asks for another code, as with any mail that does not arrive (wire reference
    /// §8.3).
    ///
    /// # Errors
    /// When the database fails; then nothing is sent.
    pub async fn send_code(&self, caller: &Caller, presenter: &Presenter) -> Result<SendCode, FlowError> {
        let now = self.now();
        let actor = presenter.actor();
        let code = with_random(MailedCode::generate);
        let session_id = presenter.session_id();
        let issue = IssueCode {
            mac: code.mac(&actor.subject(), &self.keyring),
            actor,
            to: SendTo::Primary,
            lifetime: self.policy.mailed_code_lifetime,
            now,
            policy: Arc::clone(&self.policy),
            event: caller.factor_event(EventKind::CodeSent, Some(Factor::MailedCode), None, session_id, now),
        };
        let (account, address) = match self.store.issue_code(issue).await? {
            Issued::To { account, address } => (account, address),
            Issued::NoActor => return Ok(SendCode::NoActor),
            Issued::NoMethod => return Ok(SendCode::NoMethod),
            Issued::CannotSend => return Ok(SendCode::CannotSend),
            Issued::Exhausted { until } => return Ok(SendCode::TooMany { until }),
        };
        self.deliver(account.id, &address, &code, self.policy.mailed_code_lifetime).await;
        Ok(SendCode::Sent)
    }

    /// Sends a code on its way.
    pub(super) async fn deliver(
        &self,
        account_id: AccountId,
        address: &Address,
        code: &MailedCode,
        lifetime: Duration,
    ) {
        let message = Message {
            channel: match address {
                Address::Email(_) => Channel::Email,
                Address::Sms(_) => Channel::Sms,
            },
            to: address.as_str().to_owned(),
            code: code.expose().to_owned(),
            app_name: self.app_name.clone(),
            lifetime,
        };
        if let Err(error) = self.delivery.send(message).await {
            let cause = crate::error_chain(&error);
            slog::error!(self.log, "a code could not be delivered"; "account" => %account_id, "cause" => cause);
        }
    }
}
