//! Making connections to a PostgreSQL server: encryption, time-outs, the session's settings.

use crate::open::Options;
use crate::postgres_url::{Encryption, PostgresUrl, Proof, UrlError};
use crate::tls::{self, TlsError};
use diesel::ConnectionError;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use std::time::Duration;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long a connection may be silent before the system asks whether the other side is still there, how often it
/// asks again, and how many times: a server that vanished is noticed within a minute.
const SILENCE: Duration = Duration::from_secs(30);
const ASK_AGAIN: Duration = Duration::from_secs(10);
const ASK_TIMES: u32 = 3;
/// What the driver sets when nothing is asked for.
const DRIVERS_SILENCE: Duration = Duration::from_secs(2 * 60 * 60);

/// Why connections cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectorError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Makes connections.
pub(crate) struct Connector {
    config: Config,
    ways: Vec<Way>,
    settings: String,
}

/// One way to connect.
enum Way {
    Plain,
    /// Encrypted if the server can.
    Preferred(MakeRustlsConnect),
    Encrypted(MakeRustlsConnect),
}

impl Connector {
    /// Understands an address and reads what TLS needs. Whatever the address says about time-outs and names is
    /// left alone.
    pub(crate) fn new(url: &str, options: &Options) -> Result<Self, ConnectorError> {
        let PostgresUrl { mut config, encryption } = PostgresUrl::parse(url)?;
        if config.get_application_name().is_none() {
            config.application_name("countersign");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(options.timeout);
        }
        if config.get_keepalives_idle() == DRIVERS_SILENCE {
            config.keepalives_idle(SILENCE);
        }
        if config.get_keepalives_interval().is_none() {
            config.keepalives_interval(ASK_AGAIN);
        }
        if config.get_keepalives_retries().is_none() {
            config.keepalives_retries(ASK_TIMES);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
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

    /// Connects, with the settings that units of work rely on.
    pub(crate) async fn connect(&self) -> Result<AsyncPgConnection, ConnectionError> {
        let mut connection = self.connect_bare().await?;
        connection.batch_execute(&self.settings).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
        // An engine that does not know the question speaks English anyway.
        let _ = connection.batch_execute(SPEAK_ENGLISH).await;
        Ok(connection)
    }

    /// Connects without settings: nothing bounds how long a statement takes.
    pub(crate) async fn connect_bare(&self) -> Result<AsyncPgConnection, ConnectionError> {
        let mut told: Option<tokio_postgres::Error> = None;
        for way in &self.ways {
            let error = match self.connect_by(way).await {
                Ok(connection) => return connection,
                Err(error) => error,
            };
            // Of two failures the one to tell is the server's word, and of two words that about an encrypted
            // connection: "wrong password", not "no entry for a connection without encryption".
            let says_more = error.as_db_error().is_some() && matches!(way, Way::Encrypted(_));
            if told.as_ref().is_none_or(|told| says_more || told.as_db_error().is_none()) {
                told = Some(error);
            }
        }
        Err(ConnectionError::BadConnection(in_full(&told.expect("there is always a way to try"))))
    }

    async fn connect_by(&self, way: &Way) -> Result<Result<AsyncPgConnection, ConnectionError>, tokio_postgres::Error> {
        let mut config = self.config.clone();
        Ok(match way {
            Way::Plain => {
                let (client, connection) = config.ssl_mode(SslMode::Disable).connect(NoTls).await?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
            Way::Preferred(tls) => {
                let (client, connection) = config.ssl_mode(SslMode::Prefer).connect(tls.clone()).await?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
            Way::Encrypted(tls) => {
                let (client, connection) = config.ssl_mode(SslMode::Require).connect(tls.clone()).await?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
        })
    }
}

/// Some of what PostgreSQL says is known by its English words only (`crate::error`). Only a superuser may choose the
/// language; from others it would be one more line in the server's log of errors.
const SPEAK_ENGLISH: &str = "SELECT set_config('lc_messages', 'C', false) FROM pg_roles \
     WHERE rolname = current_user AND rolsuper \
     AND current_setting('lc_messages', true) NOT IN ('C', 'POSIX') \
     AND current_setting('lc_messages', true) NOT LIKE 'en%'";

/// An error with its causes: the driver says "db error" and keeps what happened to itself.
fn in_full(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

/// What every session is told. A statement gives up when its unit of work has; a transaction that its node forgot
/// does not keep its locks; an acknowledged change is on the server's disk even where the server's own default says
/// otherwise.
fn settings(options: &Options) -> String {
    let (deadline, lock) = (options.deadline.as_millis().max(1), options.timeout.as_millis().max(1));
    format!(
        "SET statement_timeout = {deadline}; SET lock_timeout = {lock}; \
         SET idle_in_transaction_session_timeout = {deadline}; \
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
}
