//! How a request shows who sends it: session, challenge and trust, by cookie or by bearer (wire reference §3, §7).

use super::cookies::{Cookie, Presented, decoded};
use super::{Context, caller, refusal};
use crate::flows::second_factor::Presenter;
use crate::flows::{Authenticated, Caller};
use crate::http::shared::Authorization;
use countersign_api::better_auth::Error;
use countersign_domain::secret::{ChallengeToken, SessionToken};

/// Everything a request shows.
pub struct Credentials {
    session: SessionCredential,
    challenge: Option<ChallengeToken>,
    trust: Presented,
}

enum SessionCredential {
    /// None is shown.
    Absent,
    /// One is shown that is ours or stands for itself; `None` when it cannot be a token at all.
    Shown(Option<SessionToken>),
}

/// Whether a request is signed in.
pub enum Standing {
    /// It is.
    Live(Box<Authenticated>),
    /// It shows a session that is over.
    Dead,
    /// It shows none.
    Stranger,
}

impl Credentials {
    /// Reads them. A bearer token takes the place of the session cookie; one whose signature is wrong is as if it
    /// were not there. A challenge's token as bearer takes the place of session and challenge cookie.
    #[must_use]
    pub fn read(context: &Context) -> Self {
        let (headers, cookies) = (context.request.headers(), &context.context().cookies);
        let trust = cookies.read(headers, Cookie::Trust);
        let bearer = Authorization::read(headers).into_bearer();
        if let Some(challenge) = bearer.as_deref().and_then(ChallengeToken::parse) {
            return Self { session: SessionCredential::Absent, challenge: Some(challenge), trust };
        }
        let from_bearer = bearer.and_then(|text| match text.contains('.') {
            true => cookies.verify(Cookie::Session, &decoded(&text)),
            false => Some(text),
        });
        let shown = from_bearer.or_else(|| cookies.read(headers, Cookie::Session).signed().map(str::to_owned));
        let session =
            shown.map_or(SessionCredential::Absent, |text| SessionCredential::Shown(SessionToken::parse(&text)));
        let challenge = cookies.read(headers, Cookie::Challenge).signed().and_then(ChallengeToken::parse);
        Self { session, challenge, trust }
    }

    /// The session token, if one is shown that may be one.
    #[must_use]
    pub fn session_token(&self) -> Option<&SessionToken> {
        match &self.session {
            SessionCredential::Shown(token) => token.as_ref(),
            SessionCredential::Absent => None,
        }
    }

    /// The value of the trust cookie, if it is signed by us.
    #[must_use]
    pub fn trust(&self) -> Option<&str> {
        self.trust.signed()
    }

    /// Looks the session up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn standing(&self, context: &Context) -> Result<Standing, Error> {
        match &self.session {
            SessionCredential::Absent => Ok(Standing::Stranger),
            SessionCredential::Shown(None) => Ok(Standing::Dead),
            SessionCredential::Shown(Some(token)) => {
                let found = context.context().flows.authenticate(token).await.map_err(refusal::of_failure)?;
                Ok(found.map_or(Standing::Dead, |authenticated| Standing::Live(Box::new(authenticated))))
            }
        }
    }
}

/// The live session of the request, which must have one.
///
/// # Errors
/// 401 `UNAUTHORIZED`, clearing the cookies of a session that is over.
pub async fn require_session(context: &Context) -> Result<(Caller, Box<Authenticated>), Error> {
    match Credentials::read(context).standing(context).await? {
        Standing::Live(authenticated) => Ok((caller(context), authenticated)),
        Standing::Dead => Err(refusal::unauthorized_and_cleared(&context.context().cookies)),
        Standing::Stranger => Err(refusal::unauthorized()),
    }
}

/// Who presents a second factor: a live session, else a challenge.
///
/// # Errors
/// 401 `INVALID_TWO_FACTOR_COOKIE` when there is neither.
pub async fn require_presenter(context: &Context) -> Result<(Caller, Presenter), Error> {
    let credentials = Credentials::read(context);
    let cookies = &context.context().cookies;
    let presenter = match (credentials.standing(context).await?, credentials.challenge) {
        (Standing::Live(authenticated), _) => Presenter::Session(authenticated),
        (Standing::Dead | Standing::Stranger, Some(challenge)) => Presenter::Challenge(challenge),
        (Standing::Dead, None) => return Err(refusal::clear_session(refusal::no_challenge(), cookies)),
        (Standing::Stranger, None) => return Err(refusal::no_challenge()),
    };
    Ok((caller(context), presenter))
}
