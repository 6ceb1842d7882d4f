//! Public keys as SubjectPublicKeyInfo in PEM (RFC 5280 §4.1, RFC 7468 §13), in DER (X.690 §10).

use super::public_key::{EXPONENT, MODULUS, PublicKey};
use data_encoding::BASE64;

const HEAD: &str = "-----BEGIN PUBLIC KEY-----";
const FOOT: &str = "-----END PUBLIC KEY-----";
/// Characters of a line (RFC 7468 §2).
const LINE: usize = 64;

mod tag {
    pub(super) const INTEGER: u8 = 0x02;
    pub(super) const BIT_STRING: u8 = 0x03;
    pub(super) const SEQUENCE: u8 = 0x30;
}

/// `id-ecPublicKey` with the curve `secp256r1` (RFC 5480 §2.1.1).
const P_256: [u8; 21] = [
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07,
];
/// `id-Ed25519` (RFC 8410 §3).
const ED25519: [u8; 7] = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
/// `rsaEncryption`, whose parameters are NULL (RFC 3279 §2.3.1).
const RSA: [u8; 15] = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

impl PublicKey {
    /// Reads a key in PEM; `None` for a key of another algorithm, or one that is none.
    #[must_use]
    pub fn from_pem(text: &str) -> Option<Self> {
        let body = text.trim().strip_prefix(HEAD)?.strip_suffix(FOOT)?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = BASE64.decode(body.as_bytes()).ok()?;
        let info = whole(tag::SEQUENCE, &der)?;
        let key_of = |rest| whole(tag::BIT_STRING, rest)?.strip_prefix(&[0]);
        let key = if let Some(rest) = info.strip_prefix(&P_256) {
            let (x, y) = key_of(rest)?.strip_prefix(&[0x04])?.split_at_checked(32)?;
            Self::Es256 { x: x.try_into().ok()?, y: y.try_into().ok()? }
        } else if let Some(rest) = info.strip_prefix(&ED25519) {
            Self::Ed25519(key_of(rest)?.try_into().ok()?)
        } else {
            let numbers = whole(tag::SEQUENCE, key_of(info.strip_prefix(&RSA)?)?)?;
            let (modulus, rest) = positive(numbers)?;
            let (exponent, rest) = positive(rest)?;
            let is_sized = MODULUS.contains(&modulus.len()) && EXPONENT.contains(&exponent.len());
            (rest.is_empty() && is_sized).then(|| Self::Rs256 { modulus: modulus.to_vec(), exponent: exponent.to_vec() })?
        };
        key.is_valid().then_some(key)
    }

    /// The key in PEM, with a line feed at the end.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let (algorithm, key) = match self {
            Self::Es256 { .. } => (&P_256[..], self.point()),
            Self::Ed25519(key) => (&ED25519[..], key.to_vec()),
            Self::Rs256 { modulus, exponent } => {
                (&RSA[..], element(tag::SEQUENCE, &[integer(modulus), integer(exponent)].concat()))
            }
        };
        // No bits of the last byte are unused.
        let key = element(tag::BIT_STRING, &[&[0], &key[..]].concat());
        let text = BASE64.encode(&element(tag::SEQUENCE, &[algorithm, &key].concat()));
        let lines: Vec<&str> = text.as_bytes().chunks(LINE).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        format!("{HEAD}\n{}\n{FOOT}\n", lines.join("\n"))
    }
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut head = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => head.push(length),
        _ => {
            let length: Vec<u8> = content.len().to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            head.push(0x80 | u8::try_from(length.len()).expect("a length has eight bytes at most"));
            head.extend(length);
        }
    }
    head.extend_from_slice(content);
    head
}

/// Reads an element with this tag, and returns its content and what follows it.
fn read(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.strip_prefix(&[tag])?.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        // No key has 64 KiB.
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))?,
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// Reads an element with this tag that nothing follows, and returns its content.
fn whole(tag: u8, bytes: &[u8]) -> Option<&[u8]> {
    read(tag, bytes).filter(|(_, rest)| rest.is_empty()).map(|(content, _)| content)
}

/// Reads a positive number, without the zero that stands for its sign.
fn positive(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (number, rest) = read(tag::INTEGER, bytes)?;
    let number = match number {
        [0, number @ ..] => number,
        [first, ..] if *first < 0x80 => number,
        _ => return None,
    };
    Some((number, rest))
}

/// A positive number without leading zeros: one is put before a first bit that would be the sign.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if bytes.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
    element(tag::INTEGER, &[sign, bytes].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passkey::public_key::Algorithm;

    /// The generator of P-256 (SEC 2 §2.4.2).
    const X: [u8; 32] = [
        0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d,
        0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
    ];
    const Y: [u8; 32] = [
        0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33,
        0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
    ];
    /// As OpenSSL writes it.
    const GENERATOR: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt
6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==
-----END PUBLIC KEY-----
";
    /// Of the private key of RFC 8410 §10.3.
    const ED25519_KEY: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";

    #[test]
    fn keys_of_each_algorithm_are_read_and_written() {
        let point = PublicKey::Es256 { x: X, y: Y };
        assert_eq!((point.to_pem().as_str(), PublicKey::from_pem(GENERATOR)), (GENERATOR, Some(point)));
        let key = PublicKey::from_pem(ED25519_KEY).expect("a key");
        assert_eq!((key.algorithm(), key.to_pem().as_str()), (Algorithm::Ed25519, ED25519_KEY));
        for first in [0xff, 0x7f] {
            let modulus = [&[first][..], &[0xab; 255]].concat();
            let key = PublicKey::Rs256 { modulus, exponent: vec![1, 0, 1] };
            assert_eq!(PublicKey::from_pem(&key.to_pem()), Some(key));
        }
    }

    #[test]
    fn what_is_no_key_in_pem_is_refused_58() {
        let one_line = GENERATOR.replace('\n', " ");
        assert!(PublicKey::from_pem(&one_line).is_some(), "line breaks are lost on the way");
        let body = |text: &str| format!("{HEAD}\n{text}\n{FOOT}\n");
        let small = PublicKey::Rs256 { modulus: vec![0xff; 128], exponent: vec![1, 0, 1] }.to_pem();
        let no_point = PublicKey::Es256 { x: X, y: X }.to_pem();
        let longer = GENERATOR.replace("R9Q==", "R9QA=");
        for odd in ["", HEAD, &body(""), &body("!"), &body("MA=="), &small, &no_point, &longer, &GENERATOR[30..]] {
            assert_eq!(PublicKey::from_pem(odd), None, "{odd}");
        }
    }
}
