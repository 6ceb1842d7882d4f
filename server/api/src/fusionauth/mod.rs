//! The FusionAuth dialect, under `/api`: what `openapi/fusionauth.yaml` says, as several traits.
//!
//! dropshot's router rejects a literal segment beside a variable one (`/api/user/two-factor` beside `/api/user/{userId}`), so
//! operations that would collide are in traits of their own. A path must be looked up in them in the order of this file:
//! the longest literals first, [`UserApi`] last.
//!
//! | to see | look at |
//! |---|---|
//! | bodies and queries of requests | [`requests`] |
//! | bodies of responses | [`responses`] |
//! | both, of locks and of searches | [`actions`], [`search`] |
//! | statuses of each operation | [`replies`] |
//! | the header that names a tenant | [`tenant`] |
//! | the form of errors | [`error`] |

pub mod actions;
pub mod administration;
pub mod error;
pub mod links;
pub mod passkeys;
pub mod replies;
pub mod requests;
pub mod responses;
pub mod search;
pub mod tenant;
mod token_responses;

pub use administration::{AdministrationApi, administration_api_mod};
pub use error::{BearerChallenge, Error, Errors, FieldError};
pub use links::{LinkApi, link_api_mod};
pub use passkeys::{PasskeyApi, PasskeyByIdApi, passkey_api_mod, passkey_by_id_api_mod};
pub use tenant::TenantHeader;

use crate::body::{LenientBody, LenientOrNullBody, MergePatchBody};
use crate::query::CheckedQuery;
use crate::reply::Reply;
use dropshot::{Path, RequestContext};

/// Backup codes: `/api/user/two-factor/recovery-code/{userId}`.
#[dropshot::api_description]
pub trait RecoveryCodeApi {
    /// State shared by all handlers.
    type Context;

    /// Make new recovery codes.
    #[endpoint {
        method = POST,
        path = "/api/user/two-factor/recovery-code/{userId}",
        operation_id = "generateTwoFactorRecoveryCodes",
        tags = ["Methods"],
    }]
    async fn generate_two_factor_recovery_codes(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::NoFields>,
    ) -> Result<Reply<replies::RecoveryCodes>, Error>;

    /// Read the recovery codes, of which none is ever shown again.
    #[endpoint {
        method = GET,
        path = "/api/user/two-factor/recovery-code/{userId}",
        operation_id = "retrieveTwoFactorRecoveryCodes",
        tags = ["Methods"],
    }]
    async fn retrieve_two_factor_recovery_codes(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::ReadRecoveryCodes>, Error>;
}

/// Second factors, limits, passwords and registrations: paths with a literal in place of `{userId}`.
#[dropshot::api_description]
pub trait MethodApi {
    /// State shared by all handlers.
    type Context;

    /// Enable a two-factor method.
    #[endpoint {
        method = POST,
        path = "/api/user/two-factor/{userId}",
        operation_id = "enableTwoFactor",
        tags = ["Methods"],
    }]
    async fn enable_two_factor(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactor>,
    ) -> Result<Reply<replies::EnableTwoFactor>, Error>;

    /// Disable a two-factor method.
    #[endpoint {
        method = DELETE,
        path = "/api/user/two-factor/{userId}",
        operation_id = "disableTwoFactor",
        tags = ["Methods"],
    }]
    async fn disable_two_factor(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        query: CheckedQuery<requests::TwoFactorDisableQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorDisable>,
    ) -> Result<Reply<replies::DisableTwoFactor>, Error>;

    /// Name a two-factor method.
    #[endpoint {
        method = PUT,
        path = "/api/user/two-factor/{userId}",
        operation_id = "updateTwoFactor",
        tags = ["Methods"],
    }]
    async fn update_two_factor(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        query: CheckedQuery<requests::TwoFactorUpdateQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorUpdate>,
    ) -> Result<Reply<replies::UpdateTwoFactor>, Error>;

    /// Enable a two-factor method for oneself.
    #[endpoint {
        method = POST,
        path = "/api/user/two-factor",
        operation_id = "enableTwoFactorUsingJWT",
        tags = ["Methods"],
    }]
    async fn enable_two_factor_using_jwt(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactor>,
    ) -> Result<Reply<replies::EnableOwnTwoFactor>, Error>;

    /// Disable a two-factor method of one's own.
    #[endpoint {
        method = DELETE,
        path = "/api/user/two-factor",
        operation_id = "disableTwoFactorUsingJWT",
        tags = ["Methods"],
    }]
    async fn disable_two_factor_using_jwt(
        context: RequestContext<Self::Context>,
        query: CheckedQuery<requests::TwoFactorDisableQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorDisable>,
    ) -> Result<Reply<replies::DisableTwoFactor>, Error>;

    /// Read what is counted against a user.
    #[endpoint {
        method = GET,
        path = "/api/user/lock/{userId}",
        operation_id = "retrieveUserLock",
        tags = ["Users"],
    }]
    async fn retrieve_user_lock(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::ReadUserLock>, Error>;

    /// Unlock a user.
    #[endpoint {
        method = DELETE,
        path = "/api/user/lock/{userId}",
        operation_id = "deleteUserLock",
        tags = ["Users"],
    }]
    async fn delete_user_lock(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::DeleteUserLock>, Error>;

    /// Change a password, knowing the old one.
    #[endpoint {
        method = POST,
        path = "/api/user/change-password",
        operation_id = "changePasswordByIdentity",
        tags = ["Passwords"],
    }]
    async fn change_password_by_identity(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::ChangePassword>,
    ) -> Result<Reply<replies::ChangePasswordByIdentity>, Error>;

    /// Ask what changing a password will take.
    #[endpoint {
        method = GET,
        path = "/api/user/change-password",
        operation_id = "checkChangePasswordByIdentity",
        tags = ["Passwords"],
    }]
    async fn check_change_password_by_identity(
        context: RequestContext<Self::Context>,
        query: CheckedQuery<requests::CheckChangePasswordQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::CheckChangePasswordByIdentity>, Error>;

    /// Change a password, with the id that logging in gave.
    #[endpoint {
        method = POST,
        path = "/api/user/change-password/{changePasswordId}",
        operation_id = "changePassword",
        tags = ["Passwords"],
    }]
    async fn change_password(
        context: RequestContext<Self::Context>,
        path: Path<requests::ChangePasswordPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::ChangePassword>,
    ) -> Result<Reply<replies::ChangePassword>, Error>;

    /// Ask whether an id is good for changing a password.
    #[endpoint {
        method = GET,
        path = "/api/user/change-password/{changePasswordId}",
        operation_id = "checkChangePassword",
        tags = ["Passwords"],
    }]
    async fn check_change_password(
        context: RequestContext<Self::Context>,
        path: Path<requests::ChangePasswordPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::CheckChangePassword>, Error>;

    /// Register a user for an application.
    #[endpoint {
        method = POST,
        path = "/api/user/registration/{userId}",
        operation_id = "register",
        tags = ["Users"],
    }]
    async fn register(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::Registration>,
    ) -> Result<Reply<replies::Register>, Error>;

    /// Make a user and register them for an application.
    #[endpoint {
        method = POST,
        path = "/api/user/registration",
        operation_id = "registerUser",
        tags = ["Users"],
    }]
    async fn register_user(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::Registration>,
    ) -> Result<Reply<replies::RegisterUser>, Error>;
}

/// Logging in, two-factor authentication and tokens.
#[dropshot::api_description]
pub trait FusionAuthApi {
    /// State shared by all handlers.
    type Context;

    /// Read whether a user will be asked for a second factor.
    #[endpoint {
        method = GET,
        path = "/api/two-factor/status/{twoFactorTrustId}",
        operation_id = "retrieveTwoFactorStatus",
        tags = ["Two-Factor"],
    }]
    async fn retrieve_two_factor_status(
        context: RequestContext<Self::Context>,
        path: Path<requests::TrustPath>,
        query: CheckedQuery<requests::TwoFactorStatusQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::TwoFactorStatus>, Error>;

    /// Read whether a user will be asked for a second factor, on a device that is not trusted.
    #[endpoint {
        method = GET,
        path = "/api/two-factor/status",
        operation_id = "retrieveTwoFactorStatusWithoutTrust",
        tags = ["Two-Factor"],
    }]
    async fn retrieve_two_factor_status_without_trust(
        context: RequestContext<Self::Context>,
        query: CheckedQuery<requests::TwoFactorStatusQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::TwoFactorStatus>, Error>;

    /// Read whether a user will be asked for a second factor.
    #[endpoint {
        method = POST,
        path = "/api/two-factor/status",
        operation_id = "retrieveTwoFactorStatusWithRequest",
        tags = ["Two-Factor"],
    }]
    async fn retrieve_two_factor_status_with_request(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorStatus>,
    ) -> Result<Reply<replies::PostTwoFactorStatus>, Error>;

    /// Begin a two-factor login outside of logging in.
    #[endpoint {
        method = POST,
        path = "/api/two-factor/start",
        operation_id = "startTwoFactorLogin",
        tags = ["Two-Factor"],
    }]
    async fn start_two_factor_login(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorStart>,
    ) -> Result<Reply<replies::TwoFactorStart>, Error>;

    /// Complete a two-factor login.
    #[endpoint {
        method = POST,
        path = "/api/two-factor/login",
        operation_id = "twoFactorLogin",
        tags = ["Two-Factor"],
    }]
    async fn two_factor_login(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorLogin>,
    ) -> Result<Reply<replies::TwoFactorLogin>, Error>;

    /// Send a code to enable or disable a method.
    #[endpoint {
        method = POST,
        path = "/api/two-factor/send",
        operation_id = "sendTwoFactorCodeForEnableDisable",
        tags = ["Two-Factor"],
    }]
    async fn send_two_factor_code_for_enable_disable(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorSend>,
    ) -> Result<Reply<replies::SendForEnableDisable>, Error>;

    /// Make a secret for an authenticator app.
    #[endpoint {
        method = GET,
        path = "/api/two-factor/secret",
        operation_id = "generateTwoFactorSecretUsingJWT",
        tags = ["Two-Factor"],
    }]
    async fn generate_two_factor_secret_using_jwt(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::Secret>, Error>;

    /// Send a code to complete a two-factor login.
    #[endpoint {
        method = POST,
        path = "/api/two-factor/send/{twoFactorId}",
        operation_id = "sendTwoFactorCodeForLoginUsingMethod",
        tags = ["Two-Factor"],
    }]
    async fn send_two_factor_code_for_login_using_method(
        context: RequestContext<Self::Context>,
        path: Path<requests::TwoFactorIdPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorSend>,
    ) -> Result<Reply<replies::SendForLogin>, Error>;

    /// Log a user in.
    #[endpoint { method = POST, path = "/api/login", operation_id = "login", tags = ["Login"] }]
    async fn login(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::Login>,
    ) -> Result<Reply<replies::Login>, Error>;

    /// Validate an access token.
    #[endpoint { method = GET, path = "/api/jwt/validate", operation_id = "validateJWT", tags = ["JWT"] }]
    async fn validate_jwt(context: RequestContext<Self::Context>) -> Result<Reply<replies::ValidateJwt>, Error>;

    /// Exchange a refresh token for an access token.
    #[endpoint {
        method = POST,
        path = "/api/jwt/refresh",
        operation_id = "exchangeRefreshTokenForJWT",
        tags = ["JWT"],
    }]
    async fn exchange_refresh_token_for_jwt(
        context: RequestContext<Self::Context>,
        body: LenientBody<requests::Refresh>,
    ) -> Result<Reply<replies::Refresh>, Error>;

    /// List the refresh tokens of a user.
    #[endpoint {
        method = GET,
        path = "/api/jwt/refresh",
        operation_id = "retrieveRefreshTokens",
        tags = ["JWT"],
    }]
    async fn retrieve_refresh_tokens(
        context: RequestContext<Self::Context>,
        query: CheckedQuery<requests::RefreshTokensQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveRefreshTokens>, Error>;

    /// Revoke refresh tokens.
    #[endpoint {
        method = DELETE,
        path = "/api/jwt/refresh",
        operation_id = "revokeRefreshToken",
        tags = ["JWT"],
    }]
    async fn revoke_refresh_token(
        context: RequestContext<Self::Context>,
        query: CheckedQuery<requests::RevokeRefreshTokenQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::RevokeRefreshToken>,
    ) -> Result<Reply<replies::RevokeRefreshToken>, Error>;

    /// Read a refresh token.
    #[endpoint {
        method = GET,
        path = "/api/jwt/refresh/{tokenId}",
        operation_id = "retrieveRefreshTokenById",
        tags = ["JWT"],
    }]
    async fn retrieve_refresh_token_by_id(
        context: RequestContext<Self::Context>,
        path: Path<requests::RefreshTokenPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveRefreshToken>, Error>;

    /// Revoke a refresh token by its id.
    #[endpoint {
        method = DELETE,
        path = "/api/jwt/refresh/{tokenId}",
        operation_id = "revokeRefreshTokenById",
        tags = ["JWT"],
    }]
    async fn revoke_refresh_token_by_id(
        context: RequestContext<Self::Context>,
        path: Path<requests::RefreshTokenPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RevokeRefreshTokenById>, Error>;

    /// Log out.
    #[endpoint { method = POST, path = "/api/logout", operation_id = "logout", tags = ["Login"] }]
    async fn logout(
        context: RequestContext<Self::Context>,
        query: CheckedQuery<requests::LogoutQuery>,
        body: LenientOrNullBody<requests::Logout>,
    ) -> Result<Reply<replies::Logout>, Error>;

    /// Read the keys that verify access tokens.
    #[endpoint {
        method = GET,
        path = "/.well-known/jwks.json",
        operation_id = "retrieveJsonWebKeySet",
        tags = ["JWT"],
    }]
    async fn retrieve_json_web_key_set(
        context: RequestContext<Self::Context>,
    ) -> Result<Reply<replies::JsonWebKeySet>, Error>;

    /// Ask whether the system is there.
    #[endpoint { method = GET, path = "/api/status", operation_id = "retrieveSystemStatus", tags = ["Status"] }]
    async fn retrieve_system_status(
        context: RequestContext<Self::Context>,
    ) -> Result<Reply<replies::SystemStatus>, Error>;
}

/// Users.
#[dropshot::api_description]
pub trait UserApi {
    /// State shared by all handlers.
    type Context;

    /// Make a user.
    #[endpoint { method = POST, path = "/api/user", operation_id = "createUser", tags = ["Users"] }]
    async fn create_user(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::User>,
    ) -> Result<Reply<replies::CreateUser>, Error>;

    /// Find a user by what they log in with, or oneself.
    #[endpoint { method = GET, path = "/api/user", operation_id = "retrieveUserByLoginId", tags = ["Users"] }]
    async fn retrieve_user_by_login_id(
        context: RequestContext<Self::Context>,
        query: CheckedQuery<requests::UserQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveUser>, Error>;

    /// Make a user with a chosen id.
    #[endpoint { method = POST, path = "/api/user/{userId}", operation_id = "createUserWithId", tags = ["Users"] }]
    async fn create_user_with_id(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::User>,
    ) -> Result<Reply<replies::CreateUser>, Error>;

    /// Read a user.
    #[endpoint { method = GET, path = "/api/user/{userId}", operation_id = "retrieveUser", tags = ["Users"] }]
    async fn retrieve_user(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveUser>, Error>;

    /// Change some things of a user.
    #[endpoint { method = PATCH, path = "/api/user/{userId}", operation_id = "patchUser", tags = ["Users"] }]
    async fn patch_user(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: MergePatchBody<requests::User>,
    ) -> Result<Reply<replies::ChangeUser>, Error>;

    /// Replace what is known of a user.
    #[endpoint { method = PUT, path = "/api/user/{userId}", operation_id = "updateUser", tags = ["Users"] }]
    async fn update_user(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        query: CheckedQuery<requests::UpdateUserQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::User>,
    ) -> Result<Reply<replies::ChangeUser>, Error>;

    /// Deactivate or remove a user.
    #[endpoint { method = DELETE, path = "/api/user/{userId}", operation_id = "deleteUser", tags = ["Users"] }]
    async fn delete_user(
        context: RequestContext<Self::Context>,
        path: Path<requests::UserPath>,
        query: CheckedQuery<requests::DeleteUserQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::DeleteUser>, Error>;
}
