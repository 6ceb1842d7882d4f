//! Passkeys: registering, listing, renaming and removing them.

use super::cookies::{Cookie, Presented};
use super::credentials::require_full_session;
use super::terms::terms;
use super::{Context, passkey_refusal, passkey_wire, refusal, wire};
use countersign_api::Reply;
use countersign_api::better_auth::passkeys::responses::Attachment;
use countersign_api::better_auth::passkeys::{replies, requests, responses};
use countersign_api::better_auth::{Error, responses::Revoked};
use countersign_domain::secret::CeremonyToken;
use countersign_flows::passkeys::{
    NotRegistered, PasskeyManager, PasskeyNotRemoved, PasskeyRequest, PresentedRegistration,
};
use dropshot::ErrorStatusCode as Status;

/// Characters of a name that authenticators show.
const LONGEST_NAME: usize = 256;

/// `GET /passkey/generate-register-options`
pub(super) async fn registration_options(
    context: &Context,
    query: requests::RegistrationOptions,
) -> Result<Reply<replies::RegistrationOptions>, Error> {
    let (_, session) = require_full_session(context).await?;
    let attachment = query.authenticator_attachment.as_deref().map(attachment).transpose()?;
    let name = query.name.as_deref().map(shown_name).transpose()?;
    let flows = &context.context().flows;
    let (manager, request) =
        (PasskeyManager::Owner(&session), PasskeyRequest { user_name: name, ..Default::default() });
    let begun = flows.begin_passkey_registration(manager, request, &terms(flows.policy())).await;
    let begun = begun.map_err(refusal::of_failure)?;
    let begun = begun.map_err(|refused| not_registered(refused, context))?;
    let reply = Reply::ok(passkey_wire::creation_options(&begun.options, attachment));
    Ok(with_ceremony(reply, context, begun.token.as_ref()))
}

/// `POST /passkey/verify-registration`
pub(super) async fn verify_registration(
    context: &Context,
    body: requests::VerifyRegistration,
) -> Result<Reply<replies::VerifyRegistration>, Error> {
    let (caller, session) = require_full_session(context).await?;
    let flows = &context.context().flows;
    let cookie = ceremony_cookie(context);
    let presented = PresentedRegistration {
        token: cookie.signed(),
        response: passkey_wire::registration(&body.response),
        name: body.name.as_deref(),
    };
    let (manager, terms) = (PasskeyManager::Owner(&session), terms(flows.policy()));
    let registered = flows.complete_passkey_registration(&caller, manager, presented, &terms).await;
    let registered = registered.map_err(refusal::of_failure)?;
    let passkey = registered.map_err(|refused| ended(not_registered(refused, context), context))?;
    let shown = body.create_session.then(|| wire::session(&session.session, session.token.expose().to_owned()));
    let reply = Reply::ok(responses::VerifyRegistration {
        passkey: passkey_wire::passkey(&passkey),
        session: shown,
        user: body.create_session.then(|| wire::user(&session.account)),
    });
    Ok(reply.with_cookie(context.context().cookies.delete(Cookie::Passkey)))
}

/// `GET /passkey/list-user-passkeys`
pub(super) async fn list(context: &Context) -> Result<Reply<replies::ListUserPasskeys>, Error> {
    let (_, session) = require_full_session(context).await?;
    let passkeys = context.context().flows.passkeys(session.account.id).await.map_err(refusal::of_failure)?;
    Ok(Reply::ok(passkeys.iter().map(passkey_wire::passkey).collect()))
}

/// `POST /passkey/delete-passkey`
pub(super) async fn remove(
    context: &Context,
    body: requests::DeletePasskey,
) -> Result<Reply<replies::DeletePasskey>, Error> {
    let (caller, session) = require_full_session(context).await?;
    let removed = context.context().flows.remove_passkey(&caller, PasskeyManager::Owner(&session), &body.id).await;
    removed.map_err(refusal::of_failure)?.map_err(|refused| match refused {
        PasskeyNotRemoved::NoPasskey => passkey_refusal::unknown_passkey(Status::NOT_FOUND),
        PasskeyNotRemoved::Refused(refused) => passkey_refusal::not_managed(refused, context.context().flows.now()),
    })?;
    Ok(Reply::ok(Revoked { status: true }))
}

/// `POST /passkey/update-passkey`
pub(super) async fn rename(
    context: &Context,
    body: requests::UpdatePasskey,
) -> Result<Reply<replies::UpdatePasskey>, Error> {
    let (caller, session) = require_full_session(context).await?;
    let name = body.name.trim();
    if name.is_empty() {
        return Err(passkey_refusal::invalid("[body.name] Too small: expected string to have >=1 characters"));
    }
    let renamed = context.context().flows.rename_passkey(&caller, &session, &body.id, name).await;
    let passkey =
        renamed.map_err(refusal::of_failure)?.ok_or_else(|| passkey_refusal::unknown_passkey(Status::NOT_FOUND))?;
    Ok(Reply::ok(responses::UpdatePasskey { passkey: passkey_wire::passkey(&passkey) }))
}

/// The cookie of the ceremony that a response belongs to.
pub(super) fn ceremony_cookie(context: &Context) -> Presented {
    context.context().cookies.read_signed(context.request.headers(), Cookie::Passkey)
}

/// Hands the token of a ceremony to the browser.
pub(super) fn with_ceremony<R>(reply: Reply<R>, context: &Context, token: Option<&CeremonyToken>) -> Reply<R> {
    let app = context.context();
    let Some(token) = token else { return reply };
    let lifetime = Some(app.flows.policy().passkey_ceremony_lifetime);
    reply.with_cookie(app.cookies.set(Cookie::Passkey, token.expose(), lifetime))
}

/// The same error, and the cookie of the ceremony goes. Those of a limit leave it, as they leave every cookie.
pub(super) fn ended(error: Error, context: &Context) -> Error {
    match error.status.as_u16() {
        429 => error,
        _ => error.with_cookie(context.context().cookies.delete(Cookie::Passkey)),
    }
}

fn attachment(text: &str) -> Result<Attachment, Error> {
    match text {
        "platform" => Ok(Attachment::Platform),
        "cross-platform" => Ok(Attachment::CrossPlatform),
        _ => Err(passkey_refusal::invalid(
            "[query.authenticatorAttachment] Invalid option: expected one of \"platform\"|\"cross-platform\"",
        )),
    }
}

fn shown_name(name: &str) -> Result<&str, Error> {
    if name.contains('\0') {
        return Err(passkey_refusal::invalid("[query.name] Invalid input"));
    }
    match name.chars().count() <= LONGEST_NAME {
        true => Ok(name),
        false => Err(passkey_refusal::invalid("[query.name] Too big: expected string to have <=256 characters")),
    }
}

fn not_registered(refused: NotRegistered, context: &Context) -> Error {
    passkey_refusal::not_registered(refused, context.context().flows.now())
}
