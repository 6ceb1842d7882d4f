//! Public keys as SubjectPublicKeyInfo in PEM (RFC 5280 §4.1, RFC 7468 §13), in DER (X.690 §10).

use super::public_key::PublicKey;
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

/// A positive number without leading zeros: one is put before a first bit that would be the sign.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if bytes.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
    element(tag::INTEGER, &[sign, bytes].concat())
}
