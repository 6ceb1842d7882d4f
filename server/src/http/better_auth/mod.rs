//! The Better Auth dialect: takes requests apart, calls one flow, builds the response. No rule lives here.
//!
//! | module | what it holds |
//! |---|---|
//! | [`rules`], [`origin`] | what the edge asks before a handler runs |
//! | [`cookies`], [`credentials`] | how a client shows who it is |
//! | [`wire`], `passkey_wire`, [`refusal`], `passkey_refusal` | the domain in the dialect's words, good and bad |
//! | `accounts`, `sessions`, `devices`, `factors`, `verification`, `recovery`, `addresses`, `profile`, `passkeys`, `passkey_authentication`, `error_page` | the operations |
//! | `links` | links that are mailed, and redirects |

pub mod accounts;
mod addresses;
pub mod cookies;
pub mod credentials;
mod devices;
mod error_page;
pub mod factors;
mod links;
pub mod origin;
mod passkey_authentication;
mod passkey_refusal;
mod passkey_wire;
mod passkeys;
mod profile;
mod recovery;
pub mod refusal;
pub mod rules;
pub mod sessions;
pub mod terms;
pub mod verification;
pub mod wire;

use crate::app::App;
use crate::edge::contexts::Lent;
use countersign_api::better_auth::passkeys::{replies as passkey_replies, requests as passkey_requests};
use countersign_api::better_auth::{BetterAuthApi, Error, replies, requests};
use countersign_api::{DialectName, JsonBody, JsonOrFormBody, OptionalJsonBody, Reply, SingleQuery};
use countersign_flows::Caller;
use dropshot::{Path, Query, RequestContext};
use std::sync::Arc;

type Context = RequestContext<Arc<App>>;

/// Implements the dialect's operations.
pub enum BetterAuth {}

fn caller(context: &Context) -> Caller {
    let is_known = credentials::has_signature(context);
    Caller { is_known, ..crate::http::shared::caller(context, DialectName::BetterAuth) }
}

impl BetterAuthApi for BetterAuth {
    type Context = Arc<App>;

    async fn two_factor_enable_post(
        context: Context,
        body: JsonBody<requests::TwoFactorEnable>,
    ) -> Result<Reply<replies::TwoFactorEnable>, Error> {
        factors::enable(&Lent::new(context), body.into_inner()).await
    }

    async fn two_factor_verify_totp_post(
        context: Context,
        body: JsonBody<requests::TwoFactorVerifyTotp>,
    ) -> Result<Reply<replies::TwoFactorVerifyTotp>, Error> {
        verification::verify_totp(&Lent::new(context), body.into_inner()).await
    }

    async fn two_factor_send_otp_post(
        context: Context,
        _body: OptionalJsonBody<requests::TwoFactorSendOtp>,
    ) -> Result<Reply<replies::TwoFactorSendOtp>, Error> {
        verification::send_otp(&Lent::new(context)).await
    }

    async fn two_factor_verify_otp_post(
        context: Context,
        body: JsonBody<requests::TwoFactorVerifyOtp>,
    ) -> Result<Reply<replies::TwoFactorVerifyOtp>, Error> {
        verification::verify_otp(&Lent::new(context), body.into_inner()).await
    }

    async fn two_factor_get_totp_uri_post(
        context: Context,
        body: JsonBody<requests::Password>,
    ) -> Result<Reply<replies::TwoFactorGetTotpUri>, Error> {
        factors::get_totp_uri(&Lent::new(context), body.into_inner()).await
    }

    async fn two_factor_verify_backup_code_post(
        context: Context,
        body: JsonBody<requests::TwoFactorVerifyBackupCode>,
    ) -> Result<Reply<replies::TwoFactorVerifyBackupCode>, Error> {
        verification::verify_backup_code(&Lent::new(context), body.into_inner()).await
    }

    async fn two_factor_generate_backup_codes_post(
        context: Context,
        body: JsonBody<requests::Password>,
    ) -> Result<Reply<replies::TwoFactorGenerateBackupCodes>, Error> {
        factors::generate_backup_codes(&Lent::new(context), body.into_inner()).await
    }

    async fn two_factor_disable_post(
        context: Context,
        body: JsonBody<requests::Password>,
    ) -> Result<Reply<replies::TwoFactorDisable>, Error> {
        factors::disable(&Lent::new(context), body.into_inner()).await
    }

    async fn two_factor_revoke_trusted_devices_post(
        context: Context,
        body: JsonBody<requests::Password>,
    ) -> Result<Reply<replies::TwoFactorRevokeTrustedDevices>, Error> {
        factors::revoke_trusted_devices(&Lent::new(context), body.into_inner()).await
    }

    async fn sign_up_with_email_and_password(
        context: Context,
        body: JsonOrFormBody<requests::SignUpWithEmailAndPassword>,
    ) -> Result<Reply<replies::SignUpWithEmailAndPassword>, Error> {
        accounts::sign_up(&Lent::new(context), body.into_inner()).await
    }

    async fn sign_in_email(
        context: Context,
        body: JsonOrFormBody<requests::SignInEmail>,
    ) -> Result<Reply<replies::SignInEmail>, Error> {
        accounts::sign_in(&Lent::new(context), body.into_inner()).await
    }

    async fn sign_out(
        context: Context,
        _body: OptionalJsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::SignOut>, Error> {
        sessions::sign_out(&Lent::new(context)).await
    }

    async fn get_session(
        context: Context,
        query: Query<requests::GetSession>,
    ) -> Result<Reply<replies::GetSession>, Error> {
        sessions::get(&Lent::new(context), query.into_inner()).await
    }

    async fn get_session_post(
        context: Context,
        query: Query<requests::GetSession>,
        _body: OptionalJsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::PostedGetSession>, Error> {
        sessions::get(&Lent::new(context), query.into_inner()).await
    }

    async fn list_user_sessions(context: Context) -> Result<Reply<replies::ListUserSessions>, Error> {
        sessions::list(&Lent::new(context)).await
    }

    async fn revoke_session_post(
        context: Context,
        body: JsonBody<requests::RevokeSession>,
    ) -> Result<Reply<replies::RevokeSession>, Error> {
        sessions::revoke_one(&Lent::new(context), body.into_inner()).await
    }

    async fn revoke_sessions_post(
        context: Context,
        _body: OptionalJsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::RevokeSession>, Error> {
        sessions::revoke_all(&Lent::new(context)).await
    }

    async fn revoke_other_sessions_post(
        context: Context,
        _body: OptionalJsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::RevokeSession>, Error> {
        sessions::revoke_others(&Lent::new(context)).await
    }

    async fn list_trusted_devices(context: Context) -> Result<Reply<replies::ListTrustedDevices>, Error> {
        devices::list(&Lent::new(context)).await
    }

    async fn rename_trusted_device(
        context: Context,
        body: JsonBody<requests::RenameTrustedDevice>,
    ) -> Result<Reply<replies::RenameTrustedDevice>, Error> {
        devices::rename(&Lent::new(context), body.into_inner()).await
    }

    async fn revoke_trusted_device(
        context: Context,
        body: JsonBody<requests::RevokeTrustedDevice>,
    ) -> Result<Reply<replies::RevokeTrustedDevice>, Error> {
        devices::revoke(&Lent::new(context), body.into_inner()).await
    }

    async fn revoke_all_trusted_devices(
        context: Context,
        _body: OptionalJsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::RevokeTrustedDevice>, Error> {
        devices::revoke_all(&Lent::new(context)).await
    }

    async fn generate_passkey_registration_options(
        context: Context,
        query: SingleQuery<passkey_requests::RegistrationOptions>,
    ) -> Result<Reply<passkey_replies::RegistrationOptions>, Error> {
        passkeys::registration_options(&Lent::new(context), query.into_inner()).await
    }

    async fn passkey_verify_registration(
        context: Context,
        body: JsonBody<passkey_requests::VerifyRegistration>,
    ) -> Result<Reply<passkey_replies::VerifyRegistration>, Error> {
        passkeys::verify_registration(&Lent::new(context), body.into_inner()).await
    }

    async fn passkey_generate_authenticate_options(
        context: Context,
    ) -> Result<Reply<passkey_replies::AuthenticationOptions>, Error> {
        passkey_authentication::options(&Lent::new(context)).await
    }

    async fn passkey_verify_authentication(
        context: Context,
        body: JsonBody<passkey_requests::VerifyAuthentication>,
    ) -> Result<Reply<passkey_replies::VerifyAuthentication>, Error> {
        passkey_authentication::verify(&Lent::new(context), body.into_inner()).await
    }

    async fn passkey_list_user_passkeys(context: Context) -> Result<Reply<passkey_replies::ListUserPasskeys>, Error> {
        passkeys::list(&Lent::new(context)).await
    }

    async fn passkey_delete_passkey(
        context: Context,
        body: JsonBody<passkey_requests::DeletePasskey>,
    ) -> Result<Reply<passkey_replies::DeletePasskey>, Error> {
        passkeys::remove(&Lent::new(context), body.into_inner()).await
    }

    async fn passkey_update_passkey(
        context: Context,
        body: JsonBody<passkey_requests::UpdatePasskey>,
    ) -> Result<Reply<passkey_replies::UpdatePasskey>, Error> {
        passkeys::rename(&Lent::new(context), body.into_inner()).await
    }

    async fn change_password(
        context: Context,
        body: JsonBody<requests::ChangePassword>,
    ) -> Result<Reply<replies::ChangePassword>, Error> {
        accounts::change_password(&Lent::new(context), body.into_inner()).await
    }

    async fn request_password_reset(
        context: Context,
        body: JsonBody<requests::RequestPasswordReset>,
    ) -> Result<Reply<replies::RequestPasswordReset>, Error> {
        recovery::request(&Lent::new(context), body.into_inner()).await
    }

    async fn forget_password(
        context: Context,
        body: JsonBody<requests::RequestPasswordReset>,
    ) -> Result<Reply<replies::RequestPasswordReset>, Error> {
        recovery::request(&Lent::new(context), body.into_inner()).await
    }

    async fn reset_password(
        context: Context,
        query: SingleQuery<requests::ResetPasswordQuery>,
        body: JsonBody<requests::ResetPassword>,
    ) -> Result<Reply<replies::ResetPassword>, Error> {
        recovery::reset(&Lent::new(context), query.into_inner(), body.into_inner()).await
    }

    async fn reset_password_callback(
        context: Context,
        path: Path<requests::ResetPasswordPath>,
        query: SingleQuery<requests::ResetPasswordCallback>,
    ) -> Result<Reply<replies::ResetPasswordCallback>, Error> {
        recovery::follow(&Lent::new(context), path.into_inner(), query.into_inner()).await
    }

    async fn send_verification_email(
        context: Context,
        body: JsonBody<requests::SendVerificationEmail>,
    ) -> Result<Reply<replies::SendVerificationEmail>, Error> {
        addresses::send_verification(&Lent::new(context), body.into_inner()).await
    }

    async fn verify_email(
        context: Context,
        query: SingleQuery<requests::MailedLink>,
    ) -> Result<Reply<replies::VerifyEmail>, Error> {
        addresses::follow(&Lent::new(context), query.into_inner()).await
    }

    async fn change_email(
        context: Context,
        body: JsonBody<requests::ChangeEmail>,
    ) -> Result<Reply<replies::ChangeEmail>, Error> {
        addresses::change(&Lent::new(context), body.into_inner()).await
    }

    async fn update_user(
        context: Context,
        body: JsonBody<requests::UpdateUser>,
    ) -> Result<Reply<replies::UpdateUser>, Error> {
        profile::update_user(&Lent::new(context), body.into_inner()).await
    }

    async fn update_session(
        context: Context,
        _body: JsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::UpdateSession>, Error> {
        profile::update_session(&Lent::new(context)).await
    }

    async fn delete_user(
        context: Context,
        body: JsonBody<requests::DeleteUser>,
    ) -> Result<Reply<replies::DeleteUser>, Error> {
        profile::delete(&Lent::new(context), body.into_inner()).await
    }

    async fn delete_user_callback(
        context: Context,
        query: SingleQuery<requests::MailedLink>,
    ) -> Result<Reply<replies::DeleteUserCallback>, Error> {
        profile::follow_deletion(&Lent::new(context), query.into_inner()).await
    }

    async fn verify_password(
        context: Context,
        body: JsonBody<requests::Password>,
    ) -> Result<Reply<replies::VerifyPassword>, Error> {
        accounts::verify_password(&Lent::new(context), body.into_inner()).await
    }

    async fn list_user_accounts(context: Context) -> Result<Reply<replies::ListUserAccounts>, Error> {
        accounts::list(&Lent::new(context)).await
    }

    async fn error_page(
        _context: Context,
        query: Query<requests::ErrorPage>,
    ) -> Result<Reply<replies::ErrorPage>, Error> {
        error_page::show(&query.into_inner())
    }

    async fn ok_get(_context: Context) -> Result<Reply<replies::OkGet>, Error> {
        Ok(Reply::ok(countersign_api::better_auth::responses::OkGet { ok: true }))
    }
}
