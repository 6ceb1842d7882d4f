//! What goes wrong with passkeys, in the dialect's statuses and codes.

use super::credentials;
use super::refusal;
use super::values::is_invalid;
use countersign_api::fusionauth::Error;
use countersign_domain::decisions::passkey_management::PasskeysRefused;
use countersign_flows::passkeys::{NotBegun, NotRegistered};

/// 400: the tenant does not allow passkeys.
pub(super) fn not_allowed() -> Error {
    Error::general("PasskeysNotAllowed", "The tenant does not allow passkeys.")
}

/// 400: the user has as many as a user may have.
pub(super) fn too_many() -> Error {
    Error::general("TooManyPasskeys", "The user has as many passkeys as a user may have. Remove another one first.")
}

/// 400: the response is not right, or does not count.
pub(super) fn not_verified() -> Error {
    Error::general("PasskeyNotVerified", "The response of the authenticator is not good for this request.")
}

/// 401: an API key always may; nobody else gets here.
pub(super) fn not_managed(_: PasskeysRefused) -> Error {
    credentials::unauthorized()
}

/// Why no passkey is asked for.
pub(super) fn not_begun(why: NotBegun) -> Error {
    match why {
        NotBegun::NotAllowed => not_allowed(),
        NotBegun::NoChallenge => refusal::not_found(),
        NotBegun::NoPasskey => Error::general("NoPasskey", "The user has no passkey that is good for this."),
    }
}

/// Why a passkey is not registered.
pub(super) fn not_registered(refused: NotRegistered) -> Error {
    match refused {
        NotRegistered::NotAllowed => not_allowed(),
        NotRegistered::Refused(refused) => not_managed(refused),
        NotRegistered::TooMany => too_many(),
        NotRegistered::NoCeremony => refusal::not_found(),
        NotRegistered::OtherUser => is_invalid("userId"),
        NotRegistered::NotVerified(_) => not_verified(),
        NotRegistered::Taken => {
            Error::of_field("credential.id", "duplicate", "A passkey with this [credential.id] is registered already.")
        }
    }
}
