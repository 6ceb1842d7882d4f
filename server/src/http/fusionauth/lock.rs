//! Locks and limits of a user, for administrators: operations of our own.

use super::{Context, credentials, refusal, users};
use countersign_api::Reply;
use countersign_api::fusionauth::responses::{UserLimit, UserLockResponse};
use countersign_api::fusionauth::{Error, TenantHeader, replies};
use countersign_api::reply::NoBody;
use countersign_domain::ids::AccountId;
use countersign_domain::limits::QuotaCount;
use countersign_domain::time::Timestamp;
use countersign_flows::Caller;

/// The service, and the id of the user, whom it must be allowed to see.
async fn named(context: &Context, tenant: TenantHeader, user_id: &str) -> Result<(Caller, AccountId), Error> {
    let call = credentials::require_service(context, tenant).await?;
    let user = users::find(context, &call, user_id).await?;
    Ok((call.caller, user.account.id))
}

/// `GET /api/user/lock/{userId}`
pub(super) async fn read(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
) -> Result<Reply<replies::ReadUserLock>, Error> {
    let (_, account_id) = named(context, tenant, user_id).await?;
    let limits = context.context().flows.account_limits(account_id).await.map_err(refusal::of_failure)?;
    let limits = limits.ok_or_else(refusal::not_found)?;
    Ok(Reply::ok(UserLockResponse {
        locked_until: limits.kept_out_until().map(Timestamp::as_millis),
        failed_attempts: limits.failures.into(),
        locks: limits.locks.into(),
        guesses: limits.guesses.into(),
        guess_limit: limits.guess_limit.into(),
        failed_passwords: limits.passwords.into(),
        failed_password_limit: limits.password_limit.into(),
        passwords_refused_until: limits.passwords_refused_until.map(Timestamp::as_millis),
        limits: limits.quotas.iter().map(user_limit).collect(),
    }))
}

fn user_limit(quota: &QuotaCount) -> UserLimit {
    UserLimit {
        counts: quota.counts.name().to_owned(),
        used: quota.used.into(),
        limit: quota.limit.into(),
        refused_until: quota.refused_until.map(Timestamp::as_millis),
    }
}

/// `DELETE /api/user/lock/{userId}`
pub(super) async fn lift(
    context: &Context,
    tenant: TenantHeader,
    user_id: &str,
) -> Result<Reply<replies::DeleteUserLock>, Error> {
    let (caller, account_id) = named(context, tenant, user_id).await?;
    match context.context().flows.lift_limits(&caller, account_id).await.map_err(refusal::of_failure)? {
        true => Ok(Reply::ok(NoBody)),
        false => Err(refusal::not_found()),
    }
}
