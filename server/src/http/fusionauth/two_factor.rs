//! Operations before a second factor: status, start, sending codes, new secrets.

use super::credentials::{self, Principal};
use super::terms::terms;
use super::values::{account_id, body_value, is_blank, is_invalid, login_names, query_value};
use super::{Context, refusal, wire};
use countersign_api::Reply;
use countersign_api::fusionauth::responses::{
    SecretResponse, TwoFactorStartResponse, TwoFactorStatusResponse, TwoFactorTrust,
};
use countersign_api::fusionauth::{Error, TenantHeader, replies, requests};
use countersign_api::reply::{Gives, NoBody};
use countersign_api::validation::is_mailbox;
use countersign_domain::account::{EmailAddress, PhoneNumber};
use countersign_domain::address::{Address, MethodKind};
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::secret::TwoFactorId;
use countersign_domain::totp::TotpSecret;
use countersign_domain::user::User;
use countersign_flows::Caller;
use countersign_flows::one_time_code::{SendCode, StepUp};

/// Fields of a status request.
pub(super) struct StatusOf<'a> {
    pub(super) user_id: Option<&'a str>,
    pub(super) application_id: Option<&'a str>,
    pub(super) trust: Option<&'a str>,
}

/// `GET` and `POST /api/two-factor/status`
pub(super) async fn status<R>(context: &Context, tenant: TenantHeader, of: StatusOf<'_>) -> Result<Reply<R>, Error>
where
    R: Gives<200, Body = TwoFactorStatusResponse> + Gives<242, Body = TwoFactorStatusResponse>,
{
    let call = credentials::require_service(context, tenant).await?;
    let flows = &context.context().flows;
    let missing = || Error::of_field("userId", "missing", "The Id of the User was not specified.");
    let id = account_id("userId", of.user_id.ok_or_else(missing)?)?;
    let application = call.application(context, "applicationId", of.application_id)?;
    let user = call.user(context, id).await?.ok_or_else(|| is_invalid("userId"))?;
    let account = &user.account;
    let trust = match of.trust {
        Some(trust) => {
            let application = application.map(|application| application.id);
            flows.trusted_device(account, trust, application).await.map_err(refusal::of_failure)?
        }
        None => None,
    };
    let trusts = trust.map(|trust| {
        vec![TwoFactorTrust {
            application_id: trust.application_id.map(ApplicationId::to_hyphenated),
            start_instant: trust.given_at.as_millis(),
            expiration: trust.expires_at.as_millis(),
            expired: false,
        }]
    });
    let is_demanded = flows.demands_second_factor(account) && trusts.is_none();
    let body = TwoFactorStatusResponse { trusts, two_factor_trust_id: of.trust.map(str::to_owned) };
    Ok(match is_demanded {
        true => Reply::<R>::new::<242>(body),
        false => Reply::<R>::new::<200>(body),
    })
}

/// `POST /api/two-factor/start`
pub(super) async fn start(
    context: &Context,
    tenant: TenantHeader,
    body: requests::TwoFactorStart,
) -> Result<Reply<replies::TwoFactorStart>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let flows = &context.context().flows;
    let application = call.application(context, "applicationId", query_value(body.application_id.as_ref()))?;
    let user = match (body_value(body.user_id.as_ref()), body_value(body.login_id.as_ref())) {
        (Some(id), _) => call.user(context, account_id("userId", id)?).await?,
        (None, Some(name)) => {
            let tenant: TenantId = call.tenant(context, application)?.id;
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
    let step_up = StepUp {
        application_id: application.map(|application| application.id),
        code: body.code.as_deref().filter(|code| !code.is_empty()),
        state: body.state.as_ref().map(ToString::to_string),
        trust_challenge: body.trust_challenge.as_deref().filter(|text| !text.is_empty()),
    };
    let methods = flows.usable_methods(&user).await.map_err(refusal::of_failure)?;
    let begun = flows
        .begin_step_up(&call.caller, user.account.id, step_up, &terms(flows.policy()))
        .await
        .map_err(refusal::of_failure)?;
    let begun = begun.ok_or_else(refusal::not_found)?;
    Ok(Reply::ok(TwoFactorStartResponse {
        code: begun.code.expose().to_owned(),
        two_factor_id: begun.challenge.expose().to_owned(),
        methods: Some(wire::methods(&methods)).filter(|methods| !methods.is_empty()),
    }))
}

/// `GET /api/two-factor/secret`
pub(super) async fn secret(context: &Context, tenant: TenantHeader) -> Result<Reply<replies::Secret>, Error> {
    credentials::require_either(context, tenant).await?;
    let secret = context.context().flows.random().draw(TotpSecret::generate_text);
    let encoded = TotpSecret::from_bytes(secret.as_bytes()).map(|secret| secret.to_base32().to_string());
    Ok(Reply::ok(SecretResponse { secret: secret.to_string(), secret_base32_encoded: encoded.unwrap_or_default() }))
}

/// `POST /api/two-factor/send`
pub(super) async fn send(
    context: &Context,
    tenant: TenantHeader,
    body: requests::TwoFactorSend,
) -> Result<Reply<replies::SendForEnableDisable>, Error> {
    let (caller, user) = subject(context, tenant, body_value(body.user_id.as_ref())).await?;
    let flows = &context.context().flows;
    let account = &user.account;
    if let Some(handle) = body_value(body.method_id.as_ref()) {
        let method = user.methods.iter().find(|method| method.handle.as_str() == handle);
        let method = method.ok_or_else(no_method)?;
        let sent = flows.send_code_to_disable(&caller, account.id, method).await.map_err(refusal::of_failure)?;
        return sent_or_not(context, sent, None, no_method);
    }
    let name = body_value(body.method.as_ref()).ok_or_else(|| is_blank("method"))?;
    let kind = MethodKind::parse(name).ok_or_else(|| is_invalid("method"))?;
    let address = match kind {
        MethodKind::Authenticator => return Err(cannot_send()),
        MethodKind::Passkey => return Err(is_invalid("method")),
        MethodKind::Email => Address::Email(email(body.email.as_ref())?),
        MethodKind::Sms => Address::Sms(mobile_phone(body.mobile_phone.as_ref())?),
    };
    let sent = flows.send_code_to_enable(&caller, account.id, address).await.map_err(refusal::of_failure)?;
    sent_or_not(context, sent, Some(kind), refusal::not_found)
}

/// `POST /api/two-factor/send/{twoFactorId}`
pub(super) async fn send_for_login(
    context: &Context,
    tenant: TenantHeader,
    id: &str,
    body: requests::TwoFactorSend,
) -> Result<Reply<replies::SendForLogin>, Error> {
    let call = credentials::without_credentials(context, tenant)?;
    let handle = body_value(body.method_id.as_ref()).ok_or_else(|| is_blank("methodId"))?;
    let flows = &context.context().flows;
    let challenge = TwoFactorId::parse(id).ok_or_else(refusal::not_found)?;
    let sent = flows
        .send_code_by_method(&call.caller, challenge.digest(), handle, &terms(flows.policy()))
        .await
        .map_err(refusal::of_failure)?;
    sent_or_not(context, sent, None, no_method)
}

/// The user that a call is about: the one that a service names, or the holder of the access token.
pub(super) async fn subject(
    context: &Context,
    tenant: TenantHeader,
    user_id: Option<&str>,
) -> Result<(Caller, User), Error> {
    match credentials::require_either(context, tenant).await? {
        Principal::Holder(call, holder) => Ok((call.caller, holder.0)),
        Principal::Service(call) => {
            let missing = || Error::of_field("userId", "missing", "The Id of the User was not specified.");
            let id = account_id("userId", user_id.ok_or_else(missing)?)?;
            let user = call.user(context, id).await?.ok_or_else(refusal::not_found)?;
            Ok((call.caller, user))
        }
    }
}

/// The `email` of a body.
pub(super) fn email(text: Option<&String>) -> Result<EmailAddress, Error> {
    let text = body_value(text).ok_or_else(|| is_blank("email"))?;
    let not_email = || Error::of_field("email", "notEmail", "The [email] property is not an e-mail address.");
    if is_mailbox(text) { Ok(EmailAddress::new(text)) } else { Err(not_email()) }
}

/// The `mobilePhone` of a body.
pub(super) fn mobile_phone(text: Option<&String>) -> Result<PhoneNumber, Error> {
    let text = body_value(text).ok_or_else(|| is_blank("mobilePhone"))?;
    PhoneNumber::new(text).ok_or_else(|| is_invalid("mobilePhone"))
}

/// 400: the user has no such method.
pub(super) fn no_method() -> Error {
    let message = "The [methodId] is not valid. No two-factor method with this Id was found enabled for the user.";
    Error::of_field("methodId", "invalid", message)
}

fn cannot_send() -> Error {
    Error::of_field("method", "cannotSend", "A message cannot be sent to an authenticator.")
}

fn undeliverable() -> Error {
    Error::of_field("method", "undeliverable", "The message was refused by the recipient's server.")
}

fn sent_or_not<R: Gives<200, Body = NoBody>>(
    context: &Context,
    sent: SendCode,
    kind: Option<MethodKind>,
    no_method: fn() -> Error,
) -> Result<Reply<R>, Error> {
    match sent {
        SendCode::Sent => Ok(Reply::ok(NoBody)),
        SendCode::Refused => Err(undeliverable()),
        SendCode::NoClaimant => Err(refusal::not_found()),
        SendCode::NotAllowed => Err(kind.map_or_else(no_method, refusal::method_not_allowed)),
        SendCode::NoMethod => Err(no_method()),
        SendCode::CannotSend => Err(cannot_send()),
        SendCode::Locked { until } => Err(refusal::locked(until, context.context().flows.now())),
        SendCode::TooMany { until } => Err(refusal::too_many(until, context.context().flows.now())),
    }
}
