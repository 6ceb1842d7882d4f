//! The `[[tenants]]` and `[[applications]]` of a configuration.

use super::read::{Text, tables};
use super::sections::Links;
use countersign_domain::address::MethodKind;
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::language::Language;
use countersign_domain::tenant::{Application, LoginPolicy, MailedCodes, RefreshTokenUsage, Tenant, TrustPolicy};
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
    /// The setting `verified_email` if left out.
    verified_email: Option<bool>,
    /// The setting `messages.language` if left out.
    language: Option<Text<Language>>,
}

/// What tenants do that do not say so themselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct TenantDefaults {
    pub(super) mailed_codes: MailedCodes,
    pub(super) sign_up: bool,
    pub(super) verified_email: bool,
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
    /// The setting `refresh_token_usage` if left out.
    refresh_token_usage: Option<Text<RefreshTokenUsage>>,
    #[serde(default)]
    manages_factors: bool,
    /// The settings `links.…` for those left out.
    #[serde(default)]
    links: Links,
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
pub(super) fn tenants(given: Option<Vec<TenantSection>>, defaults: TenantDefaults) -> Result<Vec<Tenant>, String> {
    let TenantDefaults { mailed_codes, sign_up, verified_email } = defaults;
    let Some(given) = given else {
        let requires_verified_email = verified_email;
        return Ok(vec![Tenant { mailed_codes, sign_up, requires_verified_email, ..Tenant::default() }]);
    };
    let mut tenants: Vec<Tenant> = Vec::new();
    for section in given {
        let TenantSection { id: Text(id), name, login_policy, methods, .. } = section;
        let (own, own_sign_up) = (section.mailed_codes, section.sign_up);
        let requires_verified_email = section.verified_email.unwrap_or(verified_email);
        if tenants.iter().any(|tenant| tenant.id == id) {
            return Err(format!("the tenant {} is there twice", id.to_hyphenated()));
        }
        let methods = match methods {
            Some(methods) => methods.into_iter().map(|Text(kind)| kind).collect(),
            None => MethodKind::ALL.into(),
        };
        let mailed_codes = own.map_or(mailed_codes, |Text(choice)| choice);
        let sign_up = own_sign_up.unwrap_or(sign_up);
        let language = section.language.map(|Text(language)| language);
        let tenant =
            Tenant { id, name, login_policy, methods, mailed_codes, sign_up, requires_verified_email, language };
        let can_enrol = tenant.allowed_methods().iter().any(|kind| kind.can_be_first());
        if tenant.login_policy == LoginPolicy::Required && !can_enrol {
            return Err(format!(
                "the tenant {} requires a second factor and leaves none to enrol: allow a method in `methods` other than `passkey`; \
                 e-mail is none while `mailed_codes` is {}",
                tenant.id.to_hyphenated(),
                tenant.mailed_codes.name()
            ));
        }
        tenants.push(tenant);
    }
    if tenants.is_empty() { Err("there must be a tenant".to_owned()) } else { Ok(tenants) }
}

/// Returns the default application, in the first tenant, if none are given. `usage` is for applications that do not choose
/// themselves.
///
/// # Errors
/// Says what is wrong with the list, as the continuation of a sentence.
pub(super) fn applications(
    given: Option<Vec<ApplicationSection>>,
    usage: RefreshTokenUsage,
    tenants: &[Tenant],
) -> Result<Vec<Application>, String> {
    let first = tenants.first().map(|tenant| tenant.id).ok_or("there must be a tenant")?;
    let Some(given) = given else {
        return Ok(vec![Application { tenant_id: first, refresh_token_usage: usage, ..Application::default() }]);
    };
    let mut applications: Vec<Application> = Vec::new();
    for section in given {
        let ApplicationSection {
            id: Text(id),
            tenant,
            name,
            roles,
            trust_policy,
            refresh_tokens,
            refresh_token_usage,
            manages_factors,
            links,
        } = section;
        if applications.iter().any(|application| application.id == id) {
            return Err(format!("the application {} is there twice", id.to_hyphenated()));
        }
        let tenant_id = tenant.map_or(first, |Text(id)| id);
        if !tenants.iter().any(|tenant| tenant.id == tenant_id) {
            return Err(format!("`{}` is not the id of a tenant", tenant_id.to_hyphenated()));
        }
        let refresh_tokens = refresh_tokens.unwrap_or(true);
        let refresh_token_usage = refresh_token_usage.map_or(usage, |Text(own)| own);
        applications.push(Application {
            id,
            tenant_id,
            name,
            roles,
            trust_policy,
            refresh_tokens,
            refresh_token_usage,
            manages_factors,
            links: links.into(),
        });
    }
    Ok(applications)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::tenant::Directory;

    use toml::Value;

    fn defaults(sign_up: bool, verified_email: bool) -> TenantDefaults {
        TenantDefaults { mailed_codes: MailedCodes::Always, sign_up, verified_email }
    }

    fn read_tenants(text: &str) -> Result<Vec<Tenant>, String> {
        let given = super::read_tenants(Value::from(text)).map_err(|error| error.message().to_owned())?;
        tenants(given, defaults(true, false))
    }

    fn read_applications(text: &str, tenants: &[Tenant]) -> Result<Vec<Application>, String> {
        let given = super::read_applications(Value::from(text)).map_err(|error| error.message().to_owned())?;
        applications(given, RefreshTokenUsage::Reusable, tenants)
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
        assert_eq!(tenants[0].language, None, "that of the server");
        let text = format!(r#"[{{"id": "{ONE}", "name": "One", "language": "pt-BR"}}]"#);
        assert_eq!(read_tenants(&text).expect("a tenant")[0].language, Language::parse("pt-br"));
        let text = format!(r#"[{{"id": "{ONE}", "name": "One", "language": "../etc"}}]"#);
        assert!(read_tenants(&text).is_err_and(|problem| problem.contains("is not the name of a language")));
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
                tenants(given, defaults(sign_up, false)).expect("a tenant")[0].sign_up,
                expected,
                "{sign_up} {own}"
            );
        }
        assert!(!tenants(None, defaults(false, false)).expect("a tenant")[0].sign_up);
        for (verified_email, own, expected) in [
            (true, "", true),
            (false, "", false),
            (true, r#", "verified_email": false"#, false),
            (false, r#", "verified_email": true"#, true),
        ] {
            let text = format!(r#"[{{"id": "{ONE}", "name": "One"{own}}}]"#);
            let given = super::read_tenants(Value::from(text.as_str())).expect("a list");
            let tenant = &tenants(given, defaults(true, verified_email)).expect("a tenant")[0];
            assert_eq!(tenant.requires_verified_email, expected, "{verified_email} {own}");
        }
        assert!(tenants(None, defaults(true, true)).expect("a tenant")[0].requires_verified_email);
    }

    #[test]
    fn an_application_that_does_not_say_follows_the_setting() {
        let tenants = read_tenants("").expect("a tenant");
        for usage in RefreshTokenUsage::ALL {
            for (own, expected) in [
                ("", usage),
                (r#", "refresh_token_usage": "Reusable""#, RefreshTokenUsage::Reusable),
                (r#", "refresh_token_usage": "OneTimeUse""#, RefreshTokenUsage::OneTimeUse),
            ] {
                let text = format!(r#"[{{"id": "{ONE}", "name": "One"{own}}}]"#);
                let given = super::read_applications(Value::from(text.as_str())).expect("a list");
                let read = applications(given, usage, &tenants).expect("an application");
                assert_eq!(read[0].refresh_token_usage, expected, "{usage:?} {own}");
            }
            assert_eq!(applications(None, usage, &tenants).expect("one")[0].refresh_token_usage, usage);
        }
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
                format!(r#"[{{"id": "{ONE}", "name": "A", "login_policy": "Required", "methods": ["passkey"]}}]"#),
                "a method in `methods` other than `passkey`",
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
        let text = format!(r#"[{{"id": "{ONE}", "name": "A", "refresh_token_usage": "Sliding"}}]"#);
        let found = read_applications(&text, &read_tenants("").expect("one")).expect_err("a mistake");
        assert!(found.contains("`Sliding` is neither Reusable nor OneTimeUse"), "{found}");
        let text = format!(r#"[{{"id": "{ONE}", "name": "A", "tenant": "{ONE}"}}]"#);
        let found = read_applications(&text, &read_tenants("").expect("one")).expect_err("a mistake");
        assert!(found.contains("is not the id of a tenant"), "{found}");
    }
}
