//! What the edge asks of the dialect: its limits, its words for refusals, its origin rules.

use super::origin;
use crate::edge::rate_limit::RateLimit;
use crate::edge::trusted_origins::TrustedOrigins;
use crate::edge::{Bodies, DialectRules, Refusal};
use countersign_api::ParsedBody;
use countersign_api::better_auth::Error;
use dropshot::{Body, ErrorStatusCode as Status};
use http::{HeaderMap, Response};
use std::time::Duration;

/// Limits of wire reference §5: few tries where something can be guessed, many elsewhere.
const STRICT: RateLimit = RateLimit { window: Duration::from_secs(10), max: 3 };
const LENIENT: RateLimit = RateLimit { window: Duration::from_secs(10), max: 100 };
const STRICT_PATHS: [&str; 4] = ["/two-factor/", "/sign-in", "/sign-up", "/change-password"];
const FORM_PATHS: [&str; 2] = ["/sign-in/email", "/sign-up/email"];

/// The dialect's side of the edge.
pub struct Rules {
    trusted_origins: TrustedOrigins,
}

impl Rules {
    /// Rules that trust these origins.
    #[must_use]
    pub fn new(trusted_origins: TrustedOrigins) -> Self {
        Self { trusted_origins }
    }
}

impl DialectRules for Rules {
    fn refuse(&self, refusal: &Refusal) -> Response<Body> {
        let error = match refusal {
            Refusal::InvalidJson => Error::new(Status::BAD_REQUEST, "BAD_REQUEST", "Invalid JSON in request body"),
            Refusal::UnsupportedMediaType { sent } => {
                let message = format!("Content-Type \"{sent}\" is not allowed. Allowed types: application/json");
                Error::new(Status::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)
            }
            Refusal::BodyTooLarge { limit } => {
                let message = format!("The request body is too large: at most {limit} bytes are read.");
                Error::new(Status::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
            }
            Refusal::NotFound => Error::of_status(Status::NOT_FOUND),
            Refusal::RateLimited { retry_after } => {
                Error::of_status(Status::TOO_MANY_REQUESTS).with_retry_after(*retry_after)
            }
            Refusal::Overloaded { .. } | Refusal::TimedOut => Error::of_status(Status::SERVICE_UNAVAILABLE),
            Refusal::Internal => Error::of_status(Status::INTERNAL_SERVER_ERROR),
        };
        error.to_response()
    }

    fn rate_limit(&self, path: &str, _headers: &HeaderMap) -> Option<RateLimit> {
        Some(if STRICT_PATHS.iter().any(|prefix| path.starts_with(prefix)) { STRICT } else { LENIENT })
    }

    fn bodies(&self, path: &str) -> Bodies {
        if FORM_PATHS.contains(&path) { Bodies::JsonOrForm } else { Bodies::Json }
    }

    fn guard(&self, request: &http::request::Parts, body: &ParsedBody) -> Result<(), Box<Response<Body>>> {
        let checked = origin::check_request(&self.trusted_origins, request, body);
        checked.map_err(|refusal| Box::new(Error::from(refusal).to_response()))
    }
}
