//! Second factors: enrolling, adding, renaming, switching off.

use super::{NewSession, PresentedTicket};
use countersign_domain::account::Versions;
use countersign_domain::address::{Address, MethodKind};
use countersign_domain::assurance::Manager;
use countersign_domain::attempt::{Authenticator, StoredBackupCode};
use countersign_domain::audit::{AuditContext, AuditEvent};
use countersign_domain::decisions::add_method::AddMethod as AddMethodDecision;
use countersign_domain::decisions::enrol_mail::EnrolMail as EnrolMailDecision;
use countersign_domain::decisions::enrolment::Enrolment;
use countersign_domain::ids::{AccountId, MethodId, SessionId};
use countersign_domain::keyring::Sealed;
use countersign_domain::method::MethodHandle;
use countersign_domain::presentation::Presentation;
use countersign_domain::secret::Digest;
use countersign_domain::stored_secret::SecretFingerprint;
use countersign_domain::terms::{Rules, Terms};
use countersign_domain::time::Timestamp;
use std::sync::Arc;

/// A second factor to be stored.
#[derive(Clone, Debug)]
pub struct NewMethod {
    pub id: MethodId,
    /// Candidates for the handle: the first that no other method of the account has is taken.
    pub handles: [MethodHandle; 3],
    /// The user's label.
    pub name: Option<String>,
    pub factor: NewFactor,
}

#[derive(Clone, Debug)]
pub enum NewFactor {
    Authenticator(NewAuthenticator),
    Address(Address),
}

/// An authenticator app whose code was right.
#[derive(Clone, Debug)]
pub struct NewAuthenticator {
    pub secret: Sealed,
    /// Those of the secret under every key of the ring, the active one first; never empty.
    pub fingerprints: Vec<SecretFingerprint>,
    /// The time step whose code proved it.
    pub step: i64,
}

impl NewFactor {
    #[must_use]
    pub fn kind(&self) -> MethodKind {
        match self {
            Self::Authenticator(_) => MethodKind::Authenticator,
            Self::Address(address) => address.kind(),
        }
    }
}

/// A method added by a service, or by the holder of an access token.
#[derive(Clone, Debug)]
pub struct AddMethod {
    pub account_id: AccountId,
    /// Versions that backup codes were made for.
    pub versions: Versions,
    pub manager: Manager,
    /// Whether the request held the account's password.
    pub has_password: bool,
    /// The ticket that shows that a second factor was passed; it is used up if the method is added.
    pub step_up: Option<PresentedTicket>,
    pub method: NewMethod,
    /// The account's apps, each with whether its secret is the same as the new one's. An app without a fingerprint that is not
    /// among them was added since, by a node of an earlier version.
    pub known_apps: Vec<(MethodId, bool)>,
    /// MACs that the code sent to an address may be stored as, under every key of the ring.
    pub macs: Vec<[u8; 32]>,
    /// Of that code, as it was presented; `None` for an app.
    pub presentation: Option<Presentation>,
    /// Empty if the account has a second factor already.
    pub backup_codes: Vec<StoredBackupCode>,
    /// A challenge that waits for the account to have a second factor, and the MAC of the code that completes it then.
    pub challenge: Option<(Digest, [u8; 32])>,
    pub rules: Arc<Rules>,
    pub terms: Terms,
    pub now: Timestamp,
    pub audit: AuditContext,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodAdded {
    Decided(AddMethodDecision),
    /// The code is wrong, used, or was not sent to this address.
    WrongCode,
    /// A code waits, but it went to another address.
    OtherAddress,
    /// The account has given too many wrong codes for addresses; none was judged.
    TooManyWrongCodes {
        until: Timestamp,
    },
    /// The credentials or the apps changed in the meantime.
    Stale,
}

#[derive(Clone, Debug)]
pub struct RenameMethod {
    pub account_id: AccountId,
    pub handle: MethodHandle,
    pub name: Option<String>,
    pub event: AuditEvent,
}

/// An authenticator app to be confirmed later, with its backup codes.
#[derive(Clone, Debug)]
pub struct BeginEnrolment {
    pub account_id: AccountId,
    /// Versions that the password was checked against.
    pub versions: Versions,
    pub manager: Manager,
    pub authenticator: Authenticator,
    /// Candidates for the handle, as in [`NewMethod`].
    pub handles: [MethodHandle; 3],
    pub backup_codes: Vec<StoredBackupCode>,
    pub rules: Arc<Rules>,
    pub now: Timestamp,
    pub audit: AuditContext,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolmentBegun {
    Decided(Enrolment),
    /// The credentials changed in the meantime.
    Stale,
}

/// Codes by e-mail, asked for in a session.
#[derive(Clone, Debug)]
pub struct EnrolMail {
    pub account_id: AccountId,
    /// Versions that the password was checked against.
    pub versions: Versions,
    pub manager: Manager,
    /// For the address that the account had then.
    pub method: NewMethod,
    /// Empty if the account has a second factor already.
    pub backup_codes: Vec<StoredBackupCode>,
    pub session_id: SessionId,
    /// Takes the session's place if the second factor is on now.
    pub session: NewSession,
    pub rules: Arc<Rules>,
    pub now: Timestamp,
    pub audit: AuditContext,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailEnrolled {
    Decided(EnrolMailDecision),
    /// The credentials or the address changed, or the session ended, in the meantime.
    Stale,
}

/// New backup codes in place of all old ones.
#[derive(Clone, Debug)]
pub struct ReplaceBackupCodes {
    pub account_id: AccountId,
    /// Versions that the decision was made on.
    pub versions: Versions,
    pub backup_codes: Vec<StoredBackupCode>,
    pub now: Timestamp,
    pub event: AuditEvent,
}

/// Turns two-factor authentication off.
#[derive(Clone, Debug)]
pub struct DisableTwoFactor {
    pub account_id: AccountId,
    /// Versions that the decision was made on.
    pub versions: Versions,
    pub session_id: SessionId,
    /// Takes the session's place.
    pub session: NewSession,
    pub now: Timestamp,
    pub event: AuditEvent,
}
