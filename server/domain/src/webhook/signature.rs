//! The signature of a webhook, as FusionAuth documents it ("Signing Webhooks"): a JSON Web Token in a header, whose claim
//! `request_body_sha256` is the SHA-256 of the body in base64.
//!
//! The key is an HMAC key that both sides have (`HS256`, RFC 7518 §3.2), one of the three kinds that FusionAuth signs with: each
//! receiver has one of its own, and none of the keys that sign access tokens is lent to another purpose.

use crate::time::Timestamp;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Name of the header with the signature.
pub const SIGNATURE_HEADER: &str = "X-FusionAuth-Signature-JWT";

/// In bytes: RFC 7518 §3.2 wants a key as long as the hash.
pub const SHORTEST_SECRET: usize = 32;

/// The key that a receiver shares with the server: the bytes of a text.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// `None` for one that could be guessed.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (text.len() >= SHORTEST_SECRET).then(|| Self(text.to_owned()))
    }

    /// The token for a body that is sent at this time.
    #[must_use]
    pub fn sign(&self, body: &[u8], now: Timestamp) -> String {
        let part = |value: serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let header = part(json!({ "alg": "HS256", "typ": "JWT" }));
        let digest = BASE64.encode(&Sha256::digest(body));
        let claims = part(json!({ "request_body_sha256": digest, "iat": now.as_unix_seconds() }));
        let signed = format!("{header}.{claims}");
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(signed.as_bytes());
        let signature = BASE64URL_NOPAD.encode(&mac.finalize().into_bytes());
        format!("{signed}.{signature}")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::hmac as other;

    const TEXT: &str = "0123456789abcdef0123456789abcdef";

    /// Verified with another implementation than it was made with.
    #[test]
    fn a_token_is_signed_and_names_its_body() {
        let secret = Secret::new(TEXT).expect("long enough");
        let token = secret.sign(b"{\"event\":{}}", Timestamp::from_millis(1_700_000_000_999));
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else { panic!("{token}") };
        let key = other::Key::new(other::HMAC_SHA256, TEXT.as_bytes());
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).expect("base64");
        other::verify(&key, format!("{header}.{claims}").as_bytes(), &signature).expect("signed");
        let json = |part: &str| -> serde_json::Value {
            serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).expect("base64")).expect("JSON")
        };
        assert_eq!(json(header), json!({ "alg": "HS256", "typ": "JWT" }));
        // `printf '{"event":{}}' | openssl dgst -sha256 -binary | base64`
        let digest = BASE64.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"{\"event\":{}}").as_ref());
        assert_eq!(json(claims), json!({ "request_body_sha256": digest, "iat": 1_700_000_000 }));
    }

    #[test]
    fn a_secret_is_long_and_is_not_printed() {
        assert!(Secret::new(&TEXT[1..]).is_none());
        assert_eq!(format!("{:?}", Secret::new(TEXT)), "Some([redacted])");
    }
}
