//! Which keys the nodes of a deployment have loaded, and what is known of each key.

use crate::time::Timestamp;
use std::time::Duration;

/// How often a node notes which keys it has loaded: each 20 seconds, a row in the database each time.
pub const NOTED_EVERY: Duration = Duration::from_secs(20);

/// How long after its last note a node counts as running: 60 seconds, so that two notes may be late. A node signs with a key no
/// longer than this after it noted that the key is the active one; the time bears clocks that differ by some seconds, too.
pub const RUNS_FOR: Duration = Duration::from_secs(60);

/// The keys that a node has loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeKeys {
    /// Host and port; the same after a restart.
    pub node: String,
    /// Ids of all keys.
    pub keys: Vec<String>,
    /// Those of them that it signs and seals with.
    pub active: Vec<String>,
    pub seen_at: Timestamp,
}

impl NodeKeys {
    /// Whether the node runs, as far as is known: one that was killed counts for a while.
    #[must_use]
    pub fn runs(&self, now: Timestamp) -> bool {
        now < self.seen_at + RUNS_FOR
    }
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    pub key_id: String,
    /// When a node loaded it first.
    pub seen_at: Timestamp,
    /// When it was the active key of a node last; `None` if it never was.
    pub active_until: Option<Timestamp>,
    /// Since when no row is sealed with it any more; `None` if rows were found or no reseal has checked.
    pub resealed_at: Option<Timestamp>,
}

/// What the database knows of keys.
#[derive(Clone, Debug, Default)]
pub struct KeyUse {
    pub keys: Vec<KeyRecord>,
    /// Nodes that run, and those that were killed and have not started again.
    pub nodes: Vec<NodeKeys>,
}

impl KeyUse {
    #[must_use]
    pub fn record(&self, key_id: &str) -> Option<&KeyRecord> {
        self.keys.iter().find(|record| record.key_id == key_id)
    }

    /// The nodes that run.
    pub fn running(&self, now: Timestamp) -> impl Iterator<Item = &NodeKeys> {
        self.nodes.iter().filter(move |node| node.runs(now))
    }
}
