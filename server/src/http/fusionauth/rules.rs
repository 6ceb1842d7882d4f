//! What the edge asks of the dialect: its limits and its words for refusals.

use crate::edge::rate_limit::RateLimit;
use crate::edge::{Bodies, DialectRules, Refusal};
use countersign_api::ParsedBody;
use countersign_api::fusionauth::Error;
use dropshot::{Body, ErrorStatusCode as Status};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, Response};
use std::time::Duration;

/// For those who show no credentials, where some are needed: they can only be trying.
const STRICT: RateLimit = RateLimit { window: Duration::from_secs(10), max: 100 };
/// Where none are needed. Services call there as well, for all their people, from one address.
const LENIENT: RateLimit = RateLimit { window: Duration::from_secs(10), max: 1_000 };
const OPEN_PATHS: [&str; 4] = ["/two-factor/login", "/two-factor/send/", "/jwt/refresh", "/status"];

/// The dialect's side of the edge.
pub struct Rules;

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
        let is_open = OPEN_PATHS.iter().any(|open| path.starts_with(open)) || path == "/jwks.json";
        match headers.contains_key(AUTHORIZATION) || headers.contains_key(COOKIE) {
            // Whose they are is looked at where the accounts' own budgets are.
            true if !is_open => None,
            _ => Some(if is_open { LENIENT } else { STRICT }),
        }
    }

    fn bodies(&self, _path: &str) -> Bodies {
        // The published clients label a request without a body as text.
        Bodies::JsonOrNothing
    }

    fn guard(&self, _request: &http::request::Parts, _body: &ParsedBody) -> Result<(), Box<Response<Body>>> {
        // The cookies of this dialect are `SameSite=Lax`, and nothing is changed by a GET.
        Ok(())
    }
}
