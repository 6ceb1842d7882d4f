//! Whether the keyring is the one that the database was used with.

use super::random::Randomness;
use countersign_domain::decisions::keyring::{self, Facts, KeyringCheck, WrongKeyring};
use countersign_domain::keyring::Keyring;
use countersign_domain::time::Timestamp;
use countersign_store::work::{AddCanary, KeyringFacts};
use countersign_store::{Store, StoreError};

/// Why no node may start with a keyring.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error(transparent)]
    Wrong(#[from] WrongKeyring),
    #[error("failed to read which keyring the database was used with")]
    Store(#[from] StoreError),
}

/// Checks that the keyring belongs to the database. Writes nothing. Says from when on TOTP secrets are sealed to their account.
///
/// # Errors
/// When it does not belong, or the database fails.
pub async fn inspect(store: &Store, keyring: &Keyring, now: Timestamp) -> Result<Timestamp, KeyringError> {
    Ok(check(store, keyring, now).await?.secrets_bound_from)
}

/// Checks that the keyring belongs to the database, and stores a canary of its active key if that has none. Says from when
/// on TOTP secrets are sealed to their account. Of nodes that start at once on an empty database, one stores its canary;
/// the others are checked against it.
///
/// # Errors
/// When the keyring does not belong, or the database fails.
pub async fn claim(
    store: &Store,
    keyring: &Keyring,
    now: Timestamp,
    random: &Randomness,
) -> Result<Timestamp, KeyringError> {
    let Checked { outcome, secrets_bound_from, number } = check(store, keyring, now).await?;
    if outcome == KeyringCheck::Belongs {
        return Ok(secrets_bound_from);
    }
    let canary = random.draw(|random| keyring::canary(secrets_bound_from, keyring, random));
    if store.add_canary(AddCanary { canary, after: number, now }).await? {
        return Ok(secrets_bound_from);
    }
    Ok(check(store, keyring, now).await?.secrets_bound_from)
}

/// A keyring that belongs to the database.
struct Checked {
    outcome: KeyringCheck,
    secrets_bound_from: Timestamp,
    /// Number of the canary that it was checked with.
    number: i64,
}

async fn check(store: &Store, keyring: &Keyring, now: Timestamp) -> Result<Checked, KeyringError> {
    let KeyringFacts { canary, number, newest_app, has_accounts, sealed_with } = store.keyring_facts(()).await?;
    let facts =
        Facts { canary: canary.as_ref(), newest_app: newest_app.as_ref(), has_accounts, sealed_with: &sealed_with };
    let outcome = keyring::decide(&facts, keyring, now);
    let known = canary.map(|canary| canary.secrets_bound_from);
    let secrets_bound_from = match outcome {
        KeyringCheck::Refused(why) => return Err(why.into()),
        KeyringCheck::NewKey { secrets_bound_from } => secrets_bound_from,
        KeyringCheck::Belongs => known.unwrap_or(now),
    };
    Ok(Checked { outcome, secrets_bound_from, number })
}
