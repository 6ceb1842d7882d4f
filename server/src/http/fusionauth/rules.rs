//! The dialect's side of the edge: rate limits, refusals and media types.

use super::cookies::{self, ACCESS_TOKEN};
use crate::edge::proven::Proof;
use crate::edge::rate_limit::{Limit, RateLimit};
use crate::edge::{Bodies, DialectRules, Refusal};
use crate::http::shared::Authorization;
use crate::operations::FUSIONAUTH;
use countersign_api::ParsedBody;
use countersign_api::fusionauth::Error;
use countersign_contract_compare::OperationEntry;
use countersign_domain::policy::RequestRates;
use dropshot::{Body, ErrorStatusCode as Status};
use http::{HeaderMap, Response};

/// Path template of a user, in which other operations of the published API have a name in the place of the id.
const USER: &str = "/api/user/{userId}";

/// What begins the paths of passkeys.
const PASSKEYS: &str = "/api/webauthn";

/// Such names of operations that are not served.
const NOT_SERVED: [&str; 9] = [
    "bulk",
    "comment",
    "consent",
    "family",
    "import",
    "passkey",
    "recent-login",
    "refresh-token",
    "verify-registration",
];

/// Implements [`DialectRules`] for FusionAuth.
pub struct Rules {
    /// Path templates of the operations that need no credentials.
    open_paths: Vec<&'static str>,
    /// Names that other operations have in the place of a user's id.
    other_names: Vec<&'static str>,
    /// For requests to operations that need credentials, until those were found to be valid: they may be guesses.
    strict: RateLimit,
    /// For operations that need no credentials, which services call too, for all their users from one address; and for each
    /// user with an access token. Services with a valid key have no limit: quotas per account, in the database, apply instead.
    lenient: RateLimit,
}

impl Rules {
    /// Rules with these limits.
    #[must_use]
    pub fn new(rates: RequestRates) -> Self {
        let open = FUSIONAUTH.iter().filter(|operation| operation.anonymous_allowed);
        Self {
            open_paths: open.map(|operation| operation.path).collect(),
            other_names: FUSIONAUTH.iter().filter_map(name_below_user).chain(NOT_SERVED).collect(),
            strict: RateLimit { window: rates.window, max: rates.general },
            lenient: RateLimit { window: rates.window, max: rates.service },
        }
    }
}

/// The paths of all operations with passkeys.
pub fn passkey_paths() -> impl Iterator<Item = &'static str> {
    let is_of_passkeys =
        |path: &&str| path.strip_prefix(PASSKEYS).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    FUSIONAUTH.iter().map(|operation| operation.path).filter(is_of_passkeys)
}

/// The name that an operation has in the place of a user's id.
fn name_below_user(operation: &OperationEntry) -> Option<&'static str> {
    let name = operation.path.strip_prefix("/api/user/")?.split('/').next()?;
    (!name.starts_with('{')).then_some(name)
}

impl DialectRules for Rules {
    fn refuse(&self, refusal: &Refusal) -> Response<Body> {
        let error = match refusal {
            Refusal::InvalidJson => Error::general("invalidJSON", "Unable to parse the request body as JSON."),
            Refusal::UnsupportedMediaType { .. } => Error::of_status(Status::BAD_REQUEST),
            Refusal::BodyTooLarge { .. } => Error::of_status(Status::PAYLOAD_TOO_LARGE),
            Refusal::NotFound | Refusal::MethodNotAllowed { .. } => Error::of_status(Status::NOT_FOUND),
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
        // `SameSite` says nothing of other origins of the same site, and an operation without a body needs no preflight.
        true
    }

    fn bodies(&self, operation_id: &str) -> Bodies {
        match operation_id {
            // It succeeds without a body, so that one which is not read would be a token that is not revoked.
            "logout" => Bodies::Json,
            // The published clients label a request without a body as text.
            _ => Bodies::JsonOrNothing,
        }
    }

    fn meant_path(&self, path: &str) -> Option<&'static str> {
        // Clients end the path with an empty value when they are given no trust.
        (path == "/api/two-factor/status/").then_some("/api/two-factor/status")
    }

    fn serves(&self, template: &str, path: &str) -> bool {
        let is_other = || path.rsplit('/').next().is_some_and(|name| self.other_names.contains(&name));
        template != USER || !is_other()
    }

    fn guard(&self, _request: &http::request::Parts, _body: &ParsedBody) -> Result<(), Box<Response<Body>>> {
        // A page that is not trusted has no cookies here, and nothing else that it could make a browser add.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules::new(RequestRates::default())
    }

    #[test]
    fn open_paths_are_those_of_the_contract() {
        let expected = [
            "/api/two-factor/login",
            "/api/two-factor/send/{twoFactorId}",
            "/api/user/change-password/{changePasswordId}",
            "/api/user/change-password/{changePasswordId}",
            "/api/user/forgot-password",
            "/api/user/verify-email",
            "/api/user/verify-email",
            "/api/user/verify-email/{verificationId}",
            "/api/passwordless/send",
            "/api/passwordless/login",
            "/api/webauthn/register/complete",
            "/api/webauthn/login",
            "/api/webauthn/assert",
            "/api/jwt/refresh",
            "/api/logout",
            "/.well-known/jwks.json",
            "/api/status",
        ];
        assert_eq!(rules().open_paths, expected);
    }

    #[test]
    fn names_of_other_operations_are_no_ids_of_users() {
        let rules = rules();
        for (path, is_served) in [
            ("/api/user/recent-login", false),
            ("/api/user/two-factor", false),
            ("/api/user/search", false),
            ("/api/user/01a1fd04-be02-75f5-bdbd-868b7959e05d", true),
            ("/api/user/nonsense", true),
        ] {
            assert_eq!(rules.serves(USER, path), is_served, "{path}");
            assert!(rules.serves("/api/user/two-factor", path));
        }
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
