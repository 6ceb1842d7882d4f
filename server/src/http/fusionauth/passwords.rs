//! Changing passwords.

use super::credentials;
use super::values::{blank, body_value, is_blank, is_invalid, login_id_types, login_names, query_value};
use super::{Context, refusal};
use countersign_api::Reply;
use countersign_api::fusionauth::responses::ChangePasswordResponse;
use countersign_api::fusionauth::{Error, Errors, TenantHeader, replies, requests};
use countersign_api::reply::NoBody;
use countersign_domain::decisions::password_change::PasswordChange;
use countersign_domain::ids::TenantId;
use countersign_flows::password::{PasswordAuthority, PasswordSet, Unconfirmed};

/// `POST /api/user/change-password`
pub(super) async fn by_identity(
    context: &Context,
    tenant: TenantHeader,
    body: requests::ChangePassword,
) -> Result<Reply<replies::ChangePasswordByIdentity>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let name = body_value(body.login_id.as_ref());
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
    let user = flows.user_by_login(tenant, names).await.map_err(refusal::of_failure)?;
    let account = user.ok_or_else(refusal::not_found)?.account;
    let authority = PasswordAuthority::OldPassword {
        current,
        step_up: body_value(body.trust_token.as_ref()),
        trust_challenge: body.trust_challenge.as_deref().filter(|text| !text.is_empty()),
    };
    let set = flows.set_password(&call.caller, &account, authority, new).await;
    match set.map_err(refusal::of_failure)? {
        PasswordSet::Done | PasswordSet::DoneByTicket { .. } => Ok(Reply::ok(NoBody)),
        PasswordSet::Violation(violation) => Err(refusal::of_password_violation("password", violation)),
        PasswordSet::Unconfirmed(Unconfirmed::WrongPassword) | PasswordSet::Stale => Err(is_invalid("currentPassword")),
        PasswordSet::Unconfirmed(Unconfirmed::TooMany { until }) => Err(refusal::too_many(until, flows.now())),
        PasswordSet::SecondFactorDue => Err(refusal::trust_token_required()),
        PasswordSet::StepUpExpired => Err(refusal::trust_token_expired()),
        PasswordSet::NoTicket => Err(refusal::not_found()),
    }
}

/// `GET /api/user/change-password`
pub(super) async fn check_by_identity(
    context: &Context,
    tenant: TenantHeader,
    query: requests::CheckChangePasswordQuery,
) -> Result<Reply<replies::CheckChangePasswordByIdentity>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    if let Some(id) = query_value(query.change_password_id.as_ref()) {
        return checked(context, id, call.tenant).await.map(|()| Reply::ok(NoBody));
    }
    let name = query_value(query.login_id.as_ref()).ok_or_else(|| is_blank("loginId"))?;
    let tenant = call.tenant(context, None)?.id;
    let flows = &context.context().flows;
    let names = login_names(name, login_id_types(query.login_id_types.as_ref()).as_ref());
    let user = flows.user_by_login(tenant, names).await.map_err(refusal::of_failure)?;
    match user.ok_or_else(refusal::not_found)?.account.two_factor_enabled {
        true => Err(refusal::trust_token_required()),
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
    let call = credentials::without_credentials(context, tenant)?;
    let flows = &context.context().flows;
    let new = body.password.as_deref().filter(|text| !text.is_empty()).ok_or_else(|| is_blank("password"))?;
    let holder = flows.change_password_ticket(id, call.tenant).await.map_err(refusal::of_failure)?;
    let account = holder.ok_or_else(refusal::not_found)?.account;
    let authority = PasswordAuthority::Id {
        id,
        step_up: body_value(body.trust_token.as_ref()),
        trust_challenge: body.trust_challenge.as_deref().filter(|text| !text.is_empty()),
    };
    let set = flows.set_password(&call.caller, &account, authority, new).await;
    match set.map_err(refusal::of_failure)? {
        PasswordSet::DoneByTicket { one_time_password, state } => Ok(Reply::ok(ChangePasswordResponse {
            one_time_password: one_time_password.expose().to_owned(),
            state: state.and_then(|text| serde_json::from_str(&text).ok()),
        })),
        PasswordSet::Violation(violation) => Err(refusal::of_password_violation("password", violation)),
        PasswordSet::Unconfirmed(Unconfirmed::TooMany { until }) => Err(refusal::too_many(until, flows.now())),
        PasswordSet::SecondFactorDue => Err(refusal::trust_token_required()),
        PasswordSet::StepUpExpired => Err(refusal::trust_token_expired()),
        PasswordSet::Done
        | PasswordSet::Unconfirmed(Unconfirmed::WrongPassword)
        | PasswordSet::NoTicket
        | PasswordSet::Stale => Err(refusal::not_found()),
    }
}

/// `GET /api/user/change-password/{changePasswordId}`
pub(super) async fn check_by_id(
    context: &Context,
    tenant: TenantHeader,
    id: &str,
) -> Result<Reply<replies::CheckChangePassword>, Error> {
    let call = credentials::without_credentials(context, tenant)?;
    checked(context, id, call.tenant).await.map(|()| Reply::ok(NoBody))
}

/// Whether an id is all that changing the password takes.
async fn checked(context: &Context, id: &str, tenant_id: Option<TenantId>) -> Result<(), Error> {
    let checked = context.context().flows.check_change_password(id, tenant_id).await.map_err(refusal::of_failure)?;
    match checked.ok_or_else(refusal::not_found)? {
        PasswordChange::Allowed { .. } => Ok(()),
        PasswordChange::SecondFactorDue(_) => Err(refusal::trust_token_required()),
        PasswordChange::NoPassword => Err(refusal::not_found()),
    }
}
