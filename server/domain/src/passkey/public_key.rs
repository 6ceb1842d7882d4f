//! Public keys of passkeys, as COSE_Key (RFC 9052 §7, RFC 9053 §7); as SubjectPublicKeyInfo, see `subject_public_key_info`.

use super::cbor::{self, Map};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use ciborium::Value;
use std::ops::RangeInclusive;

/// An algorithm of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    Ed25519,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// In the order of preference: what every authenticator has comes first.
    pub const ALL: [Self; 3] = [Self::Es256, Self::Ed25519, Self::Rs256];

    /// The algorithm with this number.
    #[must_use]
    pub fn of_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.number() == number)
    }

    /// Number of the IANA COSE Algorithms registry.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::Ed25519 => -8,
            Self::Rs256 => -257,
        }
    }
}

/// A public key that signatures can be checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    Es256 {
        x: [u8; 32],
        y: [u8; 32],
    },
    Ed25519([u8; 32]),
    Rs256 {
        /// Big-endian.
        modulus: Vec<u8>,
        /// Big-endian.
        exponent: Vec<u8>,
    },
}

/// The least significant bytes first, y of the points of edwards25519 whose order is 4 or 8; y of the others of small order is 1 or -1.
#[rustfmt::skip]
const OF_ORDER_4_AND_8: [[u8; 32]; 3] = [
    [0; 32],
    [0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05],
    [0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a],
];

/// Whether an Ed25519 key is a point of small order, or is not encoded as RFC 8032 §5.1.2 has it. With a point of small order,
/// signatures of most messages can be made without a private key.
fn has_small_order(key: &[u8; 32]) -> bool {
    // The highest bit is that of x.
    let mut y = *key;
    y[31] &= 0x7f;
    let [first, between @ .., last] = &y;
    // p is 2^255 - 19, so that -1 is 0xec there, and what is above is not reduced.
    let is_minus_one_or_above = *last == 0x7f && *first >= 0xec && between.iter().all(|byte| *byte == 0xff);
    let is_one = *first == 1 && *last == 0 && between.iter().all(|byte| *byte == 0);
    is_one || is_minus_one_or_above || OF_ORDER_4_AND_8.contains(&y)
}

/// Labels of a COSE_Key.
mod label {
    pub(super) const TYPE: i64 = 1;
    pub(super) const ALGORITHM: i64 = 3;
    /// `crv`, or `n` of an RSA key.
    pub(super) const FIRST: i64 = -1;
    /// `x`, or `e` of an RSA key.
    pub(super) const SECOND: i64 = -2;
    /// `y`
    pub(super) const THIRD: i64 = -3;
}

const OCTET_KEY_PAIR: i64 = 1;
const ELLIPTIC_CURVE: i64 = 2;
const RSA: i64 = 3;
const P_256: i64 = 1;
const CURVE_ED25519: i64 = 6;

/// Of a modulus, in bytes: 2,048 to 4,096 bits.
pub(super) const MODULUS: RangeInclusive<usize> = 256..=512;
/// Of an exponent, in bytes. Keys have 65,537, which takes three.
pub(super) const EXPONENT: RangeInclusive<usize> = 1..=4;

impl PublicKey {
    /// Reads a COSE_Key and returns what follows it; `None` for a key of another algorithm, or one that is none.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (value, rest) = cbor::read(bytes)?;
        let key = Self::of_map(&Map::new(value)?)?;
        key.is_valid().then_some((key, rest))
    }

    /// Reads a COSE_Key.
    #[must_use]
    pub fn from_cose(bytes: &[u8]) -> Option<Self> {
        Self::read(bytes).filter(|(_, rest)| rest.is_empty()).map(|(key, _)| key)
    }

    fn of_map(map: &Map) -> Option<Self> {
        let algorithm = Algorithm::ALL.into_iter().find(|one| map.integer(label::ALGORITHM) == Some(one.number()))?;
        let number = |label| map.integer(label);
        let bytes = |label| map.bytes(label);
        match (algorithm, number(label::TYPE)?) {
            (Algorithm::Es256, ELLIPTIC_CURVE) if number(label::FIRST) == Some(P_256) => Some(Self::Es256 {
                x: bytes(label::SECOND)?.try_into().ok()?,
                y: bytes(label::THIRD)?.try_into().ok()?,
            }),
            (Algorithm::Ed25519, OCTET_KEY_PAIR) if number(label::FIRST) == Some(CURVE_ED25519) => {
                Some(Self::Ed25519(bytes(label::SECOND)?.try_into().ok()?))
            }
            (Algorithm::Rs256, RSA) => {
                let (modulus, exponent) = (bytes(label::FIRST)?.to_vec(), bytes(label::SECOND)?.to_vec());
                let is_sized = MODULUS.contains(&modulus.len()) && EXPONENT.contains(&exponent.len());
                is_sized.then_some(Self::Rs256 { modulus, exponent })
            }
            _ => None,
        }
    }

    /// Whether it is a key: a point of P-256, for example.
    pub(super) fn is_valid(&self) -> bool {
        match self {
            Self::Es256 { .. } => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.point()).is_ok(),
            Self::Ed25519(key) => ParsedPublicKey::new(&ED25519, key).is_ok() && !has_small_order(key),
            // With an exponent of one, the signature is the message.
            Self::Rs256 { modulus, exponent } => {
                let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
                modulus[0] != 0 && exponent[0] != 0 && is_odd(modulus) && is_odd(exponent) && exponent[..] != [1]
            }
        }
    }

    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256 { .. } => Algorithm::Es256,
            Self::Ed25519(_) => Algorithm::Ed25519,
            Self::Rs256 { .. } => Algorithm::Rs256,
        }
    }

    /// The COSE_Key in the canonical form of CTAP2, which is stored.
    #[must_use]
    pub fn to_cose(&self) -> Vec<u8> {
        let entry = |label: i64, value: Value| (Value::from(label), value);
        let number = |label: i64, number: i64| entry(label, Value::from(number));
        let bytes = |label: i64, bytes: &[u8]| entry(label, Value::Bytes(bytes.to_vec()));
        let algorithm = number(label::ALGORITHM, self.algorithm().number());
        let entries = match self {
            Self::Es256 { x, y } => vec![
                number(label::TYPE, ELLIPTIC_CURVE),
                algorithm,
                number(label::FIRST, P_256),
                bytes(label::SECOND, x),
                bytes(label::THIRD, y),
            ],
            Self::Ed25519(key) => vec![
                number(label::TYPE, OCTET_KEY_PAIR),
                algorithm,
                number(label::FIRST, CURVE_ED25519),
                bytes(label::SECOND, key),
            ],
            Self::Rs256 { modulus, exponent } => {
                vec![number(label::TYPE, RSA), algorithm, bytes(label::FIRST, modulus), bytes(label::SECOND, exponent)]
            }
        };
        let mut out = Vec::new();
        ciborium::into_writer(&Value::Map(entries), &mut out).expect("a vector takes all bytes");
        out
    }

    /// Whether this key made the signature.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256 { .. } => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.point()).verify(message, signature).is_ok()
            }
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
            Self::Rs256 { modulus, exponent } => RsaPublicKeyComponents { n: modulus, e: exponent }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
        }
    }

    /// The uncompressed point of an elliptic curve (SEC 1 §2.3.3); of other keys, nothing.
    pub(super) fn point(&self) -> Vec<u8> {
        match self {
            Self::Es256 { x, y } => [&[0x04][..], x, y].concat(),
            Self::Ed25519(_) | Self::Rs256 { .. } => Vec::new(),
        }
    }
}
