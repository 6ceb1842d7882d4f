//! What callers hand in and get back: one struct for each unit of work, one enum for each way it can end.

use countersign_domain::account::Account;
use countersign_domain::audit::AuditEvent;
use countersign_domain::challenge::{Challenge, Factor};
use countersign_domain::ids::{AccountId, AuthenticatorId, BackupCodeId, SessionId};
use countersign_domain::keyring::Sealed;
use countersign_domain::mailed_code::Subject;
use countersign_domain::password::PasswordHash;
use countersign_domain::policy::Policy;
use countersign_domain::secret::Digest;
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// How a unit of work ends its transaction.
#[derive(Debug)]
pub enum Unit<T> {
    /// Everything it did stays.
    Commit(T),
    /// It decided otherwise after all: nothing it did stays.
    Rollback(T),
}

/// A session to be opened, with the digest of its token.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// What is stored.
    pub session: Session,
    /// What it is found by.
    pub token: Digest,
}

/// A trust in a device to be recorded.
#[derive(Clone, Debug)]
pub struct NewTrust {
    /// What it is found by.
    pub digest: Digest,
    /// Until when it holds.
    pub expires_at: Timestamp,
}

/// A budget: so many of something within a window that begins with the first.
#[derive(Clone, Debug)]
pub struct Spend {
    /// Its name, which says what is counted for whom.
    pub name: String,
    /// How many the window allows.
    pub limit: u32,
    /// The window's length.
    pub window: Duration,
    /// When it is spent.
    pub now: Timestamp,
}

/// Whether a budget had something left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It had, and has one less now.
    Granted,
    /// It had not, until then.
    Exhausted {
        /// When the window ends.
        until: Timestamp,
    },
}

/// A sign-up.
#[derive(Clone, Debug)]
pub struct SignUp {
    /// The new account.
    pub account: Account,
    /// Its first session.
    pub session: NewSession,
    /// What is recorded.
    pub event: AuditEvent,
}

/// How a sign-up ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedUp {
    /// The account exists.
    Done,
    /// Somebody has that address.
    EmailTaken,
}

/// A sign-in whose password was right.
#[derive(Clone, Debug)]
pub struct CompleteSignIn {
    /// Whose it is.
    pub account_id: AccountId,
    /// The version of the credentials the password was checked against.
    pub credentials_version: i64,
    /// The same password hashed at today's cost, when the stored hash is outdated.
    pub rehashed: Option<PasswordHash>,
    /// The password budget to give back.
    pub budget: String,
    /// The session to open, if the account needs no second factor now.
    pub session: NewSession,
    /// The challenge to open otherwise.
    pub challenge: Challenge,
    /// The trust the device presented, and what takes its place.
    pub trust: Option<(Digest, NewTrust)>,
    /// What is recorded; the kind is chosen by how it ends.
    pub event: AuditEvent,
}

/// How a sign-in with a right password ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// The session is open.
    SignedIn,
    /// The session is open because the device is trusted; its trust was replaced.
    Trusted,
    /// The challenge is open.
    Challenged {
        /// Whether an authenticator app can answer it.
        has_totp: bool,
    },
    /// The credentials changed while the password was checked.
    Stale,
}

/// Who presents a second factor.
#[derive(Clone, Debug)]
pub enum Actor {
    /// The holder of a challenge.
    Challenge(Digest),
    /// The holder of a live session.
    Session {
        /// Which one.
        session_id: SessionId,
        /// Whose it is.
        account_id: AccountId,
    },
}

impl Actor {
    /// What a mailed code asked for by this actor answers.
    #[must_use]
    pub fn subject(&self) -> Subject {
        match self {
            Self::Challenge(digest) => Subject::Challenge(*digest),
            Self::Session { session_id, .. } => Subject::Session(*session_id),
        }
    }
}

/// An attempt at a second factor, claimed before the code is looked at.
#[derive(Clone, Debug)]
pub struct ClaimAttempt {
    /// Who tries.
    pub actor: Actor,
    /// With which factor.
    pub factor: Factor,
    /// When.
    pub now: Timestamp,
    /// The caps that apply.
    pub policy: Arc<Policy>,
    /// What is recorded if this attempt is the one that locks the account.
    pub lock_event: AuditEvent,
}

/// Whether an attempt may be judged.
#[derive(Debug)]
pub enum Claim {
    /// It may, and is counted as a failure until it turns out otherwise.
    Granted(Box<Granted>),
    /// The challenge is unknown, expired or spent, or the session is gone.
    NoActor,
    /// The account is locked.
    Locked {
        /// Until when.
        until: Timestamp,
    },
    /// The challenge had no tries left and is destroyed now.
    ChallengeExhausted,
    /// The account has no such factor.
    NotEnrolled,
    /// No mailed code is waiting for an answer.
    NoCode,
    /// The mailed code had no tries left and is destroyed now.
    CodeExhausted,
}

/// What a granted attempt is judged with.
#[derive(Debug)]
pub struct Granted {
    /// Whose attempt it is.
    pub account: Account,
    /// The challenge, when it is one that is answered.
    pub challenge: Option<Challenge>,
    /// What the code is compared with.
    pub material: Material,
}

/// What a code is compared with.
#[derive(Debug)]
pub enum Material {
    /// Authenticator apps.
    Totp {
        /// The confirmed one.
        active: Option<Authenticator>,
        /// The one being enrolled; only on a live session.
        pending: Option<Authenticator>,
    },
    /// The stored MAC of the mailed code.
    MailedCode(Vec<u8>),
    /// The backup codes of the account, spent ones too.
    BackupCodes(Vec<StoredBackupCode>),
}

/// An authenticator app as stored.
#[derive(Clone, Debug)]
pub struct Authenticator {
    /// Its name; also what its secret is sealed to.
    pub id: AuthenticatorId,
    /// Its secret.
    pub secret: Sealed,
    /// The newest time step accepted from it.
    pub last_step: Option<i64>,
}

/// A backup code as stored.
#[derive(Clone, Debug)]
pub struct StoredBackupCode {
    /// Its name.
    pub id: BackupCodeId,
    /// What it is found by.
    pub selector: Vec<u8>,
    /// What it is compared with.
    pub hash: PasswordHash,
    /// Whether it was used.
    pub is_spent: bool,
}

/// A judged attempt that failed.
#[derive(Clone, Debug)]
pub struct FailAttempt {
    /// Who tried.
    pub actor: Actor,
    /// With which factor.
    pub factor: Factor,
    /// Whose it was.
    pub account_id: AccountId,
    /// Whether the code was right but spent: that is no guess, so the attempt is given back.
    pub is_replay: bool,
    /// What is recorded.
    pub event: AuditEvent,
}

/// What proved to be right.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A code of an authenticator app.
    Totp {
        /// Which app.
        authenticator_id: AuthenticatorId,
        /// Of which time step.
        step: i64,
        /// Whether this confirms an app being enrolled.
        confirms: bool,
    },
    /// The mailed code with this MAC.
    MailedCode(Vec<u8>),
    /// A backup code.
    BackupCode(BackupCodeId),
}

/// What a right second factor leads to.
#[derive(Clone, Debug)]
pub struct PassSecondFactor {
    /// Who passed it.
    pub actor: Actor,
    /// Whose account it is.
    pub account_id: AccountId,
    /// What proved it.
    pub proof: Proof,
    /// The session to open: of a challenge unless the client wants none; of a live session when this switches the
    /// second factor on, which replaces the session.
    pub session: Option<NewSession>,
    /// A trust to record for this device.
    pub trust: Option<NewTrust>,
    /// Whether this switches the account's second factor on.
    pub enables: bool,
    /// When.
    pub now: Timestamp,
    /// What is recorded.
    pub event: AuditEvent,
}

/// How a right second factor ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// All of it happened.
    Done,
    /// Somebody else used the challenge, or ended the session, in the meantime.
    ActorGone,
    /// Somebody else used the same code in the meantime.
    ProofSpent,
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

/// A new password.
#[derive(Clone, Debug)]
pub struct ChangePassword {
    /// Whose it is.
    pub account_id: AccountId,
    /// The version of the credentials the old password was checked against.
    pub credentials_version: i64,
    /// The new one.
    pub password: PasswordHash,
    /// The session that takes the place of all sessions, if they are to end.
    pub session: Option<NewSession>,
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
}

/// A code to be sent.
#[derive(Clone, Debug)]
pub struct IssueCode {
    /// Who asked for it.
    pub actor: Actor,
    /// What is stored of it.
    pub mac: [u8; 32],
    /// When.
    pub now: Timestamp,
    /// The caps that apply.
    pub policy: Arc<Policy>,
    /// What is recorded.
    pub event: AuditEvent,
}

/// Whether a code may be sent.
#[derive(Debug)]
pub enum Issued {
    /// It is stored; send it to this account.
    To(Box<Account>),
    /// The challenge is unknown, expired or spent.
    NoActor,
    /// The account was sent too many.
    Exhausted {
        /// When it may be sent one again.
        until: Timestamp,
    },
}

/// Sessions to be ended by their holder.
#[derive(Clone, Debug)]
pub struct RevokeSessions {
    /// Whose they are.
    pub account_id: AccountId,
    /// Which.
    pub which: Which,
    /// What is recorded, if any ended.
    pub event: AuditEvent,
}

/// Which sessions of an account.
#[derive(Clone, Debug)]
pub enum Which {
    /// All of them.
    All,
    /// All but this one.
    Others(SessionId),
    /// The one with this token.
    WithToken(Digest),
    /// The one with this name.
    Named(SessionId),
}

/// What has passed and may go.
#[derive(Clone, Copy, Debug)]
pub struct Purge {
    /// When: sessions, challenges, codes, trusts and budgets that ended by then go.
    pub now: Timestamp,
    /// Lines of the audit trail from before then go; all stay without it.
    pub audit_before: Option<Timestamp>,
    /// At most so many rows of each table at once.
    pub batch: u32,
}

/// How many rows went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Challenges.
    pub challenges: usize,
    /// Mailed codes.
    pub mailed_codes: usize,
    /// Sessions.
    pub sessions: usize,
    /// Trusts in devices.
    pub trusted_devices: usize,
    /// Budgets.
    pub budgets: usize,
    /// Lines of the audit trail.
    pub audit_events: usize,
}

impl Purged {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> usize {
        self.each().iter().sum()
    }

    /// Whether a table gave as many as were asked for, so that there may be more.
    #[must_use]
    pub fn may_have_left(&self, batch: u32) -> bool {
        self.each().into_iter().any(|rows| u32::try_from(rows).unwrap_or(u32::MAX) >= batch)
    }

    fn each(&self) -> [usize; 6] {
        let Self { challenges, mailed_codes, sessions, trusted_devices, budgets, audit_events } = *self;
        [challenges, mailed_codes, sessions, trusted_devices, budgets, audit_events]
    }
}

/// A table whose rows pass.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Passing {
    Challenges,
    MailedCodes,
    Sessions,
    TrustedDevices,
    Budgets,
    AuditEvents,
}

/// Rows of one table to be removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PurgeTable {
    pub(crate) table: Passing,
    pub(crate) before: Timestamp,
    pub(crate) batch: u32,
}
