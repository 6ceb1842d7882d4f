//! Traces in the form of OpenTelemetry, sent by OTLP over HTTP to a collector.
//!
//! | span | kind | parent |
//! |---|---|---|
//! | request: its method and path template | server | that of `traceparent`, if the client sends one |
//! | handler: the operation's id | internal | request |
//! | call of the database: its name | client | handler |
//! | `wait for a hashing thread`, `hash` | internal | handler |
//! | `deliver`, one for each attempt | client | none: a message outlives its request |
//!
//! The edge makes the first two; the others are made of what an [`Observer`](countersign_domain::observer::Observer) takes, in the
//! context that the edge has attached to the
//! task, so flows and store know nothing of traces. No span holds an account, an address, a code or a text of a client. Which
//! requests are traced is decided here alone: what strangers say in `traceparent` makes no request cost more.

mod client;
mod sampler;

use crate::clock::system_time;
use crate::net::otlp::Collector;
use client::Client;
use countersign_domain::message::Channel;
use countersign_domain::observer::{DeliveryResult, HashLane, Label as _, StoreResult};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use sampler::Share;
use slog::Logger;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    #[error("failed to make a client for the collector of traces")]
    Client(#[source] reqwest::Error),
    #[error("failed to make an exporter of traces")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
}

/// For how long spans are still sent when the server stops.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub struct Traces(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
    /// Name of the database system, by the semantic conventions of OpenTelemetry.
    database: &'static str,
}

/// A request that has been responded to.
pub(crate) struct Finished<'a> {
    pub(crate) dialect: &'static str,
    pub(crate) method: &'a Method,
    /// `None` if there is no such operation.
    pub(crate) template: Option<&'a str>,
    pub(crate) status: StatusCode,
}

impl Traces {
    /// Starts a thread that sends spans in batches. What a collector does not take is dropped.
    ///
    /// # Errors
    /// When there are no root certificates.
    pub fn start(collector: &Collector, database: &'static str, log: Logger) -> Result<Self, TracesError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new(&collector.endpoint, log).map_err(TracesError::Client)?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(collector.endpoint.as_str())
            .build()
            .map_err(TracesError::Exporter)?;
        let resource = Resource::builder()
            .with_service_name("countersign")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Share::new(collector.percent))
            .with_resource(resource)
            .build();
        let tracer = provider.tracer("countersign");
        Ok(Self(Arc::new(Inner { provider, tracer, propagator: TraceContextPropagator::new(), database })))
    }

    /// Begins the span of a request, below that of the client if it names one, and names it in `headers` for what reads them.
    pub(crate) fn begin_request(&self, method: &Method, headers: &mut HeaderMap) -> Context {
        let parent = self.0.propagator.extract_with_context(&Context::new(), &HeaderExtractor(headers));
        let builder = self.0.tracer.span_builder(method.to_string()).with_kind(SpanKind::Server);
        let context = parent.with_span(builder.start_with_context(&self.0.tracer, &parent));
        let span = context.span().span_context().clone();
        let text = format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8());
        if let (true, Ok(value)) = (span.is_valid(), HeaderValue::try_from(text)) {
            headers.insert("traceparent", value);
        }
        context
    }

    pub(crate) fn end_request(context: &Context, finished: &Finished<'_>) {
        let Finished { dialect, method, template, status } = finished;
        let span = context.span();
        span.set_attribute(KeyValue::new("http.request.method", method.to_string()));
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        span.set_attribute(KeyValue::new("countersign.dialect", *dialect));
        if let Some(template) = template {
            span.update_name(format!("{method} {template}"));
            span.set_attribute(KeyValue::new("http.route", (*template).to_owned()));
        }
        if status.is_server_error() {
            span.set_status(Status::error(""));
        }
        span.end();
    }

    /// Begins the span of a handler in that of its request, which is the current one; `None` if the request has none.
    pub(crate) fn begin_handler(&self, operation: &str) -> Option<Context> {
        let parent = Context::current();
        parent.span().span_context().is_valid().then(|| {
            let builder = self.0.tracer.span_builder(operation.to_owned()).with_kind(SpanKind::Internal);
            parent.with_span(builder.start_with_context(&self.0.tracer, &parent))
        })
    }

    /// Adds a span that ends now, in the current context; nothing where there is none, as in work of the server's own.
    fn add(&self, name: &'static str, kind: SpanKind, took: Duration, attributes: Vec<KeyValue>, is_error: bool) {
        let parent = Context::current();
        if parent.span().span_context().is_valid() {
            self.add_to(&parent, name, kind, took, attributes, is_error);
        }
    }

    fn add_to(
        &self,
        parent: &Context,
        name: &'static str,
        kind: SpanKind,
        took: Duration,
        attributes: Vec<KeyValue>,
        is_error: bool,
    ) {
        let end = system_time();
        let builder = SpanBuilder::from_name(name)
            .with_kind(kind)
            .with_start_time(end.checked_sub(took).unwrap_or(end))
            .with_attributes(attributes);
        let mut span = builder.start_with_context(&self.0.tracer, parent);
        if is_error {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(end);
    }

    pub(crate) fn store_called(&self, call: &'static str, took: Duration, result: StoreResult) {
        let attributes = vec![
            KeyValue::new("db.system.name", self.0.database),
            KeyValue::new("db.operation.name", call),
            KeyValue::new("countersign.result", result.label()),
        ];
        self.add(call, SpanKind::Client, took, attributes, result != StoreResult::Done);
    }

    pub(crate) fn hash_waited(&self, lane: HashLane, waited: Duration) {
        let lane = vec![KeyValue::new("countersign.lane", lane.label())];
        self.add("wait for a hashing thread", SpanKind::Internal, waited, lane, false);
    }

    pub(crate) fn hashed(&self, took: Duration) {
        self.add("hash", SpanKind::Internal, took, Vec::new(), false);
    }

    pub(crate) fn delivery_ended(&self, channel: Channel, result: DeliveryResult, took: Duration) {
        let attributes = vec![
            KeyValue::new("countersign.channel", channel.label()),
            KeyValue::new("countersign.result", result.label()),
        ];
        let is_error = result != DeliveryResult::Delivered;
        self.add_to(&Context::new(), "deliver", SpanKind::Client, took, attributes, is_error);
    }

    /// Sends what has not been sent yet.
    pub(crate) async fn stop(self) {
        let provider = self.0.provider.clone();
        // It waits for the thread that sends.
        let _ = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT)).await;
    }
}
