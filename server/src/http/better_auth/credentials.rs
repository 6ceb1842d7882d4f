//! The credentials of a request: session, challenge and trusted device, by cookie or by bearer token (wire reference §3, §7).

use super::cookies::{Cookie, Presented, decoded};
use super::{Context, caller, refusal};
use crate::edge::noted;
use crate::http::shared::Authorization;
use countersign_api::better_auth::Error;
use countersign_domain::secret::{ChallengeToken, SessionToken};
use countersign_flows::second_factor::Claimant;
use countersign_flows::sessions::NoSession;
use countersign_flows::{Authenticated, Caller, FullSession};

/// All credentials of a request.
pub struct Credentials {
    session: SessionCredential,
    /// A challenge token as bearer.
    bearer_challenge: Option<ChallengeToken>,
    challenge_cookie: Option<ChallengeToken>,
    trust: Presented,
}

enum SessionCredential {
    Absent,
    /// `None` if it cannot be a session token at all, or is a cookie that no key of ours has signed.
    Present(Option<SessionToken>),
}

pub enum SessionState {
    Live(Box<Authenticated>),
    /// The request has a session token that is unknown or expired.
    Dead,
    /// The request has no session token, or one that is good again after a lock of the account.
    None,
}

impl Credentials {
    /// Reads the credentials. A bearer token takes the place of the session cookie; one with a wrong signature counts as
    /// absent. A challenge token as bearer takes the place of the session and challenge cookies.
    #[must_use]
    pub fn read(context: &Context) -> Self {
        let (headers, cookies) = (context.request.headers(), &context.context().cookies);
        let trust = cookies.read_signed(headers, Cookie::Trust);
        let bearer = Authorization::read(headers).into_bearer();
        if let Some(challenge) = bearer.as_deref().and_then(ChallengeToken::parse) {
            let session = SessionCredential::Absent;
            return Self { session, bearer_challenge: Some(challenge), challenge_cookie: None, trust };
        }
        let from_bearer = bearer.and_then(|text| match text.contains('.') {
            true => cookies.verify(Cookie::Session, &decoded(&text)),
            false => Some(text),
        });
        let presented = from_bearer.map_or_else(|| cookies.read_signed(headers, Cookie::Session), Presented::Signed);
        let session = match presented {
            Presented::Absent => SessionCredential::Absent,
            Presented::Forged => SessionCredential::Present(None),
            Presented::Signed(text) => SessionCredential::Present(SessionToken::parse(&text)),
        };
        let challenge_cookie = cookies.read_signed(headers, Cookie::Challenge).signed().and_then(ChallengeToken::parse);
        Self { session, bearer_challenge: None, challenge_cookie, trust }
    }

    #[must_use]
    pub fn session_token(&self) -> Option<&SessionToken> {
        match &self.session {
            SessionCredential::Present(token) => token.as_ref(),
            SessionCredential::Absent => None,
        }
    }

    /// The token of a challenge: by bearer, else by cookie.
    #[must_use]
    pub fn challenge(&self) -> Option<&ChallengeToken> {
        self.bearer_challenge.as_ref().or(self.challenge_cookie.as_ref())
    }

    /// The value of the trust cookie, if its signature is right.
    #[must_use]
    pub fn trust(&self) -> Option<&str> {
        self.trust.signed()
    }

    /// Looks the session up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_state(&self, context: &Context) -> Result<SessionState, Error> {
        match &self.session {
            SessionCredential::Absent => Ok(SessionState::None),
            SessionCredential::Present(None) => Ok(SessionState::Dead),
            SessionCredential::Present(Some(token)) => {
                let found = context.context().flows.authenticate(token).await.map_err(refusal::of_failure)?;
                Ok(match found {
                    Ok(authenticated) => {
                        noted::account(authenticated.account.id);
                        SessionState::Live(Box::new(authenticated))
                    }
                    Err(NoSession::Ended) => SessionState::Dead,
                    Err(NoSession::Paused) => SessionState::None,
                })
            }
        }
    }
}

/// Whether the request carries a value that this deployment signed, for a session, a challenge or a trusted device, which
/// may have ended meanwhile.
pub fn has_signature(context: &Context) -> bool {
    let (headers, cookies) = (context.request.headers(), &context.context().cookies);
    let bearer = Authorization::read(headers).into_bearer();
    bearer.is_some_and(|text| cookies.verify(Cookie::Session, &decoded(&text)).is_some())
        || [Cookie::Session, Cookie::Challenge, Cookie::Trust]
            .into_iter()
            .any(|cookie| cookies.read_signed(headers, cookie).signed().is_some())
}

/// The live session of the request, which may be one that can only enrol.
///
/// # Errors
/// 401 `UNAUTHORIZED`, clearing the cookies of a dead session.
pub async fn require_session(context: &Context) -> Result<(Caller, Box<Authenticated>), Error> {
    match Credentials::read(context).session_state(context).await? {
        // A bearer token need not have a signature.
        SessionState::Live(authenticated) => Ok((Caller { is_known: true, ..caller(context) }, authenticated)),
        SessionState::Dead => Err(refusal::unauthorized_and_cleared(&context.context().cookies)),
        SessionState::None => Err(refusal::unauthorized()),
    }
}

/// The live session of the request, which may do everything.
///
/// # Errors
/// 401 as [`require_session`], 403 `ENROLMENT_REQUIRED`.
pub async fn require_full_session(context: &Context) -> Result<(Caller, FullSession), Error> {
    let (caller, authenticated) = require_session(context).await?;
    Ok((caller, authenticated.into_full().map_err(refusal::enrolment_due)?))
}

/// Who presents a second factor: a live session, else a challenge, by bearer token, else by the `token` of the body, else by
/// cookie.
///
/// # Errors
/// 401 `INVALID_TWO_FACTOR_COOKIE` when there is neither.
pub async fn require_claimant(context: &Context, body_token: Option<&str>) -> Result<(Caller, Claimant), Error> {
    let credentials = Credentials::read(context);
    let cookies = &context.context().cookies;
    let session = credentials.session_state(context).await?;
    let from_body = || body_token.and_then(ChallengeToken::parse);
    let challenge = credentials.bearer_challenge.or_else(from_body).or(credentials.challenge_cookie);
    let claimant = match (session, challenge) {
        (SessionState::Live(authenticated), _) => Claimant::Session(authenticated),
        (SessionState::Dead | SessionState::None, Some(challenge)) => Claimant::Challenge(challenge.digest()),
        (SessionState::Dead, None) => return Err(refusal::clear_session(refusal::no_challenge(), cookies)),
        (SessionState::None, None) => return Err(refusal::no_challenge()),
    };
    Ok((caller(context), claimant))
}
