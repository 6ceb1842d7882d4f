//! What the edge asks of a dialect: its words for refusals, and the rules that come before a handler.

use super::dispatch::{Dispatcher, Route};
use super::rate_limit::RateLimit;
use super::validation::Trial;
use countersign_api::ParsedBody;
use countersign_contract::ResponseValidator;
use dropshot::{Body, ServerContext};
use http::{HeaderMap, Method, Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// Why the edge answers in a handler's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such operation, or a path that is not spelled the one way, or one that is switched off.
    NotFound,
    /// The body is declared to be JSON and is not, or did not arrive whole.
    InvalidJson,
    /// The body is declared to be something that the operation does not take.
    UnsupportedMediaType {
        /// The header as sent.
        sent: String,
    },
    /// The body is too long.
    BodyTooLarge {
        /// The longest that is taken, in bytes.
        limit: usize,
    },
    /// Too many requests from this client.
    RateLimited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// Too many requests altogether.
    Overloaded {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The request took too long.
    TimedOut,
    /// The server is at fault.
    Internal,
}

impl Refusal {
    /// The status that every dialect gives it.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::InvalidJson => StatusCode::BAD_REQUEST,
            Self::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Overloaded { .. } | Self::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// When it is worth trying again, if it is.
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
    /// JSON; what is declared to be anything else is refused.
    Json,
    /// JSON or an HTML form.
    JsonOrForm,
    /// JSON; what is declared to be anything else counts as no body.
    JsonOrNothing,
}

/// A dialect's side of the edge. Paths are given without the dialect's base path.
pub trait DialectRules: Send + Sync {
    /// The dialect's answer to a refused request. `Retry-After` is added by the edge.
    fn refuse(&self, refusal: &Refusal) -> Response<Body>;

    /// How often one client may call `path` with these headers; as often as it likes when there is no limit.
    fn rate_limit(&self, path: &str, headers: &HeaderMap) -> Option<RateLimit>;

    /// Which bodies `path` takes.
    fn bodies(&self, path: &str) -> Bodies;

    /// The last check before the handler, when the body is known: the origin rules.
    ///
    /// # Errors
    /// The answer, when the request is refused.
    fn guard(&self, request: &http::request::Parts, body: &ParsedBody) -> Result<(), Box<Response<Body>>>;
}

/// A set of operations under one base path.
pub struct Dialect<C: ServerContext> {
    base_path: &'static str,
    dispatchers: Vec<Dispatcher<C>>,
    pub(super) rules: Arc<dyn DialectRules>,
    judge: Option<Arc<ResponseValidator>>,
}

impl<C: ServerContext> Dialect<C> {
    /// The operations of `dispatchers`, which are tried in turn, under `base_path` (without a slash at its end).
    #[must_use]
    pub fn new(base_path: &'static str, dispatchers: Vec<Dispatcher<C>>, rules: Arc<dyn DialectRules>) -> Self {
        Self { base_path, dispatchers, rules, judge: None }
    }

    /// The same, each answer held against a contract.
    #[must_use]
    pub fn judged_by(self, judge: Arc<ResponseValidator>) -> Self {
        Self { judge: Some(judge), ..self }
    }

    /// How the answer to a request is to be judged; not at all if no contract knows the operation.
    pub(super) fn trial(&self, method: &Method, path: &str) -> Option<Trial<'_>> {
        let judge = self.judge.as_deref()?;
        Some(Trial { judge, operation: judge.find(method.as_str(), path)? })
    }

    /// The path below the base path; `None` for paths that are not this dialect's.
    pub(super) fn relative<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.base_path).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    pub(super) fn find(&self, method: &Method, path: &str) -> Option<Route<C>> {
        self.dispatchers.iter().find_map(|dispatcher| dispatcher.find(method, path))
    }

    /// Whether this is no dialect at all, but the rest: its operations are not part of any contract.
    pub(super) fn is_outside(&self) -> bool {
        self.base_path.is_empty()
    }

    pub(super) fn specificity(&self) -> usize {
        self.base_path.len()
    }
}
