//! The state that every handler gets, and how it is put together.

use crate::clock::{Clock, SystemClock};
use crate::config::settings::Settings;
use crate::config::values::DatabaseUrl;
use crate::delivery::{Delivery, DeliveryError};
use crate::edge::proven::ProvenCredentials;
use crate::http::better_auth::cookies::Cookies;
use crate::net::cookie_scope::CookieScope;
use crate::net::origin::TrustedOrigins;
use countersign_domain::jwt::SignError;
use countersign_domain::keyring::Keyring;
use countersign_domain::terms::Rules;
use countersign_domain::time::Timestamp;
use countersign_flows::hashing::PasswordHasher;
use countersign_flows::keyring::KeyringError;
use countersign_flows::{Flows, Services};
use countersign_store::{Database, OpenError, Options, Store, StoreError};
use slog::Logger;
use std::sync::Arc;

/// Options of the store, from the settings.
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
        seed: crate::random::system().draw(|random| random.next_u64()),
    }
}

/// The state that requests share.
pub struct App {
    pub flows: Flows,
    /// The Better Auth dialect's cookies.
    pub cookies: Cookies,
    /// Where browsers send the cookies of both dialects.
    pub cookie_scope: CookieScope,
    /// Origins whose pages may call with cookies.
    pub trusted_origins: TrustedOrigins,
    /// Where handlers leave credentials that were valid, for rate limits.
    pub proven: Arc<ProvenCredentials>,
    store: Arc<Store>,
}

/// Why the state cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database cannot be used.
    #[error("failed to open the database")]
    Database(#[from] OpenError),
    /// The keyring is not the one that the database was used with.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The database fails.
    #[error("failed to bring user names to the form in which they are compared")]
    Usernames(#[source] StoreError),
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

/// Makes sure that the keyring is the one that the database was used with.
///
/// # Errors
/// When it is not, or the database fails.
async fn claim_keyring(store: &Store, keyring: &Keyring, now: Timestamp) -> Result<Timestamp, KeyringError> {
    countersign_flows::keyring::claim(store, keyring, now, &crate::random::system()).await
}

/// Brings user names that earlier versions stored to the form in which they are compared now, and reports those that are
/// several accounts'.
async fn normalize_usernames(store: &Store, log: &Logger) -> Result<(), StoreError> {
    let done = store.normalize_usernames().await?;
    if done.changed > 0 || done.contested > 0 {
        slog::info!(log, "compared user names anew"; "changed" => done.changed, "contested" => done.contested);
    }
    for conflict in store.username_conflicts(()).await? {
        let others: Vec<String> = conflict.others.iter().map(|(id, _)| id.to_hyphenated()).collect();
        slog::warn!(
            log,
            "accounts have the same user name, and each is found by its exact spelling only: rename or delete all but one \
             (`countersign username-conflicts` lists them)";
            "account" => conflict.account_id.to_hyphenated(), "others" => others.join(", ")
        );
    }
    Ok(())
}

/// The same without writing anything; says nothing of a database that cannot be read, or has yet to be created or migrated.
///
/// # Errors
/// When the keyring is not the one that the database was used with.
pub async fn inspect_keyring(settings: &Settings, keyring: &Keyring) -> Result<(), KeyringError> {
    if matches!(&settings.database.url, DatabaseUrl::Sqlite(path) if !path.exists()) {
        return Ok(());
    }
    let options = Options { migrate: false, ..store_options(settings) };
    let Ok(store) = Store::open(&options).await else { return Ok(()) };
    match countersign_flows::keyring::inspect(&store, keyring, SystemClock.now()).await {
        Err(KeyringError::Store(_)) => Ok(()),
        checked => checked,
    }
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
        // A key that is missing is reported now, not at the first sign-in.
        check_signing_key(settings, &keyring).map_err(AppError::SigningKey)?;
        let keyring = Arc::new(keyring);
        let store = Arc::new(Store::open(&store_options(settings)).await?);
        let secrets_bound_from = claim_keyring(&store, &keyring, clock.now()).await?;
        normalize_usernames(&store, &log).await.map_err(AppError::Usernames)?;
        let random = crate::random::system();
        let delivery = Delivery::new(settings.smtp.clone(), settings.outbox.clone(), Arc::clone(&clock), random)?;
        let flows = Flows::new(Services {
            store: Arc::clone(&store),
            keyring: Arc::clone(&keyring),
            rules: Arc::new(Rules { policy: settings.policy(), directory: settings.directory.clone() }),
            tokens: settings.tokens.clone(),
            hasher: PasswordHasher::start(settings.limits.hash_threads, settings.limits.hash_queue)?,
            password_cost: settings.password_cost,
            secrets_bound_from,
            delivery: Arc::new(delivery),
            clock,
            random: crate::random::system(),
            app_name: settings.app_name.clone(),
            log,
        });
        Ok(Self {
            flows,
            cookies: Cookies::new(keyring, settings.cookie_scope()),
            cookie_scope: settings.cookie_scope(),
            trusted_origins: settings.trusted_origins(),
            proven: Arc::default(),
            store,
        })
    }

    /// The database, for housekeeping; handlers go through flows.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Whether the database answers.
    pub async fn is_reachable(&self) -> bool {
        self.store.ping(()).await.is_ok()
    }
}
