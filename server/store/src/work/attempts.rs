//! Attempts at a second factor.

use super::{KnownNetwork, NewMethod, NewRefreshToken, NewSession, NewTicket, NewTrust};
use countersign_domain::account::Account;
use countersign_domain::assurance::Manager;
use countersign_domain::attempt::{Claimant, Expected, Material, Proof};
use countersign_domain::audit::{AuditContext, AuditEvent};
use countersign_domain::challenge::{Challenge, Factor};
use countersign_domain::decisions::removal::Removal;
use countersign_domain::decisions::second_factor::{Request, SecondFactor};
use countersign_domain::guess::Guess;
use countersign_domain::ids::{AccountId, MethodId};
use countersign_domain::passkey::CredentialId;
use countersign_domain::presentation::Presentation;
use countersign_domain::secret::Digest;
use countersign_domain::stored_secret::Renewal;
use countersign_domain::terms::{Rules, Terms};
use countersign_domain::time::Timestamp;
use countersign_domain::user::User;
use std::sync::Arc;
use std::time::Duration;

/// An attempt, claimed before the code is looked at.
#[derive(Clone, Debug)]
pub struct ClaimAttempt {
    pub claimant: Claimant,
    pub expected: Expected,
    pub presentation: Presentation,
    /// The response of a passkey, if one is presented.
    pub passkey: Option<PresentedPasskey>,
    pub now: Timestamp,
    pub rules: Arc<Rules>,
}

/// What a response of a passkey names.
#[derive(Clone, Debug)]
pub struct PresentedPasskey {
    /// Digest of what finds the ceremony.
    pub ceremony: Digest,
    pub credential_id: CredentialId,
}

#[derive(Debug)]
pub enum Claim {
    /// The attempt counts as a failure until the code turns out to be right.
    Granted(Box<Granted>),
    /// The account's last wrong code was presented again. Nothing was counted.
    Repeated,
    /// The challenge is unknown, expired or used, or the session has ended.
    NoClaimant,
    /// The account is locked, or its long-term limit of guesses is reached.
    Locked {
        until: Timestamp,
    },
    /// The challenge had no tries left and is deleted.
    ChallengeExhausted,
    /// The tenant does not allow this factor.
    NotAllowed,
    NotEnrolled,
    /// No one-time code is waiting, or no response of a passkey is waited for.
    NoCode,
    /// The one-time code had no tries left and is deleted.
    CodeExhausted,
}

/// What a granted attempt is judged with.
#[derive(Debug)]
pub struct Granted {
    pub account: Account,
    pub last_sign_in_at: Option<Timestamp>,
    pub challenge: Option<Challenge>,
    pub material: Material,
    pub guess: Guess,
    /// What the attempt has added to the level of [`countersign_domain::policy::Policy::account_guesses`]; given back if it
    /// turns out to be no wrong guess.
    pub charge: Duration,
    /// Whether this attempt has locked the account, or filled its long-term limit of guesses.
    pub locks: bool,
}

/// An attempt that is claimed, judged, and recorded or completed in one transaction: for codes that are quick to judge, because
/// the account's row is locked meanwhile.
pub struct AttemptSecondFactor<R, W> {
    pub claim: ClaimAttempt,
    pub judge: Judge<R, W>,
}

/// Judges a claimed attempt; called again if the transaction is repeated.
pub type Judge<R, W> = Box<dyn Fn(&Granted) -> Ruling<R, W> + Send + Sync>;

/// What is stored of an attempt that was judged, and what its caller wants back.
#[derive(Debug)]
pub enum Ruling<R, W> {
    /// The code is right.
    Complete(Box<CompleteSecondFactor>, R),
    /// It is wrong, or used.
    Fail(Box<FailAttempt>),
    /// It could not be judged, or was not meant for this claimant: nothing is stored, and nothing counted.
    Withdraw(W),
}

/// How an [`AttemptSecondFactor`] ended.
#[derive(Debug)]
pub enum AttemptEnded<R, W> {
    /// It was not granted, and this is why.
    NotGranted(Claim),
    /// Nothing was stored or counted unless this is [`SecondFactorCompleted::Done`].
    Completed(SecondFactorCompleted, R),
    Failed {
        fail: Box<FailAttempt>,
        /// Whether it has locked the account.
        locks: bool,
    },
    Withdrawn(W),
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
    /// [`Granted::guess`]
    pub guess: Guess,
    /// [`Granted::charge`]
    pub charge: Duration,
    /// The ceremony of a passkey, which is spent.
    pub ceremony: Option<Digest>,
    pub rules: Arc<Rules>,
    pub event: AuditEvent,
    /// Of the lock, if this attempt is the one that locked the account; written if the code was wrong.
    pub lock_event: Option<AuditEvent>,
}

/// An attempt that was claimed and not judged, or right and not made to count, by a failure of the server or because the
/// operation was not possible any more.
#[derive(Clone, Debug)]
pub struct ReturnAttempt {
    pub claimant: Claimant,
    pub expected: Expected,
    pub account_id: AccountId,
    /// [`Granted::charge`]
    pub charge: Duration,
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
    /// [`Granted::charge`]
    pub charge: Duration,
    /// Written if a backup code is used and few are left.
    pub few_codes: AuditEvent,
    pub request: Request,
    pub rules: Arc<Rules>,
    pub terms: Terms,
    /// Takes the place of the challenge, or of the session. Its token is also the new one of a session that goes on.
    pub session: NewSession,
    /// Digest of the token that the claimant showed, if it is a session.
    pub session_token: Digest,
    /// Whether the claimant is a session whose last second factor counts for managing factors as it is.
    pub is_assured: bool,
    pub refresh_token: Option<NewRefreshToken>,
    /// The ticket that shows that a second factor was passed, where the dialect can use it.
    pub step_up: Option<NewTicket>,
    /// The ticket to change the password, where the dialect can use it.
    pub change_password: Option<NewTicket>,
    pub trust: NewTrust,
    /// The network of the challenge, recorded if a sign-in is completed.
    pub network: Option<KnownNetwork>,
    /// The method that comes along with the account's first second factor.
    pub email_method: Option<NewMethod>,
    pub now: Timestamp,
    pub audit: AuditContext,
    /// For the events besides the first: a backup code is used up, a device is trusted.
    pub more_audit: [AuditContext; 2],
    /// For the event besides a sign-in, if it comes after a long absence.
    pub absence_audit: AuditContext,
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
    /// [`Granted::charge`]
    pub charge: Duration,
    /// The method to remove, if the caller names one.
    pub named: Option<MethodId>,
    pub manager: Manager,
    pub rules: Arc<Rules>,
    pub now: Timestamp,
    pub audit: AuditContext,
    /// For one more event: a backup code is used up.
    pub more_audit: AuditContext,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodsRemoved {
    Decided(Removal),
    /// The account is gone, or another request used the same code in the meantime.
    ProofSpent,
}
