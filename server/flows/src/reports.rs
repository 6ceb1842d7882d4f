//! What administrators read of many users: pages of users and of the audit trail, and counts.
//!
//! An administrator of one tenant sees what belongs to it, and nothing else.

use super::{FlowError, Flows};
use countersign_domain::audit::EventKind;
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::tenant::Directory;
use countersign_domain::time::Timestamp;
use countersign_domain::user::{AccountLookup, User};
use countersign_domain::user_search::NamePattern;
pub use countersign_store::work::{
    AuditOrder, AuditPlace, FindAuditEvents, KindCount, MessageQueue, StoredAuditEvent, TenantStatistics,
};
use countersign_store::work::{CountEverything, EventsToCount, ListUsers, NameRanges};
use countersign_store::{Store, StoreError};
use std::time::Duration;

/// For how long before now events are counted.
const EVENT_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Which users are listed.
#[derive(Clone, Copy, Debug)]
pub struct UserFilter<'a> {
    pub tenant_id: TenantId,
    /// Only those whose e-mail address or user name starts with this text.
    pub starts_with: Option<&'a str>,
    /// Only those after this one.
    pub after: Option<AccountId>,
    pub limit: u32,
}

/// Users in the order of their ids.
#[derive(Clone, Debug)]
pub struct UserPage {
    pub users: Vec<User>,
    /// After whom the next page begins, if there is one.
    pub next: Option<AccountId>,
}

/// Events in the order that was asked for.
#[derive(Clone, Debug)]
pub struct AuditPage {
    pub events: Vec<StoredAuditEvent>,
    /// After which place the next page begins, if there is one.
    pub next: Option<AuditPlace>,
}

/// What an administrator sees of the audit trail.
#[derive(Clone, Debug)]
pub enum AuditTrail {
    Page(AuditPage),
    /// The trail names no tenants: an administrator of one tenant has to name an account.
    AccountRequired,
    /// The tenant has no such account.
    NoAccount,
}

/// Counts of users, and of the whole server for administrators of all tenants.
#[derive(Clone, Debug)]
pub struct Counts {
    pub at: Timestamp,
    pub tenants: Vec<TenantStatistics>,
    pub server: Option<ServerCounts>,
}

#[derive(Clone, Debug)]
pub struct ServerCounts {
    /// Grants that have not expired. Some of them may have ended with the credentials that they were opened by.
    pub sessions: u64,
    pub refresh_tokens: u64,
    pub trusted_devices: u64,
    pub messages: MessageQueue,
    /// Kinds of events that happened within the last day.
    pub events: Vec<KindCount>,
}

/// Counts what is in a database, of this tenant only if one is named.
///
/// # Errors
/// When the database fails.
pub async fn count(
    store: &Store,
    directory: &Directory,
    scope: Option<TenantId>,
    now: Timestamp,
) -> Result<Counts, StoreError> {
    let tenants = directory.tenants().iter().map(|tenant| tenant.id);
    let events = scope.is_none().then(|| EventsToCount {
        since: now - EVENT_WINDOW,
        kinds: EventKind::ALL.iter().map(|kind| kind.name().to_owned()).collect(),
    });
    let tenants = tenants.filter(|id| scope.is_none_or(|scope| scope == *id)).collect();
    let statistics = store.statistics(CountEverything { tenants, now, events }).await?;
    let server = match statistics.server {
        None => None,
        Some(server) => Some(ServerCounts {
            sessions: server.sessions,
            refresh_tokens: server.refresh_tokens,
            trusted_devices: server.trusted_devices,
            messages: store.message_queue(()).await?,
            events: server.events,
        }),
    };
    Ok(Counts { at: now, tenants: statistics.tenants, server })
}

impl Flows {
    /// A page of the users of a tenant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_users(&self, filter: UserFilter<'_>) -> Result<UserPage, FlowError> {
        let UserFilter { tenant_id, starts_with, after, limit } = filter;
        let named = starts_with.map(NamePattern::StartsWith);
        let named = named.map(|pattern| NameRanges { email: pattern.emails(), username: pattern.usernames() });
        // One more says whether there is another page.
        let wanted = ListUsers { tenant_id, named, after, limit: limit.saturating_add(1) };
        let mut users = self.store().list_users(wanted).await?;
        let has_more = shorten(&mut users, limit);
        let next = users.last().map(|user| user.account.id).filter(|_| has_more);
        Ok(UserPage { users, next })
    }

    /// A page of the audit trail, for an administrator of this tenant if one is named, else of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_trail(&self, scope: Option<TenantId>, find: FindAuditEvents) -> Result<AuditTrail, FlowError> {
        if let Some(tenant) = scope {
            let Some(id) = find.account_id else { return Ok(AuditTrail::AccountRequired) };
            if self.user(AccountLookup::Id(id), Some(tenant)).await?.is_none() {
                return Ok(AuditTrail::NoAccount);
            }
        }
        self.audit_page(find).await.map(AuditTrail::Page)
    }

    /// A page of the audit trail.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_page(&self, find: FindAuditEvents) -> Result<AuditPage, FlowError> {
        let limit = find.limit;
        let wanted = FindAuditEvents { limit: limit.saturating_add(1), ..find };
        let mut events = self.store().audit_events(wanted).await?;
        let has_more = shorten(&mut events, limit);
        let next = events.last().map(StoredAuditEvent::place).filter(|_| has_more);
        Ok(AuditPage { events, next })
    }

    /// Counts what is in the database, of this tenant only if one is named.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counts(&self, scope: Option<TenantId>) -> Result<Counts, FlowError> {
        Ok(count(self.store(), self.directory(), scope, self.now()).await?)
    }
}

/// Leaves at most so many; says whether there were more.
fn shorten<T>(found: &mut Vec<T>, limit: u32) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = found.len() > limit;
    found.truncate(limit);
    has_more
}
