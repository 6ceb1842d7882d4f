//! Holds every answer of a dialect against its contract, where the settings ask for it.
//!
//! An answer that does not keep the contract is logged as an error, one line for each point, and sent all the same:
//! its client can do more with it than with another error. The log names rules and places, never what the answer says.

use countersign_contract::{OperationRef, ResponseValidator};
use dropshot::Body;
use http::Response;
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt as _, StreamBody};
use slog::{Logger, error};
use std::sync::{Mutex, PoisonError};

/// What the log says of each deviation; scripts look for it.
pub const MESSAGE: &str = "answer breaks the contract";

/// The longest answer that is held in memory to be judged, in bytes. Ours have some kilobytes.
const LONGEST: u64 = 1 << 20;

/// Deviations that are remembered; the log has them all.
const REMEMBERED: usize = 100;

/// What answers of a running server did not keep.
#[derive(Debug, Default)]
pub struct Deviations(Mutex<Vec<String>>);

impl Deviations {
    /// The first hundred: operation, status, and what is wrong.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, line: String) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < REMEMBERED {
            seen.push(line);
        }
    }
}

/// An operation whose answer will be judged.
pub(super) struct Trial<'a> {
    pub(super) judge: &'a ResponseValidator,
    pub(super) operation: OperationRef<'a>,
}

impl Trial<'_> {
    /// Judges the answer, and gives it back as it is. `log` carries the request id.
    pub(super) async fn hold(&self, response: Response<Body>, deviations: &Deviations, log: &Logger) -> Response<Body> {
        let (parts, body) = response.into_parts();
        let status = parts.status.as_u16();
        let operation = self.operation.id().unwrap_or_else(|| self.operation.path());
        if body.size_hint().upper().is_none_or(|length| length > LONGEST) {
            error!(log, "{MESSAGE}: it is too long to be judged"; "operation" => operation, "status" => status);
            deviations.note(format!("{operation} {status}: too long to be judged"));
            return Response::from_parts(parts, body);
        }
        let bytes = match body.collect().await {
            Ok(collected) => collected.to_bytes(),
            // What breaks off for us would have broken off for the client.
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
        for deviation in self.judge.validate(self.operation, status, headers, &bytes) {
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
