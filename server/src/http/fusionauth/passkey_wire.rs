//! Passkeys, as the dialect shows them and takes them.

use super::values::{blank, body_value};
use countersign_api::fusionauth::{Errors, requests, responses};
use countersign_domain::account::Account;
use countersign_domain::ids::{AccountId, MethodId, TenantId};
use countersign_domain::passkey::options::{CreationOptions, Descriptor, RequestOptions, UserVerification};
use countersign_domain::passkey::relying_party::Attestation;
use countersign_domain::passkey::response::{EncodedAssertion, EncodedRegistration};
use countersign_domain::passkey::{Passkey, Transports};
use countersign_domain::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;
use std::time::Duration;

/// A passkey of an account.
pub(super) fn passkey(passkey: &Passkey, account: &Account) -> responses::Passkey {
    responses::Passkey {
        id: MethodId::to_hyphenated(passkey.id),
        user_id: AccountId::to_hyphenated(account.id),
        tenant_id: TenantId::to_hyphenated(account.tenant_id),
        credential_id: passkey.credential_id.to_text(),
        public_key: passkey.public_key.to_pem(),
        algorithm: passkey.public_key.algorithm().number(),
        attestation_type: match passkey.attestation.as_str() {
            "none" => responses::AttestationType::None,
            _ => responses::AttestationType::Basic,
        },
        authenticator_supports_user_verification: passkey.user_verified,
        relying_party_id: passkey.relying_party.as_str().to_owned(),
        name: passkey.description.user_name.clone(),
        display_name: passkey.name.clone(),
        discoverable: passkey.description.is_discoverable,
        sign_count: passkey.counter.into(),
        transports: names(&passkey.transports),
        user_agent: passkey.description.user_agent.clone(),
        insert_instant: passkey.created_at.as_millis(),
        last_use_instant: passkey.last_used_at.map(Timestamp::as_millis),
    }
}

/// What a browser is asked for to register a passkey.
pub(super) fn creation_options(
    options: &CreationOptions,
    attachment: Option<responses::Attachment>,
) -> responses::CreationOptions {
    responses::CreationOptions {
        attestation: match options.attestation {
            Attestation::None => responses::AttestationPreference::None,
            Attestation::Direct => responses::AttestationPreference::Direct,
        },
        authenticator_selection: responses::AuthenticatorSelection {
            authenticator_attachment: attachment,
            resident_key: responses::ResidentKey::Preferred,
            require_resident_key: false,
            user_verification: user_verification(options.user_verification),
        },
        challenge: options.challenge.to_text(),
        exclude_credentials: options.exclude.iter().map(descriptor).collect(),
        extensions: responses::Extensions { cred_props: true },
        pub_key_cred_params: options
            .algorithms
            .iter()
            .map(|algorithm| responses::Parameters {
                alg: algorithm.number(),
                kind: responses::CredentialType::PublicKey,
            })
            .collect(),
        rp: responses::RelyingParty {
            id: options.relying_party.as_str().to_owned(),
            name: options.relying_party_name.clone(),
        },
        timeout: millis(options.timeout),
        user: responses::PasskeyUser {
            id: BASE64URL_NOPAD.encode(options.user_handle.as_bytes()),
            name: options.user_name.clone(),
            display_name: options.user_display_name.clone(),
        },
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn names(transports: &Transports) -> Vec<String> {
    transports.iter().map(str::to_owned).collect()
}

fn descriptor(descriptor: &Descriptor) -> responses::Descriptor {
    responses::Descriptor {
        id: descriptor.id.to_text(),
        transports: Some(names(&descriptor.transports)).filter(|names| !names.is_empty()),
        kind: responses::CredentialType::PublicKey,
    }
}

fn user_verification(demand: UserVerification) -> responses::UserVerification {
    match demand {
        UserVerification::Preferred => responses::UserVerification::Preferred,
        UserVerification::Required => responses::UserVerification::Required,
    }
}

/// Base64url without its padding, which the dialect leaves to the client.
pub(super) fn unpadded(text: &str) -> &str {
    text.trim_end_matches('=')
}

/// A required value of a credential; if it is missing, that is added to the errors.
fn required<'a>(errors: &mut Errors, field: &str, value: Option<&'a String>) -> &'a str {
    let value = body_value(value);
    if value.is_none() {
        blank(errors, field);
    }
    unpadded(value.unwrap_or_default())
}

/// What a browser is asked for to use a passkey.
pub(super) fn request_options(options: &RequestOptions) -> responses::RequestOptions {
    responses::RequestOptions {
        allow_credentials: options.allow.iter().flatten().map(descriptor).collect(),
        challenge: options.challenge.to_text(),
        rp_id: options.relying_party.as_str().to_owned(),
        timeout: millis(options.timeout),
        user_verification: user_verification(options.user_verification),
    }
}

/// The response of a browser with a passkey, whose values are all there.
pub(super) struct Assertion<'a> {
    id: &'a str,
    kind: &'a str,
    client_data: &'a str,
    authenticator_data: &'a str,
    signature: &'a str,
    user_handle: Option<&'a str>,
}

impl<'a> Assertion<'a> {
    /// Reads the `credential` of a body, and adds what is missing to the errors.
    pub(super) fn read(credential: Option<&'a requests::PasskeyAssertion>, errors: &mut Errors) -> Option<Self> {
        let Some(credential) = credential else {
            blank(errors, "credential");
            return None;
        };
        let response = credential.response.as_ref();
        let client_data = response.and_then(|response| response.client_data_json.as_ref());
        let authenticator_data = response.and_then(|response| response.authenticator_data.as_ref());
        let signature = response.and_then(|response| response.signature.as_ref());
        let user_handle = response.and_then(|response| response.user_handle.as_ref());
        Some(Self {
            id: required(errors, "credential.id", credential.id.as_ref()),
            kind: required(errors, "credential.type", credential.kind.as_ref()),
            client_data: required(errors, "credential.response.clientDataJSON", client_data),
            authenticator_data: required(errors, "credential.response.authenticatorData", authenticator_data),
            signature: required(errors, "credential.response.signature", signature),
            user_handle: body_value(user_handle).map(unpadded),
        })
    }

    /// What the browser returned, still encoded.
    pub(super) fn encoded(&self) -> EncodedAssertion<'_> {
        EncodedAssertion {
            id: self.id,
            raw_id: None,
            kind: self.kind,
            client_data: self.client_data,
            authenticator_data: self.authenticator_data,
            signature: self.signature,
            user_handle: self.user_handle,
        }
    }
}

/// The response of a browser to a registration, whose values are all there.
pub(super) struct Registration<'a> {
    id: &'a str,
    kind: &'a str,
    client_data: &'a str,
    attestation_object: &'a str,
    transports: &'a [String],
    is_discoverable: Option<bool>,
}

impl<'a> Registration<'a> {
    /// Reads the `credential` of a body, and adds what is missing to the errors.
    pub(super) fn read(credential: Option<&'a requests::PasskeyRegistration>, errors: &mut Errors) -> Option<Self> {
        let Some(credential) = credential else {
            blank(errors, "credential");
            return None;
        };
        let response = credential.response.as_ref();
        let attestation_object = response.and_then(|response| response.attestation_object.as_ref());
        let client_data = response.and_then(|response| response.client_data_json.as_ref());
        // The dialect has them beside the response, browsers within.
        let beside = credential.transports.as_ref().filter(|transports| !transports.is_empty());
        let transports = beside.or_else(|| response.and_then(|response| response.transports.as_ref()));
        let results = credential.client_extension_results.as_ref();
        Some(Self {
            id: required(errors, "credential.id", credential.id.as_ref()),
            kind: required(errors, "credential.type", credential.kind.as_ref()),
            client_data: required(errors, "credential.response.clientDataJSON", client_data),
            attestation_object: required(errors, "credential.response.attestationObject", attestation_object),
            transports: transports.map(Vec::as_slice).unwrap_or_default(),
            is_discoverable: results
                .and_then(|results| results.cred_props.as_ref())
                .and_then(|properties| properties.rk),
        })
    }

    /// What the browser returned, still encoded.
    pub(super) fn encoded(&self) -> EncodedRegistration<'_> {
        EncodedRegistration {
            id: self.id,
            raw_id: None,
            kind: self.kind,
            client_data: self.client_data,
            attestation_object: self.attestation_object,
            transports: self.transports,
            is_discoverable: self.is_discoverable,
        }
    }
}
