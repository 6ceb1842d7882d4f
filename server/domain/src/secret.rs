//! Bearer secrets: possession authenticates. Secrets never print, are wiped on drop, and are stored as digests only.

use crate::ids::AccountId;
use crate::keyring::{Keyring, Purpose};
use crate::random::{self, ALPHANUMERIC, URL_SAFE};
use data_encoding::BASE64URL_NOPAD;
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// SHA-256 of a bearer secret with at least 128 random bits: the form that is stored.
///
/// A fast digest is enough because the input cannot be guessed (OWASP ASVS 5.0, 6.5.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    pub(crate) fn of(text: &str) -> Self {
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
    /// Finds the ceremony of a passkey that a client was asked for: `pky-` and 24 characters, 144 bits.
    CeremonyToken = "pky-" + 24 of URL_SAFE;
    /// Marks a device that may skip the second factor: 32 characters, 192 bits.
    TrustToken = "" + 32 of URL_SAFE;
    /// Continues a sign-in in the FusionAuth dialect. All secrets of that dialect have 43 characters, the first of which names
    /// the kind, so that none parses as another; 252 bits are random.
    TwoFactorId = "c" + 42 of URL_SAFE;
    /// Marks a device that may skip the second factor, in the FusionAuth dialect. Half of it is a
    /// [signature](TwoFactorTrustId::is_signed), so that 132 bits are random.
    TwoFactorTrustId = "d" + 42 of URL_SAFE;
    /// Shows that a second factor was passed a moment ago.
    StepUpToken = "s" + 42 of URL_SAFE;
    /// Grants one password change.
    ChangePasswordId = "p" + 42 of URL_SAFE;
    /// Grants one password change, and may have been mailed: it can be requested without a session.
    ForgottenPasswordId = "f" + 42 of URL_SAFE;
    /// Proves the address of an account, in the FusionAuth dialect.
    VerificationId = "v" + 42 of URL_SAFE;
    /// Signs in once, without a password.
    PasswordlessCode = "m" + 42 of URL_SAFE;
    /// Signs in once, in place of a password that has just been changed.
    OneTimePassword = "o" + 42 of URL_SAFE;
    /// Gets new access tokens.
    RefreshToken = "r" + 42 of URL_SAFE;
    /// Sets a new password, from a mailed link. All tokens of mailed links have 24 random characters, 144 bits, behind a prefix
    /// that names what they are good for.
    ResetToken = "rst-" + 24 of URL_SAFE;
    /// Proves the address of an account.
    VerificationToken = "vrf-" + 24 of URL_SAFE;
    /// Proves the address that takes the place of an account's.
    AddressChangeToken = "chg-" + 24 of URL_SAFE;
    /// Gives an account its former address back.
    RestorationToken = "rev-" + 24 of URL_SAFE;
    /// Deletes an account.
    DeletionToken = "del-" + 24 of URL_SAFE;
    /// Authenticates a service to the FusionAuth dialect.
    ApiKey = "k" + 42 of URL_SAFE;
}

impl TwoFactorTrustId {
    /// Characters in front of the signature: the one that names the kind, and 22 random ones.
    const SIGNED: usize = 23;

    /// A new one with a signature.
    #[must_use]
    pub fn generate_signed(keyring: &Keyring, random: &mut dyn CryptoRng) -> Self {
        let plain = Self::generate(random);
        let signed = &plain.0[..Self::SIGNED];
        Self(format!("{signed}{}", Self::signature(&keyring.mac(Purpose::LastingTrust, signed.as_bytes()))))
    }

    /// Whether a deployment with this keyring has made it, which needs no look at the database. It may have ended since, and
    /// opens nothing by that. Those that an earlier version has made have no signature.
    #[must_use]
    pub fn is_signed(&self, keyring: &Keyring) -> bool {
        let (signed, signature) = self.0.split_at(Self::SIGNED);
        let macs = keyring.macs(Purpose::LastingTrust, signed.as_bytes());
        let is_right = |mac: &[u8; 32]| Self::signature(mac).as_bytes().ct_eq(signature.as_bytes());
        macs.iter().fold(Choice::from(0), |found, mac| found | is_right(mac)).into()
    }

    /// 120 bits of a MAC. What it is made of has no `!`, unlike the other messages of its purpose.
    fn signature(mac: &[u8; 32]) -> String {
        BASE64URL_NOPAD.encode(&mac[..15])
    }
}

impl RefreshToken {
    /// The tokens that may take this one's place if it is good for one use, that under the active key first. They are derived
    /// from it, so that all who present it at once get the same one, and so that it is stored nowhere: it takes the keyring
    /// and the token to know its successor.
    #[must_use]
    pub fn successors(&self, keyring: &Keyring) -> Vec<Self> {
        let macs = keyring.macs(Purpose::RefreshToken, self.0.as_bytes());
        let tokens = macs.into_iter().map(|mac| {
            let text = zeroize::Zeroizing::new(BASE64URL_NOPAD.encode(&mac));
            Self(text.get(..42).map(|text| format!("r{text}")).expect("32 bytes have 43 characters"))
        });
        tokens.collect()
    }
}

/// A bearer secret of whichever form a dialect chose, as the client gets it, with the digest that is stored.
#[derive(Clone)]
pub struct Bearer {
    text: zeroize::Zeroizing<String>,
    digest: Digest,
}

/// Spelling of the token that continues a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeForm {
    /// [`ChallengeToken`].
    Token,
    /// [`TwoFactorId`].
    TwoFactorId,
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
    use std::collections::HashSet;

    #[test]
    fn a_secret_reads_back_and_never_prints() {
        let mut random = ChaCha20Rng::seed_from_u64(3);
        let token = SessionToken::generate(&mut random);
        let same = SessionToken::parse(token.expose()).expect("its own text");
        assert_eq!(same.digest(), token.digest());
        assert_eq!(format!("{token:?} {:?}", token.digest()), "SessionToken([redacted]) Digest([redacted])");
    }

    /// Random bits of what this generates: of each place, as many as its letters are good for.
    fn bits(mut generate: impl FnMut() -> String) -> f64 {
        let texts: Vec<String> = (0..1_000).map(|_| generate()).collect();
        let letters = |place: usize| texts.iter().map(|text| text.as_bytes()[place]).collect::<HashSet<u8>>().len();
        (0..texts[0].len()).map(|place| f64::from(u32::try_from(letters(place)).expect("few")).log2()).sum()
    }

    #[test]
    fn bearer_secrets_have_128_random_bits_a_7_2_3() {
        let mut random = ChaCha20Rng::seed_from_u64(7);
        let ring = Keyring::generate(&mut random);
        macro_rules! bits_of {
            ($($kind:ident)*) => { [$((stringify!($kind), bits(|| $kind::generate(&mut random).expose().to_owned()))),*] };
        }
        let all = bits_of! {
            SessionToken ChallengeToken TrustToken TwoFactorId StepUpToken ChangePasswordId ForgottenPasswordId
            VerificationId PasswordlessCode OneTimePassword RefreshToken ResetToken VerificationToken AddressChangeToken
            RestorationToken DeletionToken ApiKey
        };
        for (kind, bits) in all {
            assert!(bits >= 128.0, "{kind}: {bits}");
        }
        // The rest of it is a signature.
        let trust_id = bits(|| TwoFactorTrustId::generate_signed(&ring, &mut random).expose()[..23].to_owned());
        assert!(trust_id >= 128.0, "{trust_id}");
    }

    #[test]
    fn a_trust_id_shows_who_has_made_it() {
        let mut random = ChaCha20Rng::seed_from_u64(6);
        let old = Keyring::generate(&mut random);
        let text = format!("{}{}", *Keyring::generate(&mut random).to_text(), *old.to_text());
        let rotated = Keyring::parse(&text).expect("two keys");
        let trust = TwoFactorTrustId::generate_signed(&old, &mut random);
        let read = TwoFactorTrustId::parse(trust.expose()).expect("its text");
        assert!(read.is_signed(&old) && read.is_signed(&rotated));
        assert!(!read.is_signed(&Keyring::generate(&mut random)));
        assert!(!TwoFactorTrustId::generate(&mut random).is_signed(&old));
        for at in [1, 22, 23, 42] {
            let mut bytes = trust.expose().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let forged = TwoFactorTrustId::parse(&String::from_utf8(bytes).expect("ASCII")).expect("its form");
            assert!(!forged.is_signed(&old), "{at}");
        }
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
    fn the_successor_of_a_refresh_token_takes_token_and_key_43() {
        let mut random = ChaCha20Rng::seed_from_u64(6);
        let old = Keyring::generate(&mut random);
        let rotated = Keyring::parse(&format!("{}{}", *Keyring::generate(&mut random).to_text(), *old.to_text()));
        let [one, other] = [0; 2].map(|_| RefreshToken::generate(&mut random));
        let text = |token: &RefreshToken| token.expose().to_owned();
        let next = one.successors(&old).remove(0);
        assert!(RefreshToken::parse(next.expose()).is_some(), "{}", next.expose());
        assert_eq!(one.successors(&old).iter().map(text).collect::<Vec<_>>(), [text(&next)]);
        assert_ne!(text(&other.successors(&old)[0]), text(&next));
        assert_ne!(text(&next.successors(&old)[0]), text(&next));
        let both = one.successors(&rotated.expect("two keys"));
        assert!(both.len() == 2 && text(&both[0]) != text(&next) && text(&both[1]) == text(&next));
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
