//! The Better Auth dialect: takes requests apart, calls one flow, builds the response. No rule lives here.
//!
//! | module | what it holds |
//! |---|---|
//! | [`rules`], [`origin`] | what the edge asks before a handler runs |
//! | [`cookies`], [`credentials`] | how a client shows who it is |
//! | [`wire`], [`refusal`] | the domain in the dialect's words, good and bad |
//! | [`accounts`], [`sessions`], [`factors`], [`verification`] | the operations |

pub mod accounts;
pub mod cookies;
pub mod credentials;
pub mod factors;
pub mod origin;
pub mod refusal;
pub mod rules;
pub mod sessions;
pub mod terms;
pub mod verification;
pub mod wire;

use crate::app::App;
use countersign_api::better_auth::{BetterAuthApi, Error, replies, requests};
use countersign_api::{DialectName, JsonBody, JsonOrFormBody, OptionalJsonBody, Reply};
use countersign_flows::Caller;
use dropshot::{Query, RequestContext};
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
        factors::enable(&context, body.into_inner()).await
    }

    async fn two_factor_verify_totp_post(
        context: Context,
        body: JsonBody<requests::TwoFactorVerifyTotp>,
    ) -> Result<Reply<replies::TwoFactorVerifyTotp>, Error> {
        verification::verify_totp(&context, body.into_inner()).await
    }

    async fn two_factor_send_otp_post(
        context: Context,
        _body: OptionalJsonBody<requests::TwoFactorSendOtp>,
    ) -> Result<Reply<replies::TwoFactorSendOtp>, Error> {
        verification::send_otp(&context).await
    }

    async fn two_factor_verify_otp_post(
        context: Context,
        body: JsonBody<requests::TwoFactorVerifyOtp>,
    ) -> Result<Reply<replies::TwoFactorVerifyOtp>, Error> {
        verification::verify_otp(&context, body.into_inner()).await
    }

    async fn two_factor_get_totp_uri_post(
        context: Context,
        body: JsonBody<requests::Password>,
    ) -> Result<Reply<replies::TwoFactorGetTotpUri>, Error> {
        factors::get_totp_uri(&context, body.into_inner()).await
    }

    async fn two_factor_verify_backup_code_post(
        context: Context,
        body: JsonBody<requests::TwoFactorVerifyBackupCode>,
    ) -> Result<Reply<replies::TwoFactorVerifyBackupCode>, Error> {
        verification::verify_backup_code(&context, body.into_inner()).await
    }

    async fn two_factor_generate_backup_codes_post(
        context: Context,
        body: JsonBody<requests::Password>,
    ) -> Result<Reply<replies::TwoFactorGenerateBackupCodes>, Error> {
        factors::generate_backup_codes(&context, body.into_inner()).await
    }

    async fn two_factor_disable_post(
        context: Context,
        body: JsonBody<requests::Password>,
    ) -> Result<Reply<replies::TwoFactorDisable>, Error> {
        factors::disable(&context, body.into_inner()).await
    }

    async fn two_factor_revoke_trusted_devices_post(
        context: Context,
        body: JsonBody<requests::Password>,
    ) -> Result<Reply<replies::TwoFactorRevokeTrustedDevices>, Error> {
        factors::revoke_trusted_devices(&context, body.into_inner()).await
    }

    async fn sign_up_with_email_and_password(
        context: Context,
        body: JsonOrFormBody<requests::SignUpWithEmailAndPassword>,
    ) -> Result<Reply<replies::SignUpWithEmailAndPassword>, Error> {
        accounts::sign_up(&context, body.into_inner()).await
    }

    async fn sign_in_email(
        context: Context,
        body: JsonOrFormBody<requests::SignInEmail>,
    ) -> Result<Reply<replies::SignInEmail>, Error> {
        accounts::sign_in(&context, body.into_inner()).await
    }

    async fn sign_out(
        context: Context,
        _body: OptionalJsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::SignOut>, Error> {
        sessions::sign_out(&context).await
    }

    async fn get_session(
        context: Context,
        query: Query<requests::GetSession>,
    ) -> Result<Reply<replies::GetSession>, Error> {
        sessions::get(&context, query.into_inner()).await
    }

    async fn get_session_post(
        context: Context,
        query: Query<requests::GetSession>,
        _body: OptionalJsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::PostedGetSession>, Error> {
        sessions::get(&context, query.into_inner()).await
    }

    async fn list_user_sessions(context: Context) -> Result<Reply<replies::ListUserSessions>, Error> {
        sessions::list(&context).await
    }

    async fn revoke_session_post(
        context: Context,
        body: JsonBody<requests::RevokeSession>,
    ) -> Result<Reply<replies::RevokeSession>, Error> {
        sessions::revoke_one(&context, body.into_inner()).await
    }

    async fn revoke_sessions_post(
        context: Context,
        _body: OptionalJsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::RevokeSession>, Error> {
        sessions::revoke_all(&context).await
    }

    async fn revoke_other_sessions_post(
        context: Context,
        _body: OptionalJsonBody<requests::NoFields>,
    ) -> Result<Reply<replies::RevokeSession>, Error> {
        sessions::revoke_others(&context).await
    }

    async fn change_password(
        context: Context,
        body: JsonBody<requests::ChangePassword>,
    ) -> Result<Reply<replies::ChangePassword>, Error> {
        accounts::change_password(&context, body.into_inner()).await
    }

    async fn ok_get(_context: Context) -> Result<Reply<replies::OkGet>, Error> {
        Ok(Reply::ok(countersign_api::better_auth::responses::OkGet { ok: true }))
    }
}
