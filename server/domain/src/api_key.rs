//! API keys of services, and their permissions.

use crate::ids::{ApiKeyId, TenantId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Below this path are the operations of administration, which a key has to be allowed explicitly.
const ADMINISTRATION: &str = "/admin/";

/// What stands for all of them in a permission, and how it is stored.
const ADMIN: (&str, &str) = ("admin", "/admin/*");

fn is_administration(path: &str) -> bool {
    path.starts_with(ADMINISTRATION)
}

/// An operation that a key may call, or all below a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// HTTP method in upper case; `None` allows all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path of the operation as in the contract, such as `/api/user/{userId}`, or the beginning of one with `/*` behind it.
    pub path: String,
}

impl Permission {
    /// Reads `/path`, `/path/*` or `admin`, with or without a method before it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (method, path) = match text.trim().split_once(' ') {
            Some((method, path)) => (Some(method.to_ascii_uppercase()), path.trim()),
            None => (None, text.trim()),
        };
        let path = if path == ADMIN.0 { ADMIN.1 } else { path };
        path.starts_with('/').then(|| Self { method, path: path.to_owned() })
    }

    /// Whether it is about the operation with this contract path. Nothing but a path of administration is about administration.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        match self.path.strip_suffix('*').filter(|base| base.ends_with('/')) {
            Some(base) => path.starts_with(base) && is_administration(base) == is_administration(path),
            None => self.path == path,
        }
    }

    fn allows(&self, method: &str, path: &str) -> bool {
        self.covers(path) && self.method.as_deref().is_none_or(|allowed| allowed == method)
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
    /// JSON list of [`Permission`]s; `None` allows everything but administration.
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
        match &self.permissions {
            // Keys were made for everything before there were operations of administration.
            None => !is_administration(path),
            Some(permissions) => permissions.iter().any(|permission| permission.allows(method, path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn service(permissions: Option<&str>) -> Service {
        let now = Timestamp::from_millis(0);
        Service::from(ApiKeyRecord {
            id: ApiKeyId::generate(now, &mut ChaCha20Rng::seed_from_u64(1)),
            name: String::new(),
            tenant_id: None,
            permissions: permissions.map(str::to_owned),
            created_at: now,
            revoked_at: None,
        })
    }

    #[test]
    fn administration_is_allowed_explicitly_and_only_so_38() {
        let (read, write) = (("GET", "/admin/users/{userId}"), ("DELETE", "/admin/users/{userId}"));
        let other = ("DELETE", "/api/user/{userId}");
        for (allowed, expected) in [
            (None, [false, false, true]),
            (Some("admin"), [true, true, false]),
            (Some("get admin"), [true, false, false]),
            (Some("/admin/*"), [true, true, false]),
            (Some("/admin/users/*"), [true, true, false]),
            (Some("/admin/users/{userId}"), [true, true, false]),
            (Some("/admin/users"), [false, false, false]),
            (Some("/api/*"), [false, false, true]),
            (Some("/*"), [false, false, true]),
            (Some("/admin*"), [false, false, false]),
            (Some("/admin"), [false, false, false]),
        ] {
            let listed = allowed.map(|text| serde_json::to_string(&[Permission::parse(text).expect("a permission")]));
            let service = service(listed.transpose().expect("JSON").as_deref());
            let found = [read, write, other].map(|(method, path)| service.may(method, path));
            assert_eq!(found, expected, "{allowed:?}");
        }
    }

    #[test]
    fn a_key_allows_what_it_lists_and_nothing_else() {
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
