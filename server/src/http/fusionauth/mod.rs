//! The FusionAuth dialect: takes requests apart, calls one flow, builds the response. No rule lives here.
//!
//! | module | what it holds |
//! |---|---|
//! | [`rules`] | what the edge asks before a handler runs |
//! | `credentials`, `cookies` | who calls |
//! | `values`, `profile`, `wire`, `refusal` | the domain in the dialect's words, good and bad |
//! | `login`, `two_factor`, `methods`, `users`, `lock`, `passwords`, `tokens` | the operations |

mod cookies;
mod credentials;
mod lock;
mod login;
mod methods;
mod passwords;
mod profile;
mod refusal;
pub mod rules;
mod terms;
mod tokens;
mod two_factor;
mod users;
mod values;
mod wire;

use crate::app::App;
use countersign_api::fusionauth::{
    Error, FusionAuthApi, MethodApi, RecoveryCodeApi, TenantHeader, UserApi, replies, requests,
};
use countersign_api::{LenientBody, MergePatchBody, Reply};
use dropshot::{Path, Query, RequestContext};
use std::sync::Arc;
use two_factor::StatusOf;
use values::{body_value, query_value};

type Context = RequestContext<Arc<App>>;

/// Implements the dialect's operations.
pub enum FusionAuth {}

impl RecoveryCodeApi for FusionAuth {
    type Context = Arc<App>;

    async fn generate_two_factor_recovery_codes(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        _body: LenientBody<requests::NoFields>,
    ) -> Result<Reply<replies::RecoveryCodes>, Error> {
        methods::renew_recovery_codes(&context, tenant, &path.into_inner().user_id).await
    }

    async fn retrieve_two_factor_recovery_codes(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::ReadRecoveryCodes>, Error> {
        methods::read_recovery_codes(&context, tenant, &path.into_inner().user_id).await
    }
}

impl MethodApi for FusionAuth {
    type Context = Arc<App>;

    async fn enable_two_factor(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactor>,
    ) -> Result<Reply<replies::EnableTwoFactor>, Error> {
        methods::enable(&context, tenant, &path.into_inner().user_id, body.into_inner()).await
    }

    async fn disable_two_factor(
        context: Context,
        path: Path<requests::UserPath>,
        query: Query<requests::TwoFactorDisableQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorDisable>,
    ) -> Result<Reply<replies::DisableTwoFactor>, Error> {
        let user_id = path.into_inner().user_id;
        methods::disable(&context, tenant, &user_id, query.into_inner(), body.into_inner()).await
    }

    async fn update_two_factor(
        context: Context,
        path: Path<requests::UserPath>,
        query: Query<requests::TwoFactorUpdateQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorUpdate>,
    ) -> Result<Reply<replies::UpdateTwoFactor>, Error> {
        let user_id = path.into_inner().user_id;
        methods::rename(&context, tenant, &user_id, query.into_inner(), body.into_inner()).await
    }

    async fn enable_two_factor_using_jwt(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactor>,
    ) -> Result<Reply<replies::EnableOwnTwoFactor>, Error> {
        methods::enable_own(&context, tenant, body.into_inner()).await
    }

    async fn disable_two_factor_using_jwt(
        context: Context,
        query: Query<requests::TwoFactorDisableQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorDisable>,
    ) -> Result<Reply<replies::DisableTwoFactor>, Error> {
        methods::disable_own(&context, tenant, query.into_inner(), body.into_inner()).await
    }

    async fn retrieve_user_lock(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::ReadUserLock>, Error> {
        lock::read(&context, tenant, &path.into_inner().user_id).await
    }

    async fn delete_user_lock(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::DeleteUserLock>, Error> {
        lock::lift(&context, tenant, &path.into_inner().user_id).await
    }

    async fn change_password_by_identity(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::ChangePassword>,
    ) -> Result<Reply<replies::ChangePasswordByIdentity>, Error> {
        passwords::by_identity(&context, tenant, body.into_inner()).await
    }

    async fn check_change_password_by_identity(
        context: Context,
        query: Query<requests::CheckChangePasswordQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::CheckChangePasswordByIdentity>, Error> {
        passwords::check_by_identity(&context, tenant, query.into_inner()).await
    }

    async fn change_password(
        context: Context,
        path: Path<requests::ChangePasswordPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::ChangePassword>,
    ) -> Result<Reply<replies::ChangePassword>, Error> {
        passwords::by_id(&context, tenant, &path.into_inner().change_password_id, body.into_inner()).await
    }

    async fn check_change_password(
        context: Context,
        path: Path<requests::ChangePasswordPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::CheckChangePassword>, Error> {
        passwords::check_by_id(&context, tenant, &path.into_inner().change_password_id).await
    }

    async fn register(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::Registration>,
    ) -> Result<Reply<replies::Register>, Error> {
        users::register(&context, tenant, &path.into_inner().user_id, body.into_inner()).await
    }

    async fn register_user(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::Registration>,
    ) -> Result<Reply<replies::RegisterUser>, Error> {
        users::register_user(&context, tenant, body.into_inner()).await
    }
}

impl FusionAuthApi for FusionAuth {
    type Context = Arc<App>;

    async fn retrieve_two_factor_status(
        context: Context,
        path: Path<requests::TrustPath>,
        query: Query<requests::TwoFactorStatusQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::TwoFactorStatus>, Error> {
        let (path, query) = (path.into_inner(), query.into_inner());
        let of = StatusOf {
            user_id: query_value(query.user_id.as_ref()),
            application_id: query_value(query.application_id.as_ref()),
            trust: query_value(Some(&path.two_factor_trust_id)),
        };
        two_factor::status(&context, tenant, of).await
    }

    async fn retrieve_two_factor_status_without_trust(
        context: Context,
        query: Query<requests::TwoFactorStatusQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::TwoFactorStatus>, Error> {
        let query = query.into_inner();
        let of = StatusOf {
            user_id: query_value(query.user_id.as_ref()),
            application_id: query_value(query.application_id.as_ref()),
            trust: None,
        };
        two_factor::status(&context, tenant, of).await
    }

    async fn retrieve_two_factor_status_with_request(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorStatus>,
    ) -> Result<Reply<replies::PostTwoFactorStatus>, Error> {
        let body = body.into_inner();
        let of = StatusOf {
            user_id: body_value(body.user_id.as_ref()),
            application_id: body_value(body.application_id.as_ref()),
            trust: body_value(body.two_factor_trust_id.as_ref()),
        };
        two_factor::status(&context, tenant, of).await
    }

    async fn start_two_factor_login(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorStart>,
    ) -> Result<Reply<replies::TwoFactorStart>, Error> {
        two_factor::start(&context, tenant, body.into_inner()).await
    }

    async fn two_factor_login(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorLogin>,
    ) -> Result<Reply<replies::TwoFactorLogin>, Error> {
        login::two_factor_login(&context, tenant, body.into_inner()).await
    }

    async fn send_two_factor_code_for_enable_disable(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorSend>,
    ) -> Result<Reply<replies::SendForEnableDisable>, Error> {
        two_factor::send(&context, tenant, body.into_inner()).await
    }

    async fn generate_two_factor_secret_using_jwt(
        context: Context,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::Secret>, Error> {
        two_factor::secret(&context, tenant).await
    }

    async fn send_two_factor_code_for_login_using_method(
        context: Context,
        path: Path<requests::TwoFactorIdPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorSend>,
    ) -> Result<Reply<replies::SendForLogin>, Error> {
        two_factor::send_for_login(&context, tenant, &path.into_inner().two_factor_id, body.into_inner()).await
    }

    async fn login(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::Login>,
    ) -> Result<Reply<replies::Login>, Error> {
        login::login(&context, tenant, body.into_inner()).await
    }

    async fn validate_jwt(context: Context) -> Result<Reply<replies::ValidateJwt>, Error> {
        tokens::validate(&context).await
    }

    async fn exchange_refresh_token_for_jwt(
        context: Context,
        body: LenientBody<requests::Refresh>,
    ) -> Result<Reply<replies::Refresh>, Error> {
        login::refresh(&context, body.into_inner()).await
    }

    async fn retrieve_json_web_key_set(context: Context) -> Result<Reply<replies::JsonWebKeySet>, Error> {
        Ok(tokens::key_set(&context))
    }

    async fn retrieve_system_status(context: Context) -> Result<Reply<replies::SystemStatus>, Error> {
        tokens::system_status(&context).await
    }
}

impl UserApi for FusionAuth {
    type Context = Arc<App>;

    async fn create_user(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::User>,
    ) -> Result<Reply<replies::CreateUser>, Error> {
        users::create(&context, tenant, None, body.into_inner()).await
    }

    async fn retrieve_user_by_login_id(
        context: Context,
        query: Query<requests::UserQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveUser>, Error> {
        users::search(&context, tenant, query.into_inner()).await
    }

    async fn create_user_with_id(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::User>,
    ) -> Result<Reply<replies::CreateUser>, Error> {
        users::create(&context, tenant, Some(&path.into_inner().user_id), body.into_inner()).await
    }

    async fn retrieve_user(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveUser>, Error> {
        users::read(&context, tenant, &path.into_inner().user_id).await
    }

    async fn patch_user(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: MergePatchBody<requests::User>,
    ) -> Result<Reply<replies::ChangeUser>, Error> {
        users::patch(&context, tenant, &path.into_inner().user_id, body).await
    }

    async fn update_user(
        context: Context,
        path: Path<requests::UserPath>,
        query: Query<requests::UpdateUserQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::User>,
    ) -> Result<Reply<replies::ChangeUser>, Error> {
        let reactivates = query_value(query.into_inner().reactivate.as_ref()) == Some("true");
        users::update(&context, tenant, &path.into_inner().user_id, reactivates, body.into_inner()).await
    }

    async fn delete_user(
        context: Context,
        path: Path<requests::UserPath>,
        query: Query<requests::DeleteUserQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::DeleteUser>, Error> {
        users::delete(&context, tenant, &path.into_inner().user_id, query.into_inner()).await
    }
}
