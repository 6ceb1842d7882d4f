//! Logging in without a password, by a code that may be mailed.

use super::cookies::{self, TRUST};
use super::links::{Page, requested};
use super::login::responded;
use super::values::{blank, body_value, is_blank, is_invalid, login_names, query_value};
use super::{Context, credentials, refusal, terms::terms};
use countersign_api::Reply;
use countersign_api::fusionauth::requests::LoginIdType;
use countersign_api::fusionauth::responses::PasswordlessStartResponse;
use countersign_api::fusionauth::{Error, Errors, TenantHeader, replies, requests};
use countersign_api::reply::NoBody;
use countersign_domain::decisions::mailed_link::{NotSent, Purpose};
use countersign_flows::link_ids::{CodeMailed, IdRequest, SignInFor};
use countersign_flows::sign_in::{Credential, SignInRequest};
use serde_json::Value;

/// The only strategy: the code alone logs in.
const CLICKABLE_LINK: &str = "ClickableLink";

/// Whom a code is for, as a request says it.
struct For<'a> {
    application_id: Option<&'a String>,
    login_id: Option<&'a String>,
    login_id_types: Option<&'a Vec<LoginIdType>>,
    state: Option<&'a Value>,
}

/// The new code, for a service.
async fn request_code(
    context: &Context,
    call: &credentials::Call,
    of: For<'_>,
    is_mailed: bool,
) -> Result<Option<String>, Error> {
    let (id, login_name) = (query_value(of.application_id), body_value(of.login_id));
    let (Some(id), Some(login_name)) = (id, login_name) else {
        let mut errors = Errors::default();
        for (field, is_there) in [("applicationId", id.is_some()), ("loginId", login_name.is_some())] {
            if !is_there {
                blank(&mut errors, field);
            }
        }
        return Err(Error::of_errors(errors));
    };
    let application = call.application(context, "applicationId", Some(id))?;
    let application_id = application.map(|application| application.id);
    let target = Page::Passwordless.target(context, application_id);
    let request = IdRequest {
        purpose: Purpose::SignIn,
        tenant_id: call.tenant(context, application)?.id,
        login_name,
        names: login_names(login_name, of.login_id_types),
        state: Some(SignInFor { application_id, state: of.state.map(ToString::to_string) }.to_text()),
        target: is_mailed.then_some(&target),
    };
    let issued = context.context().flows.request_id(&call.caller, request).await.map_err(refusal::of_failure)?;
    requested(context, call, issued)
}

/// `POST /api/passwordless/start`
pub(super) async fn start(
    context: &Context,
    tenant: TenantHeader,
    body: requests::PasswordlessStart,
) -> Result<Reply<replies::StartPasswordlessLogin>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    if body_value(body.login_strategy.as_ref()).is_some_and(|strategy| strategy != CLICKABLE_LINK) {
        let message = "The [loginStrategy] must be ClickableLink: no code is typed besides the one of the link.";
        return Err(Error::of_field("loginStrategy", "notAllowed", message));
    }
    let of = For {
        application_id: body.application_id.as_ref(),
        login_id: body.login_id.as_ref(),
        login_id_types: body.login_id_types.as_ref(),
        state: body.state.as_ref(),
    };
    let code = request_code(context, &call, of, false).await?.ok_or_else(refusal::not_found)?;
    Ok(Reply::ok(PasswordlessStartResponse { code }))
}

/// `POST /api/passwordless/send`
pub(super) async fn send(
    context: &Context,
    tenant: TenantHeader,
    body: requests::PasswordlessSend,
) -> Result<Reply<replies::SendPasswordlessCode>, Error> {
    let call = credentials::service_or_anybody(context, tenant).await?;
    let flows = &context.context().flows;
    let Some(code) = body_value(body.code.as_ref()) else {
        let of = For {
            application_id: body.application_id.as_ref(),
            login_id: body.login_id.as_ref(),
            login_id_types: body.login_id_types.as_ref(),
            state: body.state.as_ref(),
        };
        return request_code(context, &call, of, true).await.map(|_| Reply::ok(NoBody));
    };
    let code = flows.sign_in_code(code, call.tenant).await.map_err(refusal::of_failure)?;
    let code = code.ok_or_else(refusal::not_found)?;
    let target = Page::Passwordless.target(context, code.application_id());
    match flows.mail_sign_in_code(&call.caller, &code, &target).await.map_err(refusal::of_failure)? {
        CodeMailed::Sent => Ok(Reply::ok(NoBody)),
        CodeMailed::NotSent(NotSent::NoAddress) => Err(refusal::no_address()),
        CodeMailed::NotSent(_) | CodeMailed::NoCode => Err(refusal::not_found()),
        CodeMailed::TooMany { until } => Err(refusal::too_many(until, flows.now())),
    }
}

/// `POST /api/passwordless/login`
pub(super) async fn login(
    context: &Context,
    tenant: TenantHeader,
    body: requests::PasswordlessLogin,
) -> Result<Reply<replies::PasswordlessLogin>, Error> {
    let call = credentials::service_or_anybody(context, tenant).await?.on_device(body.ip_address.as_ref());
    if body_value(body.one_time_code.as_ref()).is_some() {
        return Err(is_invalid("oneTimeCode"));
    }
    let code = body_value(body.code.as_ref()).ok_or_else(|| is_blank("code"))?;
    let flows = &context.context().flows;
    let cookie = cookies::read(context.request.headers(), TRUST);
    let wants_tokens = !body.no_jwt.unwrap_or(false);
    let request = SignInRequest {
        tenant_id: call.tenant.unwrap_or(flows.directory().home().id),
        credential: Credential::Passwordless { code, tenant_id: call.tenant },
        application_id: None,
        trust: cookie.as_deref().or(body_value(body.two_factor_trust_id.as_ref())),
        is_remembered: false,
        wants_tokens,
    };
    let outcome = flows.sign_in(&call.caller, request, &terms(flows.policy())).await.map_err(refusal::of_failure)?;
    responded(context, outcome, wants_tokens)
}
