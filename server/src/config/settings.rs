//! The settings, typed: what the rest of the server is given.

use super::values::{BaseUrl, DatabaseUrl, DialectName, KeyringSource, LogFormat};
use super::{Configuration, Key, Places};
use crate::net::origin::{OriginPattern, TrustedOrigins};
use crate::net::smtp::SmtpServer;
use countersign_domain::jwt::AccessTokenSettings;
use countersign_domain::password::Cost;
use countersign_domain::tenant::Directory;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything that can be configured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What clients see.
    pub base_url: BaseUrl,
    /// The name that authenticator apps and mails show.
    pub app_name: String,
    /// Where files are kept that have no place of their own.
    pub data_dir: PathBuf,
    /// Where mailed codes go while no mail server is configured.
    pub outbox: PathBuf,
    /// Configured origins; see [`Settings::trusted_origins`] for the whole list.
    pub origin_patterns: Vec<OriginPattern>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether the limits per client address and path are on.
    pub rate_limits_are_on: bool,
    /// Paths of operations that are answered with 404.
    pub disabled_paths: BTreeSet<String>,
    /// How access tokens are made.
    pub tokens: AccessTokenSettings,
    /// The APIs to serve.
    pub dialects: BTreeSet<DialectName>,
    /// Whether there is a reference page.
    pub docs_are_on: bool,
    /// The tenants and applications.
    pub directory: Directory,
    /// Where the keys come from.
    pub keyring: KeyringSource,
    /// The database.
    pub database: Database,
    /// What is kept for how long.
    pub retention: Retention,
    /// The mail server.
    pub smtp: Option<SmtpServer>,
    /// Bounds on work.
    pub limits: Limits,
    /// The log.
    pub log: Log,
    /// Work factor of password hashes. Not a setting: only tests that hash passwords in bulk choose a cheaper one.
    pub password_cost: Cost,
    /// Whether each answer is held against the contract.
    pub responses_are_validated: bool,
    /// How long requests under way may take to finish when the server stops.
    pub shutdown_grace: Duration,
}

/// The database.
#[derive(Clone, Debug)]
pub struct Database {
    /// Where it is.
    pub url: DatabaseUrl,
    /// Longest wait for a connection or a lock.
    pub timeout: Duration,
    /// Connections; with SQLite, readers beside the one writer.
    pub connections: usize,
    /// Longest time for a unit of work on PostgreSQL.
    pub deadline: Duration,
    /// Whether a start brings the tables up to date.
    pub migrate: bool,
}

/// What is kept for how long.
#[derive(Clone, Debug)]
pub struct Retention {
    /// How long lines of the audit trail are kept; without it for ever.
    pub audit: Option<Duration>,
    /// How often what has ended is cleared away.
    pub interval: Duration,
}

/// Bounds on work.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests under way at once.
    pub max_in_flight: usize,
    /// Longest time for a request.
    pub request_timeout: Duration,
    /// Longest request body, in bytes.
    pub max_body_bytes: usize,
    /// Passwords hashed at once.
    pub hash_threads: usize,
    /// Passwords that may wait to be hashed.
    pub hash_queue: usize,
    /// Codes sent to one account in an hour.
    pub codes_per_hour: u32,
}

/// The log.
#[derive(Clone, Debug)]
pub struct Log {
    /// What is logged.
    pub level: slog::FilterLevel,
    /// In which form.
    pub format: LogFormat,
}

impl Settings {
    /// The defaults, with all files under `data_dir`. For tests, which then change fields.
    ///
    /// # Panics
    /// When `data_dir` is not UTF-8.
    #[must_use]
    pub fn default_in(data_dir: &Path) -> Self {
        let data_dir_text = data_dir.to_str().expect("data directories of tests are UTF-8").to_owned();
        let places = Places {
            flags: [(Key::DataDir, data_dir_text)].into(),
            // A directory without a configuration file in it, whatever lies in the working directory.
            directory: data_dir.join("no-configuration-here"),
            ..Places::default()
        };
        Configuration::load(&places, &[]).settings().expect("the defaults are a valid configuration")
    }

    /// The base URL's origin and the configured patterns.
    #[must_use]
    pub fn trusted_origins(&self) -> TrustedOrigins {
        TrustedOrigins::new(self.base_url.origin().clone(), self.origin_patterns.iter().cloned())
    }

    /// Whether cookies are `Secure` and carry the `__Secure-` prefix.
    #[must_use]
    pub fn secure_cookies(&self) -> bool {
        self.base_url.is_secure()
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
        assert!(settings.rate_limits_are_on && !settings.secure_cookies());
        assert!(settings.trusted_origins().trusts_origin("http://localhost:3000"));
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let places = Places {
            environment: vec![
                ("COUNTERSIGN_KEYS".to_owned(), "hunter2".to_owned()),
                ("COUNTERSIGN_DATABASE_URL".to_owned(), "postgres://u:hunter2@db/x".to_owned()),
                ("COUNTERSIGN_SMTP_URL".to_owned(), "smtps://u:hunter2@mail".to_owned()),
                ("COUNTERSIGN_SMTP_FROM".to_owned(), "a@b.example".to_owned()),
            ],
            directory: PathBuf::from("/nonexistent"),
            ..Places::default()
        };
        let configuration = Configuration::load(&places, &[]);
        let settings = configuration.settings().expect("valid");
        for text in [format!("{settings:?}"), format!("{configuration:?}"), configuration.report(None)] {
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
