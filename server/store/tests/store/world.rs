//! A database of its own for each test, and a way around the store into it.

use countersign_domain::decisions::redelivery::Redelivery;
use countersign_domain::message::{StoredMessage, TakenUse};
use countersign_domain::time::Timestamp;
use countersign_store::work::{FinishMessage, TakeMessages, WhichMessages};
use countersign_store::{Database, Options, Store};
use countersign_test_postgres::{self as postgres, DatabaseKind};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::path::PathBuf;
use std::time::Duration;

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

    pub(crate) fn server() -> Self {
        let cluster = postgres::Cluster::shared().expect("tests on PostgreSQL run only where there is one");
        Self::Server(cluster.database())
    }

    /// A new, empty database.
    pub(crate) fn new(database: DatabaseKind) -> Self {
        match database {
            DatabaseKind::Sqlite => Self::file(),
            DatabaseKind::Postgres => Self::server(),
        }
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

    pub(crate) async fn start(database: DatabaseKind) -> Self {
        Self::of(Behind::new(database)).await
    }

    pub(crate) fn count(&self, from: &str) -> i64 {
        self.behind.count(from)
    }

    /// Delivers the messages that are due.
    pub(crate) async fn delivered(&self, now: Timestamp) {
        for message in self.taken("a node", now).await {
            assert!(self.finished("a node", &message, Redelivery::Delivered, Vec::new(), now).await);
        }
    }

    /// What a process takes, for 20 seconds.
    pub(crate) async fn taken(&self, owner: &str, now: Timestamp) -> Vec<StoredMessage> {
        let which = WhichMessages::Due { limit: 100 };
        let (owner, lease_ends_at) = (owner.to_owned(), now + LEASE);
        self.store.take_messages(TakeMessages { which, owner, now, lease_ends_at }).await.unwrap()
    }

    /// Ends an attempt of a process; says whether the message was its own.
    pub(crate) async fn finished(
        &self,
        owner: &str,
        message: &StoredMessage,
        decision: Redelivery,
        taken: Vec<TakenUse>,
        now: Timestamp,
    ) -> bool {
        let (id, account_id, owner) = (message.id, message.account_id, owner.to_owned());
        self.store.finish_message(FinishMessage { id, account_id, owner, decision, taken, now }).await.unwrap()
    }
}

pub(crate) const LEASE: Duration = Duration::from_secs(20);
