//! How spans reach a collector: by HTTP, on the runtime of the server.

use crate::net::client::client_for;
use crate::net::otlp::OtlpEndpoint;
use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use slog::{Logger, info, warn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;

const TIMEOUT: Duration = Duration::from_secs(10);

/// What is read of a response, which says at most how many spans were refused.
const MOST_BYTES: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    /// The exporter has a thread of its own, which has no runtime.
    runtime: Handle,
    log: Logger,
    /// So that a collector that is away is one line, not one for each batch.
    is_failing: AtomicBool,
}

impl Client {
    pub(super) fn new(endpoint: &OtlpEndpoint, log: Logger) -> Result<Self, reqwest::Error> {
        let http = client_for(endpoint.as_str(), TIMEOUT)?;
        Ok(Self { http, runtime: Handle::current(), log, is_failing: AtomicBool::new(false) })
    }

    fn note(&self, problem: Option<String>) {
        let was_failing = self.is_failing.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some(problem) if !was_failing => {
                warn!(self.log, "the collector of traces takes none; they are dropped until it does"; "cause" => problem);
            }
            None if was_failing => info!(self.log, "the collector of traces takes them again"),
            _ => {}
        }
    }
}

async fn send(http: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let mut response = http.execute(request.try_into()?).await?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BYTES {
            return Err(format!("the response has more than {MOST_BYTES} bytes").into());
        }
    }
    Ok(Response::builder().status(response.status()).body(body.into())?)
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.runtime.spawn(send(self.http.clone(), request)).await?;
        self.note(match &sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("its response has the status {}", response.status())),
            Err(error) => Some(countersign_domain::error_chain(error.as_ref())),
        });
        sent
    }
}
