//! Proving and changing the e-mail address by mailed links.

use super::credentials::{Credentials, SessionState, require_full_session};
use super::terms::terms;
use super::{Context, caller, links, refusal, wire};
use countersign_api::Reply;
use countersign_api::better_auth::{Error, replies, requests, responses};
use countersign_api::reply::Gives;
use countersign_api::validation::is_mailbox;
use countersign_domain::account::EmailAddress;
use countersign_flows::mailed_links::{LinkRequested, LinkTarget, OwnLinkRequested};
use countersign_flows::own_account::AddressLink;
use countersign_flows::sign_in::SignIn;

const PATH: &str = "/verify-email?token=";

/// A link to `/verify-email`, which goes on to a page.
pub(super) fn target(context: &Context, page: Option<&str>) -> LinkTarget {
    links::target(context, PATH, format!("&callbackURL={}", links::encoded(page)))
}

/// The address of a user who may have got it from a service: as for signing in, every [`is_mailbox`].
///
/// # Errors
/// 400 `VALIDATION_ERROR`.
pub(super) fn mailbox(text: &str) -> Result<EmailAddress, Error> {
    if is_mailbox(text) { Ok(EmailAddress::new(text)) } else { Err(refusal::invalid_address()) }
}

fn done<R: Gives<200, Body = responses::StatusAndSession>>() -> Reply<R> {
    Reply::ok(responses::StatusAndSession { status: true, token: None, user: None })
}

/// `POST /send-verification-email`
pub(super) async fn send_verification(
    context: &Context,
    body: requests::SendVerificationEmail,
) -> Result<Reply<replies::SendVerificationEmail>, Error> {
    let flows = &context.context().flows;
    let (address, target) = (mailbox(&body.email)?, target(context, body.callback_url.as_deref()));
    if let SessionState::Live(session) = Credentials::read(context).session_state(context).await? {
        if session.account.email.as_ref() != Some(&address) {
            return Err(refusal::bad_request("EMAIL_MISMATCH", "Email mismatch"));
        }
        let requested = flows.request_own_verification(&caller(context), &session.account, &target).await;
        return match requested.map_err(refusal::of_failure)? {
            OwnLinkRequested::AlreadyVerified => {
                Err(refusal::bad_request("EMAIL_ALREADY_VERIFIED", "Email is already verified"))
            }
            requested => refusal::of_own_link(requested, flows.now()).map(|()| done()),
        };
    }
    let tenant_id = flows.directory().home().id;
    let requested = flows.request_verification(&caller(context), tenant_id, address, &target).await;
    match requested.map_err(refusal::of_failure)? {
        LinkRequested::Accepted => Ok(done()),
        LinkRequested::TooMany { until } => Err(refusal::too_many(until, flows.now())),
    }
}

/// `POST /change-email`
pub(super) async fn change(
    context: &Context,
    body: requests::ChangeEmail,
) -> Result<Reply<replies::ChangeEmail>, Error> {
    let (caller, session) = require_full_session(context).await?;
    let flows = &context.context().flows;
    let (address, target) = (EmailAddress::new(&body.new_email), target(context, body.callback_url.as_deref()));
    let requested = flows.request_address_change(&caller, &session, address, &target).await;
    match requested.map_err(refusal::of_failure)? {
        OwnLinkRequested::SameAddress => Err(refusal::bad_request("EMAIL_IS_THE_SAME", "Email is the same")),
        requested => refusal::of_own_link(requested, flows.now()).map(|()| done()),
    }
}

/// `GET /verify-email`
pub(super) async fn follow(
    context: &Context,
    query: requests::MailedLink,
) -> Result<Reply<replies::VerifyEmail>, Error> {
    let Some(token) = query.token else { return Err(links::missing_parameter("token")) };
    let page = links::page(context, query.callback_url)?;
    let app = context.context();
    let session = match Credentials::read(context).session_state(context).await? {
        SessionState::Live(session) => Some(session),
        SessionState::Dead | SessionState::None => None,
    };
    let session_of = session.as_ref().map(|session| session.account.id);
    let (way_back, terms) = (target(context, None), terms(app.flows.policy()));
    let link = app.flows.follow_address_link(&caller(context), &token, session_of, &way_back, &terms).await;
    match link.map_err(refusal::of_failure)? {
        AddressLink::Verified(account) | AddressLink::Restored(account) => {
            Ok(reply(page.as_deref(), wire::user(&account).into(), None))
        }
        AddressLink::Changed(account) => {
            let reply = reply(page.as_deref(), wire::user(&account).into(), None);
            Ok(match session {
                Some(session) => wire::with_session(reply, context, &session),
                None => reply,
            })
        }
        AddressLink::SignedIn(signed_in) => signed_in_by(context, page.as_deref(), *signed_in),
        refused => {
            let error = refusal::of_address_link(&refused, app.flows.now());
            refuse(page.as_deref(), error)
        }
    }
}

fn reply(
    page: Option<&str>,
    user: responses::SignInUser,
    two_factor_redirect: Option<bool>,
) -> Reply<replies::VerifyEmail> {
    match (page, two_factor_redirect) {
        (Some(page), Some(true)) => links::redirect(&links::with_parameter(page, "twoFactorRedirect", "true")),
        (Some(page), _) => links::redirect(page),
        (None, _) => Reply::ok(responses::VerifyEmail { status: true, user, two_factor_redirect }),
    }
}

/// An error, as the page gets it if there is one.
fn refuse(page: Option<&str>, error: Error) -> Result<Reply<replies::VerifyEmail>, Error> {
    match page {
        Some(page) => Ok(links::redirect(&links::with_parameter(page, "error", &error.code))),
        None => Err(error),
    }
}

fn signed_in_by(
    context: &Context,
    page: Option<&str>,
    signed_in: SignIn,
) -> Result<Reply<replies::VerifyEmail>, Error> {
    match signed_in {
        SignIn::Granted { granted, .. } => {
            let session = granted.into_session().map_err(refusal::of_failure)?;
            Ok(wire::with_session(reply(page, wire::user(&session.account).into(), None), context, &session))
        }
        SignIn::SecondFactorDue { challenge, address, .. } => {
            let user = wire::challenged_by_link(address.as_ref(), context.context().flows.now());
            Ok(wire::with_challenge(reply(page, user, Some(true)), context, &challenge, true))
        }
        SignIn::PasswordChangeDue(_) => {
            refuse(page, refusal::unauthorized_because(refusal::password_change_required()))
        }
        SignIn::EnrolmentDue { .. } => {
            let due = refusal::enrolment_due(countersign_flows::EnrolmentDue);
            refuse(page, refusal::unauthorized_because(due))
        }
        SignIn::VerificationDue | SignIn::Unusable(_) | SignIn::Rejected | SignIn::TooMany { .. } => {
            refuse(page, refusal::unauthorized_because(refusal::invalid_link()))
        }
    }
}
