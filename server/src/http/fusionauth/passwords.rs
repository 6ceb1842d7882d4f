//! Changing passwords.

use super::credentials;
use super::values::{asked, blank, given, is_blank, is_invalid, login_id_types, login_names};
use super::{Context, refusal};
use crate::flows::change_password::{Leave, SetPassword};
use crate::flows::password_check::Unconfirmed;
use countersign_api::Reply;
use countersign_api::fusionauth::responses::ChangePasswordResponse;
use countersign_api::fusionauth::{Error, Errors, TenantHeader, replies, requests};
use countersign_api::reply::NoBody;

fn trust_token_required() -> Error {
    let message = "This request requires a Trust Token. Use the Start Two-Factor API to obtain one.";
    Error::general("TrustTokenRequired", message)
}

fn trust_token_expired() -> Error {
    Error::general("TrustTokenExpired", "The Trust Token is not good for this request, or not any more.")
}

/// `POST /api/user/change-password`
pub(super) async fn by_identity(
    context: &Context,
    tenant: TenantHeader,
    body: requests::ChangePassword,
) -> Result<Reply<replies::ChangePasswordByIdentity>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let name = given(body.login_id.as_ref());
    let current = body.current_password.as_deref().filter(|text| !text.is_empty());
    let new = body.password.as_deref().filter(|text| !text.is_empty());
    let (Some(name), Some(current), Some(new)) = (name, current, new) else {
        let mut errors = Errors::default();
        for (field, is_there) in
            [("loginId", name.is_some()), ("currentPassword", current.is_some()), ("password", new.is_some())]
        {
            if !is_there {
                blank(&mut errors, field);
            }
        }
        return Err(Error::of_errors(errors));
    };
    let flows = &context.context().flows;
    let tenant = call.tenant(context, None)?.id;
    let names = login_names(name, body.login_id_types.as_ref());
    let person = flows.person_by_name(tenant, names).await.map_err(refusal::of_failure)?;
    let account = person.ok_or_else(refusal::not_found)?.account;
    let leave = Leave::OldPassword {
        current,
        step_up: given(body.trust_token.as_ref()),
        trust_challenge: body.trust_challenge.as_deref().filter(|text| !text.is_empty()),
    };
    match flows.set_password(&call.caller, &account, leave, new).await.map_err(refusal::of_failure)? {
        SetPassword::Done(_) => Ok(Reply::ok(NoBody)),
        SetPassword::UnfitPassword(unfit) => Err(refusal::of_unfit_password("password", unfit)),
        SetPassword::Unconfirmed(Unconfirmed::WrongPassword) | SetPassword::Stale => Err(is_invalid("currentPassword")),
        SetPassword::Unconfirmed(Unconfirmed::TooMany { until }) => Err(refusal::too_many(until, flows.now())),
        SetPassword::StepUpRequired => Err(trust_token_required()),
        SetPassword::StepUpExpired => Err(trust_token_expired()),
        SetPassword::NoLeave => Err(refusal::not_found()),
    }
}

/// `GET /api/user/change-password`
pub(super) async fn check_by_identity(
    context: &Context,
    tenant: TenantHeader,
    query: requests::CheckChangePasswordQuery,
) -> Result<Reply<replies::CheckChangePasswordByIdentity>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let name = asked(query.login_id.as_ref()).ok_or_else(|| is_blank("loginId"))?;
    let tenant = call.tenant(context, None)?.id;
    let flows = &context.context().flows;
    let names = login_names(name, login_id_types(query.login_id_types.as_ref()).as_ref());
    let person = flows.person_by_name(tenant, names).await.map_err(refusal::of_failure)?;
    match person.ok_or_else(refusal::not_found)?.account.two_factor_enabled {
        true => Err(trust_token_required()),
        false => Ok(Reply::ok(NoBody)),
    }
}

/// `POST /api/user/change-password/{changePasswordId}`
pub(super) async fn by_id(
    context: &Context,
    tenant: TenantHeader,
    id: &str,
    body: requests::ChangePassword,
) -> Result<Reply<replies::ChangePassword>, Error> {
    let call = credentials::anybody(context, tenant)?;
    let flows = &context.context().flows;
    let new = body.password.as_deref().filter(|text| !text.is_empty()).ok_or_else(|| is_blank("password"))?;
    let holder = flows.holder_of_leave(id).await.map_err(refusal::of_failure)?;
    let (account, _) = holder.ok_or_else(refusal::not_found)?;
    match flows.set_password(&call.caller, &account, Leave::Given(id), new).await.map_err(refusal::of_failure)? {
        SetPassword::Done(Some((password, state))) => Ok(Reply::ok(ChangePasswordResponse {
            one_time_password: password.expose().to_owned(),
            state: state.and_then(|text| serde_json::from_str(&text).ok()),
        })),
        SetPassword::UnfitPassword(unfit) => Err(refusal::of_unfit_password("password", unfit)),
        SetPassword::Unconfirmed(Unconfirmed::TooMany { until }) => Err(refusal::too_many(until, flows.now())),
        SetPassword::StepUpRequired | SetPassword::StepUpExpired => Err(trust_token_required()),
        SetPassword::Done(None)
        | SetPassword::Unconfirmed(Unconfirmed::WrongPassword)
        | SetPassword::NoLeave
        | SetPassword::Stale => Err(refusal::not_found()),
    }
}

/// `GET /api/user/change-password/{changePasswordId}`
pub(super) async fn check_by_id(
    context: &Context,
    tenant: TenantHeader,
    id: &str,
) -> Result<Reply<replies::CheckChangePassword>, Error> {
    credentials::anybody(context, tenant)?;
    let holder = context.context().flows.holder_of_leave(id).await.map_err(refusal::of_failure)?;
    holder.map(|_| Reply::ok(NoBody)).ok_or_else(refusal::not_found)
}
