//! May a key of the ring be the one that signs and seals?
//!
//! Only when every node that runs has loaded it: another one could not read what this one makes. The same holds for rows that
//! are sealed anew with the active key.

use crate::key_use::KeyUse;
use crate::keyring::rotation::RingEntry;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub key_id: &'a str,
    /// The ring in which it is to be the active one.
    pub ring: &'a [RingEntry],
    pub in_use: &'a KeyUse,
}

#[derive(Debug, PartialEq, Eq)]
pub enum KeyActivation {
    Activated,
    /// It is the active one already.
    IsActive,
    NotInRing,
    /// These nodes run and have not loaded it.
    NotLoaded {
        nodes: Vec<String>,
    },
}

#[must_use]
pub fn decide(facts: &Facts<'_>, now: Timestamp) -> KeyActivation {
    let Some(entry) = facts.ring.iter().find(|entry| entry.id == facts.key_id) else {
        return KeyActivation::NotInRing;
    };
    let lacking = facts.in_use.running(now).filter(|node| node.keys.iter().all(|id| id != facts.key_id));
    let nodes: Vec<String> = lacking.map(|node| node.node.clone()).collect();
    match entry.is_active {
        _ if !nodes.is_empty() => KeyActivation::NotLoaded { nodes },
        true => KeyActivation::IsActive,
        false => KeyActivation::Activated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::NOW;
    use crate::key_use::{NodeKeys, RUNS_FOR};
    use crate::keyring::rotation::KeyKind;
    use std::time::Duration;

    fn node(name: &str, keys: &[&str], seen_at: Timestamp) -> NodeKeys {
        let keys = keys.iter().map(|&id| id.to_owned()).collect();
        NodeKeys { node: name.to_owned(), keys, active: vec!["old".to_owned()], seen_at }
    }

    #[test]
    fn every_key_with_every_set_of_nodes() {
        let entry = |id: &str, is_active| RingEntry { id: id.to_owned(), kind: KeyKind::Root, is_active };
        let ring = [entry("old", true), entry("new", false)];
        let ready = || node("ready", &["old", "new"], NOW);
        let behind = |seen_at| node("behind", &["old"], seen_at);
        let (just_seen, gone) = (NOW - RUNS_FOR + Duration::from_millis(1), NOW - RUNS_FOR);
        let not_loaded = || KeyActivation::NotLoaded { nodes: vec!["behind".to_owned()] };
        for (key_id, nodes, expected) in [
            ("new", vec![], KeyActivation::Activated),
            ("new", vec![ready()], KeyActivation::Activated),
            ("new", vec![ready(), behind(NOW)], not_loaded()),
            ("new", vec![ready(), behind(just_seen)], not_loaded()),
            ("new", vec![ready(), behind(gone)], KeyActivation::Activated),
            ("old", vec![ready(), behind(NOW)], KeyActivation::IsActive),
            ("none", vec![ready()], KeyActivation::NotInRing),
        ] {
            let in_use = KeyUse { keys: Vec::new(), nodes };
            let facts = Facts { key_id, ring: &ring, in_use: &in_use };
            assert_eq!(decide(&facts, NOW), expected, "{facts:?}");
        }
        // An active key that a node lacks: nothing may be sealed anew with it.
        let in_use = KeyUse { keys: Vec::new(), nodes: vec![node("behind", &["new"], NOW)] };
        assert_eq!(decide(&Facts { key_id: "old", ring: &ring, in_use: &in_use }, NOW), not_loaded());
    }
}
