//! What administrators see of users, and how they reset a second factor.

use super::KindCount;
use countersign_domain::audit::AuditContext;
use countersign_domain::decisions::factor_reset::FactorReset as FactorResetDecision;
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::time::Timestamp;
use countersign_domain::user_search::NameRange;

/// A page of the users of a tenant, in the order of their ids.
#[derive(Clone, Debug)]
pub struct ListUsers {
    pub tenant_id: TenantId,
    /// Only those with such an e-mail address or user name.
    pub named: Option<NameRanges>,
    /// Only those after this one.
    pub after: Option<AccountId>,
    pub limit: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameRanges {
    pub email: NameRange,
    pub username: NameRange,
}

/// Takes the second factor from an account.
#[derive(Clone, Debug)]
pub struct ResetFactors {
    pub account_id: AccountId,
    pub audit: AuditContext,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorsReset {
    Decided(FactorResetDecision),
    /// The account is gone.
    Gone,
}

/// What is counted.
#[derive(Clone, Debug)]
pub struct CountEverything {
    pub tenants: Vec<TenantId>,
    pub now: Timestamp,
    /// `None` if what is of no one tenant is not counted.
    pub events: Option<EventsToCount>,
}

#[derive(Clone, Debug)]
pub struct EventsToCount {
    pub since: Timestamp,
    /// Stored names of the kinds of events that are counted.
    pub kinds: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Statistics {
    pub tenants: Vec<TenantStatistics>,
    pub server: Option<ServerStatistics>,
}

/// What is of no one tenant.
#[derive(Clone, Debug)]
pub struct ServerStatistics {
    /// Grants that have not expired. Some of them may have ended with the credentials that they were opened by.
    pub sessions: u64,
    pub refresh_tokens: u64,
    pub trusted_devices: u64,
    /// Kinds of events that happened.
    pub events: Vec<KindCount>,
}

#[derive(Clone, Debug)]
pub struct TenantStatistics {
    pub tenant_id: TenantId,
    pub users: u64,
    pub deactivated: u64,
    pub with_second_factor: u64,
    /// Users that accept no second factor after wrong ones in a row, or that a service has locked.
    pub locked: u64,
}

/// Everything that is stored about a user, but for secrets, their hashes and digests, and the audit trail.
#[derive(Clone, Debug)]
pub struct StoredAboutUser {
    /// In the order in which they are shown.
    pub tables: Vec<StoredRows>,
}

#[derive(Clone, Debug)]
pub struct StoredRows {
    pub table: &'static str,
    pub rows: Vec<Vec<(&'static str, StoredValue)>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredValue {
    Nothing,
    Text(String),
    /// JSON text.
    Json(String),
    Number(i64),
    Flag(bool),
    Time(Timestamp),
}
