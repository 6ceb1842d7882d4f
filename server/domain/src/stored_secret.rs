//! TOTP secrets at rest: sealed to the account and the method that they belong to, and recognised by a keyed fingerprint.
//!
//! A sealed secret opens only where account, kind and id are those it was sealed for, so that somebody who can write to the
//! database, and has no keyring, cannot give a method of one account to another. Versions before this bound a secret to the
//! method's id alone ([`Binding::Method`]). Such rows still open, and are sealed anew when they are used.

use crate::address::MethodKind;
use crate::attempt::{Authenticator, Proof};
use crate::ids::{AccountId, MethodId};
use crate::keyring::{Keyring, OpenError, Purpose, Sealed};
use crate::totp::TotpSecret;
use rand_core::CryptoRng;

pub use crate::secret_fingerprint::SecretFingerprint;

/// What a sealed secret is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The method's id: the form that versions without [`Binding::Account`] write and read.
    Method,
    /// Account, kind and id of the method.
    Account,
}

impl Binding {
    fn associated_data(self, account_id: AccountId, method_id: MethodId) -> String {
        match self {
            Self::Method => method_id.to_text(),
            Self::Account => format!("{account_id}:{}:{method_id}", MethodKind::Authenticator.name()),
        }
    }
}

/// Why a stored secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenSecretError {
    #[error("failed to open a stored TOTP secret")]
    Sealed(#[from] OpenError),
    #[error("a stored TOTP secret has fewer than 128 bits")]
    Short,
}

/// A secret that was opened.
#[derive(Debug)]
pub struct Opened {
    pub secret: TotpSecret,
    pub binding: Binding,
}

/// Seals a secret for a method of an account.
#[must_use]
pub fn seal(
    secret: &TotpSecret,
    account_id: AccountId,
    method_id: MethodId,
    binding: Binding,
    keyring: &Keyring,
    random: &mut dyn CryptoRng,
) -> Sealed {
    let associated = binding.associated_data(account_id, method_id);
    keyring.seal(Purpose::TotpSecret, associated.as_bytes(), secret.expose(), random)
}

/// Opens the secret of an authenticator app.
///
/// # Errors
/// When its key is not in the ring, or it was sealed for another method or account.
pub fn open(app: &Authenticator, keyring: &Keyring) -> Result<Opened, OpenSecretError> {
    let open = |binding: Binding| {
        let associated = binding.associated_data(app.account_id, app.id);
        let bytes = keyring.open(Purpose::TotpSecret, associated.as_bytes(), &app.secret)?;
        let secret = TotpSecret::from_bytes(&bytes).ok_or(OpenSecretError::Short)?;
        Ok(Opened { secret, binding })
    };
    match open(Binding::Account) {
        Err(OpenSecretError::Sealed(OpenError::Damaged)) => open(Binding::Method),
        opened => opened,
    }
}

/// What a row that an earlier version wrote lacks.
#[derive(Clone, Debug)]
pub struct Renewal {
    pub method_id: MethodId,
    pub fingerprint: SecretFingerprint,
    /// The secret, sealed anew; `None` if it stays as it is.
    pub sealed: Option<Sealed>,
}

/// What the app that `proof` belongs to lacks; `None` if it lacks nothing. `binding` is what secrets are sealed to now.
///
/// # Errors
/// When the secret cannot be opened.
pub fn renewal<'a>(
    mut apps: impl Iterator<Item = &'a Authenticator>,
    proof: &Proof,
    binding: Binding,
    keyring: &Keyring,
    random: &mut dyn CryptoRng,
) -> Result<Option<Renewal>, OpenSecretError> {
    let Proof::Totp { method_id, .. } = proof else { return Ok(None) };
    let Some(app) = apps.find(|app| app.id == *method_id) else { return Ok(None) };
    let Opened { secret, binding: found } = open(app, keyring)?;
    let is_weaker = found == Binding::Method && binding == Binding::Account;
    if app.fingerprint.is_some() && !is_weaker {
        return Ok(None);
    }
    let sealed = is_weaker.then(|| seal(&secret, app.account_id, app.id, binding, keyring, random));
    let fingerprint = SecretFingerprint::of(&secret, app.account_id, keyring);
    Ok(Some(Renewal { method_id: app.id, fingerprint, sealed }))
}

/// A secret that was sealed anew.
#[derive(Clone, Debug)]
pub struct Resealed {
    pub sealed: Sealed,
    /// `None` if the row has none: of several apps with one secret, which earlier versions could store, one has it.
    pub fingerprint: Option<SecretFingerprint>,
}

/// Seals the secret of an app with the active key, bound to what it is bound to already, or to `binding` if that is more.
///
/// # Errors
/// When the secret cannot be opened.
pub fn reseal(
    app: &Authenticator,
    binding: Binding,
    keyring: &Keyring,
    random: &mut dyn CryptoRng,
) -> Result<Resealed, OpenSecretError> {
    let Opened { secret, binding: found } = open(app, keyring)?;
    let binding = if found == Binding::Account { found } else { binding };
    let sealed = seal(&secret, app.account_id, app.id, binding, keyring, random);
    let fingerprint = app.fingerprint.map(|_| SecretFingerprint::of(&secret, app.account_id, keyring));
    Ok(Resealed { sealed, fingerprint })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::{account_id, method_id};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn ring(seed: u64) -> Keyring {
        Keyring::generate(&mut ChaCha20Rng::seed_from_u64(seed))
    }

    fn app(secret: &TotpSecret, binding: Binding, keyring: &Keyring) -> Authenticator {
        let mut random = ChaCha20Rng::seed_from_u64(2);
        let sealed = seal(secret, account_id(1), method_id(1), binding, keyring, &mut random);
        Authenticator {
            id: method_id(1),
            account_id: account_id(1),
            secret: sealed,
            fingerprint: None,
            last_step: None,
        }
    }

    #[test]
    fn a_secret_opens_for_its_account_and_its_method_only_43() {
        let (ring, secret) = (ring(1), TotpSecret::generate(&mut ChaCha20Rng::seed_from_u64(3)));
        let mine = app(&secret, Binding::Account, &ring);
        assert!(open(&mine, &ring).expect("mine").secret.is_same(&secret));
        for moved in [
            Authenticator { account_id: account_id(2), ..mine.clone() },
            Authenticator { id: method_id(2), ..mine.clone() },
        ] {
            assert!(matches!(open(&moved, &ring), Err(OpenSecretError::Sealed(OpenError::Damaged))), "{moved:?}");
        }
    }

    #[test]
    fn a_secret_of_an_earlier_version_opens_and_is_bound_when_it_is_used() {
        let (ring, secret) = (ring(1), TotpSecret::generate(&mut ChaCha20Rng::seed_from_u64(3)));
        let mut random = ChaCha20Rng::seed_from_u64(4);
        let proof = Proof::Totp { method_id: method_id(1), step: 1, confirms: false };
        let mut renew = |app: &Authenticator, binding| {
            renewal([app].into_iter(), &proof, binding, &ring, &mut random).expect("opens")
        };
        let old = app(&secret, Binding::Method, &ring);
        assert_eq!(open(&old, &ring).expect("still").binding, Binding::Method);
        // While nodes of the earlier version may run, the secret stays readable for them.
        let early = renew(&old, Binding::Method).expect("a fingerprint is missing");
        assert!(early.sealed.is_none());
        let marked = Authenticator { fingerprint: Some(early.fingerprint), ..old };
        assert!(renew(&marked, Binding::Method).is_none());
        let sealed = renew(&marked, Binding::Account).expect("a binding is missing").sealed.expect("sealed anew");
        let new = Authenticator { secret: sealed, ..marked };
        assert_eq!(open(&new, &ring).expect("bound").binding, Binding::Account);
        assert!(renew(&new, Binding::Account).is_none());
    }

    #[test]
    fn a_secret_that_is_sealed_anew_needs_the_old_key_no_more() {
        let (old, secret) = (ring(1), TotpSecret::generate(&mut ChaCha20Rng::seed_from_u64(3)));
        let mut random = ChaCha20Rng::seed_from_u64(5);
        let both = Keyring::parse(&format!("{}{}", *ring(2).to_text(), *old.to_text())).expect("two keys");
        for (bound, wanted, expected) in [
            (Binding::Method, Binding::Method, Binding::Method),
            (Binding::Method, Binding::Account, Binding::Account),
            (Binding::Account, Binding::Method, Binding::Account),
        ] {
            let before = app(&secret, bound, &old);
            let marked = Authenticator {
                fingerprint: Some(SecretFingerprint::of(&secret, account_id(1), &old)),
                ..before.clone()
            };
            let resealed = reseal(&marked, wanted, &both, &mut random).expect("opens");
            let after = Authenticator { secret: resealed.sealed, ..before.clone() };
            let opened = open(&after, &ring(2)).expect("the new key is enough");
            assert!(opened.secret.is_same(&secret) && opened.binding == expected, "{bound:?} {wanted:?}");
            assert_eq!(resealed.fingerprint, Some(SecretFingerprint::of(&secret, account_id(1), &ring(2))));
            assert_eq!(reseal(&before, wanted, &both, &mut random).expect("opens").fingerprint, None);
        }
    }

    #[test]
    fn fingerprints_differ_by_account_and_are_found_after_a_rotation() {
        let secret = TotpSecret::generate(&mut ChaCha20Rng::seed_from_u64(3));
        let old = ring(1);
        let text = format!("{}{}", *ring(2).to_text(), *old.to_text());
        let rotated = Keyring::parse(&text).expect("two keys");
        let before = SecretFingerprint::of(&secret, account_id(1), &old);
        assert_ne!(before, SecretFingerprint::of(&secret, account_id(1), &rotated));
        assert!(SecretFingerprint::all(&secret, account_id(1), &rotated).contains(&before));
        assert_ne!(before, SecretFingerprint::of(&secret, account_id(2), &old));
        assert_eq!(format!("{before:?}"), "SecretFingerprint([redacted])");
    }
}
