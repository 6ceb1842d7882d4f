//! What callers hand in and get back: one struct for each unit of work, one enum for each way it can end.

use countersign_domain::account::{Account, LoginName, Unusable};
use countersign_domain::audit::AuditEvent;
use countersign_domain::challenge::{Challenge, Factor};
use countersign_domain::ids::{
    AccountId, ApiKeyId, ApplicationId, BackupCodeId, MethodId, RefreshTokenId, RegistrationId, SessionId, TenantId,
};
use countersign_domain::keyring::Sealed;
use countersign_domain::mailed_code::{Address, Subject};
use countersign_domain::method::{Method, MethodHandle};
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
    /// The application it was given in.
    pub application_id: Option<ApplicationId>,
    /// Until when it holds.
    pub expires_at: Timestamp,
}

/// The first of the refresh tokens that follow from a sign-in.
#[derive(Clone, Debug)]
pub struct NewRefreshToken {
    /// What it is found by.
    pub digest: Digest,
    /// The name of all that follow from it.
    pub family_id: RefreshTokenId,
    /// The application that was signed in to.
    pub application_id: ApplicationId,
    /// When a second factor was passed, if one was.
    pub second_factor_at: Option<Timestamp>,
    /// Until when it may be used.
    pub expires_at: Timestamp,
}

/// What a ticket is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketKind {
    /// Showing that a second factor was passed a moment ago.
    StepUp,
    /// Changing the password.
    ChangePassword,
    /// Signing in without a password, right after changing it.
    OneTimePassword,
}

impl TicketKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::StepUp => "step-up",
            Self::ChangePassword => "change-password",
            Self::OneTimePassword => "one-time-password",
        }
    }
}

/// Leave to do one thing once.
#[derive(Clone, Debug)]
pub struct NewTicket {
    /// What it is good for.
    pub kind: TicketKind,
    /// What it is found by.
    pub digest: Digest,
    /// Digest of a text that whoever uses it must know.
    pub trust_challenge: Option<Digest>,
    /// What whoever asked for it wants to have back: JSON text.
    pub state: Option<String>,
    /// Until when it may be used.
    pub expires_at: Timestamp,
}

/// A ticket as it is presented.
#[derive(Clone, Debug)]
pub struct PresentedTicket {
    /// What it is to be good for.
    pub kind: TicketKind,
    /// What it is found by.
    pub digest: Digest,
    /// Digest of the text that was presented with it.
    pub trust_challenge: Option<Digest>,
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

/// What else is known about a person: JSON text, in the words of the FusionAuth dialect.
pub type Profile = String;

/// Everything about a person.
#[derive(Clone, Debug)]
pub struct Person {
    /// The account.
    pub account: Account,
    /// What else is known.
    pub profile: Profile,
    /// When the person last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// The confirmed second factors, the oldest first.
    pub methods: Vec<Method>,
    /// Where the person is registered.
    pub registrations: Vec<Registration>,
}

/// What a person is looked up by.
#[derive(Clone, Debug)]
pub enum Whose {
    /// The account's name.
    Id(AccountId),
    /// What they sign in with, in this tenant; the first of these that somebody has.
    Login(TenantId, Vec<LoginName>),
}

/// A person's registration for an application.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Its name.
    pub id: RegistrationId,
    /// Where.
    pub application_id: ApplicationId,
    /// What the person may do there.
    pub roles: Vec<String>,
    /// What the person is called there.
    pub username: Option<String>,
    /// What else is known there: JSON text.
    pub data: Option<String>,
    /// When the person last signed in there.
    pub last_sign_in_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// An account made by a service.
#[derive(Clone, Debug)]
pub struct CreateAccount {
    /// The new account.
    pub account: Account,
    /// What else is known about the person.
    pub profile: Profile,
    /// A registration that is made with it.
    pub registration: Option<Registration>,
    /// What is recorded.
    pub event: AuditEvent,
}

/// How making or changing an account ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountWritten {
    /// It is written.
    Done,
    /// Somebody has that address.
    EmailTaken,
    /// Somebody has that user name.
    UsernameTaken,
    /// Somebody has that telephone number.
    PhoneNumberTaken,
    /// Somebody has that id.
    IdTaken,
    /// It is not there any more, or was changed since it was read.
    Stale,
}

/// An account changed by a service.
#[derive(Clone, Debug)]
pub struct ChangeAccount {
    /// The account as it is to be; its password only if `sets_password`.
    pub account: Account,
    /// When what is changed was last changed: if that is not so any more, nothing happens.
    pub was_updated_at: Timestamp,
    /// What else is known about the person.
    pub profile: Profile,
    /// Whether the password is a new one; then everything that the old one opened ends.
    pub sets_password: bool,
    /// What is recorded.
    pub events: Vec<AuditEvent>,
}

/// A person registered for an application.
#[derive(Clone, Debug)]
pub struct Register {
    /// Who.
    pub account_id: AccountId,
    /// The registration.
    pub registration: Registration,
    /// What is recorded.
    pub event: AuditEvent,
}

/// The key of a service.
#[derive(Clone, Debug)]
pub struct ApiKeyRecord {
    /// Its name for us.
    pub id: ApiKeyId,
    /// Its name for people.
    pub name: String,
    /// The only tenant it opens; all without.
    pub tenant_id: Option<TenantId>,
    /// What it may do: JSON text; everything without.
    pub permissions: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A refresh token that is used.
#[derive(Clone, Debug)]
pub struct UseRefreshToken {
    /// The one that is presented.
    pub digest: Digest,
    /// The one that takes its place.
    pub next: Digest,
    /// When.
    pub now: Timestamp,
    /// Until when the next one may be used.
    pub expires_at: Timestamp,
    /// What is recorded; the kind is chosen by how it ends.
    pub event: AuditEvent,
}

/// How using a refresh token ends.
#[derive(Clone, Debug)]
pub enum RefreshTokenUsed {
    /// The next one is stored.
    Done(Box<SignedInFor>),
    /// It was used before; all that followed from the same sign-in are dead now.
    Reused,
    /// There is no such token, or its time is over.
    Unknown,
}

/// The sign-in that a refresh token goes back to.
#[derive(Clone, Debug)]
pub struct SignedInFor {
    /// Whose it is.
    pub account: Account,
    /// The name of the tokens that follow from it.
    pub family_id: RefreshTokenId,
    /// The application that was signed in to.
    pub application_id: ApplicationId,
    /// When a second factor was passed, if one was.
    pub second_factor_at: Option<Timestamp>,
    /// When it was.
    pub signed_in_at: Timestamp,
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
    pub budget: Option<String>,
    /// The ticket that stands for the password, to be used up.
    pub ticket: Option<PresentedTicket>,
    /// When a second factor is asked for.
    pub asks: Asks,
    /// The session to open, if the account needs no second factor now.
    pub session: Option<NewSession>,
    /// The refresh token to give in the same case.
    pub refresh_token: Option<NewRefreshToken>,
    /// The challenge to open otherwise.
    pub challenge: Challenge,
    /// The trust that the device shows.
    pub trust: Option<ShownTrust>,
    /// The leave to change the password, when that has to come first.
    pub change_password: NewTicket,
    /// What is recorded; the kind is chosen by how it ends.
    pub event: AuditEvent,
}

/// When signing in asks for a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Asks {
    /// Never.
    Never,
    /// If the account has one.
    #[default]
    IfEnabled,
    /// Always; whoever has none has to enrol one first.
    Always,
}

/// A trust that a device shows.
#[derive(Clone, Debug)]
pub enum ShownTrust {
    /// One that is good for one sign-in, and what takes its place.
    Rotating(Digest, NewTrust),
    /// One that is good until its end.
    Lasting {
        /// What it is found by.
        digest: Digest,
        /// Where it must have been given.
        given: TrustScope,
    },
}

/// Where a trust must have been given to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustScope {
    /// Anywhere.
    Anywhere,
    /// In this application, or outside of all.
    Here(Option<ApplicationId>),
}

/// A trust in a device, as stored.
#[derive(Clone, Copy, Debug)]
pub struct StoredTrust {
    /// The application it was given in.
    pub application_id: Option<ApplicationId>,
    /// When it was given.
    pub created_at: Timestamp,
    /// Until when it holds.
    pub expires_at: Timestamp,
}

/// How a sign-in with a right password ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// The session is open.
    SignedIn,
    /// The session is open because the device is trusted; its trust was replaced.
    Trusted,
    /// The challenge is open.
    Challenged {
        /// What can answer it.
        methods: Vec<Method>,
    },
    /// Nothing is open but the leave to change the password.
    PasswordChangeRequired,
    /// The account may not be used.
    Unusable(Unusable),
    /// The credentials changed while the password was checked, or the ticket is not good.
    Stale,
}

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

/// A new password.
#[derive(Clone, Debug)]
pub struct ChangePassword {
    /// Whose it is.
    pub account_id: AccountId,
    /// The version of the credentials the old password was checked against.
    pub credentials_version: i64,
    /// The new one.
    pub password: PasswordHash,
    /// Tickets that have to be there, and are used up.
    pub tickets: Vec<PresentedTicket>,
    /// Whether all sessions and refresh tokens end.
    pub ends_sessions: bool,
    /// The session that takes their place.
    pub session: Option<NewSession>,
    /// What this gives leave to do.
    pub grants: Option<NewTicket>,
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
    /// Refresh tokens.
    pub refresh_tokens: usize,
    /// Tickets.
    pub tickets: usize,
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

    fn each(&self) -> [usize; 8] {
        let Self {
            challenges,
            mailed_codes,
            sessions,
            refresh_tokens,
            tickets,
            trusted_devices,
            budgets,
            audit_events,
        } = *self;
        [challenges, mailed_codes, sessions, refresh_tokens, tickets, trusted_devices, budgets, audit_events]
    }
}

/// A table whose rows pass.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Passing {
    Challenges,
    MailedCodes,
    Sessions,
    RefreshTokens,
    Tickets,
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
