//! A running server: from settings to an open port, and back to nothing.
//!
//! Stopping is orderly: readiness goes off first, so that balancers look elsewhere; a moment later no new work is
//! taken, and what is under way may finish until the grace period ends.

mod first_screen;
mod logging;

use crate::app::App;
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::config::values::DatabaseUrl;
use crate::edge::validation::Deviations;
use crate::edge::{self, Dispatcher, client_ip, load, path, rate_limit, version_gate};
use crate::first_run::{self, FirstRunError};
use crate::housekeeping::{self, Housekeeping};
use crate::http;
use crate::http::docs;
use crate::http::ops::{self, Health};
use dropshot::{ConfigDropshot, HandlerTaskMode, HttpServer, ServerBuilder, VersionPolicy};
use slog::{error, info, warn};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

use first_screen::first_screen;
use logging::Logging;

/// How long traffic still comes after readiness went off: about one round of a balancer's probes on a busy loopback,
/// and short enough that stopping a server at a desk feels immediate.
const READINESS_DELAY: Duration = Duration::from_millis(200);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// What is on disk is missing or not safe.
    #[error(transparent)]
    FirstRun(#[from] FirstRunError),
    /// The application could not be put together.
    #[error("the application could not be opened")]
    App(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The operations could not be put together: a defect of this program.
    #[error("the operations could not be registered")]
    Register(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The port could not be opened.
    #[error("listening on {address} failed")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why the tables could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// What is on disk is missing or not safe.
    #[error(transparent)]
    FirstRun(#[from] FirstRunError),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] countersign_store::OpenError),
}

/// Brings the tables up to date without serving; says the names of the migrations that took. An embedded database is
/// made together with its keys, as a start would.
///
/// # Errors
/// When the database cannot be reached, or a migration fails.
pub async fn migrate(settings: &Settings) -> Result<Vec<String>, MigrateError> {
    if matches!(settings.database.url, DatabaseUrl::Sqlite(_)) {
        crate::flows::with_random(|random| first_run::prepare(settings, random))?;
    }
    Ok(countersign_store::Store::migrate(&crate::app::store_options(settings)).await?)
}

/// Why a server that ran did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It never ran.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It cannot be told to stop.
    #[error("signals cannot be received")]
    Signals(#[source] std::io::Error),
    /// It stopped by itself.
    #[error("the server stopped by itself: {0}")]
    Stopped(String),
}

/// A server that accepts requests.
pub struct RunningServer {
    // Fields are dropped in this order; the log is written out last.
    housekeeping: Housekeeping,
    http: HttpServer<Arc<App>>,
    health: Arc<Health>,
    settings: Arc<Settings>,
    keyring_is_new: bool,
    deviations: Arc<Deviations>,
    logging: Logging,
}

/// Starts a server. With port 0 in the settings, [`RunningServer::local_addr`] says which port it got; the base URL
/// stays what the settings say.
///
/// # Errors
/// When anything is missing or in the way.
pub async fn start(settings: Arc<Settings>, clock: Arc<dyn Clock>) -> Result<RunningServer, StartError> {
    let logging = logging::start(&settings.log);
    let log = logging.log.clone();
    let prepared = crate::flows::with_random(|random| first_run::prepare(&settings, random))?;
    let app = App::open(&settings, prepared.keyring, Arc::clone(&clock), log.clone()).await;
    let app = Arc::new(app.map_err(|error| StartError::App(Box::new(error)))?);

    let probed = Arc::clone(&app);
    let health = Arc::new(Health::new(Box::new(move || {
        let app = Arc::clone(&probed);
        Box::pin(async move { app.flows.store.ping().await.is_ok() })
    })));
    let deviations = Arc::new(Deviations::default());
    let policy = edge::Policy {
        clock,
        log: log.clone(),
        trusted_proxies: client_ip::TrustedProxies::new(settings.trusted_proxies.clone()),
        trusted_origins: settings.trusted_origins(),
        rate_limiter: settings.rate_limits_are_on.then(rate_limit::RateLimiter::default),
        in_flight: load::InFlight::new(settings.limits.max_in_flight),
        disabled_paths: path::DisabledPaths::new(settings.disabled_paths.clone()),
        request_timeout: settings.limits.request_timeout,
        max_body_bytes: settings.limits.max_body_bytes,
        deviations: Arc::clone(&deviations),
    };
    let health_api = ops::api(&health).map_err(|error| StartError::Register(Box::new(error)))?;
    let docs_api =
        docs::api(&settings.dialects, settings.docs_are_on).map_err(|error| StartError::Register(Box::new(error)))?;
    let outside = vec![Dispatcher::new(health_api), Dispatcher::new(docs_api)];
    let dialects = http::dialects::serve(&app, &settings.dialects, settings.responses_are_validated)
        .map_err(|error| StartError::Register(Box::new(error)))?;
    let api = edge::api(policy, dialects, outside).map_err(|error| StartError::Register(Box::new(error)))?;
    let config = ConfigDropshot {
        bind_address: settings.listen,
        // The edge refuses what is too long in the dialect's words; dropshot's own limit must not come first.
        default_request_body_max_bytes: settings.limits.max_body_bytes + 1,
        // Clients that hang up must not leave work half done.
        default_handler_task_mode: HandlerTaskMode::Detached,
        ..ConfigDropshot::default()
    };
    let housekeeping = housekeeping::start(Arc::clone(&app), settings.retention.clone(), log.clone());
    let http = ServerBuilder::new(api, app, logging::for_dropshot(log))
        .config(config)
        .version_policy(VersionPolicy::Dynamic(Box::new(version_gate::VersionGate)))
        .start()
        .map_err(|source| StartError::Listen { address: settings.listen, source: Box::new(source) })?;
    info!(logging.log, "started"; "address" => http.local_addr().to_string());
    let keyring_is_new = prepared.keyring_is_new;
    Ok(RunningServer { housekeeping, http, health, settings, keyring_is_new, deviations, logging })
}

impl RunningServer {
    /// The address and port that it listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.http.local_addr()
    }

    /// What the handlers work with.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        self.http.app_private()
    }

    /// Where answers that break their contract are noted, if the settings have responses validated.
    #[must_use]
    pub fn deviations(&self) -> &Arc<Deviations> {
        &self.deviations
    }

    /// The first screen.
    #[must_use]
    pub fn first_screen(&self) -> String {
        first_screen(&self.settings, self.local_addr(), self.keyring_is_new)
    }

    /// Stops taking requests, waits for those under way, at most for the grace period, and ends.
    pub async fn close(self) {
        self.health.stop_accepting();
        drop(self.housekeeping);
        let log = self.logging.log.clone();
        match tokio::time::timeout(self.settings.shutdown_grace, self.http.close()).await {
            Ok(Ok(())) => info!(log, "stopped"),
            Ok(Err(problem)) => error!(log, "stopped badly"; "problem" => problem),
            Err(_) => warn!(log, "stopped with requests still under way"),
        }
    }
}

/// Runs a server until SIGTERM or SIGINT; a second one ends it at once. Writes the first screen to `screen`.
///
/// # Errors
/// When it cannot start, or stops without being told to.
pub async fn run(settings: Settings, screen: &mut (dyn Write + Send)) -> Result<(), RunError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signals)?;
    let server = start(Arc::new(settings), Arc::new(SystemClock)).await?;
    // Nobody may be reading; that is no reason not to serve.
    let _ = screen.write_all(server.first_screen().as_bytes()).and_then(|()| screen.flush());

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        ended = server.http.wait_for_shutdown() => {
            return Err(RunError::Stopped(ended.err().unwrap_or_else(|| "without a reason".to_owned())));
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
