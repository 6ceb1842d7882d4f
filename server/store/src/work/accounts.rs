//! Accounts: people, their registrations and passwords.

use super::{NewSession, NewTicket, PresentedTicket};
use countersign_domain::account::{Account, LoginName};
use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{AccountId, ApplicationId, RegistrationId, TenantId};
use countersign_domain::method::Method;
use countersign_domain::password::PasswordHash;
use countersign_domain::time::Timestamp;

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
