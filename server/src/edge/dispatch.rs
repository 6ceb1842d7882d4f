//! Into dropshot's own routers. The one place that uses what dropshot exports without documenting it
//! (`ApiDescription::into_router`, `HttpRouter::lookup_route`), hence the pinned version.

use countersign_api::capture_errors;
use dropshot::{ApiDescription, Body, RequestContext, ServerContext};
use http::{Method, Request, Response};
use std::collections::BTreeMap;
use std::pin::Pin;

/// `None` when the handler failed without leaving an answer.
type Answer = Pin<Box<dyn Future<Output = Option<Response<Body>>> + Send>>;
type Run<C> = Box<dyn FnOnce(RequestContext<C>, Request<Body>) -> Answer + Send>;

type Lookup<C> = Box<dyn Fn(&Method, &str) -> Option<Route<C>> + Send + Sync>;

/// The operations of one API description.
pub struct Dispatcher<C: ServerContext> {
    lookup: Lookup<C>,
}

/// An operation that was asked for.
pub(super) struct Route<C: ServerContext> {
    /// Its name in the contract.
    pub(super) operation: String,
    /// Its path, with the names of variables in place of their values.
    pub(super) template: String,
    run: Run<C>,
}

impl<C: ServerContext> Dispatcher<C> {
    /// Takes over the operations of `api`.
    #[must_use]
    pub fn new(api: ApiDescription<C>) -> Self {
        let router = api.into_router();
        let templates: BTreeMap<String, String> =
            router.endpoints(None).map(|(path, _, endpoint)| (endpoint.operation_id.clone(), path)).collect();
        let lookup = move |method: &Method, path: &str| {
            // Unknown path and known path with another method are the same to us: not found.
            let found = router.lookup_route(method, path.into(), None).ok()?;
            let operation = found.endpoint.operation_id.clone();
            let template = templates.get(&operation).cloned().unwrap_or_default();
            let (endpoint, handler) = (found.endpoint, found.handler);
            let run: Run<C> = Box::new(move |mut context, request| {
                context.endpoint = endpoint;
                Box::pin(async move {
                    // dropshot's error type cannot be named, so its content cannot be read; the dialects' error types
                    // leave their rendered answer behind instead.
                    let (result, rendered) = capture_errors(handler.handle_request(context, request)).await;
                    result.ok().or(rendered)
                })
            });
            Some(Route { operation, template, run })
        };
        Self { lookup: Box::new(lookup) }
    }

    pub(super) fn find(&self, method: &Method, path: &str) -> Option<Route<C>> {
        (self.lookup)(method, path)
    }
}

impl<C: ServerContext> Route<C> {
    pub(super) async fn run(self, context: RequestContext<C>, request: Request<Body>) -> Option<Response<Body>> {
        (self.run)(context, request).await
    }
}
