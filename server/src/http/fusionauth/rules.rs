//! The dialect's side of the edge: rate limits, refusals and media types.

use super::cookies::{self, ACCESS_TOKEN};
use crate::edge::proven::Proof;
use crate::edge::rate_limit::{Limit, RateLimit};
use crate::edge::{Bodies, DialectRules, Refusal};
use crate::http::shared::Authorization;
use crate::net::cookie_scope::SameSite;
use crate::operations::FUSIONAUTH;
use countersign_api::ParsedBody;
use countersign_api::fusionauth::Error;
use countersign_domain::policy::RequestRates;
use dropshot::{Body, ErrorStatusCode as Status};
use http::{HeaderMap, Response};

/// Implements [`DialectRules`] for FusionAuth.
pub struct Rules {
    /// Path templates of the operations that need no credentials.
    open_paths: Vec<&'static str>,
    /// For requests to operations that need credentials, until those were found to be valid: they may be guesses.
    strict: RateLimit,
    /// For operations that need no credentials, which services call too, for all their users from one address; and for each
    /// user with an access token. Services with a valid key have no limit: quotas per account, in the database, apply instead.
    lenient: RateLimit,
    same_site: SameSite,
}

impl Rules {
    /// Rules with these limits, for cookies with this attribute.
    #[must_use]
    pub fn new(rates: RequestRates, same_site: SameSite) -> Self {
        let open = FUSIONAUTH.iter().filter(|operation| operation.anonymous_allowed);
        Self {
            open_paths: open.map(|operation| operation.path).collect(),
            strict: RateLimit { window: rates.window, max: rates.general },
            lenient: RateLimit { window: rates.window, max: rates.service },
            same_site,
        }
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

    fn rate_limit(&self, template: Option<&str>, proof: Option<Proof>) -> Limit {
        let is_open = template.is_some_and(|template| self.open_paths.contains(&template));
        match (is_open, proof) {
            (true, _) => Limit::PerNetwork(self.lenient),
            (false, None) => Limit::PerNetwork(self.strict),
            (false, Some(Proof::User)) => Limit::PerCredential(self.lenient),
            (false, Some(Proof::Service)) => Limit::None,
        }
    }

    fn credential(&self, headers: &HeaderMap) -> Option<String> {
        match Authorization::read(headers) {
            Authorization::Other(key) => Some(key),
            Authorization::Bearer(token) => Some(token),
            Authorization::Absent => cookies::read(headers, ACCESS_TOKEN),
        }
    }

    fn needs_trusted_page_for_cookies(&self) -> bool {
        self.same_site == SameSite::None
    }

    fn bodies(&self, _operation_id: &str) -> Bodies {
        // The published clients label a request without a body as text.
        Bodies::JsonOrNothing
    }

    fn meant_path(&self, path: &str) -> Option<&'static str> {
        // Clients end the path with an empty value when they are given no trust.
        (path == "/api/two-factor/status/").then_some("/api/two-factor/status")
    }

    fn guard(&self, _request: &http::request::Parts, _body: &ParsedBody) -> Result<(), Box<Response<Body>>> {
        // No GET changes anything, and with all other requests browsers send the cookies of this dialect from its own site only,
        // or else they count from trusted pages only.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules::new(RequestRates::default(), SameSite::Lax)
    }

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
        assert_eq!(rules().open_paths, expected);
    }

    #[test]
    fn one_path_has_a_second_spelling_32() {
        let rules = rules();
        assert_eq!(rules.meant_path("/api/two-factor/status/"), Some("/api/two-factor/status"));
        for path in ["/api/two-factor/status", "/api/two-factor/status//", "/api/two-factor/status/x", "/api/user/"] {
            assert_eq!(rules.meant_path(path), None, "{path}");
        }
    }

    #[test]
    fn limits_depend_on_operation_and_proof() {
        let rules = rules();
        let proofs = [None, Some(Proof::User), Some(Proof::Service)];
        for template in ["/api/two-factor/login", "/api/two-factor/send/{twoFactorId}", "/.well-known/jwks.json"] {
            let limits = proofs.map(|proof| rules.rate_limit(Some(template), proof));
            assert_eq!(limits, [Limit::PerNetwork(rules.lenient); 3], "{template}");
        }
        for template in [Some("/api/login"), Some("/api/two-factor/send"), Some("/api/user/{userId}"), None] {
            let limits = proofs.map(|proof| rules.rate_limit(template, proof));
            let expected = [Limit::PerNetwork(rules.strict), Limit::PerCredential(rules.lenient), Limit::None];
            assert_eq!(limits, expected, "{template:?}");
        }
    }

    #[test]
    fn the_credential_is_the_one_that_handlers_look_at() {
        let headers = |headers: &[(&'static str, &'static str)]| {
            headers
                .iter()
                .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
                .collect()
        };
        let rules = rules();
        for (sent, expected) in [
            (&[("authorization", "key")][..], Some("key")),
            (&[("authorization", "Bearer token")], Some("token")),
            (&[("authorization", "key"), ("cookie", "access_token=token")], Some("key")),
            (&[("cookie", "access_token=token")], Some("token")),
            (&[("cookie", "other=token")], None),
            (&[], None),
        ] {
            assert_eq!(rules.credential(&headers(sent)).as_deref(), expected, "{sent:?}");
        }
    }
}
