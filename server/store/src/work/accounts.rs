//! Accounts and passwords.

use super::{NewSession, NewTicket, PresentedTicket};
use countersign_domain::account::{Account, EmailAddress, Versions};
use countersign_domain::audit::AuditEvent;
use countersign_domain::decisions::address_change::AddressChange;
use countersign_domain::decisions::endings::Event;
use countersign_domain::ids::AccountId;
use countersign_domain::message::NewMessage;
use countersign_domain::password::PasswordHash;
use countersign_domain::terms::Rules;
use countersign_domain::time::Timestamp;
use countersign_domain::user::{Profile, Registration};
use std::sync::Arc;

/// An account to be created, by a sign-up or by a service.
#[derive(Clone, Debug)]
pub struct CreateAccount {
    pub account: Account,
    pub profile: Profile,
    pub registration: Option<Registration>,
    /// The first session, after a sign-up.
    pub session: Option<NewSession>,
    /// The link that proves the address, and its mail, where the sign-in waits for it.
    pub verification: Option<(NewTicket, NewMessage)>,
    pub event: AuditEvent,
}

/// How creating or changing an account ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountWritten {
    Done,
    EmailTaken,
    UsernameTaken,
    PhoneNumberTaken,
    IdTaken,
    /// The account would be left without a method that its tenant takes.
    LeavesNoMethod,
    /// The account is gone, or was changed since it was read.
    Stale,
}

/// An account changed by a service.
#[derive(Clone, Debug)]
pub struct ChangeAccount {
    /// The account as it is to be; its password is written only if `sets_password`.
    pub account: Account,
    /// The account as it was read; nothing is written if it has changed since.
    pub before: Account,
    pub rules: Arc<Rules>,
    pub profile: Profile,
    /// Whether the password is new; then everything that the old one opened ends.
    pub sets_password: bool,
    /// Says what ends with the change.
    pub ending: Option<Event>,
    /// Addresses that others took the place of; the methods for them follow.
    pub moved: Vec<AddressChange>,
    pub events: Vec<AuditEvent>,
}

#[derive(Clone, Debug)]
pub struct ChangePassword {
    pub account_id: AccountId,
    /// Versions that the decision was made on.
    pub versions: Versions,
    pub password: PasswordHash,
    /// The ticket that authorises the change; it is used up.
    pub ticket: Option<PresentedTicket>,
    /// The ticket that shows that a second factor was passed a moment ago, where that is needed; it is used up.
    pub step_up: Option<PresentedTicket>,
    /// The address that the ticket was mailed to: it is proved by it.
    pub proved_address: Option<EmailAddress>,
    /// Says what ends with the old password.
    pub ending: Event,
    /// Whether the lock of the account ends with the old password: the change was authorised by a second factor, or by a ticket.
    pub lifts_lock: bool,
    /// Takes the place of the ended sessions.
    pub session: Option<NewSession>,
    /// Signs in once, in place of the interrupted sign-in.
    pub one_time_password: Option<NewTicket>,
    pub now: Timestamp,
    pub event: AuditEvent,
}

/// New values of what a user may change freely; `None` leaves one as it is.
#[derive(Clone, Debug)]
pub struct UpdateProfile {
    pub account_id: AccountId,
    pub name: Option<String>,
    /// URL of a picture, or none.
    pub image: Option<Option<String>>,
    pub event: AuditEvent,
}

/// Whether a change found the credentials that it was decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    Done,
    /// The credentials changed in the meantime; nothing was written.
    Stale,
    /// The ticket is not valid; nothing was written.
    NoTicket,
    /// The same of the one that shows a second factor.
    NoStepUp,
}
