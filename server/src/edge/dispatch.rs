//! Dispatches requests into dropshot's own routers. The only module that uses items which dropshot exports but does not
//! document (`ApiDescription::into_router`, `HttpRouter::lookup_route`), hence the pinned version.

use countersign_api::capture_errors;
use dropshot::{ApiDescription, Body, RequestContext, ServerContext};
use http::{Method, Request, Response};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

/// `None` when the handler failed without leaving a response.
type Outcome = Pin<Box<dyn Future<Output = Option<Response<Body>>> + Send>>;
type Run<C> = Box<dyn FnOnce(RequestContext<C>, Request<Body>) -> Outcome + Send>;

type Lookup<C> = Box<dyn Fn(&Method, &str) -> Option<Route<C>> + Send + Sync>;

/// The operations of one API description.
pub struct Dispatcher<C: ServerContext> {
    lookup: Lookup<C>,
}

/// An operation of the contract.
pub(super) struct Operation {
    pub(super) id: String,
    /// Path template: names of variables in place of their values.
    pub(super) template: String,
}

/// An operation found for a request.
pub(super) struct Route<C: ServerContext> {
    pub(super) operation: Arc<Operation>,
    run: Run<C>,
}

impl<C: ServerContext> Dispatcher<C> {
    /// Dispatches to the operations of `api`.
    #[must_use]
    pub fn new(api: ApiDescription<C>) -> Self {
        let router = api.into_router();
        let operations = router.endpoints(None).map(|(template, _, endpoint)| {
            let id = endpoint.operation_id.clone();
            (id.clone(), Arc::new(Operation { id, template }))
        });
        let operations: HashMap<String, Arc<Operation>> = operations.collect();
        let lookup = move |method: &Method, path: &str| {
            // Not found, both for an unknown path and for a known path with another method.
            let found = router.lookup_route(method, path.into(), None).ok()?;
            let operation = Arc::clone(operations.get(&found.endpoint.operation_id)?);
            let (endpoint, handler) = (found.endpoint, found.handler);
            let run: Run<C> = Box::new(move |mut context, request| {
                context.endpoint = endpoint;
                Box::pin(async move {
                    // dropshot's error type cannot be named, so its content cannot be read. The dialects' error types
                    // leave their rendered response behind instead.
                    let (result, rendered) = capture_errors(handler.handle_request(context, request)).await;
                    result.ok().or(rendered)
                })
            });
            Some(Route { operation, run })
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
