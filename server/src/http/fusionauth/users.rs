//! Users.

use super::credentials::{self, Call, Principal};
use super::profile::{Owner, account_profile, fields_of};
use super::values::{blank, is_blank, login_id_types, login_names, query_switch, query_value, user_in_path};
use super::{Context, refusal, wire};
use countersign_api::MergePatchBody;
use countersign_api::fusionauth::requests::LoginIdType;
use countersign_api::fusionauth::{Error, TenantHeader, replies, requests};
use countersign_api::reply::{NoBody, Reply};
use countersign_domain::ids::AccountId;
use countersign_domain::ids::TenantId;
use countersign_domain::user::{Registration, User};
use countersign_flows::tokens::TokenPurpose;
use countersign_flows::users::{NewUser, NotWritten};

/// How often a change is repeated because another request changed the user at the same moment.
pub(super) const TRIES: u32 = 4;

/// The user with this id, whom the service is allowed to see.
///
/// # Errors
/// 400, 404, 503.
pub(super) async fn find(context: &Context, call: &Call, user_id: &str) -> Result<User, Error> {
    let id = user_in_path(user_id)?;
    call.user(context, id).await?.ok_or_else(refusal::not_found)
}

/// `POST /api/user` and `POST /api/user/{userId}`
pub(super) async fn create(
    context: &Context,
    tenant: TenantHeader,
    user_id: Option<&str>,
    body: requests::User,
) -> Result<Reply<replies::CreateUser>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let id = user_id.map(user_in_path).transpose()?;
    let tenant = call.tenant(context, None)?.id;
    let missing = || Error::of_field("user", "missing", "You must specify the [user] property.");
    let fields = body.user.as_ref().ok_or_else(missing)?;
    let user = make(context, &call, tenant, id, fields, body.skip_verification.unwrap_or(false), None).await?;
    Ok(Reply::ok(wire::user_response(&user)))
}

/// Creates a user, with a registration if there is one.
///
/// # Errors
/// 400, 503.
pub(super) async fn make(
    context: &Context,
    call: &Call,
    tenant: TenantId,
    id: Option<AccountId>,
    fields: &requests::UserFields,
    skip_verification: bool,
    registration: Option<Registration>,
) -> Result<User, Error> {
    let password = fields.password.as_deref().filter(|password| !password.is_empty());
    let (profile, password) = match (account_profile(fields, skip_verification, Owner::New(tenant)), password) {
        (Ok(profile), Some(password)) => (profile, password),
        (result, password) => {
            let mut errors = result.err().unwrap_or_default();
            if password.is_none() {
                blank(&mut errors, "user.password");
            }
            return Err(Error::of_errors(errors));
        }
    };
    let flows = &context.context().flows;
    let user = NewUser { tenant_id: tenant, id, profile, password, registration };
    let made = flows.create_user(&call.caller, user).await;
    made.map_err(refusal::of_failure)?.map_err(refusal::of_not_written)
}

/// `GET /api/user/{userId}`
pub(super) async fn read(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
) -> Result<Reply<replies::RetrieveUser>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    Ok(Reply::ok(wire::user_response(&find(context, &call, user_id).await?)))
}

/// `GET /api/user`: another user for a service, oneself for the holder of an access token.
pub(super) async fn by_login_id(
    context: &Context,
    tenant: TenantHeader,
    query: requests::UserQuery,
) -> Result<Reply<replies::RetrieveUser>, Error> {
    let call = match credentials::require_principal(context, tenant, TokenPurpose::Other).await? {
        Principal::Service(call) => call,
        Principal::Holder(_, holder) => return Ok(Reply::ok(wire::user_response(&holder.0))),
    };
    let names = if let Some(email) = query_value(query.email.as_ref()) {
        login_names(email, Some(&vec![LoginIdType::Email]))
    } else if let Some(username) = query_value(query.username.as_ref()) {
        login_names(username, Some(&vec![LoginIdType::Username]))
    } else if let Some(number) = query_value(query.phone_number.as_ref()) {
        login_names(number, Some(&vec![LoginIdType::PhoneNumber]))
    } else if let Some(name) = query_value(query.login_id.as_ref()) {
        login_names(name, login_id_types(query.login_id_types.as_ref()).as_ref())
    } else {
        return Err(is_blank("loginId"));
    };
    let tenant = call.tenant(context, None)?.id;
    let user = credentials::user_by_login(context, tenant, names).await?;
    Ok(Reply::ok(wire::user_response(&user.ok_or_else(refusal::not_found)?)))
}

/// `PATCH /api/user/{userId}`
pub(super) async fn patch(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
    patch: MergePatchBody<requests::User>,
) -> Result<Reply<replies::ChangeUser>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    for _ in 0..TRIES {
        let user = find(context, &call, user_id).await?;
        let before = requests::User { user: Some(fields_of(&user)), skip_verification: None };
        let before = serde_json::to_value(before).unwrap_or_default();
        let wanted = patch.apply_to(before).map_err(Error::from)?;
        if let Some(changed) = change(context, &call, user, &wanted).await? {
            return Ok(Reply::ok(wire::user_response(&changed)));
        }
    }
    Err(busy())
}

/// `PUT /api/user/{userId}`
pub(super) async fn update(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
    reactivates: bool,
    body: requests::User,
) -> Result<Reply<replies::ChangeUser>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let flows = &context.context().flows;
    if reactivates {
        for _ in 0..TRIES {
            let user = find(context, &call, user_id).await?;
            let active = flows.set_active(&call.caller, user, true).await.map_err(refusal::of_failure)?;
            if let Ok(active) = active {
                return Ok(Reply::ok(wire::user_response(&active)));
            }
        }
        return Err(busy());
    }
    let missing = || Error::of_field("user", "missing", "You must specify the [user] property.");
    body.user.as_ref().ok_or_else(missing)?;
    for _ in 0..TRIES {
        let user = find(context, &call, user_id).await?;
        if let Some(changed) = change(context, &call, user, &body).await? {
            return Ok(Reply::ok(wire::user_response(&changed)));
        }
    }
    Err(busy())
}

/// 503: other requests keep changing the same user.
pub(super) fn busy() -> Error {
    Error::of_status(dropshot::ErrorStatusCode::SERVICE_UNAVAILABLE).with_retry_after(std::time::Duration::from_secs(1))
}

/// The changed user; `None` if another request changed it at the same moment.
async fn change(context: &Context, call: &Call, user: User, wanted: &requests::User) -> Result<Option<User>, Error> {
    let fields = wanted.user.clone().unwrap_or_default();
    let skip_verification = wanted.skip_verification.unwrap_or(false);
    let profile = account_profile(&fields, skip_verification, Owner::Known(&user)).map_err(Error::of_errors)?;
    let flows = &context.context().flows;
    let password = fields.password.as_deref().filter(|password| !password.is_empty());
    let is_active = fields.active.unwrap_or(user.account.is_active);
    let changed = flows.change_user(&call.caller, user, profile, password, is_active).await;
    match changed.map_err(refusal::of_failure)? {
        Ok(changed) => Ok(Some(changed)),
        Err(NotWritten::Gone) => Ok(None),
        Err(not_written) => Err(refusal::of_not_written(not_written)),
    }
}

/// `DELETE /api/user/{userId}`
pub(super) async fn delete(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
    query: requests::DeleteUserQuery,
) -> Result<Reply<replies::DeleteUser>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let flows = &context.context().flows;
    let is_hard = query_switch("hardDelete", query.hard_delete.as_ref())?.unwrap_or(false);
    for _ in 0..TRIES {
        let user = find(context, &call, user_id).await?;
        let done = match is_hard {
            true => flows.delete_user(&call.caller, user.account.id).await.map_err(refusal::of_failure)?,
            false => flows.set_active(&call.caller, user, false).await.map_err(refusal::of_failure)?.is_ok(),
        };
        if done {
            return Ok(Reply::ok(NoBody));
        }
    }
    Err(busy())
}
