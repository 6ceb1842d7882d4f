//! Sending a code by mail.

use super::second_factor::Presenter;
use super::{Caller, FlowError, Flows, with_random};
use crate::delivery::{Channel, Message};
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::Factor;
use countersign_domain::mailed_code::MailedCode;
use countersign_domain::time::Timestamp;
use countersign_store::work::{IssueCode, Issued};
use std::sync::Arc;

/// How sending a code ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendCode {
    /// It is on its way.
    Sent,
    /// The challenge is unknown, expired or used, or the session has ended.
    NoActor,
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
            now,
            policy: Arc::clone(&self.policy),
            event: caller.factor_event(EventKind::CodeSent, Factor::MailedCode, None, session_id, now),
        };
        let account = match self.store.issue_code(issue).await? {
            Issued::To(account) => account,
            Issued::NoActor => return Ok(SendCode::NoActor),
            Issued::Exhausted { until } => return Ok(SendCode::TooMany { until }),
        };
        let message = Message {
            channel: Channel::Email,
            to: account.email.as_str().to_owned(),
            code: code.expose().to_owned(),
            app_name: self.app_name.clone(),
            lifetime: self.policy.mailed_code_lifetime,
        };
        if let Err(error) = self.delivery.send(message).await {
            let cause = crate::error_chain(&error);
            slog::error!(self.log, "a code could not be delivered"; "account" => %account.id, "cause" => cause);
        }
        Ok(SendCode::Sent)
    }
}
