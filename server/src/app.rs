//! The state that every handler gets, and how it is put together.

use crate::clock::{Clock, SystemClock};
use crate::config::settings::Settings;
use crate::config::values::DatabaseUrl;
use crate::delivery::outbox::Outbox;
use crate::delivery::sms::Sms;
use crate::delivery::smtp::Smtp;
use crate::delivery::templates::{Catalogue, TemplateError, Wording};
use crate::delivery::{Delivery, DeliveryError};
use crate::edge::proven::ProvenCredentials;
use crate::edge::untrusted_origins::UntrustedOrigins;
use crate::http::better_auth::cookies::Cookies;
use crate::http::ops::{self, Waiting};
use crate::metrics::{Keys, Sample};
use crate::net::cookie_scope::CookieScope;
use crate::net::origin::TrustedOrigins;
use crate::net::smtp::SmtpServer;
use countersign_domain::error_chain;
use countersign_domain::jwt::{self, SignError};
use countersign_domain::keyring::Keyring;
use countersign_domain::link_template::LinkTemplates;
use countersign_domain::message::{Notices, Sealer};
use countersign_domain::observer::{Observer, Unobserved};
use countersign_domain::terms::Rules;
use countersign_domain::time::Timestamp;
use countersign_flows::delivery::{Carrier, CarryError, DeliveryQueue, Outgoing};
use countersign_flows::hashing::PasswordHasher;
use countersign_flows::keyring::KeyringError;
use countersign_flows::{Flows, Services};
use countersign_store::{Database, OpenError, Options, Store, StoreError};
use futures::future::BoxFuture;
use slog::Logger;
use std::sync::Arc;
use std::time::Duration;

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
        cache: settings.database.cache,
        timeout: settings.database.timeout,
        deadline: settings.database.deadline,
        migrate: settings.database.migrate,
        seed: crate::random::system().draw(|random| random.next_u64()),
        observer: Arc::new(Unobserved),
    }
}

/// The state that requests share.
pub struct App {
    pub flows: Flows,
    /// The Better Auth dialect's cookies.
    pub cookies: Cookies,
    /// Where browsers send the cookies of both dialects.
    pub cookie_scope: CookieScope,
    /// What clients put in front of a path.
    pub base_url: String,
    /// Pages that mailed links of the FusionAuth dialect lead to.
    pub links: LinkTemplates,
    /// Origins whose pages may call with cookies.
    pub trusted_origins: TrustedOrigins,
    /// Where origins are logged that are not trusted.
    pub untrusted_origins: Arc<UntrustedOrigins>,
    /// Where handlers leave credentials that were valid, for rate limits.
    pub proven: Arc<ProvenCredentials>,
    store: Arc<Store>,
    keyring: Arc<Keyring>,
    delivery: Arc<DeliveryQueue>,
    carrier: Arc<Delivery>,
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
    /// Messages cannot be sent.
    #[error("failed to prepare the delivery of messages")]
    Delivery(#[from] DeliveryError),
    /// Access tokens cannot be signed.
    #[error(transparent)]
    SigningKey(SignError),
    /// The operating system gives no threads.
    #[error("failed to start the threads that hash passwords")]
    Threads(#[from] std::io::Error),
}

/// The words of messages, in every language.
///
/// # Errors
/// When templates cannot be used, or there is none in the language of a tenant.
pub fn words(settings: &Settings) -> Result<Catalogue, TemplateError> {
    let needed = settings.directory.tenants().iter().filter_map(|tenant| tenant.language.as_ref());
    Catalogue::load(wording(settings), needed)
}

fn wording(settings: &Settings) -> Wording {
    Wording {
        app_name: settings.app_name.clone(),
        domain: settings.base_url.origin().host().to_owned(),
        language: settings.messages.language.clone(),
        directory: settings.messages.templates.clone(),
    }
}

/// Makes sure that access tokens can be signed.
///
/// # Errors
/// When the keyring has no key for the algorithm that is configured.
pub fn check_signing_key(settings: &Settings, keyring: &Keyring) -> Result<(), SignError> {
    jwt::check_signing(settings.tokens.algorithm, keyring)
}

/// How users are notified of changes to their accounts, if they are.
fn notices(settings: &Settings, sealer: &Sealer) -> Option<Notices> {
    let policy = settings.policy();
    settings.messages.notices_are_on.then(|| Notices {
        sealer: sealer.clone(),
        lifetime: policy.notice_lifetime,
        unverified_a_day: policy.unverified_notices_per_day,
        directory: Arc::new(settings.directory.clone()),
    })
}

/// Makes sure that the keyring is the one that the database was used with.
///
/// # Errors
/// When it is not, or the database fails.
async fn claim_keyring(store: &Store, keyring: &Keyring, now: Timestamp) -> Result<Timestamp, KeyringError> {
    countersign_flows::keyring::claim(store, keyring, now, &crate::random::system()).await
}

/// Checks that the keyring is the one that the database was used with. Writes nothing. Since when secrets are bound to their rows.
///
/// # Errors
/// When it is not, or the database fails.
pub async fn inspect_keyring(store: &Store, keyring: &Keyring, now: Timestamp) -> Result<Timestamp, AppError> {
    Ok(countersign_flows::keyring::inspect(store, keyring, now).await?)
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

/// Whether a start would refuse the database or its keyring, without writing anything. Returns why it was not looked at, if it cannot
/// be read now; one that has yet to be created or migrated is none of that.
///
/// # Errors
/// When the keyring is not the one that the database was used with, a pooler allows no transactions, or the tables are those of a newer
/// version.
pub async fn inspect_database(settings: &Settings, keyring: &Keyring) -> Result<Option<String>, AppError> {
    if matches!(&settings.database.url, DatabaseUrl::Sqlite(path) if !path.exists()) {
        return Ok(None);
    }
    let options = Options { migrate: false, ..store_options(settings) };
    let store = match Store::open(&options).await {
        Ok(store) => store,
        Err(error @ (OpenError::NoTransactions | OpenError::Newer { .. })) => return Err(error.into()),
        Err(OpenError::Outdated { .. }) => return Ok(None),
        Err(error) => return Ok(Some(error_chain(&error))),
    };
    match countersign_flows::keyring::inspect(&store, keyring, SystemClock.now()).await {
        Err(error @ KeyringError::Store(_)) => Ok(Some(error_chain(&error))),
        checked => Ok(checked.map(|_| None)?),
    }
}

/// Leaves messages in the queue: the running server delivers them.
struct LeftToServer;

impl Carrier for LeftToServer {
    fn carry(&self, _: Outgoing) -> BoxFuture<'_, Result<(), CarryError>> {
        Box::pin(async { Err(CarryError::Failed("the running server delivers messages".into())) })
    }
}

/// The flows for commands beside a running server.
///
/// # Errors
/// When the keyring is not the one that the database was used with, the database fails, or there are no threads.
pub async fn flows_beside_server(
    settings: &Settings,
    store: Arc<Store>,
    keyring: Keyring,
    clock: Arc<dyn Clock>,
) -> Result<Flows, AppError> {
    let secrets_bound_from = inspect_keyring(&store, &keyring, clock.now()).await?;
    let log = Logger::root(slog::Discard, slog::o!());
    let outside = Outside { carrier: Arc::new(LeftToServer), clock, log, observer: Arc::new(Unobserved) };
    Ok(Flows::new(services(settings, store, Arc::new(keyring), secrets_bound_from, outside)?))
}

/// What flows reach outside of the database.
struct Outside {
    carrier: Arc<dyn Carrier>,
    clock: Arc<dyn Clock>,
    log: Logger,
    observer: Arc<dyn Observer>,
}

/// What flows work with.
fn services(
    settings: &Settings,
    store: Arc<Store>,
    keyring: Arc<Keyring>,
    secrets_bound_from: Timestamp,
    outside: Outside,
) -> std::io::Result<Services> {
    let Outside { carrier, clock, log, observer } = outside;
    let sealer = Sealer::new(Arc::clone(&keyring));
    let notices = notices(settings, &sealer);
    let delivery = DeliveryQueue::new(
        Arc::clone(&store),
        sealer,
        carrier,
        Arc::clone(&clock),
        &crate::random::system(),
        log.clone(),
    );
    let hasher = PasswordHasher::start(settings.limits.hash_threads, settings.limits.hash_queue)?;
    Ok(Services {
        store,
        keyring,
        rules: Arc::new(Rules {
            policy: settings.policy(),
            directory: settings.directory.clone(),
            relying_party: settings.relying_party().ok(),
        }),
        tokens: settings.tokens.clone(),
        hasher: hasher.observed_by(Arc::clone(&observer)),
        password_cost: settings.password_cost,
        secrets_bound_from,
        delivery: Arc::new(delivery.observed_by(Arc::clone(&observer))),
        notices,
        subscriptions: settings.webhooks.iter().map(|receiver| receiver.subscription.clone()).collect(),
        clock,
        random: crate::random::system(),
        app_name: settings.app_name.clone(),
        log,
        observer,
    })
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
        observer: Arc<dyn Observer>,
    ) -> Result<Self, AppError> {
        // A key that is missing is reported now, not at the first sign-in.
        check_signing_key(settings, &keyring).map_err(AppError::SigningKey)?;
        let untrusted_origins = Arc::new(UntrustedOrigins::new(log.clone(), Arc::clone(&clock)));
        let keyring = Arc::new(keyring);
        let store =
            Arc::new(Store::open(&Options { observer: Arc::clone(&observer), ..store_options(settings) }).await?);
        let secrets_bound_from = claim_keyring(&store, &keyring, clock.now()).await?;
        normalize_usernames(&store, &log).await.map_err(AppError::Usernames)?;
        let smtp = settings.smtp.clone().map(Smtp::new).transpose()?;
        let words = words(settings).map_err(DeliveryError::from)?;
        let sms = settings.sms.clone().map(Sms::new).transpose().map_err(DeliveryError::from)?;
        let outbox = Outbox::new(settings.outbox.clone());
        let carrier = Arc::new(Delivery::new(words, smtp, sms, outbox, Arc::clone(&clock)));
        let outside = Outside { carrier: Arc::clone(&carrier) as Arc<dyn Carrier>, clock, log, observer };
        let services = services(settings, Arc::clone(&store), Arc::clone(&keyring), secrets_bound_from, outside)?;
        let delivery = Arc::clone(&services.delivery);
        Ok(Self {
            flows: Flows::new(services),
            cookies: Cookies::new(Arc::clone(&keyring), settings.cookie_scope()),
            cookie_scope: settings.cookie_scope(),
            base_url: settings.base_url.to_string(),
            links: settings.links.clone(),
            trusted_origins: settings.trusted_origins(),
            untrusted_origins,
            proven: Arc::default(),
            store,
            keyring,
            delivery,
            carrier,
        })
    }

    /// The database, for housekeeping; handlers go through flows.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The keys, which the server notes and loads again.
    #[must_use]
    pub fn keyring(&self) -> &Arc<Keyring> {
        &self.keyring
    }

    /// Puts the keys of a ring in the place of those that are used.
    ///
    /// # Errors
    /// When access tokens cannot be signed with it, it is not the one that the database is used with, or the database fails;
    /// then the keys stay as they are.
    pub async fn load_keyring(&self, keyring: &Keyring, settings: &Settings, now: Timestamp) -> Result<(), AppError> {
        check_signing_key(settings, keyring).map_err(AppError::SigningKey)?;
        claim_keyring(&self.store, keyring, now).await?;
        self.keyring.replace_with(keyring);
        Ok(())
    }

    /// Messages that wait to be delivered, for the server's worker.
    #[must_use]
    pub fn delivery(&self) -> &Arc<DeliveryQueue> {
        &self.delivery
    }

    /// Words messages in this way from now on.
    pub fn replace_words(&self, words: Catalogue) {
        self.carrier.replace_words(words);
    }

    /// Takes over certificates that servers have to come from, and reads those of files and of the operating system again: for mail,
    /// and for connections to the database that are made from now on.
    ///
    /// # Errors
    /// When some cannot be used; those stay as they are.
    pub fn reload_certificates(&self, smtp: Option<SmtpServer>) -> Result<(), AppError> {
        let database = self.store.reload_certificates();
        self.carrier.replace_smtp(smtp.map(Smtp::new).transpose()?);
        Ok(database?)
    }

    /// What metrics show of this moment.
    pub async fn sample(&self, requests_in_flight: usize) -> Sample {
        let hashing = self.flows.hashing();
        let connections = self.store.connections();
        // A scraper waits for some seconds only, and wants to learn that the database does not respond.
        let of_database =
            async { (self.waiting_messages().await, self.keys().await, self.waiting_webhook_events().await) };
        let (waiting, keys, webhook_events) =
            tokio::time::timeout(ops::PROBE_TIMEOUT, of_database).await.unwrap_or_default();
        Sample {
            requests_in_flight,
            connections_most: connections.most,
            connections_in_use: connections.in_use,
            connections_waiting: connections.waiting,
            hashing_threads_busy: hashing.busy,
            hashing_queued: hashing.queued,
            messages: waiting.map(|waiting| (waiting.messages, waiting.longest)),
            keys,
            webhook_events,
        }
    }

    /// The keys of this node, and what the database knows of them; `None` if it does not respond.
    async fn keys(&self) -> Option<Keys> {
        let in_use = self.store.key_use(()).await.ok()?;
        Some(Keys::of(&self.keyring.entries(), &in_use, self.flows.now()))
    }

    /// How many events wait for receivers of webhooks, and the age of the oldest; `None` if the database does not respond.
    async fn waiting_webhook_events(&self) -> Option<(u64, Duration)> {
        let queue = self.store.webhook_queue(()).await.ok()?;
        Some((queue.waiting, queue.oldest.map_or(Duration::ZERO, |oldest| oldest.until(self.flows.now()))))
    }

    /// What waits to be delivered, if the database responds and takes writes.
    pub async fn probe_database(&self) -> Option<Waiting> {
        if self.store.takes_writes() { self.waiting_messages().await } else { None }
    }

    /// What waits to be delivered; `None` if the database does not respond.
    pub async fn waiting_messages(&self) -> Option<Waiting> {
        let queue = self.store.message_queue(()).await.ok()?;
        let longest = queue.oldest.map_or(Duration::ZERO, |oldest| oldest.until(self.flows.now()));
        Some(Waiting { messages: queue.waiting, longest })
    }
}
