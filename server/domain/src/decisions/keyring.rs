//! Whether a keyring belongs to a database.
//!
//! A database holds a canary for each key that was the active one at a start: a known value, sealed with that key. A node
//! has to open the newest one, and to hold each key that a row is sealed with. So a node with another ring, or with a ring that
//! lacks the key that other nodes seal with by now, does not start, and an old key can leave the ring once nothing is sealed
//! with it.

use crate::attempt::Authenticator;
use crate::keyring::{Keyring, OpenError, Purpose, Sealed};
use crate::stored_secret::{self, OpenSecretError};
use crate::time::Timestamp;
use rand_core::CryptoRng;
use std::time::Duration;

const TEXT: &[u8] = b"countersign";
const PLACE: &[u8] = b"canary";

/// How long nodes of the version before may run beside those of this one: 1 day. Until then nothing is sealed in a form
/// that they cannot open.
const UPGRADE: Duration = Duration::from_secs(24 * 60 * 60);

/// A known value, sealed with a key that was the active one at a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    pub sealed: Sealed,
    /// From when on TOTP secrets are sealed to their account.
    pub secrets_bound_from: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The newest canary.
    pub canary: Option<&'a Canary>,
    /// The newest authenticator app: shows which key a database without a canary was used with.
    pub newest_app: Option<&'a Authenticator>,
    pub has_accounts: bool,
    /// Ids of the keys that rows are sealed with.
    pub sealed_with: &'a [String],
}

#[derive(Debug, PartialEq, Eq)]
pub enum KeyringCheck {
    /// The active key has sealed the newest canary.
    Belongs,
    /// The keyring belongs, and its active key has no canary yet, or only an older one.
    NewKey {
        secrets_bound_from: Timestamp,
    },
    Refused(WrongKeyring),
}

/// Why a keyring does not belong to a database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongKeyring {
    #[error(
        "the keyring does not belong to this database: it lacks the key {0}, which the database was last used with; start \
         with the keyring that the other nodes have, or add that key to this one"
    )]
    Lacks(String),
    #[error(
        "the keyring does not belong to this database: its key {0} is another one than the key of that id which the \
         database was last used with; start with the keyring that the other nodes have"
    )]
    Differs(String),
    #[error(
        "the keyring lacks the key {0}, which rows of this database are sealed with; add that key, or start with the keyring that \
         the other nodes have"
    )]
    LacksSealing(String),
}

#[must_use]
pub fn decide(facts: &Facts<'_>, keyring: &Keyring, now: Timestamp) -> KeyringCheck {
    let refused = |sealed: &Sealed, error: &OpenError| {
        KeyringCheck::Refused(match error {
            OpenError::UnknownKey(_) => WrongKeyring::Lacks(sealed.key_id.clone()),
            OpenError::Damaged => WrongKeyring::Differs(sealed.key_id.clone()),
        })
    };
    let lacking = facts.sealed_with.iter().find(|id| !keyring.opens(id));
    let lacks = |id: &String| KeyringCheck::Refused(WrongKeyring::LacksSealing(id.clone()));
    if let Some(canary) = facts.canary {
        return match keyring.open(Purpose::Canary, PLACE, &canary.sealed) {
            Err(error) => refused(&canary.sealed, &error),
            Ok(_) if lacking.is_some() => lacking.map_or(KeyringCheck::Belongs, lacks),
            Ok(_) if canary.sealed.key_id == keyring.active_id() => KeyringCheck::Belongs,
            Ok(_) => KeyringCheck::NewKey { secrets_bound_from: canary.secrets_bound_from },
        };
    }
    if let Some(app) = facts.newest_app
        && let Err(OpenSecretError::Sealed(error)) = stored_secret::open(app, keyring)
    {
        return refused(&app.secret, &error);
    }
    if let Some(id) = lacking {
        return lacks(id);
    }
    KeyringCheck::NewKey { secrets_bound_from: if facts.has_accounts { now + UPGRADE } else { now } }
}

/// A canary of the active key.
#[must_use]
pub fn canary(secrets_bound_from: Timestamp, keyring: &Keyring, random: &mut dyn CryptoRng) -> Canary {
    Canary { sealed: keyring.seal(Purpose::Canary, PLACE, TEXT, random), secrets_bound_from }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::{NOW, account_id, method_id};
    use crate::stored_secret::Binding;
    use crate::totp::TotpSecret;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn ring(seed: u64) -> Keyring {
        Keyring::generate(&mut ChaCha20Rng::seed_from_u64(seed))
    }

    fn both(first: &Keyring, second: &Keyring) -> Keyring {
        Keyring::parse(&format!("{}{}", *first.to_text(), *second.to_text())).expect("two keys")
    }

    /// Another key with the same id.
    fn forged(ring: &Keyring) -> Keyring {
        let other = Keyring::generate(&mut ChaCha20Rng::seed_from_u64(9));
        Keyring::parse(&other.to_text().replace(&other.active_id(), &ring.active_id())).expect("a key")
    }

    fn canary_of(ring: &Keyring) -> Canary {
        canary(NOW, ring, &mut ChaCha20Rng::seed_from_u64(8))
    }

    #[test]
    fn every_keyring_with_every_database() {
        let mut random = ChaCha20Rng::seed_from_u64(5);
        let (old, new) = (ring(1), ring(2));
        let later = NOW + UPGRADE;
        let made = canary(later, &old, &mut random);
        let secret = TotpSecret::generate(&mut random);
        let app = Authenticator {
            id: method_id(1),
            account_id: account_id(1),
            secret: stored_secret::seal(&secret, account_id(1), method_id(1), Binding::Method, &old, &mut random),
            fingerprint: None,
            last_step: None,
        };
        let lacks = || KeyringCheck::Refused(WrongKeyring::Lacks(old.active_id()));
        let differs = || KeyringCheck::Refused(WrongKeyring::Differs(old.active_id()));
        let first_use = |secrets_bound_from| KeyringCheck::NewKey { secrets_bound_from };
        let sealing = || KeyringCheck::Refused(WrongKeyring::LacksSealing(old.active_id()));
        let (nothing, by_old) = (Vec::new(), vec![old.active_id()]);
        let by_new = canary_of(&new);
        for (keyring, canary, sealed_with, expected) in [
            (&new, Some(&by_new), &nothing, KeyringCheck::Belongs),
            (&new, Some(&by_new), &by_old, sealing()),
            (&both(&new, &old), Some(&by_new), &by_old, KeyringCheck::Belongs),
            (&new, None, &by_old, sealing()),
        ] {
            let facts = Facts { canary, newest_app: None, has_accounts: true, sealed_with };
            assert_eq!(decide(&facts, keyring, NOW), expected, "{keyring:?} {facts:?}");
        }
        for (keyring, canary, newest_app, has_accounts, expected) in [
            (&old, None, None, false, first_use(NOW)),
            (&old, None, None, true, first_use(later)),
            (&old, None, Some(&app), true, first_use(later)),
            (&both(&new, &old), None, Some(&app), true, first_use(later)),
            (&new, None, Some(&app), true, lacks()),
            (&forged(&old), None, Some(&app), true, differs()),
            (&old, Some(&made), None, true, KeyringCheck::Belongs),
            (&both(&old, &new), Some(&made), Some(&app), true, KeyringCheck::Belongs),
            (&both(&new, &old), Some(&made), Some(&app), true, first_use(later)),
            (&new, Some(&made), Some(&app), true, lacks()),
            (&forged(&old), Some(&made), None, false, differs()),
        ] {
            let facts = Facts { canary, newest_app, has_accounts, sealed_with: &[] };
            assert_eq!(decide(&facts, keyring, NOW), expected, "{keyring:?} {facts:?}");
        }
    }
}
