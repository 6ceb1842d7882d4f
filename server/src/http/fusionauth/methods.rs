//! The second factors of a person.

use super::credentials::{self, Call};
use super::two_factor::{email, mobile_phone, no_method, require_allowed};
use super::values::{account_id, asked, given, is_blank, is_invalid};
use super::{Context, refusal};
use crate::flows::Caller;
use crate::flows::methods::{NotAdded, NotRemoved, Offered};
use countersign_api::Reply;
use countersign_api::fusionauth::responses::{TwoFactorRecoveryCodeResponse, TwoFactorResponse};
use countersign_api::fusionauth::{Error, TenantHeader, replies, requests};
use countersign_api::reply::NoBody;
use countersign_domain::backup_code::BackupCode;
use countersign_domain::mailed_code::Address;
use countersign_domain::method::MethodKind;
use countersign_domain::totp::TotpSecret;
use countersign_store::work::Person;

/// The person whom a service names in the path.
async fn named(context: &Context, tenant: TenantHeader, user_id: &str) -> Result<(Call, Person), Error> {
    let call = credentials::require_service(context, tenant).await?;
    let id = account_id("userId", user_id)?;
    let person = context.context().flows.person(id, call.tenant).await.map_err(refusal::of_failure)?;
    Ok((call, person.ok_or_else(refusal::not_found)?))
}

fn shown(codes: &[BackupCode]) -> Vec<String> {
    codes.iter().map(|code| code.expose().to_owned()).collect()
}

/// `POST /api/user/two-factor/{userId}`
pub(super) async fn enable(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
    body: requests::TwoFactor,
) -> Result<Reply<replies::EnableTwoFactor>, Error> {
    let (call, person) = named(context, tenant, user_id).await?;
    add(context, &call.caller, &person, body).await
}

/// `POST /api/user/two-factor`
pub(super) async fn enable_own(
    context: &Context,
    tenant: TenantHeader,
    body: requests::TwoFactor,
) -> Result<Reply<replies::EnableTwoFactor>, Error> {
    let (call, person, claims) = credentials::require_holder(context, tenant).await?;
    // Whoever has only the password must not put a second factor of their own beside the holder's (attack 26).
    if person.account.two_factor_enabled && !claims.has_second_factor() {
        return Err(credentials::unauthorized());
    }
    add(context, &call.caller, &person, body).await
}

async fn add(
    context: &Context,
    caller: &Caller,
    person: &Person,
    body: requests::TwoFactor,
) -> Result<Reply<replies::EnableTwoFactor>, Error> {
    let name = given(body.method.as_ref()).ok_or_else(|| is_blank("method"))?;
    let kind = MethodKind::parse(name).ok_or_else(|| is_invalid("method"))?;
    require_allowed(context, person, kind)?;
    let code = given(body.code.as_ref()).ok_or_else(|| is_blank("code"))?;
    let (offered, address) = match kind {
        MethodKind::Authenticator => (Offered::Authenticator(secret(&body)?), "code"),
        MethodKind::Email => (Offered::Address(Address::Email(email(body.email.as_ref())?)), "email"),
        MethodKind::Sms => (Offered::Address(Address::Sms(mobile_phone(body.mobile_phone.as_ref())?)), "mobilePhone"),
    };
    let flows = &context.context().flows;
    let (name, challenge) = (given(body.name.as_ref()), given(body.two_factor_id.as_ref()));
    let added = flows.add_method(caller, &person.account, &offered, code, name, challenge).await;
    match added.map_err(refusal::of_failure)? {
        Ok(added) => Ok(Reply::ok(TwoFactorResponse {
            recovery_codes: added.backup_codes.as_deref().map(shown),
            code: added.code.map(|code| code.expose().to_owned()),
        })),
        Err(NotAdded::WrongCode) => Err(Error::of_number(421)),
        Err(NotAdded::OtherAddress) => {
            let message = format!("The code was sent to another [{address}].");
            Err(Error::of_field(address, "mismatch", message))
        }
        Err(NotAdded::NoChallenge) => Err(is_invalid("twoFactorId")),
        Err(NotAdded::TooMany) => {
            Err(Error::of_field("method", "tooMany", "The user has as many methods as a user may have."))
        }
        Err(NotAdded::Gone) => Err(refusal::not_found()),
    }
}

/// The secret of an app, in either form.
fn secret(body: &requests::TwoFactor) -> Result<TotpSecret, Error> {
    match (given(body.secret.as_ref()), given(body.secret_base32_encoded.as_ref())) {
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
    let (call, person) = named(context, tenant, user_id).await?;
    remove(context, &call.caller, &person, &query, &body).await
}

/// `DELETE /api/user/two-factor`
pub(super) async fn disable_own(
    context: &Context,
    tenant: TenantHeader,
    query: requests::TwoFactorDisableQuery,
    body: requests::TwoFactorDisable,
) -> Result<Reply<replies::DisableTwoFactor>, Error> {
    let (call, person, _) = credentials::require_holder(context, tenant).await?;
    remove(context, &call.caller, &person, &query, &body).await
}

async fn remove(
    context: &Context,
    caller: &Caller,
    person: &Person,
    query: &requests::TwoFactorDisableQuery,
    body: &requests::TwoFactorDisable,
) -> Result<Reply<replies::DisableTwoFactor>, Error> {
    let code = asked(query.code.as_ref()).or(given(body.code.as_ref())).ok_or_else(|| is_blank("code"))?;
    let handle = asked(query.method_id.as_ref()).or(given(body.method_id.as_ref()));
    let flows = &context.context().flows;
    let removed = flows.remove_methods(caller, person, code, handle).await.map_err(refusal::of_failure)?;
    match removed {
        Ok(()) => Ok(Reply::ok(NoBody)),
        Err(NotRemoved::NoMethod) => Err(no_method()),
        Err(NotRemoved::WhichOne) => Err(is_blank("methodId")),
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
    let (call, person) = named(context, tenant, user_id).await?;
    let handle = asked(query.method_id.as_ref()).or(given(body.method_id.as_ref()));
    let handle = handle.ok_or_else(|| is_blank("methodId"))?;
    let flows = &context.context().flows;
    let renamed = flows.rename_method(&call.caller, person.account.id, handle, given(body.name.as_ref())).await;
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
    let (call, person) = named(context, tenant, user_id).await?;
    let flows = &context.context().flows;
    let codes = flows.renew_backup_codes(&call.caller, &person.account).await.map_err(refusal::of_failure)?;
    let message = "The user has no two-factor method, and so no recovery codes.";
    let codes = codes.ok_or_else(|| Error::of_field("userId", "invalid", message))?;
    Ok(Reply::ok(TwoFactorRecoveryCodeResponse { recovery_codes: shown(&codes) }))
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
