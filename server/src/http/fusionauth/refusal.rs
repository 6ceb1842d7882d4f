//! Refusals and failures as the dialect's statuses and codes.

use crate::http::shared::Failure;
use countersign_api::fusionauth::Error;
use countersign_api::fusionauth::responses::{ActionsResponse, LoginPreventedResponse};
use countersign_domain::account::Unusable;
use countersign_domain::address::MethodKind;
use countersign_domain::password::PasswordPolicyViolation;
use countersign_domain::time::Timestamp;
use countersign_domain::webhook_event::{LOCK_ACTION, LOCK_ACTION_NAME};
use countersign_flows::FlowError;
use countersign_flows::second_factor::Refused;
use countersign_flows::users::NotWritten;
use dropshot::ErrorStatusCode as Status;

/// 503 or 500: the server could not do its work.
pub(super) fn of_failure(error: FlowError) -> Error {
    let Failure { status, retry_after, cause } = error.into();
    Error::of_status(status).with_cause(cause).with_retry_after(retry_after)
}

/// 404.
pub(super) fn not_found() -> Error {
    Error::of_status(Status::NOT_FOUND)
}

/// 422: the user has no e-mail address that something could be mailed to.
pub(super) fn no_address() -> Error {
    Error::of_number(422)
}

/// 429: a quota is exhausted until then.
pub(super) fn too_many(until: Timestamp, now: Timestamp) -> Error {
    Error::of_status(Status::TOO_MANY_REQUESTS).with_retry_after(now.until(until))
}

/// 409, 410 or 423: the credentials are right, but the account may not be used.
pub(super) fn unusable(why: Unusable, now: Timestamp) -> Error {
    match why {
        Unusable::Inactive => Error::of_number(423),
        Unusable::Expired => Error::of_number(410),
        Unusable::Suspended { until } => locked(until, now),
    }
}

/// 423: the password is right, and the e-mail address has to be verified first.
pub(super) fn verification_due() -> Error {
    Error::of_number(423)
}

/// 409: the user is locked until then.
pub(super) fn locked(until: Timestamp, now: Timestamp) -> Error {
    let action = LoginPreventedResponse {
        action_id: LOCK_ACTION.to_owned(),
        name: LOCK_ACTION_NAME.to_owned(),
        localized_name: LOCK_ACTION_NAME.to_owned(),
        expiry: until.as_millis(),
    };
    Error::of_actions(ActionsResponse { actions: vec![action] }).with_retry_after(now.until(until))
}

/// 404, 409 or 421: a second factor is not accepted.
pub(super) fn of_second_factor(refused: Refused, now: Timestamp) -> Error {
    match refused {
        Refused::NoClaimant | Refused::ChallengeExhausted => not_found(),
        Refused::Locked { until } => locked(until, now),
        Refused::WrongCode
        | Refused::CodeUsed
        | Refused::BackupCodeUsed
        | Refused::NotAllowed
        | Refused::NotEnrolled
        | Refused::NoCode
        | Refused::CodeExhausted => Error::of_number(421),
    }
}

/// 400: a new password has a wrong length.
pub(super) fn of_password_violation(field: &str, violation: PasswordPolicyViolation) -> Error {
    let (kind, message) = match violation {
        PasswordPolicyViolation::TooShort { .. } => ("tooShort", "The password is too short."),
        PasswordPolicyViolation::TooLong => ("tooLong", "The password is too long."),
        PasswordPolicyViolation::Common => {
            ("breachedCommonPassword", "The password is one that attackers try first. Choose another one.")
        }
    };
    Error::of_field(field, kind, message)
}

/// 400 or 404: a user is not written as asked.
pub(super) fn of_not_written(not_written: NotWritten) -> Error {
    let duplicate = |field: &str, what: &str| {
        Error::of_field(field, "duplicate", format!("A User with this {what} already exists."))
    };
    match not_written {
        NotWritten::Gone => not_found(),
        NotWritten::Violation(violation) => of_password_violation("user.password", violation),
        NotWritten::EmailTaken => duplicate("user.email", "email"),
        NotWritten::UsernameTaken => duplicate("user.username", "username"),
        NotWritten::PhoneNumberTaken => duplicate("user.phoneNumber", "phoneNumber"),
        NotWritten::IdTaken => duplicate("user.id", "Id"),
        NotWritten::LeavesNoMethod => {
            let message = "The user's only usable two-factor method is for the e-mail address that is changed, and codes are \
                           sent to verified addresses only. Vouch for the new address with [skipVerification], or enable \
                           another method before.";
            Error::of_field("user.email", "lastMethod", message)
        }
    }
}

/// 400: the tenant does not allow this kind of method.
pub(super) fn method_not_allowed(kind: MethodKind) -> Error {
    Error::of_field("method", "disabled", format!("The method [{}] is not enabled.", kind.name()))
}

/// 400: the password alone, or a token alone, is not enough.
pub(super) fn trust_token_required() -> Error {
    let message = "This request requires a Trust Token. Use the Start Two-Factor API to obtain one.";
    Error::general("TrustTokenRequired", message)
}

/// 400: the trust token that was shown is not valid.
pub(super) fn trust_token_expired() -> Error {
    Error::general("TrustTokenExpired", "The Trust Token is not good for this request, or not any more.")
}
