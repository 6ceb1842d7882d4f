//! Authenticating with a passkey: signing in, completing a challenge, passing the second factor in a live session.

use super::cookies::Cookie;
use super::credentials::{Credentials, SessionState};
use super::passkeys::{ceremony_cookie, ended, with_ceremony};
use super::terms::terms;
use super::{Context, caller, passkey_refusal, passkey_wire, refusal, verification, wire};
use countersign_api::Reply;
use countersign_api::better_auth::Error;
use countersign_api::better_auth::passkeys::{replies, requests, responses};
use countersign_domain::decisions::second_factor::Request;
use countersign_flows::passkeys::{AuthenticationFor, PasskeyAuthentication, PresentedPasskey};
use countersign_flows::second_factor::Verified;
use countersign_flows::sign_in::SignIn;
use countersign_flows::{Authenticated, FullSession};
use dropshot::ErrorStatusCode as Status;

/// `GET /passkey/generate-authenticate-options`
pub(super) async fn options(context: &Context) -> Result<Reply<replies::AuthenticationOptions>, Error> {
    let credentials = Credentials::read(context);
    let session = full_session(context, &credentials).await?;
    // A live session goes before a challenge.
    let asker = match (&session, credentials.challenge()) {
        (Some(session), _) => AuthenticationFor::Session(session),
        (None, Some(challenge)) => AuthenticationFor::Challenge(challenge.digest(), None),
        (None, None) => AuthenticationFor::SignIn,
    };
    let flows = &context.context().flows;
    let begun = flows.begin_passkey_authentication(asker, &terms(flows.policy())).await.map_err(refusal::of_failure)?;
    // Without a user in particular, only a missing relying party is in the way.
    let begun = begun.map_err(|_| passkey_refusal::passkeys_off())?;
    let reply = Reply::ok(passkey_wire::request_options(&begun.options));
    Ok(with_ceremony(reply, context, begun.token.as_ref()))
}

/// `POST /passkey/verify-authentication`
pub(super) async fn verify(
    context: &Context,
    body: requests::VerifyAuthentication,
) -> Result<Reply<replies::VerifyAuthentication>, Error> {
    let app = context.context();
    let (cookie, credentials) = (ceremony_cookie(context), Credentials::read(context));
    let session = full_session(context, &credentials).await?;
    let presented = PresentedPasskey {
        tenant_id: Some(app.flows.directory().home().id),
        token: cookie.signed(),
        response: passkey_wire::assertion(&body.response),
        session: session.as_deref(),
        challenge: credentials.challenge().map(|challenge| challenge.digest()),
        request: Request { trusts_device: body.trust_device.0, without_grant: false },
        trust: credentials.trust(),
        is_remembered: true,
        wants_tokens: false,
    };
    let terms = terms(app.flows.policy());
    let outcome = app.flows.complete_passkey_authentication(&caller(context), presented, &terms).await;
    match outcome.map_err(refusal::of_failure)? {
        PasskeyAuthentication::SignIn(signed_in) => sign_in(context, &credentials, signed_in),
        PasskeyAuthentication::SecondFactor(Ok(verified)) => second_factor(context, verified),
        PasskeyAuthentication::SecondFactor(Err(refused)) => {
            Err(ended(passkey_refusal::of_second_factor(refused, &app.cookies, app.flows.now()), context))
        }
        PasskeyAuthentication::NoCeremony => Err(ended(passkey_refusal::no_ceremony(), context)),
        PasskeyAuthentication::UnknownPasskey => {
            Err(ended(passkey_refusal::unknown_passkey(Status::UNAUTHORIZED), context))
        }
        PasskeyAuthentication::NotVerified(_) | PasskeyAuthentication::Refused(_) => {
            Err(ended(passkey_refusal::authentication_failed(), context))
        }
    }
}

/// The live session of the request, unless it can only enrol.
async fn full_session(context: &Context, credentials: &Credentials) -> Result<Option<FullSession>, Error> {
    Ok(match credentials.session_state(context).await? {
        SessionState::Live(authenticated) => authenticated.into_full().ok(),
        SessionState::Dead | SessionState::None => None,
    })
}

/// The response to a passkey that signs in.
fn sign_in(
    context: &Context,
    credentials: &Credentials,
    signed_in: SignIn,
) -> Result<Reply<replies::VerifyAuthentication>, Error> {
    let app = context.context();
    let reply = match signed_in {
        SignIn::Granted { granted, trust, .. } => {
            let signed_in = granted.into_session().map_err(refusal::of_failure)?;
            let reply = wire::with_session(Reply::ok(shown(&signed_in)), context, &signed_in);
            wire::with_trust(reply, context, trust.as_ref())
        }
        SignIn::SecondFactorDue { challenge, methods, trust_is_superseded, .. } => {
            let methods = wire::challenge_methods(&methods);
            let token = challenge.expose().to_owned();
            let reply = Reply::ok(responses::VerifyAuthentication::challenge(methods, token));
            let reply = wire::with_challenge(reply, context, &challenge, true);
            wire::without_dead_trust(reply, context, credentials, trust_is_superseded)
        }
        SignIn::EnrolmentDue { .. } => return Err(refusal::enrolment_due(countersign_flows::EnrolmentDue)),
        SignIn::Rejected => return Err(ended(passkey_refusal::authentication_failed(), context)),
        SignIn::Unusable(why) => return Err(ended(refusal::unusable_account(why, app.flows.now()), context)),
        SignIn::PasswordChangeDue(_) => return Err(ended(refusal::password_change_required(), context)),
        SignIn::VerificationDue => return Err(ended(refusal::verification_due(), context)),
        SignIn::TooMany { until } => return Err(refusal::too_many(until, app.flows.now())),
    };
    Ok(reply.with_cookie(app.cookies.delete(Cookie::Passkey)))
}

/// The response to a passkey that passed the second factor.
fn second_factor(context: &Context, verified: Verified) -> Result<Reply<replies::VerifyAuthentication>, Error> {
    let outcome = verification::outcome(context, verified).map_err(|error| ended(error, context))?;
    // A challenge ends without a session by a backup code alone.
    let session = outcome.session().ok_or_else(|| Error::of_status(Status::INTERNAL_SERVER_ERROR))?;
    let reply = outcome.with_cookies(Reply::ok(shown(session)), context);
    Ok(reply.with_cookie(context.context().cookies.delete(Cookie::Passkey)))
}

fn shown(authenticated: &Authenticated) -> responses::VerifyAuthentication {
    let session = wire::session(&authenticated.session, authenticated.token.expose().to_owned());
    responses::VerifyAuthentication::session(session, wire::user(&authenticated.account))
}
