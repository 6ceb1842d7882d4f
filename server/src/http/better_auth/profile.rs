//! Name and picture of a user, and the end of the account.

use super::credentials::{Credentials, SessionState, require_full_session};
use super::{Context, caller, links, refusal, wire};
use countersign_api::Reply;
use countersign_api::better_auth::{Error, replies, requests, responses};
use countersign_flows::FullSession;
use countersign_flows::own_account::{DeletionProof, OwnDeletion};
use dropshot::ErrorStatusCode as Status;
use serde_json::Value;

/// Whether JavaScript takes a value for true.
fn is_truthy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::Bool(true) | Value::Array(_) | Value::Object(_)) => true,
    }
}

/// `POST /update-user`
pub(super) async fn update_user(
    context: &Context,
    body: requests::UpdateUser,
) -> Result<Reply<replies::UpdateUser>, Error> {
    let (caller, mut session) = require_full_session(context).await?;
    if is_truthy(body.email.as_ref()) {
        return Err(refusal::bad_request("EMAIL_CAN_NOT_BE_UPDATED", "Email can not be updated"));
    }
    if is_truthy(body.two_factor_enabled.as_ref()) {
        return Err(refusal::bad_request("FIELD_NOT_ALLOWED", "twoFactorEnabled is not allowed to be set"));
    }
    if body.name.is_none() && body.image.is_none() {
        return Err(refusal::nothing_to_update());
    }
    let flows = &context.context().flows;
    let updated = flows.update_own_profile(&caller, &mut session, body.name, body.image).await;
    if !updated.map_err(refusal::of_failure)? {
        return Err(refusal::unauthorized_and_cleared(&context.context().cookies));
    }
    let reply = Reply::ok(responses::StatusAndSession { status: true, token: None, user: None });
    Ok(wire::with_session(reply, context, &session))
}

/// `POST /update-session`: sessions have no fields that could be updated.
pub(super) async fn update_session(context: &Context) -> Result<Reply<replies::UpdateSession>, Error> {
    require_full_session(context).await?;
    Err(refusal::nothing_to_update())
}

/// `POST /delete-user`
pub(super) async fn delete(context: &Context, body: requests::DeleteUser) -> Result<Reply<replies::DeleteUser>, Error> {
    let (caller, session) = require_full_session(context).await?;
    let app = context.context();
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (token, password) = (given(&body.token), given(&body.password));
    let proof = match (&token, &password) {
        (Some(token), _) => DeletionProof::Link(token),
        (None, Some(password)) => DeletionProof::Password(password),
        (None, None) => DeletionProof::None,
    };
    let deleted = app.flows.delete_own_account(&caller, &session, proof).await.map_err(refusal::of_failure)?;
    if deleted == OwnDeletion::LinkDue {
        let after = format!("&callbackURL={}", links::encoded(body.callback_url.as_deref()));
        let target = links::target(context, "/delete-user/callback?token=", after);
        let requested = app.flows.request_deletion(&caller, &session, &target).await.map_err(refusal::of_failure)?;
        refusal::of_own_link(requested, app.flows.now())?;
        let message = responses::DeletionMessage::LinkSent;
        return Ok(Reply::ok(responses::DeleteUser { success: true, message }));
    }
    refusal::of_deletion(deleted, app.flows.now())?;
    Ok(wire::with_session_cleared(Reply::ok(deleted_body()), &app.cookies))
}

/// `GET /delete-user/callback`
pub(super) async fn follow_deletion(
    context: &Context,
    query: requests::MailedLink,
) -> Result<Reply<replies::DeleteUserCallback>, Error> {
    let Some(token) = query.token else { return Err(links::missing_parameter("token")) };
    let page = links::page(context, query.callback_url)?;
    let app = context.context();
    let session: FullSession = match Credentials::read(context).session_state(context).await? {
        SessionState::Live(session) => session.into_full().map_err(refusal::enrolment_due)?,
        SessionState::Dead | SessionState::None => return Err(no_user()),
    };
    let deleted = app.flows.delete_own_account(&caller(context), &session, DeletionProof::Link(&token)).await;
    match deleted.map_err(refusal::of_failure)? {
        // The link was followed elsewhere at the same moment, or the session has just ended.
        OwnDeletion::Stale => return Err(no_user()),
        deleted => refusal::of_deletion(deleted, app.flows.now())?,
    }
    let reply = match page {
        Some(page) => links::redirect(&page),
        None => Reply::ok(deleted_body()),
    };
    Ok(wire::with_session_cleared(reply, &app.cookies))
}

/// 404: there is no session whose user could be deleted.
fn no_user() -> Error {
    Error::new(Status::NOT_FOUND, "FAILED_TO_GET_USER_INFO", "Failed to get user info")
}

fn deleted_body() -> responses::DeleteUser {
    responses::DeleteUser { success: true, message: responses::DeletionMessage::Deleted }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_true_as_in_javascript() {
        for value in [json!(true), json!("x"), json!(1), json!([]), json!({})] {
            assert!(is_truthy(Some(&value)), "{value}");
        }
        for value in [json!(false), json!(""), json!(0), json!(null)] {
            assert!(!is_truthy(Some(&value)), "{value}");
        }
        assert!(!is_truthy(None));
    }
}
