//! Resolving settings from the environment and the file.

use super::super::values::{LogFormat, Profile};
use super::super::{Configuration, Inputs};
use super::*;
use crate::net::cookie_scope::CookieDomain;
use countersign_domain::ids::ApplicationId;
use countersign_domain::policy::Policy;
use countersign_domain::tenant::MailedCodes;
use std::path::PathBuf;
use std::time::Duration;

fn load(environment: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let inputs = Inputs { environment, directory: PathBuf::from("/nonexistent"), ..Inputs::default() };
    let paths = ["/api/auth/sign-up/email".to_owned(), "/api/auth/sign-in/email".to_owned()];
    let problems = |error: super::super::ConfigError| error.problems.iter().map(ToString::to_string).collect();
    Configuration::load(&inputs, &paths).settings().map_err(problems)
}

#[test]
fn without_a_base_url_every_name_of_loopback_is_trusted_and_a_port_is_chosen() {
    let settings = load(&[("COUNTERSIGN_LISTEN", "127.0.0.1:0")]).expect("a valid configuration");
    let port = settings.listen.port();
    assert_ne!(port, 0);
    assert_eq!(settings.base_url.to_string(), format!("http://localhost:{port}"));
    for name in ["localhost", "127.0.0.1", "[::1]"] {
        assert!(settings.trusted_origins().trusts_origin(&format!("http://{name}:{port}")), "{name}");
    }
    let told = load(&[("COUNTERSIGN_BASE_URL", "http://localhost:3000")]).expect("a valid configuration");
    assert!(!told.trusted_origins().trusts_origin("http://127.0.0.1:3000"), "a base URL that is given is exact");
}

#[test]
fn every_setting_is_read() {
    let settings = load(&[
        ("COUNTERSIGN_LISTEN", "[::]:8443"),
        ("COUNTERSIGN_KEYS", "text"),
        ("COUNTERSIGN_BASE_URL", "https://id.example.com"),
        ("COUNTERSIGN_TRUSTED_ORIGINS", "https://a.example, *.b.example"),
        ("COUNTERSIGN_TRUSTED_PROXIES", "10.0.0.0/8,::1"),
        ("COUNTERSIGN_RATE_LIMITS", "off"),
        ("COUNTERSIGN_DISABLED_PATHS", "/api/auth/sign-up/email"),
        ("COUNTERSIGN_DOCS", "off"),
        ("COUNTERSIGN_REQUEST_TIMEOUT", "7"),
        ("COUNTERSIGN_LOG", "debug"),
        ("COUNTERSIGN_LOG_FORMAT", "json"),
        ("COUNTERSIGN_SMTP_URL", "smtps://u:p@mail.example"),
        ("COUNTERSIGN_SMTP_FROM", "Two <no-reply@b.example>"),
        ("COUNTERSIGN_SMTP_HELLO", "out.b.example"),
        ("COUNTERSIGN_COOKIE_DOMAIN", "example.com"),
        ("COUNTERSIGN_COOKIE_SAME_SITE", "none"),
        ("COUNTERSIGN_RATE_WINDOW", "60"),
        ("COUNTERSIGN_RATE_GUESSABLE", "30"),
    ])
    .expect("a valid configuration");
    assert_eq!(settings.listen, "[::]:8443".parse().expect("an address"));
    assert!(settings.cookie_scope().is_secure && !settings.rate_limits_are_on && !settings.docs_are_on);
    assert_eq!((settings.origin_patterns.len(), settings.trusted_proxies.len()), (2, 2));
    assert!(settings.disabled_paths.contains("/api/auth/sign-up/email"));
    assert_eq!(settings.limits.request_timeout, Duration::from_secs(7));
    assert_eq!((settings.log.level, settings.log.format), (slog::FilterLevel::Debug, LogFormat::Json));
    let scope = settings.cookie_scope();
    assert_eq!(scope.domain.as_ref().map(CookieDomain::as_str), Some("example.com"));
    assert_eq!(scope.same_site, SameSite::None);
    let rates = settings.limits.request_rates();
    assert_eq!((rates.window, rates.guessable, rates.general), (Duration::from_secs(60), 30, 100));
    let smtp = settings.smtp.expect("SMTP");
    assert_eq!(
        (smtp.from.to_string().as_str(), smtp.hello_name()),
        ("Two <no-reply@b.example>", "out.b.example".to_owned())
    );
}

#[test]
fn cookies_that_no_browser_would_take_are_refused() {
    let https = ("COUNTERSIGN_BASE_URL", "https://id.example.com");
    let (none, domain) = (("COUNTERSIGN_COOKIE_SAME_SITE", "none"), ("COUNTERSIGN_COOKIE_DOMAIN", "example.com"));
    for fine in [
        &[https, none, domain][..],
        &[none, https],
        &[domain, https],
        &[https, ("COUNTERSIGN_COOKIE_DOMAIN", "id.example.com")],
    ] {
        load(fine).expect("a valid configuration");
    }
    for (variables, key, words) in [
        (&[none][..], "cookies.same_site", "needs an https `base_url`"),
        (&[("COUNTERSIGN_COOKIE_SAME_SITE", "Laxer")], "cookies.same_site", "none of lax, strict and none"),
        (&[domain], "cookies.domain", "http://localhost:3000, is not below `example.com`"),
        (&[https, ("COUNTERSIGN_COOKIE_DOMAIN", "app.example.com")], "cookies.domain", "is not below"),
        (&[https, ("COUNTERSIGN_COOKIE_DOMAIN", "com")], "cookies.domain", "is not a domain"),
    ] {
        let problems = load(variables).expect_err(key);
        let [problem] = problems.as_slice() else { panic!("{problems:?}") };
        assert!(problem.starts_with(&format!("`{key}` (")) && problem.contains(words), "{problem}");
    }
}

#[test]
fn lifetimes_are_read_and_no_idle_one_is_longer_than_what_it_ends_with() {
    let hour = ("COUNTERSIGN_SESSION_LIFETIME", "3600");
    let settings = load(&[hour, ("COUNTERSIGN_ASSURANCE_LIFETIME", "900")]).expect("a valid configuration");
    let lifetimes = (settings.lifetimes.session, settings.lifetimes.assurance);
    assert_eq!(lifetimes, (Duration::from_secs(3_600), Duration::from_secs(900)));
    let problems = load(&[hour, ("COUNTERSIGN_SESSION_IDLE", "3601")]).expect_err("it is longer");
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(problem.contains("must not be longer than `lifetimes.session`"), "{problem}");
    load(&[("COUNTERSIGN_TRUST_LIFETIME", "59")]).expect_err("it is too short");
}

#[test]
fn access_tokens_live_for_a_minute_to_a_day_and_shorter_in_the_strict_profile() {
    let lifetime = |environment: &[(&str, &str)]| {
        let settings = load(environment).map_err(|problems| problems.join("; "))?;
        Ok(settings.lifetimes.apply_to(settings.profile.policy()).access_token_lifetime.as_secs())
    };
    let given = |seconds| ("COUNTERSIGN_ACCESS_TOKEN_LIFETIME", seconds);
    let strict = ("COUNTERSIGN_PROFILE", "strict");
    assert_eq!(lifetime(&[]), Ok(3_600));
    assert_eq!(lifetime(&[strict]), Ok(900));
    assert_eq!(lifetime(&[strict, given("120")]), Ok(120), "what is given wins");
    assert_eq!(lifetime(&[given("86400")]), Ok(86_400));
    for seconds in ["59", "86401", "-1", "an hour"] {
        let problem: String = lifetime(&[given(seconds)]).expect_err(seconds);
        assert!(problem.contains("`lifetimes.access_token`"), "{problem}");
    }
}

fn load_file(toml: &str) -> Result<Settings, Vec<String>> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join("c.toml"), toml).expect("writable");
    let inputs = Inputs { file: Some("c.toml".into()), directory: directory.path().to_owned(), ..Inputs::default() };
    let problems = |error: super::super::ConfigError| error.problems.iter().map(ToString::to_string).collect();
    Configuration::load(&inputs, &[]).settings().map_err(problems)
}

#[test]
fn the_file_gives_numbers_booleans_arrays_and_tables() {
    let settings = load_file(
        r#"
        rate_limits = false
        docs = "off"
        trusted_origins = ["https://a.example", "*.b.example"]
        trusted_proxies = "10.0.0.0/8, ::1"
        shutdown_grace = 0

        [limits]
        hash_queue = 7
        max_body_bytes = "2048"

        [retention]
        audit_days = 0

        [[tenants]]
        id = "11111111-1111-4111-8111-111111111111"
        name = "One"
        login_policy = "Required"
        methods = ["sms"]

        [[applications]]
        id = "22222222-2222-4222-8222-222222222222"
        name = "A"
        refresh_tokens = false
        "#,
    )
    .expect("a valid configuration");
    assert!(!settings.rate_limits_are_on && !settings.docs_are_on);
    assert_eq!((settings.trusted_proxies.len(), settings.shutdown_grace), (2, Duration::ZERO));
    assert!(settings.trusted_origins().trusts_origin("https://x.b.example"));
    assert_eq!((settings.limits.hash_queue, settings.limits.max_body_bytes), (7, 2_048));
    assert_eq!(settings.retention.audit, None);
    let tenant = settings.directory.home();
    assert_eq!((tenant.name.as_str(), tenant.methods.len()), ("One", 1));
    let id = ApplicationId::parse("22222222-2222-4222-8222-222222222222").expect("an id");
    let application = settings.directory.application(id).expect("the application");
    assert_eq!((application.tenant_id, application.refresh_tokens), (tenant.id, false));
}

#[test]
fn problems_of_the_file_name_it_and_the_key() {
    let problems = load_file(
        r#"
        listen = "3000"
        trusted_proxies = ["x", "10.0.0.0/8", "y"]

        [limits]
        hash_threads = 0
        hash_queue = "many"

        [[tenants]]
        id = "11111111-1111-4111-8111-111111111111"
        name = "One"

        [[tenants]]
        id = "22222222-2222-4222-8222-222222222222"
        name = "Two"
        color = "red"

        [[applications]]
        id = "1"
        name = "A"
        "#,
    )
    .expect_err("many problems");
    assert_eq!(
        problems,
        [
            "`listen` (file c.toml): `3000` is not an IP address and a port, such as 127.0.0.1:3000",
            "`trusted_proxies` (file c.toml): `x` is neither an IP address nor a network, such as 10.0.0.0/8; \
             `y` is neither an IP address nor a network, such as 10.0.0.0/8",
            "`tenants[1].color` (file c.toml): unknown field `color`, expected one of `id`, `name`, `login_policy`, \
             `methods`, `mailed_codes`, `sign_up`, `verified_email`, `language`",
            "`applications[0].id` (file c.toml): `1` is not a UUID",
            "`limits.hash_threads` (file c.toml): `0` is not a whole number from 1 to 1024",
            "`limits.hash_queue` (file c.toml): `many` is not a whole number from 1 to 100000",
        ]
    );
}

#[test]
fn a_refused_value_causes_no_second_problem() {
    for (variables, key) in [
        (&[("COUNTERSIGN_DIALECTS", "soap")][..], "dialects"),
        (&[("COUNTERSIGN_SMTP_URL", "mail"), ("COUNTERSIGN_SMTP_FROM", "a@b.example")], "smtp.url"),
        (&[("COUNTERSIGN_BASE_URL", "id"), ("COUNTERSIGN_COOKIE_SAME_SITE", "none")], "base_url"),
        (&[("COUNTERSIGN_TENANTS", "x"), ("COUNTERSIGN_APPLICATIONS", APPLICATION_OF_A_TENANT)], "tenants"),
    ] {
        let problems = load(variables).expect_err(key);
        assert!(problems.len() == 1 && problems[0].starts_with(&format!("`{key}` (")), "{problems:?}");
    }
}

const APPLICATION_OF_A_TENANT: &str = r#"[{"id": "22222222-2222-4222-8222-222222222222", "name": "A",
    "tenant": "11111111-1111-4111-8111-111111111111"}]"#;

#[test]
fn all_problems_are_reported_at_once_with_their_source() {
    let problems = load(&[
        ("COUNTERSIGN_LISTEN", "3000"),
        ("COUNTERSIGN_MAX_IN_FLIGHT", "many"),
        ("COUNTERSIGN_RATE_LIMITS", "maybe"),
        ("COUNTERSIGN_DISABLED_PATHS", "/api/auth/sign-up/mail"),
        ("COUNTERSIGN_SMTP_URL", "smtp://u:hunter2@mail.example"),
        ("COUNTERSIGN_LOG", "loud"),
        ("COUNTERSIGN_DATABASE_URL", "mysql://u:hunter2@db"),
    ])
    .expect_err("many problems");
    assert_eq!(
        problems,
        [
            "`listen` (environment COUNTERSIGN_LISTEN): `3000` is not an IP address and a port, such as 127.0.0.1:3000",
            "`rate_limits` (environment COUNTERSIGN_RATE_LIMITS): `maybe` is neither on nor off",
            "`disabled_paths` (environment COUNTERSIGN_DISABLED_PATHS): there is no operation at \
             `/api/auth/sign-up/mail`; did you mean /api/auth/sign-up/email?",
            "`database.url` (environment COUNTERSIGN_DATABASE_URL): expected sqlite:PATH or postgres://user:password@host/database",
            "`smtp.url` (environment COUNTERSIGN_SMTP_URL): needs `smtp.from`, the sender of mails, beside it",
            "`limits.max_in_flight` (environment COUNTERSIGN_MAX_IN_FLIGHT): `many` is not a whole number from 1 to 1000000",
            "`log.level` (environment COUNTERSIGN_LOG): `loud` is none of off, critical, error, warning, info, debug or trace",
        ]
    );
}

#[test]
fn beyond_loopback_the_keys_must_be_given() {
    let problems = load(&[("COUNTERSIGN_LISTEN", "0.0.0.0:3000")]).expect_err("no keys");
    assert!(problems[0].contains("countersign generate-keyring > FILE"), "{problems:?}");
    assert!(load(&[("COUNTERSIGN_LISTEN", "0.0.0.0:3000"), ("COUNTERSIGN_KEYRING", "/etc/keyring")]).is_ok());
    assert!(load(&[("COUNTERSIGN_LISTEN", "0.0.0.0:3000"), ("COUNTERSIGN_KEYS", "text")]).is_ok());
    assert!(load(&[("COUNTERSIGN_LISTEN", "localhost:4000")]).is_ok());
}

#[test]
fn the_strict_profile_gives_way_to_what_is_set_n7() {
    let mailed = |environment: &[(&str, &str)]| {
        let settings = load(environment).expect("a valid configuration");
        (settings.profile, settings.directory.home().mailed_codes)
    };
    let (strict, verified) = (("COUNTERSIGN_PROFILE", "strict"), ("COUNTERSIGN_MAILED_CODES", "verified"));
    assert_eq!(mailed(&[]), (Profile::Default, MailedCodes::Always));
    assert_eq!(mailed(&[strict]), (Profile::Strict, MailedCodes::Never));
    assert_eq!(mailed(&[strict, verified]), (Profile::Strict, MailedCodes::Verified));
    let policy = |environment: &[(&str, &str)]| {
        let settings = load(environment).expect("a valid configuration");
        settings.lifetimes.apply_to(settings.profile.policy())
    };
    assert_eq!(policy(&[]), Policy::default());
    assert_eq!(policy(&[strict]), Policy::strict(), "the settings do not bring the default lifetimes back");
    let own = policy(&[strict, ("COUNTERSIGN_SESSION_IDLE", "1800")]);
    assert_eq!(own, Policy { session_lifetime: Duration::from_secs(1800), ..Policy::strict() });
    let tenants = r#"[{"id": "11111111-1111-4111-8111-111111111111", "name": "One", "mailed_codes": "always"}]"#;
    let one = ("COUNTERSIGN_TENANTS", tenants);
    assert_eq!(mailed(&[strict, verified, one]).1, MailedCodes::Always, "a tenant's own choice comes first");
    let problems = load(&[("COUNTERSIGN_PROFILE", "paranoid"), ("COUNTERSIGN_MAILED_CODES", "sometimes")]);
    assert_eq!(
        problems.expect_err("two problems"),
        [
            "`profile` (environment COUNTERSIGN_PROFILE): `paranoid` is neither default nor strict",
            "`mailed_codes` (environment COUNTERSIGN_MAILED_CODES): `sometimes` is none of always, verified and never",
        ]
    );
}

#[test]
fn values_that_would_break_something_are_refused() {
    for (name, value) in [
        ("COUNTERSIGN_APP_NAME", "a:b"),
        ("COUNTERSIGN_BASE_URL", "https://id.example.com/auth"),
        ("COUNTERSIGN_TRUSTED_ORIGINS", "https://a.example/path"),
        ("COUNTERSIGN_TRUSTED_PROXIES", "proxy.example"),
        ("COUNTERSIGN_HASH_THREADS", "0"),
        ("COUNTERSIGN_REQUEST_TIMEOUT", "0"),
        ("COUNTERSIGN_SMTP_FROM", "a@b.example"),
        ("COUNTERSIGN_SMTP_HELLO", "b.example"),
        ("COUNTERSIGN_RATE_WINDOW", "0"),
    ] {
        assert!(load(&[(name, value)]).is_err(), "{name}={value}");
    }
}
