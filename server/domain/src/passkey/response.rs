//! What a browser gives: `RegistrationResponseJSON` and `AuthenticationResponseJSON` (WebAuthn Level 3 §5.1), decoded.

use super::client_data::ClientData;
use super::{CredentialId, Transports};
use crate::secret::Digest;
use data_encoding::BASE64URL_NOPAD;

/// The only type of credential that there is.
const PUBLIC_KEY: &str = "public-key";

/// A response to a request for a new passkey, as a client sent it: base64url without padding.
#[derive(Clone, Copy, Debug)]
pub struct EncodedRegistration<'a> {
    pub id: &'a str,
    pub raw_id: Option<&'a str>,
    pub kind: &'a str,
    pub client_data: &'a str,
    pub attestation_object: &'a str,
    pub transports: &'a [String],
    /// Whether its authenticator lists the passkey where no user is named, if the browser says so.
    pub is_discoverable: Option<bool>,
}

/// A response to a request for a signature, as a client sent it: base64url without padding.
#[derive(Clone, Copy, Debug)]
pub struct EncodedAssertion<'a> {
    pub id: &'a str,
    pub raw_id: Option<&'a str>,
    pub kind: &'a str,
    pub client_data: &'a str,
    pub authenticator_data: &'a str,
    pub signature: &'a str,
    pub user_handle: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationResponse {
    pub credential_id: CredentialId,
    /// JSON.
    pub client_data: Vec<u8>,
    /// CBOR.
    pub attestation_object: Vec<u8>,
    pub transports: Transports,
    /// Whether its authenticator lists the passkey where no user is named, if the browser says so.
    pub is_discoverable: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertionResponse {
    pub credential_id: CredentialId,
    /// JSON.
    pub client_data: Vec<u8>,
    pub authenticator_data: Vec<u8>,
    pub signature: Vec<u8>,
    /// Whose passkey it is, if the authenticator says so.
    pub user_handle: Option<Vec<u8>>,
}

impl EncodedRegistration<'_> {
    /// `None` for what is not encoded as it should be.
    #[must_use]
    pub fn decode(&self) -> Option<RegistrationResponse> {
        Some(RegistrationResponse {
            credential_id: credential_id(self.id, self.raw_id, self.kind)?,
            client_data: bytes(self.client_data)?,
            attestation_object: bytes(self.attestation_object)?,
            transports: Transports::new(self.transports.iter().map(String::as_str)),
            is_discoverable: self.is_discoverable,
        })
    }
}

impl EncodedAssertion<'_> {
    /// `None` for what is not encoded as it should be.
    #[must_use]
    pub fn decode(&self) -> Option<AssertionResponse> {
        Some(AssertionResponse {
            credential_id: credential_id(self.id, self.raw_id, self.kind)?,
            client_data: bytes(self.client_data)?,
            authenticator_data: bytes(self.authenticator_data)?,
            signature: bytes(self.signature)?,
            user_handle: match self.user_handle {
                Some(handle) => Some(bytes(handle)?),
                None => None,
            },
        })
    }
}

/// Digest of the challenge in client data, which the response may or may not be to.
#[must_use]
pub fn presented_challenge(client_data: &str) -> Option<Digest> {
    bytes(client_data).and_then(|json| ClientData::read(&json)).map(|data| data.challenge())
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

/// `id` and `rawId` are the same bytes.
fn credential_id(id: &str, raw_id: Option<&str>, kind: &str) -> Option<CredentialId> {
    let is_one = kind == PUBLIC_KEY && raw_id.is_none_or(|raw_id| raw_id == id);
    CredentialId::parse(id).filter(|_| is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "-_v7-_v7-_v7-_v7-_v7-w";

    #[test]
    fn what_is_no_base64url_or_has_two_ids_is_refused_58() {
        let assertion = EncodedAssertion {
            id: ID,
            raw_id: Some(ID),
            kind: "public-key",
            client_data: "e30",
            authenticator_data: "AA",
            signature: "AA",
            user_handle: Some("YQ"),
        };
        let decoded = assertion.decode().expect("decoded");
        assert_eq!((decoded.client_data, decoded.user_handle), (b"{}".to_vec(), Some(b"a".to_vec())));
        assert!(EncodedAssertion { raw_id: None, user_handle: None, ..assertion }.decode().is_some());
        for odd in [
            EncodedAssertion { raw_id: Some("AAAAAAAAAAAAAAAAAAAAAA"), ..assertion },
            EncodedAssertion { kind: "password", ..assertion },
            EncodedAssertion { id: "AA", raw_id: None, ..assertion },
            EncodedAssertion { client_data: "e30=", ..assertion },
            EncodedAssertion { authenticator_data: "A", ..assertion },
            EncodedAssertion { signature: "++", ..assertion },
            EncodedAssertion { user_handle: Some("ä"), ..assertion },
        ] {
            assert_eq!(odd.decode(), None, "{odd:?}");
        }
    }

    #[test]
    fn a_registration_keeps_what_a_browser_says_of_transports() {
        let transports = ["usb".to_owned(), "NFC".to_owned()];
        let registration = EncodedRegistration {
            id: ID,
            raw_id: None,
            kind: "public-key",
            client_data: "e30",
            attestation_object: "oA",
            transports: &transports,
            is_discoverable: Some(true),
        };
        let decoded = registration.decode().expect("decoded");
        assert_eq!((decoded.transports.to_text(), decoded.attestation_object), ("usb".to_owned(), vec![0xa0]));
        assert_eq!(decoded.is_discoverable, Some(true));
        assert_eq!(EncodedRegistration { attestation_object: "o", ..registration }.decode(), None);
    }

    #[test]
    fn client_data_says_which_challenge_it_responds_to() {
        let encoded = |json: &str| BASE64URL_NOPAD.encode(json.as_bytes());
        let data = r#"{"type":"webauthn.get","challenge":"AAAA","origin":"https://example.org"}"#;
        assert_eq!(presented_challenge(&encoded(data)), Some(Digest::of("AAAA")));
        for odd in [encoded(r#"{"type":"webauthn.get","origin":"https://example.org"}"#), encoded("x"), "=".to_owned()] {
            assert_eq!(presented_challenge(&odd), None, "{odd}");
        }
    }
}
