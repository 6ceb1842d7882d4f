//! What goes wrong, in the dialect's statuses and codes.

use crate::flows::FlowError;
use crate::flows::people::NotWritten;
use crate::flows::second_factor::Refused;
use countersign_api::fusionauth::Error;
use countersign_api::fusionauth::responses::{ActionsResponse, LoginPreventedResponse};
use countersign_domain::account::Unusable;
use countersign_domain::password::Unfit;
use countersign_domain::time::Timestamp;
use dropshot::ErrorStatusCode as Status;
use std::time::Duration;

/// How long to stay away while the database is not available.
const UNAVAILABLE_FOR: Duration = Duration::from_secs(1);
/// The action that stands for too many wrong second factors.
const LOCK: &str = "c0de0000-0000-4000-8000-000000000009";

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The server could not do its work: 503 when coming back may help, else 500. The log gets the reason.
pub(super) fn of_failure(error: FlowError) -> Error {
    let retry_after = match &error {
        FlowError::Overloaded(overloaded) => Some(overloaded.retry_after),
        FlowError::Store(store) if store.is_unavailable() => Some(UNAVAILABLE_FOR),
        _ => None,
    };
    let cause = crate::error_chain(&error);
    match retry_after {
        Some(wait) => {
            Error::of_status(Status::SERVICE_UNAVAILABLE).with_cause(cause).with_retry_after(whole_seconds(wait))
        }
        None => Error::of_status(Status::INTERNAL_SERVER_ERROR).with_cause(cause),
    }
}

/// 404.
pub(super) fn not_found() -> Error {
    Error::of_status(Status::NOT_FOUND)
}

/// 429: a budget is spent until then.
pub(super) fn too_many(until: Timestamp, now: Timestamp) -> Error {
    Error::of_status(Status::TOO_MANY_REQUESTS).with_retry_after(whole_seconds(now.until(until)))
}

/// 410 or 423: the person proved to be the holder of an account that may not be used.
pub(super) fn unusable(why: Unusable) -> Error {
    Error::of_number(match why {
        Unusable::Inactive => 423,
        Unusable::Expired => 410,
    })
}

/// 404, 409 or 421: a second factor is not accepted.
pub(super) fn of_second_factor(refused: Refused, now: Timestamp) -> Error {
    match refused {
        Refused::NoActor | Refused::ChallengeExhausted => not_found(),
        Refused::Locked { until } => {
            let action = LoginPreventedResponse {
                action_id: LOCK.to_owned(),
                name: "Locked".to_owned(),
                localized_name: "Locked".to_owned(),
                expiry: until.as_millis(),
            };
            let actions = ActionsResponse { actions: vec![action] };
            Error::of_actions(actions).with_retry_after(whole_seconds(now.until(until)))
        }
        Refused::WrongCode | Refused::Raced | Refused::NotEnrolled | Refused::NoCode | Refused::CodeExhausted => {
            Error::of_number(421)
        }
    }
}

/// 400: a new password is not taken.
pub(super) fn of_unfit_password(field: &str, unfit: Unfit) -> Error {
    let (kind, message) = match unfit {
        Unfit::TooShort => ("tooShort", "The password is too short."),
        Unfit::TooLong => ("tooLong", "The password is too long."),
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
        NotWritten::UnfitPassword(unfit) => of_unfit_password("user.password", unfit),
        NotWritten::EmailTaken => duplicate("user.email", "email"),
        NotWritten::UsernameTaken => duplicate("user.username", "username"),
        NotWritten::PhoneNumberTaken => duplicate("user.phoneNumber", "phoneNumber"),
        NotWritten::IdTaken => duplicate("user.id", "Id"),
    }
}
