//! The `[[tenants]]` and `[[applications]]` of a configuration.

use super::read::{Text, tables};
use countersign_domain::address::MethodKind;
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::tenant::{Application, LoginPolicy, Tenant, TrustPolicy};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantSection {
    id: Text<TenantId>,
    name: String,
    #[serde(default)]
    login_policy: LoginPolicy,
    /// All of them if left out.
    methods: Option<Vec<Text<MethodKind>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplicationSection {
    id: Text<ApplicationId>,
    /// The first tenant if left out.
    tenant: Option<Text<TenantId>>,
    name: String,
    #[serde(default)]
    roles: BTreeSet<String>,
    #[serde(default)]
    trust_policy: TrustPolicy,
    /// `true` if left out.
    refresh_tokens: Option<bool>,
    #[serde(default)]
    manages_factors: bool,
}

pub(super) fn read_tenants<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<TenantSection>>, D::Error> {
    tables(from, "tenants")
}

pub(super) fn read_applications<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Vec<ApplicationSection>>, D::Error> {
    tables(from, "applications")
}

/// Returns the default tenant if none are given.
///
/// # Errors
/// Says what is wrong with the list, as the continuation of a sentence.
pub(super) fn tenants(given: Option<Vec<TenantSection>>) -> Result<Vec<Tenant>, String> {
    let Some(given) = given else { return Ok(vec![Tenant::default()]) };
    let mut tenants: Vec<Tenant> = Vec::new();
    for TenantSection { id: Text(id), name, login_policy, methods } in given {
        if tenants.iter().any(|tenant| tenant.id == id) {
            return Err(format!("the tenant {} is there twice", id.to_hyphenated()));
        }
        let methods = match methods {
            Some(methods) => methods.into_iter().map(|Text(kind)| kind).collect(),
            None => MethodKind::ALL.into(),
        };
        tenants.push(Tenant { id, name, login_policy, methods });
    }
    if tenants.is_empty() { Err("there must be a tenant".to_owned()) } else { Ok(tenants) }
}

/// Returns the default application, in the first tenant, if none are given.
///
/// # Errors
/// Says what is wrong with the list, as the continuation of a sentence.
pub(super) fn applications(
    given: Option<Vec<ApplicationSection>>,
    tenants: &[Tenant],
) -> Result<Vec<Application>, String> {
    let first = tenants.first().map(|tenant| tenant.id).ok_or("there must be a tenant")?;
    let Some(given) = given else { return Ok(vec![Application { tenant_id: first, ..Application::default() }]) };
    let mut applications: Vec<Application> = Vec::new();
    for section in given {
        let ApplicationSection { id: Text(id), tenant, name, roles, trust_policy, refresh_tokens, manages_factors } =
            section;
        if applications.iter().any(|application| application.id == id) {
            return Err(format!("the application {} is there twice", id.to_hyphenated()));
        }
        let tenant_id = tenant.map_or(first, |Text(id)| id);
        if !tenants.iter().any(|tenant| tenant.id == tenant_id) {
            return Err(format!("`{}` is not the id of a tenant", tenant_id.to_hyphenated()));
        }
        let refresh_tokens = refresh_tokens.unwrap_or(true);
        applications.push(Application { id, tenant_id, name, roles, trust_policy, refresh_tokens, manages_factors });
    }
    Ok(applications)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::tenant::Directory;

    use toml::Value;

    fn read_tenants(text: &str) -> Result<Vec<Tenant>, String> {
        let given = super::read_tenants(Value::from(text)).map_err(|error| error.message().to_owned())?;
        tenants(given)
    }

    fn read_applications(text: &str, tenants: &[Tenant]) -> Result<Vec<Application>, String> {
        let given = super::read_applications(Value::from(text)).map_err(|error| error.message().to_owned())?;
        applications(given, tenants)
    }

    const ONE: &str = "11111111-1111-4111-8111-111111111111";

    #[test]
    fn without_configuration_there_is_one_of_each() {
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
