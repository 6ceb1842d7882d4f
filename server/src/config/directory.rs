//! The `[[tenants]]` and `[[applications]]` of a configuration.

use super::read::{Text, tables};
use countersign_domain::address::MethodKind;
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::tenant::{Application, LoginPolicy, MailedCodes, Tenant, TrustPolicy};
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
    /// That of the setting `mailed_codes` if left out.
    mailed_codes: Option<Text<MailedCodes>>,
    /// The setting `sign_up` if left out.
    sign_up: Option<bool>,
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

/// Returns the default tenant if none are given. `mailed_codes` and `sign_up` are for tenants that do not choose themselves.
///
/// # Errors
/// Says what is wrong with the list, as the continuation of a sentence.
pub(super) fn tenants(
    given: Option<Vec<TenantSection>>,
    mailed_codes: MailedCodes,
    sign_up: bool,
) -> Result<Vec<Tenant>, String> {
    let Some(given) = given else { return Ok(vec![Tenant { mailed_codes, sign_up, ..Tenant::default() }]) };
    let mut tenants: Vec<Tenant> = Vec::new();
    for section in given {
        let TenantSection { id: Text(id), name, login_policy, methods, mailed_codes: own, sign_up: own_sign_up } =
            section;
        if tenants.iter().any(|tenant| tenant.id == id) {
            return Err(format!("the tenant {} is there twice", id.to_hyphenated()));
        }
        let methods = match methods {
            Some(methods) => methods.into_iter().map(|Text(kind)| kind).collect(),
            None => MethodKind::ALL.into(),
        };
        let mailed_codes = own.map_or(mailed_codes, |Text(choice)| choice);
        let tenant = Tenant { id, name, login_policy, methods, mailed_codes, sign_up: own_sign_up.unwrap_or(sign_up) };
        if tenant.login_policy == LoginPolicy::Required && tenant.allowed_methods().is_empty() {
            return Err(format!(
                "the tenant {} requires a second factor and leaves none to enrol: allow a method in `methods`; e-mail is none \
                 while `mailed_codes` is {}",
                tenant.id.to_hyphenated(),
                tenant.mailed_codes.name()
            ));
        }
        tenants.push(tenant);
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
        tenants(given, MailedCodes::Always, true)
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
        assert_eq!(tenants[0].mailed_codes, MailedCodes::Always);
        let text = format!(r#"[{{"id": "{ONE}", "name": "One", "mailed_codes": "verified"}}]"#);
        assert_eq!(read_tenants(&text).expect("a tenant")[0].mailed_codes, MailedCodes::Verified);
        let text = format!(r#"[{{"id": "{ONE}", "name": "A", "roles": ["admin"], "trust_policy": "This"}}]"#);
        let applications = read_applications(&text, &tenants).expect("an application");
        assert_eq!((applications[0].tenant_id, applications[0].trust_policy), (tenants[0].id, TrustPolicy::This));
        assert!(applications[0].refresh_tokens);
    }

    #[test]
    fn a_tenant_that_does_not_say_follows_the_setting() {
        for (sign_up, own, expected) in [
            (true, "", true),
            (false, "", false),
            (true, r#", "sign_up": false"#, false),
            (false, r#", "sign_up": true"#, true),
        ] {
            let text = format!(r#"[{{"id": "{ONE}", "name": "One"{own}}}]"#);
            let given = super::read_tenants(Value::from(text.as_str())).expect("a list");
            assert_eq!(
                tenants(given, MailedCodes::Always, sign_up).expect("a tenant")[0].sign_up,
                expected,
                "{sign_up} {own}"
            );
        }
        assert!(!tenants(None, MailedCodes::Always, false).expect("a tenant")[0].sign_up);
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
            (format!(r#"[{{"id": "{ONE}", "name": "A", "mailed_codes": "maybe"}}]"#), "`maybe` is none of always"),
            (
                format!(r#"[{{"id": "{ONE}", "name": "A", "login_policy": "Required", "methods": []}}]"#),
                "requires a second factor and leaves none to enrol",
            ),
            (
                format!(
                    r#"[{{"id": "{ONE}", "name": "A", "login_policy": "Required", "methods": ["email"], "mailed_codes": "never"}}]"#
                ),
                "e-mail is none while `mailed_codes` is never",
            ),
        ] {
            let found = read_tenants(&text).expect_err("a mistake");
            assert!(found.contains(problem), "{found}");
        }
        let text = format!(r#"[{{"id": "{ONE}", "name": "A", "tenant": "{ONE}"}}]"#);
        let found = read_applications(&text, &read_tenants("").expect("one")).expect_err("a mistake");
        assert!(found.contains("is not the id of a tenant"), "{found}");
    }
}
