//! Passkeys: public keys whose private half an authenticator holds (WebAuthn Level 3), to sign in with and as a second factor.
//!
//! | module | contents |
//! |---|---|
//! | [`relying_party`] | for whom passkeys are: the domain, and the origins of pages that may ask for them |
//! | [`ceremony`] | a registration or an assertion that a client was asked for |
//! | [`options`] | what a browser is asked for |
//! | [`response`] | what a browser gives, decoded |
//! | [`verifier`] | whether a response is right; the only module that knows how it is made |
//! | [`public_key`] | public keys and their algorithms |
//!
//! What a right assertion is worth is decided in [`crate::decisions::passkey_use`].

mod authenticator_data;
mod cbor;
pub mod ceremony;
mod client_data;
pub mod options;
pub mod public_key;
pub mod relying_party;
pub mod response;
mod subject_public_key_info;
pub mod verifier;

use crate::address::MethodKind;
use crate::ids::{AccountId, MethodId};
use crate::method::{Method, MethodHandle};
use crate::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;
use public_key::PublicKey;
use relying_party::RelyingPartyId;

/// Id that an authenticator gave a passkey. Clients that sign a user in are told it, so it is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CredentialId(Vec<u8>);

impl CredentialId {
    /// In bytes: 16 because an id has at least 100 random bits (WebAuthn Level 3 §4, "Credential ID").
    const SHORTEST: usize = 16;
    /// In bytes (WebAuthn Level 3 §7.1 step 25).
    const LONGEST: usize = 1023;

    /// `None` if there are too few bytes or too many.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (Self::SHORTEST..=Self::LONGEST).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// Reads base64url without padding.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        BASE64URL_NOPAD.decode(text.as_bytes()).ok().and_then(Self::new)
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// In base64url without padding.
    #[must_use]
    pub fn to_text(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }
}

/// How an authenticator is reached, as the browser said at registration: `internal`, `usb` and the like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transports(Vec<String>);

impl Transports {
    /// How many names are kept; the specification knows six.
    const MOST: usize = 8;
    /// Of a name, in characters.
    const LONGEST: usize = 32;

    /// Takes what a browser said. Names that could not be one are left out, because a browser only gets them back as a hint.
    #[must_use]
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut kept: Vec<String> = Vec::new();
        for name in names {
            let is_name = (1..=Self::LONGEST).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if is_name && kept.len() < Self::MOST && kept.iter().all(|known| known != name) {
                kept.push(name.to_owned());
            }
        }
        Self(kept)
    }

    /// Reads the stored form.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::new(text.split(','))
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The stored form: joined by commas.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.join(",")
    }
}

/// Whether a passkey can leave its authenticator (WebAuthn Level 3 §6.1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backup {
    /// It can: a provider syncs it among devices. Otherwise it is bound to one device.
    pub is_eligible: bool,
    /// It has.
    pub is_backed_up: bool,
}

/// Model of an authenticator; zeros if it does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aaguid([u8; 16]);

impl Aaguid {
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// As a UUID with hyphens.
    #[must_use]
    pub fn to_text(self) -> String {
        uuid::Uuid::from_bytes(self.0).hyphenated().to_string()
    }
}

/// A passkey of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    pub id: MethodId,
    pub account_id: AccountId,
    /// Unique among the methods of the account, too.
    pub handle: MethodHandle,
    pub credential_id: CredentialId,
    pub relying_party: RelyingPartyId,
    pub public_key: PublicKey,
    /// The signature counter that was seen last.
    pub counter: u32,
    /// The user's label.
    pub name: Option<String>,
    pub transports: Transports,
    pub aaguid: Aaguid,
    /// Whether the authenticator verified the user at registration.
    pub user_verified: bool,
    pub backup: Backup,
    /// Format of the attestation statement, which is recorded and proves nothing here.
    pub attestation: String,
    /// When it last signed in or passed a second factor.
    pub last_used_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub description: Description,
    /// Whether another server registered it, which gave its authenticator a user handle of its own.
    pub is_imported: bool,
}

/// What was said of a passkey when it was registered, and not verified. `None` where nobody has said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// What authenticators show as the user's login name.
    pub user_name: Option<String>,
    /// The browser.
    pub user_agent: Option<String>,
    /// Whether its authenticator lists it where no user is named.
    pub is_discoverable: Option<bool>,
}

impl Passkey {
    /// The passkey as one of the account's methods.
    #[must_use]
    pub fn as_method(&self) -> Method {
        Method {
            id: self.id,
            handle: self.handle.clone(),
            kind: MethodKind::Passkey,
            name: self.name.clone(),
            address: None,
            proved_at: None,
            last_used_at: self.last_used_at,
        }
    }
}

/// The user handle of an account: its id with hyphens. It is the same for all its passkeys, so that an authenticator keeps one entry
/// for each account, and it is no personal datum (WebAuthn Level 3 §14.6.1).
#[must_use]
pub fn user_handle(account_id: AccountId) -> String {
    account_id.to_hyphenated()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_id_has_sixteen_to_1023_bytes_and_one_spelling() {
        for (length, is_id) in [(0, false), (15, false), (16, true), (1023, true), (1024, false)] {
            assert_eq!(CredentialId::new(vec![7; length]).is_some(), is_id, "{length}");
        }
        let id = CredentialId::new(vec![0xfb; 16]).expect("16 bytes");
        assert_eq!(id.to_text(), "-_v7-_v7-_v7-_v7-_v7-w");
        assert_eq!(CredentialId::parse(&id.to_text()), Some(id));
        for odd in ["", "-_v7", "-_v7-_v7-_v7-_v7-_v7-w==", "+/v7+/v7+/v7+/v7+/v7+w", "-_v7-_v7-_v7-_v7-_v7-x"] {
            assert_eq!(CredentialId::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn transports_are_a_few_names_and_survive_being_stored() {
        let long = "x".repeat(33);
        let transports = Transports::new(["internal", "hybrid", "internal", "", "a,b", "USB", &long]);
        assert_eq!(transports.to_text(), "internal,hybrid");
        assert_eq!(Transports::parse("internal,hybrid"), transports);
        assert_eq!(Transports::parse(""), Transports::default());
        let many: Vec<String> = (0..20).map(|number| format!("t{number}")).collect();
        assert_eq!(Transports::new(many.iter().map(String::as_str)).iter().count(), 8);
    }
}
