//! Checks every response of a dialect against its contract, where the settings ask for it.
//!
//! A response that breaks the contract is logged as an error, one line for each deviation, and sent unchanged: its client
//! can do more with it than with a 500. The log names rules and pointers, never content, which may be secret.

use countersign_contract_validate::{OperationRef, ResponseValidator};
use dropshot::Body;
use http::Response;
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt as _, StreamBody};
use slog::{Logger, error};
use std::sync::{Mutex, PoisonError};

/// Start of the log message of each deviation; scripts search for it.
pub const MESSAGE: &str = "response breaks the contract";

/// Longest response that is held in memory for the check, in bytes. Ours have some kilobytes.
const MAX_LENGTH: u64 = 1 << 20;

/// Deviations kept in memory; the log has them all.
const MAX_REMEMBERED: usize = 100;

/// The first deviations of a running server.
#[derive(Debug, Default)]
pub struct Deviations(Mutex<Vec<String>>);

impl Deviations {
    /// Operation, status and problem of each.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, line: String) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < MAX_REMEMBERED {
            seen.push(line);
        }
    }
}

/// Checks the response to one operation.
pub(super) struct ResponseValidation<'a> {
    pub(super) validator: &'a ResponseValidator,
    pub(super) operation: OperationRef<'a>,
}

impl ResponseValidation<'_> {
    /// Reports deviations and returns the response unchanged. `log` carries the request id.
    pub(super) async fn check(
        &self,
        response: Response<Body>,
        deviations: &Deviations,
        log: &Logger,
    ) -> Response<Body> {
        let (parts, body) = response.into_parts();
        let status = parts.status.as_u16();
        let operation = self.operation.id().unwrap_or_else(|| self.operation.path());
        if body.size_hint().upper().is_none_or(|length| length > MAX_LENGTH) {
            error!(log, "{MESSAGE}: it is too long to be judged"; "operation" => operation, "status" => status);
            deviations.note(format!("{operation} {status}: too long to be judged"));
            return Response::from_parts(parts, body);
        }
        let bytes = match body.collect().await {
            Ok(collected) => collected.to_bytes(),
            // Forward stream errors unchanged.
            Err(problem) => {
                let broken = futures::stream::iter([Err::<Frame<_>, _>(problem)]);
                return Response::from_parts(parts, Body::wrap(StreamBody::new(broken)));
            }
        };
        let headers: Vec<_> = parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
            .collect();
        let headers = headers.iter().map(|(name, value)| (*name, value.as_ref()));
        for deviation in self.validator.validate(self.operation, status, headers, &bytes) {
            deviations.note(format!("{operation} {status}: {deviation}"));
            error!(
                log,
                "{MESSAGE}: {}", deviation.message;
                "operation" => operation,
                "status" => status,
                "rule" => deviation.rule,
                "place" => deviation.pointer,
                "in_body" => deviation.instance,
            );
        }
        Response::from_parts(parts, Body::from(bytes))
    }
}
