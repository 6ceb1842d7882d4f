//! Making connections to a PostgreSQL server: encryption, time-outs, the session's settings.

use crate::options::Options;
use crate::postgres_url::{Encryption, PostgresUrl, Proof, UrlError};
use crate::tls::{self, TlsError};
use countersign_domain::error_chain;
use diesel::ConnectionError;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use std::time::Duration;
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
    settings: String,
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
        let PostgresUrl { mut config, encryption } = PostgresUrl::parse(url)?;
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
        Ok(Self { config, ways, settings: settings(options) })
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
        // A connection that fails says so to its client.
        match driver {
            Driver::Plain(driver) => drop(tokio::spawn(*driver)),
            Driver::Tls(driver) => drop(tokio::spawn(*driver)),
        }
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
        Err(ConnectionError::BadConnection(error_chain(&error)))
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

/// What moves the bytes of a connection.
enum Driver {
    Plain(Box<Connection<Socket, NoTlsStream>>),
    Tls(Box<Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>>),
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
