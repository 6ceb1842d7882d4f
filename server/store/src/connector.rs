//! Making connections to a PostgreSQL server: encryption, time-outs, the session's settings.

use crate::leader::Standing;
use crate::options::Options;
use crate::postgres_url::{Encryption, PostgresUrl, Proof, UrlError};
use crate::tls::{self, TlsError};
use countersign_domain::error_chain;
use diesel::ConnectionError;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use futures::stream::{FuturesUnordered, StreamExt as _};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
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

/// How soon a replica is asked again whether it takes writes, while another one does not respond.
const AGAIN: Duration = Duration::from_millis(250);

/// Why connections cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectorError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

pub(crate) struct Connector {
    hosts: Vec<Config>,
    ways: Vec<Way>,
    settings: String,
    /// Longest time for one host.
    timeout: Duration,
    /// The highest timeline of a server that took writes. A former leader, which has not noticed yet that another one has taken its
    /// place, is on a lower one (PostgreSQL, "Timelines").
    newest_timeline: AtomicU32,
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
        let PostgresUrl { mut hosts, encryption } = PostgresUrl::parse(url)?;
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
        Ok(Self { hosts, ways, settings: settings(options), timeout, newest_timeline: AtomicU32::new(0) })
    }

    /// What the former connector knew of its servers.
    pub(crate) fn succeed(&self, former: &Self) {
        self.newest_timeline.fetch_max(former.newest_timeline.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// Several hosts are replicas, of which one takes writes.
    pub(crate) fn has_replicas(&self) -> bool {
        self.hosts.len() > 1
    }

    /// Connects, and applies the session settings that units of work rely on.
    pub(crate) async fn connect(&self) -> Result<AsyncPgConnection, ConnectionError> {
        let mut connection = self.connect_bare().await?;
        connection.batch_execute(&self.settings).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
        // A server without these settings has English messages only.
        let _ = connection.batch_execute(USE_ENGLISH_MESSAGES).await;
        Ok(connection)
    }

    /// Connects without session settings, so without a timeout for statements.
    pub(crate) async fn connect_bare(&self) -> Result<AsyncPgConnection, ConnectionError> {
        let (client, driver) = self.open().await?;
        match driver {
            Driver::Plain(driver) => AsyncPgConnection::try_from_client_and_connection(client, *driver).await,
            Driver::Tls(driver) => AsyncPgConnection::try_from_client_and_connection(client, *driver).await,
        }
    }

    /// A connection of the driver alone, which prepares nothing. It closes when it is dropped.
    pub(crate) async fn client(&self) -> Result<Client, ConnectionError> {
        let (client, driver) = self.open().await?;
        let mut driver = driver;
        tokio::spawn(async move { driver.ended().await });
        Ok(client)
    }

    /// Connects to the host, or to that of several which takes writes. All are asked at once, because one that does not respond must
    /// not keep others waiting; and while one does not, the others are asked again, because one of them may be taking its place.
    async fn open(&self) -> Result<(Client, Driver), ConnectionError> {
        let attempt = |host: usize, pause: Duration| async move {
            tokio::time::sleep(pause).await;
            (host, self.open_within_timeout(&self.hosts[host]).await)
        };
        let mut attempts: FuturesUnordered<_> =
            (0..self.hosts.len()).map(|host| attempt(host, Duration::ZERO)).collect();
        let mut errors = BTreeMap::new();
        while let Some((host, opened)) = attempts.next().await {
            match opened {
                Ok(opened) => return Ok(opened),
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
        Err(error_chain(&error))
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
}

/// Some errors of PostgreSQL are recognised by their English message (`crate::error`). Only a superuser may set the
/// language; an attempt by another role would add an error to the server's log.
pub(crate) const USE_ENGLISH_MESSAGES: &str = "SELECT set_config('lc_messages', 'C', false) FROM pg_roles \
     WHERE rolname = current_user AND rolsuper \
     AND current_setting('lc_messages', true) NOT IN ('C', 'POSIX') \
     AND current_setting('lc_messages', true) NOT LIKE 'en%'";

/// Settings of every session. A statement times out with its unit of work; a transaction abandoned by its node releases
/// its locks; an acknowledged change is on the server's disk, even if the server's default is another.
fn settings(options: &Options) -> String {
    let (deadline, lock) = (options.deadline.as_millis().max(1), options.timeout.as_millis().max(1));
    format!(
        "SET statement_timeout = {deadline}; SET lock_timeout = {lock}; \
         SET idle_in_transaction_session_timeout = {deadline}; \
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
}
