//! Whether the keyring is the one that the database was used with.

use super::random::Randomness;
use countersign_domain::decisions::keyring::{self, Facts, KeyringCheck, WrongKeyring};
use countersign_domain::keyring::Keyring;
use countersign_domain::time::Timestamp;
use countersign_store::work::KeyringFacts;
use countersign_store::{Store, StoreError};

/// Why no node may start with a keyring.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error(transparent)]
    Wrong(#[from] WrongKeyring),
    #[error("failed to read which keyring the database was used with")]
    Store(#[from] StoreError),
}

/// Checks that the keyring belongs to the database. Writes nothing.
///
/// # Errors
/// When it does not belong, or the database fails.
pub async fn inspect(store: &Store, keyring: &Keyring, now: Timestamp) -> Result<(), KeyringError> {
    check(store, keyring, now).await.map(drop)
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
    let (check_before, secrets_bound_from) = check(store, keyring, now).await?;
    if check_before == KeyringCheck::Belongs {
        return Ok(secrets_bound_from);
    }
    let canary = random.draw(|random| keyring::canary(secrets_bound_from, keyring, random));
    if store.add_canary((canary, now)).await? {
        return Ok(secrets_bound_from);
    }
    Ok(check(store, keyring, now).await?.1)
}

async fn check(store: &Store, keyring: &Keyring, now: Timestamp) -> Result<(KeyringCheck, Timestamp), KeyringError> {
    let KeyringFacts { canary, newest_app, has_accounts } = store.keyring_facts(()).await?;
    let facts = Facts { canary: canary.as_ref(), newest_app: newest_app.as_ref(), has_accounts };
    let checked = keyring::decide(&facts, keyring, now);
    let known = canary.map(|canary| canary.secrets_bound_from);
    match checked {
        KeyringCheck::Refused(why) => Err(why.into()),
        KeyringCheck::NewKey { secrets_bound_from } => Ok((checked, secrets_bound_from)),
        KeyringCheck::Belongs => Ok((checked, known.unwrap_or(now))),
    }
}
