//! Logging in, and completing it with a second factor.

use super::cookies::{self, ACCESS_TOKEN, REFRESH_TOKEN, TRUST};
use super::credentials::{self, Call};
use super::terms::terms;
use super::values::{blank, body_value, is_blank, login_names, query_value};
use super::{Context, passkey_refusal, passkey_wire, refusal, wire};
use crate::edge::noted;
use countersign_api::Reply;
use countersign_api::fusionauth::responses::{ChangePasswordReason, LoginResponse};
use countersign_api::fusionauth::{Error, Errors, TenantHeader, replies, requests};
use countersign_api::reply::Gives;
use countersign_domain::address::MethodKind;
use countersign_domain::decisions::second_factor::Request;
use countersign_domain::method::Method;
use countersign_domain::secret::{Bearer, ChangePasswordId, TwoFactorId};
use countersign_flows::Caller;
use countersign_flows::second_factor::{Attempt, Claimant, Verified};
use countersign_flows::sign_in::{Credential, Granted, SignIn, SignInRequest};

/// A response without any field.
fn empty() -> LoginResponse {
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

/// 200, or 202 where the user is not registered for the application.
fn logged_in<R>(context: &Context, granted: Granted, wants_tokens: bool, more: LoginResponse) -> Result<Reply<R>, Error>
where
    R: Gives<200, Body = LoginResponse> + Gives<202, Body = LoginResponse>,
{
    let app = context.context();
    let granted = granted.into_tokens().map_err(refusal::of_failure)?;
    noted::account(granted.user.account.id);
    let token = match wants_tokens {
        true => Some(app.flows.access_token(&granted).map_err(refusal::of_failure)?),
        false => None,
    };
    let refresh_token = granted.refresh_token.as_ref();
    let body = LoginResponse {
        token: token.as_ref().map(|token| token.text.clone()),
        token_expiration_instant: token.as_ref().map(|token| token.expires_at.as_millis()),
        refresh_token: refresh_token.map(|(token, _)| token.expose().to_owned()),
        refresh_token_id: refresh_token.map(|(_, id)| id.to_hyphenated()),
        user: Some(wire::user(&granted.user)),
        ..more
    };
    let trust = body.two_factor_trust_id.clone();
    let reply = match granted.user.is_registered_for(granted.application_id) {
        true => Reply::<R>::new::<200>(body),
        false => Reply::<R>::new::<202>(body),
    };
    let policy = app.flows.policy();
    let lifetimes = (
        policy.refresh_token_lifetime.min(policy.refresh_token_absolute_lifetime),
        policy.trust_lifetime.min(policy.trust_absolute_lifetime),
    );
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
        ..empty()
    })
}

/// 242: a second factor completes the challenge, or has to be enrolled first.
fn challenged<R: Gives<242, Body = LoginResponse>>(
    challenge: &Bearer,
    methods: &[Method],
    configurable: &[MethodKind],
) -> Reply<R> {
    let configurable: Vec<_> = configurable.iter().copied().map(wire::method_name).collect();
    Reply::<R>::new::<242>(LoginResponse {
        two_factor_id: Some(challenge.expose().to_owned()),
        methods: Some(wire::methods(methods)).filter(|methods| !methods.is_empty()),
        configurable_methods: Some(configurable).filter(|kinds| !kinds.is_empty()),
        ..empty()
    })
}

/// `POST /api/login`
pub(super) async fn login(
    context: &Context,
    tenant: TenantHeader,
    body: requests::Login,
) -> Result<Reply<replies::Login>, Error> {
    let call: Call = credentials::require_service(context, tenant).await?.on_device(body.ip_address.as_ref());
    let call = call.described(body.meta_data.as_ref());
    let app = context.context();
    let application = call.application(context, "applicationId", query_value(body.application_id.as_ref()))?;
    let tenant_id = call.tenant(context, application)?.id;
    let names;
    let credential = match body_value(body.one_time_password.as_ref()) {
        Some(text) => Credential::OneTimePassword(text),
        None => {
            let (login_name, password) = (body_value(body.login_id.as_ref()), body.password.as_deref());
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
            Credential::Password { login_name, names: &names, password }
        }
    };
    let cookie = cookies::read(context.request.headers(), TRUST);
    let trust = cookie.as_deref().or(body_value(body.two_factor_trust_id.as_ref()));
    let is_known = trust.is_some_and(|trust| app.flows.has_given_trust(trust));
    let caller = Caller { is_known, ..call.caller };
    let wants_tokens = !body.no_jwt.unwrap_or(false);
    let request = SignInRequest {
        tenant_id,
        credential,
        application_id: application.map(|application| application.id),
        trust,
        is_remembered: false,
        wants_tokens,
    };
    let outcome = app.flows.sign_in(&caller, request, &terms(app.flows.policy())).await;
    responded(context, outcome.map_err(refusal::of_failure)?, wants_tokens)
}

/// What a first factor has opened.
pub(super) fn responded<R>(context: &Context, outcome: SignIn, wants_tokens: bool) -> Result<Reply<R>, Error>
where
    R: Gives<200, Body = LoginResponse>
        + Gives<202, Body = LoginResponse>
        + Gives<203, Body = LoginResponse>
        + Gives<242, Body = LoginResponse>,
{
    match outcome {
        SignIn::Granted { granted, state, .. } => {
            let state = state.and_then(|text| serde_json::from_str(&text).ok());
            logged_in(context, granted, wants_tokens, LoginResponse { state, ..empty() })
        }
        SignIn::SecondFactorDue { challenge, methods, .. } => Ok(challenged(&challenge, &methods, &[])),
        SignIn::EnrolmentDue { challenge, configurable } => Ok(challenged(&challenge, &[], &configurable)),
        SignIn::PasswordChangeDue(id) => Ok(change_password(&id)),
        SignIn::Rejected => Err(refusal::not_found()),
        SignIn::Unusable(why) => Err(refusal::unusable(why, context.context().flows.now())),
        SignIn::VerificationDue => Err(refusal::verification_due()),
        SignIn::TooMany { until } => Err(refusal::too_many(until, context.context().flows.now())),
    }
}

/// `POST /api/two-factor/login`
pub(super) async fn two_factor_login(
    context: &Context,
    tenant: TenantHeader,
    body: requests::TwoFactorLogin,
) -> Result<Reply<replies::TwoFactorLogin>, Error> {
    let call = credentials::without_credentials(context, tenant)?.described(body.meta_data.as_ref());
    let (id, code) = (body_value(body.two_factor_id.as_ref()), body_value(body.code.as_ref()));
    let mut errors = Errors::default();
    let presented = match (code, &body.credential) {
        (Some(code), _) => Some(Attempt::of_any(code)),
        (None, None) => {
            blank(&mut errors, "code");
            None
        }
        (None, Some(credential)) => {
            let credential = passkey_wire::Assertion::read(Some(credential), &mut errors);
            credential.and_then(|credential| Attempt::by_passkey(&credential.encoded()))
        }
    };
    if id.is_none() {
        blank(&mut errors, "twoFactorId");
    }
    let Some(id) = id.filter(|_| errors.is_empty()) else { return Err(Error::of_errors(errors)) };
    let presented = presented.ok_or_else(passkey_refusal::not_verified)?;
    let application = call.application(context, "applicationId", query_value(body.application_id.as_ref()))?;
    let challenge = TwoFactorId::parse(id).ok_or_else(refusal::not_found)?;
    let wants_tokens = !body.no_jwt.unwrap_or(false);
    let attempt = Attempt {
        request: Request { trusts_device: body.trust_computer.unwrap_or(false), without_grant: false },
        application_id: application.map(|application| application.id),
        tenant_id: call.tenant.or(application.map(|application| application.tenant_id)),
        wants_tokens,
        ..presented
    };
    let flows = &context.context().flows;
    let claimant = Claimant::Challenge(challenge.digest());
    let verified = flows.verify_second_factor(&call.caller, claimant, attempt, &terms(flows.policy())).await;
    let refuse = |refused| refusal::of_second_factor(refused, flows.now());
    match verified.map_err(refusal::of_failure)?.map_err(refuse)? {
        Verified::Granted { granted, trust, step_up, state } => {
            let more = LoginResponse {
                state: state.and_then(|text| serde_json::from_str(&text).ok()),
                trust_token: Some(step_up.expose().to_owned()),
                two_factor_trust_id: trust.map(|trust| trust.expose().to_owned()),
                ..empty()
            };
            logged_in(context, granted, wants_tokens, more)
        }
        Verified::PasswordChangeDue(id) => Ok(change_password(&id)),
        Verified::Unusable(why) => Err(refusal::unusable(why, flows.now())),
        // Outcomes of sessions, and of requests for no grant, which this dialect does not have.
        Verified::Confirmed(_) | Verified::Enabled(_) | Verified::Passed { .. } => {
            Err(refusal::of_failure(countersign_flows::FlowError::OtherGrant))
        }
    }
}

/// `POST /api/jwt/refresh`
pub(super) async fn refresh(context: &Context, body: requests::Refresh) -> Result<Reply<replies::Refresh>, Error> {
    let app = context.context();
    let caller = credentials::caller(context);
    let cookie = cookies::read(context.request.headers(), REFRESH_TOKEN);
    let token =
        body_value(body.refresh_token.as_ref()).or(cookie.as_deref()).ok_or_else(|| is_blank("refreshToken"))?;
    let refreshed = app.flows.refresh(&caller, token).await.map_err(refusal::of_failure)?;
    let refreshed = refreshed.ok_or_else(refusal::not_found)?;
    let reply = Reply::ok(countersign_api::fusionauth::responses::JWTRefreshResponse {
        token: refreshed.access_token.text.clone(),
        refresh_token: refreshed.refresh_token.expose().to_owned(),
        refresh_token_id: refreshed.refresh_token_id.to_hyphenated(),
    });
    let set = [
        cookies::set(app, ACCESS_TOKEN, &refreshed.access_token.text, None),
        cookies::set(app, REFRESH_TOKEN, refreshed.refresh_token.expose(), Some(refreshed.lifetime)),
    ];
    Ok(set.into_iter().flatten().fold(reply, Reply::with_cookie))
}
