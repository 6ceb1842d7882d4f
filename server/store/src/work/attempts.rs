//! Attempts at a second factor: who makes them, what they are checked against, how they end.

use super::{NewMethod, NewRefreshToken, NewSession, NewTicket, NewTrust, Removal};
use countersign_domain::account::Account;
use countersign_domain::audit::AuditEvent;
use countersign_domain::challenge::{Challenge, Factor};
use countersign_domain::ids::{AccountId, BackupCodeId, MethodId, SessionId};
use countersign_domain::keyring::Sealed;
use countersign_domain::mailed_code::Subject;
use countersign_domain::password::PasswordHash;
use countersign_domain::policy::Policy;
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use std::sync::Arc;

/// A challenge that is opened without a password.
#[derive(Clone, Debug)]
pub struct OpenChallenge {
    /// The challenge.
    pub challenge: Challenge,
    /// What is stored of the code that answers it, beside the account's methods.
    pub mac: [u8; 32],
    /// What is recorded.
    pub event: AuditEvent,
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
    /// A service, or the holder of an access token, on behalf of an account.
    Holder {
        /// Which one.
        account_id: AccountId,
        /// What the code is asked for.
        subject: Subject,
    },
}

impl Actor {
    /// What a mailed code asked for by this actor answers.
    #[must_use]
    pub fn subject(&self) -> Subject {
        match self {
            Self::Holder { subject, .. } => subject.clone(),
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
    pub expected: Expected,
    /// When.
    pub now: Timestamp,
    /// The caps that apply.
    pub policy: Arc<Policy>,
    /// What is recorded if this attempt is the one that locks the account.
    pub lock_event: AuditEvent,
}

/// What a presented code may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A code of this factor.
    One(Factor),
    /// A code of any.
    Any {
        /// Whether it may be a backup code, by its form.
        backup_code: bool,
    },
}

impl Expected {
    /// Whether the code may be one of this factor.
    #[must_use]
    pub fn includes(self, factor: Factor) -> bool {
        match self {
            Self::One(one) => one == factor,
            Self::Any { backup_code } => backup_code || factor != Factor::BackupCode,
        }
    }

    /// The factor, where it is known.
    #[must_use]
    pub fn factor(self) -> Option<Factor> {
        match self {
            Self::One(factor) => Some(factor),
            Self::Any { .. } => None,
        }
    }
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

/// What a code is compared with: nothing of what was not expected.
#[derive(Debug, Default)]
pub struct Material {
    /// The confirmed authenticator apps, the oldest first.
    pub authenticators: Vec<Authenticator>,
    /// The one being enrolled; only on a live session.
    pub pending: Option<Authenticator>,
    /// The code that was sent.
    pub mailed_code: Option<StoredCode>,
    /// The backup codes of the account, spent ones too.
    pub backup_codes: Vec<StoredBackupCode>,
}

/// A code that was sent, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCode {
    /// What it is compared with.
    pub mac: Vec<u8>,
    /// The method it was sent by, if it was one.
    pub method_id: Option<MethodId>,
}

/// An authenticator app as stored.
#[derive(Clone, Debug)]
pub struct Authenticator {
    /// Its name; also what its secret is sealed to.
    pub id: MethodId,
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
    /// With which factor, as far as that can be told.
    pub factor: Option<Factor>,
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
        method_id: MethodId,
        /// Of which time step.
        step: i64,
        /// Whether this confirms an app being enrolled.
        confirms: bool,
    },
    /// The code that was sent.
    MailedCode(StoredCode),
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
    /// The refresh token to give.
    pub refresh_token: Option<NewRefreshToken>,
    /// What this gives leave to do.
    pub ticket: Option<NewTicket>,
    /// A trust to record for this device.
    pub trust: Option<NewTrust>,
    /// Whether this switches the account's second factor on; the method by which it can be answered from then on, beside
    /// what is being enrolled.
    pub enables: Option<NewMethod>,
    /// The second factors that are given up.
    pub removes: Option<Removal>,
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
