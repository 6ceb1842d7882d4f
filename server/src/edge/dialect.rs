//! What the edge asks of a dialect: its responses to refused requests, and the rules that come before a handler.

use super::dispatch::{Dispatcher, Route};
use super::proven::Proof;
use super::rate_limit::{Bucket, Limit};
use super::validation::ResponseValidation;
use countersign_api::ParsedBody;
use countersign_contract_validate::ResponseValidator;
use countersign_domain::observer::RefusalReason;
use dropshot::{Body, ServerContext};
use http::{HeaderMap, Method, Response, StatusCode, header};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// Why the edge responds in place of a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such operation, a path that is not canonical, or an operation that is switched off.
    NotFound,
    /// The path has operations with other methods. Only for dialects that say so ([`DialectRules::names_methods`]).
    MethodNotAllowed {
        /// The methods of its operations.
        allowed: Vec<Method>,
    },
    /// The body is declared as JSON and cannot be parsed, or its stream ended early.
    InvalidJson,
    /// The operation does not accept the declared media type.
    UnsupportedMediaType {
        /// The header as sent.
        sent: String,
        /// Whether the operation accepts HTML forms beside JSON.
        takes_forms: bool,
    },
    /// The body exceeds the limit.
    BodyTooLarge {
        /// In bytes.
        limit: usize,
    },
    /// Too many requests from this client.
    RateLimited {
        /// Wait before another try.
        retry_after: Duration,
    },
    /// Too many requests altogether.
    Overloaded {
        /// Wait before another try.
        retry_after: Duration,
    },
    /// The request took too long.
    TimedOut,
    /// A handler panicked or left no response.
    Internal,
}

impl Refusal {
    /// The status that every dialect gives it.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::InvalidJson => StatusCode::BAD_REQUEST,
            Self::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Overloaded { .. } | Self::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Its name in metrics.
    #[must_use]
    pub fn reason(&self) -> RefusalReason {
        match self {
            Self::NotFound | Self::MethodNotAllowed { .. } => RefusalReason::NotFound,
            Self::InvalidJson => RefusalReason::InvalidBody,
            Self::UnsupportedMediaType { .. } => RefusalReason::UnsupportedMediaType,
            Self::BodyTooLarge { .. } => RefusalReason::BodyTooLarge,
            Self::RateLimited { .. } => RefusalReason::RateLimit,
            Self::Overloaded { .. } => RefusalReason::InFlight,
            Self::TimedOut => RefusalReason::Timeout,
            Self::Internal => RefusalReason::Defect,
        }
    }

    /// Wait before another try; `None` if it would not help.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Overloaded { retry_after } => Some(*retry_after),
            Self::TimedOut => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}

/// Which bodies an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bodies {
    /// JSON; a body declared as anything else is refused.
    Json,
    /// JSON or an HTML form.
    JsonOrForm,
    /// JSON; a body declared as anything else counts as absent.
    JsonOrNothing,
}

/// A dialect's side of the edge.
pub trait DialectRules: Send + Sync {
    /// The dialect's response to a refused request. `Retry-After` is added by the edge.
    fn refuse(&self, refusal: &Refusal) -> Response<Body>;

    /// The limit of a client's requests to an operation, by its path template, or to paths without an operation. `proof` says
    /// who presents [`Self::credential`], if that was found to be valid a short while ago.
    fn rate_limit(&self, template: Option<&str>, proof: Option<Proof>) -> Limit;

    /// The credential of a request that may have been proven, for dialects whose limits depend on it.
    fn credential(&self, _headers: &HeaderMap) -> Option<String> {
        None
    }

    /// The path that a request means, if published clients spell it in another way.
    fn meant_path(&self, _path: &str) -> Option<&'static str> {
        None
    }

    /// Whether a path that a template matches is a path of the operation. A published API can have an operation that is not served
    /// here where a template has a variable.
    fn serves(&self, _template: &str, _path: &str) -> bool {
        true
    }

    /// Whether a path that has other methods is told apart from one that is unknown.
    fn names_methods(&self) -> bool {
        false
    }

    /// Whether pages of trusted origins may call (CORS).
    fn is_for_pages(&self) -> bool {
        true
    }

    /// Where a request comes from, as far as trust in origins is concerned; for the log.
    fn source<'a>(&self, headers: &'a HeaderMap) -> Option<Cow<'a, str>> {
        headers.get(header::ORIGIN).map(super::headers::text)
    }

    /// Whether cookies count only if the page that sends them is trusted, in requests that only read, too.
    fn needs_trusted_page_for_cookies(&self) -> bool {
        false
    }

    /// Which bodies the operation takes.
    fn bodies(&self, operation_id: &str) -> Bodies;

    /// The last check before the handler, when the body is known: the origin rules.
    ///
    /// # Errors
    /// The response, when the request is refused.
    fn guard(&self, request: &http::request::Parts, body: &ParsedBody) -> Result<(), Box<Response<Body>>>;
}

/// Name in metrics of what belongs to no dialect.
const NO_NAME: &str = "none";

/// A set of operations under one base path.
pub struct Dialect<C: ServerContext> {
    base_path: &'static str,
    name: &'static str,
    dispatchers: Vec<Dispatcher<C>>,
    pub(super) rules: Arc<dyn DialectRules>,
    validator: Option<Arc<ResponseValidator>>,
}

impl<C: ServerContext> Dialect<C> {
    /// The operations of `dispatchers`, which are tried in turn, under `base_path` (without a slash at its end).
    #[must_use]
    pub fn new(base_path: &'static str, dispatchers: Vec<Dispatcher<C>>, rules: Arc<dyn DialectRules>) -> Self {
        Self { base_path, name: NO_NAME, dispatchers, rules, validator: None }
    }

    /// The same, with each response checked against a contract.
    #[must_use]
    pub fn validated_by(self, validator: Arc<ResponseValidator>) -> Self {
        Self { validator: Some(validator), ..self }
    }

    /// How the response to a request is validated; `None` if no contract knows the operation.
    pub(super) fn validation(&self, method: &Method, path: &str) -> Option<ResponseValidation<'_>> {
        let validator = self.validator.as_deref()?;
        Some(ResponseValidation { validator, operation: validator.find(method.as_str(), path)? })
    }

    /// The path template of a route, as part of the limits of this dialect.
    pub(super) fn bucket<'a>(&'a self, route: Option<&'a Route<C>>) -> Bucket<'a> {
        Bucket { base_path: self.base_path, template: route.map(|route| route.operation.template.as_str()) }
    }

    /// The same, under a name in metrics.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn contains(&self, path: &str) -> bool {
        path.strip_prefix(self.base_path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    pub(super) fn find(&self, method: &Method, path: &str) -> Option<Route<C>> {
        let found = self.dispatchers.iter().find_map(|dispatcher| dispatcher.find(method, path));
        found.filter(|route| self.rules.serves(&route.operation.template, path))
    }

    /// Why there is no route.
    pub(super) fn without_route(&self, path: &str) -> Refusal {
        let is_there = |method: &Method| self.find(method, path).is_some();
        let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        let allowed: Vec<Method> = match self.rules.names_methods() {
            true => methods.into_iter().filter(is_there).collect(),
            false => Vec::new(),
        };
        if allowed.is_empty() { Refusal::NotFound } else { Refusal::MethodNotAllowed { allowed } }
    }

    /// Whether pages of trusted origins may call its operations.
    pub(super) fn is_for_pages(&self) -> bool {
        !self.is_outside() && self.rules.is_for_pages()
    }

    /// Whether its operations are part of no contract: health, the reference page, unknown paths.
    pub(super) fn is_outside(&self) -> bool {
        self.base_path.is_empty()
    }

    pub(super) fn specificity(&self) -> usize {
        self.base_path.len()
    }
}
