//! Where a run's database is: made for the run, and removed after it.

use crate::child;
use crate::cluster::Cluster;
use crate::database::{Database, connect, open_sqlite};
use crate::process;
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Connections of the benchmark's own beside those that it measures with, the server's among them.
const SPARE_CONNECTIONS: u32 = 100;

/// Which database a run is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// The embedded one.
    Sqlite,
    /// The server.
    Postgres,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// Where databases are made.
pub(crate) enum Place {
    /// In the run's directory.
    Sqlite,
    /// On a server that was there before.
    Server(String),
    /// On a server that was started for this.
    Cluster(Cluster),
}

impl Place {
    /// Starts a server for this.
    pub(crate) async fn start_cluster(connections: u32) -> Result<Self> {
        Cluster::start(connections + SPARE_CONNECTIONS).await.map(Self::Cluster)
    }

    /// Which database that is.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Sqlite => Kind::Sqlite,
            Self::Server(_) | Self::Cluster(_) => Kind::Postgres,
        }
    }

    /// CPU time that the database has used in processes of its own, where that can be known.
    pub(crate) fn cpu(&self) -> Result<Option<Duration>> {
        match self {
            Self::Sqlite | Self::Server(_) => Ok(None),
            Self::Cluster(cluster) => process::tree_cpu(cluster.pid()).map(Some),
        }
    }

    /// The address of a database that is not there yet, for a run in `directory`.
    pub(crate) async fn create(&self, directory: &Path) -> Result<Address> {
        let url = match self {
            Self::Sqlite => return Ok(Address::Sqlite(child::data_dir(directory).join("countersign.db"))),
            Self::Server(url) => url.clone(),
            Self::Cluster(cluster) => cluster.url(),
        };
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign_bench_{}_{number}", std::process::id());
        let client = connect(&url).await?;
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).await.context("failed to drop a database")?;
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.context("failed to make a database")?;
        Ok(Address::Server { url: with_database(&url, &name), server: url, name })
    }
}

/// Where a run's database is.
pub(crate) enum Address {
    /// The file.
    Sqlite(PathBuf),
    /// A database on a server.
    Server {
        /// Its own address.
        url: String,
        /// The server's.
        server: String,
        /// Its name there.
        name: String,
    },
}

impl Address {
    /// As the server's setting takes it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Server { url, .. } => url.clone(),
        }
    }

    /// Opens it; the server has made its tables.
    pub(crate) async fn open(&self) -> Result<Database> {
        match self {
            Self::Sqlite(path) => open_sqlite(path).map(Database::Sqlite),
            Self::Server { url, .. } => connect(url).await.map(Database::Postgres),
        }
    }

    /// Removes it. A SQLite file goes with its directory.
    pub(crate) async fn drop_database(&self) -> Result<()> {
        if let Self::Server { server, name, .. } = self {
            let client = connect(server).await?;
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            client.batch_execute(&drop).await.context("failed to drop the run's database")?;
        }
        Ok(())
    }
}

/// The same server's address, with another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, parameters) = url.split_once('?').map_or((url, None), |(address, rest)| (address, Some(rest)));
    let authority = address.find("://").map_or(0, |scheme| scheme + 3);
    let end = address[authority..].find('/').map_or(address.len(), |slash| authority + slash);
    let parameters = parameters.map(|text| format!("?{text}")).unwrap_or_default();
    format!("{}/{name}{parameters}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_of_the_same_server_is_named() {
        assert_eq!(
            with_database("postgres://u:p@h:1/old?sslmode=disable", "new"),
            "postgres://u:p@h:1/new?sslmode=disable"
        );
        assert_eq!(with_database("postgres://h", "new"), "postgres://h/new");
        assert_eq!(with_database("postgres://h/", "new"), "postgres://h/new");
    }
}
