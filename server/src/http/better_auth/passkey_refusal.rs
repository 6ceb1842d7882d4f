//! What goes wrong with passkeys, in the dialect's codes and texts.

use super::cookies::Cookies;
use super::refusal;
use countersign_api::better_auth::Error;
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::passkey_management::PasskeysRefused;
use countersign_domain::time::Timestamp;
use countersign_flows::passkeys::NotRegistered;
use countersign_flows::second_factor::Refused;
use dropshot::ErrorStatusCode as Status;

/// 404: there is no relying party.
pub(super) fn passkeys_off() -> Error {
    Error::of_status(Status::NOT_FOUND)
}

/// 400: a value that the validation of bodies does not see, in its words.
pub(super) fn invalid(message: &'static str) -> Error {
    refusal::bad_request("VALIDATION_ERROR", message)
}

/// 400: the options are unknown, spent, expired or for something else.
pub(super) fn no_ceremony() -> Error {
    refusal::bad_request("CHALLENGE_NOT_FOUND", "Challenge not found")
}

/// 400: the response is not right, or does not count.
pub(super) fn authentication_failed() -> Error {
    refusal::bad_request("AUTHENTICATION_FAILED", "Authentication failed")
}

/// 401 where it would sign in, 404 where it would be managed: the same for one that nobody has and for another user's.
pub(super) fn unknown_passkey(status: Status) -> Error {
    Error::new(status, "PASSKEY_NOT_FOUND", "Passkey not found")
}

/// Why passkeys are not managed now.
pub(super) fn not_managed(refused: PasskeysRefused, now: Timestamp) -> Error {
    match refused {
        PasskeysRefused::Factors(refused) => refusal::of_factors(refused, now),
        PasskeysRefused::NotFresh => refusal::session_not_fresh(),
    }
}

/// Why a passkey is not registered.
pub(super) fn not_registered(refused: NotRegistered, now: Timestamp) -> Error {
    match refused {
        NotRegistered::Refused(refused) => not_managed(refused, now),
        NotRegistered::NotAllowed => refusal::bad_request("PASSKEY_NOT_CONFIGURED", "Passkeys aren't configured"),
        NotRegistered::TooMany => refusal::bad_request("TOO_MANY_PASSKEYS", "Remove another passkey first"),
        NotRegistered::NoCeremony => no_ceremony(),
        NotRegistered::OtherUser => {
            let message = "You are not allowed to register this passkey";
            let code = "YOU_ARE_NOT_ALLOWED_TO_REGISTER_THIS_PASSKEY";
            Error::new(Status::UNAUTHORIZED, code, message)
        }
        NotRegistered::NotVerified(_) => {
            refusal::bad_request("FAILED_TO_VERIFY_REGISTRATION", "Failed to verify registration")
        }
        NotRegistered::Taken => refusal::bad_request("PREVIOUSLY_REGISTERED", "Previously registered"),
    }
}

/// Why a passkey is not accepted as a second factor.
pub(super) fn of_second_factor(refused: Refused, cookies: &Cookies, now: Timestamp) -> Error {
    match refused {
        Refused::WrongCode => authentication_failed(),
        Refused::NotEnrolled | Refused::NotAllowed => unknown_passkey(Status::UNAUTHORIZED),
        Refused::NoCode | Refused::CodeUsed | Refused::NoClaimant => no_ceremony(),
        refused => refusal::of_second_factor(refused, Factor::Passkey, cookies, now),
    }
}
