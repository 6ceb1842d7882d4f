//! Passkeys, as the dialect shows them and takes them.

use super::wire::time;
use countersign_api::better_auth::passkeys::requests::{AuthenticationResponse, RegistrationResponse};
use countersign_api::better_auth::passkeys::responses;
use countersign_domain::passkey::options::{CreationOptions, Descriptor, RequestOptions, UserVerification};
use countersign_domain::passkey::relying_party::Attestation;
use countersign_domain::passkey::response::{EncodedAssertion, EncodedRegistration};
use countersign_domain::passkey::{Passkey, Transports};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use std::time::Duration;

/// A passkey of its user.
pub(super) fn passkey(passkey: &Passkey) -> responses::Passkey {
    responses::Passkey {
        id: passkey.id.to_text(),
        name: passkey.name.clone(),
        user_id: passkey.account_id.to_text(),
        public_key: BASE64.encode(&passkey.public_key.to_cose()),
        credential_id: passkey.credential_id.to_text(),
        counter: passkey.counter.into(),
        device_type: match passkey.backup.is_eligible {
            true => responses::DeviceType::MultiDevice,
            false => responses::DeviceType::SingleDevice,
        },
        backed_up: passkey.backup.is_backed_up,
        transports: passkey.transports.to_text(),
        created_at: time(passkey.created_at),
        last_used_at: passkey.last_used_at.map(time),
        aaguid: passkey.aaguid.to_text(),
    }
}

/// What a browser is asked for to register a passkey; `attachment` is what the request asked for.
pub(super) fn creation_options(
    options: &CreationOptions,
    attachment: Option<responses::Attachment>,
) -> responses::CreationOptions {
    responses::CreationOptions {
        challenge: options.challenge.to_text(),
        rp: responses::RelyingParty {
            name: options.relying_party_name.clone(),
            id: options.relying_party.as_str().to_owned(),
        },
        user: responses::PasskeyUser {
            id: BASE64URL_NOPAD.encode(options.user_handle.as_bytes()),
            name: options.user_name.clone(),
            display_name: options.user_display_name.clone(),
        },
        pub_key_cred_params: options
            .algorithms
            .iter()
            .map(|algorithm| responses::Parameters {
                alg: algorithm.number(),
                kind: responses::CredentialType::PublicKey,
            })
            .collect(),
        timeout: millis(options.timeout),
        exclude_credentials: options.exclude.iter().map(descriptor).collect(),
        authenticator_selection: responses::AuthenticatorSelection {
            resident_key: responses::ResidentKey::Preferred,
            require_resident_key: false,
            user_verification: user_verification(options.user_verification),
            authenticator_attachment: attachment,
        },
        attestation: match options.attestation {
            Attestation::None => responses::AttestationPreference::None,
            Attestation::Direct => responses::AttestationPreference::Direct,
        },
        extensions: responses::Extensions { cred_props: true },
        hints: Vec::new(),
    }
}

/// What a browser is asked for to use a passkey.
pub(super) fn request_options(options: &RequestOptions) -> responses::RequestOptions {
    responses::RequestOptions {
        challenge: options.challenge.to_text(),
        rp_id: options.relying_party.as_str().to_owned(),
        timeout: millis(options.timeout),
        user_verification: user_verification(options.user_verification),
        allow_credentials: options.allow.as_ref().map(|allowed| allowed.iter().map(descriptor).collect()),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn descriptor(descriptor: &Descriptor) -> responses::Descriptor {
    let names = |transports: &Transports| -> Vec<String> { transports.iter().map(str::to_owned).collect() };
    responses::Descriptor {
        id: descriptor.id.to_text(),
        kind: responses::CredentialType::PublicKey,
        transports: Some(names(&descriptor.transports)).filter(|names| !names.is_empty()),
    }
}

fn user_verification(demand: UserVerification) -> responses::UserVerification {
    match demand {
        UserVerification::Preferred => responses::UserVerification::Preferred,
        UserVerification::Required => responses::UserVerification::Required,
    }
}

/// What the browser returned, still encoded.
pub(super) fn registration(body: &RegistrationResponse) -> EncodedRegistration<'_> {
    EncodedRegistration {
        id: &body.id,
        raw_id: body.raw_id.as_deref(),
        kind: &body.kind,
        client_data: &body.response.client_data_json,
        attestation_object: &body.response.attestation_object,
        transports: &body.response.transports,
        // Published clients do not send what the browser says of it.
        is_discoverable: None,
    }
}

/// What the browser returned, still encoded.
pub(super) fn assertion(body: &AuthenticationResponse) -> EncodedAssertion<'_> {
    EncodedAssertion {
        id: &body.id,
        raw_id: body.raw_id.as_deref(),
        kind: &body.kind,
        client_data: &body.response.client_data_json,
        authenticator_data: &body.response.authenticator_data,
        signature: &body.response.signature,
        user_handle: body.response.user_handle.as_deref(),
    }
}
