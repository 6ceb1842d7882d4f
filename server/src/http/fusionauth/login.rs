//! Logging in, and completing it with a second factor.

use super::cookies::{self, ACCESS_TOKEN, REFRESH_TOKEN, TRUST};
use super::credentials::{self, Call};
use super::values::{asked, blank, given, is_blank, login_names};
use super::{Context, refusal, wire};
use crate::flows::log_in::{Answer, Answered, LogIn, LogInOutcome, LoggedIn, Shown};
use countersign_api::Reply;
use countersign_api::fusionauth::responses::{ChangePasswordReason, LoginResponse};
use countersign_api::fusionauth::{Error, Errors, TenantHeader, replies, requests};
use countersign_api::reply::Gives;
use countersign_domain::secret::ChangePasswordId;

/// An answer in which nothing is said yet.
fn nothing() -> LoginResponse {
    LoginResponse {
        token: None,
        token_expiration_instant: None,
        refresh_token: None,
        refresh_token_id: None,
        user: None,
        state: None,
        trust_token: None,
        two_factor_id: None,
        two_factor_trust_id: None,
        methods: None,
        configurable_methods: None,
        change_password_id: None,
        change_password_reason: None,
    }
}

/// 200 or 202: somebody is logged in.
fn logged_in<R>(
    context: &Context,
    logged_in: &LoggedIn,
    wants_tokens: bool,
    more: LoginResponse,
) -> Result<Reply<R>, Error>
where
    R: Gives<200, Body = LoginResponse> + Gives<202, Body = LoginResponse>,
{
    let app = context.context();
    let token = match wants_tokens {
        true => Some(app.flows.access_token(logged_in).map_err(refusal::of_failure)?),
        false => None,
    };
    let refresh_token = logged_in.refresh_token.as_ref();
    let body = LoginResponse {
        token: token.as_ref().map(|token| token.text.clone()),
        token_expiration_instant: token.as_ref().map(|token| token.expires_at.as_millis()),
        refresh_token: refresh_token.map(|(token, _)| token.expose().to_owned()),
        refresh_token_id: refresh_token.map(|(_, id)| id.to_hyphenated()),
        user: Some(wire::user(&logged_in.person)),
        ..more
    };
    let trust = body.two_factor_trust_id.clone();
    let reply = match logged_in.is_registered() {
        true => Reply::<R>::new::<200>(body),
        false => Reply::<R>::new::<202>(body),
    };
    let policy = &app.flows.policy;
    let lifetimes = (policy.refresh_token_lifetime, policy.trust_lifetime);
    let set = [
        token.and_then(|token| cookies::set(app, ACCESS_TOKEN, &token.text, None)),
        refresh_token.and_then(|(token, _)| cookies::set(app, REFRESH_TOKEN, token.expose(), Some(lifetimes.0))),
        trust.and_then(|trust| cookies::set(app, TRUST, &trust, Some(lifetimes.1))),
    ];
    Ok(set.into_iter().flatten().fold(reply, Reply::with_cookie))
}

/// 203: the password has to be changed.
fn change_password<R: Gives<203, Body = LoginResponse>>(id: &ChangePasswordId) -> Reply<R> {
    Reply::<R>::new::<203>(LoginResponse {
        change_password_id: Some(id.expose().to_owned()),
        change_password_reason: Some(ChangePasswordReason::Administrative),
        ..nothing()
    })
}

/// `POST /api/login`
pub(super) async fn login(
    context: &Context,
    tenant: TenantHeader,
    body: requests::Login,
) -> Result<Reply<replies::Login>, Error> {
    let call: Call = credentials::require_service(context, tenant).await?.on_device(body.ip_address.as_ref());
    let app = context.context();
    let application = call.application(context, "applicationId", asked(body.application_id.as_ref()))?;
    let tenant_id = call.tenant(context, application)?.id;
    let names;
    let shown = match given(body.one_time_password.as_ref()) {
        Some(text) => Shown::OneTimePassword(text),
        None => {
            let (login_name, password) = (given(body.login_id.as_ref()), body.password.as_deref());
            let (Some(login_name), Some(password)) = (login_name, password.filter(|text| !text.is_empty())) else {
                let mut errors = Errors::default();
                if login_name.is_none() {
                    blank(&mut errors, "loginId");
                }
                if password.is_none_or(str::is_empty) {
                    blank(&mut errors, "password");
                }
                return Err(Error::of_errors(errors));
            };
            names = login_names(login_name, body.login_id_types.as_ref());
            Shown::Password { login_name, names: &names, password }
        }
    };
    let cookie = cookies::read(context.request.headers(), TRUST);
    let wants_tokens = !body.no_jwt.unwrap_or(false);
    let log_in = LogIn {
        tenant_id,
        shown,
        application_id: application.map(|application| application.id),
        trust: cookie.as_deref().or(given(body.two_factor_trust_id.as_ref())),
        wants_tokens,
    };
    match app.flows.log_in(&call.caller, log_in).await.map_err(refusal::of_failure)? {
        LogInOutcome::Done(done) => logged_in(context, &done, wants_tokens, nothing()),
        LogInOutcome::Challenged { id, methods, configurable } => {
            let configurable: Vec<_> = configurable.into_iter().map(wire::method_name).collect();
            Ok(Reply::new::<242>(LoginResponse {
                two_factor_id: Some(id.expose().to_owned()),
                methods: Some(wire::methods(&methods)).filter(|methods| !methods.is_empty()),
                configurable_methods: Some(configurable).filter(|kinds| !kinds.is_empty()),
                ..nothing()
            }))
        }
        LogInOutcome::ChangePassword(id) => Ok(change_password(&id)),
        LogInOutcome::Rejected => Err(refusal::not_found()),
        LogInOutcome::Unusable(why) => Err(refusal::unusable(why)),
        LogInOutcome::TooMany { until } => Err(refusal::too_many(until, app.flows.now())),
    }
}

/// `POST /api/two-factor/login`
pub(super) async fn two_factor_login(
    context: &Context,
    tenant: TenantHeader,
    body: requests::TwoFactorLogin,
) -> Result<Reply<replies::TwoFactorLogin>, Error> {
    let call = credentials::anybody(context, tenant)?;
    let (id, code) = (given(body.two_factor_id.as_ref()), given(body.code.as_ref()));
    let (Some(id), Some(code)) = (id, code) else {
        let mut errors = Errors::default();
        if code.is_none() {
            blank(&mut errors, "code");
        }
        if id.is_none() {
            blank(&mut errors, "twoFactorId");
        }
        return Err(Error::of_errors(errors));
    };
    let application = call.application(context, "applicationId", asked(body.application_id.as_ref()))?;
    let wants_tokens = !body.no_jwt.unwrap_or(false);
    let answer = Answer {
        id,
        code,
        application_id: application.map(|application| application.id),
        tenant_id: call.tenant.or(application.map(|application| application.tenant_id)),
        trusts_device: body.trust_computer.unwrap_or(false),
        wants_tokens,
    };
    let flows = &context.context().flows;
    let answered = flows.answer(&call.caller, answer).await.map_err(refusal::of_failure)?;
    match answered.map_err(|refused| refusal::of_second_factor(refused, flows.now()))? {
        Answered::LoggedIn { logged_in: done, state, step_up, trust } => {
            let more = LoginResponse {
                state: state.and_then(|text| serde_json::from_str(&text).ok()),
                trust_token: Some(step_up.expose().to_owned()),
                two_factor_trust_id: trust.map(|trust| trust.expose().to_owned()),
                ..nothing()
            };
            logged_in(context, &done, wants_tokens, more)
        }
        Answered::ChangePassword(id) => Ok(change_password(&id)),
        Answered::Unusable(why) => Err(refusal::unusable(why)),
    }
}

/// `POST /api/jwt/refresh`
pub(super) async fn refresh(context: &Context, body: requests::Refresh) -> Result<Reply<replies::Refresh>, Error> {
    let app = context.context();
    let call = credentials::anonymous(context);
    let cookie = cookies::read(context.request.headers(), REFRESH_TOKEN);
    let token = given(body.refresh_token.as_ref()).or(cookie.as_deref()).ok_or_else(|| is_blank("refreshToken"))?;
    let refreshed = app.flows.refresh(&call, token).await.map_err(refusal::of_failure)?;
    let refreshed = refreshed.ok_or_else(refusal::not_found)?;
    let reply = Reply::ok(countersign_api::fusionauth::responses::JWTRefreshResponse {
        token: refreshed.access_token.text.clone(),
        refresh_token: refreshed.refresh_token.expose().to_owned(),
        refresh_token_id: refreshed.refresh_token_id.to_hyphenated(),
    });
    let lifetime = app.flows.policy.refresh_token_lifetime;
    let set = [
        cookies::set(app, ACCESS_TOKEN, &refreshed.access_token.text, None),
        cookies::set(app, REFRESH_TOKEN, refreshed.refresh_token.expose(), Some(lifetime)),
    ];
    Ok(set.into_iter().flatten().fold(reply, Reply::with_cookie))
}
