//! Health endpoints for operators: is the process alive, should it get traffic. Not part of a contract.

use dropshot::{
    ApiDescription, ApiDescriptionRegisterError, ApiEndpoint, ApiEndpointVersions, Body, HttpError, RequestContext,
    ServerContext,
};
use futures::future::BoxFuture;
use http::{Method, Response, StatusCode, header};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Longest wait for the database before it is reported as unreachable.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether the database responds.
pub type DatabaseProbe = Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// State of the health endpoints.
pub struct Health {
    is_accepting: AtomicBool,
    database: DatabaseProbe,
}

impl Health {
    /// A server that accepts traffic, and the probe of its database.
    #[must_use]
    pub fn new(database: DatabaseProbe) -> Self {
        Self { is_accepting: AtomicBool::new(true), database }
    }

    /// Reports not ready from now on. Requests are still served.
    pub fn stop_accepting(&self) {
        self.is_accepting.store(false, Ordering::SeqCst);
    }

    async fn readiness(&self) -> (StatusCode, &'static str) {
        if !self.is_accepting.load(Ordering::SeqCst) {
            return (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"stopping"}"#);
        }
        match tokio::time::timeout(PROBE_TIMEOUT, (self.database)()).await {
            Ok(true) => (StatusCode::OK, r#"{"status":"ready"}"#),
            _ => (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"database unreachable"}"#),
        }
    }
}

/// `/healthz`: 200 while the process runs. `/readyz`: 200 while it should get traffic, else 503.
///
/// # Errors
/// When dropshot rejects the endpoints.
pub fn api<C: ServerContext>(health: &Arc<Health>) -> Result<ApiDescription<C>, ApiDescriptionRegisterError> {
    let mut api = ApiDescription::new();
    for method in [Method::GET, Method::HEAD] {
        let alive = |_: RequestContext<C>| async { Ok::<_, HttpError>(json(StatusCode::OK, r#"{"status":"alive"}"#)) };
        api.register(endpoint("healthz", alive, &method))?;

        let health = Arc::clone(health);
        let ready = move |_: RequestContext<C>| {
            let health = Arc::clone(&health);
            async move {
                let (status, body) = health.readiness().await;
                Ok::<_, HttpError>(json(status, body))
            }
        };
        api.register(endpoint("readyz", ready, &method))?;
    }
    Ok(api)
}

/// An endpoint at `/name` that is hidden from documents.
pub(super) fn endpoint<C, F, Outcome>(name: &str, handler: F, method: &Method) -> ApiEndpoint<C>
where
    C: ServerContext,
    F: Fn(RequestContext<C>) -> Outcome + Send + Sync + 'static,
    Outcome: Future<Output = Result<Response<Body>, HttpError>> + Send + 'static,
{
    let operation = format!("{name}_{}", method.as_str().to_ascii_lowercase());
    let versions = ApiEndpointVersions::All;
    ApiEndpoint::new(operation, handler, method.clone(), "application/json", &format!("/{name}"), versions)
        .visible(false)
}

fn json(status: StatusCode, body: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(is_reachable: bool) -> Health {
        Health::new(Box::new(move || Box::pin(async move { is_reachable })))
    }

    #[tokio::test]
    async fn readiness_follows_the_database_and_the_shutdown() {
        assert_eq!(health(true).readiness().await.0, StatusCode::OK);
        assert_eq!(health(false).readiness().await.0, StatusCode::SERVICE_UNAVAILABLE);
        let stopping = health(true);
        stopping.stop_accepting();
        assert_eq!(stopping.readiness().await, (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"stopping"}"#));
    }
}
