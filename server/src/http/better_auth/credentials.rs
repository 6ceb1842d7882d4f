//! The credentials of a request: session, challenge and trust, by cookie or bearer (wire reference §3, §7).

use super::cookies::{Cookie, Presented, percent_decoded};
use super::{Context, caller, refusal};
use crate::flows::second_factor::Presenter;
use crate::flows::{Authenticated, Caller};
use crate::http::shared::Authorization;
use countersign_api::better_auth::Error;
use countersign_domain::secret::{ChallengeToken, SessionToken};

pub struct Credentials {
    session: SessionCredential,
    challenge: Option<ChallengeToken>,
    trust: Presented,
}

enum SessionCredential {
    Absent,
    /// Signed by us, or unsigned as bearer; `None` when it has not the form of a token.
    Present(Option<SessionToken>),
}

/// The session of a request.
pub enum SessionState {
    Live(Box<Authenticated>),
    /// A session token that names no live session.
    Ended,
    /// No session token.
    Absent,
}

impl Credentials {
    /// Reads them. A bearer token replaces the session cookie; one with an invalid signature is ignored. A challenge token
    /// as bearer replaces session and challenge cookie.
    #[must_use]
    pub fn read(context: &Context) -> Self {
        let (headers, cookies) = (context.request.headers(), &context.context().cookies);
        let trust = cookies.read(headers, Cookie::Trust);
        let bearer = Authorization::read(headers).into_bearer();
        if let Some(challenge) = bearer.as_deref().and_then(ChallengeToken::parse) {
            return Self { session: SessionCredential::Absent, challenge: Some(challenge), trust };
        }
        let from_bearer = bearer.and_then(|text| match text.contains('.') {
            true => cookies.verify(Cookie::Session, &percent_decoded(&text)),
            false => Some(text),
        });
        let token = from_bearer.or_else(|| cookies.read(headers, Cookie::Session).signed().map(str::to_owned));
        let session =
            token.map_or(SessionCredential::Absent, |text| SessionCredential::Present(SessionToken::parse(&text)));
        let challenge = cookies.read(headers, Cookie::Challenge).signed().and_then(ChallengeToken::parse);
        Self { session, challenge, trust }
    }

    /// The session token, live or not.
    #[must_use]
    pub fn session_token(&self) -> Option<&SessionToken> {
        match &self.session {
            SessionCredential::Present(token) => token.as_ref(),
            SessionCredential::Absent => None,
        }
    }

    /// The value of the trust cookie, if its signature is valid.
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
            SessionCredential::Absent => Ok(SessionState::Absent),
            SessionCredential::Present(None) => Ok(SessionState::Ended),
            SessionCredential::Present(Some(token)) => {
                let found = context.context().flows.authenticate(token).await.map_err(refusal::of_failure)?;
                Ok(found.map_or(SessionState::Ended, |authenticated| SessionState::Live(Box::new(authenticated))))
            }
        }
    }
}

/// The live session of the request.
///
/// # Errors
/// 401 `UNAUTHORIZED`, clearing the cookies of an ended session.
pub async fn require_session(context: &Context) -> Result<(Caller, Box<Authenticated>), Error> {
    match Credentials::read(context).session_state(context).await? {
        SessionState::Live(authenticated) => Ok((caller(context), authenticated)),
        SessionState::Ended => Err(refusal::unauthorized_and_cleared(&context.context().cookies)),
        SessionState::Absent => Err(refusal::unauthorized()),
    }
}

/// Who presents a second factor: a live session, else a challenge.
///
/// # Errors
/// 401 `INVALID_TWO_FACTOR_COOKIE` when there is neither.
pub async fn require_presenter(context: &Context) -> Result<(Caller, Presenter), Error> {
    let credentials = Credentials::read(context);
    let cookies = &context.context().cookies;
    let presenter = match (credentials.session_state(context).await?, credentials.challenge) {
        (SessionState::Live(authenticated), _) => Presenter::Session(authenticated),
        (SessionState::Ended | SessionState::Absent, Some(challenge)) => Presenter::Challenge(challenge),
        (SessionState::Ended, None) => return Err(refusal::clear_session(refusal::no_challenge(), cookies)),
        (SessionState::Absent, None) => return Err(refusal::no_challenge()),
    };
    Ok((caller(context), presenter))
}
