//! What the credentials of a user have opened.

use super::problems::{no_user, of_failure};
use super::{Context, credentials};
use crate::administration::users;
use countersign_api::admin::responses::Done;
use countersign_api::admin::{Problem, replies, requests};
use countersign_api::reply::Reply;
use dropshot::ErrorStatusCode as Status;

/// `GET /admin/users/{userId}/sessions`
pub(super) async fn list(context: &Context, id: &str) -> Result<Reply<replies::ListGrants>, Problem> {
    let call = credentials::require_service(context).await?;
    let user = call.user(context, id).await?;
    let grants = context.context().flows.grants_of(&user.account).await.map_err(of_failure)?;
    Ok(Reply::ok(users::grants(&grants)))
}

/// `DELETE /admin/users/{userId}/sessions`
pub(super) async fn revoke_all(context: &Context, id: &str) -> Result<Reply<replies::ChangeUser>, Problem> {
    let call = credentials::require_service(context).await?;
    let id = call.user(context, id).await?.account.id;
    match context.context().flows.revoke_all(&call.caller, id).await.map_err(of_failure)? {
        true => Ok(Reply::ok(users::change(id, Done::AllRevoked))),
        false => Err(no_user()),
    }
}

/// `DELETE /admin/users/{userId}/sessions/{grantId}`
pub(super) async fn revoke(
    context: &Context,
    path: requests::GrantPath,
) -> Result<Reply<replies::ChangeUser>, Problem> {
    let call = credentials::require_service(context).await?;
    let id = call.user(context, &path.user_id).await?.account.id;
    let ended = context.context().flows.revoke_grant(&call.caller, id, &path.grant_id).await.map_err(of_failure)?;
    let none = || {
        let detail = "The user has no session, refresh token or trusted device with this id.";
        Problem::new(Status::NOT_FOUND, "GRANT_NOT_FOUND", detail)
    };
    Ok(Reply::ok(users::change(id, users::ended(ended.ok_or_else(none)?))))
}
