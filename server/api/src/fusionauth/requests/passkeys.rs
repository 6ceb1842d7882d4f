//! Requests about passkeys. Binary values are base64url, with or without padding.

use super::{LoginIdType, MetaData};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
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

    /// `startWebAuthnLogin`.
    PasskeyStart {
        /// Id of the application to log in to.
        #[schemars(length(max = 256))]
        application_id: String,
        /// Id of the user.
        #[schemars(length(max = 256))]
        user_id: String,
        /// Login id of the user.
        #[schemars(length(max = 256))]
        login_id: String,
        /// Kinds of login id to look up.
        login_id_types: Vec<LoginIdType>,
        /// Id of the one passkey that is accepted.
        #[schemars(length(max = 256))]
        credential_id: String,
        /// Id of the challenge to complete.
        #[schemars(length(max = 256))]
        two_factor_id: String,
        /// Any JSON, returned by the login.
        state: Value,
        /// What the passkey is used for.
        #[schemars(length(max = 64))]
        workflow: String,
    }

    /// `completeWebAuthnLogin` and `completeWebAuthnAssertion`.
    PasskeyLogin {
        /// What the browser returned.
        credential: PasskeyAssertion,
        /// Ignored.
        #[schemars(length(max = 2048))]
        origin: String,
        /// Ignored.
        #[schemars(length(max = 256))]
        rp_id: String,
        /// Trust token of this device.
        #[schemars(length(max = 256))]
        two_factor_trust_id: String,
        /// Ignored: the start names it.
        #[schemars(length(max = 256))]
        application_id: String,
        /// True to get no tokens.
        #[serde(rename = "noJWT")]
        no_jwt: bool,
        /// Ignored: anybody may send it.
        #[schemars(length(max = 256))]
        ip_address: String,
        /// The user's device.
        meta_data: MetaData,
    }

    /// A passkey that was used.
    PasskeyAssertion {
        /// The credential id.
        #[schemars(length(max = 1368))]
        id: String,
        /// `public-key`.
        #[schemars(length(max = 32))]
        #[serde(rename = "type")]
        kind: String,
        /// What the authenticator returned.
        response: AssertionResponse,
    }

    /// `AuthenticatorAssertionResponseJSON`.
    AssertionResponse {
        /// The authenticator data.
        #[schemars(length(max = 2048))]
        authenticator_data: String,
        /// The client data.
        #[schemars(length(max = 4096))]
        #[serde(rename = "clientDataJSON")]
        client_data_json: String,
        /// The signature.
        #[schemars(length(max = 2048))]
        signature: String,
        /// The user handle.
        #[schemars(length(max = 128))]
        user_handle: String,
    }

    /// `importWebAuthnCredential`.
    PasskeyImport {
        /// The passkeys.
        #[schemars(length(max = 100))]
        credentials: Vec<ForeignPasskey>,
        /// Ignored: all problems are reported.
        validate_db_constraints: bool,
    }

    /// A passkey of another server.
    ForeignPasskey {
        /// Its id; one is made if absent.
        #[schemars(length(max = 256))]
        id: String,
        /// Id of the user.
        #[schemars(length(max = 256))]
        user_id: String,
        /// The credential id.
        #[schemars(length(max = 1368))]
        credential_id: String,
        /// The `SubjectPublicKeyInfo` in PEM.
        #[schemars(length(max = 4096))]
        public_key: String,
        /// Number of the IANA COSE Algorithms registry.
        algorithm: i64,
        /// The domain that it is bound to.
        #[schemars(length(max = 256))]
        relying_party_id: String,
        /// What tells it from others of that name.
        #[schemars(length(max = 256))]
        name: String,
        /// What it is called.
        #[schemars(length(max = 256))]
        display_name: String,
        /// Ignored.
        #[schemars(length(max = 64))]
        attestation_type: String,
        /// Whether the user was verified at registration.
        authenticator_supports_user_verification: bool,
        /// Whether it is found where no user is named.
        discoverable: bool,
        /// The signature counter when it was last used.
        #[schemars(range(min = 0, max = 4_294_967_295.0))]
        sign_count: i64,
        /// How browsers reach its authenticator.
        #[schemars(length(max = 16), inner(length(max = 32)))]
        transports: Vec<String>,
        /// The browser that registered it.
        #[schemars(length(max = 1024))]
        user_agent: String,
        /// Time of the registration.
        insert_instant: i64,
        /// Time of the last use.
        last_use_instant: i64,
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
