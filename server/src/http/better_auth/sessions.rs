//! Reading, listing and ending sessions.

use super::credentials::{Credentials, Standing, require_session};
use super::{Context, caller, refusal, wire};
use crate::flows::sessions::Revoke;
use countersign_api::Reply;
use countersign_api::better_auth::{Error, replies, requests, responses};
use dropshot::ErrorStatusCode as Status;

/// `POST /sign-out`
pub(super) async fn sign_out(context: &Context) -> Result<Reply<replies::SignOut>, Error> {
    let app = context.context();
    if let Some(token) = Credentials::read(context).session_token() {
        app.flows.sign_out(&caller(context), token).await.map_err(refusal::of_failure)?;
    }
    Ok(wire::without_session(Reply::ok(responses::SignOut { success: true }), &app.cookies))
}

/// `GET /get-session`
pub(super) async fn get(context: &Context, query: requests::GetSession) -> Result<Reply<replies::GetSession>, Error> {
    let app = context.context();
    let mut authenticated = match Credentials::read(context).standing(context).await? {
        Standing::Live(authenticated) => authenticated,
        Standing::Dead => return Ok(wire::without_session(Reply::ok(None), &app.cookies)),
        Standing::Stranger => return Ok(Reply::ok(None)),
    };
    let refreshed =
        !query.disable_refresh.0 && app.flows.refresh_session(&mut authenticated).await.map_err(refusal::of_failure)?;
    let reply = Reply::ok(Some(responses::SessionAndUser {
        session: wire::session(&authenticated.session, authenticated.token.expose().to_owned()),
        user: wire::user(&authenticated.account),
    }));
    Ok(if refreshed { wire::with_session(reply, context, &authenticated) } else { reply })
}

/// `GET /list-sessions`
pub(super) async fn list(context: &Context) -> Result<Reply<replies::ListUserSessions>, Error> {
    let (_, authenticated) = require_session(context).await?;
    let sessions = context.context().flows.list_sessions(&authenticated).await.map_err(refusal::of_failure)?;
    let Some(sessions) = sessions else {
        return Err(Error::new(Status::FORBIDDEN, "SESSION_NOT_FRESH", "Session is not fresh"));
    };
    let shown = sessions.iter().map(|session| {
        let is_own = session.id == authenticated.session.id;
        // No token but the caller's own is known, nor should it be: the id revokes, and opens nothing.
        let handle = if is_own { authenticated.token.expose().to_owned() } else { session.id.to_text() };
        wire::session(session, handle)
    });
    Ok(Reply::ok(shown.collect()))
}

/// `POST /revoke-session`
pub(super) async fn revoke_one(
    context: &Context,
    body: requests::RevokeSession,
) -> Result<Reply<replies::RevokeSession>, Error> {
    revoke(context, Revoke::One(&body.token)).await
}

/// `POST /revoke-sessions`
pub(super) async fn revoke_all(context: &Context) -> Result<Reply<replies::RevokeSession>, Error> {
    revoke(context, Revoke::All).await
}

/// `POST /revoke-other-sessions`
pub(super) async fn revoke_others(context: &Context) -> Result<Reply<replies::RevokeSession>, Error> {
    revoke(context, Revoke::Others).await
}

async fn revoke(context: &Context, which: Revoke<'_>) -> Result<Reply<replies::RevokeSession>, Error> {
    let (caller, authenticated) = require_session(context).await?;
    let flows = &context.context().flows;
    flows.revoke_sessions(&caller, &authenticated, which).await.map_err(refusal::of_failure)?;
    Ok(Reply::ok(responses::Revoked { status: true }))
}
