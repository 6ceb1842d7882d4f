//! Codes that are sent.

use super::Actor;
use countersign_domain::account::Account;
use countersign_domain::audit::AuditEvent;
use countersign_domain::mailed_code::Address;
use countersign_domain::method::MethodHandle;
use countersign_domain::policy::Policy;
use countersign_domain::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// A code to be sent.
#[derive(Clone, Debug)]
pub struct IssueCode {
    /// Who asked for it.
    pub actor: Actor,
    /// Where it goes.
    pub to: SendTo,
    /// What is stored of it.
    pub mac: [u8; 32],
    /// How long it may be used, but never longer than the challenge that it answers.
    pub lifetime: Duration,
    /// When.
    pub now: Timestamp,
    /// The caps that apply.
    pub policy: Arc<Policy>,
    /// What is recorded.
    pub event: AuditEvent,
}

/// Where a code goes.
#[derive(Clone, Debug)]
pub enum SendTo {
    /// By the account's first method for mail, else its first for SMS; to its e-mail address, if it has no second factor
    /// yet.
    Primary,
    /// By the method of this name.
    Method(MethodHandle),
    /// To an address that is to become a method.
    Address(Address),
}

/// Whether a code may be sent.
#[derive(Debug)]
pub enum Issued {
    /// It is stored; send it.
    To {
        /// Whose code it is.
        account: Box<Account>,
        /// Where to.
        address: Address,
    },
    /// The challenge is unknown, expired or spent.
    NoActor,
    /// The account has no such method, or none that a code can be sent by.
    NoMethod,
    /// A code cannot be sent by that method.
    CannotSend,
    /// The account, or the address, was sent too many.
    Exhausted {
        /// When it may be sent one again.
        until: Timestamp,
    },
}
