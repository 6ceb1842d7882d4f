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
mod tests;
