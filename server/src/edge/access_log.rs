//! One log line per request.
//!
//! The line has a fixed list of fields: method, route, operation, status, duration, client, request id, trace id if the client names
//! one, for a service the id of its API key, and the id of the account that the request is proven to be for. Bodies, other
//! headers, query strings and the values of path variables are never logged, since they carry codes and tokens.

use super::noted::Noted;
use crate::clock::Stopwatch;
use countersign_api::ErrorCause;
use http::{Extensions, Method, StatusCode};
use slog::{Logger, debug, error, info, warn};
use std::net::IpAddr;
use std::time::Duration;

/// A request as it will be logged.
pub(super) struct Entry {
    stopwatch: Stopwatch,
    method: Method,
    path: String,
    operation: String,
    client: IpAddr,
    noted: Noted,
}

impl Entry {
    /// Starts the clock. `path` is logged unless a route replaces it, so it must hold no secrets ([`super::path::masked`]).
    pub(super) fn new(method: Method, path: String, client: IpAddr) -> Self {
        Self { stopwatch: Stopwatch::start(), method, path, operation: String::new(), client, noted: Noted::default() }
    }

    /// Sets the operation, and its path template in place of the path.
    pub(super) fn routed(&mut self, operation: &str, template: &str) {
        operation.clone_into(&mut self.operation);
        template.clone_into(&mut self.path);
    }

    /// Sets what the handler found out.
    pub(super) fn noted(&mut self, noted: Noted) {
        self.noted = noted;
    }

    /// The operation's id, if there is an operation.
    pub(super) fn operation(&self) -> Option<&str> {
        Some(self.operation.as_str()).filter(|operation| !operation.is_empty())
    }

    /// The operation's path template, if there is an operation.
    pub(super) fn template(&self) -> Option<&str> {
        self.operation().map(|_| self.path.as_str())
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.stopwatch.elapsed()
    }

    /// Writes the line. `log` carries the request id; `extensions` are the response's, which hold the cause of an error.
    pub(super) fn finish(self, log: &Logger, status: StatusCode, extensions: &Extensions, is_routine: bool) {
        let Self { stopwatch, method, path, operation, client, noted } = self;
        let millis = u64::try_from(stopwatch.elapsed().as_millis()).unwrap_or(u64::MAX);
        let cause = extensions.get::<ErrorCause>().map(|cause| cause.0.as_str());
        let fields = slog::o!(
            "method" => method.to_string(),
            "path" => path,
            "operation" => operation,
            "status" => status.as_u16(),
            "ms" => millis,
            "client" => client.to_string(),
        );
        let log = log.new(fields);
        let log = match noted.api_key {
            Some(id) => log.new(slog::o!("api_key" => id.to_hyphenated())),
            None => log,
        };
        let log = match noted.account {
            Some(id) => log.new(slog::o!("account" => id.to_hyphenated())),
            None => log,
        };
        match (cause, status) {
            (Some(cause), status) if status.is_server_error() => error!(log, "request failed"; "cause" => cause),
            (None, StatusCode::SERVICE_UNAVAILABLE) => warn!(log, "request shed"),
            (None, status) if status.is_server_error() => error!(log, "request failed"),
            (Some(cause), _) => info!(log, "request"; "cause" => cause),
            (None, _) if is_routine => debug!(log, "request"),
            (None, _) => info!(log, "request"),
        }
    }
}
