//! The database of a test, behind the server's back: to break it, and to see what is in it.

use countersign_test_postgres::{self as postgres, DatabaseKind};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A database that belongs to one test. Clones are the same one.
#[derive(Clone)]
pub(crate) enum Database {
    /// The file of an embedded one.
    Sqlite(PathBuf),
    /// One on a PostgreSQL.
    Postgres(Arc<postgres::Database>),
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    text: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Database {
    /// A new one; an embedded one is made in this directory, by the server.
    pub(crate) fn make(kind: DatabaseKind, data: &Path) -> Self {
        match kind {
            DatabaseKind::Sqlite => Self::Sqlite(data.join("countersign.db")),
            DatabaseKind::Postgres => Self::on_shared_cluster(),
        }
    }

    /// A new one on this cluster.
    pub(crate) fn on(cluster: &postgres::Cluster) -> Self {
        Self::Postgres(Arc::new(cluster.database()))
    }

    /// A new one on the cluster that all tests share.
    pub(crate) fn on_shared_cluster() -> Self {
        Self::on(postgres::Cluster::shared().expect("tests on PostgreSQL run only where there is one"))
    }

    /// Its address, as the settings want it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(database) => database.url(),
        }
    }

    /// The file, of an embedded one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// Runs statements.
    pub(crate) fn execute(&self, statements: &str) {
        match self {
            Self::Sqlite(path) => connect(path).batch_execute(statements).unwrap(),
            Self::Postgres(database) => drop(database.query(statements).unwrap()),
        }
    }

    /// The number that a query returns, in a column named `number`.
    pub(crate) fn number(&self, query: &str) -> i64 {
        match self {
            Self::Sqlite(path) => diesel::sql_query(query).get_result::<Number>(&mut connect(path)).unwrap().number,
            Self::Postgres(database) => database.number(query),
        }
    }

    /// The text that a query returns, in a column named `text`.
    pub(crate) fn text(&self, query: &str) -> String {
        match self {
            Self::Sqlite(path) => diesel::sql_query(query).get_result::<Words>(&mut connect(path)).unwrap().text,
            Self::Postgres(database) => database.query(query).unwrap().remove(0).remove(0).unwrap(),
        }
    }

    fn tables(&self) -> Vec<String> {
        match self {
            Self::Sqlite(path) => {
                let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
                let names: Vec<Name> = diesel::sql_query(tables).get_results(&mut connect(path)).unwrap();
                names.into_iter().map(|Name { name }| name).collect()
            }
            Self::Postgres(database) => {
                let tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
                database.query(tables).unwrap().into_iter().map(|mut row| row.remove(0).unwrap()).collect()
            }
        }
    }

    /// Takes the tables away from under the server: all of them get other names.
    pub(crate) fn break_everything(&self) {
        for name in self.tables() {
            self.execute(&format!("ALTER TABLE \"{name}\" RENAME TO \"broken_{name}\""));
        }
    }

    /// Every byte that is kept: of an embedded database the file and what lies beside it, of another every value of
    /// every row, bytes as they are.
    pub(crate) fn dump(&self) -> Vec<u8> {
        match self {
            Self::Sqlite(path) => ["", "-wal", "-shm", "-journal"]
                .iter()
                .flat_map(|suffix| {
                    let mut name = path.clone().into_os_string();
                    name.push(suffix);
                    std::fs::read(name).unwrap_or_default()
                })
                .collect(),
            Self::Postgres(database) => {
                let rows = |name: String| database.query(&format!("SELECT * FROM \"{name}\"")).unwrap();
                let values = self.tables().into_iter().flat_map(rows).flatten().flatten();
                values.flat_map(|value| [bytes(&value), b"\n".to_vec()].concat()).collect()
            }
        }
    }
}

/// A value as it is kept; PostgreSQL shows bytes as `\x` and hexadecimal digits.
fn bytes(value: &str) -> Vec<u8> {
    let Some(digits) = value.strip_prefix("\\x") else { return value.as_bytes().to_vec() };
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn connect(path: &Path) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    connection.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
    connection
}
