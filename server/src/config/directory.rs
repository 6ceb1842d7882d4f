//! The tenants and applications of a configuration.

use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::method::MethodKind;
use countersign_domain::tenant::{Application, LoginPolicy, Tenant, TrustPolicy};
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantText {
    id: String,
    name: String,
    #[serde(default)]
    login_policy: LoginPolicy,
    methods: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplicationText {
    id: String,
    tenant: Option<String>,
    name: String,
    #[serde(default)]
    roles: BTreeSet<String>,
    #[serde(default)]
    trust_policy: TrustPolicy,
    refresh_tokens: Option<bool>,
}

/// Reads a list of tenants: a JSON array of `{id, name, login_policy?, methods?}`; the default tenant when it is empty.
///
/// # Errors
/// Says what is wrong with it, as the continuation of a sentence.
pub(super) fn read_tenants(text: &str) -> Result<Vec<Tenant>, String> {
    if text.is_empty() {
        return Ok(vec![Tenant::default()]);
    }
    let read: Vec<TenantText> =
        serde_json::from_str(text).map_err(|error| format!("not a list of tenants: {error}"))?;
    let mut tenants: Vec<Tenant> = Vec::new();
    for TenantText { id, name, login_policy, methods } in read {
        let id = TenantId::parse(&id).ok_or_else(|| format!("`{id}` is not a UUID"))?;
        if tenants.iter().any(|tenant| tenant.id == id) {
            return Err(format!("the tenant {} is there twice", id.to_hyphenated()));
        }
        let kind = |name: &String| {
            MethodKind::parse(name).ok_or_else(|| format!("`{name}` is none of authenticator, email and sms"))
        };
        let methods = match methods {
            Some(names) => names.iter().map(kind).collect::<Result<_, _>>()?,
            None => MethodKind::ALL.into(),
        };
        tenants.push(Tenant { id, name, login_policy, methods });
    }
    if tenants.is_empty() { Err("there must be a tenant".to_owned()) } else { Ok(tenants) }
}

/// Reads a list of applications: a JSON array of `{id, name, tenant?, roles?, trust_policy?, refresh_tokens?}`; an application
/// that names no tenant belongs to the first one.
///
/// # Errors
/// Says what is wrong with it, as the continuation of a sentence.
pub(super) fn read_applications(text: &str, tenants: &[Tenant]) -> Result<Vec<Application>, String> {
    let first = tenants.first().map(|tenant| tenant.id).ok_or("there must be a tenant")?;
    if text.is_empty() {
        return Ok(vec![Application { tenant_id: first, ..Application::default() }]);
    }
    let read: Vec<ApplicationText> =
        serde_json::from_str(text).map_err(|error| format!("not a list of applications: {error}"))?;
    let mut applications: Vec<Application> = Vec::new();
    for ApplicationText { id, tenant, name, roles, trust_policy, refresh_tokens } in read {
        let id = ApplicationId::parse(&id).ok_or_else(|| format!("`{id}` is not a UUID"))?;
        if applications.iter().any(|application| application.id == id) {
            return Err(format!("the application {} is there twice", id.to_hyphenated()));
        }
        let tenant_id = match tenant {
            None => first,
            Some(text) => {
                let known = TenantId::parse(&text).filter(|id| tenants.iter().any(|tenant| tenant.id == *id));
                known.ok_or_else(|| format!("`{text}` is not the id of a tenant"))?
            }
        };
        let refresh_tokens = refresh_tokens.unwrap_or(true);
        applications.push(Application { id, tenant_id, name, roles, trust_policy, refresh_tokens });
    }
    Ok(applications)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::tenant::Directory;

    const ONE: &str = "11111111-1111-4111-8111-111111111111";

    #[test]
    fn without_a_word_there_is_one_of_each() {
        let tenants = read_tenants("").expect("a tenant");
        let applications = read_applications("", &tenants).expect("an application");
        assert_eq!(Directory::new(tenants, applications), Some(Directory::default()));
    }

    #[test]
    fn rules_are_read() {
        let text = format!(r#"[{{"id": "{ONE}", "name": "One", "login_policy": "Required", "methods": ["sms"]}}]"#);
        let tenants = read_tenants(&text).expect("a tenant");
        assert_eq!((tenants[0].login_policy, tenants[0].methods.len()), (LoginPolicy::Required, 1));
        let text = format!(r#"[{{"id": "{ONE}", "name": "A", "roles": ["admin"], "trust_policy": "This"}}]"#);
        let applications = read_applications(&text, &tenants).expect("an application");
        assert_eq!((applications[0].tenant_id, applications[0].trust_policy), (tenants[0].id, TrustPolicy::This));
        assert!(applications[0].refresh_tokens);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, problem) in [
            ("x".to_owned(), "not a list of tenants"),
            ("[]".to_owned(), "there must be a tenant"),
            (r#"[{"id": "1", "name": "One"}]"#.to_owned(), "`1` is not a UUID"),
            (format!(r#"[{{"id": "{ONE}", "name": "One", "color": "red"}}]"#), "unknown field `color`"),
            (format!(r#"[{{"id": "{ONE}", "name": "One", "methods": ["voice"]}}]"#), "`voice` is none of"),
            (format!(r#"[{{"id": "{ONE}", "name": "A"}}, {{"id": "{ONE}", "name": "B"}}]"#), "is there twice"),
        ] {
            let found = read_tenants(&text).expect_err("a mistake");
            assert!(found.contains(problem), "{found}");
        }
        let text = format!(r#"[{{"id": "{ONE}", "name": "A", "tenant": "{ONE}"}}]"#);
        let found = read_applications(&text, &read_tenants("").expect("one")).expect_err("a mistake");
        assert!(found.contains("is not the id of a tenant"), "{found}");
    }
}
