//! The server's keys: one ring of root keys, from which a key for each purpose is derived (HKDF, RFC 5869).
//!
//! The first key of the ring signs and seals; every key of it verifies and opens. So a ring is rotated in two steps that each
//! node survives: a new key at the end of every node's ring, and then in front ([`rotation`]). The ring can decrypt TOTP secrets and forge cookies, so it is never stored in the
//! database it protects.
//!
//! Access tokens are signed with key pairs: those of Ed25519 and P-256 are derived like all other keys, an RSA key is
//! stored in the ring.

pub mod rotation;

use crate::signing::{Algorithm, SigningKey};
use aws_lc_rs::agreement;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use std::fmt::{self, Write as _};
use std::sync::{Arc, PoisonError, RwLock};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// Purpose of a derived key. A value made for one purpose is not accepted for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signs the session cookie and the signed form of a bearer token.
    SessionCookie,
    /// Signs the challenge cookie.
    ChallengeCookie,
    /// Signs the trusted-device cookie and ties it to its account.
    TrustCookie,
    /// Signs the cookie that remembers "do not remember me".
    DontRememberCookie,
    /// Seals TOTP secrets at rest.
    TotpSecret,
    /// Authenticates one-time codes at rest.
    OneTimeCode,
    /// Tags backup codes, so that a check finds the code to hash.
    BackupCodeSelector,
    /// Hides login names and addresses in the names of quotas.
    Quota,
    /// The seed of the Ed25519 key that signs access tokens.
    TokenEd25519,
    /// The scalar of the P-256 key that signs access tokens.
    TokenP256,
    /// Recognises a TOTP secret that an account has already.
    SecretFingerprint,
    /// Ties a lasting trust in a device to its account.
    LastingTrust,
    /// Authenticates a `trustChallenge` at rest.
    TrustChallenge,
    /// Seals the value that shows whether a keyring belongs to a database.
    Canary,
    /// Derives the refresh token that takes the place of a one-time one.
    RefreshToken,
    /// Seals messages that wait to be delivered.
    Message,
    /// Nonces of sealed messages, and the tags of those that take each other's place.
    MessageTag,
    /// Knows a wrong code that is presented again.
    Guess,
    /// Authenticates events of the audit trail until they are sealed in a block.
    AuditEvent,
    /// Authenticates the blocks of the audit trail.
    AuditBlock,
    /// Authenticates backups.
    Backup,
    /// Signs the cookie that finds the ceremony of a passkey.
    PasskeyCookie,
}

impl Purpose {
    const ALL: [Self; 22] = [
        Self::SessionCookie,
        Self::ChallengeCookie,
        Self::TrustCookie,
        Self::DontRememberCookie,
        Self::TotpSecret,
        Self::OneTimeCode,
        Self::BackupCodeSelector,
        Self::Quota,
        Self::TokenEd25519,
        Self::TokenP256,
        Self::SecretFingerprint,
        Self::LastingTrust,
        Self::TrustChallenge,
        Self::Canary,
        Self::RefreshToken,
        Self::Message,
        Self::MessageTag,
        Self::Guess,
        Self::AuditEvent,
        Self::AuditBlock,
        Self::Backup,
        Self::PasskeyCookie,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::SessionCookie => "countersign/v1/cookie/session",
            Self::ChallengeCookie => "countersign/v1/cookie/challenge",
            Self::TrustCookie => "countersign/v1/cookie/trust",
            Self::PasskeyCookie => "countersign/v1/cookie/passkey",
            Self::DontRememberCookie => "countersign/v1/cookie/dont-remember",
            Self::TotpSecret => "countersign/v1/totp-secret",
            Self::OneTimeCode => "countersign/v1/mailed-code",
            Self::BackupCodeSelector => "countersign/v1/backup-code-selector",
            Self::Quota => "countersign/v1/budget",
            Self::TokenEd25519 => "countersign/v1/token/ed25519",
            Self::TokenP256 => "countersign/v1/token/p256",
            Self::SecretFingerprint => "countersign/v1/secret-fingerprint",
            Self::LastingTrust => "countersign/v1/lasting-trust",
            Self::TrustChallenge => "countersign/v1/trust-challenge",
            Self::Canary => "countersign/v1/canary",
            Self::Message => "countersign/v1/message",
            Self::MessageTag => "countersign/v1/message-tag",
            Self::RefreshToken => "countersign/v1/refresh-token",
            Self::Guess => "countersign/v1/guess",
            Self::AuditEvent => "countersign/v1/audit-event",
            Self::AuditBlock => "countersign/v1/audit-block",
            Self::Backup => "countersign/v1/backup",
        }
    }
}

/// Why a keyring cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    #[error("the keyring holds no key")]
    Empty,
    /// A line is not `<id> <key>`.
    #[error("line {line} of the keyring is not an id of 8 hexadecimal digits and a key of 32 bytes in base64url")]
    Malformed {
        /// Counted from one.
        line: usize,
    },
    /// A line that begins with `RS256` is not `RS256 <id> <key>`.
    #[error(
        "line {line} of the keyring is not RS256, an id of 8 hexadecimal digits and an RSA key (PKCS #8 in base64url)"
    )]
    MalformedRsa {
        /// Counted from one.
        line: usize,
    },
    #[error("line {line} of the keyring repeats the id of an earlier key")]
    Repeated {
        /// Counted from one.
        line: usize,
    },
}

/// Why a sealed value cannot be opened.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("the key {0} it was sealed with is not in the keyring")]
    UnknownKey(String),
    /// Altered, or sealed for another row.
    #[error("it is damaged or belongs elsewhere")]
    Damaged,
}

/// A value encrypted with a key of the ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub key_id: String,
    /// 24 bytes of nonce, then ciphertext and tag (XChaCha20-Poly1305).
    pub bytes: Vec<u8>,
}

/// An RSA key of the ring.
struct RsaKey {
    id: String,
    /// PKCS #8.
    der: Zeroizing<Vec<u8>>,
    pair: Arc<SigningKey>,
}

impl RsaKey {
    fn new(id: String, der: Zeroizing<Vec<u8>>) -> Option<Self> {
        let pair = Arc::new(SigningKey::Rs256(RsaKeyPair::from_pkcs8(&der).ok()?));
        Some(Self { id, der, pair })
    }

    /// A new key of 2048 bits.
    fn generate() -> Result<Self, Unspecified> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)?;
        let der = Zeroizing::new(der.as_ref().to_vec());
        // The id reveals nothing that the public key does not.
        let digest = Sha256::digest(pair.public_key().as_ref());
        Ok(Self { id: HEXLOWER.encode(&digest[..4]), der, pair: Arc::new(SigningKey::Rs256(pair)) })
    }
}

/// Key pairs derived from a root key.
struct DerivedPairs {
    ed25519: Arc<SigningKey>,
    /// `None` if the derived number is no scalar of the curve (probability 2^-32).
    p256: Option<Arc<SigningKey>>,
}

impl DerivedPairs {
    fn of(key: &RingKey) -> Self {
        let ed25519 = Ed25519KeyPair::from_seed_unchecked(key.key(Purpose::TokenEd25519));
        Self {
            ed25519: Arc::new(SigningKey::EdDsa(ed25519.expect("every 32 bytes are a seed"))),
            p256: p256_pair(key.key(Purpose::TokenP256)).map(SigningKey::Es256).map(Arc::new),
        }
    }
}

fn p256_pair(scalar: &[u8; KEY_BYTES]) -> Option<EcdsaKeyPair> {
    let private = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, scalar).ok()?;
    let public = private.compute_public_key().ok()?;
    EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, scalar, public.as_ref()).ok()
}

#[derive(Zeroize, ZeroizeOnDrop)]
struct RingKey {
    #[zeroize(skip)]
    id: String,
    root: [u8; KEY_BYTES],
    derived: [[u8; KEY_BYTES]; Purpose::ALL.len()],
}

impl RingKey {
    fn generate(random: &mut dyn CryptoRng) -> Self {
        let mut root = [0; KEY_BYTES];
        let mut id = [0; 4];
        random.fill_bytes(&mut root);
        random.fill_bytes(&mut id);
        Self::new(HEXLOWER.encode(&id), root)
    }

    fn new(id: String, root: [u8; KEY_BYTES]) -> Self {
        let mut derived = [[0; KEY_BYTES]; Purpose::ALL.len()];
        let hkdf = Hkdf::<Sha256>::new(None, &root);
        for (purpose, key) in Purpose::ALL.iter().zip(&mut derived) {
            hkdf.expand(purpose.label().as_bytes(), key).expect("32 bytes are a valid HKDF-SHA-256 output");
        }
        Self { id, root, derived }
    }

    fn key(&self, purpose: Purpose) -> &[u8; KEY_BYTES] {
        &self.derived[purpose as usize]
    }

    fn mac(&self, purpose: Purpose, message: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key(purpose)).expect("HMAC takes keys of any length");
        mac.update(message);
        mac.finalize().into_bytes().into()
    }
}

/// At least one root key; the first is the active one.
struct Ring {
    keys: Vec<RingKey>,
    /// One for each of `keys`, in the same order.
    pairs: Vec<DerivedPairs>,
    rsa_keys: Vec<RsaKey>,
}

impl Ring {
    fn new(keys: Vec<RingKey>, rsa_keys: Vec<RsaKey>) -> Self {
        let pairs = keys.iter().map(DerivedPairs::of).collect();
        Self { keys, pairs, rsa_keys }
    }

    fn active(&self) -> &RingKey {
        self.keys.first().expect("a ring is never empty")
    }

    fn seal_with(&self, purpose: Purpose, row: &[u8], plain: &[u8], nonce: [u8; NONCE_BYTES]) -> Sealed {
        let key = self.active();
        let sealed = XChaCha20Poly1305::new(key.key(purpose).into())
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: row })
            .expect("a message of a few bytes is within the cipher's limits");
        let bytes = [&nonce[..], &sealed].concat();
        Sealed { key_id: key.id.clone(), bytes }
    }
}

/// The keys of a server. All that share it see a ring that takes its place ([`Keyring::replace_with`]).
pub struct Keyring(RwLock<Arc<Ring>>);

impl Keyring {
    /// A ring with one new key.
    #[must_use]
    pub fn generate(random: &mut dyn CryptoRng) -> Self {
        Self::of(vec![RingKey::generate(random)], Vec::new())
    }

    fn of(keys: Vec<RingKey>, rsa_keys: Vec<RsaKey>) -> Self {
        Self(RwLock::new(Arc::new(Ring::new(keys, rsa_keys))))
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts the keys of another ring in the place of these. Each operation uses one ring; a request may use both.
    pub fn replace_with(&self, other: &Self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = other.ring();
    }

    /// The keys as they are now; later changes of this ring do not reach it.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self(RwLock::new(self.ring()))
    }

    /// Adds a new RSA key of 2048 bits as the active one.
    ///
    /// # Errors
    /// If the key cannot be generated.
    pub fn add_rsa_key(&mut self) -> Result<(), Unspecified> {
        let id = self.add_pending_rsa()?;
        self.activate(&id);
        Ok(())
    }

    /// The key pairs for this algorithm, the signing one first, each with its key id (`kid`).
    #[must_use]
    pub fn signing_keys(&self, algorithm: Algorithm) -> Vec<(String, Arc<SigningKey>)> {
        let ring = self.ring();
        let kid = |id: &str| format!("{id}-{}", algorithm.name());
        let derived = ring.keys.iter().zip(&ring.pairs).filter_map(|(key, pairs)| {
            let pair = match algorithm {
                Algorithm::EdDsa => Some(&pairs.ed25519),
                Algorithm::Es256 => pairs.p256.as_ref(),
                Algorithm::Rs256 => None,
            };
            pair.map(|pair| (kid(&key.id), Arc::clone(pair)))
        });
        let own = ring.rsa_keys.iter().filter(|_| algorithm == Algorithm::Rs256);
        derived.chain(own.map(|key| (kid(&key.id), Arc::clone(&key.pair)))).collect()
    }

    /// Reads the text form: a line `<id> <key>` for each key, the active one first, and a line `RS256 <id> <key>` for each
    /// RSA key; blank lines and lines that start with `#` do not count.
    ///
    /// # Errors
    /// Names the line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let (mut keys, mut rsa_keys): (Vec<RingKey>, Vec<RsaKey>) = (Vec::new(), Vec::new());
        let is_id = |id: &str| id.len() == 8 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        for (line, content) in (1..).zip(text.lines().map(str::trim)) {
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            if let Some(rest) = content.strip_prefix("RS256") {
                let malformed = || KeyringError::MalformedRsa { line };
                let (id, key) = rest.trim().split_once(char::is_whitespace).ok_or_else(malformed)?;
                let der = BASE64URL_NOPAD.decode(key.trim().as_bytes()).map_err(|_| malformed())?;
                let key = RsaKey::new(id.to_owned(), Zeroizing::new(der)).filter(|_| is_id(id));
                if rsa_keys.iter().any(|known| known.id == id) {
                    return Err(KeyringError::Repeated { line });
                }
                rsa_keys.push(key.ok_or_else(malformed)?);
                continue;
            }
            let malformed = || KeyringError::Malformed { line };
            let (id, key) = content.split_once(char::is_whitespace).ok_or_else(malformed)?;
            if !is_id(id) {
                return Err(malformed());
            }
            let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(key.trim().as_bytes()).map_err(|_| malformed())?);
            let root = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_| malformed())?;
            if keys.iter().any(|known| known.id == id) {
                return Err(KeyringError::Repeated { line });
            }
            keys.push(RingKey::new(id.to_owned(), root));
        }
        if keys.is_empty() { Err(KeyringError::Empty) } else { Ok(Self::of(keys, rsa_keys)) }
    }

    /// The text form that [`Keyring::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let ring = self.ring();
        let mut text = Zeroizing::new(String::from(
            "# Countersign keyring: one key a line, the first one signs and seals, the others still open.\n",
        ));
        for key in &ring.keys {
            let encoded = Zeroizing::new(BASE64URL_NOPAD.encode(&key.root));
            writeln!(text, "{} {}", key.id, *encoded).expect("writing to a string cannot fail");
        }
        for key in &ring.rsa_keys {
            let encoded = Zeroizing::new(BASE64URL_NOPAD.encode(&key.der));
            writeln!(text, "RS256 {} {}", key.id, *encoded).expect("writing to a string cannot fail");
        }
        text
    }

    /// Id of the key that signs and seals.
    #[must_use]
    pub fn active_id(&self) -> String {
        self.ring().active().id.clone()
    }

    /// HMAC-SHA-256 of `message` under the active key for `purpose`.
    #[must_use]
    pub fn mac(&self, purpose: Purpose, message: &[u8]) -> [u8; 32] {
        self.ring().active().mac(purpose, message)
    }

    /// The same under every key of the ring, the active one first.
    #[must_use]
    pub fn macs(&self, purpose: Purpose, message: &[u8]) -> Vec<[u8; 32]> {
        self.ring().keys.iter().map(|key| key.mac(purpose, message)).collect()
    }

    /// Whether `tag` is the MAC of `message` under any key of the ring; takes the same time for every wrong tag.
    #[must_use]
    pub fn verify(&self, purpose: Purpose, message: &[u8], tag: &[u8]) -> bool {
        let ring = self.ring();
        let right = ring.keys.iter().fold(Choice::from(0), |found, key| found | key.mac(purpose, message).ct_eq(tag));
        right.into()
    }

    /// The MAC under the active key, and the id of that key.
    #[must_use]
    pub fn mac_by_active(&self, purpose: Purpose, message: &[u8]) -> ([u8; 32], String) {
        let ring = self.ring();
        (ring.active().mac(purpose, message), ring.active().id.clone())
    }

    /// Whether `tag` is the MAC of `message` under the key with this id; `None` if that key is not in the ring.
    #[must_use]
    pub fn verify_by(&self, key_id: &str, purpose: Purpose, message: &[u8], tag: &[u8]) -> Option<bool> {
        let ring = self.ring();
        let key = ring.keys.iter().find(|key| key.id == key_id)?;
        Some(key.mac(purpose, message).ct_eq(tag).into())
    }

    /// Encrypts `plain` with the id of the `row` it is stored in as associated data, so that it opens for that row only.
    #[must_use]
    pub fn seal(&self, purpose: Purpose, row: &[u8], plain: &[u8], random: &mut dyn CryptoRng) -> Sealed {
        let mut nonce = [0; NONCE_BYTES];
        random.fill_bytes(&mut nonce);
        self.ring().seal_with(purpose, row, plain, nonce)
    }

    /// The same without randomness: the nonce is a MAC of row and text under the key for `nonces`, so that no two texts share one.
    #[must_use]
    pub fn seal_synthetic(&self, purpose: Purpose, nonces: Purpose, row: &[u8], plain: &[u8]) -> Sealed {
        let length = u64::try_from(row.len()).unwrap_or(u64::MAX).to_be_bytes();
        let ring = self.ring();
        let mac = ring.active().mac(nonces, &Zeroizing::new([b"nonce:", &length[..], row, plain].concat()));
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&mac[..NONCE_BYTES]);
        ring.seal_with(purpose, row, plain, nonce)
    }

    /// Decrypts a value that [`Keyring::seal`] made for the same purpose and row.
    ///
    /// # Errors
    /// If its key is not in the ring, or the bytes were not sealed for this row.
    pub fn open(&self, purpose: Purpose, row: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let ring = self.ring();
        let key = ring.keys.iter().find(|key| key.id == sealed.key_id);
        let key = key.ok_or_else(|| OpenError::UnknownKey(sealed.key_id.clone()))?;
        let (nonce, message) = sealed.bytes.split_at_checked(NONCE_BYTES).ok_or(OpenError::Damaged)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| OpenError::Damaged)?;
        XChaCha20Poly1305::new(key.key(purpose).into())
            .decrypt(&nonce, Payload { msg: message, aad: row })
            .map(Zeroizing::new)
            .map_err(|_| OpenError::Damaged)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.entries().iter().map(|entry| &entry.id)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn purposes_are_listed_in_the_order_of_their_discriminants() {
        for (index, purpose) in Purpose::ALL.iter().enumerate() {
            assert_eq!(*purpose as usize, index);
        }
    }

    #[test]
    fn a_rotated_ring_still_opens_and_verifies_what_the_old_one_made() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let old = Keyring::generate(&mut random);
        let sealed = old.seal(Purpose::TotpSecret, b"row 1", b"secret", &mut random);
        let tag = old.mac(Purpose::SessionCookie, b"value");
        let text = format!("{}{}", *Keyring::generate(&mut random).to_text(), *old.to_text());
        let rotated = Keyring::parse(&text).expect("two keys");
        assert_eq!(rotated.open(Purpose::TotpSecret, b"row 1", &sealed).expect("opens").as_slice(), b"secret");
        assert!(rotated.verify(Purpose::SessionCookie, b"value", &tag));
        assert_ne!(rotated.mac(Purpose::SessionCookie, b"value"), tag, "the new key signs");
    }

    #[test]
    fn sealed_bytes_open_nowhere_else_and_not_when_altered() {
        let mut random = ChaCha20Rng::seed_from_u64(2);
        let ring = Keyring::generate(&mut random);
        let sealed = ring.seal(Purpose::TotpSecret, b"row 1", b"secret", &mut random);
        assert_eq!(ring.open(Purpose::TotpSecret, b"row 2", &sealed), Err(OpenError::Damaged));
        assert_eq!(ring.open(Purpose::OneTimeCode, b"row 1", &sealed), Err(OpenError::Damaged));
        for position in 0..sealed.bytes.len() {
            let mut altered = sealed.clone();
            altered.bytes[position] ^= 1;
            assert_eq!(ring.open(Purpose::TotpSecret, b"row 1", &altered), Err(OpenError::Damaged));
        }
        let stranger = Keyring::generate(&mut random);
        assert!(matches!(stranger.open(Purpose::TotpSecret, b"row 1", &sealed), Err(OpenError::UnknownKey(_))));
    }

    #[test]
    fn one_purpose_never_verifies_another_38() {
        let ring = Keyring::generate(&mut ChaCha20Rng::seed_from_u64(3));
        let tag = ring.mac(Purpose::TrustCookie, b"value");
        assert!(ring.verify(Purpose::TrustCookie, b"value", &tag));
        assert!(!ring.verify(Purpose::SessionCookie, b"value", &tag));
        assert!(!ring.verify(Purpose::TrustCookie, b"value", &tag[..31]));
    }

    #[test]
    fn unusable_text_is_refused_with_its_line() {
        let good = Keyring::generate(&mut ChaCha20Rng::seed_from_u64(4)).to_text();
        assert!(Keyring::parse(&good).is_ok());
        assert_eq!(Keyring::parse("\n# nothing\n").unwrap_err(), KeyringError::Empty);
        assert_eq!(Keyring::parse("0011aabb short").unwrap_err(), KeyringError::Malformed { line: 1 });
        assert_eq!(Keyring::parse("# x\nnonsense").unwrap_err(), KeyringError::Malformed { line: 2 });
        assert_eq!(Keyring::parse(&format!("{0}{0}", *good)).unwrap_err(), KeyringError::Repeated { line: 4 });
    }
}
