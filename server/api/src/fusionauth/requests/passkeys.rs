//! Requests about passkeys. Binary values are base64url, with or without padding.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

requests! {
    /// `retrieveWebAuthnCredentialsForUser` and `deleteWebAuthnCredentialsForUser`.
    PasskeysQuery {
        /// Id of the user.
        user_id: String,
    }

    /// `startWebAuthnRegistration`.
    PasskeyRegisterStart {
        /// Id of the user.
        #[schemars(length(max = 256))]
        user_id: String,
        /// What the passkey is called.
        #[schemars(length(max = 256))]
        display_name: String,
        /// What tells it from others of that name.
        #[schemars(length(max = 256))]
        name: String,
        /// The browser's `User-Agent`.
        #[schemars(length(max = 1024))]
        user_agent: String,
        /// What it is registered for.
        #[schemars(length(max = 64))]
        workflow: String,
    }

    /// `completeWebAuthnRegistration`.
    PasskeyRegisterComplete {
        /// Id of the user.
        #[schemars(length(max = 256))]
        user_id: String,
        /// What the browser returned.
        credential: PasskeyRegistration,
        /// Ignored.
        #[schemars(length(max = 2048))]
        origin: String,
        /// Ignored.
        #[schemars(length(max = 256))]
        rp_id: String,
    }

    /// A new passkey.
    PasskeyRegistration {
        /// The credential id.
        #[schemars(length(max = 1368))]
        id: String,
        /// `public-key`.
        #[schemars(length(max = 32))]
        #[serde(rename = "type")]
        kind: String,
        /// How browsers reach its authenticator.
        #[schemars(length(max = 16), inner(length(max = 32)))]
        transports: Vec<String>,
        /// What the authenticator returned.
        response: AttestationResponse,
        /// What the browser says besides.
        client_extension_results: ClientExtensionResults,
    }

    /// `AuthenticatorAttestationResponseJSON`.
    AttestationResponse {
        /// The attestation object.
        #[schemars(length(max = 32768))]
        attestation_object: String,
        /// The client data.
        #[schemars(length(max = 4096))]
        #[serde(rename = "clientDataJSON")]
        client_data_json: String,
        /// How browsers reach the authenticator, where browsers put it.
        #[schemars(length(max = 16), inner(length(max = 32)))]
        transports: Vec<String>,
    }

    /// Results of extensions of WebAuthn.
    ClientExtensionResults {
        /// Properties of the new passkey.
        cred_props: CredentialProperties,
    }

    /// Properties of a new passkey.
    CredentialProperties {
        /// Whether it is found where no user is named.
        rk: bool,
    }
}

paths! {
    /// A path that names a passkey.
    PasskeyPath {
        /// Id of the passkey.
        id
    }
}
