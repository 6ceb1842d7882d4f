//! From given values to [`Settings`], and the rules that tie settings to one another.

use super::defaults;
use super::directory::{self, TenantDefaults};
use super::keys::Key;
use super::layers::{Entry, Source};
use super::nearest::hint;
use super::problem::Problem;
use super::sections::Sections;
use super::settings::{Cookies, Lifetimes, Settings};
use super::values::{BaseUrl, KeyringSource};
use super::webhooks::{self, Receiver, WebhookSection};
use crate::net::cookie_scope::SameSite;
use crate::net::origin::OriginPattern;
use crate::net::otlp::Collector;
use countersign_domain::jwt::AccessTokenSettings;
use countersign_domain::password::Cost;
use countersign_domain::tenant::{Directory, RefreshTokenUsage};
use std::collections::BTreeMap;
use std::net::TcpListener;
use toml::{Table, Value};

/// Turns values, one for each key, into settings. A value that is refused becomes a problem and is replaced by its
/// default, so that one call finds every problem.
pub(super) fn resolve(
    entries: &BTreeMap<Key, Entry>,
    operation_paths: &[String],
    problems: &mut Vec<Problem>,
) -> Settings {
    let mut resolver = Resolver { entries, refusals: Vec::new() };
    let sections = resolver.read_sections();
    let keyring = match sections.keys {
        Some(keys) => KeyringSource::Text(keys),
        None if entries.get(&Key::Keyring).is_some_and(|entry| entry.source == Source::Credential) => {
            KeyringSource::Credential(sections.keyring)
        }
        None if resolver.is_explicit(Key::Keyring) => KeyringSource::NamedFile(sections.keyring),
        None => KeyringSource::DefaultFile(sections.keyring),
    };
    for path in &sections.disabled_paths {
        if !operation_paths.contains(path) {
            let hint = hint(path, operation_paths.iter().map(String::as_str), |near| near.to_owned());
            resolver.refuse(Key::DisabledPaths, &format!("there is no operation at `{path}`{hint}"));
        }
    }
    if sections.dialects.is_empty() {
        resolver.refuse(Key::Dialects, "must name at least one API");
    }
    resolver.check_cookies(&sections.cookies, &sections.base_url);
    let base_url_is_default = !resolver.is_explicit(Key::BaseUrl);
    let directory = resolver.directory(
        sections.tenants,
        TenantDefaults {
            mailed_codes: sections.mailed_codes,
            sign_up: sections.sign_up,
            verified_email: sections.verified_email,
        },
        (sections.applications, sections.refresh_token_usage),
    );
    let mut settings = Settings {
        listen: sections.listen,
        base_url: sections.base_url,
        app_name: sections.app_name,
        data_dir: sections.data_dir,
        outbox: sections.outbox,
        origin_patterns: sections.trusted_origins,
        trusted_proxies: sections.trusted_proxies,
        cookies: sections.cookies,
        rate_limits_are_on: sections.rate_limits,
        disabled_paths: sections.disabled_paths,
        tokens: AccessTokenSettings {
            issuer: sections.jwt.issuer,
            algorithm: sections.jwt.algorithm,
            retiring: sections.jwt.retiring_algorithms,
        },
        passkeys: sections.passkeys,
        password_blocklist_is_on: sections.passwords.blocklist,
        shortest_password: sections.passwords.min_length,
        verification_signs_in: sections.sign_in_after_verification,
        passwordless_is_on: sections.passwordless,
        deletion_is_on: sections.delete_account,
        dialects: sections.dialects,
        docs_are_on: sections.docs,
        profile: sections.profile,
        webhooks: resolver.webhooks(sections.webhooks, &directory),
        directory,
        keyring,
        database: sections.database,
        retention: sections.retention,
        smtp: resolver.smtp(sections.smtp),
        sms: resolver.sms(sections.sms),
        messages: sections.messages,
        links: sections.links.into(),
        limits: sections.limits,
        lifetimes: resolver.lifetimes(sections.lifetimes),
        operations: sections.operations.listen,
        traces: sections.traces.endpoint.map(|endpoint| Collector { endpoint, percent: sections.traces.percent }),
        log: sections.log,
        password_cost: Cost::PASSWORD,
        responses_are_validated: sections.validate_responses,
        shutdown_grace: sections.shutdown_grace,
    };
    resolver.check_passkeys(&settings);
    // In the order of `check-config`.
    resolver.refusals.sort_by_key(|(key, _)| *key);
    problems.extend(resolver.refusals.into_iter().map(|(_, problem)| problem));
    if settings.listen.ip().is_loopback() && base_url_is_default {
        trust_loopback_names(&mut settings, problems);
    }
    if settings.tokens.issuer.is_empty() {
        settings.tokens.issuer = settings.base_url.to_string();
    }
    if !settings.listen.ip().is_loopback() && matches!(settings.keyring, KeyringSource::DefaultFile(_)) {
        problems.push(Problem::new(format!(
            "listening on {}, which other machines can reach, requires your own keyring: run \
             `countersign generate-keyring > FILE`, `chmod 600 FILE`, and set {}=FILE (or {} to the file's text)",
            settings.listen.ip(),
            Key::Keyring.variable(),
            Key::Keys.variable()
        )));
    }
    settings
}

/// Trusts every name of this machine, because nobody has said which one the browser uses. Port 0 is replaced by a free
/// port now, because the base URL has to name it.
fn trust_loopback_names(settings: &mut Settings, problems: &mut Vec<Problem>) {
    if settings.listen.port() == 0 {
        match TcpListener::bind(settings.listen).and_then(|listener| listener.local_addr()) {
            Ok(address) => settings.listen = address,
            Err(error) => problems.push(Problem::new(format!("no free port on {}: {error}", settings.listen.ip()))),
        }
        if let Ok(base_url) = BaseUrl::parse(&format!("http://localhost:{}", settings.listen.port())) {
            settings.base_url = base_url;
        }
    }
    let port = settings.listen.port();
    let names = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    settings
        .origin_patterns
        .extend(names.iter().filter_map(|name| OriginPattern::parse(&format!("{name}:{port}")).ok()));
}

pub(super) struct Resolver<'a> {
    entries: &'a BTreeMap<Key, Entry>,
    refusals: Vec<(Key, Problem)>,
}

impl Resolver<'_> {
    /// Serde stops at its first error, so reading is repeated with the default in place of the refused value until every
    /// problem is known. The error's path leads to the key, and the key to its source. Provenance is kept by hand because
    /// figment would stop at the first error as well, and spans of TOML exist for the file only.
    fn read_sections(&mut self) -> Sections {
        let mut values: BTreeMap<Key, &Value> = self.entries.iter().map(|(key, entry)| (*key, &entry.value)).collect();
        let mut fallbacks = BTreeMap::new();
        defaults::add(&mut fallbacks);
        loop {
            let error = match serde_path_to_error::deserialize(Value::Table(tree(&values))) {
                Ok(sections) => return sections,
                Err(error) => error,
            };
            let path = error.path().to_string();
            let name = path.split('[').next().unwrap_or_default();
            let key = Key::named(name).expect("every value belongs to a key");
            self.refuse_at(&path, key, error.inner().message());
            let replaced = values.insert(key, &fallbacks[&key].value);
            assert_ne!(replaced, Some(&fallbacks[&key].value), "the default of `{name}` is refused");
        }
    }

    fn directory(
        &mut self,
        tenants: Option<Vec<directory::TenantSection>>,
        defaults: TenantDefaults,
        (applications, usage): (Option<Vec<directory::ApplicationSection>>, RefreshTokenUsage),
    ) -> Directory {
        // Applications could only be checked against the wrong tenants.
        if self.refusals.iter().any(|(key, _)| *key == Key::Tenants) {
            return Directory::default();
        }
        let tenants = match directory::tenants(tenants, defaults) {
            Ok(tenants) => tenants,
            Err(problem) => {
                self.refuse(Key::Tenants, &problem);
                return Directory::default();
            }
        };
        let applications = directory::applications(applications, usage, &tenants);
        let applications = applications.map_err(|problem| self.refuse(Key::Applications, &problem)).unwrap_or_default();
        Directory::new(tenants, applications).unwrap_or_default()
    }

    fn webhooks(&mut self, given: Option<Vec<WebhookSection>>, directory: &Directory) -> Vec<Receiver> {
        let receivers = webhooks::receivers(given, directory);
        receivers.map_err(|problem| self.refuse(Key::Webhooks, &problem)).unwrap_or_default()
    }

    fn check_cookies(&mut self, cookies: &Cookies, base_url: &BaseUrl) {
        // They could only be checked against the wrong URL.
        if self.refusals.iter().any(|(key, _)| *key == Key::BaseUrl) {
            return;
        }
        if cookies.same_site == SameSite::None && !base_url.is_secure() {
            let needed = "needs an https `base_url`: browsers take such cookies over https only";
            self.refuse(Key::CookieSameSite, needed);
        }
        if let Some(domain) = cookies.domain.as_ref().filter(|domain| !domain.covers(base_url.origin())) {
            let problem = format!("the host of `base_url`, {base_url}, is not below `{}`", domain.as_str());
            self.refuse(Key::CookieDomain, &format!("{problem}: browsers would take no cookie"));
        }
    }

    fn check_passkeys(&mut self, settings: &Settings) {
        // They could only be checked against the wrong pages.
        let read = [Key::BaseUrl, Key::TrustedOrigins, Key::PasskeyRpId, Key::PasskeyOrigins];
        if self.refusals.iter().any(|(key, _)| read.contains(key)) {
            return;
        }
        match settings.relying_party() {
            Ok(relying_party) => {
                for origin in settings.foreign_passkey_origins(&relying_party.id) {
                    let problem =
                        format!("{origin} is not a page of {} by https, or by http on localhost", relying_party.id);
                    self.refuse(Key::PasskeyOrigins, &problem);
                }
            }
            Err(problem) if settings.passkeys.rp_id.is_some() => self.refuse(Key::PasskeyRpId, &problem),
            Err(problem) if !settings.passkeys.origins.is_empty() => self.refuse(Key::PasskeyOrigins, &problem),
            // Nobody has asked for passkeys, so they are off.
            Err(_) => {}
        }
    }

    fn lifetimes(&mut self, lifetimes: Lifetimes) -> Lifetimes {
        for (idle, key, absolute, name) in [
            (lifetimes.session_idle, Key::SessionIdle, lifetimes.session, Key::SessionLifetime),
            (lifetimes.refresh_token_idle, Key::RefreshTokenIdle, lifetimes.refresh_token, Key::RefreshTokenLifetime),
            (lifetimes.trust_idle, Key::TrustIdle, lifetimes.trust, Key::TrustLifetime),
        ] {
            // One that was not given follows the other: it ends with that at the latest.
            if idle > absolute && self.is_explicit(key) {
                self.refuse(key, &format!("must not be longer than `{}`", name.name()));
            }
        }
        lifetimes
    }

    pub(super) fn is_empty(&self, key: Key) -> bool {
        self.entries.get(&key).is_none_or(|entry| entry.text().trim().is_empty())
    }

    fn is_explicit(&self, key: Key) -> bool {
        self.entries.get(&key).is_some_and(|entry| entry.source.is_explicit())
    }

    pub(super) fn refuse(&mut self, key: Key, problem: &str) {
        self.refuse_at(key.name(), key, problem);
    }

    fn refuse_at(&mut self, path: &str, key: Key, problem: &str) {
        let source =
            self.entries.get(&key).map_or_else(String::new, |entry| format!(" ({})", entry.source.describe(key)));
        self.refusals.push((key, Problem::new(format!("`{path}`{source}: {problem}"))));
    }
}

/// The values as one TOML document would hold them.
fn tree(values: &BTreeMap<Key, &Value>) -> Table {
    let mut root = Table::new();
    for (key, value) in values {
        let (table, name) = match key.name().split_once('.') {
            Some((table, name)) => {
                (root.entry(table).or_insert_with(|| Value::Table(Table::new())).as_table_mut(), name)
            }
            None => (Some(&mut root), key.name()),
        };
        table.expect("no key is named like a table").insert(name.to_owned(), (*value).clone());
    }
    root
}

#[cfg(test)]
mod tests {
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
        let inputs =
            Inputs { file: Some("c.toml".into()), directory: directory.path().to_owned(), ..Inputs::default() };
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
}
