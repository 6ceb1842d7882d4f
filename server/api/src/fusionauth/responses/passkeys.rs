//! Responses about passkeys. Options go to `navigator.credentials` as they are.

use super::{UUID, responses};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Credential ids in base64url without padding.
const CREDENTIAL_ID: &str = "^[A-Za-z0-9_-]+$";
/// 32 bytes in base64url without padding.
const CHALLENGE: &str = "^[A-Za-z0-9_-]{43}$";

responses! {
    /// `startWebAuthnRegistration`.
    PasskeyRegisterStartResponse {
        /// What the browser is asked for.
        options: CreationOptions,
    }

    /// `PublicKeyCredentialCreationOptionsJSON` of WebAuthn.
    CreationOptions {
        /// Whether the authenticator is to say which model it is.
        attestation: AttestationPreference,
        /// What the authenticator has to be capable of.
        authenticator_selection: AuthenticatorSelection,
        /// 32 random bytes in base64url.
        #[schemars(regex = "CHALLENGE")]
        challenge: String,
        /// The user's passkeys.
        exclude_credentials: Vec<Descriptor>,
        /// Extensions of WebAuthn.
        extensions: Extensions,
        /// The algorithms that are accepted, the preferred one first.
        pub_key_cred_params: Vec<Parameters>,
        /// The application that the passkey is for.
        rp: RelyingParty,
        /// In milliseconds.
        #[schemars(range(min = 1))]
        timeout: i64,
        /// What authenticators show.
        user: PasskeyUser,
    }

    /// `startWebAuthnLogin`.
    PasskeyStartResponse {
        /// What the browser is asked for.
        options: RequestOptions,
    }

    /// `PublicKeyCredentialRequestOptionsJSON` of WebAuthn.
    RequestOptions {
        /// The passkeys that are accepted.
        allow_credentials: Vec<Descriptor>,
        /// 32 random bytes in base64url.
        #[schemars(regex = "CHALLENGE")]
        challenge: String,
        /// The domain.
        rp_id: String,
        /// In milliseconds.
        #[schemars(range(min = 1))]
        timeout: i64,
        /// Whether the authenticator has to verify the user.
        user_verification: UserVerification,
    }

    /// What the authenticator has to be capable of.
    AuthenticatorSelection {
        /// Where it is, if that matters.
        #[serde(skip_serializing_if = "Option::is_none")]
        authenticator_attachment: Option<Attachment>,
        /// Whether the passkey is to be found where no user is named.
        resident_key: ResidentKey,
        /// Always false: what `resident_key` says, for clients of WebAuthn Level 1.
        require_resident_key: bool,
        /// Whether it has to verify the user.
        user_verification: UserVerification,
    }

    /// A passkey, as browsers look for it.
    Descriptor {
        /// The credential id in base64url.
        #[schemars(regex = "CREDENTIAL_ID")]
        id: String,
        /// How browsers reach its authenticator.
        #[serde(skip_serializing_if = "Option::is_none")]
        transports: Option<Vec<String>>,
        /// Always a key pair.
        #[serde(rename = "type")]
        kind: CredentialType,
    }

    /// Extensions of WebAuthn.
    Extensions {
        /// Whether the browser reports that the passkey can be found where no user is named.
        cred_props: bool,
    }

    /// An algorithm.
    Parameters {
        /// Number of the IANA COSE Algorithms registry.
        alg: i64,
        /// Always a key pair.
        #[serde(rename = "type")]
        kind: CredentialType,
    }

    /// The application that a passkey is for.
    RelyingParty {
        /// The domain that the passkey is bound to.
        id: String,
        /// The application's name, which authenticators show.
        name: String,
    }

    /// What authenticators show.
    PasskeyUser {
        /// The user handle in base64url.
        id: String,
        /// The login name.
        name: String,
        /// The name.
        display_name: String,
    }

    /// A passkey.
    Passkey {
        /// Its id.
        #[schemars(regex = "UUID")]
        id: String,
        /// Id of the user.
        #[schemars(regex = "UUID")]
        user_id: String,
        /// Id of the user's tenant.
        #[schemars(regex = "UUID")]
        tenant_id: String,
        /// The credential id in base64url.
        #[schemars(regex = "CREDENTIAL_ID")]
        credential_id: String,
        /// The `SubjectPublicKeyInfo` in PEM.
        public_key: String,
        /// Number of the IANA COSE Algorithms registry.
        algorithm: i64,
        /// What its maker said of it.
        attestation_type: AttestationType,
        /// Whether the user was verified at registration.
        authenticator_supports_user_verification: bool,
        /// The domain that it is bound to.
        relying_party_id: String,
        /// What tells it from others of that name.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// What it is called.
        #[serde(skip_serializing_if = "Option::is_none")]
        display_name: Option<String>,
        /// Whether it is found where no user is named, if known.
        #[serde(skip_serializing_if = "Option::is_none")]
        discoverable: Option<bool>,
        /// The signature counter when it was last used.
        #[schemars(range(min = 0))]
        sign_count: i64,
        /// How browsers reach its authenticator.
        transports: Vec<String>,
        /// The browser that registered it.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_agent: Option<String>,
        /// Time of the registration.
        insert_instant: i64,
        /// Time of the last use.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_use_instant: Option<i64>,
    }

    /// One passkey.
    PasskeyResponse {
        /// The passkey.
        credential: Passkey,
    }

    /// `retrieveWebAuthnCredentialsForUser`.
    PasskeysResponse {
        /// The oldest first.
        credentials: Vec<Passkey>,
    }
}

macro_rules! lower_case_words {
    ($($(#[$attribute:meta])* $name:ident { $($(#[$word_attribute:meta])* $word:ident,)* })*) => { $(
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $( $(#[$word_attribute])* $word, )* }
    )* };
}

lower_case_words! {
    /// The only type of credential.
    CredentialType {
        /// A key pair.
        PublicKey,
    }

    /// Whether the authenticator is to say which model it is.
    AttestationPreference {
        /// It need not.
        None,
        /// It shall, with a statement that can be checked.
        Direct,
    }

    /// What the maker of an authenticator said of a passkey.
    AttestationType {
        /// Nothing.
        None,
        /// Something, which was not checked.
        Basic,
    }

    /// Whether the authenticator has to verify the user.
    UserVerification {
        /// If it can.
        Preferred,
        /// Always.
        Required,
    }

    /// Whether the passkey is to be found where no user is named.
    ResidentKey {
        /// If the authenticator can store it.
        Preferred,
    }

    /// Where the authenticator is.
    Attachment {
        /// Part of the device.
        Platform,
        /// Goes from device to device.
        CrossPlatform,
    }
}
