//! Bearer secrets: possession authenticates. Secrets never print, are wiped on drop, and are stored as digests only.

use crate::ids::AccountId;
use crate::keyring::{Keyring, Purpose};
use crate::random::{self, ALPHANUMERIC, URL_SAFE};
use crate::terms::ChallengeForm;
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// SHA-256 of a bearer secret with at least 128 random bits: the form that is stored.
///
/// A fast digest is enough because the input cannot be guessed (OWASP ASVS 5.0, 6.5.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Digest([redacted])")
    }
}

macro_rules! bearer_secret {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal + $length:literal of $alphabet:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name(String);

        impl $name {
            #[must_use]
            pub fn generate(random: &mut dyn CryptoRng) -> Self {
                Self(format!("{}{}", $prefix, random::text($length, $alphabet, random)))
            }

            /// Parses a secret that a client presented; `None` if it is malformed, so that no database read is needed.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let rest = text.strip_prefix($prefix)?;
                (rest.len() == $length && rest.bytes().all(|byte| $alphabet.contains(&byte))).then(|| Self(text.to_owned()))
            }

            /// The plain secret, for the response that issues it.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// The digest that is stored and looked up.
            #[must_use]
            pub fn digest(&self) -> Digest {
                Digest::of(&self.0)
            }
        }

        impl From<$name> for Bearer {
            fn from(secret: $name) -> Self {
                Self::new(secret.0.clone(), secret.digest())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    )* };
}

bearer_secret! {
    /// Opens a session: 32 letters and digits, 190 bits.
    SessionToken = "" + 32 of ALPHANUMERIC;
    /// Continues a sign-in that waits for a second factor: `2fa-` and 24 characters, 144 bits. Because of the
    /// prefix it never parses as a session token, wherever a client presents it.
    ChallengeToken = "2fa-" + 24 of URL_SAFE;
    /// Marks a device that may skip the second factor: 32 characters, 192 bits.
    TrustToken = "" + 32 of URL_SAFE;
    /// Continues a sign-in in the FusionAuth dialect. All secrets of that dialect have 43 characters, the first of which names
    /// the kind, so that none parses as another; 252 bits are random.
    TwoFactorId = "c" + 42 of URL_SAFE;
    /// Marks a device that may skip the second factor, in the FusionAuth dialect.
    TwoFactorTrustId = "d" + 42 of URL_SAFE;
    /// Shows that a second factor was passed a moment ago.
    StepUpToken = "s" + 42 of URL_SAFE;
    /// Grants one password change.
    ChangePasswordId = "p" + 42 of URL_SAFE;
    /// Signs in once, in place of a password that has just been changed.
    OneTimePassword = "o" + 42 of URL_SAFE;
    /// Gets a new access token, once.
    RefreshToken = "r" + 42 of URL_SAFE;
    /// Authenticates a service to the FusionAuth dialect.
    ApiKey = "k" + 42 of URL_SAFE;
}

/// A bearer secret of whichever form a dialect chose, as the client gets it, with the digest that is stored.
#[derive(Clone)]
pub struct Bearer {
    text: zeroize::Zeroizing<String>,
    digest: Digest,
}

impl Bearer {
    pub(crate) fn new(text: String, digest: Digest) -> Self {
        Self { text: zeroize::Zeroizing::new(text), digest }
    }

    /// A new challenge token of this form.
    #[must_use]
    pub fn challenge(form: ChallengeForm, random: &mut dyn CryptoRng) -> Self {
        match form {
            ChallengeForm::Token => ChallengeToken::generate(random).into(),
            ChallengeForm::TwoFactorId => TwoFactorId::generate(random).into(),
        }
    }

    /// The plain secret, for the response that issues it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Bearer([redacted])")
    }
}

impl Digest {
    /// A keyed MAC, in the place of a digest.
    pub(crate) fn of_mac(mac: [u8; 32]) -> Self {
        Self(mac)
    }

    /// Keyed MACs that a text chosen by a caller (`trustChallenge`) may be stored as for an account, the one under the active
    /// key first. A plain digest of a text that can be guessed would reveal it.
    #[must_use]
    pub fn of_trust_challenge(text: &str, account: AccountId, keyring: &Keyring) -> Vec<Self> {
        let message = zeroize::Zeroizing::new(format!("{account}!{text}"));
        keyring.macs(Purpose::TrustChallenge, message.as_bytes()).into_iter().map(Self).collect()
    }

    /// Reads the stored form; `None` unless it has 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_secret_reads_back_and_never_prints() {
        let mut random = ChaCha20Rng::seed_from_u64(3);
        let token = SessionToken::generate(&mut random);
        let same = SessionToken::parse(token.expose()).expect("its own text");
        assert_eq!(same.digest(), token.digest());
        assert_eq!(format!("{token:?} {:?}", token.digest()), "SessionToken([redacted]) Digest([redacted])");
    }

    #[test]
    fn a_trust_challenge_is_known_by_key_account_and_text_43() {
        let mut random = ChaCha20Rng::seed_from_u64(5);
        let old = Keyring::generate(&mut random);
        let text = format!("{}{}", *Keyring::generate(&mut random).to_text(), *old.to_text());
        let rotated = Keyring::parse(&text).expect("two keys");
        let [mine, other] = [0, 1].map(|at| AccountId::generate(Timestamp::from_millis(at), &mut random));
        let stored = Digest::of_trust_challenge("a text", mine, &old)[0];
        assert!(Digest::of_trust_challenge("a text", mine, &rotated).contains(&stored));
        for (text, account, ring) in [("a text", other, &old), ("another", mine, &old)] {
            assert!(!Digest::of_trust_challenge(text, account, ring).contains(&stored));
        }
        assert_ne!(stored, Digest::of("a text"));
    }

    #[test]
    fn one_kind_of_secret_is_never_another_38() {
        let mut random = ChaCha20Rng::seed_from_u64(4);
        let challenge = ChallengeToken::generate(&mut random);
        let session = SessionToken::generate(&mut random);
        assert!(SessionToken::parse(challenge.expose()).is_none());
        assert!(ChallengeToken::parse(session.expose()).is_none());
        assert!(TrustToken::parse(challenge.expose()).is_none());
        let id = TwoFactorId::generate(&mut random);
        assert_eq!(id.expose().len(), 43);
        assert!(TwoFactorId::parse(id.expose()).is_some());
        let trust = TwoFactorTrustId::generate(&mut random);
        assert!(TwoFactorId::parse(trust.expose()).is_none() && RefreshToken::parse(id.expose()).is_none());
        assert!(ApiKey::parse(RefreshToken::generate(&mut random).expose()).is_none());
        for odd in ["", "2fa-", "ä", &"a".repeat(31), &"a".repeat(10_000), "2fa-\u{0}23456789012345678901234"] {
            assert!(SessionToken::parse(odd).is_none() && ChallengeToken::parse(odd).is_none());
        }
    }
}
