//! What goes wrong, in the dialect's codes and texts (wire reference §1, §6–§8, §10).

use super::cookies::{Cookie, Cookies};
use super::origin::OriginRefusal;
use crate::http::shared::Failure;
use countersign_api::better_auth::Error;
use countersign_domain::account::Unusable;
use countersign_domain::assurance::{FactorsRefused, SecondFactorDue};
use countersign_domain::challenge::Factor;
use countersign_domain::password::PasswordPolicyViolation;
use countersign_domain::time::Timestamp;
use countersign_flows::enrolment::ManagementRefused;
use countersign_flows::mailed_links::OwnLinkRequested;
use countersign_flows::own_account::{AddressLink, OwnDeletion};
use countersign_flows::password::Unconfirmed;
use countersign_flows::second_factor::Refused;
use countersign_flows::{EnrolmentDue, FlowError};
use dropshot::ErrorStatusCode as Status;

/// 503 or 500: the server could not do its work.
#[must_use]
pub fn of_failure(error: FlowError) -> Error {
    let Failure { status, retry_after, cause } = error.into();
    Error::of_status(status).with_cause(cause).with_retry_after(retry_after)
}

impl From<OriginRefusal> for Error {
    fn from(refusal: OriginRefusal) -> Self {
        let is_malformed = refusal.status() == http::StatusCode::BAD_REQUEST;
        let status = if is_malformed { Status::BAD_REQUEST } else { Status::FORBIDDEN };
        Self::new(status, refusal.code().unwrap_or("BAD_REQUEST"), refusal.to_string())
    }
}

/// 401: nobody is signed in.
#[must_use]
pub fn unauthorized() -> Error {
    Error::of_status(Status::UNAUTHORIZED)
}

/// 401: the session that is shown is over, and its cookies go.
#[must_use]
pub fn unauthorized_and_cleared(cookies: &Cookies) -> Error {
    clear_session(unauthorized(), cookies)
}

/// Clears the cookies of a session.
#[must_use]
pub fn clear_session(error: Error, cookies: &Cookies) -> Error {
    cookies.delete_session().into_iter().fold(error, Error::with_cookie)
}

/// 401: neither session nor challenge.
#[must_use]
pub fn no_challenge() -> Error {
    Error::new(Status::UNAUTHORIZED, "INVALID_TWO_FACTOR_COOKIE", "Invalid two factor cookie")
}

/// 429: a quota is spent until then.
#[must_use]
pub fn too_many(until: Timestamp, now: Timestamp) -> Error {
    Error::of_status(Status::TOO_MANY_REQUESTS).with_retry_after(now.until(until))
}

/// 429: the account is locked until then.
#[must_use]
pub fn locked(until: Timestamp, now: Timestamp) -> Error {
    let message = "Too many failed verification attempts. Your account is temporarily locked. Please try again later.";
    Error::new(Status::TOO_MANY_REQUESTS, "ACCOUNT_TEMPORARILY_LOCKED", message).with_retry_after(now.until(until))
}

/// 401: address and password are not a pair.
#[must_use]
pub fn rejected_sign_in() -> Error {
    Error::new(Status::UNAUTHORIZED, "INVALID_EMAIL_OR_PASSWORD", "Invalid email or password")
}

/// 403 or 429: the password is right, and nothing is opened by it.
#[must_use]
pub fn unusable_account(why: Unusable, now: Timestamp) -> Error {
    match why {
        Unusable::Inactive | Unusable::Expired => {
            Error::new(Status::FORBIDDEN, "BANNED_USER", "This account has been deactivated. Please contact support.")
        }
        Unusable::Suspended { until } => {
            let message = "This account is locked for a while. Please contact support, or try again later.";
            let error = Error::new(Status::TOO_MANY_REQUESTS, "ACCOUNT_TEMPORARILY_LOCKED", message);
            error.with_retry_after(now.until(until))
        }
    }
}

/// 403: the password is right, and has to be changed first.
#[must_use]
pub fn password_change_required() -> Error {
    Error::new(Status::FORBIDDEN, "PASSWORD_CHANGE_REQUIRED", "The password has to be changed before signing in")
}

/// 400: there is no method that a code can be sent by.
#[must_use]
pub fn no_code_method() -> Error {
    Error::new(Status::BAD_REQUEST, "OTP_NOT_CONFIGURED", "otp isn't configured")
}

/// 400: the tenant does not allow authenticator apps.
#[must_use]
pub fn totp_not_configured() -> Error {
    Error::new(Status::BAD_REQUEST, "TOTP_NOT_CONFIGURED", "totp isn't configured")
}

/// 403: the session can only enrol a second factor.
#[must_use]
pub fn enrolment_due(_: EnrolmentDue) -> Error {
    Error::new(Status::FORBIDDEN, "ENROLMENT_REQUIRED", "Set up a second factor before doing anything else")
}

/// 403: the session has not passed the second factor that the account has, or not lately. Either is cured by passing one.
#[must_use]
pub fn second_factor_due(due: SecondFactorDue) -> Error {
    let message = match due {
        SecondFactorDue::Missing => {
            "Verify a second factor in this session first: send a code to two-factor/verify-totp, verify-otp or \
             verify-backup-code, and then repeat this request"
        }
        SecondFactorDue::Stale => {
            "The second factor of this session was verified too long ago: send a code to two-factor/verify-totp, verify-otp \
             or verify-backup-code, and then repeat this request"
        }
    };
    Error::new(Status::FORBIDDEN, "SECOND_FACTOR_REQUIRED", message)
}

/// 400: strangers cannot create accounts.
#[must_use]
pub fn sign_up_closed() -> Error {
    let message = "Email and password sign up is not enabled";
    Error::new(Status::BAD_REQUEST, "EMAIL_PASSWORD_SIGN_UP_DISABLED", message)
}

/// 422: an account has this e-mail address.
#[must_use]
pub fn email_taken() -> Error {
    let message = "User already exists. Use another email.";
    Error::new(Status::UNPROCESSABLE_ENTITY, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL", message)
}

/// 400: a new password has a wrong length.
#[must_use]
pub fn of_password_violation(violation: PasswordPolicyViolation) -> Error {
    let (code, message) = match violation {
        PasswordPolicyViolation::TooShort { .. } => ("PASSWORD_TOO_SHORT", "Password too short"),
        PasswordPolicyViolation::TooLong => ("PASSWORD_TOO_LONG", "Password too long"),
        PasswordPolicyViolation::Common => (
            "PASSWORD_COMPROMISED",
            "The password you entered has been compromised. Please choose a different password.",
        ),
    };
    Error::new(Status::BAD_REQUEST, code, message)
}

/// 400 or 429: the password of the account was not confirmed.
#[must_use]
pub fn of_unconfirmed(unconfirmed: Unconfirmed, now: Timestamp) -> Error {
    match unconfirmed {
        Unconfirmed::WrongPassword => Error::new(Status::BAD_REQUEST, "INVALID_PASSWORD", "Invalid password"),
        Unconfirmed::TooMany { until } => too_many(until, now),
    }
}

/// Why second factors may not be managed; `not_enrolled` is the operation's own error where there is nothing to manage.
#[must_use]
pub fn of_management(refused: ManagementRefused, not_enrolled: fn() -> Error, now: Timestamp) -> Error {
    match refused {
        ManagementRefused::SecondFactorDue(due) => second_factor_due(due),
        ManagementRefused::Locked { until } => locked(until, now),
        ManagementRefused::Unconfirmed(unconfirmed) => of_unconfirmed(unconfirmed, now),
        ManagementRefused::NotAllowed => totp_not_configured(),
        ManagementRefused::NotEnrolled => not_enrolled(),
        ManagementRefused::Stale => unauthorized(),
    }
}

/// 400 with a code and a text of its own.
#[must_use]
pub fn bad_request(code: &'static str, message: &'static str) -> Error {
    Error::new(Status::BAD_REQUEST, code, message)
}

/// 400: a request changes nothing.
#[must_use]
pub fn nothing_to_update() -> Error {
    bad_request("NO_FIELDS_TO_UPDATE", "No fields to update")
}

/// The same error as a 401, which is every error of a link about an address.
#[must_use]
pub fn unauthorized_because(error: Error) -> Error {
    Error::new(Status::UNAUTHORIZED, error.code, error.message)
}

/// 403: the password is right, and the address has to be verified first.
#[must_use]
pub fn verification_due() -> Error {
    Error::new(Status::FORBIDDEN, "EMAIL_NOT_VERIFIED", "Email not verified")
}

/// Why an owner may not change this now.
#[must_use]
pub fn of_factors(refused: FactorsRefused, now: Timestamp) -> Error {
    match refused {
        FactorsRefused::SecondFactorDue(due) => second_factor_due(due),
        FactorsRefused::Locked { until } => locked(until, now),
    }
}

/// How asking for a link ends for an owner.
///
/// # Errors
/// If no link is sent.
pub fn of_own_link(requested: OwnLinkRequested, now: Timestamp) -> Result<(), Error> {
    match requested {
        OwnLinkRequested::Accepted | OwnLinkRequested::AlreadyVerified | OwnLinkRequested::SameAddress => Ok(()),
        OwnLinkRequested::Refused(refused) => Err(of_factors(refused, now)),
        OwnLinkRequested::TooMany { until } => Err(too_many(until, now)),
        OwnLinkRequested::NoAddress => Err(unauthorized()),
        OwnLinkRequested::SignInDue => Err(session_not_fresh()),
    }
}

/// The session was opened too long ago for this.
#[must_use]
pub fn session_not_fresh() -> Error {
    Error::new(Status::FORBIDDEN, "SESSION_NOT_FRESH", "Session is not fresh")
}

/// How deleting an account ends.
///
/// # Errors
/// If it is still there.
pub fn of_deletion(deleted: OwnDeletion, now: Timestamp) -> Result<(), Error> {
    match deleted {
        OwnDeletion::Deleted => Ok(()),
        OwnDeletion::SwitchedOff => Err(Error::of_status(Status::NOT_FOUND)),
        OwnDeletion::Refused(refused) => Err(of_factors(refused, now)),
        OwnDeletion::Unconfirmed(unconfirmed) => Err(of_unconfirmed(unconfirmed, now)),
        OwnDeletion::LinkDue | OwnDeletion::InvalidLink => {
            Err(Error::new(Status::NOT_FOUND, "INVALID_TOKEN", "Invalid token"))
        }
        OwnDeletion::Stale => Err(unauthorized()),
    }
}

/// Why a link about an address does nothing.
#[must_use]
pub fn of_address_link(link: &AddressLink, now: Timestamp) -> Error {
    let (code, message) = match link {
        AddressLink::Locked { until } => return locked(*until, now),
        AddressLink::OtherUser => ("INVALID_USER", "Invalid user"),
        AddressLink::Unusable(why @ Unusable::Suspended { .. }) => return unusable_account(*why, now),
        AddressLink::Unusable(why) => return unauthorized_because(unusable_account(*why, now)),
        AddressLink::Taken => ("USER_ALREADY_EXISTS", "User already exists."),
        AddressLink::LeavesNoMethod => ("NO_METHOD_LEFT", "Set up another second factor first"),
        AddressLink::Invalid
        | AddressLink::Verified(_)
        | AddressLink::SignedIn(_)
        | AddressLink::Changed(_)
        | AddressLink::Restored(_) => return unauthorized_because(invalid_link()),
    };
    Error::new(Status::UNAUTHORIZED, code, message)
}

/// 400: a mailed link does not work, or not any more.
#[must_use]
pub fn invalid_link() -> Error {
    Error::new(Status::BAD_REQUEST, "INVALID_TOKEN", "Invalid token")
}

/// 400: an address that is malformed, as the validation of bodies words it.
#[must_use]
pub fn invalid_address() -> Error {
    Error::new(Status::BAD_REQUEST, "VALIDATION_ERROR", "[body.email] Invalid email address")
}

/// 400: there is no authenticator app.
#[must_use]
pub fn totp_not_enabled() -> Error {
    Error::new(Status::BAD_REQUEST, "TOTP_NOT_ENABLED", "TOTP not enabled")
}

/// 400: there is no second factor.
#[must_use]
pub fn two_factor_not_enabled() -> Error {
    Error::new(Status::BAD_REQUEST, "TWO_FACTOR_NOT_ENABLED", "Two factor isn't enabled")
}

/// Why a second factor is not accepted.
#[must_use]
pub fn of_second_factor(refused: Refused, factor: Factor, cookies: &Cookies, now: Timestamp) -> Error {
    let too_many_attempts = || {
        let message = "Too many attempts. Please request a new code.";
        Error::new(Status::BAD_REQUEST, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE", message)
    };
    match refused {
        Refused::NoClaimant => no_challenge(),
        Refused::WrongCode if factor == Factor::BackupCode => {
            Error::new(Status::UNAUTHORIZED, "INVALID_BACKUP_CODE", "Invalid backup code")
        }
        Refused::WrongCode => Error::new(Status::UNAUTHORIZED, "INVALID_CODE", "Invalid code"),
        Refused::NotAllowed if factor == Factor::Totp => totp_not_configured(),
        Refused::NotAllowed => no_code_method(),
        Refused::BackupCodeUsed => {
            let message = "Failed to verify backup code. Please try again.";
            Error::new(Status::CONFLICT, "BACKUP_CODE_CONFLICT", message)
        }
        Refused::NotEnrolled => match factor {
            Factor::Totp => totp_not_enabled(),
            // A passkey is presented by operations of its own.
            Factor::OneTimeCode | Factor::Passkey => two_factor_not_enabled(),
            Factor::BackupCode => {
                Error::new(Status::BAD_REQUEST, "BACKUP_CODES_NOT_ENABLED", "Backup codes aren't enabled")
            }
        },
        Refused::NoCode | Refused::CodeUsed => Error::new(Status::BAD_REQUEST, "OTP_HAS_EXPIRED", "OTP has expired"),
        Refused::CodeExhausted => too_many_attempts(),
        Refused::ChallengeExhausted => too_many_attempts().with_cookie(cookies.delete(Cookie::Challenge)),
        Refused::Locked { until } => locked(until, now),
    }
}
