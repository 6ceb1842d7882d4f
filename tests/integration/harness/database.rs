//! The database, behind the server's back: to break it, and to see what is in it.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::path::{Path, PathBuf};

/// A way into the file of an embedded database.
pub(crate) struct Database {
    path: PathBuf,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Database {
    pub(super) fn open(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    fn connect(&self) -> SqliteConnection {
        let mut connection = SqliteConnection::establish(&self.path.to_string_lossy()).unwrap();
        connection.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
        connection
    }

    /// Runs statements.
    pub(crate) fn execute(&self, statements: &str) {
        self.connect().batch_execute(statements).unwrap();
    }

    /// The number that a query answers with, in a column of that name.
    pub(crate) fn number(&self, query: &str) -> i64 {
        diesel::sql_query(query).get_result::<Number>(&mut self.connect()).unwrap().number
    }

    /// Takes the tables away from under the server: all of them get other names.
    pub(crate) fn break_everything(&self) {
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
        let tables: Vec<Name> = diesel::sql_query(tables).get_results(&mut self.connect()).unwrap();
        for Name { name } in tables {
            self.execute(&format!("ALTER TABLE \"{name}\" RENAME TO \"broken_{name}\""));
        }
    }

    /// Every byte that is kept: the file, and what lies beside it.
    pub(crate) fn dump(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut name = self.path.clone().into_os_string();
            name.push(suffix);
            bytes.extend(std::fs::read(name).unwrap_or_default());
        }
        bytes
    }
}
