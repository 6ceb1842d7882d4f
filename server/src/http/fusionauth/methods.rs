//! The methods of a user.

use super::credentials::{self, Call};
use super::terms::terms;
use super::two_factor::{email, mobile_phone, no_method};
use super::values::{body_value, is_blank, is_invalid, query_value};
use super::{Context, refusal, users};
use countersign_api::Reply;
use countersign_api::fusionauth::responses::{TwoFactorRecoveryCodeResponse, TwoFactorResponse};
use countersign_api::fusionauth::{Error, TenantHeader, replies, requests};
use countersign_api::reply::{Gives, NoBody};
use countersign_domain::address::{Address, MethodKind};
use countersign_domain::assurance::Manager;
use countersign_domain::backup_code::BackupCode;
use countersign_domain::secret::TwoFactorId;
use countersign_domain::totp::TotpSecret;
use countersign_domain::user::User;
use countersign_flows::Caller;
use countersign_flows::methods::{FactorToAdd, FreshProof, MethodRequest, NotAdded, NotRemoved};
use countersign_flows::password::Unconfirmed;
use countersign_flows::tokens::TokenPurpose;

/// The user whom a service names in the path.
async fn named(context: &Context, tenant: TenantHeader, user_id: &str) -> Result<(Call, User), Error> {
    let call = credentials::require_service(context, tenant).await?;
    let user = users::find(context, &call, user_id).await?;
    Ok((call, user))
}

fn texts(codes: &[BackupCode]) -> Vec<String> {
    codes.iter().map(|code| code.expose().to_owned()).collect()
}

/// `POST /api/user/two-factor/{userId}`
pub(super) async fn enable(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
    body: requests::TwoFactor,
) -> Result<Reply<replies::EnableTwoFactor>, Error> {
    let (call, user) = named(context, tenant, user_id).await?;
    add(context, &call.caller, &user, Manager::Service, body).await
}

/// `POST /api/user/two-factor`
pub(super) async fn enable_own(
    context: &Context,
    tenant: TenantHeader,
    body: requests::TwoFactor,
) -> Result<Reply<replies::EnableOwnTwoFactor>, Error> {
    let (call, user, manager) = credentials::require_manager(context, tenant, TokenPurpose::Enrolment).await?;
    add(context, &call.caller, &user, manager, body).await
}

async fn add<R: Gives<200, Body = TwoFactorResponse>>(
    context: &Context,
    caller: &Caller,
    user: &User,
    manager: Manager,
    body: requests::TwoFactor,
) -> Result<Reply<R>, Error> {
    let name = body_value(body.method.as_ref()).ok_or_else(|| is_blank("method"))?;
    let kind = MethodKind::parse(name).ok_or_else(|| is_invalid("method"))?;
    let code = body_value(body.code.as_ref()).ok_or_else(|| is_blank("code"))?;
    let (factor, address) = match kind {
        MethodKind::Authenticator => (FactorToAdd::Authenticator(secret(&body)?), "code"),
        MethodKind::Email => (FactorToAdd::Address(Address::Email(email(body.email.as_ref())?)), "email"),
        MethodKind::Sms => {
            (FactorToAdd::Address(Address::Sms(mobile_phone(body.mobile_phone.as_ref())?)), "mobilePhone")
        }
        // Registered by a browser, and not by a code.
        MethodKind::Passkey => return Err(is_invalid("method")),
    };
    let challenge = match body_value(body.two_factor_id.as_ref()).map(TwoFactorId::parse) {
        None => None,
        Some(Some(id)) => Some(id.digest()),
        Some(None) => return Err(is_invalid("twoFactorId")),
    };
    let flows = &context.context().flows;
    let proof = FreshProof {
        password: body.password.as_deref().filter(|text| !text.is_empty()),
        step_up: body_value(body.trust_token.as_ref()),
        trust_challenge: body.trust_challenge.as_deref().filter(|text| !text.is_empty()),
    };
    let request = MethodRequest { factor, code, name: body_value(body.name.as_ref()), challenge, proof };
    let added = flows.add_method(caller, &user.account, manager, request, &terms(flows.policy())).await;
    match added.map_err(refusal::of_failure)? {
        Ok(added) => Ok(Reply::ok(TwoFactorResponse {
            recovery_codes: added.backup_codes.as_deref().map(texts),
            code: added.code.map(|code| code.expose().to_owned()),
        })),
        Err(NotAdded::WrongCode) => Err(Error::of_number(421)),
        Err(NotAdded::OtherAddress) => {
            let message = format!("The code was sent to another [{address}].");
            Err(Error::of_field(address, "mismatch", message))
        }
        Err(NotAdded::TooManyWrongCodes { until }) => Err(refusal::too_many(until, flows.now())),
        Err(NotAdded::NoChallenge) => Err(is_invalid("twoFactorId")),
        Err(NotAdded::NotAllowed) => Err(refusal::method_not_allowed(kind)),
        Err(NotAdded::SecondFactorDue(_)) => Err(credentials::second_factor_due(flows.policy())),
        Err(NotAdded::Locked { until }) => Err(refusal::locked(until, flows.now())),
        Err(NotAdded::ProofDue) => Err(refusal::trust_token_required()),
        Err(NotAdded::StepUpExpired) => Err(refusal::trust_token_expired()),
        Err(NotAdded::Unconfirmed(Unconfirmed::WrongPassword)) => Err(is_invalid("password")),
        Err(NotAdded::Unconfirmed(Unconfirmed::TooMany { until })) => Err(refusal::too_many(until, flows.now())),
        Err(NotAdded::TooMany) => {
            Err(Error::of_field("method", "tooMany", "The user has as many methods as a user may have."))
        }
        Err(NotAdded::Gone) => Err(refusal::not_found()),
    }
}

/// The secret of an app, in either form.
fn secret(body: &requests::TwoFactor) -> Result<TotpSecret, Error> {
    match (body_value(body.secret.as_ref()), body_value(body.secret_base32_encoded.as_ref())) {
        (Some(text), _) => TotpSecret::from_bytes(text.as_bytes()).ok_or_else(|| is_invalid("secret")),
        (None, Some(text)) => TotpSecret::from_base32(text).ok_or_else(|| is_invalid("secretBase32Encoded")),
        (None, None) => Err(is_blank("secret")),
    }
}

/// `DELETE /api/user/two-factor/{userId}`
pub(super) async fn disable(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
    query: requests::TwoFactorDisableQuery,
    body: requests::TwoFactorDisable,
) -> Result<Reply<replies::DisableTwoFactor>, Error> {
    let (call, user) = named(context, tenant, user_id).await?;
    remove(context, &call.caller, &user, Manager::Service, &query, &body).await
}

/// `DELETE /api/user/two-factor`
pub(super) async fn disable_own(
    context: &Context,
    tenant: TenantHeader,
    query: requests::TwoFactorDisableQuery,
    body: requests::TwoFactorDisable,
) -> Result<Reply<replies::DisableTwoFactor>, Error> {
    let (call, user, manager) = credentials::require_manager(context, tenant, TokenPurpose::Other).await?;
    remove(context, &call.caller, &user, manager, &query, &body).await
}

async fn remove(
    context: &Context,
    caller: &Caller,
    user: &User,
    manager: Manager,
    query: &requests::TwoFactorDisableQuery,
    body: &requests::TwoFactorDisable,
) -> Result<Reply<replies::DisableTwoFactor>, Error> {
    let code = query_value(query.code.as_ref()).or(body_value(body.code.as_ref())).ok_or_else(|| is_blank("code"))?;
    let handle = query_value(query.method_id.as_ref()).or(body_value(body.method_id.as_ref()));
    let flows = &context.context().flows;
    let removed = flows.remove_methods(caller, user, manager, code, handle).await.map_err(refusal::of_failure)?;
    match removed {
        Ok(()) => Ok(Reply::ok(NoBody)),
        Err(NotRemoved::NoMethod) => Err(no_method()),
        Err(NotRemoved::NotNamed) => Err(is_blank("methodId")),
        Err(NotRemoved::SecondFactorDue(_)) => Err(credentials::second_factor_due(flows.policy())),
        Err(NotRemoved::Refused(refused)) => Err(refusal::of_second_factor(refused, flows.now())),
    }
}

/// `PUT /api/user/two-factor/{userId}`
pub(super) async fn rename(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
    query: requests::TwoFactorUpdateQuery,
    body: requests::TwoFactorUpdate,
) -> Result<Reply<replies::UpdateTwoFactor>, Error> {
    let (call, user) = named(context, tenant, user_id).await?;
    let handle = query_value(query.method_id.as_ref()).or(body_value(body.method_id.as_ref()));
    let handle = handle.ok_or_else(|| is_blank("methodId"))?;
    let flows = &context.context().flows;
    let renamed = flows.rename_method(&call.caller, user.account.id, handle, body_value(body.name.as_ref())).await;
    match renamed.map_err(refusal::of_failure)? {
        true => Ok(Reply::ok(NoBody)),
        false => Err(no_method()),
    }
}

/// `POST /api/user/two-factor/recovery-code/{userId}`
pub(super) async fn renew_recovery_codes(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
) -> Result<Reply<replies::RecoveryCodes>, Error> {
    let (call, user) = named(context, tenant, user_id).await?;
    let flows = &context.context().flows;
    let codes = flows
        .replace_backup_codes_for_service(&call.caller, &user.account, &terms(flows.policy()))
        .await
        .map_err(refusal::of_failure)?;
    let message = "The user has no two-factor method, and so no recovery codes.";
    let codes = codes.ok_or_else(|| Error::of_field("userId", "invalid", message))?;
    Ok(Reply::ok(TwoFactorRecoveryCodeResponse { recovery_codes: texts(&codes) }))
}

/// `GET /api/user/two-factor/recovery-code/{userId}`
pub(super) async fn read_recovery_codes(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
) -> Result<Reply<replies::ReadRecoveryCodes>, Error> {
    named(context, tenant, user_id).await?;
    Ok(Reply::ok(TwoFactorRecoveryCodeResponse { recovery_codes: Vec::new() }))
}
