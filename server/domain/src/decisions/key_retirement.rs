//! May a key leave the ring?
//!
//! Not while a row is sealed with it, and not while clients hold something that is signed with it: neither can be made anew
//! without the client. An operator may end the latter, where a key was stolen. Tags of backup codes stop nothing: they are taken
//! away, and such a code is then compared with each of its account's.

use crate::key_use::{KeyUse, RUNS_FOR};
use crate::keyring::rotation::{KeyKind, RingEntry};
use crate::time::Timestamp;
use std::time::Duration;

/// How long a code of an app that was removed may be presented again: 2 minutes, more than the three intervals of 30 seconds in
/// which it is right. Until then the app is known by the fingerprint that it had.
const CODES_ARE_RIGHT_FOR: Duration = Duration::from_secs(2 * 60);

/// What clients hold that is signed with a key, or that is stored as a keyed digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    AccessTokens,
    Sessions,
    Challenges,
    OneTimeCodes,
    TrustedDevices,
    Tickets,
    /// Codes of apps that were removed.
    SpentCodes,
}

impl Signed {
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::AccessTokens => "access tokens",
            Self::Sessions => "sessions",
            Self::Challenges => "sign-ins that wait for a second factor",
            Self::OneTimeCodes => "one-time codes",
            Self::TrustedDevices => "trusted devices",
            Self::Tickets => "mailed links and tickets",
            Self::SpentCodes => "codes of apps that were removed",
        }
    }
}

/// Rows that were made while the key may have signed, and are alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alive {
    pub what: Signed,
    pub rows: u64,
    /// When the last of them ends.
    pub until: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub key_id: &'a str,
    pub ring: &'a [RingEntry],
    pub in_use: &'a KeyUse,
    /// Rows that are sealed with it.
    pub sealed_rows: u64,
    /// What was made until [`signed_until`].
    pub alive: &'a [Alive],
    /// How long an access token lives, or a refresh token is repeated, whichever is longer.
    pub longest_token: Duration,
    /// Whether access tokens of RS256 are made or accepted, as the operator's configuration has it. Nodes may run with another one: an
    /// RSA key that they sign with, or whose tokens live, is needed all the same.
    pub rs256_is_in_use: bool,
}

/// Why a key is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// These nodes sign and seal with it.
    ActiveOn {
        nodes: Vec<String>,
    },
    SealedRows {
        rows: u64,
    },
    /// No reseal has checked whether rows are sealed with it.
    NotResealed,
    /// Clients hold this until then.
    Signed(Alive),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRetirement {
    Retired,
    NotInRing,
    /// It is the active one; of RSA keys, the one that RS256 signs with.
    IsActive,
    Needed(Vec<Need>),
}

/// Until when the key may have signed; `None` if it never was the active one.
#[must_use]
pub fn signed_until(key_id: &str, in_use: &KeyUse) -> Option<Timestamp> {
    Some(in_use.record(key_id)?.active_until? + RUNS_FOR)
}

/// `ends_what_is_signed` means that the operator wants what clients hold to end.
#[must_use]
pub fn decide(facts: &Facts<'_>, ends_what_is_signed: bool, now: Timestamp) -> KeyRetirement {
    let Some(entry) = facts.ring.iter().find(|entry| entry.id == facts.key_id) else {
        return KeyRetirement::NotInRing;
    };
    if entry.is_active && (entry.kind == KeyKind::Root || facts.rs256_is_in_use) {
        return KeyRetirement::IsActive;
    }
    let mut needs = Vec::new();
    let active_on = facts.in_use.running(now).filter(|node| node.active.iter().any(|id| id == facts.key_id));
    let nodes: Vec<String> = active_on.map(|node| node.node.clone()).collect();
    if !nodes.is_empty() {
        needs.push(Need::ActiveOn { nodes });
    }
    if facts.sealed_rows > 0 {
        needs.push(Need::SealedRows { rows: facts.sealed_rows });
    }
    if let Some(signed_until) = signed_until(facts.key_id, facts.in_use) {
        let mut signed = Vec::new();
        let lives = |what, until| Alive { what, rows: 0, until };
        signed.push(lives(Signed::AccessTokens, signed_until + facts.longest_token));
        if entry.kind == KeyKind::Root {
            match facts.in_use.record(facts.key_id).and_then(|record| record.resealed_at) {
                Some(resealed_at) => signed.push(lives(Signed::SpentCodes, resealed_at + CODES_ARE_RIGHT_FOR)),
                None if facts.sealed_rows == 0 => needs.push(Need::NotResealed),
                None => {}
            }
            signed.extend(facts.alive);
        }
        let signed = signed.into_iter().filter(|alive| !ends_what_is_signed && alive.until > now);
        needs.extend(signed.map(Need::Signed));
    }
    if needs.is_empty() { KeyRetirement::Retired } else { KeyRetirement::Needed(needs) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::NOW;
    use crate::key_use::{KeyRecord, NodeKeys};

    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn entry(id: &str, kind: KeyKind, is_active: bool) -> RingEntry {
        RingEntry { id: id.to_owned(), kind, is_active }
    }

    fn record(key_id: &str, active_until: Option<Timestamp>, resealed_at: Option<Timestamp>) -> KeyRecord {
        KeyRecord { key_id: key_id.to_owned(), seen_at: NOW - 100 * HOUR, active_until, resealed_at }
    }

    #[test]
    fn an_rsa_key_is_needed_while_somebody_signs_by_rs256_or_tokens_of_it_live() {
        let ring = [entry("root", KeyKind::Root, true), entry("rsa", KeyKind::Rsa, true)];
        let decided = |key_id, rs256_is_in_use, signs_on: &[&str], signed: Option<Timestamp>| {
            let keys = vec!["root".to_owned(), "rsa".to_owned()];
            let node = |name: &&str| NodeKeys {
                node: (*name).to_owned(),
                keys: keys.clone(),
                active: keys.clone(),
                seen_at: NOW,
            };
            let in_use = KeyUse { keys: vec![record("rsa", signed, None)], nodes: signs_on.iter().map(node).collect() };
            let facts = Facts {
                key_id,
                ring: &ring,
                in_use: &in_use,
                sealed_rows: 0,
                alive: &[],
                longest_token: HOUR,
                rs256_is_in_use,
            };
            decide(&facts, false, NOW)
        };
        let tokens = |until| Need::Signed(Alive { what: Signed::AccessTokens, rows: 0, until });
        let ended = NOW - HOUR - RUNS_FOR;
        assert_eq!(decided("root", false, &[], None), KeyRetirement::IsActive);
        assert_eq!(decided("rsa", true, &[], None), KeyRetirement::IsActive);
        // The configuration says that RS256 is over: it counts what nodes do and have done.
        assert_eq!(decided("rsa", false, &[], None), KeyRetirement::Retired);
        assert_eq!(decided("rsa", false, &[], Some(ended)), KeyRetirement::Retired);
        let later = ended + Duration::from_secs(1);
        let until = later + RUNS_FOR + HOUR;
        assert_eq!(decided("rsa", false, &[], Some(later)), KeyRetirement::Needed(vec![tokens(until)]));
        let on_one = Need::ActiveOn { nodes: vec!["one".to_owned()] };
        assert_eq!(
            decided("rsa", false, &["one"], Some(NOW)),
            KeyRetirement::Needed(vec![on_one, tokens(NOW + RUNS_FOR + HOUR)])
        );
    }

    #[test]
    fn a_key_leaves_the_ring_when_nothing_needs_it() {
        let ring = [
            entry("new", KeyKind::Root, true),
            entry("old", KeyKind::Root, false),
            entry("pending", KeyKind::Root, false),
            entry("rsa", KeyKind::Rsa, true),
            entry("rsaold", KeyKind::Rsa, false),
        ];
        let long_ago = Some(NOW - 2 * HOUR);
        let done = || record("old", long_ago, long_ago);
        let sealing = NodeKeys { node: "one".to_owned(), keys: vec![], active: vec!["old".to_owned()], seen_at: NOW };
        let gone = NodeKeys { seen_at: NOW - RUNS_FOR, ..sealing.clone() };
        let session = Alive { what: Signed::Sessions, rows: 3, until: NOW + HOUR };
        let ended = Alive { until: NOW, ..session };
        let signed = |what, until| Need::Signed(Alive { what, rows: 0, until });
        let needed = KeyRetirement::Needed;
        let lately = Some(NOW - Duration::from_secs(30));
        for (key_id, records, nodes, sealed_rows, alive, expected, when_it_ends_them) in [
            ("old", vec![done()], vec![], 0, vec![], KeyRetirement::Retired, KeyRetirement::Retired),
            ("old", vec![done()], vec![gone], 0, vec![ended], KeyRetirement::Retired, KeyRetirement::Retired),
            (
                "pending",
                vec![record("pending", None, None)],
                vec![],
                0,
                vec![session],
                KeyRetirement::Retired,
                KeyRetirement::Retired,
            ),
            ("pending", vec![], vec![], 0, vec![], KeyRetirement::Retired, KeyRetirement::Retired),
            (
                "rsaold",
                vec![record("rsaold", long_ago, None)],
                vec![],
                0,
                vec![session],
                KeyRetirement::Retired,
                KeyRetirement::Retired,
            ),
            ("none", vec![], vec![], 0, vec![], KeyRetirement::NotInRing, KeyRetirement::NotInRing),
            ("new", vec![], vec![], 0, vec![], KeyRetirement::IsActive, KeyRetirement::IsActive),
            ("rsa", vec![], vec![], 0, vec![], KeyRetirement::IsActive, KeyRetirement::IsActive),
            (
                "old",
                vec![done()],
                vec![sealing],
                0,
                vec![],
                needed(vec![Need::ActiveOn { nodes: vec!["one".to_owned()] }]),
                needed(vec![Need::ActiveOn { nodes: vec!["one".to_owned()] }]),
            ),
            (
                "old",
                vec![record("old", long_ago, None)],
                vec![],
                7,
                vec![],
                needed(vec![Need::SealedRows { rows: 7 }]),
                needed(vec![Need::SealedRows { rows: 7 }]),
            ),
            (
                "old",
                vec![record("old", long_ago, None)],
                vec![],
                0,
                vec![],
                needed(vec![Need::NotResealed]),
                needed(vec![Need::NotResealed]),
            ),
            (
                "old",
                vec![done()],
                vec![],
                0,
                vec![session],
                needed(vec![Need::Signed(session)]),
                KeyRetirement::Retired,
            ),
            (
                "old",
                vec![record("old", lately, lately)],
                vec![],
                0,
                vec![],
                needed(vec![
                    signed(Signed::AccessTokens, NOW - Duration::from_secs(30) + RUNS_FOR + HOUR),
                    signed(Signed::SpentCodes, NOW - Duration::from_secs(30) + CODES_ARE_RIGHT_FOR),
                ]),
                KeyRetirement::Retired,
            ),
        ] {
            let in_use = KeyUse { keys: records, nodes };
            let facts = Facts {
                key_id,
                ring: &ring,
                in_use: &in_use,
                sealed_rows,
                alive: &alive,
                longest_token: HOUR,
                rs256_is_in_use: true,
            };
            assert_eq!(decide(&facts, false, NOW), expected, "{facts:?}");
            assert_eq!(decide(&facts, true, NOW), when_it_ends_them, "{facts:?}");
        }
    }
}
