//! The Better Auth dialect, under `/api/auth`: what `openapi/better-auth.yaml` says, as one trait.
//!
//! | to see | look at |
//! |---|---|
//! | bodies and queries of requests | [`requests`] |
//! | bodies of responses | [`responses`] |
//! | times, switches and patterns used in both | [`values`] |
//! | statuses of each operation | [`replies`] |
//! | the form of errors | [`error`] |
//! | all of these for passkeys | [`passkeys`] |

pub mod error;
pub mod passkeys;
pub mod replies;
pub mod requests;
pub mod responses;
pub mod values;

pub use error::{Error, ErrorBody};
pub use values::{BooleanOrText, QuerySwitch, TwoFactorMethod, WireTime};

use crate::body::{JsonBody, JsonOrFormBody, OptionalJsonBody};
use crate::query::SingleQuery;
use crate::reply::Reply;
use dropshot::{Path, Query, RequestContext};

/// The operations of the dialect. Paths, ids and tags are those of the contract.
#[dropshot::api_description {
    tag_config = {
        allow_other_tags = false,
        policy = dropshot::EndpointTagPolicy::ExactlyOne,
        tags = {
            "Two-Factor" = { description = "Setting up second factors, and passing them." },
            "Default" = { description = "Accounts and sessions." },
            "Trusted devices" = { description = "Devices that skip the second factor." },
            "Passkey" = { description = "Passkeys, to sign in with and as a second factor." },
        },
    },
}]
pub trait BetterAuthApi {
    /// State shared by all handlers.
    type Context;

    /// Start setting up an authenticator app, or switch codes by e-mail on.
    #[endpoint {
        method = POST,
        path = "/api/auth/two-factor/enable",
        operation_id = "twoFactorEnablePost",
        tags = ["Two-Factor"],
    }]
    async fn two_factor_enable_post(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::TwoFactorEnable>,
    ) -> Result<Reply<replies::TwoFactorEnable>, Error>;

    /// Verify a code of the authenticator app.
    #[endpoint {
        method = POST,
        path = "/api/auth/two-factor/verify-totp",
        operation_id = "twoFactorVerifyTotpPost",
        tags = ["Two-Factor"],
    }]
    async fn two_factor_verify_totp_post(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::TwoFactorVerifyTotp>,
    ) -> Result<Reply<replies::TwoFactorVerifyTotp>, Error>;

    /// Send a one-time code.
    #[endpoint {
        method = POST,
        path = "/api/auth/two-factor/send-otp",
        operation_id = "twoFactorSendOtpPost",
        tags = ["Two-Factor"],
    }]
    async fn two_factor_send_otp_post(
        context: RequestContext<Self::Context>,
        body: OptionalJsonBody<requests::TwoFactorSendOtp>,
    ) -> Result<Reply<replies::TwoFactorSendOtp>, Error>;

    /// Verify a sent one-time code.
    #[endpoint {
        method = POST,
        path = "/api/auth/two-factor/verify-otp",
        operation_id = "twoFactorVerifyOtpPost",
        tags = ["Two-Factor"],
    }]
    async fn two_factor_verify_otp_post(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::TwoFactorVerifyOtp>,
    ) -> Result<Reply<replies::TwoFactorVerifyOtp>, Error>;

    /// Read the authenticator app's URI again.
    #[endpoint {
        method = POST,
        path = "/api/auth/two-factor/get-totp-uri",
        operation_id = "twoFactorGetTotpUriPost",
        tags = ["Two-Factor"],
    }]
    async fn two_factor_get_totp_uri_post(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::Password>,
    ) -> Result<Reply<replies::TwoFactorGetTotpUri>, Error>;

    /// Verify a backup code.
    #[endpoint {
        method = POST,
        path = "/api/auth/two-factor/verify-backup-code",
        operation_id = "twoFactorVerifyBackupCodePost",
        tags = ["Two-Factor"],
    }]
    async fn two_factor_verify_backup_code_post(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::TwoFactorVerifyBackupCode>,
    ) -> Result<Reply<replies::TwoFactorVerifyBackupCode>, Error>;

    /// Replace the backup codes.
    #[endpoint {
        method = POST,
        path = "/api/auth/two-factor/generate-backup-codes",
        operation_id = "twoFactorGenerateBackupCodesPost",
        tags = ["Two-Factor"],
    }]
    async fn two_factor_generate_backup_codes_post(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::Password>,
    ) -> Result<Reply<replies::TwoFactorGenerateBackupCodes>, Error>;

    /// Switch the second factor off.
    #[endpoint {
        method = POST,
        path = "/api/auth/two-factor/disable",
        operation_id = "twoFactorDisablePost",
        tags = ["Two-Factor"],
    }]
    async fn two_factor_disable_post(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::Password>,
    ) -> Result<Reply<replies::TwoFactorDisable>, Error>;

    /// End the trust in all devices.
    #[endpoint {
        method = POST,
        path = "/api/auth/two-factor/revoke-trusted-devices",
        operation_id = "twoFactorRevokeTrustedDevicesPost",
        tags = ["Default"],
    }]
    async fn two_factor_revoke_trusted_devices_post(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::Password>,
    ) -> Result<Reply<replies::TwoFactorRevokeTrustedDevices>, Error>;

    /// Create an account.
    #[endpoint {
        method = POST,
        path = "/api/auth/sign-up/email",
        operation_id = "signUpWithEmailAndPassword",
        tags = ["Default"],
    }]
    async fn sign_up_with_email_and_password(
        context: RequestContext<Self::Context>,
        body: JsonOrFormBody<requests::SignUpWithEmailAndPassword>,
    ) -> Result<Reply<replies::SignUpWithEmailAndPassword>, Error>;

    /// Sign in with e-mail address and password.
    #[endpoint {
        method = POST,
        path = "/api/auth/sign-in/email",
        operation_id = "signInEmail",
        tags = ["Default"],
    }]
    async fn sign_in_email(
        context: RequestContext<Self::Context>,
        body: JsonOrFormBody<requests::SignInEmail>,
    ) -> Result<Reply<replies::SignInEmail>, Error>;

    /// End the session.
    #[endpoint {
        method = POST,
        path = "/api/auth/sign-out",
        operation_id = "signOut",
        tags = ["Default"],
    }]
    async fn sign_out(
        context: RequestContext<Self::Context>,
        body: OptionalJsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::SignOut>, Error>;

    /// Read the session.
    #[endpoint {
        method = GET,
        path = "/api/auth/get-session",
        operation_id = "getSession",
        tags = ["Default"],
    }]
    async fn get_session(
        context: RequestContext<Self::Context>,
        query: Query<requests::GetSession>,
    ) -> Result<Reply<replies::GetSession>, Error>;

    /// Read the session, for clients that post.
    #[endpoint {
        method = POST,
        path = "/api/auth/get-session",
        operation_id = "getSessionPost",
        tags = ["Default"],
    }]
    async fn get_session_post(
        context: RequestContext<Self::Context>,
        query: Query<requests::GetSession>,
        body: OptionalJsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::PostedGetSession>, Error>;

    /// List the user's sessions.
    #[endpoint {
        method = GET,
        path = "/api/auth/list-sessions",
        operation_id = "listUserSessions",
        tags = ["Default"],
    }]
    async fn list_user_sessions(
        context: RequestContext<Self::Context>,
    ) -> Result<Reply<replies::ListUserSessions>, Error>;

    /// End one session.
    #[endpoint {
        method = POST,
        path = "/api/auth/revoke-session",
        operation_id = "revokeSessionPost",
        tags = ["Default"],
    }]
    async fn revoke_session_post(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::RevokeSession>,
    ) -> Result<Reply<replies::RevokeSession>, Error>;

    /// End all sessions.
    #[endpoint {
        method = POST,
        path = "/api/auth/revoke-sessions",
        operation_id = "revokeSessionsPost",
        tags = ["Default"],
    }]
    async fn revoke_sessions_post(
        context: RequestContext<Self::Context>,
        body: OptionalJsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::RevokeSession>, Error>;

    /// End all other sessions.
    #[endpoint {
        method = POST,
        path = "/api/auth/revoke-other-sessions",
        operation_id = "revokeOtherSessionsPost",
        tags = ["Default"],
    }]
    async fn revoke_other_sessions_post(
        context: RequestContext<Self::Context>,
        body: OptionalJsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::RevokeSession>, Error>;

    /// List the trusted devices.
    #[endpoint {
        method = GET,
        path = "/api/auth/trusted-devices/list",
        operation_id = "listTrustedDevices",
        tags = ["Trusted devices"],
    }]
    async fn list_trusted_devices(
        context: RequestContext<Self::Context>,
    ) -> Result<Reply<replies::ListTrustedDevices>, Error>;

    /// Rename a trusted device.
    #[endpoint {
        method = POST,
        path = "/api/auth/trusted-devices/rename",
        operation_id = "renameTrustedDevice",
        tags = ["Trusted devices"],
    }]
    async fn rename_trusted_device(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::RenameTrustedDevice>,
    ) -> Result<Reply<replies::RenameTrustedDevice>, Error>;

    /// End the trust in one device.
    #[endpoint {
        method = POST,
        path = "/api/auth/trusted-devices/revoke",
        operation_id = "revokeTrustedDevice",
        tags = ["Trusted devices"],
    }]
    async fn revoke_trusted_device(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::RevokeTrustedDevice>,
    ) -> Result<Reply<replies::RevokeTrustedDevice>, Error>;

    /// End the trust in all devices, with the session alone.
    #[endpoint {
        method = POST,
        path = "/api/auth/trusted-devices/revoke-all",
        operation_id = "revokeAllTrustedDevices",
        tags = ["Trusted devices"],
    }]
    async fn revoke_all_trusted_devices(
        context: RequestContext<Self::Context>,
        body: OptionalJsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::RevokeTrustedDevice>, Error>;

    /// Begin to register a passkey.
    #[endpoint {
        method = GET,
        path = "/api/auth/passkey/generate-register-options",
        operation_id = "generatePasskeyRegistrationOptions",
        tags = ["Passkey"],
    }]
    async fn generate_passkey_registration_options(
        context: RequestContext<Self::Context>,
        query: SingleQuery<passkeys::requests::RegistrationOptions>,
    ) -> Result<Reply<passkeys::replies::RegistrationOptions>, Error>;

    /// Register a passkey.
    #[endpoint {
        method = POST,
        path = "/api/auth/passkey/verify-registration",
        operation_id = "passkeyVerifyRegistration",
        tags = ["Passkey"],
    }]
    async fn passkey_verify_registration(
        context: RequestContext<Self::Context>,
        body: JsonBody<passkeys::requests::VerifyRegistration>,
    ) -> Result<Reply<passkeys::replies::VerifyRegistration>, Error>;

    /// Begin to sign in with a passkey, or to pass one as a second factor.
    #[endpoint {
        method = GET,
        path = "/api/auth/passkey/generate-authenticate-options",
        operation_id = "passkeyGenerateAuthenticateOptions",
        tags = ["Passkey"],
    }]
    async fn passkey_generate_authenticate_options(
        context: RequestContext<Self::Context>,
    ) -> Result<Reply<passkeys::replies::AuthenticationOptions>, Error>;

    /// Sign in with a passkey, or pass one as a second factor.
    #[endpoint {
        method = POST,
        path = "/api/auth/passkey/verify-authentication",
        operation_id = "passkeyVerifyAuthentication",
        tags = ["Passkey"],
    }]
    async fn passkey_verify_authentication(
        context: RequestContext<Self::Context>,
        body: JsonBody<passkeys::requests::VerifyAuthentication>,
    ) -> Result<Reply<passkeys::replies::VerifyAuthentication>, Error>;

    /// List the user's passkeys.
    #[endpoint {
        method = GET,
        path = "/api/auth/passkey/list-user-passkeys",
        operation_id = "passkeyListUserPasskeys",
        tags = ["Passkey"],
    }]
    async fn passkey_list_user_passkeys(
        context: RequestContext<Self::Context>,
    ) -> Result<Reply<passkeys::replies::ListUserPasskeys>, Error>;

    /// Remove a passkey.
    #[endpoint {
        method = POST,
        path = "/api/auth/passkey/delete-passkey",
        operation_id = "passkeyDeletePasskey",
        tags = ["Passkey"],
    }]
    async fn passkey_delete_passkey(
        context: RequestContext<Self::Context>,
        body: JsonBody<passkeys::requests::DeletePasskey>,
    ) -> Result<Reply<passkeys::replies::DeletePasskey>, Error>;

    /// Rename a passkey.
    #[endpoint {
        method = POST,
        path = "/api/auth/passkey/update-passkey",
        operation_id = "passkeyUpdatePasskey",
        tags = ["Passkey"],
    }]
    async fn passkey_update_passkey(
        context: RequestContext<Self::Context>,
        body: JsonBody<passkeys::requests::UpdatePasskey>,
    ) -> Result<Reply<passkeys::replies::UpdatePasskey>, Error>;

    /// Change the password.
    #[endpoint {
        method = POST,
        path = "/api/auth/change-password",
        operation_id = "changePassword",
        tags = ["Default"],
    }]
    async fn change_password(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::ChangePassword>,
    ) -> Result<Reply<replies::ChangePassword>, Error>;

    /// Ask for a link that sets a new password.
    #[endpoint {
        method = POST,
        path = "/api/auth/request-password-reset",
        operation_id = "requestPasswordReset",
        tags = ["Default"],
    }]
    async fn request_password_reset(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::RequestPasswordReset>,
    ) -> Result<Reply<replies::RequestPasswordReset>, Error>;

    /// Ask for a link that sets a new password, by the older name.
    #[endpoint {
        method = POST,
        path = "/api/auth/forget-password",
        operation_id = "forgetPassword",
        tags = ["Default"],
    }]
    async fn forget_password(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::RequestPasswordReset>,
    ) -> Result<Reply<replies::RequestPasswordReset>, Error>;

    /// Set a new password by a mailed link.
    #[endpoint {
        method = POST,
        path = "/api/auth/reset-password",
        operation_id = "resetPassword",
        tags = ["Default"],
    }]
    async fn reset_password(
        context: RequestContext<Self::Context>,
        query: SingleQuery<requests::ResetPasswordQuery>,
        body: JsonBody<requests::ResetPassword>,
    ) -> Result<Reply<replies::ResetPassword>, Error>;

    /// Follow a link that sets a new password.
    #[endpoint {
        method = GET,
        path = "/api/auth/reset-password/{token}",
        operation_id = "resetPasswordCallback",
        tags = ["Default"],
    }]
    async fn reset_password_callback(
        context: RequestContext<Self::Context>,
        path: Path<requests::ResetPasswordPath>,
        query: SingleQuery<requests::ResetPasswordCallback>,
    ) -> Result<Reply<replies::ResetPasswordCallback>, Error>;

    /// Ask for a link that verifies the address.
    #[endpoint {
        method = POST,
        path = "/api/auth/send-verification-email",
        operation_id = "sendVerificationEmail",
        tags = ["Default"],
    }]
    async fn send_verification_email(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::SendVerificationEmail>,
    ) -> Result<Reply<replies::SendVerificationEmail>, Error>;

    /// Follow a link about an address.
    #[endpoint {
        method = GET,
        path = "/api/auth/verify-email",
        operation_id = "verifyEmail",
        tags = ["Default"],
    }]
    async fn verify_email(
        context: RequestContext<Self::Context>,
        query: SingleQuery<requests::MailedLink>,
    ) -> Result<Reply<replies::VerifyEmail>, Error>;

    /// Ask for another address.
    #[endpoint {
        method = POST,
        path = "/api/auth/change-email",
        operation_id = "changeEmail",
        tags = ["Default"],
    }]
    async fn change_email(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::ChangeEmail>,
    ) -> Result<Reply<replies::ChangeEmail>, Error>;

    /// Change name or picture.
    #[endpoint {
        method = POST,
        path = "/api/auth/update-user",
        operation_id = "updateUser",
        tags = ["Default"],
    }]
    async fn update_user(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::UpdateUser>,
    ) -> Result<Reply<replies::UpdateUser>, Error>;

    /// Change fields of the session.
    #[endpoint {
        method = POST,
        path = "/api/auth/update-session",
        operation_id = "updateSession",
        tags = ["Default"],
    }]
    async fn update_session(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::UpdateSession>, Error>;

    /// Delete the account.
    #[endpoint {
        method = POST,
        path = "/api/auth/delete-user",
        operation_id = "deleteUser",
        tags = ["Default"],
    }]
    async fn delete_user(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::DeleteUser>,
    ) -> Result<Reply<replies::DeleteUser>, Error>;

    /// Follow a link that deletes the account.
    #[endpoint {
        method = GET,
        path = "/api/auth/delete-user/callback",
        operation_id = "deleteUserCallback",
        tags = ["Default"],
    }]
    async fn delete_user_callback(
        context: RequestContext<Self::Context>,
        query: SingleQuery<requests::MailedLink>,
    ) -> Result<Reply<replies::DeleteUserCallback>, Error>;

    /// Check the password of the signed-in user.
    #[endpoint {
        method = POST,
        path = "/api/auth/verify-password",
        operation_id = "verifyPassword",
        tags = ["Default"],
    }]
    async fn verify_password(
        context: RequestContext<Self::Context>,
        body: JsonBody<requests::Password>,
    ) -> Result<Reply<replies::VerifyPassword>, Error>;

    /// List how the user signs in.
    #[endpoint {
        method = GET,
        path = "/api/auth/list-accounts",
        operation_id = "listUserAccounts",
        tags = ["Default"],
    }]
    async fn list_user_accounts(
        context: RequestContext<Self::Context>,
    ) -> Result<Reply<replies::ListUserAccounts>, Error>;

    /// Show an error.
    #[endpoint {
        method = GET,
        path = "/api/auth/error",
        operation_id = "errorPage",
        tags = ["Default"],
    }]
    async fn error_page(
        context: RequestContext<Self::Context>,
        query: Query<requests::ErrorPage>,
    ) -> Result<Reply<replies::ErrorPage>, Error>;

    /// Is the API there?
    #[endpoint {
        method = GET,
        path = "/api/auth/ok",
        operation_id = "okGet",
        tags = ["Default"],
    }]
    async fn ok_get(context: RequestContext<Self::Context>) -> Result<Reply<replies::OkGet>, Error>;
}
