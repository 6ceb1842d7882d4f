//! Keys of the keyring: how old they are, which of them this node signs and seals with, and whether other nodes do so with others.

use super::signed;
use countersign_domain::key_use::KeyUse;
use countersign_domain::keyring::rotation::{KeyKind, RingEntry};
use countersign_domain::time::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// The keys of a node, and what the database knows of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    keys: Vec<Key>,
    /// Nodes that run with other active keys than this one.
    nodes_with_others: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    labels: Labels,
    is_active: bool,
    /// Since a node has loaded it first; `None` if no node has noted that yet.
    age: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    key: String,
    kind: &'static str,
}

impl Keys {
    /// As `in_use` has it at this time.
    #[must_use]
    pub fn of(ring: &[RingEntry], in_use: &KeyUse, now: Timestamp) -> Self {
        let key = |entry: &RingEntry| Key {
            labels: Labels {
                key: entry.id.clone(),
                kind: match entry.kind {
                    KeyKind::Root => "root",
                    KeyKind::Rsa => "rsa",
                },
            },
            is_active: entry.is_active,
            age: in_use.record(&entry.id).map(|record| record.seen_at.until(now)),
        };
        let mut ours: Vec<&str> = ring.iter().filter(|entry| entry.is_active).map(|entry| entry.id.as_str()).collect();
        ours.sort_unstable();
        let differs = |active: &[String]| {
            let mut theirs: Vec<&str> = active.iter().map(String::as_str).collect();
            theirs.sort_unstable();
            theirs != ours
        };
        let nodes_with_others = in_use.running(now).filter(|node| differs(&node.active)).count();
        Self { keys: ring.iter().map(key).collect(), nodes_with_others }
    }
}

#[derive(Debug, Default)]
pub(super) struct KeyGauges {
    ages: Family<Labels, Gauge>,
    active: Family<Labels, Gauge>,
    nodes_with_others: Gauge,
}

impl KeyGauges {
    pub(super) fn register(&self, ours: &mut Registry) {
        ours.register_with_unit(
            "key_age",
            "Time since a node has first loaded a key of this node's keyring",
            Unit::Seconds,
            self.ages.clone(),
        );
        let help = "Whether this node signs and seals with a key of its keyring";
        ours.register("key_active", help, self.active.clone());
        let help = "Nodes that run with other active keys than this one";
        ours.register("nodes_with_other_active_keys", help, self.nodes_with_others.clone());
    }

    pub(super) fn set(&self, keys: &Keys) {
        // A key that has left the keyring leaves no series behind.
        self.ages.clear();
        self.active.clear();
        for key in &keys.keys {
            self.active.get_or_create(&key.labels).set(key.is_active.into());
            if let Some(age) = key.age {
                self.ages.get_or_create(&key.labels).set(i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
            }
        }
        self.nodes_with_others.set(signed(keys.nodes_with_others));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::key_use::{KeyRecord, NodeKeys, RUNS_FOR};

    #[test]
    fn nodes_that_run_with_other_active_keys_are_counted() {
        let now = Timestamp::from_millis(1_772_366_400_000);
        let entry = |id: &str, kind, is_active| RingEntry { id: id.to_owned(), kind, is_active };
        let ring = [
            entry("aaaaaaaa", KeyKind::Root, true),
            entry("bbbbbbbb", KeyKind::Root, false),
            entry("cccccccc", KeyKind::Rsa, true),
        ];
        let node = |active: &[&str], seen_at| NodeKeys {
            node: "node".to_owned(),
            keys: Vec::new(),
            active: active.iter().map(|&id| id.to_owned()).collect(),
            seen_at,
        };
        let record = |id: &str| KeyRecord {
            key_id: id.to_owned(),
            seen_at: Timestamp::from_millis(1_772_366_340_000),
            active_until: None,
            resealed_at: None,
        };
        for (nodes, expected) in [
            (vec![], 0),
            (vec![node(&["cccccccc", "aaaaaaaa"], now)], 0),
            (vec![node(&["aaaaaaaa", "cccccccc"], now), node(&["bbbbbbbb", "cccccccc"], now)], 1),
            (vec![node(&["aaaaaaaa"], now)], 1),
            // It was killed.
            (vec![node(&["bbbbbbbb"], Timestamp::from_millis(0))], 0),
        ] {
            let in_use = KeyUse { keys: vec![record("aaaaaaaa")], nodes };
            let keys = Keys::of(&ring, &in_use, now);
            assert_eq!(keys.nodes_with_others, expected, "{in_use:?}");
            let ages: Vec<_> = keys.keys.iter().map(|key| (key.age, key.is_active)).collect();
            assert_eq!(ages, [(Some(RUNS_FOR), true), (None, false), (None, true)]);
        }
    }
}
