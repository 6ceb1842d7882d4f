//! URL of a PostgreSQL server: the settings of the driver, and the encryption of the connection.
//!
//! The driver supports three of libpq's six `sslmode`s and no `sslrootcert`. Both parameters are read here instead, with
//! the meanings of libpq
//! (<https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION>), with two differences. No
//! files in the home directory are read, so `verify-full` without `sslrootcert` trusts the root certificates of the
//! operating system. And `verify-ca` without `sslrootcert` is an error, because any certificate of a public authority
//! would pass.

use percent_encoding::percent_decode_str;
use std::path::PathBuf;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts, TargetSessionAttrs};

#[derive(Debug)]
pub(crate) struct PostgresUrl {
    /// All settings but the encryption, for each host of its own. With several hosts, the one that takes writes is meant.
    pub(crate) hosts: Vec<Config>,
    pub(crate) encryption: Encryption,
    /// A pooler in transaction mode is in between (`pgbouncer=true`, as Prisma has it and hosts write it).
    pub(crate) is_pooled: bool,
}

/// When a connection is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    Never,
    /// Only if the server refuses an unencrypted connection (`allow`).
    IfDemanded,
    /// If the server supports it (`prefer`).
    IfPossible,
    /// Always, and the server has to prove this.
    Always(Proof),
}

/// Proof of identity demanded of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// None (`require`): protects against eavesdropping, not against impersonation.
    Nothing,
    /// A certificate issued by an authority in this file (`verify-ca`).
    Authority(PathBuf),
    /// The same, for the host name of the URL (`verify-full`).
    Name(Authorities),
}

/// Trusted root certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Authorities {
    /// Those of the operating system.
    System,
    /// Those in this PEM file.
    File(PathBuf),
}

/// What is wrong with the URL of a database. No message repeats the URL, which may hold a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("the address of a PostgreSQL database begins with postgres:// or postgresql://")]
    Scheme,
    /// A password with `@` or `?` that is not percent-encoded.
    #[error("write @ as %40 and ? as %3F inside the parts of a database's address")]
    Ambiguous,
    #[error("`sslmode` is none of disable, allow, prefer, require, verify-ca or verify-full")]
    SslMode,
    #[error("`sslrootcert=system` asks for `sslmode=verify-full`; a weaker mode would accept anybody's certificate")]
    WeakWithSystem,
    #[error("`sslmode=verify-ca` needs `sslrootcert`, the file with your authority's certificate")]
    AuthorityMissing,
    #[error("`target_session_attrs` has to be read-write, because each request may write")]
    ReadOnly,
    #[error("the address of the database has {hosts} hosts, and {ports} ports: one for each, or one for all")]
    Ports { hosts: usize, ports: usize },
    #[error("`pgbouncer` is true, for a pooler in transaction mode, or false")]
    Pgbouncer,
    /// Of Prisma and others.
    #[error(
        "take `connection_limit` out of the database's address: how many connections a node makes is set by \
         COUNTERSIGN_DATABASE_CONNECTIONS"
    )]
    ConnectionLimit,
    #[error(
        "take `pool_timeout` out of the database's address: how long a connection is waited for is set by COUNTERSIGN_DATABASE_TIMEOUT"
    )]
    PoolTimeout,
    #[error(
        "take `schema` out of the database's address: which schema is used is set in the database, by `ALTER ROLE … SET search_path`"
    )]
    Schema,
    #[error("the address of the database cannot be understood: {0}")]
    Rest(String),
}

impl PostgresUrl {
    pub(crate) fn parse(url: &str) -> Result<Self, UrlError> {
        let (rest, parameters) = split(url)?;
        let (mut mode, mut roots, mut is_pooled, mut kept) = (None, None, false, Vec::new());
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = || percent_decode_str(value).decode_utf8_lossy().into_owned();
            match &*percent_decode_str(key).decode_utf8_lossy() {
                "sslmode" => mode = Some(value()),
                "sslrootcert" => roots = Some(value()).filter(|file| !file.is_empty()),
                "pgbouncer" => {
                    is_pooled = value().parse().map_err(|_| UrlError::Pgbouncer)?;
                }
                // Supabase's and Vercel's note of where the address is from.
                "supa" => {}
                "connection_limit" => return Err(UrlError::ConnectionLimit),
                "pool_timeout" => return Err(UrlError::PoolTimeout),
                "schema" => return Err(UrlError::Schema),
                _ => kept.push(parameter),
            }
        }
        let rest = if kept.is_empty() { rest.to_owned() } else { format!("{rest}?{}", kept.join("&")) };
        let config: Config = rest.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            UrlError::Rest(cause.unwrap_or_else(|| error.to_string()))
        })?;
        let mut encryption = encryption(mode.as_deref(), roots.as_deref())?;
        // As in libpq, a connection that does not leave the machine is not encrypted, whatever `sslmode` says.
        if !config.get_hosts().is_empty() && config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_))) {
            encryption = Encryption::Never;
        }
        if config.get_target_session_attrs() == TargetSessionAttrs::ReadOnly {
            return Err(UrlError::ReadOnly);
        }
        Ok(Self { hosts: each_host(&config)?, encryption, is_pooled })
    }
}

/// The same settings for each of the hosts.
fn each_host(config: &Config) -> Result<Vec<Config>, UrlError> {
    let (names, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = names.len().max(addresses.len()).max(1);
    if ports.len() > 1 && ports.len() != count {
        return Err(UrlError::Ports { hosts: count, ports: ports.len() });
    }
    if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
        return Err(UrlError::Rest("`host` and `hostaddr` do not name as many hosts".to_owned()));
    }
    let one = |at: usize| {
        let mut one = without_hosts(config);
        match names.get(at) {
            Some(Host::Tcp(name)) => drop(one.host(name)),
            Some(Host::Unix(path)) => drop(one.host_path(path)),
            None => {}
        }
        if let Some(address) = addresses.get(at) {
            one.hostaddr(*address);
        }
        if let Some(port) = ports.get(at).or(ports.first()) {
            one.port(*port);
        }
        one
    };
    Ok((0..count).map(one).collect())
}

/// The driver cannot take hosts out of its settings.
fn without_hosts(config: &Config) -> Config {
    let mut copy = Config::new();
    if let Some(user) = config.get_user() {
        copy.user(user);
    }
    if let Some(password) = config.get_password() {
        copy.password(password);
    }
    if let Some(name) = config.get_dbname() {
        copy.dbname(name);
    }
    if let Some(options) = config.get_options() {
        copy.options(options);
    }
    if let Some(name) = config.get_application_name() {
        copy.application_name(name);
    }
    if let Some(timeout) = config.get_connect_timeout() {
        copy.connect_timeout(*timeout);
    }
    if let Some(timeout) = config.get_tcp_user_timeout() {
        copy.tcp_user_timeout(*timeout);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        copy.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        copy.keepalives_retries(retries);
    }
    copy.keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        // All hosts are asked, whatever their order, and which one takes writes is found out by ourselves.
        .target_session_attrs(TargetSessionAttrs::Any)
        .load_balance_hosts(LoadBalanceHosts::Disable);
    copy
}

/// Splits the parameters off.
fn split(url: &str) -> Result<(&str, &str), UrlError> {
    let scheme = ["postgres://", "postgresql://"].into_iter().find(|scheme| url.starts_with(scheme));
    let scheme = scheme.ok_or(UrlError::Scheme)?;
    let Some(question) = url.find('?') else { return Ok((url, "")) };
    // The driver takes everything up to the first @ for credentials, wherever it stands. A mode of encryption that
    // is lost in them must not go unnoticed.
    if url[question..].contains('@') || url[scheme.len()..].matches('@').count() > 1 {
        return Err(UrlError::Ambiguous);
    }
    Ok((&url[..question], &url[question + 1..]))
}

fn encryption(mode: Option<&str>, roots: Option<&str>) -> Result<Encryption, UrlError> {
    let is_system = roots == Some("system");
    let file = roots.filter(|_| !is_system).map(PathBuf::from);
    let encryption = match mode {
        Some("verify-full") => Encryption::Always(Proof::Name(file.map_or(Authorities::System, Authorities::File))),
        None if is_system => Encryption::Always(Proof::Name(Authorities::System)),
        Some("disable") => Encryption::Never,
        Some("allow" | "prefer" | "require" | "verify-ca") if is_system => return Err(UrlError::WeakWithSystem),
        Some("verify-ca") => Encryption::Always(Proof::Authority(file.ok_or(UrlError::AuthorityMissing)?)),
        // "If a root CA file exists, the behavior of sslmode=require will be the same as that of verify-ca."
        Some("require") => Encryption::Always(file.map_or(Proof::Nothing, Proof::Authority)),
        Some("prefer") | None => Encryption::IfPossible,
        Some("allow") => Encryption::IfDemanded,
        Some(_) => return Err(UrlError::SslMode),
    };
    Ok(encryption)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encryption_of(parameters: &str) -> Result<Encryption, UrlError> {
        PostgresUrl::parse(&format!("postgres://me:secret@db.example/two{parameters}")).map(|url| url.encryption)
    }

    #[test]
    fn the_modes_are_those_of_libpq() {
        let file = || PathBuf::from("/etc/my ca.pem");
        assert_eq!(encryption_of(""), Ok(Encryption::IfPossible));
        assert_eq!(encryption_of("?sslmode=disable"), Ok(Encryption::Never));
        assert_eq!(encryption_of("?sslmode=allow"), Ok(Encryption::IfDemanded));
        assert_eq!(encryption_of("?sslmode=prefer"), Ok(Encryption::IfPossible));
        assert_eq!(encryption_of("?sslmode=require"), Ok(Encryption::Always(Proof::Nothing)));
        assert_eq!(
            encryption_of("?sslmode=require&sslrootcert=/etc/my%20ca.pem"),
            Ok(Encryption::Always(Proof::Authority(file())))
        );
        assert_eq!(
            encryption_of("?sslrootcert=/etc/my%20ca.pem&sslmode=verify%2Dca"),
            Ok(Encryption::Always(Proof::Authority(file())))
        );
        assert_eq!(
            encryption_of("?sslmode=verify-full&sslrootcert=/etc/my%20ca.pem"),
            Ok(Encryption::Always(Proof::Name(Authorities::File(file()))))
        );
        for system in ["?sslmode=verify-full", "?sslmode=verify-full&sslrootcert=system", "?sslrootcert=system"] {
            assert_eq!(encryption_of(system), Ok(Encryption::Always(Proof::Name(Authorities::System))), "{system}");
        }
        assert_eq!(encryption_of("?sslmode=require&sslmode=disable"), Ok(Encryption::Never), "the last one counts");
    }

    #[test]
    fn modes_that_promise_more_than_they_keep_are_refused() {
        assert_eq!(encryption_of("?sslmode=verify-ca"), Err(UrlError::AuthorityMissing));
        assert_eq!(encryption_of("?sslmode=require&sslrootcert=system"), Err(UrlError::WeakWithSystem));
        assert_eq!(encryption_of("?sslmode=verify-ca&sslrootcert=system"), Err(UrlError::WeakWithSystem));
        assert_eq!(encryption_of("?sslmode=Require"), Err(UrlError::SslMode));
        assert_eq!(encryption_of("?sslmode="), Err(UrlError::SslMode));
    }

    #[test]
    fn everything_else_goes_to_the_driver() {
        let url = "postgresql://me:s%40cret@one:5433,two/base?sslmode=require&connect_timeout=3&application_name=x";
        let PostgresUrl { hosts, .. } = PostgresUrl::parse(url).unwrap();
        let tcp = |name: &str| Host::Tcp(name.to_owned());
        let named: Vec<_> = hosts.iter().map(|host| (host.get_hosts(), host.get_ports())).collect();
        assert_eq!(named, [(&[tcp("one")][..], &[5433][..]), (&[tcp("two")], &[5432])]);
        for config in hosts {
            assert_eq!(config.get_user(), Some("me"));
            assert_eq!(config.get_password(), Some(b"s@cret".as_slice()));
            assert_eq!(config.get_dbname(), Some("base"));
            assert_eq!(config.get_application_name(), Some("x"));
            assert!(config.get_connect_timeout().is_some());
        }
    }

    #[test]
    fn each_of_several_hosts_has_all_other_settings() {
        let parameters = "application_name=x&options=-c%20geqo%3Doff&sslnegotiation=direct&connect_timeout=3&tcp_user_timeout=4&keepalives=0\
                          &keepalives_idle=5&keepalives_interval=6&keepalives_retries=7&channel_binding=require";
        let url = |host: &str| format!("postgres://me:secret@{host}/base?{parameters}");
        let several = PostgresUrl::parse(&url("one:1,two:2")).unwrap().hosts;
        // What the driver itself makes of the address of one, in words that show all of its settings.
        let expected = |host: &str| format!("{:?}", url(host).parse::<Config>().unwrap());
        let found: Vec<String> = several.iter().map(|config| format!("{config:?}")).collect();
        assert_eq!(found, [expected("one:1"), expected("two:2")]);
    }

    #[test]
    fn only_a_server_that_takes_writes_will_do() {
        let parsed =
            |attributes: &str| PostgresUrl::parse(&format!("postgres://a,b/base?target_session_attrs={attributes}"));
        assert_eq!(parsed("read-only").unwrap_err(), UrlError::ReadOnly);
        assert_eq!(parsed("read-write").unwrap().hosts.len(), 2);
        assert_eq!(
            PostgresUrl::parse("postgres://a,b/base?port=1").unwrap_err(),
            UrlError::Ports { hosts: 2, ports: 3 }
        );
    }

    #[test]
    fn parameters_of_hosted_databases_are_understood_or_named() {
        let is_pooled = |parameters: &str| {
            PostgresUrl::parse(&format!("postgres://me:secret@db.example/two{parameters}")).map(|url| url.is_pooled)
        };
        for (parameters, expected) in [
            ("", Ok(false)),
            ("?pgbouncer=true", Ok(true)),
            ("?pgbouncer=false", Ok(false)),
            ("?sslmode=require&pgbouncer=true&connect_timeout=15", Ok(true)),
            ("?sslmode=require&channel_binding=require&options=endpoint%3Dcool-1", Ok(false)),
            ("?supa=base-pooler.x", Ok(false)),
            ("?pgbouncer=yes", Err(UrlError::Pgbouncer)),
            ("?pgbouncer=true&connection_limit=1", Err(UrlError::ConnectionLimit)),
            ("?pool_timeout=0", Err(UrlError::PoolTimeout)),
            ("?schema=public", Err(UrlError::Schema)),
        ] {
            let parsed = is_pooled(parameters);
            assert_eq!(parsed, expected, "{parameters}");
            if let (Some((name, _)), Err(error)) = (parameters.trim_start_matches('?').rsplit_once('='), parsed) {
                let name = name.rsplit('&').next().unwrap();
                assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
            }
        }
    }

    #[test]
    fn a_socket_on_this_machine_is_not_encrypted() {
        let url = PostgresUrl::parse("postgres://%2Fvar%2Frun%2Fpostgresql/two?sslmode=require").unwrap();
        assert_eq!(url.encryption, Encryption::Never);
        let url = PostgresUrl::parse("postgres:///two?host=/var/run/postgresql&sslmode=verify-full").unwrap();
        assert_eq!(url.encryption, Encryption::Never);
    }

    #[test]
    fn what_cannot_be_understood_is_said_without_the_password() {
        assert_eq!(PostgresUrl::parse("host=db user=me").unwrap_err(), UrlError::Scheme);
        assert_eq!(
            PostgresUrl::parse("postgres://db/two?sslmode=verify-full&application_name=a@b").unwrap_err(),
            UrlError::Ambiguous
        );
        assert_eq!(PostgresUrl::parse("postgres://me:sec?ret@db/two").unwrap_err(), UrlError::Ambiguous);
        for bad in ["?sslcert=me.pem", "?sslmode=require&connect_timeout=secret", "?nonsense"] {
            let error = PostgresUrl::parse(&format!("postgres://me:secret@db/two{bad}")).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert_eq!(
            PostgresUrl::parse("postgres://db/two?sslcert=me.pem").unwrap_err().to_string(),
            "the address of the database cannot be understood: unknown option `sslcert`"
        );
    }
}
