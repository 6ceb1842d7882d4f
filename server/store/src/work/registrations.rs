//! Registrations of users for applications.

use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{AccountId, ApplicationId};
use countersign_domain::time::Timestamp;
use countersign_domain::user::Registration;

#[derive(Clone, Debug)]
pub struct Register {
    pub account_id: AccountId,
    pub registration: Registration,
    pub event: AuditEvent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    Done,
    /// The user is registered for the application already.
    Already,
    /// The account is gone.
    NoAccount,
}

#[derive(Clone, Debug)]
pub struct ChangeRegistration {
    pub account_id: AccountId,
    /// As it is from now on.
    pub registration: Registration,
    /// When it had been changed last as it was read.
    pub read_at: Timestamp,
    pub event: AuditEvent,
}

#[derive(Clone, Debug)]
pub struct DeleteRegistration {
    pub account_id: AccountId,
    pub application_id: ApplicationId,
    pub event: AuditEvent,
}
