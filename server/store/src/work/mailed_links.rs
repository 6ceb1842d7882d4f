//! Links that are mailed, and what they do.

use super::{NewTicket, PresentedTicket};
use countersign_domain::account::{Account, EmailAddress, Unusable, Versions};
use countersign_domain::assurance::{FactorsRefused, Manager};
use countersign_domain::audit::{AuditContext, AuditEvent};
use countersign_domain::decisions::deletion::{Deletion, Proof};
use countersign_domain::decisions::mailed_link::{NotSent, Purpose};
use countersign_domain::decisions::sending::Requester;
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::message::NewMessage;
use countersign_domain::quota::HiddenAddress;
use countersign_domain::secret::Digest;
use countersign_domain::terms::Rules;
use countersign_domain::time::Timestamp;
use std::sync::Arc;

/// A link that is asked for.
#[derive(Clone, Debug)]
pub struct IssueLink {
    pub purpose: Purpose,
    /// The account; any unused id if there is none, so that both cost the same work (attack 44).
    pub account_id: AccountId,
    pub requester: Requester,
    /// The owner, if the request was made in a session of the account.
    pub manager: Option<Manager>,
    /// Where the link is mailed to, and for whom that address may not be another account's.
    pub to: EmailAddress,
    pub tenant_id: TenantId,
    /// What the account was asked for by.
    pub asked_for: HiddenAddress,
    pub ticket: LinkTicket,
    /// `None` for a link that is not mailed, and then takes from no quota.
    pub message: Option<NewMessage>,
    pub rules: Arc<Rules>,
    pub audit: AuditContext,
}

/// What a link is good for.
#[derive(Clone, Debug)]
pub enum LinkTicket {
    New(NewTicket),
    /// Replaces the ticket that was given to a service: only a token that is known from the mail alone proves the address.
    InPlaceOf(PresentedTicket, NewTicket),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkIssued {
    /// The link is stored, and so is its mail.
    Sent,
    NotSent(NotSent),
    Refused(FactorsRefused),
    SignInDue,
    /// The ticket that was to be mailed is not valid any more.
    NoTicket,
    /// So many links were asked for to this address, whether it is an account's or not.
    Exhausted {
        until: Timestamp,
    },
}

/// A link to prove the account's address, as presented.
#[derive(Clone, Debug)]
pub struct VerifyAddress {
    /// `None` if a service vouches for the address.
    pub ticket: Option<PresentedTicket>,
    pub account_id: AccountId,
    /// Versions that the link was found to be valid under.
    pub versions: Versions,
    pub address: EmailAddress,
    pub rules: Arc<Rules>,
    pub event: AuditEvent,
}

/// A link to prove the address that takes the place of the account's, as presented.
#[derive(Clone, Debug)]
pub struct ChangeAddress {
    pub ticket: PresentedTicket,
    pub account_id: AccountId,
    /// Versions that the link was found to be valid under.
    pub versions: Versions,
    pub to: EmailAddress,
    /// What gives the former address back, and until when.
    pub restoration: Digest,
    pub restorable_until: Timestamp,
    /// The notice to the former address, with the link back.
    pub notice: Option<NewMessage>,
    pub rules: Arc<Rules>,
    pub event: AuditEvent,
}

/// A link that gives a former address back, as presented.
#[derive(Clone, Debug)]
pub struct RestoreAddress {
    pub digest: Digest,
    pub rules: Arc<Rules>,
    pub audit: AuditContext,
}

/// What came of a link.
#[derive(Clone, Debug)]
pub enum LinkUsed {
    /// The account as it is now.
    Done(Box<Account>),
    /// It is unknown, used or expired, or the account has other credentials or another address since.
    Invalid,
    Unusable(Unusable),
    /// The account is locked.
    Locked {
        until: Timestamp,
    },
    /// The address is another account's.
    Taken,
    /// The account would be left without a method that its tenant takes.
    LeavesNoMethod,
}

/// A deletion that the owner asks for in a session.
#[derive(Clone, Debug)]
pub struct DeleteOwnAccount {
    pub account_id: AccountId,
    /// Versions under which session and proof were checked.
    pub versions: Versions,
    pub manager: Manager,
    pub proof: Proof,
    /// The mailed link, which is used up.
    pub ticket: Option<PresentedTicket>,
    pub rules: Arc<Rules>,
    pub event: AuditEvent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnAccountDeleted {
    Decided(Deletion),
    /// The link is not valid.
    NoTicket,
    /// The account is gone, or its credentials have changed.
    Stale,
}
