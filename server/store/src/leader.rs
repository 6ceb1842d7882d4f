//! Which server takes writes, and whether it still does.
//!
//! A node looks twice a second, on a connection of its own. If another server has taken the place of the one it knew, or that
//! one was started anew, all connections made before are closed, also those that wait for a response: a server that is frozen or cut
//! off would keep them until the deadline.

use crate::connector::Connector;
use crate::postgres_conn::PgConn;
use crate::standing::Standing;
use diesel_async::pooled_connection::deadpool::Pool;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_postgres::Client;

const INTERVAL: Duration = Duration::from_millis(500);
/// Longest wait for a response on the connection that is there. With the other two short enough that a loss is noticed within two seconds.
const TIMEOUT: Duration = Duration::from_millis(1_000);
/// How long a server is looked for before there is none. It is looked for on: on a busy machine it takes longer.
const FINDING: Duration = Duration::from_millis(400);

/// What is known of the server that takes writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    /// Another one for each server, and for each start of a server.
    epoch: u64,
    is_there: bool,
}

/// The server that takes writes, as this node knows it.
pub(crate) struct Leader {
    seen: watch::Receiver<Seen>,
    /// Ends when this is dropped.
    _watching: JoinSet<()>,
}

impl Leader {
    pub(crate) fn watch(connector: Arc<RwLock<Arc<Connector>>>, pool: Pool<PgConn>) -> Self {
        // The database was reached just now, when the store was opened.
        let (sender, seen) = watch::channel(Seen { epoch: 0, is_there: true });
        let mut watching = JoinSet::new();
        watching.spawn(Watch { connector, pool, sender, client: None, started: None, has_looked: false }.run());
        Self { seen, _watching: watching }
    }

    /// Whether it was there when the node last looked.
    pub(crate) fn is_there(&self) -> bool {
        self.seen.borrow().is_there
    }

    pub(crate) fn following(&self) -> Following {
        Following { epoch: self.seen.borrow().epoch, seen: self.seen.clone() }
    }
}

/// The server of one connection.
pub(crate) struct Following {
    epoch: u64,
    seen: watch::Receiver<Seen>,
}

impl Following {
    /// Whether the server is another one by now.
    pub(crate) fn is_replaced(&self) -> bool {
        self.seen.borrow().epoch != self.epoch
    }

    /// Returns when the server is another one.
    pub(crate) async fn replaced(&self) {
        let mut seen = self.seen.clone();
        if seen.wait_for(|seen| seen.epoch != self.epoch).await.is_err() {
            // The store is being closed.
            std::future::pending().await
        }
    }
}

struct Watch {
    connector: Arc<RwLock<Arc<Connector>>>,
    pool: Pool<PgConn>,
    sender: watch::Sender<Seen>,
    client: Option<Client>,
    /// When the server was started that is followed.
    started: Option<String>,
    has_looked: bool,
}

impl Watch {
    async fn run(mut self) {
        loop {
            let standing = match self.ask_known().await {
                Some(standing) => Some(standing),
                None => self.find().await,
            };
            self.note(standing.as_ref());
            tokio::time::sleep(INTERVAL).await;
        }
    }

    fn connector(&self) -> Arc<Connector> {
        Arc::clone(&self.connector.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the known server says, if it responds and takes writes. Otherwise its connection is closed.
    async fn ask_known(&mut self) -> Option<Standing> {
        let client = self.client.take()?;
        let connector = self.connector();
        let asked = tokio::time::timeout(TIMEOUT, Standing::of(&client, connector.has_replicas())).await;
        let leading = asked.ok().and_then(Result::ok).filter(|standing| standing.takes_writes);
        if leading.is_none() {
            connector.ask_all();
            return None;
        }
        self.client = Some(client);
        leading
    }

    /// Connects to the server that takes writes.
    async fn find(&mut self) -> Option<Standing> {
        let connector = self.connector();
        let finding = async {
            let client = connector.client().await.ok()?;
            let standing = Standing::of(&client, connector.has_replicas()).await.ok()?;
            Some((client, standing))
        };
        let mut finding = pin!(tokio::time::timeout(connector.timeout(), finding));
        let found = match tokio::time::timeout(FINDING, &mut finding).await {
            Ok(found) => found,
            Err(_) => {
                self.note(None);
                finding.await
            }
        };
        let (client, standing) = found.ok().flatten()?;
        self.client = Some(client);
        Some(standing)
    }

    fn note(&mut self, standing: Option<&Standing>) {
        let leading = standing.filter(|standing| standing.takes_writes);
        let is_another = self.has_looked && leading.is_some_and(|leading| leading.started != self.started);
        self.has_looked = true;
        if let Some(leading) = leading {
            self.started.clone_from(&leading.started);
        }
        self.sender.send_if_modified(|seen| {
            let now = Seen { epoch: seen.epoch + u64::from(is_another), is_there: leading.is_some() };
            std::mem::replace(seen, now) != now
        });
        if is_another {
            self.pool.retain(|_, _| false);
        }
    }
}
