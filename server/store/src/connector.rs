//! Making connections to a PostgreSQL server: encryption, time-outs, the session's settings.

use crate::options::Options;
use crate::postgres_conn::PgConn;
use crate::postgres_url::{Encryption, PostgresUrl, Proof, UrlError};
use crate::sessions::Sessions;
use crate::tls::{self, TlsError};
use countersign_domain::error_chain;
use diesel::ConnectionError;
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::{MakeTlsConnect, NoTlsStream};
use tokio_postgres::{Client, Config, Connection, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// TCP keep-alive: idle time, interval and number of probes. A server that vanished is noticed within a minute.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;
/// The driver's default.
const DRIVERS_KEEPALIVE_IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// Why connections cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectorError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

pub(crate) struct Connector {
    config: Config,
    ways: Vec<Way>,
    is_pooled: bool,
    /// What units of work rely on, as settings of a session and of a transaction.
    settings: Settings,
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
        let PostgresUrl { mut config, encryption, is_pooled } = PostgresUrl::parse(url)?;
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
        let is_direct = config.get_ssl_negotiation() == SslNegotiation::Direct;
        let tls = |proof: &Proof| tls::client_config(proof, is_direct).map(MakeRustlsConnect::new);
        let ways = match &encryption {
            Encryption::Never => vec![Way::Plain],
            Encryption::IfDemanded => vec![Way::Plain, Way::Encrypted(tls(&Proof::Nothing)?)],
            Encryption::IfPossible => vec![Way::Preferred(tls(&Proof::Nothing)?), Way::Plain],
            Encryption::Always(proof) => vec![Way::Encrypted(tls(proof)?)],
        };
        Ok(Self { config, ways, is_pooled, settings: Settings::new(options) })
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

    async fn open(&self) -> Result<(Client, Driver), ConnectionError> {
        let mut reported: Option<tokio_postgres::Error> = None;
        for way in &self.ways {
            let error = match self.open_by(way).await {
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
        Err(ConnectionError::BadConnection(with_advice(error_chain(&error))))
    }

    async fn open_by(&self, way: &Way) -> Result<(Client, Driver), tokio_postgres::Error> {
        let mut config = self.config.clone();
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
    /// Moves the bytes in a task of its own, until the client is dropped. A connection that fails says so to its client.
    fn start(self) -> AbortHandle {
        match self {
            Self::Plain(driver) => tokio::spawn(*driver).abort_handle(),
            Self::Tls(driver) => tokio::spawn(*driver).abort_handle(),
        }
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
