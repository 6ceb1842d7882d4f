//! Making connections to a PostgreSQL server: encryption, time-outs, the session's settings.

use crate::options::Options;
use crate::postgres_conn::PgConn;
use crate::postgres_url::{Encryption, PostgresUrl, Proof, UrlError};
use crate::standing::Standing;
use crate::tls::{self, TlsError};
use countersign_domain::error_chain;
use diesel::ConnectionError;
use futures::stream::{FuturesUnordered, StreamExt as _};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio_postgres::config::{Host, SslMode, SslNegotiation};
use tokio_postgres::tls::{MakeTlsConnect, NoTlsStream};
use tokio_postgres::{Client, Config, Connection, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// TCP keep-alive: idle time, interval and number of probes. A server that vanished is noticed within a minute.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;
/// The driver's default.
const DRIVERS_KEEPALIVE_IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// No host was connected to yet.
const NONE: usize = usize::MAX;

/// How soon a replica is asked whether it takes writes, while another one does not respond.
const AGAIN: Duration = Duration::from_millis(250);

/// Why connections cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectorError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Whose a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// Its connection's, as prepared statements and the settings of a session need it.
    Own,
    /// The transaction's that is under way.
    Shared,
}

pub(crate) struct Connector {
    hosts: Vec<Config>,
    ways: Vec<Way>,
    is_pooled: bool,
    /// What units of work rely on, as settings of a session and of a transaction.
    settings: Settings,
    /// Longest time for one host.
    timeout: Duration,
    /// The highest timeline of a server that took writes. A former leader, which has not noticed yet that another one has taken its
    /// place, is on a lower one (PostgreSQL, "Timelines").
    newest_timeline: AtomicU32,
    /// The host that was last connected to, by its place, or [`NONE`].
    last: AtomicUsize,
}

enum Way {
    Plain,
    /// Encrypted if the server supports it.
    Preferred(MakeRustlsConnect),
    Encrypted(MakeRustlsConnect),
}

impl Connector {
    /// Parses an address and reads the certificates that TLS needs. Timeouts and names in the address take precedence
    /// over the defaults set here.
    pub(crate) fn new(url: &str, options: &Options) -> Result<Self, ConnectorError> {
        let PostgresUrl { mut hosts, encryption, is_pooled } = PostgresUrl::parse(url)?;
        for config in &mut hosts {
            set_defaults(config, options);
        }
        // All hosts have the same.
        let is_direct = hosts.iter().any(|config| config.get_ssl_negotiation() == SslNegotiation::Direct);
        let timeout = hosts.iter().find_map(|config| config.get_connect_timeout().copied());
        let timeout = timeout.unwrap_or(options.timeout);
        let tls = |proof: &Proof| tls::client_config(proof, is_direct).map(MakeRustlsConnect::new);
        let ways = match &encryption {
            Encryption::Never => vec![Way::Plain],
            Encryption::IfDemanded => vec![Way::Plain, Way::Encrypted(tls(&Proof::Nothing)?)],
            Encryption::IfPossible => vec![Way::Preferred(tls(&Proof::Nothing)?), Way::Plain],
            Encryption::Always(proof) => vec![Way::Encrypted(tls(proof)?)],
        };
        let (settings, newest_timeline, last) = (Settings::new(options), AtomicU32::new(0), AtomicUsize::new(NONE));
        Ok(Self { hosts, ways, is_pooled, settings, timeout, newest_timeline, last })
    }

    /// What the former connector knew of its servers.
    pub(crate) fn succeed(&self, former: &Self) {
        self.newest_timeline.fetch_max(former.newest_timeline.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// Longest time for one host.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Makes the next connection ask all hosts at once, because the one that was connected to last takes no writes any more.
    pub(crate) fn ask_all(&self) {
        self.last.store(NONE, Ordering::Relaxed);
    }

    /// Several hosts are replicas, of which one takes writes.
    pub(crate) fn has_replicas(&self) -> bool {
        self.hosts.len() > 1
    }

    /// Whether the address says that a pooler in transaction mode is in between.
    pub(crate) fn is_pooled(&self) -> bool {
        self.is_pooled
    }

    /// Connects. The settings that units of work rely on are those of the session, or, where it is shared, of each transaction.
    pub(crate) async fn connect(&self, sessions: Sessions) -> Result<PgConn, ConnectionError> {
        let connection = self.connect_bare(sessions).await?;
        if sessions == Sessions::Own {
            let set = connection.run(&self.settings.of_session).await;
            set.map_err(ConnectionError::CouldntSetupConfiguration)?;
        }
        Ok(connection)
    }

    /// Connects without settings of the session, so without a timeout for statements.
    pub(crate) async fn connect_bare(&self, sessions: Sessions) -> Result<PgConn, ConnectionError> {
        let (client, driver) = self.open().await?;
        let driver = driver.start();
        Ok(match sessions {
            Sessions::Own => PgConn::preparing(client, driver),
            Sessions::Shared => {
                let begin = format!("BEGIN; {}", self.settings.of_transaction);
                PgConn::unprepared(client, driver, begin)
            }
        })
    }

    /// A connection of the driver alone. It closes when it is dropped and waits for nothing.
    pub(crate) async fn client(&self) -> Result<Client, ConnectionError> {
        let (client, driver) = self.open().await?;
        driver.start();
        Ok(client)
    }

    /// Connects to the host, or to that of several which takes writes. The one that last did is asked first. One that does not respond must
    /// not keep others waiting, so all others are asked a little later, and again while one does not respond, because one of them may be
    /// taking its place.
    async fn open(&self) -> Result<(Client, Driver), ConnectionError> {
        let attempt = |host: usize, pause: Duration| async move {
            tokio::time::sleep(pause).await;
            (host, self.open_within_timeout(&self.hosts[host]).await)
        };
        let last = self.last.load(Ordering::Relaxed);
        let pause = |host| if host == last || last == NONE { Duration::ZERO } else { AGAIN };
        let mut attempts: FuturesUnordered<_> = (0..self.hosts.len()).map(|host| attempt(host, pause(host))).collect();
        let mut errors = BTreeMap::new();
        while let Some((host, opened)) = attempts.next().await {
            match opened {
                Ok(opened) => {
                    self.last.store(host, Ordering::Relaxed);
                    return Ok(opened);
                }
                Err(error) => drop(errors.insert(host, error)),
            }
            if errors.len() == self.hosts.len() {
                break;
            }
            attempts.push(attempt(host, AGAIN));
        }
        Err(ConnectionError::BadConnection(errors.into_values().collect::<Vec<_>>().join("; ")))
    }

    async fn open_within_timeout(&self, host: &Config) -> Result<(Client, Driver), String> {
        let opening = async {
            let (client, mut driver) = self.open_host(host).await?;
            if self.has_replicas() {
                tokio::select! {
                    leads = self.confirm_leader(&client) => leads?,
                    () = driver.ended() => return Err("the connection was lost".to_owned()),
                }
            }
            Ok((client, driver))
        };
        let opened = tokio::time::timeout(self.timeout, opening).await;
        let opened = opened.unwrap_or_else(|_| Err(format!("no response within {} s", self.timeout.as_secs_f32())));
        opened.map_err(|cause| match self.has_replicas() {
            true => format!("{}: {cause}", name(host)),
            false => cause,
        })
    }

    /// Checks that one of several hosts takes writes.
    async fn confirm_leader(&self, client: &Client) -> Result<(), String> {
        let standing = Standing::of(client, true).await.map_err(|error| error_chain(&error))?;
        let timeline = standing.timeline.filter(|_| standing.takes_writes).ok_or("it takes no writes")?;
        let newest = self.newest_timeline.fetch_max(timeline, Ordering::SeqCst);
        if timeline < newest { Err("another server has taken its place".to_owned()) } else { Ok(()) }
    }

    async fn open_host(&self, host: &Config) -> Result<(Client, Driver), String> {
        let mut reported: Option<tokio_postgres::Error> = None;
        for way in &self.ways {
            let error = match open_by(way, host).await {
                Ok(opened) => return Ok(opened),
                Err(error) => error,
            };
            // An error from the server says more than one of the connection, and an error on an encrypted connection
            // more than "no entry for a connection without encryption".
            let says_more = error.as_db_error().is_some() && matches!(way, Way::Encrypted(_));
            if reported.as_ref().is_none_or(|reported| says_more || reported.as_db_error().is_none()) {
                reported = Some(error);
            }
        }
        let error = reported.expect("there is always a way to try");
        // The driver's own message is "db error"; the cause has the server's message.
        Err(with_advice(error_chain(&error)))
    }
}

async fn open_by(way: &Way, host: &Config) -> Result<(Client, Driver), tokio_postgres::Error> {
    let mut config = host.clone();
    let (mode, tls) = match way {
        Way::Plain => {
            let (client, driver) = config.ssl_mode(SslMode::Disable).connect(NoTls).await?;
            return Ok((client, Driver::Plain(Box::new(driver))));
        }
        Way::Preferred(tls) => (SslMode::Prefer, tls),
        Way::Encrypted(tls) => (SslMode::Require, tls),
    };
    let (client, driver) = config.ssl_mode(mode).connect(tls.clone()).await?;
    Ok((client, Driver::Tls(Box::new(driver))))
}

/// Defaults for what the address does not say.
fn set_defaults(config: &mut Config, options: &Options) {
    if config.get_application_name().is_none() {
        config.application_name("countersign");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(options.timeout);
    }
    if config.get_keepalives_idle() == DRIVERS_KEEPALIVE_IDLE {
        config.keepalives_idle(KEEPALIVE_IDLE);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(KEEPALIVE_INTERVAL);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(KEEPALIVE_RETRIES);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(KEEPALIVE_IDLE);
    }
}

/// A host and its port, for messages.
fn name(host: &Config) -> String {
    let named = host.get_hosts().first().map(|named| match named {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    });
    let named = named.or_else(|| host.get_hostaddrs().first().map(ToString::to_string)).unwrap_or_default();
    match host.get_ports().first() {
        Some(port) => format!("{named}:{port}"),
        None => named,
    }
}

/// Adds to PgBouncer's refusal of a parameter what can be done.
fn with_advice(error: String) -> String {
    let Some((_, parameter)) = error.split_once("unsupported startup parameter: ") else { return error };
    let name = parameter.split(['=', ' ']).next().unwrap_or(parameter);
    format!(
        "a pooler in between does not take `{name}` from the database's address: take it out and set it in the database \
         (`ALTER ROLE … SET`), or have the pooler ignore it (PgBouncer's `ignore_startup_parameters`): {error}"
    )
}

/// What moves the bytes of a connection.
enum Driver {
    Plain(Box<Connection<Socket, NoTlsStream>>),
    Tls(Box<Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>>),
}

impl Driver {
    /// Moves them until the connection ends.
    async fn ended(&mut self) {
        // A connection that fails says so to its client.
        let _ = match self {
            Self::Plain(driver) => driver.await,
            Self::Tls(driver) => driver.await,
        };
    }

    /// Moves the bytes in a task of its own, until the client is dropped.
    fn start(mut self) -> AbortHandle {
        tokio::spawn(async move { self.ended().await }).abort_handle()
    }
}

/// A statement times out with its unit of work; a transaction abandoned by its node releases its locks; an acknowledged change is on the
/// server's disk, even if the server's default is another.
struct Settings {
    of_session: String,
    of_transaction: String,
}

impl Settings {
    fn new(options: &Options) -> Self {
        let (deadline, lock) = (options.deadline.as_millis().max(1), options.timeout.as_millis().max(1));
        let set = |set: &str, is_local: bool| {
            format!(
                "{set} statement_timeout = {deadline}; {set} lock_timeout = {lock}; \
                 {set} idle_in_transaction_session_timeout = {deadline}; {set} TimeZone = 'UTC'; \
                 SELECT set_config('synchronous_commit', 'on', {is_local}) WHERE current_setting('synchronous_commit') = 'off'"
            )
        };
        Self { of_session: set("SET", false), of_transaction: set("SET LOCAL", true) }
    }
}
