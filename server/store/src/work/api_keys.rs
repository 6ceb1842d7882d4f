//! Keys of services.

use countersign_domain::ids::{ApiKeyId, TenantId};
use countersign_domain::time::Timestamp;

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
