//! The API's side of the edge: rate limits, refusals and media types.

use crate::edge::proven::Proof;
use crate::edge::rate_limit::{Limit, RateLimit};
use crate::edge::{Bodies, DialectRules, Refusal};
use crate::http::shared::Authorization;
use countersign_api::ParsedBody;
use countersign_api::admin::Problem;
use countersign_domain::policy::RequestRates;
use dropshot::{Body, ErrorStatusCode as Status};
use http::{HeaderMap, Response};

/// Implements [`DialectRules`] for the administration API.
pub struct Rules {
    /// For requests without an API key that was found to be valid: it may be a guess. Services with one have no limit, since what
    /// they do is allowed to them; what takes long waits in queues of its own.
    strict: RateLimit,
}

impl Rules {
    /// Rules with these limits.
    #[must_use]
    pub fn new(rates: RequestRates) -> Self {
        Self { strict: RateLimit { window: rates.window, max: rates.general } }
    }
}

impl DialectRules for Rules {
    fn refuse(&self, refusal: &Refusal) -> Response<Body> {
        let problem = match refusal {
            Refusal::InvalidJson => Problem::new(Status::BAD_REQUEST, "INVALID_JSON", "The body is not JSON."),
            Refusal::UnsupportedMediaType { .. } => Problem::of_status(Status::UNSUPPORTED_MEDIA_TYPE),
            Refusal::BodyTooLarge { limit } => {
                let detail = format!("The body is too large: at most {limit} bytes are read.");
                Problem::new(Status::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", detail)
            }
            Refusal::NotFound => Problem::of_status(Status::NOT_FOUND),
            Refusal::MethodNotAllowed { allowed } => Problem::of_status(Status::METHOD_NOT_ALLOWED).allowing(allowed),
            Refusal::RateLimited { .. } => Problem::of_status(Status::TOO_MANY_REQUESTS),
            Refusal::Overloaded { .. } | Refusal::TimedOut => Problem::of_status(Status::SERVICE_UNAVAILABLE),
            Refusal::Internal => Problem::of_status(Status::INTERNAL_SERVER_ERROR),
        };
        problem.to_response()
    }

    fn rate_limit(&self, _template: Option<&str>, proof: Option<Proof>) -> Limit {
        match proof {
            Some(Proof::Service) => Limit::None,
            Some(Proof::User) | None => Limit::PerNetwork(self.strict),
        }
    }

    fn credential(&self, headers: &HeaderMap) -> Option<String> {
        Authorization::read(headers).into_bearer()
    }

    fn names_methods(&self) -> bool {
        true
    }

    fn is_for_pages(&self) -> bool {
        // Pages must not hold an API key.
        false
    }

    fn bodies(&self, _operation_id: &str) -> Bodies {
        Bodies::Json
    }

    fn guard(&self, _request: &http::request::Parts, _body: &ParsedBody) -> Result<(), Box<Response<Body>>> {
        // No credential here is one that a browser attaches by itself.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header;

    #[test]
    fn only_a_valid_api_key_lifts_the_limit() {
        let rules = Rules::new(RequestRates::default());
        let strict = Limit::PerNetwork(rules.strict);
        for (proof, expected) in [(None, strict), (Some(Proof::User), strict), (Some(Proof::Service), Limit::None)] {
            assert_eq!(rules.rate_limit(Some("/admin/users"), proof), expected);
            assert_eq!(rules.rate_limit(None, proof), expected);
        }
    }

    #[test]
    fn every_refusal_is_problem_details_r6() {
        let rules = Rules::new(RequestRates::default());
        let retry_after = std::time::Duration::from_secs(1);
        for refusal in [
            Refusal::NotFound,
            Refusal::MethodNotAllowed { allowed: vec![http::Method::GET] },
            Refusal::InvalidJson,
            Refusal::UnsupportedMediaType { sent: "text/plain".to_owned(), takes_forms: false },
            Refusal::BodyTooLarge { limit: 1 },
            Refusal::RateLimited { retry_after },
            Refusal::Overloaded { retry_after },
            Refusal::TimedOut,
            Refusal::Internal,
        ] {
            let response = rules.refuse(&refusal);
            assert_eq!(response.status(), refusal.status(), "{refusal:?}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json", "{refusal:?}");
        }
    }

    #[test]
    fn the_key_is_a_bearer_token_and_nothing_else() {
        let rules = Rules::new(RequestRates::default());
        for (sent, expected) in [("Bearer key", Some("key")), ("key", None), ("Basic key", None)] {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, http::HeaderValue::from_static(sent))]);
            assert_eq!(rules.credential(&headers).as_deref(), expected, "{sent}");
        }
    }
}
