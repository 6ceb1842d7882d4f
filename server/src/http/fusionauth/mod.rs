//! The FusionAuth dialect: takes requests apart, calls one flow, builds the response. No rule lives here.
//!
//! | module | what it holds |
//! |---|---|
//! | [`rules`] | what the edge asks before a handler runs |
//! | `credentials`, `cookies` | who calls |
//! | `passkey_api` | the traits of the operations of passkeys; those of all others are here |
//! | `values`, `profile`, `wire`, `passkey_wire`, `refusal`, `passkey_refusal` | the domain in the dialect's words, good and bad |
//! | `login`, `two_factor`, `methods`, `users`, `registrations`, `search`, `actions`, `lock`, `links`, `passwordless`, `passwords`, `passkeys`, `passkey_login`, `passkey_import`, `tokens`, `refresh_tokens` | the operations |

mod actions;
mod cookies;
mod credentials;
mod links;
mod lock;
mod login;
mod methods;
mod passkey_api;
mod passkey_import;
mod passkey_login;
mod passkey_refusal;
mod passkey_wire;
mod passkeys;
mod passwordless;
mod passwords;
mod profile;
mod refresh_tokens;
mod refusal;
mod registrations;
pub mod rules;
mod search;
mod terms;
mod tokens;
mod two_factor;
mod users;
mod values;
mod wire;

use crate::app::App;
use crate::edge::contexts::Lent;
use countersign_api::fusionauth::actions::{Action, ActionPath, ActionsQuery};
use countersign_api::fusionauth::search::{RepeatedQuery, Search};
use countersign_api::fusionauth::{
    AdministrationApi, Error, FusionAuthApi, LinkApi, MethodApi, RecoveryCodeApi, TenantHeader, UserApi, replies,
    requests,
};
use countersign_api::{CheckedQuery, LenientBody, LenientOrNullBody, MergePatchBody, Reply};
use dropshot::{Path, RequestContext};
use std::sync::Arc;
use two_factor::StatusOf;
use values::{body_value, query_switch, query_value};

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
        methods::renew_recovery_codes(&Lent::new(context), tenant, &path.into_inner().user_id).await
    }

    async fn retrieve_two_factor_recovery_codes(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::ReadRecoveryCodes>, Error> {
        methods::read_recovery_codes(&Lent::new(context), tenant, &path.into_inner().user_id).await
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
        methods::enable(&Lent::new(context), tenant, &path.into_inner().user_id, body.into_inner()).await
    }

    async fn disable_two_factor(
        context: Context,
        path: Path<requests::UserPath>,
        query: CheckedQuery<requests::TwoFactorDisableQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorDisable>,
    ) -> Result<Reply<replies::DisableTwoFactor>, Error> {
        let user_id = path.into_inner().user_id;
        methods::disable(&Lent::new(context), tenant, &user_id, query.into_inner(), body.into_inner()).await
    }

    async fn update_two_factor(
        context: Context,
        path: Path<requests::UserPath>,
        query: CheckedQuery<requests::TwoFactorUpdateQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorUpdate>,
    ) -> Result<Reply<replies::UpdateTwoFactor>, Error> {
        let user_id = path.into_inner().user_id;
        methods::rename(&Lent::new(context), tenant, &user_id, query.into_inner(), body.into_inner()).await
    }

    async fn enable_two_factor_using_jwt(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactor>,
    ) -> Result<Reply<replies::EnableOwnTwoFactor>, Error> {
        methods::enable_own(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn disable_two_factor_using_jwt(
        context: Context,
        query: CheckedQuery<requests::TwoFactorDisableQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorDisable>,
    ) -> Result<Reply<replies::DisableTwoFactor>, Error> {
        methods::disable_own(&Lent::new(context), tenant, query.into_inner(), body.into_inner()).await
    }

    async fn retrieve_user_lock(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::ReadUserLock>, Error> {
        lock::read(&Lent::new(context), tenant, &path.into_inner().user_id).await
    }

    async fn delete_user_lock(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::DeleteUserLock>, Error> {
        lock::lift(&Lent::new(context), tenant, &path.into_inner().user_id).await
    }

    async fn change_password_by_identity(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::ChangePassword>,
    ) -> Result<Reply<replies::ChangePasswordByIdentity>, Error> {
        passwords::by_identity(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn check_change_password_by_identity(
        context: Context,
        query: CheckedQuery<requests::CheckChangePasswordQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::CheckChangePasswordByIdentity>, Error> {
        passwords::check_by_identity(&Lent::new(context), tenant, query.into_inner()).await
    }

    async fn change_password(
        context: Context,
        path: Path<requests::ChangePasswordPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::ChangePassword>,
    ) -> Result<Reply<replies::ChangePassword>, Error> {
        passwords::by_id(&Lent::new(context), tenant, &path.into_inner().change_password_id, body.into_inner()).await
    }

    async fn check_change_password(
        context: Context,
        path: Path<requests::ChangePasswordPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::CheckChangePassword>, Error> {
        passwords::check_by_id(&Lent::new(context), tenant, &path.into_inner().change_password_id).await
    }

    async fn register(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::Registration>,
    ) -> Result<Reply<replies::Register>, Error> {
        registrations::register(&Lent::new(context), tenant, &path.into_inner().user_id, body.into_inner()).await
    }

    async fn register_user(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::Registration>,
    ) -> Result<Reply<replies::RegisterUser>, Error> {
        registrations::register_user(&Lent::new(context), tenant, body.into_inner()).await
    }
}

impl AdministrationApi for FusionAuth {
    type Context = Arc<App>;

    async fn update_registration(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::Registration>,
    ) -> Result<Reply<replies::ChangeRegistration>, Error> {
        registrations::update(&Lent::new(context), tenant, &path.into_inner().user_id, body.into_inner()).await
    }

    async fn patch_registration(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: MergePatchBody<requests::Registration>,
    ) -> Result<Reply<replies::ChangeRegistration>, Error> {
        registrations::patch(&Lent::new(context), tenant, &path.into_inner().user_id, body).await
    }

    async fn retrieve_registration(
        context: Context,
        path: Path<requests::RegistrationPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveRegistration>, Error> {
        registrations::read(&Lent::new(context), tenant, path.into_inner()).await
    }

    async fn delete_registration(
        context: Context,
        path: Path<requests::RegistrationPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::DeleteRegistration>, Error> {
        registrations::delete(&Lent::new(context), tenant, path.into_inner()).await
    }

    async fn search_users_by_ids(
        context: Context,
        query: RepeatedQuery,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::FindUsers>, Error> {
        search::by_query(&Lent::new(context), tenant, query).await
    }

    async fn search_users_by_query_string(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<Search>,
    ) -> Result<Reply<replies::SearchUsers>, Error> {
        search::by_body(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn action_user(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<Action>,
    ) -> Result<Reply<replies::TakeAction>, Error> {
        actions::take(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn retrieve_actions(
        context: Context,
        query: CheckedQuery<ActionsQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveActions>, Error> {
        actions::list(&Lent::new(context), tenant, query.into_inner()).await
    }

    async fn retrieve_action(
        context: Context,
        path: Path<ActionPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveAction>, Error> {
        actions::read(&Lent::new(context), tenant, &path.into_inner().action_id).await
    }

    async fn modify_action(
        context: Context,
        path: Path<ActionPath>,
        tenant: TenantHeader,
        body: LenientBody<Action>,
    ) -> Result<Reply<replies::TakeAction>, Error> {
        actions::modify(&Lent::new(context), tenant, &path.into_inner().action_id, body.into_inner()).await
    }

    async fn cancel_action(
        context: Context,
        path: Path<ActionPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::TakeAction>, Error> {
        actions::cancel(&Lent::new(context), tenant, &path.into_inner().action_id).await
    }
}

impl LinkApi for FusionAuth {
    type Context = Arc<App>;

    async fn forgot_password(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::ForgotPassword>,
    ) -> Result<Reply<replies::ForgotPassword>, Error> {
        links::forgot_password(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn resend_email_verification(
        context: Context,
        query: CheckedQuery<requests::ResendVerificationQuery>,
        tenant: TenantHeader,
        _body: LenientBody<requests::NoFields>,
    ) -> Result<Reply<replies::ResendEmailVerification>, Error> {
        links::resend_verification(&Lent::new(context), tenant, query.into_inner()).await
    }

    async fn verify_email_address(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::VerifyEmail>,
    ) -> Result<Reply<replies::VerifyEmailAddress>, Error> {
        links::verify(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn verify_email(
        context: Context,
        path: Path<requests::VerificationPath>,
        tenant: TenantHeader,
        _body: LenientBody<requests::NoFields>,
    ) -> Result<Reply<replies::VerifyEmail>, Error> {
        links::verify_by_id(&Lent::new(context), tenant, &path.into_inner().verification_id).await
    }

    async fn start_passwordless_login(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::PasswordlessStart>,
    ) -> Result<Reply<replies::StartPasswordlessLogin>, Error> {
        passwordless::start(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn send_passwordless_code(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::PasswordlessSend>,
    ) -> Result<Reply<replies::SendPasswordlessCode>, Error> {
        passwordless::send(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn passwordless_login(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::PasswordlessLogin>,
    ) -> Result<Reply<replies::PasswordlessLogin>, Error> {
        passwordless::login(&Lent::new(context), tenant, body.into_inner()).await
    }
}

impl FusionAuthApi for FusionAuth {
    type Context = Arc<App>;

    async fn retrieve_two_factor_status(
        context: Context,
        path: Path<requests::TrustPath>,
        query: CheckedQuery<requests::TwoFactorStatusQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::TwoFactorStatus>, Error> {
        let (path, query) = (path.into_inner(), query.into_inner());
        let of = StatusOf {
            user_id: query_value(query.user_id.as_ref()),
            application_id: query_value(query.application_id.as_ref()),
            trust: query_value(Some(&path.two_factor_trust_id)),
        };
        two_factor::status(&Lent::new(context), tenant, of).await
    }

    async fn retrieve_two_factor_status_without_trust(
        context: Context,
        query: CheckedQuery<requests::TwoFactorStatusQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::TwoFactorStatus>, Error> {
        let query = query.into_inner();
        let of = StatusOf {
            user_id: query_value(query.user_id.as_ref()),
            application_id: query_value(query.application_id.as_ref()),
            trust: None,
        };
        two_factor::status(&Lent::new(context), tenant, of).await
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
        two_factor::status(&Lent::new(context), tenant, of).await
    }

    async fn start_two_factor_login(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorStart>,
    ) -> Result<Reply<replies::TwoFactorStart>, Error> {
        two_factor::start(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn two_factor_login(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorLogin>,
    ) -> Result<Reply<replies::TwoFactorLogin>, Error> {
        login::two_factor_login(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn send_two_factor_code_for_enable_disable(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorSend>,
    ) -> Result<Reply<replies::SendForEnableDisable>, Error> {
        two_factor::send(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn generate_two_factor_secret_using_jwt(
        context: Context,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::Secret>, Error> {
        two_factor::secret(&Lent::new(context), tenant).await
    }

    async fn send_two_factor_code_for_login_using_method(
        context: Context,
        path: Path<requests::TwoFactorIdPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::TwoFactorSend>,
    ) -> Result<Reply<replies::SendForLogin>, Error> {
        two_factor::send_for_login(&Lent::new(context), tenant, &path.into_inner().two_factor_id, body.into_inner())
            .await
    }

    async fn login(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::Login>,
    ) -> Result<Reply<replies::Login>, Error> {
        login::login(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn validate_jwt(context: Context) -> Result<Reply<replies::ValidateJwt>, Error> {
        tokens::validate(&Lent::new(context)).await
    }

    async fn exchange_refresh_token_for_jwt(
        context: Context,
        body: LenientBody<requests::Refresh>,
    ) -> Result<Reply<replies::Refresh>, Error> {
        login::refresh(&Lent::new(context), body.into_inner()).await
    }

    async fn retrieve_refresh_tokens(
        context: Context,
        query: CheckedQuery<requests::RefreshTokensQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveRefreshTokens>, Error> {
        refresh_tokens::list(&Lent::new(context), tenant, query.into_inner()).await
    }

    async fn revoke_refresh_token(
        context: Context,
        query: CheckedQuery<requests::RevokeRefreshTokenQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::RevokeRefreshToken>,
    ) -> Result<Reply<replies::RevokeRefreshToken>, Error> {
        refresh_tokens::revoke(&Lent::new(context), tenant, query.into_inner(), body.into_inner()).await
    }

    async fn retrieve_refresh_token_by_id(
        context: Context,
        path: Path<requests::RefreshTokenPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveRefreshToken>, Error> {
        refresh_tokens::read(&Lent::new(context), tenant, &path.into_inner().token_id).await
    }

    async fn revoke_refresh_token_by_id(
        context: Context,
        path: Path<requests::RefreshTokenPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RevokeRefreshTokenById>, Error> {
        refresh_tokens::revoke_by_id(&Lent::new(context), tenant, &path.into_inner().token_id).await
    }

    async fn logout(
        context: Context,
        query: CheckedQuery<requests::LogoutQuery>,
        body: LenientOrNullBody<requests::Logout>,
    ) -> Result<Reply<replies::Logout>, Error> {
        refresh_tokens::logout(&Lent::new(context), query.into_inner(), body.into_inner()).await
    }

    async fn retrieve_json_web_key_set(context: Context) -> Result<Reply<replies::JsonWebKeySet>, Error> {
        Ok(tokens::key_set(&Lent::new(context)))
    }

    async fn retrieve_system_status(context: Context) -> Result<Reply<replies::SystemStatus>, Error> {
        tokens::system_status(&Lent::new(context)).await
    }
}

impl UserApi for FusionAuth {
    type Context = Arc<App>;

    async fn create_user(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::User>,
    ) -> Result<Reply<replies::CreateUser>, Error> {
        users::create(&Lent::new(context), tenant, None, body.into_inner()).await
    }

    async fn retrieve_user_by_login_id(
        context: Context,
        query: CheckedQuery<requests::UserQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveUser>, Error> {
        users::by_login_id(&Lent::new(context), tenant, query.into_inner()).await
    }

    async fn create_user_with_id(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::User>,
    ) -> Result<Reply<replies::CreateUser>, Error> {
        users::create(&Lent::new(context), tenant, Some(&path.into_inner().user_id), body.into_inner()).await
    }

    async fn retrieve_user(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrieveUser>, Error> {
        users::read(&Lent::new(context), tenant, &path.into_inner().user_id).await
    }

    async fn patch_user(
        context: Context,
        path: Path<requests::UserPath>,
        tenant: TenantHeader,
        body: MergePatchBody<requests::User>,
    ) -> Result<Reply<replies::ChangeUser>, Error> {
        users::patch(&Lent::new(context), tenant, &path.into_inner().user_id, body).await
    }

    async fn update_user(
        context: Context,
        path: Path<requests::UserPath>,
        query: CheckedQuery<requests::UpdateUserQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::User>,
    ) -> Result<Reply<replies::ChangeUser>, Error> {
        let reactivates = query_switch("reactivate", query.into_inner().reactivate.as_ref())?.unwrap_or(false);
        users::update(&Lent::new(context), tenant, &path.into_inner().user_id, reactivates, body.into_inner()).await
    }

    async fn delete_user(
        context: Context,
        path: Path<requests::UserPath>,
        query: CheckedQuery<requests::DeleteUserQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::DeleteUser>, Error> {
        users::delete(&Lent::new(context), tenant, &path.into_inner().user_id, query.into_inner()).await
    }
}
