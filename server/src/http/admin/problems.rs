//! Refusals and failures as problem details.

use crate::http::shared::Failure;
use countersign_api::admin::Problem;
use countersign_api::admin::problem::ProblemPart;
use countersign_domain::password::{self, PasswordPolicyViolation};
use countersign_flows::FlowError;
use countersign_flows::users::NotWritten;
use dropshot::ErrorStatusCode as Status;

pub(super) fn of_failure(error: FlowError) -> Problem {
    let Failure { status, retry_after, cause } = error.into();
    Problem::of_status(status).with_retry_after(retry_after).with_cause(cause)
}

/// 404: there is no such user, or not in the tenant of the key.
pub(super) fn no_user() -> Problem {
    Problem::new(Status::NOT_FOUND, "USER_NOT_FOUND", "There is no such user.")
}

/// 409.
pub(super) fn conflict(code: &'static str, detail: &'static str) -> Problem {
    Problem::new(Status::CONFLICT, code, detail)
}

/// 400: a parameter is not valid.
pub(super) fn of_parameter(name: &str, detail: &str) -> Problem {
    Problem::of_parts(vec![ProblemPart::of_parameter(name, detail)])
}

/// 400: a property of the body is not valid.
pub(super) fn of_property(name: &str, detail: impl Into<String>) -> Problem {
    Problem::of_parts(vec![ProblemPart::of_property(name, detail)])
}

/// Why a user is not written.
pub(super) fn of_not_written(refused: NotWritten) -> Problem {
    let password = |code: &'static str, detail: String| Problem::new(Status::BAD_REQUEST, code, detail);
    match refused {
        NotWritten::Gone => no_user(),
        NotWritten::Violation(PasswordPolicyViolation::TooShort { shortest }) => {
            password("PASSWORD_TOO_SHORT", format!("The password needs {shortest} characters."))
        }
        NotWritten::Violation(PasswordPolicyViolation::TooLong) => {
            password("PASSWORD_TOO_LONG", format!("The password may have {} characters.", password::LONGEST))
        }
        NotWritten::Violation(PasswordPolicyViolation::Common) => {
            password("PASSWORD_COMPROMISED", "The password is among those that attackers try first.".to_owned())
        }
        NotWritten::EmailTaken => conflict("EMAIL_TAKEN", "Another user has this e-mail address."),
        NotWritten::UsernameTaken => conflict("USERNAME_TAKEN", "Another user has this user name."),
        // No operation of this API sets what these are about.
        NotWritten::PhoneNumberTaken | NotWritten::IdTaken | NotWritten::LeavesNoMethod => {
            Problem::of_status(Status::INTERNAL_SERVER_ERROR).with_cause(format!("a change was refused: {refused:?}"))
        }
    }
}
