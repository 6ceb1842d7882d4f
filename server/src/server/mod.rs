//! Starts, runs and stops the server.
//!
//! A stop first fails the readiness probe, so that load balancers choose another node. Shortly after, the server accepts
//! no more connections, and requests in flight have the grace period to finish.

mod first_screen;
mod logging;
mod operations;

use crate::app::App;
use crate::audit_seal::{AuditSealing, Parts};
use crate::clock::{Clock, SystemClock};
use crate::config::values::DatabaseUrl;
use crate::config::{Key, Settings};
use crate::edge::contexts::{Contexts, ContextsError};
use crate::edge::validation::Deviations;
use crate::edge::{self, Dispatcher, Edge, client_ip, load, path, rate_limit};
use crate::first_run::{self, FirstRunError};
use crate::housekeeping::{self, Housekeeping};
use crate::http;
use crate::http::ops::{self, Health};
use crate::http::{better_auth, docs, fusionauth};
use crate::key_watch::{KeyWatch, Notes, node_name};
use crate::listener::Listener;
use crate::metrics::Metrics;
use crate::observers::Observers;
use crate::traces::{Traces, TracesError};
use crate::webhooks::{self, WebhookDelivery};
use countersign_domain::audit_chain::TrailKeys;
use countersign_domain::observer::Observer;
use countersign_domain::signing::Algorithm;
use countersign_flows::delivery::Worker;
use dropshot::HttpServer;
use futures::future::BoxFuture;
use slog::{error, info, warn};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

use first_screen::first_screen;
use logging::Logging;

/// Time between failing readiness and closing the port: about one probe interval of a load balancer, and short enough
/// that Ctrl-C in a terminal feels immediate.
const READINESS_DELAY: Duration = Duration::from_millis(200);

/// How long connections of operators may hold up the end.
const OPERATIONS_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("failed to start the thread of the log")]
    Log(#[source] std::io::Error),
    #[error(transparent)]
    FirstRun(#[from] FirstRunError),
    #[error("failed to open the application")]
    App(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A defect of this program.
    #[error(transparent)]
    Traces(TracesError),
    #[error("failed to prepare the sending of webhooks")]
    Webhooks(#[source] reqwest::Error),
    #[error("failed to register the operations")]
    Register(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("failed to prepare for requests")]
    Contexts(#[from] ContextsError),
    #[error("listening on {address} failed")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("listening on {address} for metrics (operations.listen) failed")]
    Operations {
        address: SocketAddr,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error(transparent)]
    FirstRun(#[from] FirstRunError),
    #[error(transparent)]
    Database(#[from] countersign_store::OpenError),
}

/// Applies pending migrations without serving; returns their names. A missing SQLite database is created together with
/// its keyring, as a start does.
///
/// # Errors
/// When the database cannot be reached, or a migration fails.
pub async fn migrate(settings: &Settings) -> Result<Vec<String>, MigrateError> {
    if matches!(settings.database.url, DatabaseUrl::Sqlite(_)) {
        crate::random::system().draw(|random| first_run::prepare(settings, random))?;
    }
    Ok(countersign_store::Store::migrate(&crate::app::store_options(settings)).await?)
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("failed to install the signal handlers")]
    Signals(#[source] std::io::Error),
    /// A defect of this program.
    #[error("no more connections are accepted")]
    Stopped,
}

pub struct RunningServer {
    // Fields are dropped in this order; the log is flushed last.
    housekeeping: Housekeeping,
    audit_sealing: AuditSealing,
    key_watch: KeyWatch,
    clock: Arc<dyn Clock>,
    delivery: Option<Worker>,
    webhooks: WebhookDelivery,
    operations: Option<HttpServer<()>>,
    listener: Listener,
    app: Arc<App>,
    health: Arc<Health>,
    settings: Arc<Settings>,
    keyring_is_new: bool,
    deviations: Arc<Deviations>,
    logging: Logging,
    traces: Option<Traces>,
}

/// With port 0 in the settings, [`RunningServer::local_addr`] returns the actual port; the base URL does not follow.
///
/// # Errors
/// See [`StartError`].
pub fn start(settings: Arc<Settings>, clock: Arc<dyn Clock>) -> BoxFuture<'static, Result<RunningServer, StartError>> {
    // Boxed, because a crate that polls an `async fn` of another crate compiles it again, and all that it calls.
    Box::pin(start_server(settings, clock))
}

async fn start_server(settings: Arc<Settings>, clock: Arc<dyn Clock>) -> Result<RunningServer, StartError> {
    let logging = logging::start(&settings.log).map_err(StartError::Log)?;
    let log = logging.log.clone();
    let prepared = crate::random::system().draw(|random| first_run::prepare(&settings, random))?;
    let metrics = Arc::new(Metrics::new(clock.now()));
    metrics.begin_receivers(settings.webhooks.iter().map(|receiver| receiver.subscription.receiver.as_str()));
    let database = match settings.database.url {
        DatabaseUrl::Sqlite(_) => "sqlite",
        DatabaseUrl::Postgres(_) => "postgresql",
    };
    let traces = settings.traces.as_ref().map(|collector| Traces::start(collector, database, log.clone()));
    let traces = traces.transpose().map_err(StartError::Traces)?;
    let observer: Arc<dyn Observer> = Arc::new(Observers { metrics: Arc::clone(&metrics), traces: traces.clone() });
    let app = App::open(&settings, prepared.keyring, Arc::clone(&clock), log.clone(), Arc::clone(&observer)).await;
    let app = Arc::new(app.map_err(|error| StartError::App(Box::new(error)))?);

    let probed = Arc::clone(&app);
    let health = Arc::new(Health::new(Box::new(move || {
        let app = Arc::clone(&probed);
        Box::pin(async move { app.probe_database().await })
    })));
    let deviations = Arc::new(Deviations::default());
    let in_flight = load::InFlight::new(settings.limits.max_in_flight);
    let operations = match settings.operations {
        None => None,
        Some(address) => Some(operations::start(address, &app, &health, metrics, &in_flight, &log)?),
    };
    let policy = edge::Policy {
        logged_successes: edge::SuccessSample::new(settings.log.success_percent),
        clock: Arc::clone(&clock),
        log: log.clone(),
        observer: Arc::clone(&observer),
        traces: traces.clone(),
        trusted_proxies: client_ip::TrustedProxies::new(settings.trusted_proxies.clone()),
        untrusted_forwarders: client_ip::UntrustedForwarders::default(),
        trusted_origins: settings.trusted_origins(),
        untrusted_origins: Arc::clone(&app.untrusted_origins),
        rate_limiter: settings.rate_limits_are_on.then(rate_limit::RateLimiter::default),
        proven: Arc::clone(&app.proven),
        in_flight,
        connection_idle: settings.limits.connection_idle,
        disabled_paths: disabled_paths(&settings),
        request_timeout: settings.limits.request_timeout,
        body_timeout: settings.limits.body_timeout,
        max_body_bytes: settings.limits.max_body_bytes,
        deviations: Arc::clone(&deviations),
    };
    let health_api = ops::api(&health).map_err(|error| StartError::Register(Box::new(error)))?;
    let docs_api =
        docs::api(&settings.dialects, settings.docs_are_on).map_err(|error| StartError::Register(Box::new(error)))?;
    let outside = vec![Dispatcher::new(health_api), Dispatcher::new(docs_api)];
    let dialects = http::dialects::serve(&app, &settings.dialects, settings.responses_are_validated)
        .map_err(|error| StartError::Register(Box::new(error)))?;
    let contexts = Contexts::start(Arc::clone(&app), log.clone())?;
    let edge = Arc::new(Edge::new(policy, contexts, dialects, outside));
    let trail_keys = TrailKeys::new(Arc::clone(app.keyring()));
    let housekeeping = housekeeping::start(
        Arc::clone(app.store()),
        trail_keys.clone(),
        Arc::clone(&clock),
        settings.retention.clone(),
        log.clone(),
    );
    let audit_sealing = AuditSealing::start(Parts {
        store: Arc::clone(app.store()),
        keys: trail_keys,
        clock: Arc::clone(&clock),
        log: log.clone(),
    });
    let delivery = app.delivery().start();
    let parts =
        webhooks::Parts { store: Arc::clone(app.store()), clock: Arc::clone(&clock), observer, log: log.clone() };
    let webhooks = WebhookDelivery::start(&settings.webhooks, &parts).map_err(StartError::Webhooks)?;
    let listener = Listener::start(settings.listen, settings.limits.connection_idle, edge, log)
        .map_err(|source| StartError::Listen { address: settings.listen, source })?;
    let key_watch = KeyWatch::start(Notes {
        store: Arc::clone(app.store()),
        keyring: Arc::clone(app.keyring()),
        node: node_name(listener.local_addr()),
        signs_rs256: settings.tokens.algorithm == Algorithm::Rs256,
        clock: Arc::clone(&clock),
        log: logging.log.clone(),
    })
    .await;
    let open_tenant = settings.open_tenant().map_or_else(|| "none".to_owned(), |tenant| tenant.name.clone());
    info!(
        logging.log, "started";
        "address" => listener.local_addr().to_string(),
        "traces" => settings.traces.as_ref().map_or("off", |collector| collector.endpoint.as_str()),
        "metrics" => operations.as_ref().map_or_else(|| "off".to_owned(), |server| server.local_addr().to_string()),
        "tenant_open_to_sign_up" => open_tenant,
    );
    for note in settings.address_notes() {
        warn!(logging.log, "{}", note);
    }
    let keyring_is_new = prepared.keyring_is_new;
    Ok(RunningServer {
        housekeeping,
        audit_sealing,
        key_watch,
        clock,
        delivery,
        webhooks,
        operations,
        listener,
        app,
        health,
        settings,
        keyring_is_new,
        deviations,
        logging,
        traces,
    })
}

/// The paths that the operator has switched off, and those of passkeys where no page could use one.
fn disabled_paths(settings: &Settings) -> path::DisabledPaths {
    let mut paths = settings.disabled_paths.clone();
    if settings.relying_party().is_err() {
        let of_passkeys = better_auth::rules::passkey_paths().chain(fusionauth::rules::passkey_paths());
        paths.extend(of_passkeys.map(str::to_owned));
    }
    path::DisabledPaths::new(paths)
}

impl RunningServer {
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// The address of `/metrics`, if it is served.
    #[must_use]
    pub fn operations_addr(&self) -> Option<SocketAddr> {
        self.operations.as_ref().map(HttpServer::local_addr)
    }

    /// The state that handlers share.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Responses that broke their contract, if the settings have responses validated.
    #[must_use]
    pub fn deviations(&self) -> &Arc<Deviations> {
        &self.deviations
    }

    /// The text for the terminal.
    #[must_use]
    pub fn first_screen(&self) -> String {
        first_screen(&self.settings, self.local_addr(), self.operations_addr(), self.keyring_is_new)
    }

    /// Takes over what can be changed while the server runs: the level of the log, the words of messages, and certificates. What cannot be
    /// used changes nothing.
    fn reload(&self, reloaded: Result<Reloaded, String>) {
        let log = &self.logging.log;
        let Reloaded { settings, changed } = match reloaded {
            Ok(reloaded) => reloaded,
            Err(problem) => {
                return error!(log, "kept the configuration, because the new one is not valid"; "problem" => problem);
            }
        };
        let mut ours = Settings::clone(&self.settings);
        ours.messages.language.clone_from(&settings.messages.language);
        ours.messages.templates.clone_from(&settings.messages.templates);
        match crate::app::words(&ours) {
            Ok(words) => self.app().replace_words(words),
            Err(problem) => {
                let problem = countersign_domain::error_chain(&problem);
                error!(log, "kept the templates of messages, because the new ones cannot be used"; "problem" => problem);
            }
        }
        if let (Some(smtp), Some(renewed)) = (&mut ours.smtp, settings.smtp) {
            smtp.ca = renewed.ca;
        }
        if let Err(problem) = self.app().reload_certificates(ours.smtp) {
            let problem = countersign_domain::error_chain(&problem);
            error!(log, "kept certificates, because the new ones cannot be used"; "problem" => problem);
        }
        self.logging.set_level(settings.log.level);
        let due: Vec<&str> = changed.iter().filter(|key| !key.is_reloaded()).map(|key| key.name()).collect();
        if !due.is_empty() {
            warn!(log, "settings were changed that need a restart"; "settings" => due.join(", "));
        }
        // A warning, because the new level may hide less.
        warn!(log, "read the configuration again"; "log_level" => settings.log.level.as_str());
    }

    /// Loads the keyring again, from where it was read at the start. One that cannot be used is logged, and the keys stay as they
    /// are.
    pub async fn reload_keyring(&self) {
        let log = &self.logging.log;
        let loaded = match first_run::inspect_keyring(&self.settings) {
            Ok(Some(keyring)) => {
                let loaded = self.app().load_keyring(&keyring, &self.settings, self.clock.now()).await;
                loaded.map_err(|error| countersign_domain::error_chain(&error))
            }
            Ok(None) => Err("there is no keyring".to_owned()),
            Err(error) => Err(countersign_domain::error_chain(&error)),
        };
        match loaded {
            Ok(()) => {
                self.key_watch.keyring_was_loaded().await;
                info!(log, "loaded the keyring"; "keys" => format!("{:?}", self.app().keyring()));
            }
            Err(cause) => error!(log, "failed to load the keyring; the former keys stay in use"; "cause" => cause),
        }
    }

    /// Accepts no more requests and waits for those in flight, at most for the grace period. What the server has to do for itself is
    /// done in any case.
    pub async fn close(self) {
        self.health.stop_accepting();
        drop(self.housekeeping);
        let log = self.logging.log.clone();
        let (listener, delivery) = (self.listener, self.delivery);
        let requests = async {
            let closed = listener.close().await;
            // After the requests, some of which wait for a message to be delivered.
            if let Some(worker) = delivery {
                worker.stop().await;
            }
            closed
        };
        let closed = tokio::time::timeout(self.settings.shutdown_grace, requests).await;
        self.webhooks.stop().await;
        self.audit_sealing.stop().await;
        self.key_watch.stop().await;
        if let Some(traces) = self.traces {
            traces.stop().await;
        }
        // The last of all, so that the stop can be watched.
        if let Some(operations) = self.operations {
            let _ = tokio::time::timeout(OPERATIONS_TIMEOUT, operations.close()).await;
        }
        match closed {
            Ok(Ok(())) => info!(log, "stopped"),
            Ok(Err(problem)) => error!(log, "failed to stop cleanly"; "problem" => problem.to_string()),
            Err(_) => warn!(log, "stopped with requests still in flight"),
        }
    }
}

/// The configuration as it is now.
#[derive(Debug)]
pub struct Reloaded {
    pub settings: Settings,
    /// Settings that have other values than when the server was started.
    pub changed: Vec<Key>,
}

/// Reads the configuration again.
///
/// # Errors
/// A message that names what is not valid.
pub type Reload<'a> = &'a (dyn Fn() -> Result<Reloaded, String> + Send + Sync);

/// Runs a server until SIGTERM or SIGINT; a second signal ends the grace period. SIGHUP reads the configuration and the keyring
/// again. Writes the first screen to `screen`.
///
/// # Errors
/// When it cannot start, or stops without a signal.
pub async fn run(settings: Settings, reload: Reload<'_>, screen: &mut (dyn Write + Send)) -> Result<(), RunError> {
    // The first of all: by default it would end the program.
    let mut hang_up = signal(SignalKind::hangup()).map_err(RunError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signals)?;
    let server = start(Arc::new(settings), Arc::new(SystemClock)).await?;
    // A closed standard output is no reason not to serve.
    let _ = screen.write_all(server.first_screen().as_bytes()).and_then(|()| screen.flush());

    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => {
                server.reload(reload());
                // A database that does not respond holds up no stop.
                tokio::select! {
                    () = server.reload_keyring() => {}
                    _ = terminate.recv() => break,
                    _ = interrupt.recv() => break,
                }
            }
            () = server.listener.ended() => return Err(RunError::Stopped),
        }
    }
    info!(server.logging.log, "stopping"; "grace_seconds" => server.settings.shutdown_grace.as_secs());
    let stop = async {
        server.health.stop_accepting();
        tokio::time::sleep(READINESS_DELAY).await;
        server.close().await;
    };
    tokio::select! {
        () = stop => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
