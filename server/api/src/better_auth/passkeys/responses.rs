//! Bodies of responses. Options go to `navigator.credentials` as they are (`PublicKeyCredentialCreationOptionsJSON` and
//! `PublicKeyCredentialRequestOptionsJSON` of WebAuthn Level 3).

use super::super::responses::{Session, User};
use super::super::values::{ChallengeMethod, ID, WireTime, debug_only};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Credential ids in base64url without padding.
const CREDENTIAL_ID: &str = "^[A-Za-z0-9_-]+$";
/// 32 bytes in base64url without padding.
const CHALLENGE: &str = "^[A-Za-z0-9_-]{43}$";

/// The only type of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialType {
    /// A key pair.
    PublicKey,
}

/// A passkey, as browsers look for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Descriptor {
    /// The credential id in base64url.
    #[schemars(regex = "CREDENTIAL_ID")]
    pub id: String,
    /// Always a key pair.
    #[serde(rename = "type")]
    pub kind: CredentialType,
    /// How browsers reach its authenticator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transports: Option<Vec<String>>,
}

/// Whether the authenticator is to say which model it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AttestationPreference {
    /// It need not.
    None,
    /// It shall, with a statement that can be checked.
    Direct,
}

/// Whether the authenticator has to verify the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UserVerification {
    /// If it can.
    Preferred,
    /// Always.
    Required,
}

/// Whether the passkey is to be found without the user's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResidentKey {
    /// If the authenticator can store it.
    Preferred,
}

/// Where the authenticator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Attachment {
    /// Part of the device.
    Platform,
    /// Goes from device to device.
    CrossPlatform,
}

/// Success of generate-register-options.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    /// 32 random bytes in base64url.
    #[schemars(regex = "CHALLENGE")]
    pub challenge: String,
    /// The application that the passkey is for.
    pub rp: RelyingParty,
    /// What authenticators show.
    pub user: PasskeyUser,
    /// The algorithms that are accepted, the preferred one first.
    pub pub_key_cred_params: Vec<Parameters>,
    /// In milliseconds.
    #[schemars(range(min = 1))]
    pub timeout: i64,
    /// The user's passkeys.
    pub exclude_credentials: Vec<Descriptor>,
    /// What the authenticator has to be capable of.
    pub authenticator_selection: AuthenticatorSelection,
    /// Whether the authenticator is to say which model it is.
    pub attestation: AttestationPreference,
    /// Extensions of WebAuthn.
    pub extensions: Extensions,
    /// Always empty.
    pub hints: Vec<String>,
}

/// The application that a passkey is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RelyingParty {
    /// The application's name, which authenticators show.
    pub name: String,
    /// The domain that the passkey is bound to.
    pub id: String,
}

/// What authenticators show.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyUser {
    /// The user handle in base64url.
    pub id: String,
    /// The `name` of the request, else the e-mail address.
    pub name: String,
    /// The e-mail address.
    pub display_name: String,
}

/// An algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Parameters {
    /// Number of the IANA COSE Algorithms registry.
    pub alg: i64,
    /// Always a key pair.
    #[serde(rename = "type")]
    pub kind: CredentialType,
}

/// What the authenticator has to be capable of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticatorSelection {
    /// Whether the passkey is to be found without the user's name.
    pub resident_key: ResidentKey,
    /// Always false: what `resident_key` says, for clients of WebAuthn Level 1.
    pub require_resident_key: bool,
    /// Whether the authenticator has to verify the user.
    pub user_verification: UserVerification,
    /// As in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticator_attachment: Option<Attachment>,
}

/// Extensions of WebAuthn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Extensions {
    /// Whether the browser reports that the passkey can be found without the user's name.
    pub cred_props: bool,
}

/// Success of generate-authenticate-options.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions {
    /// 32 random bytes in base64url.
    #[schemars(regex = "CHALLENGE")]
    pub challenge: String,
    /// The domain.
    pub rp_id: String,
    /// In milliseconds.
    #[schemars(range(min = 1))]
    pub timeout: i64,
    /// Whether the authenticator has to verify the user.
    pub user_verification: UserVerification,
    /// The user's passkeys; `None` where anybody's may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_credentials: Option<Vec<Descriptor>>,
}

/// Whether a passkey can be on several devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DeviceType {
    /// On one.
    SingleDevice,
    /// On several.
    MultiDevice,
}

/// A passkey of the user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Passkey {
    /// The id of the passkey, which opens nothing.
    #[schemars(regex = "ID")]
    pub id: String,
    /// The user's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The id of the user.
    #[schemars(regex = "ID")]
    pub user_id: String,
    /// The `COSE_Key` in base64.
    pub public_key: String,
    /// The credential id in base64url.
    #[schemars(regex = "CREDENTIAL_ID")]
    #[serde(rename = "credentialID")]
    pub credential_id: String,
    /// The signature counter when it was last used.
    #[schemars(range(min = 0))]
    pub counter: i64,
    /// Whether it can be on several devices.
    pub device_type: DeviceType,
    /// Whether it is backed up.
    pub backed_up: bool,
    /// How browsers reach its authenticator, joined by commas.
    pub transports: String,
    /// Time of the registration.
    pub created_at: WireTime,
    /// Time of the last use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<WireTime>,
    /// The model of the authenticator, as a UUID.
    pub aaguid: String,
}

/// Success of verify-registration.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifyRegistration {
    /// The passkey.
    #[serde(flatten)]
    pub passkey: Passkey,
    /// The session, if the request asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// Its user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
}

/// Success of verify-authentication: a session or a challenge. Made by [`VerifyAuthentication::session`] and
/// [`VerifyAuthentication::challenge`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyAuthentication {
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// Its user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// True if a second factor is required, else absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub two_factor_redirect: Option<bool>,
    /// Factors that can complete the challenge, besides backup codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub two_factor_methods: Option<Vec<ChallengeMethod>>,
    /// Token of the challenge, for clients without cookies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub two_factor_token: Option<String>,
}

impl VerifyAuthentication {
    /// A session.
    #[must_use]
    pub fn session(session: Session, user: User) -> Self {
        Self {
            session: Some(session),
            user: Some(user),
            two_factor_redirect: None,
            two_factor_methods: None,
            two_factor_token: None,
        }
    }

    /// A challenge.
    #[must_use]
    pub fn challenge(methods: Vec<ChallengeMethod>, token: String) -> Self {
        Self {
            session: None,
            user: None,
            two_factor_redirect: Some(true),
            two_factor_methods: Some(methods),
            two_factor_token: Some(token),
        }
    }
}

/// Success of update-passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpdatePasskey {
    /// The passkey.
    pub passkey: Passkey,
}

debug_only! {
    CreationOptions { rp }
    PasskeyUser {}
    RequestOptions { rp_id, allow_credentials }
    Passkey { id, user_id }
    VerifyRegistration { passkey }
    VerifyAuthentication { session, user, two_factor_redirect, two_factor_methods }
}
