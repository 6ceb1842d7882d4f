//! Users that a service looks for.

use countersign_domain::ids::TenantId;
use countersign_domain::user::User;
use countersign_domain::user_search::{Page, UserSearch};

#[derive(Clone, Debug)]
pub struct FindUsers {
    pub tenant_id: TenantId,
    pub which: UserSearch,
    /// Part of the result; not looked at where ids are given.
    pub page: Page,
    /// Whether `total` is exact beyond [`countersign_domain::policy::REACHABLE_USERS`].
    pub counts_all: bool,
}

#[derive(Clone, Debug, Default)]
pub struct FoundUsers {
    /// In the order of their ids.
    pub users: Vec<User>,
    /// How many match, on all pages.
    pub total: u64,
}
