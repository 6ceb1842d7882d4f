//! Paths that belong to no dialect: health, contracts and their reference page, and everything unknown.

use super::dialect::{Bodies, Dialect, DialectRules, Refusal};
use super::dispatch::Dispatcher;
use super::proven::Proof;
use super::rate_limit::Limit;
use countersign_api::ParsedBody;
use dropshot::{Body, ServerContext};
use http::Response;
use std::sync::Arc;

/// Refuses with a bare status, limits nothing.
struct Plain;

impl DialectRules for Plain {
    fn refuse(&self, refusal: &Refusal) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = refusal.status();
        response
    }

    fn rate_limit(&self, _template: Option<&str>, _proof: Option<Proof>) -> Limit {
        Limit::None
    }

    fn bodies(&self, _operation_id: &str) -> Bodies {
        Bodies::Json
    }

    fn guard(&self, _request: &http::request::Parts, _body: &ParsedBody) -> Result<(), Box<Response<Body>>> {
        Ok(())
    }
}

pub(super) fn dialect<C: ServerContext>(dispatchers: Vec<Dispatcher<C>>) -> Dialect<C> {
    Dialect::new("", dispatchers, Arc::new(Plain))
}
