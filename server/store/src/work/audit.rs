//! Reading the audit trail.

use countersign_domain::actor::Actor;
use countersign_domain::audit::RequestIds;
use countersign_domain::ids::{AccountId, AuditId, SessionId};
use countersign_domain::time::Timestamp;

/// An event as it is stored, maybe by a node of a later version, whose kinds and factors this one may not know.
#[derive(Clone, Debug)]
pub struct StoredAuditEvent {
    pub id: AuditId,
    pub at: Timestamp,
    pub kind: String,
    pub account_id: Option<AccountId>,
    pub session_id: Option<SessionId>,
    pub factor: Option<String>,
    pub dialect: String,
    /// Empty if there is none.
    pub ip_address: String,
    pub actor: Actor,
    pub request: RequestIds,
}

impl StoredAuditEvent {
    /// The place of the event in the trail.
    #[must_use]
    pub fn place(&self) -> AuditPlace {
        AuditPlace { at: self.at, id: self.id }
    }
}

/// A place in the trail: events are in the order of time, and those of one millisecond in that of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditPlace {
    pub at: Timestamp,
    pub id: AuditId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOrder {
    OldestFirst,
    NewestFirst,
}

/// A page of events.
#[derive(Clone, Debug)]
pub struct FindAuditEvents {
    pub account_id: Option<AccountId>,
    /// Stored names of kinds; all if there are none.
    pub kinds: Vec<String>,
    /// The first instant of the events.
    pub since: Option<Timestamp>,
    /// The instant before which they end.
    pub until: Option<Timestamp>,
    pub order: AuditOrder,
    /// Only those that come after this place in the order.
    pub after: Option<AuditPlace>,
    pub limit: u32,
}

/// How often something happened since some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindCount {
    pub kind: String,
    pub count: u64,
}
