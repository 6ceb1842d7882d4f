//! A database of its own for each test, and a way around the store into it.

use countersign_store::{Database, Options, Store};
use countersign_test_postgres as postgres;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::path::PathBuf;
use std::time::Duration;

/// Defines tests that run on both databases.
macro_rules! on_both {
    ($($(#[$doc:meta])* async fn $name:ident($world:ident: &World) $body:block)*) => { $(
        mod $name {
            use super::*;

            $(#[$doc])*
            async fn test($world: &World) $body

            #[tokio::test]
            async fn on_sqlite() {
                test(&World::sqlite().await).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                if let Some(world) = World::postgres().await {
                    test(&world).await;
                }
            }
        }
    )* };
}
pub(crate) use on_both;

/// A store, and its database.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) options: Options,
    pub(crate) behind: Behind,
}

/// The database, behind the store's back.
pub(crate) enum Behind {
    File { path: PathBuf, _folder: tempfile::TempDir },
    Server(postgres::Database),
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Behind {
    pub(crate) fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::File { path: folder.path().join("test.db"), _folder: folder }
    }

    pub(crate) fn server() -> Option<Self> {
        postgres::Cluster::shared().map(|cluster| Self::Server(cluster.database()))
    }

    /// Both, where both are to be had.
    pub(crate) fn each() -> impl Iterator<Item = Self> {
        [Some(Self::file()), Self::server()].into_iter().flatten()
    }

    /// Options with short waits.
    pub(crate) fn options(&self) -> Options {
        let database = match self {
            Self::File { path, .. } => Database::Sqlite(path.clone()),
            Self::Server(database) => Database::Postgres(database.url()),
        };
        Options { timeout: Duration::from_secs(5), deadline: Duration::from_secs(20), ..Options::new(database) }
    }

    pub(crate) fn connect(&self) -> SqliteConnection {
        let Self::File { path, .. } = self else { panic!("this is no file") };
        let mut connection = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
        diesel::sql_query("PRAGMA busy_timeout = 5000").execute(&mut connection).unwrap();
        connection
    }

    pub(crate) fn execute(&self, sql: &str) {
        match self {
            Self::File { .. } => drop(diesel::sql_query(sql).execute(&mut self.connect()).unwrap()),
            Self::Server(database) => drop(database.query(sql).unwrap()),
        }
    }

    /// How many rows of a table there are, with a condition.
    pub(crate) fn count(&self, from: &str) -> i64 {
        let sql = format!("SELECT count(*) AS number FROM {from}");
        match self {
            Self::File { .. } => diesel::sql_query(sql).get_result::<Number>(&mut self.connect()).unwrap().number,
            Self::Server(database) => database.number(&sql),
        }
    }
}

impl World {
    pub(crate) async fn of(behind: Behind) -> Self {
        let options = behind.options();
        let store = Store::open(&options).await.unwrap();
        Self { store, options, behind }
    }

    pub(crate) async fn sqlite() -> Self {
        Self::of(Behind::file()).await
    }

    pub(crate) async fn postgres() -> Option<Self> {
        Some(Self::of(Behind::server()?).await)
    }

    pub(crate) fn count(&self, from: &str) -> i64 {
        self.behind.count(from)
    }
}
