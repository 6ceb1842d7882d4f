//! Attempts at a second factor.

use super::{NewMethod, NewRefreshToken, NewSession, NewTicket, NewTrust};
use countersign_domain::account::Account;
use countersign_domain::attempt::{Claimant, Expected, Material, Proof};
use countersign_domain::audit::{AuditContext, AuditEvent};
use countersign_domain::challenge::{Challenge, Factor};
use countersign_domain::decisions::removal::Removal;
use countersign_domain::decisions::second_factor::{Request, SecondFactor};
use countersign_domain::ids::{AccountId, MethodId};
use countersign_domain::stored_secret::Renewal;
use countersign_domain::terms::{Rules, Terms};
use countersign_domain::time::Timestamp;
use countersign_domain::user::User;
use std::sync::Arc;

/// An attempt, claimed before the code is looked at.
#[derive(Clone, Debug)]
pub struct ClaimAttempt {
    pub claimant: Claimant,
    pub expected: Expected,
    pub now: Timestamp,
    pub rules: Arc<Rules>,
    /// Of the lock, if this attempt is the one that locks the account.
    pub audit: AuditContext,
}

#[derive(Debug)]
pub enum Claim {
    /// The attempt counts as a failure until the code turns out to be right.
    Granted(Box<Granted>),
    /// The challenge is unknown, expired or used, or the session has ended.
    NoClaimant,
    Locked {
        until: Timestamp,
    },
    /// The challenge had no tries left and is deleted.
    ChallengeExhausted,
    /// The tenant does not allow this factor.
    NotAllowed,
    NotEnrolled,
    /// No one-time code is waiting.
    NoCode,
    /// The one-time code had no tries left and is deleted.
    CodeExhausted,
}

/// What a granted attempt is judged with.
#[derive(Debug)]
pub struct Granted {
    pub account: Account,
    pub challenge: Option<Challenge>,
    pub material: Material,
}

/// A judged attempt that failed.
#[derive(Clone, Debug)]
pub struct FailAttempt {
    pub claimant: Claimant,
    /// `None` where the code may have been of any factor.
    pub factor: Option<Factor>,
    pub account_id: AccountId,
    /// Whether the code was right and used already: that is no guess, so the account is not charged. The challenge's try stays
    /// taken.
    pub is_replay: bool,
    pub event: AuditEvent,
}

/// An attempt that was claimed and could not be judged, by a failure of the server.
#[derive(Clone, Debug)]
pub struct ReturnAttempt {
    pub claimant: Claimant,
    pub expected: Expected,
    pub account_id: AccountId,
    pub event: AuditEvent,
}

/// A right second factor of a challenge or a session. What it opens was decided on the account as it was claimed, and is
/// decided again in the transaction; the rest of this is prepared for each case.
#[derive(Clone, Debug)]
pub struct CompleteSecondFactor {
    pub claimant: Claimant,
    pub account: Account,
    pub proof: Proof,
    /// What the app's row lacks, if it is of an earlier version.
    pub renewal: Option<Renewal>,
    /// Written if a backup code is used and few are left.
    pub few_codes: AuditEvent,
    pub request: Request,
    pub rules: Arc<Rules>,
    pub terms: Terms,
    pub session: NewSession,
    pub refresh_token: Option<NewRefreshToken>,
    /// The ticket that shows that a second factor was passed, where the dialect can use it.
    pub step_up: Option<NewTicket>,
    /// The ticket to change the password, where the dialect can use it.
    pub change_password: Option<NewTicket>,
    pub trust: NewTrust,
    /// The method that comes along with the account's first second factor.
    pub email_method: Option<NewMethod>,
    pub now: Timestamp,
    pub audit: AuditContext,
}

#[derive(Debug)]
pub enum SecondFactorCompleted {
    Done {
        decision: SecondFactor,
        account: Box<Account>,
        /// The user, if tokens were granted.
        user: Option<Box<User>>,
    },
    /// Another request used the challenge, or ended the session, in the meantime.
    ClaimantGone,
    /// Another request used the same code in the meantime.
    ProofSpent,
    /// The tenant requires a second factor and the account has none; nothing was written.
    EnrolmentDue,
    /// The account changed so that the decision is another one; nothing was written.
    Changed(Box<Account>),
}

/// Methods to be removed, by a right code.
#[derive(Clone, Debug)]
pub struct RemoveMethods {
    pub claimant: Claimant,
    pub account_id: AccountId,
    pub proof: Proof,
    /// What the app's row lacks, if it is of an earlier version.
    pub renewal: Option<Renewal>,
    /// The method to remove, if the caller names one.
    pub named: Option<MethodId>,
    pub now: Timestamp,
    pub audit: AuditContext,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodsRemoved {
    Decided(Removal),
    /// The account is gone, or another request used the same code in the meantime.
    ProofSpent,
}
