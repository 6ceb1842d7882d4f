//! Health endpoints for operators: is the process alive, should it get traffic. Not part of a contract.

use crate::edge::headers;
use dropshot::{
    ApiDescription, ApiDescriptionRegisterError, ApiEndpoint, ApiEndpointVersions, Body, HttpError, RequestContext,
    ServerContext,
};
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Longest wait for the database before it is reported as unreachable.
pub(crate) const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The age from which a message that waits is reported: a mail server that restarts is back by then.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// Messages that wait to be delivered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waiting {
    pub messages: u64,
    /// Age of the oldest.
    pub longest: Duration,
}

/// What waits, if the database responds.
pub type DatabaseProbe = Box<dyn Fn() -> BoxFuture<'static, Option<Waiting>> + Send + Sync>;

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

    /// Messages that cannot be delivered make no node unready: another node would have the same mail server, and everything else
    /// works.
    async fn readiness(&self) -> (StatusCode, String) {
        let status = |status: &str| serde_json::json!({ "status": status }).to_string();
        if !self.is_accepting.load(Ordering::SeqCst) {
            return (StatusCode::SERVICE_UNAVAILABLE, status("stopping"));
        }
        match tokio::time::timeout(PROBE_TIMEOUT, (self.database)()).await {
            Ok(Some(Waiting { messages, longest })) if longest >= STUCK_AFTER => {
                let stuck = serde_json::json!({ "waiting": messages, "longest_seconds": longest.as_secs() });
                (StatusCode::OK, serde_json::json!({ "status": "ready", "messages": stuck }).to_string())
            }
            Ok(Some(_)) => (StatusCode::OK, status("ready")),
            _ => (StatusCode::SERVICE_UNAVAILABLE, status("database unreachable")),
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
        let alive = |_: RequestContext<C>| async {
            Ok::<_, HttpError>(json(StatusCode::OK, r#"{"status":"alive"}"#.to_owned()))
        };
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

/// Makes the metrics of this moment, in the text format of OpenMetrics.
pub type Scrape = Box<dyn Fn() -> BoxFuture<'static, String> + Send + Sync>;

/// `/metrics` beside `/healthz` and `/readyz`, for a listener of their own.
///
/// # Errors
/// When dropshot rejects the endpoints.
pub fn operations_api<C: ServerContext>(
    health: &Arc<Health>,
    scrape: Scrape,
) -> Result<ApiDescription<C>, ApiDescriptionRegisterError> {
    let mut api = api(health)?;
    let scrape = Arc::new(scrape);
    for method in [Method::GET, Method::HEAD] {
        let scrape = Arc::clone(&scrape);
        let metrics = move |context: RequestContext<C>| {
            let scrape = Arc::clone(&scrape);
            async move {
                let text = scrape().await;
                Ok::<_, HttpError>(match wants_openmetrics(context.request.headers()) {
                    true => response(StatusCode::OK, OPENMETRICS, text),
                    false => response(StatusCode::OK, CLASSIC, crate::metrics::to_classic(&text)),
                })
            }
        };
        api.register(endpoint("metrics", metrics, &method))?;
    }
    Ok(api)
}

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The format before OpenMetrics.
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Prometheus asks for OpenMetrics; what asks for nothing, such as curl, gets what older tools read.
fn wants_openmetrics(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|accept| headers::text(accept).contains("application/openmetrics-text"))
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

fn json(status: StatusCode, body: String) -> Response<Body> {
    response(status, "application/json", body)
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(waiting: Option<Waiting>) -> Health {
        Health::new(Box::new(move || Box::pin(async move { waiting })))
    }

    #[tokio::test]
    async fn readiness_follows_the_database_and_the_shutdown() {
        let ready = |health: Health| async move { health.readiness().await };
        let (ok, unavailable) = (StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE);
        let waiting = |seconds| Some(Waiting { messages: 3, longest: Duration::from_secs(seconds) });
        assert_eq!(ready(health(waiting(0))).await, (ok, r#"{"status":"ready"}"#.to_owned()));
        assert_eq!(ready(health(waiting(59))).await, (ok, r#"{"status":"ready"}"#.to_owned()));
        assert_eq!(ready(health(None)).await.0, unavailable);
        let stuck = r#"{"messages":{"longest_seconds":60,"waiting":3},"status":"ready"}"#.to_owned();
        assert_eq!(ready(health(waiting(60))).await, (ok, stuck), "it is named, and the node gets traffic");
        let stopping = health(waiting(0));
        stopping.stop_accepting();
        assert_eq!(stopping.readiness().await, (unavailable, r#"{"status":"stopping"}"#.to_owned()));
    }
}
