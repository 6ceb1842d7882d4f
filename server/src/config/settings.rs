//! The settings as the rest of the server uses them.

use super::passkeys::Passkeys;
use super::read::{access_token_lifetime, count, days, language, lifetime, optional, seconds, switch, text};
use super::values::{BaseUrl, DatabaseUrl, DialectName, KeyringSource, LogFormat, Profile};
use super::webhooks::Receiver;
use super::{Configuration, Inputs, Key};
use crate::net::cookie_scope::{CookieDomain, CookieScope, SameSite};
use crate::net::origin::{OriginPattern, TrustedOrigins};
use crate::net::otlp::Collector;
use crate::net::sms::SmsGateway;
use crate::net::smtp::SmtpServer;
use countersign_domain::jwt::AccessTokenSettings;
use countersign_domain::link_template::LinkTemplates;
use countersign_domain::password::Cost;
use countersign_domain::policy::{Policy, RequestRates};
use countersign_domain::tenant::{Directory, Tenant};
use ipnet::IpNet;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Settings {
    pub listen: SocketAddr,
    /// What clients put in front of a path.
    pub base_url: BaseUrl,
    /// Name that authenticator apps and mails show.
    pub app_name: String,
    /// Default directory of database, keyring and outbox.
    pub data_dir: PathBuf,
    /// Receives e-mail while no mail server is configured, and all text messages.
    pub outbox: PathBuf,
    /// Configured origins; see [`Settings::trusted_origins`] for the complete list.
    pub origin_patterns: Vec<OriginPattern>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    pub cookies: Cookies,
    /// Whether the limits per client address and operation are on.
    pub rate_limits_are_on: bool,
    /// Paths of operations that respond with 404.
    pub disabled_paths: BTreeSet<String>,
    /// Whether new passwords are compared with a blocklist.
    pub password_blocklist_is_on: bool,
    /// Characters of a new password, at least.
    pub shortest_password: usize,
    /// Whether following a link that proves an address signs in.
    pub verification_signs_in: bool,
    /// Whether mailed links and codes sign in without a password.
    pub passwordless_is_on: bool,
    /// Whether owners may delete their accounts.
    pub deletion_is_on: bool,
    pub passkeys: Passkeys,
    pub tokens: AccessTokenSettings,
    /// Never empty.
    pub dialects: BTreeSet<DialectName>,
    /// Whether the reference page is served.
    pub docs_are_on: bool,
    pub profile: Profile,
    pub directory: Directory,
    pub keyring: KeyringSource,
    pub database: Database,
    pub retention: Retention,
    pub smtp: Option<SmtpServer>,
    pub sms: Option<SmsGateway>,
    pub messages: Messages,
    /// Receivers of webhooks.
    pub webhooks: Vec<Receiver>,
    /// Pages that mailed links of the FusionAuth dialect lead to, for applications that have none of their own.
    pub links: LinkTemplates,
    pub limits: Limits,
    pub lifetimes: Lifetimes,
    /// Where metrics are served; `None` if they are not.
    pub operations: Option<SocketAddr>,
    /// `None` where no traces are made.
    pub traces: Option<Collector>,
    pub log: Log,
    /// Work factor of password hashes. Not configurable: only tests that hash many passwords choose a cheaper one.
    pub password_cost: Cost,
    /// Whether each response is checked against the contract.
    pub responses_are_validated: bool,
    /// Time that requests in flight have to finish when the server stops.
    pub shutdown_grace: Duration,
}

/// Where browsers send cookies, apart from what the base URL says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cookies {
    /// `None` for the base URL's host alone.
    #[serde(deserialize_with = "optional")]
    pub domain: Option<CookieDomain>,
    #[serde(deserialize_with = "text")]
    pub same_site: SameSite,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    #[serde(deserialize_with = "text")]
    pub url: DatabaseUrl,
    /// Longest wait for a connection or a lock.
    #[serde(deserialize_with = "seconds::<_, 1>")]
    pub timeout: Duration,
    /// On SQLite, readers in addition to the one writer.
    #[serde(deserialize_with = "count::<_, _, 1, 1_000>")]
    pub connections: usize,
    /// Memory of SQLite's writer for pages, in bytes; each reader has an eighth of it.
    #[serde(deserialize_with = "count::<_, _, 1_048_576, 1_099_511_627_776>")]
    pub cache: u64,
    /// Longest time for one transaction on PostgreSQL, retries included.
    #[serde(deserialize_with = "seconds::<_, 1>")]
    pub deadline: Duration,
    /// Whether a start applies pending migrations.
    #[serde(deserialize_with = "switch")]
    pub migrate: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Age at which audit events are deleted; `None` keeps them for ever.
    #[serde(rename = "audit_days", deserialize_with = "days")]
    pub audit: Option<Duration>,
    /// Time between two deletions of expired rows.
    #[serde(deserialize_with = "seconds::<_, 1>")]
    pub interval: Duration,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests processed at once; client networks share them.
    #[serde(deserialize_with = "count::<_, _, 1, 1_000_000>")]
    pub max_in_flight: usize,
    #[serde(deserialize_with = "seconds::<_, 1>")]
    pub request_timeout: Duration,
    /// Longest time for reading one body.
    #[serde(deserialize_with = "seconds::<_, 1>")]
    pub body_timeout: Duration,
    /// How long connections without a request are kept.
    #[serde(deserialize_with = "seconds::<_, 1>")]
    pub connection_idle: Duration,
    #[serde(deserialize_with = "count::<_, _, 1_024, { 16 << 20 }>")]
    pub max_body_bytes: usize,
    /// Of the rate limits per client and operation, as all that begin like it.
    #[serde(deserialize_with = "seconds::<_, 1>")]
    pub rate_window: Duration,
    #[serde(deserialize_with = "count::<_, _, 1, 1_000_000>")]
    pub rate_guessable: u32,
    #[serde(deserialize_with = "count::<_, _, 1, 1_000_000>")]
    pub rate_general: u32,
    #[serde(deserialize_with = "count::<_, _, 1, 1_000_000>")]
    pub rate_service: u32,
    /// Passwords hashed at once.
    #[serde(deserialize_with = "count::<_, _, 1, { MAX_HASH_THREADS as i64 }>")]
    pub hash_threads: usize,
    /// Passwords of one kind of request that may wait to be hashed; client networks share them.
    #[serde(deserialize_with = "count::<_, _, 1, 100_000>")]
    pub hash_queue: usize,
    /// Wrong codes in a row that lock an account's second factor. The bound of guessing is computed for at most so many.
    #[serde(deserialize_with = "count::<_, _, 3, 10>")]
    pub account_failures: u32,
    /// The first lock; it is never shorter than what the bound of guessing is computed for.
    #[serde(deserialize_with = "seconds::<_, 900>")]
    pub account_lock: Duration,
    /// Codes sent to one account.
    #[serde(deserialize_with = "count::<_, _, 1, 10_000>")]
    pub codes_per_hour: u32,
    /// Text messages a day to numbers that begin alike.
    #[serde(deserialize_with = "count::<_, _, 1, 1_000_000>")]
    pub text_messages_per_prefix: u32,
    /// Text messages a day at the request of one client network.
    #[serde(deserialize_with = "count::<_, _, 1, 1_000_000>")]
    pub text_messages_per_client: u32,
    /// Text messages a day for one account, and to one number.
    #[serde(deserialize_with = "count::<_, _, 1, 1_000_000>")]
    pub text_messages_per_account: u32,
    /// Text messages a day in all.
    #[serde(deserialize_with = "count::<_, _, 1, 100_000_000>")]
    pub text_messages_per_day: u32,
}

impl Limits {
    /// The rate limits per client and operation.
    #[must_use]
    pub fn request_rates(&self) -> RequestRates {
        RequestRates {
            window: self.rate_window,
            guessable: self.rate_guessable,
            general: self.rate_general,
            service: self.rate_service,
        }
    }
}

/// How long what a sign-in opens lives: without use, and however it is used.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifetimes {
    #[serde(deserialize_with = "lifetime")]
    pub session_idle: Duration,
    #[serde(deserialize_with = "lifetime")]
    pub session: Duration,
    #[serde(deserialize_with = "lifetime")]
    pub refresh_token_idle: Duration,
    #[serde(deserialize_with = "lifetime")]
    pub refresh_token: Duration,
    #[serde(deserialize_with = "lifetime")]
    pub trust_idle: Duration,
    #[serde(deserialize_with = "lifetime")]
    pub trust: Duration,
    #[serde(deserialize_with = "access_token_lifetime")]
    pub access_token: Duration,
    /// How long a second factor counts for managing factors and passwords.
    #[serde(deserialize_with = "lifetime")]
    pub assurance: Duration,
    /// Of mailed links: to set a new password, to prove an address, to delete the account.
    #[serde(deserialize_with = "lifetime")]
    pub reset_link: Duration,
    #[serde(deserialize_with = "lifetime")]
    pub verification_link: Duration,
    #[serde(deserialize_with = "lifetime")]
    pub sign_in_link: Duration,
    #[serde(deserialize_with = "lifetime")]
    pub deletion_link: Duration,
    /// How long a former address can be given back.
    #[serde(deserialize_with = "lifetime")]
    pub address_restoration: Duration,
    /// How long ago the last sign-in may lie without a notice about the next one.
    #[serde(deserialize_with = "lifetime")]
    pub long_absence: Duration,
}

impl Lifetimes {
    /// The lifetimes of a policy.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        Self {
            session_idle: policy.session_lifetime,
            session: policy.session_absolute_lifetime,
            refresh_token_idle: policy.refresh_token_lifetime,
            refresh_token: policy.refresh_token_absolute_lifetime,
            trust_idle: policy.trust_lifetime,
            trust: policy.trust_absolute_lifetime,
            access_token: policy.access_token_lifetime,
            assurance: policy.assurance_lifetime,
            reset_link: policy.reset_link_lifetime,
            verification_link: policy.verification_link_lifetime,
            sign_in_link: policy.sign_in_link_lifetime,
            deletion_link: policy.deletion_link_lifetime,
            address_restoration: policy.restoration_lifetime,
            long_absence: policy.long_absence,
        }
    }

    /// `policy` with these lifetimes.
    #[must_use]
    pub fn apply_to(&self, policy: Policy) -> Policy {
        Policy {
            session_lifetime: self.session_idle,
            session_absolute_lifetime: self.session,
            refresh_token_lifetime: self.refresh_token_idle,
            refresh_token_absolute_lifetime: self.refresh_token,
            trust_lifetime: self.trust_idle,
            trust_absolute_lifetime: self.trust,
            access_token_lifetime: self.access_token,
            assurance_lifetime: self.assurance,
            reset_link_lifetime: self.reset_link,
            verification_link_lifetime: self.verification_link,
            sign_in_link_lifetime: self.sign_in_link,
            deletion_link_lifetime: self.deletion_link,
            restoration_lifetime: self.address_restoration,
            long_absence: self.long_absence,
            ..policy
        }
    }
}

/// Words of messages, and which are sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Messages {
    /// Whether users are notified of changes to their accounts.
    #[serde(rename = "notices", deserialize_with = "switch")]
    pub notices_are_on: bool,
    #[serde(deserialize_with = "language")]
    pub language: String,
    /// Holds a directory for each language.
    #[serde(deserialize_with = "optional")]
    pub templates: Option<PathBuf>,
}

/// The operation by which strangers create accounts.
const SIGN_UP_PATH: &str = "/api/auth/sign-up/email";

/// The default, one per core, must not exceed it.
pub(super) const MAX_HASH_THREADS: usize = 1_024;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    #[serde(deserialize_with = "text")]
    pub level: slog::FilterLevel,
    #[serde(deserialize_with = "text")]
    pub format: LogFormat,
    /// How many of a hundred successful requests are logged.
    #[serde(deserialize_with = "count::<_, _, 0, 100>")]
    pub success_percent: u64,
}

impl Settings {
    /// The defaults, with all files under `data_dir`; a starting point for tests.
    ///
    /// # Panics
    /// When `data_dir` is not UTF-8.
    #[must_use]
    pub fn default_in(data_dir: &Path) -> Self {
        let data_dir_text = data_dir.to_str().expect("data directories of tests are UTF-8").to_owned();
        let inputs = Inputs {
            flags: [(Key::DataDir, data_dir_text)].into(),
            // Must not exist: the working directory of a test may hold a configuration file.
            directory: data_dir.join("no-configuration-here"),
            ..Inputs::default()
        };
        Configuration::load(&inputs, &[]).settings().expect("the defaults are a valid configuration")
    }

    /// The base URL's origin and the configured patterns.
    #[must_use]
    pub fn trusted_origins(&self) -> TrustedOrigins {
        TrustedOrigins::new(self.base_url.origin().clone(), self.origin_patterns.iter().cloned())
    }

    /// Limits and lifetimes: those of the profile, with what is set.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.lifetimes.apply_to(Policy {
            one_time_codes: self.limits.codes_per_hour,
            text_messages_per_prefix: self.limits.text_messages_per_prefix,
            text_messages_per_network: self.limits.text_messages_per_client,
            text_messages_per_account: self.limits.text_messages_per_account,
            text_messages: self.limits.text_messages_per_day,
            request_rates: self.limits.request_rates(),
            password_blocklist: self.password_blocklist_is_on,
            shortest_password: self.shortest_password,
            account_failures: self.limits.account_failures,
            account_lock: self.limits.account_lock,
            signs_in_after_verification: self.verification_signs_in,
            signs_in_by_mail: self.passwordless_is_on,
            owners_delete_accounts: self.deletion_is_on,
            ..self.profile.policy()
        })
    }

    /// The tenant in which strangers can create accounts, if there is one.
    #[must_use]
    pub fn open_tenant(&self) -> Option<&Tenant> {
        let home = self.directory.home();
        let is_served = self.dialects.contains(&DialectName::BetterAuth) && !self.disabled_paths.contains(SIGN_UP_PATH);
        (is_served && home.sign_up).then_some(home)
    }

    /// Where browsers send cookies. With https they are `Secure`, and those of the Better Auth dialect have the prefix
    /// `__Secure-`.
    #[must_use]
    pub fn cookie_scope(&self) -> CookieScope {
        let Cookies { domain, same_site } = self.cookies.clone();
        CookieScope { is_secure: self.base_url.is_secure(), same_site, domain }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_keep_everything_in_the_data_directory() {
        let settings = Settings::default_in(Path::new("/srv/two"));
        assert_eq!(settings.database.url, DatabaseUrl::Sqlite("/srv/two/countersign.db".into()));
        assert_eq!(settings.keyring, KeyringSource::DefaultFile("/srv/two/keyring".into()));
        assert_eq!(settings.outbox, Path::new("/srv/two/outbox.ndjson"));
        assert_eq!(settings.base_url.to_string(), "http://localhost:3000");
        assert!(settings.rate_limits_are_on && !settings.cookie_scope().is_secure);
        assert!(settings.trusted_origins().trusts_origin("http://localhost:3000"));
        assert_eq!(settings.lifetimes.apply_to(Policy::default()), Policy::default(), "one default, in two places");
        assert_eq!(settings.limits.request_rates(), RequestRates::default(), "likewise");
    }

    #[test]
    fn sign_up_is_open_unless_something_closes_it() {
        let with = |change: fn(&mut Settings)| {
            let mut settings = Settings::default_in(Path::new("/srv/two"));
            change(&mut settings);
            settings.open_tenant().map(|tenant| tenant.name.clone())
        };
        assert_eq!(with(|_| {}).as_deref(), Some("Default"));
        assert_eq!(with(|settings| settings.disabled_paths = [SIGN_UP_PATH.to_owned()].into()), None);
        assert_eq!(with(|settings| settings.dialects = [DialectName::FusionAuth].into()), None);
        let closed = Tenant { sign_up: false, ..Tenant::default() };
        let mut settings = Settings::default_in(Path::new("/srv/two"));
        settings.directory = Directory::new(vec![closed], Vec::new()).expect("a tenant");
        assert_eq!(settings.open_tenant(), None);
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let inputs = Inputs {
            environment: vec![
                ("COUNTERSIGN_KEYS".to_owned(), "hunter2".to_owned()),
                ("COUNTERSIGN_DATABASE_URL".to_owned(), "postgres://u:hunter2@db/x".to_owned()),
                ("COUNTERSIGN_SMTP_URL".to_owned(), "smtps://u:hunter2@mail".to_owned()),
                ("COUNTERSIGN_SMTP_FROM".to_owned(), "a@b.example".to_owned()),
            ],
            directory: PathBuf::from("/nonexistent"),
            ..Inputs::default()
        };
        let configuration = Configuration::load(&inputs, &[]);
        let settings = configuration.settings().expect("valid");
        for text in [format!("{settings:?}"), format!("{configuration:?}"), configuration.report(Ok(None))] {
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
