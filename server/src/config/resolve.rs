//! From text to types, and the rules that tie settings to one another.

use super::directory;
use super::keys::Key;
use super::layers::Given;
use super::nearest::nearest;
use super::problem::Problem;
use super::settings::{Database, Limits, Log, Retention, Settings};
use super::values::{BaseUrl, DatabaseUrl, DialectName, KeyringSource, LogFormat};
use crate::net::origin::OriginPattern;
use crate::net::smtp::{SmtpServer, SmtpUrl};
use countersign_domain::jwt::{AccessTokenSettings, Algorithm};
use countersign_domain::password::Cost;
use countersign_domain::tenant::Directory;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

/// Types every setting. Where that fails, a problem is noted and a stand-in is used, so that all problems are found.
pub(super) fn resolve(
    given: &BTreeMap<Key, Given>,
    operation_paths: &[String],
    problems: &mut Vec<Problem>,
) -> Settings {
    let mut read = Reader { given, problems };
    let mut settings = Settings {
        listen: read.one(Key::Listen, socket_address).unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 3000))),
        base_url: read.one(Key::BaseUrl, BaseUrl::parse).unwrap_or_else(stand_in_base_url),
        app_name: read.one(Key::AppName, app_name).unwrap_or_default(),
        data_dir: PathBuf::from(read.text(Key::DataDir)),
        outbox: PathBuf::from(read.text(Key::Outbox)),
        origin_patterns: read.list(Key::TrustedOrigins, OriginPattern::parse),
        trusted_proxies: read.list(Key::TrustedProxies, network),
        rate_limits_are_on: read.one(Key::RateLimits, switch).unwrap_or(true),
        disabled_paths: read
            .list(Key::DisabledPaths, |path| disabled_path(path, operation_paths))
            .into_iter()
            .collect(),
        tokens: AccessTokenSettings {
            issuer: read.text(Key::JwtIssuer).to_owned(),
            algorithm: read.one(Key::JwtAlgorithm, jwt_algorithm).unwrap_or_default(),
        },
        dialects: read.dialects(),
        docs_are_on: read.one(Key::Docs, switch).unwrap_or(true),
        directory: read.directory(),
        keyring: read.keyring(),
        database: Database {
            url: read.one(Key::DatabaseUrl, DatabaseUrl::parse).unwrap_or_else(|| DatabaseUrl::Sqlite(PathBuf::new())),
            timeout: read.seconds(Key::DatabaseTimeout, 1),
            connections: read.count(Key::DatabaseConnections, 1, 1_000),
            deadline: read.seconds(Key::DatabaseDeadline, 1),
            migrate: read.one(Key::DatabaseMigrate, switch).unwrap_or(true),
        },
        retention: Retention {
            audit: match read.count(Key::AuditRetention, 0, 36_500) {
                0 => None,
                days => Some(Duration::from_secs(days as u64 * 24 * 60 * 60)),
            },
            interval: read.seconds(Key::HousekeepingInterval, 1),
        },
        smtp: read.smtp(),
        limits: Limits {
            max_in_flight: read.count(Key::MaxInFlight, 1, 1_000_000),
            request_timeout: read.seconds(Key::RequestTimeout, 1),
            max_body_bytes: read.count(Key::MaxBodyBytes, 1_024, 16 << 20),
            hash_threads: read.count(Key::HashThreads, 1, 1_024),
            hash_queue: read.count(Key::HashQueue, 1, 100_000),
            codes_per_hour: u32::try_from(read.count(Key::CodesPerHour, 1, 10_000)).unwrap_or(u32::MAX),
        },
        log: Log {
            level: read.one(Key::LogLevel, log_level).unwrap_or(slog::FilterLevel::Info),
            format: read.one(Key::LogFormat, log_format).unwrap_or(LogFormat::Text),
        },
        password_cost: Cost::PASSWORD,
        responses_are_validated: read.one(Key::ValidateResponses, switch).unwrap_or(false),
        shutdown_grace: read.seconds(Key::ShutdownGrace, 0),
    };
    let base_url_is_default = given.get(&Key::BaseUrl).is_some_and(|given| !given.source.is_explicit());
    if settings.listen.ip().is_loopback() && base_url_is_default {
        own_loopback(&mut settings, problems);
    }
    if settings.tokens.issuer.is_empty() {
        settings.tokens.issuer = settings.base_url.to_string();
    }
    if !settings.listen.ip().is_loopback() && matches!(settings.keyring, KeyringSource::DefaultFile(_)) {
        problems.push(Problem::new(format!(
            "listening on {}, beyond this machine, needs keys that you keep: run `countersign generate-keyring > FILE`, \
             `chmod 600 FILE`, and set {}=FILE (or {} to the file's text)",
            settings.listen.ip(),
            Key::Keyring.variable(),
            Key::Keys.variable()
        )));
    }
    settings
}

/// Without a base URL, a server on loopback is its own user's: whichever name of this machine the browser was given is
/// trusted, and a port that is left to the system is chosen now, since the base URL has to name it.
fn own_loopback(settings: &mut Settings, problems: &mut Vec<Problem>) {
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

struct Reader<'a> {
    given: &'a BTreeMap<Key, Given>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn text(&self, key: Key) -> &'a str {
        self.given.get(&key).map_or("", |given| given.text.trim())
    }

    fn one<T>(&mut self, key: Key, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        parse(self.text(key)).map_err(|problem| self.blame(key, &problem)).ok()
    }

    fn list<T>(&mut self, key: Key, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let items = self.text(key).split(',').map(str::trim).filter(|item| !item.is_empty());
        items.filter_map(|item| parse(item).map_err(|problem| self.blame(key, &problem)).ok()).collect()
    }

    fn count(&mut self, key: Key, least: usize, most: usize) -> usize {
        let parse = |text: &str| match text.parse() {
            Ok(count) if (least..=most).contains(&count) => Ok(count),
            _ => Err(format!("`{text}` is not a whole number from {least} to {most}")),
        };
        self.one(key, parse).unwrap_or(least)
    }

    fn seconds(&mut self, key: Key, least: usize) -> Duration {
        // An hour is longer than anything here should take, and short enough for every clock.
        Duration::from_secs(self.count(key, least, 3_600) as u64)
    }

    fn keyring(&self) -> KeyringSource {
        let path = PathBuf::from(self.text(Key::Keyring));
        match self.text(Key::Keys) {
            "" if self.is_explicit(Key::Keyring) => KeyringSource::NamedFile(path),
            "" => KeyringSource::DefaultFile(path),
            keys => KeyringSource::Text(super::secret::SecretText::new(keys)),
        }
    }

    fn dialects(&mut self) -> BTreeSet<DialectName> {
        let dialects: BTreeSet<_> = self.list(Key::Dialects, DialectName::parse).into_iter().collect();
        if dialects.is_empty() {
            self.blame(Key::Dialects, "there is nothing to serve without one");
        }
        dialects
    }

    fn directory(&mut self) -> Directory {
        let Some(tenants) = self.one(Key::Tenants, directory::read_tenants) else { return Directory::default() };
        let applications = self.one(Key::Applications, |text| directory::read_applications(text, &tenants));
        applications.and_then(|applications| Directory::new(tenants, applications)).unwrap_or_default()
    }

    fn smtp(&mut self) -> Option<SmtpServer> {
        match (self.text(Key::SmtpUrl), self.text(Key::SmtpFrom)) {
            ("", "") => None,
            ("", _) => {
                self.blame(Key::SmtpFrom, "is of no use without `smtp.url`");
                None
            }
            (_, "") => {
                self.blame(Key::SmtpUrl, "needs `smtp.from`, the sender of mails, beside it");
                None
            }
            _ => {
                let url = self.one(Key::SmtpUrl, SmtpUrl::parse);
                let from =
                    self.one(Key::SmtpFrom, |text| text.parse().map_err(|_| format!("`{text}` is not a mailbox")));
                Some(SmtpServer { url: url?, from: from? })
            }
        }
    }

    fn is_explicit(&self, key: Key) -> bool {
        self.given.get(&key).is_some_and(|given| given.source.is_explicit())
    }

    fn blame(&mut self, key: Key, problem: &str) {
        let source =
            self.given.get(&key).map_or_else(String::new, |given| format!(" ({})", given.source.describe(key)));
        self.problems.push(Problem::new(format!("`{}`{source}: {problem}", key.name())));
    }
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    let localhost = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    localhost
        .as_deref()
        .unwrap_or(text)
        .parse()
        .map_err(|_| format!("`{text}` is not an IP address and a port, such as 127.0.0.1:3000"))
}

fn app_name(text: &str) -> Result<String, String> {
    // It becomes the issuer of otpauth URIs, where a colon separates it from the account.
    match text {
        "" => Err("must not be empty".to_owned()),
        text if text.contains(':') || text.chars().any(char::is_control) => {
            Err(format!("`{}` must not hold a colon or control characters", text.escape_debug()))
        }
        text => Ok(text.to_owned()),
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("`{text}` is neither an IP address nor a network, such as 10.0.0.0/8"))
}

fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err(format!("`{text}` is neither on nor off")),
    }
}

fn disabled_path(path: &str, operation_paths: &[String]) -> Result<String, String> {
    if operation_paths.iter().any(|known| known == path) {
        return Ok(path.to_owned());
    }
    let hint = match nearest(path, operation_paths.iter().map(String::as_str)) {
        Some(near) => format!("; did you mean {near}?"),
        None => String::new(),
    };
    Err(format!("there is no operation at `{path}`{hint}"))
}

fn jwt_algorithm(text: &str) -> Result<Algorithm, String> {
    Algorithm::parse(text).ok_or_else(|| format!("`{text}` is none of EdDSA, ES256 and RS256"))
}

fn log_level(text: &str) -> Result<slog::FilterLevel, String> {
    text.parse().map_err(|()| format!("`{text}` is none of {}", Key::LogLevel.help().trim_end_matches('.')))
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("`{text}` is neither text nor json")),
    }
}

fn stand_in_base_url() -> BaseUrl {
    BaseUrl::parse("http://localhost:3000").expect("this is a base URL")
}

#[cfg(test)]
mod tests {
    use super::super::{Configuration, Places};
    use super::*;

    fn load(environment: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let places = Places { environment, directory: PathBuf::from("/nonexistent"), ..Places::default() };
        let paths = ["/api/auth/sign-up/email".to_owned(), "/api/auth/sign-in/email".to_owned()];
        let problems = |error: super::super::ConfigError| error.problems.iter().map(ToString::to_string).collect();
        Configuration::load(&places, &paths).settings().map_err(problems)
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
        ])
        .expect("a valid configuration");
        assert_eq!(settings.listen, "[::]:8443".parse().expect("an address"));
        assert!(settings.secure_cookies() && !settings.rate_limits_are_on && !settings.docs_are_on);
        assert_eq!((settings.origin_patterns.len(), settings.trusted_proxies.len()), (2, 2));
        assert!(settings.disabled_paths.contains("/api/auth/sign-up/email"));
        assert_eq!(settings.limits.request_timeout, Duration::from_secs(7));
        assert_eq!((settings.log.level, settings.log.format), (slog::FilterLevel::Debug, LogFormat::Json));
        assert_eq!(settings.smtp.expect("SMTP").from.to_string(), "Two <no-reply@b.example>");
    }

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
    fn values_that_would_break_something_are_refused() {
        for (name, value) in [
            ("COUNTERSIGN_APP_NAME", "a:b"),
            ("COUNTERSIGN_BASE_URL", "https://id.example.com/auth"),
            ("COUNTERSIGN_TRUSTED_ORIGINS", "https://a.example/path"),
            ("COUNTERSIGN_TRUSTED_PROXIES", "proxy.example"),
            ("COUNTERSIGN_HASH_THREADS", "0"),
            ("COUNTERSIGN_REQUEST_TIMEOUT", "0"),
            ("COUNTERSIGN_SMTP_FROM", "a@b.example"),
        ] {
            assert!(load(&[(name, value)]).is_err(), "{name}={value}");
        }
    }
}
