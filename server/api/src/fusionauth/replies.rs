//! The statuses of each operation, with their bodies and headers: the contract's `responses`, as types.

use super::error::Errors;
use super::{actions, responses, search};
use crate::reply::{Documented, NoBody};

const SET_COOKIE: &str = "Set-Cookie";
const RETRY_AFTER: &str = "Retry-After";
const WWW_AUTHENTICATE: &str = "WWW-Authenticate";

const fn empty(status: u16, description: &'static str, headers: &'static [&'static str]) -> Documented {
    Documented::new::<NoBody>(status, description, headers)
}

const BAD_REQUEST: Documented = Documented::new::<Errors>(400, "Something in the request is wrong.", &[]);
const UNAUTHORIZED: Documented =
    empty(401, "The API key or the access token is not good for this.", &[WWW_AUTHENTICATE]);
const NOT_FOUND: Documented = empty(404, "There is no such thing.", &[]);
const CONFLICT: Documented =
    Documented::new::<responses::ActionsResponse>(409, "The user is kept from logging in.", &[RETRY_AFTER]);
const GONE: Documented = empty(410, "The account has expired.", &[]);
const PAYLOAD_TOO_LARGE: Documented = empty(413, "The body is larger than the server reads.", &[]);
const WRONG_CODE: Documented = empty(421, "The code is wrong, used, expired or for something else.", &[]);
const UNREACHABLE_USER: Documented = empty(422, "The user has no e-mail address.", &[]);
const LOCKED: Documented = empty(423, "The user is deactivated.", &[]);
const TOO_MANY_REQUESTS: Documented = empty(429, "A limit is reached.", &[RETRY_AFTER]);
const INTERNAL_SERVER_ERROR: Documented = empty(500, "The server failed.", &[]);
const SERVICE_UNAVAILABLE: Documented = empty(503, "The server is too busy, or about to stop.", &[RETRY_AFTER]);

/// Errors of every operation.
const ALWAYS: &[Documented] = &[NOT_FOUND, TOO_MANY_REQUESTS, INTERNAL_SERVER_ERROR, SERVICE_UNAVAILABLE];
/// Further errors of operations that read a path, a query, a header or a body.
const ASKED: &[Documented] = &[BAD_REQUEST];
/// Further errors of operations that take a body.
const POSTED: &[Documented] = &[PAYLOAD_TOO_LARGE];
/// Further errors of operations that need credentials.
const GUARDED: &[Documented] = &[UNAUTHORIZED];
/// Further errors of operations that verify a second factor.
const JUDGED: &[Documented] = &[CONFLICT, WRONG_CODE];
/// Further errors of operations that log a user in.
const LOGGED_IN: &[Documented] = &[GONE, LOCKED];

crate::replies! {
    /// `login`.
    pub enum Login {
        200 "The user is logged in." => responses::LoginResponse, headers [SET_COOKIE];
        202 "The same, but the user is not registered for the application." => responses::LoginResponse,
            headers [SET_COOKIE];
        203 "The password has to be changed first." => responses::LoginResponse, headers [];
        242 "A second factor is needed." => responses::LoginResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED, &[CONFLICT], LOGGED_IN];
    }

    /// `twoFactorLogin`.
    pub enum TwoFactorLogin {
        200 "The user is logged in." => responses::LoginResponse, headers [SET_COOKIE];
        202 "The same, but the user is not registered for the application." => responses::LoginResponse,
            headers [SET_COOKIE];
        203 "The password has to be changed first." => responses::LoginResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, JUDGED, LOGGED_IN];
    }

    /// `startTwoFactorLogin`.
    pub enum TwoFactorStart {
        200 "The challenge and its code." => responses::TwoFactorStartResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `retrieveTwoFactorStatus` and `retrieveTwoFactorStatusWithoutTrust`.
    pub enum TwoFactorStatus {
        200 "The user will not be asked." => responses::TwoFactorStatusResponse, headers [];
        242 "The user will be asked." => responses::TwoFactorStatusResponse, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `retrieveTwoFactorStatusWithRequest`.
    pub enum PostTwoFactorStatus {
        200 "The user will not be asked." => responses::TwoFactorStatusResponse, headers [];
        242 "The user will be asked." => responses::TwoFactorStatusResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `sendTwoFactorCodeForEnableDisable`.
    pub enum SendForEnableDisable {
        200 "A code is on its way." => NoBody, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED, &[CONFLICT]];
    }

    /// `sendTwoFactorCodeForLoginUsingMethod`.
    pub enum SendForLogin {
        200 "A code is on its way." => NoBody, headers [];
        errors [ALWAYS, ASKED, POSTED, &[CONFLICT]];
    }

    /// `generateTwoFactorSecretUsingJWT`.
    pub enum Secret {
        200 "A new secret." => responses::SecretResponse, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `enableTwoFactor`.
    pub enum EnableTwoFactor {
        200 "The method is enabled." => responses::TwoFactorResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED, &[WRONG_CODE]];
    }

    /// `enableTwoFactorUsingJWT`.
    pub enum EnableOwnTwoFactor {
        200 "The method is enabled." => responses::TwoFactorResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED, JUDGED];
    }

    /// `disableTwoFactor` and `disableTwoFactorUsingJWT`.
    pub enum DisableTwoFactor {
        200 "The method is disabled." => NoBody, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED, JUDGED];
    }

    /// `updateTwoFactor`.
    pub enum UpdateTwoFactor {
        200 "The method has its new name." => NoBody, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `generateTwoFactorRecoveryCodes`.
    pub enum RecoveryCodes {
        200 "The new codes." => responses::TwoFactorRecoveryCodeResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `retrieveTwoFactorRecoveryCodes`.
    pub enum ReadRecoveryCodes {
        200 "No codes." => responses::TwoFactorRecoveryCodeResponse, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `retrieveUserLock`.
    pub enum ReadUserLock {
        200 "What is counted." => responses::UserLockResponse, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `deleteUserLock`.
    pub enum DeleteUserLock {
        200 "Nothing is counted against the user." => NoBody, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `changePasswordByIdentity`.
    pub enum ChangePasswordByIdentity {
        200 "The new password counts." => NoBody, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `checkChangePasswordByIdentity`.
    pub enum CheckChangePasswordByIdentity {
        200 "The old password is all it takes." => NoBody, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `changePassword`.
    pub enum ChangePassword {
        200 "The new password counts." => responses::ChangePasswordResponse, headers [];
        errors [ALWAYS, ASKED, POSTED];
    }

    /// `checkChangePassword`.
    pub enum CheckChangePassword {
        200 "The id is good." => NoBody, headers [];
        errors [ALWAYS, ASKED];
    }

    /// `createUser` and `createUserWithId`.
    pub enum CreateUser {
        200 "The user." => responses::UserResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `retrieveUser` and `retrieveUserByLoginId`.
    pub enum RetrieveUser {
        200 "The user." => responses::UserResponse, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `patchUser` and `updateUser`.
    pub enum ChangeUser {
        200 "The user as changed." => responses::UserResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `deleteUser`.
    pub enum DeleteUser {
        200 "The user is deactivated or removed." => NoBody, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `register`.
    pub enum Register {
        200 "The registration." => responses::RegistrationResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `registerUser`.
    pub enum RegisterUser {
        200 "The user and the registration." => responses::RegistrationResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `updateRegistration` and `patchRegistration`.
    pub enum ChangeRegistration {
        200 "The registration as changed." => responses::RegistrationResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `retrieveRegistration`.
    pub enum RetrieveRegistration {
        200 "The registration." => responses::RegistrationResponse, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `deleteRegistration`.
    pub enum DeleteRegistration {
        200 "The registration is deleted." => NoBody, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `searchUsersByIds`.
    pub enum FindUsers {
        200 "The users." => search::SearchResponse, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `searchUsersByQueryString`.
    pub enum SearchUsers {
        200 "The users." => search::SearchResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `actionUser`, `modifyAction` and `cancelAction`.
    pub enum TakeAction {
        200 "The action." => actions::ActionResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `retrieveAction`.
    pub enum RetrieveAction {
        200 "The action." => actions::ActionResponse, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `retrieveActions`.
    pub enum RetrieveActions {
        200 "The actions." => actions::UserActionsResponse, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `validateJWT`.
    pub enum ValidateJwt {
        200 "The token is good." => responses::ValidateResponse, headers [];
        errors [ALWAYS, GUARDED];
    }

    /// `exchangeRefreshTokenForJWT`.
    pub enum Refresh {
        200 "New tokens." => responses::JWTRefreshResponse, headers [SET_COOKIE];
        errors [ALWAYS, ASKED, POSTED];
    }

    /// `retrieveRefreshTokens`.
    pub enum RetrieveRefreshTokens {
        200 "The refresh tokens." => responses::RefreshTokensResponse, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `retrieveRefreshTokenById`.
    pub enum RetrieveRefreshToken {
        200 "The refresh token." => responses::RefreshTokenResponse, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `revokeRefreshToken`.
    pub enum RevokeRefreshToken {
        200 "They are revoked." => NoBody, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `revokeRefreshTokenById`.
    pub enum RevokeRefreshTokenById {
        200 "It is revoked." => NoBody, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `logout`.
    pub enum Logout {
        200 "The user is logged out." => NoBody, headers [SET_COOKIE];
        errors [ALWAYS, ASKED, POSTED];
    }

    /// `retrieveJsonWebKeySet`.
    pub enum JsonWebKeySet {
        200 "The keys." => responses::JWKSResponse, headers [];
        errors [&[NOT_FOUND, TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE]];
    }

    /// `retrieveSystemStatus`.
    pub enum SystemStatus {
        200 "The system is there." => responses::StatusResponse, headers [];
        errors [ALWAYS];
    }
}

mod links;
mod passkeys;

pub use links::*;
pub use passkeys::*;
