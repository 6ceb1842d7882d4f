//! What leads up to a second factor: status, start, codes, secrets.

use super::credentials::{self, Who};
use super::values::{account_id, asked, given, is_blank, is_invalid, login_names};
use super::{Context, refusal, wire};
use crate::flows::Caller;
use crate::flows::log_in::StepUp;
use crate::flows::send_code::SendCode;
use countersign_api::Reply;
use countersign_api::fusionauth::responses::{
    SecretResponse, TwoFactorStartResponse, TwoFactorStatusResponse, TwoFactorTrust,
};
use countersign_api::fusionauth::{Error, TenantHeader, replies, requests};
use countersign_api::reply::{Gives, NoBody};
use countersign_api::validation::is_email;
use countersign_domain::account::{EmailAddress, PhoneNumber};
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::mailed_code::Address;
use countersign_domain::method::MethodKind;
use countersign_domain::tenant::LoginPolicy;
use countersign_domain::totp::TotpSecret;
use countersign_store::work::Person;

/// What a status is asked for.
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
    let person = flows.person(id, call.tenant).await.map_err(refusal::of_failure)?;
    let person = person.ok_or_else(|| is_invalid("userId"))?;
    let account = &person.account;
    let policy = flows.directory.tenant(account.tenant_id).unwrap_or(flows.directory.home()).login_policy;
    let asks = match policy {
        LoginPolicy::Disabled => false,
        LoginPolicy::Enabled => account.two_factor_enabled,
        LoginPolicy::Required => true,
    };
    let trust = match of.trust {
        Some(trust) => {
            let application = application.map(|application| application.id);
            flows.trust_of(account.id, trust, application).await.map_err(refusal::of_failure)?
        }
        None => None,
    };
    let trusts = trust.map(|trust| {
        vec![TwoFactorTrust {
            application_id: trust.application_id.map(ApplicationId::to_hyphenated),
            start_instant: trust.created_at.as_millis(),
            expiration: trust.expires_at.as_millis(),
            expired: false,
        }]
    });
    let will_be_asked = asks && trusts.is_none();
    let body = TwoFactorStatusResponse { trusts, two_factor_trust_id: of.trust.map(str::to_owned) };
    Ok(match will_be_asked {
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
    let application = call.application(context, "applicationId", asked(body.application_id.as_ref()))?;
    let person = match (given(body.user_id.as_ref()), given(body.login_id.as_ref())) {
        (Some(id), _) => flows.person(account_id("userId", id)?, call.tenant).await,
        (None, Some(name)) => {
            let tenant: TenantId = call.tenant(context, application)?.id;
            flows.person_by_name(tenant, login_names(name, body.login_id_types.as_ref())).await
        }
        (None, None) => {
            return Err(Error::of_field("userId", "missing", "You must specify either the [userId] or the [loginId]."));
        }
    };
    let person = person.map_err(refusal::of_failure)?.ok_or_else(refusal::not_found)?;
    if application.is_some_and(|application| application.tenant_id != person.account.tenant_id) {
        return Err(is_invalid("applicationId"));
    }
    let step_up = StepUp {
        application_id: application.map(|application| application.id),
        code: body.code.as_deref().filter(|code| !code.is_empty()),
        state: body.state.as_ref().map(ToString::to_string),
        trust_challenge: body.trust_challenge.as_deref().filter(|text| !text.is_empty()),
    };
    let begun = flows.begin_step_up(&call.caller, person.account.id, step_up).await.map_err(refusal::of_failure)?;
    let begun = begun.ok_or_else(refusal::not_found)?;
    Ok(Reply::ok(TwoFactorStartResponse {
        code: begun.code.expose().to_owned(),
        two_factor_id: begun.id.expose().to_owned(),
        methods: Some(wire::methods(&person.methods)).filter(|methods| !methods.is_empty()),
    }))
}

/// `GET /api/two-factor/secret`
pub(super) async fn secret(context: &Context, tenant: TenantHeader) -> Result<Reply<replies::Secret>, Error> {
    credentials::require_either(context, tenant).await?;
    let secret = crate::flows::with_random(TotpSecret::generate_text);
    let encoded = TotpSecret::from_bytes(secret.as_bytes()).map(|secret| secret.to_base32().to_string());
    Ok(Reply::ok(SecretResponse { secret: secret.to_string(), secret_base32_encoded: encoded.unwrap_or_default() }))
}

/// `POST /api/two-factor/send`
pub(super) async fn send(
    context: &Context,
    tenant: TenantHeader,
    body: requests::TwoFactorSend,
) -> Result<Reply<replies::SendForEnableDisable>, Error> {
    let (caller, person) = subject(context, tenant, given(body.user_id.as_ref())).await?;
    let flows = &context.context().flows;
    let account = &person.account;
    if let Some(handle) = given(body.method_id.as_ref()) {
        let method = person.methods.iter().find(|method| method.handle.as_str() == handle);
        let method = method.ok_or_else(no_method)?;
        let sent = flows.send_to_disable(&caller, account.id, method).await.map_err(refusal::of_failure)?;
        return sent_or_not(context, sent, no_method);
    }
    let name = given(body.method.as_ref()).ok_or_else(|| is_blank("method"))?;
    let kind = MethodKind::parse(name).ok_or_else(|| is_invalid("method"))?;
    let address = match kind {
        MethodKind::Authenticator => return Err(cannot_send()),
        MethodKind::Email => Address::Email(email(body.email.as_ref())?),
        MethodKind::Sms => Address::Sms(mobile_phone(body.mobile_phone.as_ref())?),
    };
    require_allowed(context, &person, kind)?;
    let sent = flows.send_to_enable(&caller, account.id, address).await.map_err(refusal::of_failure)?;
    sent_or_not(context, sent, refusal::not_found)
}

/// `POST /api/two-factor/send/{twoFactorId}`
pub(super) async fn send_for_login(
    context: &Context,
    tenant: TenantHeader,
    id: &str,
    body: requests::TwoFactorSend,
) -> Result<Reply<replies::SendForLogin>, Error> {
    let call = credentials::anybody(context, tenant)?;
    let handle = given(body.method_id.as_ref()).ok_or_else(|| is_blank("methodId"))?;
    let flows = &context.context().flows;
    let sent = flows.send_to_answer(&call.caller, id, handle).await.map_err(refusal::of_failure)?;
    sent_or_not(context, sent, no_method)
}

/// Whom a call is about: the person whom a service names, or the holder of the access token.
pub(super) async fn subject(
    context: &Context,
    tenant: TenantHeader,
    user_id: Option<&str>,
) -> Result<(Caller, Person), Error> {
    match credentials::require_either(context, tenant).await? {
        Who::Holder(call, holder) => Ok((call.caller, holder.0)),
        Who::Service(call) => {
            let missing = || Error::of_field("userId", "missing", "The Id of the User was not specified.");
            let id = account_id("userId", user_id.ok_or_else(missing)?)?;
            let person = context.context().flows.person(id, call.tenant).await.map_err(refusal::of_failure)?;
            Ok((call.caller, person.ok_or_else(refusal::not_found)?))
        }
    }
}

/// 400: the tenant does not have this kind of method.
pub(super) fn require_allowed(context: &Context, person: &Person, kind: MethodKind) -> Result<(), Error> {
    let directory = &context.context().flows.directory;
    let tenant = directory.tenant(person.account.tenant_id).unwrap_or(directory.home());
    match tenant.methods.contains(&kind) {
        true => Ok(()),
        false => Err(Error::of_field("method", "disabled", format!("The method [{}] is not enabled.", kind.name()))),
    }
}

/// The `email` of a body.
pub(super) fn email(text: Option<&String>) -> Result<EmailAddress, Error> {
    let text = given(text).ok_or_else(|| is_blank("email"))?;
    let not_email = || Error::of_field("email", "notEmail", "The [email] property is not an e-mail address.");
    if is_email(text) { Ok(EmailAddress::new(text)) } else { Err(not_email()) }
}

/// The `mobilePhone` of a body.
pub(super) fn mobile_phone(text: Option<&String>) -> Result<PhoneNumber, Error> {
    let text = given(text).ok_or_else(|| is_blank("mobilePhone"))?;
    PhoneNumber::new(text).ok_or_else(|| is_invalid("mobilePhone"))
}

/// 400: the person has no such method.
pub(super) fn no_method() -> Error {
    let message = "The [methodId] is not valid. No two-factor method with this Id was found enabled for the user.";
    Error::of_field("methodId", "invalid", message)
}

fn cannot_send() -> Error {
    Error::of_field("method", "cannotSend", "A message cannot be sent to an authenticator.")
}

fn sent_or_not<R: Gives<200, Body = NoBody>>(
    context: &Context,
    sent: SendCode,
    no_method: fn() -> Error,
) -> Result<Reply<R>, Error> {
    match sent {
        SendCode::Sent => Ok(Reply::ok(NoBody)),
        SendCode::NoActor => Err(refusal::not_found()),
        SendCode::NoMethod => Err(no_method()),
        SendCode::CannotSend => Err(cannot_send()),
        SendCode::TooMany { until } => Err(refusal::too_many(until, context.context().flows.now())),
    }
}
