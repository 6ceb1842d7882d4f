//! Signing up, signing in, changing the password.

use super::cookies::Cookie;
use super::credentials::{Credentials, require_session};
use super::{Context, caller, origin, refusal, wire};
use crate::flows::change_password::ChangePassword;
use crate::flows::sign_in::{self, SignIn};
use crate::flows::sign_up::{NewPerson, SignUp};
use countersign_api::Reply;
use countersign_api::better_auth::responses::{self, TwoFactorMethod};
use countersign_api::better_auth::{Error, replies, requests};
use countersign_api::validation::is_email;
use countersign_domain::account::EmailAddress;
use countersign_domain::method::MethodKind;
use dropshot::ErrorStatusCode as Status;
use http::HeaderValue;
use http::header::LOCATION;

/// `POST /sign-up/email`
pub(super) async fn sign_up(
    context: &Context,
    body: requests::SignUpWithEmailAndPassword,
) -> Result<Reply<replies::SignUpWithEmailAndPassword>, Error> {
    let app = context.context();
    origin::check_login(&app.trusted_origins, context.request.headers()).map_err(Error::from)?;
    let person = NewPerson {
        email: EmailAddress::new(&body.email),
        name: body.name,
        image: body.image,
        password: &body.password,
        is_remembered: body.remember_me,
    };
    match app.flows.sign_up(&caller(context), person).await.map_err(refusal::of_failure)? {
        SignUp::Done(signed_in) => {
            let token = signed_in.token.expose().to_owned();
            let reply = Reply::ok(responses::TokenAndUser { token, user: wire::user(&signed_in.account) });
            Ok(wire::with_session(reply, context, &signed_in))
        }
        SignUp::UnfitPassword(unfit) => Err(refusal::of_unfit_password(unfit)),
        SignUp::EmailTaken => Err(Error::new(
            Status::UNPROCESSABLE_ENTITY,
            "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
            "User already exists. Use another email.",
        )),
    }
}

/// `POST /sign-in/email`
pub(super) async fn sign_in(
    context: &Context,
    body: requests::SignInEmail,
) -> Result<Reply<replies::SignInEmail>, Error> {
    let app = context.context();
    origin::check_login(&app.trusted_origins, context.request.headers()).map_err(Error::from)?;
    if !is_email(&body.email) {
        return Err(Error::new(Status::BAD_REQUEST, "INVALID_EMAIL", "Invalid email"));
    }
    let shown = Credentials::read(context);
    let credentials = sign_in::Credentials {
        email: EmailAddress::new(&body.email),
        password: &body.password,
        is_remembered: body.remember_me,
        trust: shown.trust(),
    };
    let outcome = app.flows.sign_in(&caller(context), credentials).await.map_err(refusal::of_failure)?;
    let location = body.callback_url.as_deref().and_then(|url| HeaderValue::try_from(url).ok());
    let policy = &app.flows.policy;
    let reply = match outcome {
        SignIn::Done { signed_in, trust } => {
            let token = signed_in.token.expose().to_owned();
            let user = wire::user(&signed_in.account);
            let reply = Reply::ok(responses::SignInEmail::session(token, user, body.callback_url));
            let reply = wire::with_session(reply, context, &signed_in);
            match trust {
                Some(value) => reply.with_cookie(app.cookies.set(Cookie::Trust, &value, Some(policy.trust_lifetime))),
                None => reply,
            }
        }
        SignIn::Challenged { token, methods } => {
            let has = |kinds: &[MethodKind]| methods.iter().any(|method| kinds.contains(&method.kind));
            let has_totp = has(&[MethodKind::Authenticator]).then_some(TwoFactorMethod::Totp);
            let has_otp = has(&[MethodKind::Email, MethodKind::Sms]).then_some(TwoFactorMethod::Otp);
            let methods = [has_totp, has_otp].into_iter().flatten().collect();
            let reply = Reply::ok(responses::SignInEmail::challenge(methods, token.expose().to_owned()))
                .with_cookie(app.cookies.delete(Cookie::Session))
                .with_cookie(app.cookies.delete(Cookie::SessionData))
                .with_cookie(app.cookies.set(Cookie::Challenge, token.expose(), Some(policy.challenge_lifetime)));
            let reply = match body.remember_me {
                true => reply,
                false => reply.with_cookie(app.cookies.set(Cookie::DontRemember, "true", None)),
            };
            // A trust that did not spare the challenge is dead, whatever it was.
            match shown.trust() {
                Some(_) => reply.with_cookie(app.cookies.delete(Cookie::Trust)),
                None => reply,
            }
        }
        SignIn::Rejected => return Err(refusal::rejected_sign_in()),
        SignIn::Unusable(_) => return Err(refusal::unusable_account()),
        SignIn::PasswordChangeRequired => return Err(refusal::password_change_required()),
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
    let (caller, authenticated) = require_session(context).await?;
    let flows = &context.context().flows;
    let change = flows.change_password(
        &caller,
        &authenticated,
        &body.current_password,
        &body.new_password,
        body.revoke_other_sessions,
    );
    match change.await.map_err(refusal::of_failure)? {
        ChangePassword::Done { authenticated, is_new_session } => {
            let token = is_new_session.then(|| authenticated.token.expose().to_owned());
            let reply = Reply::ok(responses::ChangePassword { token, user: wire::user(&authenticated.account) });
            Ok(if is_new_session { wire::with_session(reply, context, &authenticated) } else { reply })
        }
        ChangePassword::UnfitPassword(unfit) => Err(refusal::of_unfit_password(unfit)),
        ChangePassword::Unconfirmed(unconfirmed) => Err(refusal::of_unconfirmed(unconfirmed, flows.now())),
        ChangePassword::NoPassword => {
            let message = "Credential account not found";
            Err(Error::new(Status::BAD_REQUEST, "CREDENTIAL_ACCOUNT_NOT_FOUND", message))
        }
    }
}
