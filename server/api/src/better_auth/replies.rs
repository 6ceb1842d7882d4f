//! The statuses of each operation, with their bodies and headers: the contract's `responses`, as types.
//!
//! Lists of errors are shared by several operations. A type is named after its operation id without `Post`.

use super::error::ErrorBody;
use super::responses;
use crate::reply::{Documented, HtmlPage, NoBody};

pub(super) const SET_COOKIE: &str = "Set-Cookie";
pub(super) const SET_AUTH_TOKEN: &str = "set-auth-token";
const CONTENT_SECURITY_POLICY: &str = "Content-Security-Policy";
const LOCATION: &str = "Location";
const RETRY_AFTER: &str = "Retry-After";
const X_RETRY_AFTER: &str = "X-Retry-After";

pub(super) const fn error(status: u16, description: &'static str, headers: &'static [&'static str]) -> Documented {
    Documented::new::<ErrorBody>(status, description, headers)
}

const BAD_REQUEST: Documented = error(400, "The request cannot be understood, or does not fit the account.", &[]);
pub(super) const VERIFY_BAD_REQUEST: Documented =
    error(400, "The request cannot be understood, or this factor cannot be verified now.", &[SET_COOKIE]);
const WRONG_PASSWORD: Documented = error(401, "E-mail address and password do not belong together.", &[]);
const LINK_UNAUTHORIZED: Documented = error(401, "The link does nothing.", &[]);
pub(super) const UNAUTHORIZED: Documented = error(401, "There is no live session.", &[SET_COOKIE]);
const CHALLENGE_UNAUTHORIZED: Documented =
    error(401, "There is no live session or challenge, or the code is wrong.", &[SET_COOKIE]);
pub(super) const FORBIDDEN: Documented = error(403, "The request is not allowed from here, or in this session.", &[]);
pub(super) const VERIFY_FORBIDDEN: Documented =
    error(403, "The request is not allowed from here, or the account may not be signed in to.", &[SET_COOKIE]);
const NOT_FOUND: Documented = error(404, "The operator has switched this operation off.", &[]);
const CONFLICT: Documented = error(409, "Another request changed the backup codes at the same moment.", &[]);
pub(super) const PAYLOAD_TOO_LARGE: Documented = error(413, "The body is larger than the server reads.", &[]);
pub(super) const UNSUPPORTED_MEDIA_TYPE: Documented = error(415, "The body has a media type that is not taken.", &[]);
const USER_ALREADY_EXISTS: Documented = error(422, "There is an account with this e-mail address.", &[]);
const TOO_MANY_REQUESTS: Documented = error(429, "A limit is reached.", &[RETRY_AFTER, X_RETRY_AFTER]);
const INTERNAL_SERVER_ERROR: Documented = error(500, "The server failed.", &[]);
const SERVICE_UNAVAILABLE: Documented = error(503, "The server is too busy, or about to stop.", &[RETRY_AFTER]);

/// Errors of every operation that reads the database.
pub(super) const ALWAYS: &[Documented] = &[NOT_FOUND, TOO_MANY_REQUESTS, INTERNAL_SERVER_ERROR, SERVICE_UNAVAILABLE];
/// Further errors of every operation that takes a body or changes something.
pub(super) const POSTED: &[Documented] = &[FORBIDDEN, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE];
/// Further errors of operations that need a session.
pub(super) const SESSION: &[Documented] = &[BAD_REQUEST, UNAUTHORIZED];
/// Further errors of operations that verify a code, in a session or a challenge.
const VERIFY: &[Documented] =
    &[VERIFY_BAD_REQUEST, CHALLENGE_UNAUTHORIZED, VERIFY_FORBIDDEN, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE];

crate::replies! {
    /// `twoFactorEnablePost`.
    pub enum TwoFactorEnable {
        200 "The new secret and codes, or codes by e-mail." => responses::TwoFactorEnable,
            headers [SET_COOKIE, SET_AUTH_TOKEN];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `twoFactorVerifyTotpPost`.
    pub enum TwoFactorVerifyTotp {
        200 "The code was right." => responses::StatusAndSession, headers [SET_COOKIE, SET_AUTH_TOKEN];
        errors [ALWAYS, VERIFY];
    }

    /// `twoFactorSendOtpPost`.
    pub enum TwoFactorSendOtp {
        200 "A code is on its way." => responses::StatusAndSession, headers [];
        errors [ALWAYS, POSTED, &[BAD_REQUEST, CHALLENGE_UNAUTHORIZED]];
    }

    /// `twoFactorVerifyOtpPost`.
    pub enum TwoFactorVerifyOtp {
        200 "The code was right." => responses::TokenAndUser, headers [SET_COOKIE, SET_AUTH_TOKEN];
        errors [ALWAYS, VERIFY];
    }

    /// `twoFactorGetTotpUriPost`.
    pub enum TwoFactorGetTotpUri {
        200 "The URI." => responses::TwoFactorGetTotpUri, headers [];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `twoFactorVerifyBackupCodePost`.
    pub enum TwoFactorVerifyBackupCode {
        200 "The code was right, and is used up." => responses::TwoFactorVerifyBackupCode,
            headers [SET_COOKIE, SET_AUTH_TOKEN];
        errors [ALWAYS, VERIFY, &[CONFLICT]];
    }

    /// `twoFactorGenerateBackupCodesPost`.
    pub enum TwoFactorGenerateBackupCodes {
        200 "The new codes." => responses::TwoFactorGenerateBackupCodes, headers [];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `twoFactorDisablePost`.
    pub enum TwoFactorDisable {
        200 "The second factor is off." => responses::StatusAndSession, headers [SET_COOKIE, SET_AUTH_TOKEN];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `twoFactorRevokeTrustedDevicesPost`.
    pub enum TwoFactorRevokeTrustedDevices {
        200 "No device is trusted any more." => responses::StatusAndSession, headers [SET_COOKIE];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `signUpWithEmailAndPassword`.
    pub enum SignUpWithEmailAndPassword {
        200 "The account exists." => responses::TokenAndUser, headers [SET_COOKIE, SET_AUTH_TOKEN];
        202 "The address has to be verified first." => responses::SignUpUnverified, headers [];
        errors [ALWAYS, POSTED, &[BAD_REQUEST, USER_ALREADY_EXISTS]];
    }

    /// `signInEmail`.
    pub enum SignInEmail {
        200 "A session or a challenge." => responses::SignInEmail, headers [SET_COOKIE, SET_AUTH_TOKEN, LOCATION];
        errors [ALWAYS, POSTED, &[BAD_REQUEST, WRONG_PASSWORD]];
    }

    /// `signOut`.
    pub enum SignOut {
        200 "No session is left." => responses::SignOut, headers [SET_COOKIE];
        errors [ALWAYS, POSTED, &[BAD_REQUEST]];
    }

    /// `getSession`.
    pub enum GetSession {
        200 "The session and its user, or null." => Option<responses::SessionAndUser>,
            headers [SET_COOKIE, SET_AUTH_TOKEN];
        errors [ALWAYS];
    }

    /// `getSessionPost`.
    pub enum PostedGetSession {
        200 "The session and its user, or null." => Option<responses::SessionAndUser>,
            headers [SET_COOKIE, SET_AUTH_TOKEN];
        errors [ALWAYS, POSTED, &[BAD_REQUEST]];
    }

    /// `listUserSessions`.
    pub enum ListUserSessions {
        200 "The live sessions." => Vec<responses::Session>, headers [];
        errors [ALWAYS, &[UNAUTHORIZED, FORBIDDEN]];
    }

    /// `revokeSessionPost`, `revokeSessionsPost` and `revokeOtherSessionsPost`.
    pub enum RevokeSession {
        200 "The sessions have ended." => responses::Revoked, headers [];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `listTrustedDevices`.
    pub enum ListTrustedDevices {
        200 "The trusted devices." => Vec<responses::TrustedDevice>, headers [];
        errors [ALWAYS, &[UNAUTHORIZED, FORBIDDEN]];
    }

    /// `renameTrustedDevice`.
    pub enum RenameTrustedDevice {
        200 "The device under its new name." => responses::TrustedDevice, headers [];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `revokeTrustedDevice` and `revokeAllTrustedDevices`.
    pub enum RevokeTrustedDevice {
        200 "The trust has ended." => responses::Revoked, headers [SET_COOKIE];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `changePassword`.
    pub enum ChangePassword {
        200 "The new password counts." => responses::ChangePassword, headers [SET_COOKIE, SET_AUTH_TOKEN];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `requestPasswordReset` and `forgetPassword`.
    pub enum RequestPasswordReset {
        200 "The link is on its way, if there is such an account." => responses::RequestPasswordReset, headers [];
        errors [ALWAYS, POSTED, &[BAD_REQUEST]];
    }

    /// `resetPassword`.
    pub enum ResetPassword {
        200 "The new password counts." => responses::StatusAndSession, headers [];
        errors [ALWAYS, POSTED, &[BAD_REQUEST]];
    }

    /// `resetPasswordCallback`.
    pub enum ResetPasswordCallback {
        302 "To the page." => NoBody, headers [LOCATION];
        errors [ALWAYS, &[BAD_REQUEST, FORBIDDEN]];
    }

    /// `sendVerificationEmail`.
    pub enum SendVerificationEmail {
        200 "The link is on its way, if there is such an account." => responses::StatusAndSession, headers [];
        errors [ALWAYS, POSTED, &[BAD_REQUEST]];
    }

    /// `verifyEmail`.
    pub enum VerifyEmail {
        200 "The link has done what it is for." => responses::VerifyEmail, headers [SET_COOKIE, SET_AUTH_TOKEN];
        302 "To the page." => NoBody, headers [LOCATION, SET_COOKIE, SET_AUTH_TOKEN];
        errors [ALWAYS, &[BAD_REQUEST, LINK_UNAUTHORIZED, FORBIDDEN]];
    }

    /// `changeEmail`.
    pub enum ChangeEmail {
        200 "The link is on its way." => responses::StatusAndSession, headers [];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `updateUser`.
    pub enum UpdateUser {
        200 "It is changed." => responses::StatusAndSession, headers [SET_COOKIE, SET_AUTH_TOKEN];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `updateSession`.
    pub enum UpdateSession {
        200 "It is changed." => responses::UpdateSession, headers [];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `deleteUser`.
    pub enum DeleteUser {
        200 "The account is deleted, or the link is on its way." => responses::DeleteUser, headers [SET_COOKIE];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `deleteUserCallback`.
    pub enum DeleteUserCallback {
        200 "The account is deleted." => responses::DeleteUser, headers [SET_COOKIE];
        302 "To the page." => NoBody, headers [LOCATION, SET_COOKIE];
        errors [ALWAYS, &[BAD_REQUEST, FORBIDDEN]];
    }

    /// `verifyPassword`.
    pub enum VerifyPassword {
        200 "It is." => responses::StatusAndSession, headers [];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `listUserAccounts`.
    pub enum ListUserAccounts {
        200 "The list." => Vec<responses::Credential>, headers [];
        errors [ALWAYS, &[UNAUTHORIZED, FORBIDDEN]];
    }

    /// `errorPage`.
    pub enum ErrorPage {
        200 "The page." => HtmlPage, headers [CONTENT_SECURITY_POLICY];
        errors [&[NOT_FOUND, TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE]];
    }

    /// `okGet`.
    pub enum OkGet {
        200 "The API takes requests." => responses::OkGet, headers [];
        errors [&[NOT_FOUND, TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE]];
    }
}
