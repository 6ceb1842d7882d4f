//! One-time codes that are sent.

use countersign_domain::account::Account;
use countersign_domain::address::Address;
use countersign_domain::attempt::Claimant;
use countersign_domain::audit::{AuditContext, AuditEvent};
use countersign_domain::challenge::Challenge;
use countersign_domain::decisions::delivery::SendTo;
use countersign_domain::ids::MessageId;
use countersign_domain::language::Languages;
use countersign_domain::message::Sealer;
use countersign_domain::network::ClientDigest;
use countersign_domain::one_time_code::OneTimeCode;
use countersign_domain::terms::Rules;
use countersign_domain::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct IssueCode {
    pub claimant: Claimant,
    pub to: SendTo,
    /// The client's network; `None` for a service, which asks for all its users. See [`sending::client`].
    ///
    /// [`sending::client`]: countersign_domain::decisions::sending::client
    pub network: Option<ClientDigest>,
    /// Whether a service asks, with an API key.
    pub is_service: bool,
    pub message: CodeMessage,
    /// Never longer than the challenge that the code completes.
    pub lifetime: Duration,
    pub now: Timestamp,
    pub rules: Arc<Rules>,
    pub audit: AuditContext,
}

/// The message that carries a code. It takes the place of an earlier one for the same claimant that still waits.
#[derive(Clone, Debug)]
pub struct CodeMessage {
    pub id: MessageId,
    pub code: OneTimeCode,
    pub sealer: Sealer,
    /// Those that the request asks for; the account's own come first.
    pub languages: Languages,
    /// [`countersign_domain::message::Draft::due_at`]
    pub due_at: Timestamp,
}

#[derive(Debug)]
pub enum Issued {
    /// The code is stored, and so is the message that carries it there.
    To { account: Box<Account>, address: Address },
    /// The challenge is unknown, expired or used, or the session has ended.
    NoClaimant,
    /// The account has no such method, or none that a code can be sent by.
    NoMethod,
    /// An authenticator app takes no messages.
    CannotSend,
    /// The tenant does not allow methods of this kind.
    NotAllowed,
    /// The account is locked.
    Locked { until: Timestamp },
    /// The account, or the address, was sent as many codes as it may be.
    Exhausted { until: Timestamp },
}

/// A challenge that is opened without a password, together with a code that the caller delivers.
#[derive(Clone, Debug)]
pub struct OpenChallenge {
    pub challenge: Challenge,
    pub mac: [u8; 32],
    pub event: AuditEvent,
}
