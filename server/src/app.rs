//! What every handler is given: the flows and the dialects' own state.

use crate::clock::Clock;
use crate::config::settings::Settings;
use crate::config::values::DatabaseUrl;
use crate::delivery::{Delivery, DeliveryError};
use crate::flows::{Flows, with_random};
use crate::hashing::PasswordHasher;
use crate::http::better_auth::cookies::Cookies;
use crate::net::origin::TrustedOrigins;
use countersign_domain::jwt::SignError;
use countersign_domain::keyring::Keyring;
use countersign_domain::policy::Policy;
use countersign_store::{Database, OpenError, Options, Store};
use slog::Logger;
use std::sync::Arc;

/// How the settings want the database opened.
#[must_use]
pub fn store_options(settings: &Settings) -> Options {
    let database = match &settings.database.url {
        DatabaseUrl::Sqlite(path) => Database::Sqlite(path.clone()),
        DatabaseUrl::Postgres(url) => Database::Postgres(url.expose().to_owned()),
    };
    Options {
        database,
        connections: settings.database.connections,
        timeout: settings.database.timeout,
        deadline: settings.database.deadline,
        migrate: settings.database.migrate,
        seed: with_random(|random| random.next_u64()),
    }
}

/// The state that requests share.
pub struct App {
    /// What the server does.
    pub flows: Flows,
    /// The Better Auth dialect's cookies.
    pub cookies: Cookies,
    /// Whether cookies are for encrypted connections only.
    pub has_secure_cookies: bool,
    /// Whose pages may call.
    pub trusted_origins: TrustedOrigins,
}

/// Why the state cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database cannot be used.
    #[error("failed to open the database")]
    Database(#[from] OpenError),
    /// Codes cannot be sent.
    #[error("failed to prepare the delivery of codes")]
    Delivery(#[from] DeliveryError),
    /// Access tokens cannot be signed.
    #[error(transparent)]
    SigningKey(SignError),
    /// The operating system gives no threads.
    #[error("failed to start the threads that hash passwords")]
    Threads(#[from] std::io::Error),
}

/// Makes sure that access tokens can be signed.
///
/// # Errors
/// When the keyring has no key for the algorithm that is configured.
pub fn check_signing_key(settings: &Settings, keyring: &Keyring) -> Result<(), SignError> {
    let mut keys = keyring.signing_keys(settings.tokens.algorithm);
    keys.next().map(drop).ok_or(SignError::NoKey(settings.tokens.algorithm))
}

impl App {
    /// Opens the database and puts everything together.
    ///
    /// # Errors
    /// When the database cannot be used, or the mail settings are not usable, or there are no threads.
    pub async fn open(
        settings: &Settings,
        keyring: Keyring,
        clock: Arc<dyn Clock>,
        log: Logger,
    ) -> Result<Self, AppError> {
        // Better now than when the first person logs in.
        check_signing_key(settings, &keyring).map_err(AppError::SigningKey)?;
        let keyring = Arc::new(keyring);
        let store = Store::open(&store_options(settings)).await?;
        let policy = Policy { mailed_codes: settings.limits.codes_per_hour, ..Policy::default() };
        let flows = Flows {
            store,
            keyring: Arc::clone(&keyring),
            tokens: settings.tokens.clone(),
            directory: Arc::new(settings.directory.clone()),
            policy: Arc::new(policy),
            hasher: PasswordHasher::start(settings.limits.hash_threads, settings.limits.hash_queue)?,
            password_cost: settings.password_cost,
            delivery: Delivery::new(settings.smtp.clone(), settings.outbox.clone(), Arc::clone(&clock))?,
            clock,
            app_name: settings.app_name.clone(),
            log,
        };
        Ok(Self {
            flows,
            cookies: Cookies::new(keyring, settings.secure_cookies()),
            has_secure_cookies: settings.secure_cookies(),
            trusted_origins: settings.trusted_origins(),
        })
    }

    /// Whether the database answers.
    pub async fn is_reachable(&self) -> bool {
        self.flows.store.ping().await.is_ok()
    }
}

impl AsRef<Flows> for App {
    fn as_ref(&self) -> &Flows {
        &self.flows
    }
}
