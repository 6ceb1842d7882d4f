//! Bearer secrets: who holds one, is somebody. They never print, are wiped on drop, and are stored as digests only.

use crate::random::{self, ALPHANUMERIC, URL_SAFE};
use crate::terms::ChallengeForm;
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// SHA-256 of a bearer secret with at least 128 random bits: what the database holds in its place.
///
/// A fast digest is enough because the input cannot be guessed (OWASP ASVS 5.0, 6.5.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// The 32 bytes.
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
            /// A fresh secret.
            #[must_use]
            pub fn generate(random: &mut dyn CryptoRng) -> Self {
                Self(format!("{}{}", $prefix, random::text($length, $alphabet, random)))
            }

            /// Takes what a client presented; `None` when it cannot be one of ours, whatever the database holds.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let rest = text.strip_prefix($prefix)?;
                (rest.len() == $length && rest.bytes().all(|byte| $alphabet.contains(&byte))).then(|| Self(text.to_owned()))
            }

            /// The secret itself, for the answer that hands it out.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// What is stored and searched for.
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
    /// Continues a sign-in that waits for a second factor: `2fa-` and 24 characters, 144 bits. The prefix keeps it
    /// apart from a session token wherever a client presents it, so that one can never stand for the other.
    ChallengeToken = "2fa-" + 24 of URL_SAFE;
    /// Marks a device that may skip the second factor: 32 characters, 192 bits.
    TrustToken = "" + 32 of URL_SAFE;
    /// A challenge of the FusionAuth dialect. Like all of its secrets it has 43 characters, 252 bits of them random, and begins with a
    /// letter of its kind, so that none can stand for another.
    TwoFactorId = "c" + 42 of URL_SAFE;
    /// Marks a device that may skip the second factor, in the FusionAuth dialect.
    TwoFactorTrustId = "d" + 42 of URL_SAFE;
    /// Says that a second factor was passed a moment ago.
    StepUpToken = "s" + 42 of URL_SAFE;
    /// Leave to change a password.
    ChangePasswordId = "p" + 42 of URL_SAFE;
    /// Signs in once, in place of a password that was just changed.
    OneTimePassword = "o" + 42 of URL_SAFE;
    /// Gives a new access token, once.
    RefreshToken = "r" + 42 of URL_SAFE;
    /// What a service shows to call the FusionAuth dialect.
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

    /// The secret itself, for the response that hands it out.
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
    /// The digest of a text that a caller chose, to be compared with another one's.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self::of(text)
    }

    /// Reads what was stored.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
