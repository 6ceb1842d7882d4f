//! Queries and bodies of requests. Of what browsers send, only what the server reads is described; the rest is ignored.

use super::super::requests::queries;
use super::super::values::{BooleanOrText, debug_only};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Schema, SchemaObject};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

queries! {
    /// The query of `generatePasskeyRegistrationOptions`. The handler checks the values.
    RegistrationOptions {
        /// `platform` or `cross-platform`; absent for either.
        #[schemars(schema_with = "attachments")]
        #[serde(default)]
        authenticator_attachment = "authenticatorAttachment",
        /// What the authenticator shows as the user's name.
        #[schemars(length(max = 256))]
        name = "name",
        /// Has no effect; clients send it.
        context = "context",
    }
}

fn attachments(_: &mut SchemaGenerator) -> Schema {
    SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        enum_values: Some(vec!["platform".into(), "cross-platform".into()]),
        ..SchemaObject::default()
    }
    .into()
}

/// `passkeyVerifyRegistration`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyRegistration {
    /// What the browser returned.
    pub response: RegistrationResponse,
    /// The user's name for the passkey.
    #[schemars(length(max = 256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the response shows the session, too.
    #[serde(default)]
    pub create_session: bool,
}

/// `RegistrationResponseJSON`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationResponse {
    /// The credential id in base64url.
    #[schemars(length(max = 1368))]
    pub id: String,
    /// The same.
    #[schemars(length(max = 1368))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_id: Option<String>,
    /// Always `public-key`.
    #[schemars(length(max = 32))]
    #[serde(rename = "type")]
    pub kind: String,
    /// What the authenticator returned.
    pub response: AttestationResponse,
}

/// `AuthenticatorAttestationResponseJSON`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttestationResponse {
    /// The client data in base64url.
    #[schemars(length(max = 4096))]
    #[serde(rename = "clientDataJSON")]
    pub client_data_json: String,
    /// The attestation object in base64url.
    #[schemars(length(max = 32768))]
    pub attestation_object: String,
    /// How the browser reaches the authenticator.
    #[schemars(length(max = 16), inner(length(max = 32)))]
    #[serde(default)]
    pub transports: Vec<String>,
}

/// `passkeyVerifyAuthentication`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyAuthentication {
    /// What the browser returned.
    pub response: AuthenticationResponse,
    /// Whether to trust this browser from now on, if a challenge is completed.
    #[serde(default)]
    pub trust_device: BooleanOrText,
}

/// `AuthenticationResponseJSON`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticationResponse {
    /// The credential id in base64url.
    #[schemars(length(max = 1368))]
    pub id: String,
    /// The same.
    #[schemars(length(max = 1368))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_id: Option<String>,
    /// Always `public-key`.
    #[schemars(length(max = 32))]
    #[serde(rename = "type")]
    pub kind: String,
    /// What the authenticator returned.
    pub response: AssertionResponse,
}

/// `AuthenticatorAssertionResponseJSON`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssertionResponse {
    /// The client data in base64url.
    #[schemars(length(max = 4096))]
    #[serde(rename = "clientDataJSON")]
    pub client_data_json: String,
    /// The authenticator data in base64url.
    #[schemars(length(max = 2048))]
    pub authenticator_data: String,
    /// The signature in base64url.
    #[schemars(length(max = 2048))]
    pub signature: String,
    /// The user handle in base64url; some clients send `null`.
    #[schemars(schema_with = "nullable_handle")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_handle: Option<String>,
}

/// A text or `null`, in the words of OpenAPI, and of JSON Schema where requests are validated.
fn nullable_handle(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = Option::<String>::json_schema(generator).into_object();
    if !generator.settings().option_nullable {
        schema.instance_type = Some(vec![InstanceType::String, InstanceType::Null].into());
    }
    schema.string().max_length = Some(128);
    schema.into()
}

/// `passkeyDeletePasskey`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeletePasskey {
    /// The id of the passkey.
    #[schemars(length(max = 128))]
    pub id: String,
}

/// `passkeyUpdatePasskey`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct UpdatePasskey {
    /// The id of the passkey.
    #[schemars(length(max = 128))]
    pub id: String,
    /// The new name. The handler rejects one of white space alone.
    #[schemars(length(min = 1, max = 256))]
    pub name: String,
}

debug_only! {
    VerifyRegistration { create_session }
    RegistrationResponse { id }
    AttestationResponse { transports }
    VerifyAuthentication { response, trust_device }
    AuthenticationResponse { id }
    AssertionResponse {}
    DeletePasskey { id }
    UpdatePasskey { id }
}

#[cfg(test)]
mod tests {
    use super::{UpdatePasskey, VerifyAuthentication};
    use crate::validation::{issues, join};
    use serde_json::{Value, json};

    fn assertion(changed: &[(&str, Value)]) -> Value {
        let mut response = json!({"clientDataJSON": "", "authenticatorData": "", "signature": ""});
        for (name, value) in changed {
            response[name] = value.clone();
        }
        json!({"response": {"id": "", "type": "public-key", "response": response, "clientExtensionResults": {}}})
    }

    #[test]
    fn what_browsers_send_besides_is_ignored_and_what_is_too_long_is_refused() {
        let refusal = |body: Value| join(&issues::<VerifyAuthentication>(Some(&body)));
        assert_eq!(refusal(assertion(&[])), "");
        assert_eq!(refusal(assertion(&[("userHandle", Value::Null)])), "");
        assert_eq!(
            refusal(assertion(&[("userHandle", json!("a".repeat(129)))])),
            "[body.response.response.userHandle] Too big: expected string to have <=128 characters"
        );
        assert_eq!(
            refusal(assertion(&[("signature", json!("a".repeat(2_049)))])),
            "[body.response.response.signature] Too big: expected string to have <=2048 characters"
        );
        assert_eq!(
            refusal(json!({"response": "x"})),
            "[body.response] Invalid input: expected object, received string"
        );
    }

    #[test]
    fn a_name_has_a_letter() {
        let refusal = join(&issues::<UpdatePasskey>(Some(&json!({"id": "", "name": ""}))));
        assert_eq!(refusal, "[body.name] Too small: expected string to have >=1 characters");
    }
}
