//! Locks and limits of an account, as an administrator sees and lifts them.

use countersign_domain::audit::{AuditContext, AuditEvent};
use countersign_domain::decisions::suspension::Request;
use countersign_domain::ids::AccountId;
use countersign_domain::limits::Suspension;

#[derive(Clone, Debug)]
pub struct LiftLimits {
    pub account_id: AccountId,
    /// Written if something counts against the account.
    pub event: AuditEvent,
}

#[derive(Clone, Debug)]
pub struct SuspendAccount {
    pub account_id: AccountId,
    pub request: Request,
    /// As it is to be.
    pub suspension: Suspension,
    pub audit: AuditContext,
}
