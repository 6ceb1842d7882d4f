//! Passing a second factor, in a challenge and in a live session.

use super::cookies::Cookie;
use super::credentials::require_claimant;
use super::terms::terms;
use super::{Context, refusal, wire};
use countersign_api::Reply;
use countersign_api::better_auth::{Error, replies, requests, responses};
use countersign_domain::account::Account;
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::second_factor::Request;
use countersign_domain::secret::Bearer;
use countersign_flows::Authenticated;
use countersign_flows::one_time_code::SendCode;
use countersign_flows::second_factor::{Attempt, Claimant, Refused, Verified};

/// `POST /two-factor/send-otp`
pub(super) async fn send_otp(context: &Context) -> Result<Reply<replies::TwoFactorSendOtp>, Error> {
    let (caller, claimant) = require_claimant(context, None).await?;
    let flows = &context.context().flows;
    match flows.send_code(&caller, &claimant, &terms(flows.policy())).await.map_err(refusal::of_failure)? {
        SendCode::Sent | SendCode::Refused => {
            Ok(Reply::ok(responses::StatusAndSession { status: true, token: None, user: None }))
        }
        SendCode::NoClaimant => Err(refusal::no_challenge()),
        SendCode::NoMethod | SendCode::CannotSend | SendCode::NotAllowed => Err(refusal::no_code_method()),
        SendCode::Locked { until } => Err(refusal::locked(until, flows.now())),
        SendCode::TooMany { until } => Err(refusal::too_many(until, flows.now())),
    }
}

/// `POST /two-factor/verify-totp`
pub(super) async fn verify_totp(
    context: &Context,
    body: requests::TwoFactorVerifyTotp,
) -> Result<Reply<replies::TwoFactorVerifyTotp>, Error> {
    let request = Request { trusts_device: body.trust_device.0, without_grant: false };
    let outcome = verify(context, Factor::Totp, &body.code, body.token.as_deref(), request).await?;
    let (token, user) = outcome.token_and_user();
    let reply = Reply::ok(responses::StatusAndSession { status: true, token, user: Some(user) });
    Ok(outcome.with_cookies(reply, context))
}

/// `POST /two-factor/verify-otp`
pub(super) async fn verify_otp(
    context: &Context,
    body: requests::TwoFactorVerifyOtp,
) -> Result<Reply<replies::TwoFactorVerifyOtp>, Error> {
    let request = Request { trusts_device: body.trust_device.0, without_grant: false };
    let outcome = verify(context, Factor::OneTimeCode, &body.code, body.token.as_deref(), request).await?;
    let (token, user) = outcome.token_and_user();
    // Only a backup code can end a challenge without a session.
    let reply = Reply::ok(responses::TokenAndUser { token: token.unwrap_or_default(), user });
    Ok(outcome.with_cookies(reply, context))
}

/// `POST /two-factor/verify-backup-code`
pub(super) async fn verify_backup_code(
    context: &Context,
    body: requests::TwoFactorVerifyBackupCode,
) -> Result<Reply<replies::TwoFactorVerifyBackupCode>, Error> {
    let request = Request { trusts_device: body.trust_device.0, without_grant: body.disable_session.0 };
    let outcome = verify(context, Factor::BackupCode, &body.code, body.token.as_deref(), request).await?;
    let (token, user) = outcome.token_and_user();
    let session = outcome.session().map_or_else(|| wire::no_session(&user), wire::session_summary);
    let reply = Reply::ok(responses::TwoFactorVerifyBackupCode { token, user, session: Some(session) });
    Ok(outcome.with_cookies(reply, context))
}

/// A second factor that was accepted.
pub(super) enum Outcome {
    /// A challenge ended in a session.
    SignedIn { session: Box<Authenticated>, trust: Option<Bearer> },
    /// A challenge ended without one, as asked.
    Confirmed(Box<Account>),
    /// A new session took the place of the old one, or a new token that of its token.
    Replaced(Box<Authenticated>),
    /// The session goes on.
    Passed(Box<Authenticated>),
}

impl Outcome {
    pub(super) fn session(&self) -> Option<&Authenticated> {
        match self {
            Self::SignedIn { session, .. } | Self::Replaced(session) | Self::Passed(session) => Some(session),
            Self::Confirmed(_) => None,
        }
    }

    fn token_and_user(&self) -> (Option<String>, responses::User) {
        match self {
            Self::SignedIn { session, .. } | Self::Replaced(session) | Self::Passed(session) => {
                (Some(session.token.expose().to_owned()), wire::user(&session.account))
            }
            Self::Confirmed(account) => (None, wire::user(account)),
        }
    }

    /// Adds the cookies of a new session, and clears that of an ended challenge.
    pub(super) fn with_cookies<R>(&self, reply: Reply<R>, context: &Context) -> Reply<R> {
        let cookies = &context.context().cookies;
        match self {
            Self::Passed(_) => reply,
            Self::Replaced(session) => wire::with_session(reply, context, session),
            Self::Confirmed(_) => reply.with_cookie(cookies.delete(Cookie::Challenge)),
            Self::SignedIn { session, trust } => {
                let reply = match trust {
                    Some(_) => wire::with_session_on_trusted_device(reply, context, session),
                    None => wire::with_session(reply, context, session),
                };
                wire::with_trust(reply.with_cookie(cookies.delete(Cookie::Challenge)), context, trust.as_ref())
            }
        }
    }
}

async fn verify(
    context: &Context,
    factor: Factor,
    code: &str,
    token: Option<&str>,
    request: Request,
) -> Result<Outcome, Error> {
    let (caller, claimant) = require_claimant(context, token).await?;
    if let (Factor::BackupCode, Claimant::Session(authenticated)) = (factor, &claimant) {
        // A backup code belongs to a second factor that is on, so it is no step of an enrolment.
        authenticated.clone().into_full().map_err(refusal::enrolment_due)?;
    }
    let app = context.context();
    let attempt = Attempt { request, ..Attempt::of(factor, code) };
    let verified = app.flows.verify_second_factor(&caller, claimant, attempt, &terms(app.flows.policy())).await;
    let refuse = |refused: Refused| refusal::of_second_factor(refused, factor, &app.cookies, app.flows.now());
    outcome(context, verified.map_err(refusal::of_failure)?.map_err(refuse)?)
}

/// What a second factor that is right has come to.
pub(super) fn outcome(context: &Context, verified: Verified) -> Result<Outcome, Error> {
    let app = context.context();
    let ended = |error: Error| error.with_cookie(app.cookies.delete(Cookie::Challenge));
    match verified {
        Verified::Granted { granted, trust, .. } => {
            Ok(Outcome::SignedIn { session: granted.into_session().map_err(refusal::of_failure)?, trust })
        }
        Verified::Confirmed(account) => Ok(Outcome::Confirmed(account)),
        Verified::Enabled(session) => Ok(Outcome::Replaced(session)),
        Verified::Passed { session, has_new_token: true } => Ok(Outcome::Replaced(session)),
        Verified::Passed { session, has_new_token: false } => Ok(Outcome::Passed(session)),
        Verified::PasswordChangeDue(_) => Err(ended(refusal::password_change_required())),
        Verified::Unusable(why) => Err(ended(refusal::unusable_account(why, app.flows.now()))),
    }
}
