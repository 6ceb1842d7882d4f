//! API keys of services, and their permissions.

use crate::ids::{ApiKeyId, TenantId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An operation that a key may call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// HTTP method in upper case; `None` allows all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path of the operation as in the contract, such as `/api/user/{userId}`.
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

/// An API key as stored.
#[derive(Clone, Debug)]
pub struct ApiKeyRecord {
    pub id: ApiKeyId,
    /// Label for operators.
    pub name: String,
    /// The only tenant it opens; `None` opens all.
    pub tenant_id: Option<TenantId>,
    /// JSON list of [`Permission`]s; `None` allows everything.
    pub permissions: Option<String>,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// A caller whose API key is valid.
#[derive(Clone, Debug)]
pub struct Service {
    pub key_id: ApiKeyId,
    /// The only tenant that it may see.
    pub tenant_id: Option<TenantId>,
    permissions: Option<Vec<Permission>>,
}

impl From<ApiKeyRecord> for Service {
    fn from(record: ApiKeyRecord) -> Self {
        let permissions = record.permissions.map(|text| serde_json::from_str(&text)).transpose();
        // Permissions that cannot be read allow nothing.
        let permissions = permissions.unwrap_or_else(|_| Some(Vec::new()));
        Self { key_id: record.id, tenant_id: record.tenant_id, permissions }
    }
}

impl Service {
    /// Whether the key allows the operation with this method and contract path.
    #[must_use]
    pub fn may(&self, method: &str, path: &str) -> bool {
        self.permissions.as_ref().is_none_or(|permissions| {
            permissions.iter().any(|permission| {
                permission.path == path && permission.method.as_deref().is_none_or(|allowed| allowed == method)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_key_allows_what_it_lists_and_nothing_else() {
        let service = |permissions: Option<&str>| {
            let now = Timestamp::from_millis(0);
            Service::from(ApiKeyRecord {
                id: ApiKeyId::generate(now, &mut ChaCha20Rng::seed_from_u64(1)),
                name: String::new(),
                tenant_id: None,
                permissions: permissions.map(str::to_owned),
                created_at: now,
                revoked_at: None,
            })
        };
        assert!(service(None).may("DELETE", "/api/user/{userId}"));
        let permission = |text| Permission::parse(text).expect("a permission");
        let listed = [permission("get /api/user/{userId}"), permission("/api/login")];
        let narrow = service(Some(&serde_json::to_string(&listed).expect("JSON")));
        assert!(narrow.may("GET", "/api/user/{userId}") && narrow.may("POST", "/api/login"));
        assert!(!narrow.may("DELETE", "/api/user/{userId}") && !narrow.may("POST", "/api/user"));
        for nothing in ["[]", "not JSON", r#"[{"path": "/api/login", "more": 1}]"#] {
            assert!(!service(Some(nothing)).may("POST", "/api/login"), "{nothing}");
        }
        assert_eq!(Permission::parse("api/login"), None);
    }
}
