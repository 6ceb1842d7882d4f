//! Databases on a server, and what tests ask of them behind the back of the code under test.

use crate::pooler::Pooler;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// What a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// A file of its own.
    Sqlite,
    /// A database of its own on the shared cluster.
    Postgres,
}

/// Where a server is.
#[derive(Clone)]
pub(crate) struct Address {
    /// Scheme, credentials, hosts.
    before: String,
    /// The database that others are made from.
    name: String,
    /// Parameters, with their question mark.
    after: String,
}

impl Address {
    pub(crate) fn parse(url: &str) -> Self {
        let scheme = url.find("://").expect("COUNTERSIGN_TEST_POSTGRES is postgres://user:password@host/database") + 3;
        let (path, after) = url.split_at(url.find('?').unwrap_or(url.len()));
        let slash = path[scheme..].find('/').map_or(path.len(), |slash| scheme + slash);
        let name = path[slash..].trim_start_matches('/');
        let name = if name.is_empty() { "postgres" } else { name };
        Self { before: path[..slash].to_owned(), name: name.to_owned(), after: after.to_owned() }
    }

    fn url(&self, name: &str) -> String {
        format!("{}/{name}{}", self.before, self.after)
    }

    /// The address as it was parsed.
    pub(crate) fn own_url(&self) -> String {
        self.url(&self.name)
    }

    pub(crate) fn is_reachable(&self) -> bool {
        query(&self.own_url(), "SELECT 1").is_ok()
    }
}

/// A database that lives as long as this value.
pub struct Database {
    address: Address,
    name: String,
    /// What is in front of it for the code under test.
    pooler: Option<Pooler>,
}

impl Database {
    pub(crate) fn make(address: &Address) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("countersign_test_{}_{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        query(&address.own_url(), &format!("CREATE DATABASE {name} TEMPLATE template0")).expect("a database");
        Self { address: address.clone(), name, pooler: None }
    }

    /// The one of the same name on another server, which has it already.
    pub(crate) fn on_other(&self, address: &Address) -> Self {
        Self { address: address.clone(), name: self.name.clone(), pooler: None }
    }

    /// The same behind PgBouncer in the mode that `COUNTERSIGN_TEST_POOLER` names, if it is set.
    pub(crate) fn pooled(mut self) -> Self {
        if let Ok(mode) = std::env::var("COUNTERSIGN_TEST_POOLER") {
            self.pooler = Some(Pooler::start(&self, &mode, &[]));
        }
        self
    }

    /// Its address for the code under test: `postgres://…`.
    #[must_use]
    pub fn url(&self) -> String {
        self.pooler.as_ref().map_or_else(|| self.direct_url(), |pooler| pooler.url().to_owned())
    }

    /// Whether a pooler is in front of it.
    #[must_use]
    pub fn is_pooled(&self) -> bool {
        self.pooler.is_some()
    }

    /// Its address on the server itself.
    #[must_use]
    pub fn direct_url(&self) -> String {
        self.address.url(&self.name)
    }

    /// Runs a statement, or several, in a session of its own; gives the rows of all of them as text.
    ///
    /// # Errors
    /// When the server refuses or cannot be reached.
    pub fn query(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, tokio_postgres::Error> {
        query(&self.direct_url(), sql)
    }

    /// The one number that a query gives.
    ///
    /// # Panics
    /// When it gives something else.
    #[must_use]
    pub fn number(&self, sql: &str) -> i64 {
        let rows = self.query(sql).expect("the query is answered");
        let value = rows.first().and_then(|row| row.first()).cloned().flatten().expect("one value");
        value.parse().expect("a number")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server that was stopped takes its databases with it.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = query(&self.address.own_url(), &drop);
    }
}

/// Asks and waits, on a thread of its own: callers may be async or not.
pub(crate) fn query(url: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>, tokio_postgres::Error> {
    let ask = async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(sql).await;
        drop(client);
        let _ = connection.await;
        let row = |message: SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect()),
            _ => None,
        };
        Ok(messages?.into_iter().filter_map(row).collect())
    };
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    std::thread::scope(|scope| scope.spawn(|| runtime().block_on(ask)).join().expect("the thread does not panic"))
}
