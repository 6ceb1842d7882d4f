//! Passing a second factor, in a challenge and in a live session.

use super::cookies::Cookie;
use super::credentials::require_presenter;
use super::{Context, refusal, wire};
use crate::flows::Authenticated;
use crate::flows::second_factor::{Attempt, Verified};
use crate::flows::send_code::SendCode;
use countersign_api::Reply;
use countersign_api::better_auth::{Error, replies, requests, responses};
use countersign_domain::challenge::Factor;

/// `POST /two-factor/send-otp`
pub(super) async fn send_otp(context: &Context) -> Result<Reply<replies::TwoFactorSendOtp>, Error> {
    let (caller, presenter) = require_presenter(context).await?;
    let flows = &context.context().flows;
    match flows.send_code(&caller, &presenter).await.map_err(refusal::of_failure)? {
        SendCode::Sent => Ok(Reply::ok(responses::StatusAndSession { status: true, token: None, user: None })),
        SendCode::NoActor => Err(refusal::no_challenge()),
        SendCode::NoMethod | SendCode::CannotSend => Err(refusal::no_code_method()),
        SendCode::TooMany { until } => Err(refusal::too_many(until, flows.now())),
    }
}

/// `POST /two-factor/verify-totp`
pub(super) async fn verify_totp(
    context: &Context,
    body: requests::TwoFactorVerifyTotp,
) -> Result<Reply<replies::TwoFactorVerifyTotp>, Error> {
    let attempt = attempt(Factor::Totp, &body.code, body.trust_device.0);
    let verified = verify(context, attempt).await?;
    let (token, user) = shown(&verified);
    let reply = Reply::ok(responses::StatusAndSession { status: true, token, user: Some(user) });
    Ok(dress(reply, context, &verified))
}

/// `POST /two-factor/verify-otp`
pub(super) async fn verify_otp(
    context: &Context,
    body: requests::TwoFactorVerifyOtp,
) -> Result<Reply<replies::TwoFactorVerifyOtp>, Error> {
    let attempt = attempt(Factor::MailedCode, &body.code, body.trust_device.0);
    let verified = verify(context, attempt).await?;
    let (token, user) = shown(&verified);
    // Only a backup code can end a challenge without a session.
    let reply = Reply::ok(responses::TokenAndUser { token: token.unwrap_or_default(), user });
    Ok(dress(reply, context, &verified))
}

/// `POST /two-factor/verify-backup-code`
pub(super) async fn verify_backup_code(
    context: &Context,
    body: requests::TwoFactorVerifyBackupCode,
) -> Result<Reply<replies::TwoFactorVerifyBackupCode>, Error> {
    let attempt = Attempt {
        without_session: body.disable_session.0,
        ..attempt(Factor::BackupCode, &body.code, body.trust_device.0)
    };
    let verified = verify(context, attempt).await?;
    let (token, user) = shown(&verified);
    let session = authenticated(&verified).map(wire::session_in_short);
    let reply = Reply::ok(responses::TwoFactorVerifyBackupCode { token, user, session });
    Ok(dress(reply, context, &verified))
}

fn attempt(factor: Factor, code: &str, trusts_device: bool) -> Attempt<'_> {
    Attempt { factor, code, trusts_device, without_session: false }
}

async fn verify(context: &Context, attempt: Attempt<'_>) -> Result<Verified, Error> {
    let (caller, presenter) = require_presenter(context).await?;
    let (app, factor) = (context.context(), attempt.factor);
    let verified = app.flows.verify_second_factor(&caller, presenter, attempt).await.map_err(refusal::of_failure)?;
    verified.map_err(|refused| refusal::of_second_factor(refused, factor, &app.cookies, app.flows.now()))
}

fn authenticated(verified: &Verified) -> Option<&Authenticated> {
    match verified {
        Verified::SignedIn { signed_in, .. } => Some(signed_in),
        Verified::Enabled(authenticated) | Verified::Passed(authenticated) => Some(authenticated),
        Verified::Confirmed(_) => None,
    }
}

/// The token and the person that every verification answers with.
fn shown(verified: &Verified) -> (Option<String>, responses::User) {
    match (authenticated(verified), verified) {
        (Some(authenticated), _) => (Some(authenticated.token.expose().to_owned()), wire::user(&authenticated.account)),
        (None, Verified::Confirmed(account)) => (None, wire::user(account)),
        (None, _) => unreachable!("every other outcome has a session"),
    }
}

/// The cookies of a verification: those of a new session, and the end of the challenge.
fn dress<R>(reply: Reply<R>, context: &Context, verified: &Verified) -> Reply<R> {
    let app = context.context();
    match verified {
        Verified::Passed(_) => reply,
        Verified::Enabled(authenticated) => wire::with_session(reply, context, authenticated),
        Verified::Confirmed(_) => reply.with_cookie(app.cookies.delete(Cookie::Challenge)),
        Verified::SignedIn { signed_in, trust } => {
            let reply =
                wire::with_session(reply, context, signed_in).with_cookie(app.cookies.delete(Cookie::Challenge));
            match trust {
                Some(value) => {
                    let lifetime = app.flows.policy.trust_lifetime;
                    reply.with_cookie(app.cookies.set(Cookie::Trust, value, Some(lifetime)))
                }
                None => reply,
            }
        }
    }
}
