//! Refuses, with our own 404, requests that dropshot's router would refuse with a response of its own before any endpoint
//! sees them: unknown methods, and paths that it cannot decode.
//!
//! dropshot asks for an API version before it routes. There is one version, so the question serves as a gate.

use super::METHODS;
use dropshot::semver::Version;
use dropshot::{Body, DynamicVersionPolicy, HttpError};
use http::Request;
use percent_encoding::percent_decode_str;
use slog::Logger;

#[derive(Clone, Copy, Debug)]
pub struct VersionGate;

impl DynamicVersionPolicy for VersionGate {
    fn request_extract_version(&self, request: &Request<Body>, _log: &Logger) -> Result<Version, HttpError> {
        if METHODS.contains(&request.method().as_str()) && can_be_routed(request.uri().path()) {
            return Ok(Version::new(1, 0, 0));
        }
        let mut refusal =
            HttpError::for_not_found(Some("NOT_FOUND".to_owned()), "method or path that no operation has".to_owned());
        for (name, value) in super::STANDARD_HEADERS {
            refusal.add_header(name, value).expect("names and values of standard headers are valid");
        }
        Err(refusal)
    }
}

fn can_be_routed(path: &str) -> bool {
    path.split('/').all(|segment| !matches!(segment, "." | "..") && percent_decode_str(segment).decode_utf8().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    fn status(method: &str, path: &str) -> Option<StatusCode> {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        let log = Logger::root(slog::Discard, slog::o!());
        VersionGate.request_extract_version(&request, &log).err().map(|error| error.status_code.as_status())
    }

    #[test]
    fn a_request_that_cannot_be_routed_is_not_found() {
        for (method, path) in [("GET", "/healthz"), ("POST", "/api//auth/"), ("GET", "/api/%2F"), ("OPTIONS", "/x")] {
            assert_eq!(status(method, path), None, "{method} {path}");
        }
        for (method, path) in [("PROPFIND", "/healthz"), ("GET", "/api/./auth"), ("GET", "/api/../x"), ("GET", "/%ff")]
        {
            assert_eq!(status(method, path), Some(StatusCode::NOT_FOUND), "{method} {path}");
        }
    }
}
