//! Notes which keys this node has loaded, so that a key is neither activated before every node has it nor retired while a node
//! signs with it.

use crate::clock::Clock;
use countersign_domain::error_chain;
use countersign_domain::key_use::NOTED_EVERY;
use countersign_domain::keyring::Keyring;
use countersign_flows::key_rotation;
use countersign_store::Store;
use slog::{Logger, warn};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long a stop waits for the database.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// What a note is made of: the node, its keys, and the store that keeps it.
#[derive(Clone)]
pub struct Notes {
    pub store: Arc<Store>,
    pub keyring: Arc<Keyring>,
    /// See [`node_name`].
    pub node: String,
    /// Whether this node signs access tokens by RS256.
    pub signs_rs256: bool,
    pub clock: Arc<dyn Clock>,
    pub log: Logger,
}

impl Notes {
    /// `has_started` means that this node has just loaded its keyring. A failure is logged: the next note makes up for it.
    pub async fn note(&self, has_started: bool) {
        let Self { store, keyring, node, .. } = self;
        let noted = key_rotation::note(store, keyring, node, self.signs_rs256, has_started, self.clock.now()).await;
        if let Err(error) = noted {
            warn!(self.log, "failed to note which keys this node has loaded"; "cause" => error_chain(&error));
        }
    }
}

/// Stops when dropped.
pub struct KeyWatch {
    notes: Notes,
    task: JoinHandle<()>,
}

impl KeyWatch {
    /// Makes the first note, and then one in each interval.
    pub async fn start(notes: Notes) -> Self {
        notes.note(true).await;
        let repeated = notes.clone();
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(NOTED_EVERY).await;
                repeated.note(false).await;
            }
        });
        Self { notes, task }
    }

    /// Notes that the keyring was loaded again.
    pub async fn keyring_was_loaded(&self) {
        self.notes.note(true).await;
    }

    /// The node stops, and needs no key any more.
    pub async fn stop(self) {
        self.task.abort();
        let forget = self.notes.store.forget_node(self.notes.node.clone());
        let cause = match tokio::time::timeout(STOP_TIMEOUT, forget).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => error_chain(&error),
            Err(_) => "the database took too long".to_owned(),
        };
        warn!(self.notes.log, "failed to note that this node stops"; "cause" => cause);
    }
}

impl Drop for KeyWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Name of a node: host and port, the same after a restart.
#[must_use]
pub fn node_name(address: SocketAddr) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{host}:{}", address.port())
}
