//! Changes of a keyring: a new key, which key is the active one, and the end of a key.

use super::{Keyring, RingKey, RsaKey};
use aws_lc_rs::error::Unspecified;
use rand_core::CryptoRng;
use std::sync::Arc;

/// What a key of a ring is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// A key for each purpose but RS256 is derived from it.
    Root,
    /// An RSA key pair that signs access tokens with RS256.
    Rsa,
}

impl KeyKind {
    /// What its keys are used for.
    #[must_use]
    pub const fn purposes(self) -> &'static str {
        match self {
            Self::Root => {
                "seals TOTP secrets and messages; signs cookies, bearer tokens, trust in devices and access tokens (EdDSA, \
                 ES256); authenticates one-time codes, tags of backup codes, names of quotas and networks, the audit trail, and backups"
            }
            Self::Rsa => "signs access tokens (RS256)",
        }
    }
}

/// A key of a ring, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingEntry {
    pub id: String,
    pub kind: KeyKind,
    /// Whether it is the first of its kind: the one that signs and seals.
    pub is_active: bool,
}

impl Keyring {
    /// The keys, in the order of the ring.
    #[must_use]
    pub fn entries(&self) -> Vec<RingEntry> {
        let ring = self.ring();
        let entry = |kind| move |(at, id): (usize, &String)| RingEntry { id: id.clone(), kind, is_active: at == 0 };
        let roots = ring.keys.iter().map(|key| &key.id).enumerate().map(entry(KeyKind::Root));
        roots.chain(ring.rsa_keys.iter().map(|key| &key.id).enumerate().map(entry(KeyKind::Rsa))).collect()
    }

    /// Whether it has the key that opens what this key has sealed.
    #[must_use]
    pub fn opens(&self, key_id: &str) -> bool {
        self.ring().keys.iter().any(|key| key.id == key_id)
    }

    /// Adds a new key that opens and verifies, and does not seal or sign yet; returns its id.
    pub fn add_pending(&mut self, random: &mut dyn CryptoRng) -> String {
        let key = loop {
            let key = RingKey::generate(random);
            // Ids have 32 bits.
            if self.entries().iter().all(|entry| entry.id != key.id) {
                break key;
            }
        };
        let id = key.id.clone();
        self.change(|keys, _| keys.push(key));
        id
    }

    /// The same for an RSA key of 2048 bits.
    ///
    /// # Errors
    /// If the key cannot be generated.
    pub fn add_pending_rsa(&mut self) -> Result<String, Unspecified> {
        let key = RsaKey::generate()?;
        let id = key.id.clone();
        self.change(|_, rsa_keys| rsa_keys.push(key));
        Ok(id)
    }

    /// Makes a key the one that seals and signs; `false` if it is not in the ring.
    pub fn activate(&mut self, key_id: &str) -> bool {
        let is_there = self.entries().iter().any(|entry| entry.id == key_id);
        self.change(|keys, rsa_keys| {
            if let Some(at) = keys.iter().position(|key| key.id == key_id) {
                keys[..=at].rotate_right(1);
            } else if let Some(at) = rsa_keys.iter().position(|key| key.id == key_id) {
                rsa_keys[..=at].rotate_right(1);
            }
        });
        is_there
    }

    /// Takes a key out of the ring; `false` if it is the active root key, which nothing works without, or not in the ring.
    pub fn remove(&mut self, key_id: &str) -> bool {
        let mut entries = self.entries().into_iter().filter(|entry| entry.id == key_id);
        let can_go = entries.any(|entry| entry.kind == KeyKind::Rsa || !entry.is_active);
        if can_go {
            self.change(|keys, rsa_keys| {
                keys.retain(|key| key.id != key_id);
                rsa_keys.retain(|key| key.id != key_id);
            });
        }
        can_go
    }

    fn change(&mut self, change: impl FnOnce(&mut Vec<RingKey>, &mut Vec<RsaKey>)) {
        let ring = self.ring();
        let mut keys = ring.keys.iter().map(|key| RingKey::new(key.id.clone(), key.root)).collect();
        let mut rsa_keys = ring.rsa_keys.iter().map(RsaKey::copy).collect();
        change(&mut keys, &mut rsa_keys);
        *self = Self::of(keys, rsa_keys);
    }
}

impl RsaKey {
    fn copy(&self) -> Self {
        Self { id: self.id.clone(), der: self.der.clone(), pair: Arc::clone(&self.pair) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Purpose;
    use super::*;
    use crate::signing::Algorithm;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn ids(ring: &Keyring) -> Vec<(String, bool)> {
        ring.entries().into_iter().map(|entry| (entry.id, entry.is_active)).collect()
    }

    #[test]
    fn a_new_key_opens_first_and_seals_when_it_is_activated() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let mut ring = Keyring::generate(&mut random);
        let old = ring.active_id();
        let new = ring.add_pending(&mut random);
        assert_eq!(ids(&ring), [(old.clone(), true), (new.clone(), false)]);
        let before = Keyring::parse(&ring.to_text()).expect("its text");
        assert!(ring.activate(&new) && !ring.activate("00000000"));
        assert_eq!(ids(&ring), [(new.clone(), true), (old.clone(), false)]);
        // Nodes before and after that step read what the other makes.
        let sealed = ring.seal(Purpose::TotpSecret, b"row", b"text", &mut random);
        assert_eq!(sealed.key_id, new);
        assert!(before.open(Purpose::TotpSecret, b"row", &sealed).is_ok());
        let tag = before.mac(Purpose::SessionCookie, b"value");
        assert!(ring.verify(Purpose::SessionCookie, b"value", &tag));

        assert!(!ring.remove(&new), "the active key stays");
        assert!(!ring.remove("00000000") && ring.remove(&old));
        assert_eq!(ids(&ring), [(new, true)]);
        assert!(!ring.verify(Purpose::SessionCookie, b"value", &tag));
    }

    #[test]
    fn keys_of_rs256_are_rotated_by_themselves() {
        let mut ring = Keyring::generate(&mut ChaCha20Rng::seed_from_u64(2));
        ring.add_rsa_key().expect("a key");
        let kid = |ring: &Keyring| ring.signing_keys(Algorithm::Rs256).remove(0).0;
        let (root, first) = (ring.active_id(), kid(&ring));
        let new = ring.add_pending_rsa().expect("a key");
        assert_eq!(kid(&ring), first);
        assert!(ring.activate(&new));
        assert_eq!((kid(&ring), ring.active_id()), (format!("{new}-RS256"), root));
        assert_eq!(ring.entries().iter().filter(|entry| entry.kind == KeyKind::Rsa).count(), 2);
        assert!(ring.remove(first.trim_end_matches("-RS256")));
        assert_eq!(ring.signing_keys(Algorithm::Rs256).len(), 1);
    }

    #[test]
    fn a_ring_that_takes_the_place_of_another_is_seen_by_all_that_share_it() {
        let mut random = ChaCha20Rng::seed_from_u64(3);
        let shared = Arc::new(Keyring::generate(&mut random));
        let new = Keyring::generate(&mut random);
        let other = Arc::clone(&shared);
        shared.replace_with(&new);
        assert_eq!(other.active_id(), new.active_id());
    }
}
