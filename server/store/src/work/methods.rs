//! Second factors: how they come, change and go.

use super::{Authenticator, NewSession, StoredBackupCode};
use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{AccountId, MethodId, SessionId};
use countersign_domain::keyring::Sealed;
use countersign_domain::mailed_code::Address;
use countersign_domain::method::MethodHandle;
use countersign_domain::policy::Policy;
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use std::sync::Arc;

/// Second factors to be given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// All of them, and the backup codes.
    All,
    /// One of them; with the last one, everything.
    One(MethodId),
}

/// A second factor to be stored.
#[derive(Clone, Debug)]
pub struct NewMethod {
    /// Its name for us.
    pub id: MethodId,
    /// Names for clients: the first that no other method of the account has is taken.
    pub handles: [MethodHandle; 3],
    /// What the person calls it.
    pub name: Option<String>,
    /// What it is.
    pub what: NewFactor,
}

/// What a new second factor is.
#[derive(Clone, Debug)]
pub enum NewFactor {
    /// An authenticator app, and the time step whose code proved it.
    Authenticator(Sealed, i64),
    /// An address that codes are sent to.
    Address(Address),
}

/// A second factor to be added by a service, or by the holder of an access token.
#[derive(Clone, Debug)]
pub struct AddMethod {
    /// Whose it is.
    pub account_id: AccountId,
    /// The version of the credentials that was found.
    pub credentials_version: i64,
    /// The second factor.
    pub method: NewMethod,
    /// What the sent code may be stored as, for an address.
    pub macs: Vec<[u8; 32]>,
    /// New backup codes, if the account has none yet.
    pub backup_codes: Vec<StoredBackupCode>,
    /// A challenge that waits for the account to have a second factor, and what is stored of the code that answers it then.
    pub challenge: Option<(Digest, [u8; 32])>,
    /// When.
    pub now: Timestamp,
    /// The caps that apply.
    pub policy: Arc<Policy>,
    /// What is recorded; the kind is chosen by how it ends.
    pub event: AuditEvent,
}

/// How adding a second factor ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodAdded {
    /// It is the account's first, and the backup codes are stored.
    First,
    /// It is one more.
    Further,
    /// The code is wrong, spent, or was not sent to this address.
    WrongCode,
    /// A code waits, but it went to another address.
    OtherAddress,
    /// The challenge is unknown, expired or another account's.
    NoChallenge,
    /// The account has as many as it may have.
    TooMany,
    /// The credentials changed in the meantime.
    Stale,
}

/// A second factor to be given a name.
#[derive(Clone, Debug)]
pub struct RenameMethod {
    /// Whose it is.
    pub account_id: AccountId,
    /// Which.
    pub handle: MethodHandle,
    /// The name, or none.
    pub name: Option<String>,
    /// What is recorded.
    pub event: AuditEvent,
}

/// The beginning of an enrolment.
#[derive(Clone, Debug)]
pub struct BeginEnrolment {
    /// Whose it is.
    pub account_id: AccountId,
    /// The version of the credentials the password was checked against.
    pub credentials_version: i64,
    /// The authenticator app, to be confirmed.
    pub authenticator: Authenticator,
    /// Names for clients: the first that no other method of the account has is taken.
    pub handles: [MethodHandle; 3],
    /// Its backup codes.
    pub backup_codes: Vec<StoredBackupCode>,
    /// When.
    pub now: Timestamp,
    /// What is recorded.
    pub event: AuditEvent,
}

/// New backup codes in the place of all old ones.
#[derive(Clone, Debug)]
pub struct ReplaceBackupCodes {
    /// Whose they are.
    pub account_id: AccountId,
    /// The version of the credentials the password was checked against.
    pub credentials_version: i64,
    /// The codes.
    pub backup_codes: Vec<StoredBackupCode>,
    /// When.
    pub now: Timestamp,
    /// What is recorded.
    pub event: AuditEvent,
}

/// The end of the second factor.
#[derive(Clone, Debug)]
pub struct DisableTwoFactor {
    /// Whose it is.
    pub account_id: AccountId,
    /// The version of the credentials the password was checked against.
    pub credentials_version: i64,
    /// The session that asked for it.
    pub session_id: SessionId,
    /// The session that takes its place.
    pub session: NewSession,
    /// When.
    pub now: Timestamp,
    /// What is recorded.
    pub event: AuditEvent,
}

/// Whether a change that needs the password still found what the password was checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It did, and the change is made.
    Done,
    /// The credentials changed in the meantime; nothing is made.
    Stale,
    /// A ticket is not good; nothing is made.
    NoTicket,
}
