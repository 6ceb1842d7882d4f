//! The dialect's side of the edge: rate limits, refusals, media types and origin rules.

use super::origin::{self, OriginRefusal};
use crate::edge::proven::Proof;
use crate::edge::rate_limit::{Limit, RateLimit};
use crate::edge::untrusted_origins::UntrustedOrigins;
use crate::edge::{Bodies, DialectRules, Refusal};
use crate::net::origin::TrustedOrigins;
use crate::operations::BETTER_AUTH;
use countersign_api::better_auth::Error;
use countersign_api::{DialectName, ParsedBody};
use countersign_domain::policy::RequestRates;
use dropshot::{Body, ErrorStatusCode as Status};
use http::{HeaderMap, Response};
use std::borrow::Cow;
use std::sync::Arc;

/// Prefixes of paths below the base path: those of wire reference §5, and the passkey operations that verify a signature.
const STRICT_PATHS: [&str; 10] = [
    "/two-factor/",
    "/sign-in",
    "/sign-up",
    "/change-password",
    "/change-email",
    "/request-password-reset",
    "/forget-password",
    "/send-verification-email",
    "/passkey/verify-registration",
    "/passkey/verify-authentication",
];
/// What begins the paths of passkeys below the base path.
const PASSKEY_PATHS: &str = "/passkey/";
const FORM: &str = "application/x-www-form-urlencoded";

/// Implements [`DialectRules`] for Better Auth.
pub struct Rules {
    trusted_origins: TrustedOrigins,
    untrusted_origins: Arc<UntrustedOrigins>,
    /// Where a secret can be guessed (wire reference §5).
    strict: RateLimit,
    lenient: RateLimit,
}

impl Rules {
    /// Rules that trust these origins, log others, and have these limits.
    #[must_use]
    pub fn new(trusted_origins: TrustedOrigins, untrusted_origins: Arc<UntrustedOrigins>, rates: RequestRates) -> Self {
        let strict = RateLimit { window: rates.window, max: rates.guessable };
        let lenient = RateLimit { window: rates.window, max: rates.general };
        Self { trusted_origins, untrusted_origins, strict, lenient }
    }
}

/// The paths of all operations with passkeys.
pub fn passkey_paths() -> impl Iterator<Item = &'static str> {
    let is_of_passkeys = |path: &&str| {
        let relative = path.strip_prefix(DialectName::BetterAuth.base_path());
        relative.is_some_and(|path| path.starts_with(PASSKEY_PATHS))
    };
    BETTER_AUTH.iter().map(|operation| operation.path).filter(is_of_passkeys)
}

/// The response to a refused request. Where it was to lead to is logged if that could be trusted.
pub(super) fn refused(refusal: OriginRefusal, untrusted: &UntrustedOrigins) -> Error {
    if let OriginRefusal::UntrustedUrl { field, url } = &refusal {
        untrusted.log_target(url, field.name());
    }
    Error::from(refusal)
}

impl DialectRules for Rules {
    fn refuse(&self, refusal: &Refusal) -> Response<Body> {
        let error = match refusal {
            Refusal::InvalidJson => Error::new(Status::BAD_REQUEST, "BAD_REQUEST", "Invalid JSON in request body"),
            Refusal::UnsupportedMediaType { sent, takes_forms } => {
                let allowed = if *takes_forms {
                    "application/x-www-form-urlencoded, application/json"
                } else {
                    "application/json"
                };
                let message = format!("Content-Type \"{sent}\" is not allowed. Allowed types: {allowed}");
                Error::new(Status::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)
            }
            Refusal::BodyTooLarge { limit } => {
                let message = format!("The request body is too large: at most {limit} bytes are read.");
                Error::new(Status::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
            }
            Refusal::NotFound | Refusal::MethodNotAllowed { .. } => Error::of_status(Status::NOT_FOUND),
            Refusal::RateLimited { retry_after } => {
                Error::of_status(Status::TOO_MANY_REQUESTS).with_retry_after(*retry_after)
            }
            Refusal::Overloaded { .. } | Refusal::TimedOut => Error::of_status(Status::SERVICE_UNAVAILABLE),
            Refusal::Internal => Error::of_status(Status::INTERNAL_SERVER_ERROR),
        };
        error.to_response()
    }

    fn rate_limit(&self, template: Option<&str>, _proof: Option<Proof>) -> Limit {
        let relative = template.and_then(|path| path.strip_prefix(DialectName::BetterAuth.base_path()));
        let is_strict = relative.is_some_and(|path| STRICT_PATHS.iter().any(|prefix| path.starts_with(prefix)));
        Limit::PerNetwork(if is_strict { self.strict } else { self.lenient })
    }

    fn source<'a>(&self, headers: &'a HeaderMap) -> Option<Cow<'a, str>> {
        origin::source(headers)
    }

    fn bodies(&self, operation_id: &str) -> Bodies {
        let operation = BETTER_AUTH.iter().find(|operation| operation.operation_id == operation_id);
        let takes_forms = operation.is_some_and(|operation| operation.media_types.contains(&FORM));
        if takes_forms { Bodies::JsonOrForm } else { Bodies::Json }
    }

    fn guard(&self, request: &http::request::Parts, body: &ParsedBody) -> Result<(), Box<Response<Body>>> {
        let checked = origin::check_request(&self.trusted_origins, request, body);
        checked.map_err(|refusal| Box::new(refused(refusal, &self.untrusted_origins).to_response()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strict_prefix_is_that_of_an_operation_and_ends_where_a_segment_does() {
        let paths = BETTER_AUTH.iter().filter_map(|operation| operation.path.strip_prefix("/api/auth"));
        let paths: Vec<&str> = paths.collect();
        assert_eq!(paths.len(), BETTER_AUTH.len());
        for prefix in STRICT_PATHS {
            let is_whole = |path: &&&str| {
                let rest = path.strip_prefix(prefix);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/'))
            };
            assert!(paths.iter().find(is_whole).is_some(), "{prefix}");
        }
    }

    #[test]
    fn forms_are_accepted_where_the_contract_says() {
        let base = crate::net::origin::Origin::parse("http://localhost:3000").expect("an origin");
        let log = slog::Logger::root(slog::Discard, slog::o!());
        let untrusted = UntrustedOrigins::new(log, Arc::new(crate::clock::SystemClock));
        let rules = Rules::new(TrustedOrigins::new(base, []), Arc::new(untrusted), RequestRates::default());
        let takes_forms =
            BETTER_AUTH.iter().filter(|operation| rules.bodies(operation.operation_id) == Bodies::JsonOrForm);
        let paths: Vec<&str> = takes_forms.map(|operation| operation.path).collect();
        assert_eq!(paths, ["/api/auth/sign-up/email", "/api/auth/sign-in/email"]);
        assert_eq!(rules.bodies("unknown"), Bodies::Json);
    }
}
