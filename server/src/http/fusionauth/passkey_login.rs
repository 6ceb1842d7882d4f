//! Logging in with a passkey, and showing one.

use super::cookies::{self, TRUST};
use super::credentials::{self, Call};
use super::login::responded;
use super::passkeys::Workflow;
use super::terms::terms;
use super::values::{account_id, blank, body_value, is_invalid, login_names, query_value};
use super::{Context, passkey_refusal, passkey_wire, refusal};
use countersign_api::Reply;
use countersign_api::fusionauth::responses::{PasskeyResponse, PasskeyStartResponse};
use countersign_api::fusionauth::{Error, Errors, TenantHeader, replies, requests};
use countersign_domain::decisions::second_factor::Request;
use countersign_domain::secret::TwoFactorId;
use countersign_flows::FlowError;
use countersign_flows::passkeys::{
    AuthenticationFor, NamedSignIn, PasskeyAuthentication, PasskeyConfirmation, PresentedPasskey,
};

/// `POST /api/webauthn/start`
pub(super) async fn start(
    context: &Context,
    tenant: TenantHeader,
    body: requests::PasskeyStart,
) -> Result<Reply<replies::StartPasskeyLogin>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let options = match body_value(body.two_factor_id.as_ref()) {
        Some(id) => {
            let challenge = TwoFactorId::parse(id).ok_or_else(refusal::not_found)?;
            begin(context, AuthenticationFor::Challenge(challenge.digest(), call.tenant)).await?
        }
        None => start_login(context, &call, &body).await?,
    };
    Ok(Reply::ok(options))
}

async fn start_login(
    context: &Context,
    call: &Call,
    body: &requests::PasskeyStart,
) -> Result<PasskeyStartResponse, Error> {
    let mut errors = Errors::default();
    let application_id = query_value(body.application_id.as_ref());
    if application_id.is_none() {
        blank(&mut errors, "applicationId");
    }
    if body_value(body.workflow.as_ref()).is_none() {
        blank(&mut errors, "workflow");
    }
    if !errors.is_empty() {
        return Err(Error::of_errors(errors));
    }
    let workflow = Workflow::read(body.workflow.as_ref())?;
    if workflow == Workflow::General {
        return Err(is_invalid("workflow"));
    }
    let application = call.application(context, "applicationId", application_id)?;
    let user = match (body_value(body.user_id.as_ref()), body_value(body.login_id.as_ref())) {
        (Some(id), _) => call.user(context, account_id("userId", id)?).await?,
        (None, Some(name)) => {
            let tenant = call.tenant(context, application)?.id;
            credentials::user_by_login(context, tenant, login_names(name, body.login_id_types.as_ref())).await?
        }
        (None, None) => {
            return Err(Error::of_field("userId", "missing", "You must specify either the [userId] or the [loginId]."));
        }
    };
    let user = user.ok_or_else(refusal::not_found)?;
    if application.is_some_and(|application| application.tenant_id != user.account.tenant_id) {
        return Err(is_invalid("applicationId"));
    }
    let state = body.state.as_ref().map(ToString::to_string);
    let sign_in = NamedSignIn {
        account: &user.account,
        application_id: application.map(|application| application.id),
        passkey_id: body_value(body.credential_id.as_ref()),
        state: state.as_deref(),
        demands_verification: workflow == Workflow::Reauthentication,
    };
    begin(context, AuthenticationFor::NamedSignIn(sign_in)).await
}

async fn begin(context: &Context, purpose: AuthenticationFor<'_>) -> Result<PasskeyStartResponse, Error> {
    let flows = &context.context().flows;
    let begun = flows.begin_passkey_authentication(purpose, &terms(flows.policy())).await;
    let begun = begun.map_err(refusal::of_failure)?.map_err(passkey_refusal::not_begun)?;
    Ok(PasskeyStartResponse { options: passkey_wire::request_options(&begun.options) })
}

/// `POST /api/webauthn/login`
pub(super) async fn login(
    context: &Context,
    tenant: TenantHeader,
    body: requests::PasskeyLogin,
) -> Result<Reply<replies::CompletePasskeyLogin>, Error> {
    // A service may send it on, so that its network is not the user's.
    let call = credentials::without_credentials(context, tenant)?.on_device(None).described(body.meta_data.as_ref());
    let credential = read(&body)?;
    let cookie = cookies::read(context.request.headers(), TRUST);
    let trust = cookie.as_deref().or(body_value(body.two_factor_trust_id.as_ref()));
    let wants_tokens = !body.no_jwt.unwrap_or(false);
    let presented = PresentedPasskey { trust, wants_tokens, ..presented(&call, &credential) };
    let flows = &context.context().flows;
    let ended = flows.complete_passkey_authentication(&call.caller, presented, &terms(flows.policy())).await;
    match ended.map_err(refusal::of_failure)? {
        PasskeyAuthentication::SignIn(sign_in) => responded(context, sign_in, wants_tokens),
        PasskeyAuthentication::NoCeremony => Err(refusal::not_found()),
        PasskeyAuthentication::UnknownPasskey
        | PasskeyAuthentication::NotVerified(_)
        | PasskeyAuthentication::Refused(_) => Err(passkey_refusal::not_verified()),
        // Completed by the operation that takes a `twoFactorId`.
        PasskeyAuthentication::SecondFactor(_) => Err(refusal::of_failure(FlowError::OtherGrant)),
    }
}

/// `POST /api/webauthn/assert`
pub(super) async fn assert(
    context: &Context,
    tenant: TenantHeader,
    body: requests::PasskeyLogin,
) -> Result<Reply<replies::AssertPasskey>, Error> {
    let call = credentials::without_credentials(context, tenant)?;
    let credential = read(&body)?;
    let flows = &context.context().flows;
    let ended = flows.confirm_passkey(&call.caller, presented(&call, &credential), &terms(flows.policy())).await;
    match ended.map_err(refusal::of_failure)? {
        PasskeyConfirmation::Confirmed(passkey, account) => {
            Ok(Reply::ok(PasskeyResponse { credential: passkey_wire::passkey(&passkey, &account) }))
        }
        PasskeyConfirmation::Unusable(why) => Err(refusal::unusable(why, flows.now())),
        PasskeyConfirmation::NoCeremony => Err(refusal::not_found()),
        PasskeyConfirmation::NotVerified => Err(passkey_refusal::not_verified()),
    }
}

fn read(body: &requests::PasskeyLogin) -> Result<passkey_wire::Assertion<'_>, Error> {
    let mut errors = Errors::default();
    let credential = passkey_wire::Assertion::read(body.credential.as_ref(), &mut errors);
    credential.filter(|_| errors.is_empty()).ok_or_else(|| Error::of_errors(errors))
}

fn presented<'a>(call: &Call, credential: &'a passkey_wire::Assertion<'a>) -> PresentedPasskey<'a> {
    PresentedPasskey {
        tenant_id: call.tenant,
        token: None,
        response: credential.encoded(),
        trust: None,
        is_remembered: false,
        wants_tokens: false,
        session: None,
        challenge: None,
        request: Request::default(),
    }
}
