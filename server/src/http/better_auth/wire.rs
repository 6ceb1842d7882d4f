//! What the domain knows, as the dialect shows it.

use super::Context;
use super::cookies::{Cookie, Cookies, Presented};
use super::credentials::Credentials;
use crate::edge::noted;
use countersign_api::Reply;
use countersign_api::better_auth::responses::ChallengeMethod;
use countersign_api::better_auth::{WireTime, responses};
use countersign_domain::account::{Account, EmailAddress};
use countersign_domain::address::MethodKind;
use countersign_domain::method::Method;
use countersign_domain::secret::Bearer;
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;
use countersign_flows::Authenticated;
use countersign_flows::devices::FoundTrustedDevice;
use http::header::ACCESS_CONTROL_EXPOSE_HEADERS;
use http::{HeaderName, HeaderValue};

const SET_AUTH_TOKEN: HeaderName = HeaderName::from_static("set-auth-token");

pub(super) fn time(timestamp: Timestamp) -> WireTime {
    WireTime::from_millis(timestamp.as_millis())
}

/// A person.
#[must_use]
pub fn user(account: &Account) -> responses::User {
    responses::User {
        id: account.id.to_text(),
        name: account.name.clone(),
        email: account.email.as_ref().map(|email| email.as_str().to_owned()).unwrap_or_default(),
        email_verified: account.email_verified,
        image: account.image.clone(),
        created_at: time(account.created_at),
        updated_at: time(account.updated_at),
        two_factor_enabled: account.two_factor_enabled,
    }
}

/// How a user signs in.
#[must_use]
pub fn credentials(account: &Account) -> Vec<responses::Credential> {
    let id = account.id.to_text();
    let password = account.password.as_ref().map(|_| responses::Credential {
        id: id.clone(),
        provider_id: responses::Provider::Credential,
        account_id: id.clone(),
        user_id: id,
        scopes: Vec::new(),
        created_at: time(account.created_at),
        updated_at: time(account.password_changed_at),
    });
    password.into_iter().collect()
}

/// A session, with what it is called by: its token to who holds it, its id to the account's other sessions.
#[must_use]
pub fn session(session: &Session, token: String) -> responses::Session {
    responses::Session {
        id: session.id.to_text(),
        token,
        user_id: session.account_id.to_text(),
        expires_at: time(session.expires_at),
        created_at: time(session.created_at),
        updated_at: time(session.updated_at),
        ip_address: session.ip_address.clone(),
        user_agent: session.user_agent.clone(),
        device_name: session.device_name().as_str().to_owned(),
        last_used_at: time(session.last_used_at),
        signed_in_at: time(session.signed_in_at),
        second_factor_at: session.second_factor_at.map(time),
    }
}

/// A trusted device.
#[must_use]
pub fn trusted_device(found: &FoundTrustedDevice) -> responses::TrustedDevice {
    let device = &found.device;
    responses::TrustedDevice {
        id: device.id.to_text(),
        name: device.shown_name().as_str().to_owned(),
        user_agent: device.user_agent.clone(),
        ip_address: device.ip_address.clone(),
        created_at: time(device.given_at),
        last_used_at: time(device.last_used_at),
        expires_at: time(device.expires_at),
        is_current: found.is_presented,
    }
}

/// A session as verify-backup-code shows it.
#[must_use]
pub fn session_summary(authenticated: &Authenticated) -> responses::SessionInShort {
    responses::SessionInShort {
        token: authenticated.token.expose().to_owned(),
        user_id: authenticated.account.id.to_text(),
        created_at: time(authenticated.session.created_at),
        expires_at: time(authenticated.session.expires_at),
    }
}

/// The place of a session where none was opened. A published client requires it; it opens nothing, and has long ended.
#[must_use]
pub fn no_session(user: &responses::User) -> responses::SessionInShort {
    let never = WireTime::from_millis(0);
    responses::SessionInShort { token: String::new(), user_id: user.id.clone(), created_at: never, expires_at: never }
}

/// The user in the response that opens a challenge for this address.
#[must_use]
pub fn challenged_user(email: &EmailAddress, now: Timestamp) -> responses::SignInUser {
    responses::SignInUser::as_typed(email.as_str().to_owned(), time(now))
}

/// The user in the response to a link that proved this address and opened a challenge: its holder has read a mail, and is
/// shown nothing else of the account.
#[must_use]
pub fn challenged_by_link(address: Option<&EmailAddress>, now: Timestamp) -> responses::SignInUser {
    let address = address.map(|address| address.as_str().to_owned()).unwrap_or_default();
    responses::SignInUser { email_verified: true, ..responses::SignInUser::as_typed(address, time(now)) }
}

/// Hands a session to the client: its cookie, and its signed token for clients without cookies.
#[must_use]
pub fn with_session<R>(reply: Reply<R>, context: &Context, authenticated: &Authenticated) -> Reply<R> {
    let reply = with_session_cookie(reply, context, authenticated);
    let cookies = &context.context().cookies;
    let is_presented = cookies.read_signed(context.request.headers(), Cookie::DontRemember) != Presented::Absent;
    match authenticated.session.is_remembered {
        true if is_presented => reply.with_cookie(cookies.delete(Cookie::DontRemember)),
        true => reply,
        false => reply.with_cookie(cookies.set(Cookie::DontRemember, "true", None)),
    }
}

/// The same on a device that is trusted from now on: the cookie that carries `rememberMe: false` ends, as on the real server.
/// The session is as short as it was asked to be.
#[must_use]
pub fn with_session_on_trusted_device<R>(
    reply: Reply<R>,
    context: &Context,
    authenticated: &Authenticated,
) -> Reply<R> {
    let reply = with_session_cookie(reply, context, authenticated);
    reply.with_cookie(context.context().cookies.delete(Cookie::DontRemember))
}

fn with_session_cookie<R>(reply: Reply<R>, context: &Context, authenticated: &Authenticated) -> Reply<R> {
    noted::account(authenticated.account.id);
    let (app, session) = (context.context(), &authenticated.session);
    let token = authenticated.token.expose();
    // Of a session that goes on under a new token, the cookie may outlive it by the time since its last extension.
    let max_age = session.is_remembered.then(|| session.updated_at.until(session.expires_at));
    let signed = HeaderValue::try_from(app.cookies.sign(Cookie::Session, token)).expect("letters, digits and base64");
    reply
        .with_cookie(app.cookies.set(Cookie::Session, token, max_age))
        .with_header(SET_AUTH_TOKEN, signed)
        .with_header(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("set-auth-token"))
}

/// Hands a challenge to the client, in the place of a session.
#[must_use]
pub fn with_challenge<R>(reply: Reply<R>, context: &Context, challenge: &Bearer, is_remembered: bool) -> Reply<R> {
    let app = context.context();
    let lifetime = Some(app.flows.policy().challenge_lifetime);
    let reply = reply
        .with_cookie(app.cookies.delete(Cookie::Session))
        .with_cookie(app.cookies.delete(Cookie::SessionData))
        .with_cookie(app.cookies.set(Cookie::Challenge, challenge.expose(), lifetime));
    match is_remembered {
        true => reply,
        false => reply.with_cookie(app.cookies.set(Cookie::DontRemember, "true", None)),
    }
}

/// Deletes the cookie of a trust that did not stand in for the second factor, since it is dead. The response to the request that
/// replaced it may have come before this one, so what replaced it is left alone.
#[must_use]
pub fn without_dead_trust<R>(
    reply: Reply<R>,
    context: &Context,
    credentials: &Credentials,
    trust_is_superseded: bool,
) -> Reply<R> {
    match credentials.trust() {
        Some(_) if !trust_is_superseded => reply.with_cookie(context.context().cookies.delete(Cookie::Trust)),
        _ => reply,
    }
}

/// Clears the cookies of a session.
#[must_use]
pub fn with_session_cleared<R>(reply: Reply<R>, cookies: &Cookies) -> Reply<R> {
    [Cookie::Session, Cookie::SessionData, Cookie::DontRemember]
        .into_iter()
        .fold(reply, |reply, cookie| reply.with_cookie(cookies.delete(cookie)))
}

/// Sets the cookie of a trusted device, if there is a new token.
#[must_use]
pub fn with_trust<R>(reply: Reply<R>, context: &Context, trust: Option<&Bearer>) -> Reply<R> {
    let app = context.context();
    match trust {
        Some(token) => {
            let policy = app.flows.policy();
            let lifetime = Some(policy.trust_lifetime.min(policy.trust_absolute_lifetime));
            reply.with_cookie(app.cookies.set(Cookie::Trust, token.expose(), lifetime))
        }
        None => reply,
    }
}

/// What can complete a challenge (`twoFactorMethods`). Passkeys come last: clients that do not know them take the first that they know.
#[must_use]
pub fn challenge_methods(methods: &[Method]) -> Vec<ChallengeMethod> {
    let has = |kinds: &[MethodKind]| methods.iter().any(|method| kinds.contains(&method.kind));
    let totp = has(&[MethodKind::Authenticator]).then_some(ChallengeMethod::Totp);
    let otp = has(&[MethodKind::Email, MethodKind::Sms]).then_some(ChallengeMethod::Otp);
    let passkey = has(&[MethodKind::Passkey]).then_some(ChallengeMethod::Passkey);
    [totp, otp, passkey].into_iter().flatten().collect()
}
