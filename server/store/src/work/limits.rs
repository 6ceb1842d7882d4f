//! Locks and limits of an account, as an administrator sees and lifts them.

use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::AccountId;

#[derive(Clone, Debug)]
pub struct LiftLimits {
    pub account_id: AccountId,
    pub event: AuditEvent,
}
