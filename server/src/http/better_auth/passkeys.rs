//! Passkeys: registering, listing, renaming and removing them, and signing in with one.

use super::cookies::{Cookie, Presented};
use super::credentials::{Credentials, require_full_session};
use super::terms::terms;
use super::{Context, caller, passkey_wire, refusal, wire};
use countersign_api::Reply;
use countersign_api::better_auth::passkeys::responses::Attachment;
use countersign_api::better_auth::passkeys::{replies, requests, responses};
use countersign_api::better_auth::{Error, responses::Revoked};
use countersign_domain::decisions::passkey_management::PasskeysRefused;
use countersign_domain::secret::CeremonyToken;
use countersign_flows::passkeys::{Asker, NotRegistered, PasskeyAuthentication, PasskeyNotRemoved, PresentedPasskey};
use countersign_flows::sign_in::SignIn;
use dropshot::ErrorStatusCode as Status;

/// Characters of a name that authenticators show.
const LONGEST_NAME: usize = 256;

/// `GET /passkey/generate-register-options`
pub(super) async fn registration_options(
    context: &Context,
    query: requests::RegistrationOptions,
) -> Result<Reply<replies::RegistrationOptions>, Error> {
    let (_, session) = require_full_session(context).await?;
    require_passkeys(context)?;
    let attachment = query.authenticator_attachment.as_deref().map(attachment).transpose()?;
    let name = query.name.as_deref().map(shown_name).transpose()?;
    let flows = &context.context().flows;
    let begun = flows.begin_passkey_registration(&session, name).await.map_err(refusal::of_failure)?;
    let begun = begun.map_err(|refused| not_registered(refused, context))?;
    let reply = Reply::ok(passkey_wire::creation_options(&begun.options, attachment));
    Ok(with_ceremony(reply, context, &begun.token))
}

/// `POST /passkey/verify-registration`
pub(super) async fn verify_registration(
    context: &Context,
    body: requests::VerifyRegistration,
) -> Result<Reply<replies::VerifyRegistration>, Error> {
    let (caller, session) = require_full_session(context).await?;
    require_passkeys(context)?;
    let flows = &context.context().flows;
    let cookie = ceremony_cookie(context);
    let name = body.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let response = passkey_wire::registration(&body.response);
    let registered = flows.complete_passkey_registration(&caller, &session, cookie.signed(), response, name).await;
    let passkey = registered.map_err(refusal::of_failure)?.map_err(|refused| not_registered(refused, context))?;
    let shown = body.create_session.then(|| wire::session(&session.session, session.token.expose().to_owned()));
    let reply = Reply::ok(responses::VerifyRegistration {
        passkey: passkey_wire::passkey(&passkey),
        session: shown,
        user: body.create_session.then(|| wire::user(&session.account)),
    });
    Ok(reply.with_cookie(context.context().cookies.delete(Cookie::Passkey)))
}

/// `GET /passkey/generate-authenticate-options`
pub(super) async fn authentication_options(context: &Context) -> Result<Reply<replies::AuthenticationOptions>, Error> {
    let flows = &context.context().flows;
    let begun = flows.begin_passkey_authentication(Asker::Anybody).await;
    let begun = begun.map_err(refusal::of_failure)?.ok_or_else(passkeys_off)?;
    let reply = Reply::ok(passkey_wire::request_options(&begun.options));
    Ok(with_ceremony(reply, context, &begun.token))
}

/// `POST /passkey/verify-authentication`
pub(super) async fn verify_authentication(
    context: &Context,
    body: requests::VerifyAuthentication,
) -> Result<Reply<replies::VerifyAuthentication>, Error> {
    require_passkeys(context)?;
    let app = context.context();
    let (cookie, credentials) = (ceremony_cookie(context), Credentials::read(context));
    let presented = PresentedPasskey {
        tenant_id: app.flows.directory().home().id,
        token: cookie.signed(),
        response: passkey_wire::assertion(&body.response),
        trust: credentials.trust(),
        is_remembered: true,
    };
    let terms = terms(app.flows.policy());
    let outcome = app.flows.complete_passkey_authentication(&caller(context), presented, &terms).await;
    let signed_in = match outcome.map_err(refusal::of_failure)? {
        PasskeyAuthentication::SignIn(signed_in) => signed_in,
        PasskeyAuthentication::NoCeremony => return Err(ended(no_ceremony(), context)),
        PasskeyAuthentication::UnknownPasskey => {
            return Err(ended(unknown_passkey(Status::UNAUTHORIZED), context));
        }
        PasskeyAuthentication::NotVerified(_) | PasskeyAuthentication::Refused(_) => {
            return Err(ended(authentication_failed(), context));
        }
    };
    let reply = match signed_in {
        SignIn::Granted { granted, trust, .. } => {
            let signed_in = granted.into_session().map_err(refusal::of_failure)?;
            let session = wire::session(&signed_in.session, signed_in.token.expose().to_owned());
            let user = wire::user(&signed_in.account);
            let reply = Reply::ok(responses::VerifyAuthentication::session(session, user));
            wire::with_trust(wire::with_session(reply, context, &signed_in), context, trust.as_ref())
        }
        SignIn::SecondFactorDue { challenge, methods, trust_is_superseded, .. } => {
            let methods = wire::challenge_methods(&methods);
            let token = challenge.expose().to_owned();
            let reply = Reply::ok(responses::VerifyAuthentication::challenge(methods, token));
            let reply = wire::with_challenge(reply, context, &challenge, true);
            wire::without_dead_trust(reply, context, &credentials, trust_is_superseded)
        }
        SignIn::EnrolmentDue { .. } => return Err(refusal::enrolment_due(countersign_flows::EnrolmentDue)),
        SignIn::Rejected => return Err(ended(authentication_failed(), context)),
        SignIn::Unusable(why) => return Err(ended(refusal::unusable_account(why, app.flows.now()), context)),
        SignIn::PasswordChangeDue(_) => return Err(ended(refusal::password_change_required(), context)),
        SignIn::VerificationDue => return Err(ended(refusal::verification_due(), context)),
        SignIn::TooMany { until } => return Err(refusal::too_many(until, app.flows.now())),
    };
    Ok(reply.with_cookie(app.cookies.delete(Cookie::Passkey)))
}

/// `GET /passkey/list-user-passkeys`
pub(super) async fn list(context: &Context) -> Result<Reply<replies::ListUserPasskeys>, Error> {
    let (_, session) = require_full_session(context).await?;
    require_passkeys(context)?;
    let passkeys = context.context().flows.passkeys(session.account.id).await.map_err(refusal::of_failure)?;
    Ok(Reply::ok(passkeys.iter().map(passkey_wire::passkey).collect()))
}

/// `POST /passkey/delete-passkey`
pub(super) async fn remove(
    context: &Context,
    body: requests::DeletePasskey,
) -> Result<Reply<replies::DeletePasskey>, Error> {
    let (caller, session) = require_full_session(context).await?;
    require_passkeys(context)?;
    let removed = context.context().flows.remove_passkey(&caller, &session, &body.id).await;
    removed.map_err(refusal::of_failure)?.map_err(|refused| match refused {
        PasskeyNotRemoved::NoPasskey => unknown_passkey(Status::NOT_FOUND),
        PasskeyNotRemoved::Refused(refused) => not_managed(refused, context),
    })?;
    Ok(Reply::ok(Revoked { status: true }))
}

/// `POST /passkey/update-passkey`
pub(super) async fn rename(
    context: &Context,
    body: requests::UpdatePasskey,
) -> Result<Reply<replies::UpdatePasskey>, Error> {
    let (caller, session) = require_full_session(context).await?;
    require_passkeys(context)?;
    let name = body.name.trim();
    if name.is_empty() {
        return Err(invalid("[body.name] Too small: expected string to have >=1 characters"));
    }
    let renamed = context.context().flows.rename_passkey(&caller, &session, &body.id, name).await;
    let passkey = renamed.map_err(refusal::of_failure)?.ok_or_else(|| unknown_passkey(Status::NOT_FOUND))?;
    Ok(Reply::ok(responses::UpdatePasskey { passkey: passkey_wire::passkey(&passkey) }))
}

/// The cookie of the ceremony that a response belongs to.
fn ceremony_cookie(context: &Context) -> Presented {
    context.context().cookies.read_signed(context.request.headers(), Cookie::Passkey)
}

/// Hands the token of a ceremony to the browser.
fn with_ceremony<R>(reply: Reply<R>, context: &Context, token: &CeremonyToken) -> Reply<R> {
    let app = context.context();
    let lifetime = Some(app.flows.policy().passkey_ceremony_lifetime);
    reply.with_cookie(app.cookies.set(Cookie::Passkey, token.expose(), lifetime))
}

/// The same error, and the cookie of the ceremony goes.
fn ended(error: Error, context: &Context) -> Error {
    error.with_cookie(context.context().cookies.delete(Cookie::Passkey))
}

/// # Errors
/// 404 where there is no relying party.
fn require_passkeys(context: &Context) -> Result<(), Error> {
    context.context().flows.relying_party().map(|_| ()).ok_or_else(passkeys_off)
}

fn passkeys_off() -> Error {
    Error::of_status(Status::NOT_FOUND)
}

fn attachment(text: &str) -> Result<Attachment, Error> {
    match text {
        "platform" => Ok(Attachment::Platform),
        "cross-platform" => Ok(Attachment::CrossPlatform),
        _ => Err(invalid(
            "[query.authenticatorAttachment] Invalid option: expected one of \"platform\"|\"cross-platform\"",
        )),
    }
}

fn shown_name(name: &str) -> Result<&str, Error> {
    match name.chars().count() <= LONGEST_NAME {
        true => Ok(name),
        false => Err(invalid("[query.name] Too big: expected string to have <=256 characters")),
    }
}

fn invalid(message: &'static str) -> Error {
    refusal::bad_request("VALIDATION_ERROR", message)
}

fn no_ceremony() -> Error {
    refusal::bad_request("CHALLENGE_NOT_FOUND", "Challenge not found")
}

fn authentication_failed() -> Error {
    refusal::bad_request("AUTHENTICATION_FAILED", "Authentication failed")
}

/// 401 where it would sign in, 404 where it would be managed: the same for one that nobody has and for another user's.
fn unknown_passkey(status: Status) -> Error {
    Error::new(status, "PASSKEY_NOT_FOUND", "Passkey not found")
}

fn not_managed(refused: PasskeysRefused, context: &Context) -> Error {
    match refused {
        PasskeysRefused::Factors(refused) => refusal::of_factors(refused, context.context().flows.now()),
        PasskeysRefused::NotFresh => refusal::session_not_fresh(),
    }
}

fn not_registered(refused: NotRegistered, context: &Context) -> Error {
    let over = |code, message| ended(refusal::bad_request(code, message), context);
    match refused {
        NotRegistered::Refused(refused) => not_managed(refused, context),
        NotRegistered::NotAllowed => refusal::bad_request("PASSKEY_NOT_CONFIGURED", "Passkeys aren't configured"),
        NotRegistered::TooMany => refusal::bad_request("TOO_MANY_PASSKEYS", "Remove another passkey first"),
        NotRegistered::NoCeremony => ended(no_ceremony(), context),
        NotRegistered::OtherUser => {
            let message = "You are not allowed to register this passkey";
            let code = "YOU_ARE_NOT_ALLOWED_TO_REGISTER_THIS_PASSKEY";
            ended(Error::new(Status::UNAUTHORIZED, code, message), context)
        }
        NotRegistered::NotVerified(_) => over("FAILED_TO_VERIFY_REGISTRATION", "Failed to verify registration"),
        NotRegistered::Taken => over("PREVIOUSLY_REGISTERED", "Previously registered"),
    }
}
