//! The edge: everything that happens to a request before its handler, and to a response after it.
//!
//! The listener hands it each request, and it hands the request to the router of the right dialect. The order is that of the
//! real Better Auth server (wire reference, §1), because clients can observe it:
//!
//! 1. one spelling of a path, operations switched off → 404; a browser's preflight gets its response
//! 2. limit per client and operation → 429
//! 3. permit for one more request in flight, of the share of the client's network → 503
//! 4. route → 404; 405 only in a dialect that names the methods of a path
//! 5. from here under a deadline (503) and with panics caught (500): body read (413) under a shorter deadline (503), its
//!    type checked (415), parsed (400)
//! 6. the dialect's guard: origin rules → 403
//! 7. the handler, which sees the client's address in place of the proxy's and the parsed body as an extension
//!
//! The dialect renders every refusal of the edge ([`DialectRules::refuse`]). Where the settings ask for it, each response
//! to an operation, the edge's own too, is checked against the contract before it is sent ([`validation`]).

mod access_log;
mod body;
pub mod client_ip;
pub mod contexts;
mod cors;
pub mod dialect;
pub mod dispatch;
pub mod headers;
pub mod load;
pub mod noted;
mod outside;
pub mod path;
pub mod proven;
pub mod rate_limit;
pub mod untrusted_origins;
pub mod validation;

pub use dialect::{Bodies, Dialect, DialectRules, Refusal};
pub use dispatch::Dispatcher;

use self::access_log::Entry;
pub use self::access_log::SuccessSample;
use self::contexts::Contexts;
use self::cors::Page;
use self::dispatch::Route;
use self::rate_limit::{Client, Limit};
use crate::clock::Clock;
use crate::listener::Serve;
use crate::net::origin::TrustedOrigins;
use crate::random;
use crate::traces::{Finished, Traces};
use countersign_api::ParsedBody;
use countersign_api::reply::whole_seconds;
use countersign_domain::observer::{Observer, RefusalReason, Served};
use dropshot::{Body, HEADER_REQUEST_ID, RequestInfo, ServerContext};
use futures::FutureExt as _;
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version, header};
use opentelemetry::trace::FutureExt as _;
use slog::{Logger, error, o, warn};
use std::borrow::Cow;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// On every response that has no caching rule of its own, since responses hold secrets; `nosniff` on all.
const STANDARD_HEADERS: [(&str, &str); 3] =
    [("x-content-type-options", "nosniff"), ("cache-control", "no-store"), ("pragma", "no-cache")];

/// How much earlier than the server a client is to close a connection that is idle, so that it does not send a request while the
/// server closes it.
const CLIENT_CLOSES_EARLIER: Duration = Duration::from_secs(5);

/// Settings of the edge that apply to all dialects.
pub struct Policy {
    pub clock: Arc<dyn Clock>,
    pub log: Logger,
    /// Which of the requests that succeed are logged.
    pub logged_successes: SuccessSample,
    /// Takes what was served and refused.
    pub observer: Arc<dyn Observer>,
    /// `None` where no traces are made.
    pub traces: Option<Traces>,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: client_ip::TrustedProxies,
    /// Peers that are no trusted proxies and forward requests.
    pub untrusted_forwarders: client_ip::UntrustedForwarders,
    /// Origins that get CORS headers.
    pub trusted_origins: TrustedOrigins,
    /// Origins that are not trusted and call nevertheless.
    pub untrusted_origins: Arc<untrusted_origins::UntrustedOrigins>,
    /// `None` when limits per client and operation are switched off.
    pub rate_limiter: Option<rate_limit::RateLimiter>,
    /// Where handlers leave credentials that were valid.
    pub proven: Arc<proven::ProvenCredentials>,
    pub in_flight: load::InFlight,
    /// How long the listener keeps connections without a request.
    pub connection_idle: Duration,
    pub disabled_paths: path::DisabledPaths,
    /// For reading a body and running a handler.
    pub request_timeout: Duration,
    /// For reading a body.
    pub body_timeout: Duration,
    pub max_body_bytes: usize,
    /// Collects responses that break their contract, for dialects whose responses are validated.
    pub deviations: Arc<validation::Deviations>,
}

/// All that is served at one port.
pub struct Edge<C: ServerContext> {
    policy: Policy,
    contexts: Contexts<C>,
    dialects: Vec<Dialect<C>>,
    outside: Dialect<C>,
    keep_alive: HeaderValue,
}

/// A request and its client, passed towards the handler.
struct Call {
    request_id: String,
    log: Logger,
    parts: Parts,
    body: Body,
    client: SocketAddr,
}

impl<C: ServerContext> Serve for Edge<C> {
    async fn serve(&self, peer: SocketAddr, request: Request<Body>) -> Response<Body> {
        let request_id = random::uuid();
        let (mut parts, body) = request.into_parts();
        let (peer, port) = (peer.ip(), peer.port());
        let client = self.policy.trusted_proxies.client_address(peer, &parts.headers);
        if self.policy.untrusted_forwarders.is_new(&self.policy.trusted_proxies, peer, &parts.headers) {
            warn!(
                self.policy.log,
                "X-Forwarded-For of a peer that is not a trusted proxy is ignored: all that it forwards counts as one client";
                "peer" => peer.to_canonical().to_string(),
                "setting" => "trusted_proxies",
            );
        }
        let dialect = self.dialect(parts.uri.path());
        let traces = self.policy.traces.as_ref().filter(|_| !dialect.is_outside());
        let trace = traces.map(|traces| traces.begin_request(&parts.method, &mut parts.headers));
        let log = self.policy.log.new(o!("request_id" => request_id.clone()));
        let log = match headers::trace_id(&parts.headers) {
            Some(trace_id) => log.new(o!("trace_id" => trace_id)),
            None => log,
        };

        // Before anything looks at the path: from here on there is one spelling.
        if let Some(path) = dialect.rules.meant_path(parts.uri.path()) {
            parts.uri = path::with_path(&parts.uri, path);
        }
        let mut entry = Entry::new(parts.method.clone(), parts.uri.clone(), client);
        let page = Page::of(&parts.headers, &self.policy.trusted_origins);
        let source = dialect.rules.source(&parts.headers).map(Cow::into_owned);
        let (method, version) = (parts.method.clone(), parts.version);
        let validation = dialect.validation(&parts.method, parts.uri.path());
        if page == Page::Untrusted && dialect.rules.needs_trusted_page_for_cookies() {
            parts.headers.remove(header::COOKIE);
        }
        let client = SocketAddr::new(client, port);
        let call = Call { request_id: request_id.clone(), log: log.clone(), parts, body, client };

        let respond = noted::collect(self.respond(dialect, call, &page, &mut entry));
        let (outcome, noted) = match &trace {
            Some(trace) => respond.with_context(trace.clone()).await,
            None => respond.await,
        };
        entry.noted(noted);
        let mut response = match outcome {
            Ok(response) => response,
            Err(refusal) => {
                self.policy.observer.request_refused(dialect.name(), refusal.reason());
                refused(dialect, &refusal)
            }
        };
        if dialect.is_for_pages() {
            cors::add_headers(response.headers_mut(), &page);
            let is_refused = response.status() == StatusCode::FORBIDDEN && !method.is_safe();
            if let Some(source) = source.filter(|_| is_refused || page == Page::Untrusted) {
                self.warn_of_origin(&source);
            }
        }
        let headers = response.headers_mut();
        if version == Version::HTTP_11 {
            headers.insert("keep-alive", self.keep_alive.clone());
        }
        let request_id = HeaderValue::from_str(&request_id).expect("a UUID is ASCII");
        headers.insert(HEADER_REQUEST_ID, request_id);
        add_standard_headers(headers);
        if let Some(validation) = validation {
            response = validation.check(response, &self.policy.deviations, &log).await;
        }
        self.policy.observer.request_served(Served {
            dialect: dialect.name(),
            operation: entry.operation().map(|operation| operation.id.as_str()),
            status: response.status().as_u16(),
            took: entry.elapsed(),
        });
        if let Some(trace) = &trace {
            let template = entry.operation().map(|operation| operation.template.as_str());
            let status = response.status();
            Traces::end_request(trace, &Finished { dialect: dialect.name(), method: &method, template, status });
        }
        let (status, extensions) = (response.status(), response.extensions());
        entry.finish(&log, status, extensions, dialect.is_outside(), &self.policy.logged_successes);
        response
    }
}

impl<C: ServerContext> Edge<C> {
    /// Serves `dialects` under their base paths, and the endpoints of `outside` (health, contracts, the reference page).
    #[must_use]
    pub fn new(
        policy: Policy,
        contexts: Contexts<C>,
        mut dialects: Vec<Dialect<C>>,
        outside: Vec<Dispatcher<C>>,
    ) -> Self {
        // `/api/auth` before `/api`.
        dialects.sort_by_key(|dialect| std::cmp::Reverse(dialect.specificity()));
        // RFC 2068 (19.7.1), which HTTP clients of Node and Java follow.
        let kept = policy.connection_idle.saturating_sub(CLIENT_CLOSES_EARLIER);
        let keep_alive = HeaderValue::from_str(&format!("timeout={}", kept.as_secs())).expect("digits are ASCII");
        Self { policy, contexts, dialects, outside: outside::dialect(outside), keep_alive }
    }

    /// Says in the log that an origin is not trusted.
    fn warn_of_origin(&self, source: &str) {
        // Sandboxed pages and files have no origin that could be trusted.
        if source == "null" || self.policy.trusted_origins.trusts_url(source) {
            return;
        }
        self.policy.untrusted_origins.log_source(source);
    }

    fn dialect(&self, path: &str) -> &Dialect<C> {
        self.dialects.iter().find(|dialect| dialect.contains(path)).unwrap_or(&self.outside)
    }

    async fn respond(
        &self,
        dialect: &Dialect<C>,
        call: Call,
        page: &Page,
        entry: &mut Entry,
    ) -> Result<Response<Body>, Refusal> {
        let path = call.parts.uri.path();
        if !path::is_canonical(path) || self.policy.disabled_paths.contains(path) {
            return Err(Refusal::NotFound);
        }
        let is_from_page = matches!(page, Page::Trusted(_)) && dialect.rules.is_for_pages();
        if is_from_page && cors::is_preflight(&call.parts.method, &call.parts.headers) {
            return Ok(cors::preflight(&call.parts.headers));
        }
        let route = dialect.find(&call.parts.method, path);
        if let Some(route) = &route {
            entry.routed(&route.operation);
        }
        self.check_rate(dialect, route.as_ref(), &call)?;
        // Held until the response is made, so that slow bodies count too. Health checks pass at the limit: they report it.
        let _permit = match self.policy.in_flight.try_acquire(call.client.ip().into()) {
            None if !dialect.is_outside() => return Err(Refusal::Overloaded { retry_after: Duration::from_secs(1) }),
            permit => permit,
        };
        let route = route.ok_or_else(|| dialect.without_route(call.parts.uri.path()))?;
        self.run_bounded(dialect, route, call).await
    }

    /// Counts the request against the rate limit of its client.
    fn check_rate(&self, dialect: &Dialect<C>, route: Option<&Route<C>>, call: &Call) -> Result<(), Refusal> {
        let Some(limiter) = &self.policy.rate_limiter else { return Ok(()) };
        let now = self.policy.clock.now();
        let bucket = dialect.bucket(route);
        let credential = dialect.rules.credential(&call.parts.headers);
        let proven = credential.and_then(|credential| self.policy.proven.find(&credential, now));
        let network = Client::Network(call.client.ip().into());
        let (client, limit) = match dialect.rules.rate_limit(bucket.template, proven.map(|(proof, _)| proof)) {
            Limit::None => return Ok(()),
            Limit::PerNetwork(limit) => (network, limit),
            Limit::PerCredential(limit) => (proven.map_or(network, |(_, key)| Client::Credential(key)), limit),
        };
        let checked = limiter.check(client, bucket, limit, now);
        checked.map_err(|refused| Refusal::RateLimited { retry_after: refused.retry_after })
    }

    /// Reads the body and runs the handler, under the deadline and with panics caught.
    async fn run_bounded(&self, dialect: &Dialect<C>, route: Route<C>, call: Call) -> Result<Response<Body>, Refusal> {
        let log = call.log.clone();
        let operation = Arc::clone(&route.operation);
        let run = AssertUnwindSafe(self.run(dialect, route, call)).catch_unwind();
        match tokio::time::timeout(self.policy.request_timeout, run).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => {
                error!(log, "handler panicked"; "operation" => &operation.id);
                Err(Refusal::Internal)
            }
            Err(_) => Err(Refusal::TimedOut),
        }
    }

    async fn run(&self, dialect: &Dialect<C>, route: Route<C>, call: Call) -> Result<Response<Body>, Refusal> {
        let Call { request_id, log, parts, body, client } = call;
        let bytes = match parts.method {
            // A body has no meaning there (RFC 9110, 9.3.1).
            Method::GET | Method::HEAD => Vec::new(),
            _ => {
                let read = body::read(&parts.headers, body, self.policy.max_body_bytes);
                tokio::time::timeout(self.policy.body_timeout, read).await.map_err(|_| Refusal::TimedOut)??
            }
        };
        let parsed = body::parse(&parts.headers, &bytes, dialect.rules.bodies(&route.operation.id))?;
        if let Err(response) = dialect.rules.guard(&parts, &parsed) {
            self.policy.observer.request_refused(dialect.name(), RefusalReason::Origin);
            return Ok(*response);
        }
        let mut request = Request::from_parts(parts, Body::from(bytes));
        request.extensions_mut().insert::<ParsedBody>(parsed);
        let mut context = self.contexts.take().await.ok_or(Refusal::Internal)?;
        (context.request_id, context.log) = (request_id, log);
        context.request = RequestInfo::new(&request, client);
        let handler = self.policy.traces.as_ref().and_then(|traces| traces.begin_handler(&route.operation.id));
        let run = route.run(context, request);
        let run = self.contexts.keep(run);
        let response = match handler {
            Some(handler) => run.with_context(handler).await,
            None => run.await,
        };
        response.ok_or(Refusal::Internal)
    }
}

/// The dialect's response, with `Retry-After`.
fn refused<C: ServerContext>(dialect: &Dialect<C>, refusal: &Refusal) -> Response<Body> {
    let mut response = dialect.rules.refuse(refusal);
    if let Some(wait) = refusal.retry_after() {
        let seconds = HeaderValue::from(whole_seconds(wait));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

fn add_standard_headers(headers: &mut HeaderMap) {
    let has_cache_rule = headers.contains_key(header::CACHE_CONTROL);
    for (name, value) in STANDARD_HEADERS {
        let is_about_caching = name != "x-content-type-options";
        if !(has_cache_rule && is_about_caching) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
}

#[cfg(test)]
mod tests;
