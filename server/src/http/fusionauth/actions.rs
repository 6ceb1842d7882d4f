//! Locks of users, as the actions of the published API: there is one kind of action, and a user has one at most.

use super::credentials::{self, Call};
use super::users::find;
use super::values::{account_id, blank, body_value, is_blank, query_switch, query_value};
use super::{Context, refusal};
use countersign_api::Reply;
use countersign_api::fusionauth::actions::{
    Action, ActionData, ActionResponse, ActionsQuery, UserActionLog, UserActionsResponse,
};
use countersign_api::fusionauth::{Error, Errors, TenantHeader, replies};
use countersign_domain::ids::AccountId;
use countersign_domain::limits::AccountLimits;
use countersign_domain::time::Timestamp;
use countersign_domain::webhook_event::{LOCK_ACTION, LOCK_ACTION_NAME};
use countersign_flows::limits::{Locked, Request, WantedLock};

/// The lock of a user as it is shown; `None` if the user is not locked.
fn shown(id: AccountId, limits: &AccountLimits) -> Option<UserActionLog> {
    let expiry = limits.kept_out_until()?.as_millis();
    let suspension = limits.suspension.as_ref();
    Some(UserActionLog {
        id: id.to_hyphenated(),
        user_action_id: LOCK_ACTION.to_owned(),
        actionee_user_id: id.to_hyphenated(),
        actioner_user_id: suspension.and_then(|suspension| suspension.by).map(AccountId::to_hyphenated),
        comment: suspension.and_then(|suspension| suspension.comment.clone()),
        name: LOCK_ACTION_NAME.to_owned(),
        localized_name: LOCK_ACTION_NAME.to_owned(),
        expiry,
        insert_instant: suspension.map(|suspension| suspension.since.as_millis()),
    })
}

/// The lock of a user whom the service is allowed to see.
async fn lock_of(context: &Context, call: &Call, id: &str) -> Result<(AccountId, Option<UserActionLog>), Error> {
    let id = find(context, call, id).await?.account.id;
    let limits = context.context().flows.account_limits(id).await.map_err(refusal::of_failure)?;
    Ok((id, limits.and_then(|limits| shown(id, &limits))))
}

/// The lock that an action in a path stands for, which has the id of its user.
async fn in_path(context: &Context, call: &Call, action_id: &str) -> Result<(AccountId, UserActionLog), Error> {
    account_id("actionId", action_id)?;
    let (id, lock) = lock_of(context, call, action_id).await?;
    Ok((id, lock.ok_or_else(refusal::not_found)?))
}

/// Checks what a lock is to be.
fn wanted(action: &ActionData, errors: &mut Errors) -> Option<WantedLock> {
    let by = body_value(action.actioner_user_id.as_ref());
    let by = by.map(|text| AccountId::parse(text).filter(|_| text.contains('-')));
    if by == Some(None) {
        errors.add("action.actionerUserId", "couldNotConvert", "The [action.actionerUserId] property is not a UUID.");
    }
    if action.application_ids.as_ref().is_some_and(|ids| !ids.is_empty()) {
        let message = "A lock holds for all applications: leave the [action.applicationIds] property out.";
        errors.add("action.applicationIds", "invalid", message);
    }
    for (field, value) in [("action.option", &action.option), ("action.reasonId", &action.reason_id)] {
        if body_value(value.as_ref()).is_some() {
            errors.add(field, "invalid", format!("The [{field}] property is not the id of anything."));
        }
    }
    let Some(expiry) = action.expiry else {
        errors.add("action.expiry", "missing", "You must specify the [action.expiry] property.");
        return None;
    };
    let comment = body_value(action.comment.as_ref()).map(str::to_owned);
    Some(WantedLock { until: Timestamp::from_millis(expiry), by: by.flatten(), comment })
}

fn missing_action() -> Error {
    Error::of_field("action", "missing", "You must specify the [action] property.")
}

/// Locks a user whom the service is allowed to see, or changes the lock.
async fn lock(
    context: &Context,
    call: &Call,
    id: AccountId,
    request: Request,
    wanted: WantedLock,
) -> Result<Reply<replies::TakeAction>, Error> {
    let flows = &context.context().flows;
    // Read before: nothing may fail after the lock is there.
    let limits = flows.account_limits(id).await.map_err(refusal::of_failure)?.ok_or_else(refusal::not_found)?;
    match flows.lock_account(&call.caller, id, request, wanted).await.map_err(refusal::of_failure)? {
        Locked::Done(suspension) => {
            let limits = AccountLimits { suspension: Some(suspension), ..limits };
            let action = shown(id, &limits).ok_or_else(refusal::not_found)?;
            Ok(Reply::ok(ActionResponse { action }))
        }
        Locked::InThePast => {
            let message = "The [action.expiry] property is not in the future: the lock would end before it began.";
            Err(Error::of_field("action.expiry", "invalid", message))
        }
        Locked::NotSuspended => {
            let message = "No service has locked the user. A lock after wrong codes ends by itself, or by DELETE, and cannot be \
                           changed; POST /api/user/action locks the user until another time.";
            Err(Error::of_field("actionId", "invalid", message))
        }
        Locked::NoAccount => Err(refusal::not_found()),
    }
}

/// `POST /api/user/action`
pub(super) async fn take(
    context: &Context,
    tenant: TenantHeader,
    body: Action,
) -> Result<Reply<replies::TakeAction>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let action = body.action.ok_or_else(missing_action)?;
    let mut errors = Errors::default();
    let actionee = body_value(action.actionee_user_id.as_ref());
    if actionee.is_none() {
        blank(&mut errors, "action.actioneeUserId");
    }
    match body_value(action.user_action_id.as_ref()) {
        None => blank(&mut errors, "action.userActionId"),
        Some(id) if id.eq_ignore_ascii_case(LOCK_ACTION) => {}
        Some(_) => {
            let message = format!("There is one kind of action: [action.userActionId] is {LOCK_ACTION}.");
            errors.add("action.userActionId", "invalid", message);
        }
    }
    let (Some(wanted), Some(actionee), true) = (wanted(&action, &mut errors), actionee, errors.is_empty()) else {
        return Err(Error::of_errors(errors));
    };
    account_id("action.actioneeUserId", actionee)?;
    let id = find(context, &call, actionee).await?.account.id;
    lock(context, &call, id, Request::Set, wanted).await
}

/// `PUT /api/user/action/{actionId}`
pub(super) async fn modify(
    context: &Context,
    tenant: TenantHeader,
    action_id: &str,
    body: Action,
) -> Result<Reply<replies::TakeAction>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let action = body.action.ok_or_else(missing_action)?;
    let mut errors = Errors::default();
    let (Some(wanted), true) = (wanted(&action, &mut errors), errors.is_empty()) else {
        return Err(Error::of_errors(errors));
    };
    let (id, _) = in_path(context, &call, action_id).await?;
    lock(context, &call, id, Request::Change, wanted).await
}

/// `DELETE /api/user/action/{actionId}`
pub(super) async fn cancel(
    context: &Context,
    tenant: TenantHeader,
    action_id: &str,
) -> Result<Reply<replies::TakeAction>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let (id, action) = in_path(context, &call, action_id).await?;
    match context.context().flows.lift_limits(&call.caller, id).await.map_err(refusal::of_failure)? {
        true => Ok(Reply::ok(ActionResponse { action })),
        false => Err(refusal::not_found()),
    }
}

/// `GET /api/user/action/{actionId}`
pub(super) async fn read(
    context: &Context,
    tenant: TenantHeader,
    action_id: &str,
) -> Result<Reply<replies::RetrieveAction>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let (_, action) = in_path(context, &call, action_id).await?;
    Ok(Reply::ok(ActionResponse { action }))
}

/// `GET /api/user/action`
pub(super) async fn list(
    context: &Context,
    tenant: TenantHeader,
    query: ActionsQuery,
) -> Result<Reply<replies::RetrieveActions>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let id = query_value(query.user_id.as_ref()).ok_or_else(|| is_blank("userId"))?;
    account_id("userId", id)?;
    let wants_past = query_switch("active", query.active.as_ref())? == Some(false);
    query_switch("preventingLogin", query.preventing_login.as_ref())?;
    let (_, lock) = lock_of(context, &call, id).await?;
    let actions = lock.into_iter().filter(|_| !wants_past).collect();
    Ok(Reply::ok(UserActionsResponse { actions }))
}
