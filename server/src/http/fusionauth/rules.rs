//! The dialect's side of the edge: rate limits, refusals and media types.

use crate::edge::rate_limit::RateLimit;
use crate::edge::{Bodies, DialectRules, Refusal, path};
use crate::operations::FUSIONAUTH;
use countersign_api::ParsedBody;
use countersign_api::fusionauth::Error;
use dropshot::{Body, ErrorStatusCode as Status};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, Response};
use std::time::Duration;

/// For requests without credentials to operations that need some: they can only be guesses.
const STRICT: RateLimit = RateLimit { window: Duration::from_secs(10), max: 100 };
/// For operations that need no credentials. Services call them too, for all their users from one address.
const LENIENT: RateLimit = RateLimit { window: Duration::from_secs(10), max: 1_000 };

/// Implements [`DialectRules`] for FusionAuth.
pub struct Rules {
    /// Path templates of the operations that need no credentials.
    open_paths: Vec<&'static str>,
}

impl Rules {
    #[must_use]
    pub fn new() -> Self {
        let open = FUSIONAUTH.iter().filter(|operation| operation.anonymous_allowed);
        Self { open_paths: open.map(|operation| operation.path).collect() }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::new()
    }
}

impl DialectRules for Rules {
    fn refuse(&self, refusal: &Refusal) -> Response<Body> {
        let error = match refusal {
            Refusal::InvalidJson => Error::general("invalidJSON", "Unable to parse the request body as JSON."),
            Refusal::UnsupportedMediaType { .. } => Error::of_status(Status::BAD_REQUEST),
            Refusal::BodyTooLarge { .. } => Error::of_status(Status::PAYLOAD_TOO_LARGE),
            Refusal::NotFound => Error::of_status(Status::NOT_FOUND),
            Refusal::RateLimited { .. } => Error::of_status(Status::TOO_MANY_REQUESTS),
            Refusal::Overloaded { .. } | Refusal::TimedOut => Error::of_status(Status::SERVICE_UNAVAILABLE),
            Refusal::Internal => Error::of_status(Status::INTERNAL_SERVER_ERROR),
        };
        error.to_response()
    }

    fn rate_limit(&self, path: &str, headers: &HeaderMap) -> Option<RateLimit> {
        let is_open = self.open_paths.iter().any(|template| path::matches(template, path));
        let has_credentials = headers.contains_key(AUTHORIZATION) || headers.contains_key(COOKIE);
        match (is_open, has_credentials) {
            (true, _) => Some(LENIENT),
            (false, false) => Some(STRICT),
            // Services and signed-in users: quotas per account, in the database, apply instead.
            (false, true) => None,
        }
    }

    fn bodies(&self, _operation_id: &str) -> Bodies {
        // The published clients label a request without a body as text.
        Bodies::JsonOrNothing
    }

    fn guard(&self, _request: &http::request::Parts, _body: &ParsedBody) -> Result<(), Box<Response<Body>>> {
        // The cookies of this dialect are `SameSite=Lax`, and no GET changes anything.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn open_paths_are_those_of_the_contract() {
        let expected = [
            "/api/two-factor/login",
            "/api/two-factor/send/{twoFactorId}",
            "/api/user/change-password/{changePasswordId}",
            "/api/user/change-password/{changePasswordId}",
            "/api/jwt/refresh",
            "/.well-known/jwks.json",
            "/api/status",
        ];
        assert_eq!(Rules::new().open_paths, expected);
    }

    #[test]
    fn limits_depend_on_path_and_credentials() {
        let rules = Rules::new();
        let key = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("key"))]);
        for path in ["/api/two-factor/login", "/api/two-factor/send/abc", "/.well-known/jwks.json"] {
            assert_eq!(rules.rate_limit(path, &HeaderMap::new()), Some(LENIENT), "{path}");
            assert_eq!(rules.rate_limit(path, &key), Some(LENIENT), "{path}");
        }
        for path in ["/api/login", "/api/two-factor/send", "/api/user/7", "/api/unknown"] {
            assert_eq!(rules.rate_limit(path, &HeaderMap::new()), Some(STRICT), "{path}");
            assert_eq!(rules.rate_limit(path, &key), None, "{path}");
        }
    }
}
