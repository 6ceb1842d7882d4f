//! Signing up, signing in, changing the password.

use super::credentials::{Credentials, require_full_session};
use super::terms::terms;
use super::{Context, addresses, caller, links, origin, refusal, wire};
use countersign_api::Reply;
use countersign_api::better_auth::{Error, replies, requests, responses};
use countersign_api::validation::is_mailbox;
use countersign_domain::account::{EmailAddress, LoginName};
use countersign_domain::user::AccountProfile;
use countersign_flows::password::PasswordChanged;
use countersign_flows::sign_in::{Credential, SignIn, SignInRequest};
use countersign_flows::users::{NotWritten, SignUpRefused, SignedUp};
use dropshot::ErrorStatusCode as Status;
use http::header::LOCATION;

/// `POST /sign-up/email`
pub(super) async fn sign_up(
    context: &Context,
    body: requests::SignUpWithEmailAndPassword,
) -> Result<Reply<replies::SignUpWithEmailAndPassword>, Error> {
    let app = context.context();
    origin::check_login(&app.trusted_origins, context.request.headers()).map_err(Error::from)?;
    let profile = AccountProfile {
        email: Some(EmailAddress::new(&body.email)),
        username: None,
        phone_number: None,
        name: body.name,
        image: body.image,
        email_verified: false,
        password_change_required: false,
        expires_at: None,
        profile: "{}".to_owned(),
    };
    let verification = addresses::target(context, body.callback_url.as_deref());
    let signed_up = app.flows.sign_up(&caller(context), profile, &body.password, body.remember_me, &verification).await;
    match signed_up.map_err(refusal::of_failure)? {
        Ok(SignedUp::VerificationDue(account)) => {
            let user = wire::user(&account);
            Ok(Reply::new::<202>(responses::SignUpUnverified { token: None, user }))
        }
        Ok(SignedUp::In(signed_in)) => {
            let token = signed_in.token.expose().to_owned();
            let reply = Reply::ok(responses::TokenAndUser { token, user: wire::user(&signed_in.account) });
            Ok(wire::with_session(reply, context, &signed_in))
        }
        Err(SignUpRefused::Closed) => Err(refusal::sign_up_closed()),
        Err(SignUpRefused::NotWritten(NotWritten::Violation(violation))) => {
            Err(refusal::of_password_violation(violation))
        }
        Err(SignUpRefused::NotWritten(_)) => Err(refusal::email_taken()),
    }
}

/// `POST /sign-in/email`
pub(super) async fn sign_in(
    context: &Context,
    body: requests::SignInEmail,
) -> Result<Reply<replies::SignInEmail>, Error> {
    let app = context.context();
    origin::check_login(&app.trusted_origins, context.request.headers()).map_err(Error::from)?;
    if !is_mailbox(&body.email) {
        return Err(Error::new(Status::BAD_REQUEST, "INVALID_EMAIL", "Invalid email"));
    }
    let credentials = Credentials::read(context);
    let email = EmailAddress::new(&body.email);
    let names = [LoginName::Email(email.clone())];
    let request = SignInRequest {
        tenant_id: app.flows.directory().home().id,
        credential: Credential::Password { login_name: email.as_str(), names: &names, password: &body.password },
        application_id: None,
        trust: credentials.trust(),
        is_remembered: body.remember_me,
        wants_tokens: false,
    };
    let policy = app.flows.policy();
    let outcome = app.flows.sign_in(&caller(context), request, &terms(policy)).await.map_err(refusal::of_failure)?;
    let location = body.callback_url.as_deref().map(links::location);
    let reply = match outcome {
        SignIn::Granted { granted, trust, .. } => {
            let signed_in = granted.into_session().map_err(refusal::of_failure)?;
            let token = signed_in.token.expose().to_owned();
            let user = wire::user(&signed_in.account);
            let reply = Reply::ok(responses::SignInEmail::session(token, user, body.callback_url));
            wire::with_trust(wire::with_session(reply, context, &signed_in), context, trust.as_ref())
        }
        SignIn::SecondFactorDue { challenge, methods, trust_is_superseded, .. } => {
            let methods = wire::challenge_methods(&methods);
            let user = wire::challenged_user(&email, app.flows.now());
            let reply = Reply::ok(responses::SignInEmail::challenge(methods, challenge.expose().to_owned(), user));
            let reply = wire::with_challenge(reply, context, &challenge, body.remember_me);
            wire::without_dead_trust(reply, context, &credentials, trust_is_superseded)
        }
        // Enrolment happens in a session in this dialect, and a session that can only enrol is granted.
        SignIn::EnrolmentDue { .. } => return Err(refusal::enrolment_due(countersign_flows::EnrolmentDue)),
        SignIn::Rejected => return Err(refusal::rejected_sign_in()),
        SignIn::Unusable(why) => return Err(refusal::unusable_account(why, app.flows.now())),
        SignIn::PasswordChangeDue(_) => return Err(refusal::password_change_required()),
        SignIn::VerificationDue => return Err(refusal::verification_due()),
        SignIn::TooMany { until } => return Err(refusal::too_many(until, app.flows.now())),
    };
    Ok(match location {
        Some(location) => reply.with_header(LOCATION, location),
        None => reply,
    })
}

/// `POST /change-password`
pub(super) async fn change_password(
    context: &Context,
    body: requests::ChangePassword,
) -> Result<Reply<replies::ChangePassword>, Error> {
    let (caller, session) = require_full_session(context).await?;
    let flows = &context.context().flows;
    let (current, new) = (&body.current_password, &body.new_password);
    let change = flows.change_password(&caller, &session, current, new, body.revoke_other_sessions);
    match change.await.map_err(refusal::of_failure)? {
        PasswordChanged::Done { session, is_new_session } => {
            let token = is_new_session.then(|| session.token.expose().to_owned());
            let reply = Reply::ok(responses::ChangePassword { token, user: wire::user(&session.account) });
            Ok(if is_new_session { wire::with_session(reply, context, &session) } else { reply })
        }
        PasswordChanged::Violation(violation) => Err(refusal::of_password_violation(violation)),
        PasswordChanged::Unconfirmed(unconfirmed) => Err(refusal::of_unconfirmed(unconfirmed, flows.now())),
        PasswordChanged::SecondFactorDue(due) => Err(refusal::second_factor_due(due)),
        PasswordChanged::NoPassword => {
            let message = "Credential account not found";
            Err(Error::new(Status::BAD_REQUEST, "CREDENTIAL_ACCOUNT_NOT_FOUND", message))
        }
    }
}

/// `POST /verify-password`
pub(super) async fn verify_password(
    context: &Context,
    body: requests::Password,
) -> Result<Reply<replies::VerifyPassword>, Error> {
    let (caller, session) = require_full_session(context).await?;
    let flows = &context.context().flows;
    let verified = flows.verify_password(&caller, &session, &body.password).await.map_err(refusal::of_failure)?;
    verified.map_err(|unconfirmed| refusal::of_unconfirmed(unconfirmed, flows.now()))?;
    Ok(Reply::ok(responses::StatusAndSession { status: true, token: None, user: None }))
}

/// `GET /list-accounts`
pub(super) async fn list(context: &Context) -> Result<Reply<replies::ListUserAccounts>, Error> {
    let (_, session) = require_full_session(context).await?;
    Ok(Reply::ok(wire::credentials(&session.account)))
}
