//! Reading, listing and ending sessions.

use super::credentials::{Credentials, SessionState, require_full_session};
use super::{Context, caller, refusal, wire};
use countersign_api::Reply;
use countersign_api::better_auth::{Error, replies, requests, responses};
use countersign_api::reply::Gives;
use countersign_flows::sessions::Revoke;

/// `POST /sign-out`
pub(super) async fn sign_out(context: &Context) -> Result<Reply<replies::SignOut>, Error> {
    let app = context.context();
    if let Some(token) = Credentials::read(context).session_token() {
        app.flows.sign_out(&caller(context), token).await.map_err(refusal::of_failure)?;
    }
    Ok(wire::with_session_cleared(Reply::ok(responses::SignOut { success: true }), &app.cookies))
}

/// `GET` and `POST /get-session`
pub(super) async fn get<R>(context: &Context, query: requests::GetSession) -> Result<Reply<R>, Error>
where
    R: Gives<200, Body = Option<responses::SessionAndUser>>,
{
    let app = context.context();
    let mut authenticated = match Credentials::read(context).session_state(context).await? {
        SessionState::Live(authenticated) => authenticated,
        SessionState::Dead => return Ok(wire::with_session_cleared(Reply::ok(None), &app.cookies)),
        SessionState::None => return Ok(Reply::ok(None)),
    };
    let refreshed = !query.disable_refresh.0 && app.flows.refresh_session(&mut authenticated).await;
    let reply = Reply::ok(Some(responses::SessionAndUser {
        session: wire::session(&authenticated.session, authenticated.token.expose().to_owned()),
        user: wire::user(&authenticated.account),
    }));
    Ok(if refreshed { wire::with_session(reply, context, &authenticated) } else { reply })
}

/// `GET /list-sessions`
pub(super) async fn list(context: &Context) -> Result<Reply<replies::ListUserSessions>, Error> {
    let (_, own) = require_full_session(context).await?;
    let sessions = context.context().flows.list_sessions(&own).await.map_err(refusal::of_failure)?;
    let Some(sessions) = sessions else {
        return Err(refusal::session_not_fresh());
    };
    let listed = sessions.iter().map(|session| {
        // Tokens of other sessions are stored as digests only; the id in their place can revoke, and opens nothing.
        let is_own = session.id == own.session.id;
        let handle = if is_own { own.token.expose().to_owned() } else { session.id.to_text() };
        wire::session(session, handle)
    });
    Ok(Reply::ok(listed.collect()))
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
    let (caller, session) = require_full_session(context).await?;
    let flows = &context.context().flows;
    flows.revoke_sessions(&caller, &session, which).await.map_err(refusal::of_failure)?;
    Ok(Reply::ok(responses::Revoked { status: true }))
}
