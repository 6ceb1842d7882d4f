//! Users.

use super::Context;
use super::credentials;
use super::pages::{NO_CURSOR, page_size};
use super::problems::{conflict, no_user, of_failure, of_not_written, of_parameter, of_property};
use crate::administration::new_user::{self, Description, Refused};
use crate::administration::{export as stored, users};
use countersign_api::admin::responses::Done;
use countersign_api::admin::{Problem, replies, requests};
use countersign_api::reply::Reply;
use countersign_domain::decisions::factor_reset::FactorReset;
use countersign_domain::ids::AccountId;
use countersign_flows::administration::{ActivityChange, FactorsReset};
use countersign_flows::reports::{AuditOrder, FindAuditEvents, UserFilter};
use countersign_flows::users::NewUser;
use http::HeaderValue;
use http::header::LOCATION;

/// Users of a page where the request does not say.
const USERS_BY_DEFAULT: u32 = 50;

/// The most events of an export: some megabytes.
const EVENTS_OF_EXPORT: u32 = 10_000;

const NO_TENANT: &str = "There is no such tenant.";

/// `GET /admin/users`
pub(super) async fn list(context: &Context, query: requests::UsersQuery) -> Result<Reply<replies::ListUsers>, Problem> {
    let call = credentials::require_service(context).await?;
    let tenant_id = call.tenant(context, query.tenant_id.as_deref());
    let tenant_id = tenant_id.ok_or_else(|| of_parameter("tenantId", NO_TENANT))?;
    let read = |text: &str| AccountId::parse(text).ok_or_else(|| of_parameter("cursor", NO_CURSOR));
    let filter = UserFilter {
        tenant_id,
        starts_with: query.starts_with.as_deref(),
        after: query.cursor.as_deref().map(read).transpose()?,
        limit: page_size(query.limit, USERS_BY_DEFAULT),
    };
    let page = context.context().flows.list_users(filter).await.map_err(of_failure)?;
    Ok(Reply::ok(users::page(&page)))
}

/// `POST /admin/users`
pub(super) async fn create(context: &Context, body: requests::NewUser) -> Result<Reply<replies::CreateUser>, Problem> {
    let call = credentials::require_service(context).await?;
    let tenant_id = call.tenant(context, body.tenant_id.as_deref());
    let tenant_id = tenant_id.ok_or_else(|| of_property("tenantId", NO_TENANT))?;
    let described = new_user::profile(Description {
        email: body.email.as_deref(),
        username: body.username.as_deref(),
        name: body.name.as_deref().unwrap_or_default(),
        email_verified: body.email_verified.unwrap_or(false),
        password_change_required: body.password_change_required.unwrap_or(false),
    });
    let profile = described.map_err(|refused| match refused {
        Refused::Field(field, text) => of_property(field, sentence(&text)),
        Refused::NoLoginName => of_property("email", "A user needs an e-mail address or a user name to sign in with."),
    })?;
    let new = NewUser { tenant_id, id: None, profile, password: &body.password, registration: None };
    let made = context.context().flows.create_user(&call.caller, new).await.map_err(of_failure)?;
    let user = users::user(&made.map_err(of_not_written)?);
    let location = HeaderValue::from_str(&format!("/admin/users/{}", user.id)).expect("an id is ASCII");
    Ok(Reply::new::<201>(user).with_header(LOCATION, location))
}

/// A sentence of its continuation.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

/// `GET /admin/users/{userId}`
pub(super) async fn read(context: &Context, id: &str) -> Result<Reply<replies::ReadUser>, Problem> {
    let call = credentials::require_service(context).await?;
    let user = call.user(context, id).await?;
    let limits = context.context().flows.account_limits(user.account.id).await.map_err(of_failure)?;
    Ok(Reply::ok(users::details(&user, &limits.ok_or_else(no_user)?)))
}

/// `DELETE /admin/users/{userId}`
pub(super) async fn delete(context: &Context, id: &str) -> Result<Reply<replies::ChangeUser>, Problem> {
    let call = credentials::require_service(context).await?;
    let id = call.user(context, id).await?.account.id;
    match context.context().flows.delete_user(&call.caller, id).await.map_err(of_failure)? {
        true => Ok(Reply::ok(users::change(id, Done::Deleted))),
        false => Err(no_user()),
    }
}

/// `POST /admin/users/{userId}/unlock`
pub(super) async fn unlock(context: &Context, id: &str) -> Result<Reply<replies::ChangeUser>, Problem> {
    let call = credentials::require_service(context).await?;
    let id = call.user(context, id).await?.account.id;
    match context.context().flows.lift_limits(&call.caller, id).await.map_err(of_failure)? {
        true => Ok(Reply::ok(users::change(id, Done::Unlocked))),
        false => Err(no_user()),
    }
}

/// `POST /admin/users/{userId}/reset-factors`
pub(super) async fn reset_factors(context: &Context, id: &str) -> Result<Reply<replies::ResetFactors>, Problem> {
    let call = credentials::require_service(context).await?;
    let id = call.user(context, id).await?.account.id;
    match context.context().flows.reset_factors(&call.caller, id).await.map_err(of_failure)? {
        FactorsReset::Decided(FactorReset::SwitchOff | FactorReset::RemovePasskeys) => {
            Ok(Reply::ok(users::change(id, Done::FactorsReset)))
        }
        FactorsReset::Decided(FactorReset::NoFactor) => {
            Err(conflict("NO_SECOND_FACTOR", "The user has no second factor and no passkey."))
        }
        FactorsReset::Gone => Err(no_user()),
    }
}

/// `POST /admin/users/{userId}/password`
pub(super) async fn set_password(
    context: &Context,
    id: &str,
    password: &str,
) -> Result<Reply<replies::ChangeUser>, Problem> {
    let call = credentials::require_service(context).await?;
    let id = call.user(context, id).await?.account.id;
    let set = context.context().flows.set_password_of(&call.caller, id, password).await.map_err(of_failure)?;
    set.map_err(of_not_written)?;
    Ok(Reply::ok(users::change(id, Done::PasswordSet)))
}

/// Deactivates or reactivates a user, unless the user is as wanted already.
async fn set_active(context: &Context, id: &str, is_active: bool, already: Problem) -> Result<AccountId, Problem> {
    let call = credentials::require_service(context).await?;
    let id = call.user(context, id).await?.account.id;
    let changed = context.context().flows.set_active_by_id(&call.caller, id, is_active).await.map_err(of_failure)?;
    match changed.map_err(of_not_written)? {
        ActivityChange::Done(_) => Ok(id),
        ActivityChange::AlreadySo => Err(already),
    }
}

/// `POST /admin/users/{userId}/deactivate`
pub(super) async fn deactivate(context: &Context, id: &str) -> Result<Reply<replies::DeactivateUser>, Problem> {
    let already = conflict("ALREADY_DEACTIVATED", "The user is deactivated already.");
    let id = set_active(context, id, false, already).await?;
    Ok(Reply::ok(users::change(id, Done::Deactivated)))
}

/// `POST /admin/users/{userId}/reactivate`
pub(super) async fn reactivate(context: &Context, id: &str) -> Result<Reply<replies::ReactivateUser>, Problem> {
    let id = set_active(context, id, true, conflict("ALREADY_ACTIVE", "The user is active already.")).await?;
    Ok(Reply::ok(users::change(id, Done::Reactivated)))
}

/// `GET /admin/users/{userId}/export`
pub(super) async fn export(context: &Context, id: &str) -> Result<Reply<replies::ExportUser>, Problem> {
    let call = credentials::require_service(context).await?;
    let id = call.user(context, id).await?.account.id;
    let flows = &context.context().flows;
    let about = flows.stored_about(id).await.map_err(of_failure)?.ok_or_else(no_user)?;
    let find = FindAuditEvents {
        account_id: Some(id),
        kinds: Vec::new(),
        since: None,
        until: None,
        order: AuditOrder::OldestFirst,
        after: None,
        limit: EVENTS_OF_EXPORT,
    };
    let events = flows.audit_page(find).await.map_err(of_failure)?;
    Ok(Reply::ok(stored::export(&about, &events)))
}
