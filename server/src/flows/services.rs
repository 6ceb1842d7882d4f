//! Services: callers that show a key of their own.

use super::{FlowError, Flows};
use countersign_domain::ids::{ApiKeyId, TenantId};
use countersign_domain::secret::ApiKey;
use serde::{Deserialize, Serialize};

/// A service whose key is good.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its key's name.
    pub key_id: ApiKeyId,
    /// The only tenant that it may see.
    pub tenant_id: Option<TenantId>,
    permissions: Option<Vec<Permission>>,
}

/// Something that a key may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// The HTTP method, in upper case; any without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path of an operation as in the contract, such as `/api/user/{userId}`.
    pub path: String,
}

impl Permission {
    /// Reads `/path` or `METHOD /path`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (method, path) = match text.trim().split_once(' ') {
            Some((method, path)) => (Some(method.to_ascii_uppercase()), path.trim()),
            None => (None, text.trim()),
        };
        path.starts_with('/').then(|| Self { method, path: path.to_owned() })
    }
}

impl Service {
    /// Whether its key is good for the operation at this method and path (as in the contract).
    #[must_use]
    pub fn may(&self, method: &str, path: &str) -> bool {
        self.permissions.as_ref().is_none_or(|permissions| {
            permissions.iter().any(|permission| {
                permission.path == path && permission.method.as_deref().is_none_or(|allowed| allowed == method)
            })
        })
    }
}

impl Flows {
    /// The service that holds this key, unless it was revoked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn service(&self, key: &str) -> Result<Option<Service>, FlowError> {
        let Some(key) = ApiKey::parse(key) else { return Ok(None) };
        let Some(record) = self.store.api_key(key.digest()).await? else { return Ok(None) };
        let permissions = record.permissions.map(|text| serde_json::from_str(&text)).transpose();
        // What cannot be read allows nothing.
        let permissions = permissions.unwrap_or_else(|_| Some(Vec::new()));
        Ok(Some(Service { key_id: record.id, tenant_id: record.tenant_id, permissions }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::with_random;
    use countersign_domain::time::Timestamp;

    #[test]
    fn a_key_does_what_it_may_and_nothing_else() {
        let service = |permissions| Service {
            key_id: with_random(|random| ApiKeyId::generate(Timestamp::from_millis(0), random)),
            tenant_id: None,
            permissions,
        };
        assert!(service(None).may("DELETE", "/api/user/{userId}"));
        let permission = |text| Permission::parse(text).expect("a permission");
        let narrow = service(Some(vec![permission("get /api/user/{userId}"), permission("/api/login")]));
        assert!(narrow.may("GET", "/api/user/{userId}") && narrow.may("POST", "/api/login"));
        assert!(!narrow.may("DELETE", "/api/user/{userId}") && !narrow.may("POST", "/api/user"));
        assert!(!service(Some(Vec::new())).may("POST", "/api/login"));
        assert_eq!(Permission::parse("api/login"), None);
    }
}
