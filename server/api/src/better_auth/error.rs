//! The single form of all errors of the dialect: a status, and `{message, code}`.
//!
//! Clients branch on `code` and may show `message`. dropshot accepts only a body from an error type, so the error renders
//! itself with its headers when dropshot asks for its status, and leaves the response for the edge
//! ([`crate::reply::capture_errors`]).

use crate::reply::{self, ErrorCause};
use dropshot::{Body, ErrorStatusCode, HttpError};
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// Header in which Better Auth's clients look for the seconds to wait.
const X_RETRY_AFTER: HeaderName = HeaderName::from_static("x-retry-after");

/// The body of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Error")]
pub struct ErrorBody {
    /// Text for a user.
    pub message: String,
    /// For programs.
    pub code: String,
}

/// An error of the dialect, ready to be sent.
#[derive(Debug, Clone)]
pub struct Error {
    /// HTTP status.
    pub status: ErrorStatusCode,
    /// For programs: upper case, words joined by `_`.
    pub code: Cow<'static, str>,
    /// Text for a user.
    pub message: Cow<'static, str>,
    /// Headers of the response, besides those of every response.
    pub headers: Box<HeaderMap>,
    /// For the log only.
    cause: Option<String>,
}

impl Error {
    /// An error with this status, code and message.
    #[must_use]
    pub fn new(
        status: ErrorStatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code: code.into(), message: message.into(), headers: Box::default(), cause: None }
    }

    /// An error with the default code and message of its status.
    #[must_use]
    pub fn of_status(status: ErrorStatusCode) -> Self {
        let (code, message) = match status.as_u16() {
            401 => ("UNAUTHORIZED", "Unauthorized"),
            403 => ("FORBIDDEN", "Forbidden"),
            404 => ("NOT_FOUND", "Not found"),
            413 => ("PAYLOAD_TOO_LARGE", "The request body is too large."),
            415 => ("UNSUPPORTED_MEDIA_TYPE", "The content type of the request is not allowed."),
            429 => ("TOO_MANY_REQUESTS", "Too many requests. Please try again later."),
            503 => ("SERVICE_UNAVAILABLE", "The server is too busy. Please try again later."),
            400..500 => ("BAD_REQUEST", "Bad request"),
            _ => ("INTERNAL_SERVER_ERROR", "Internal server error"),
        };
        Self::new(status, code, message)
    }

    /// Adds a header, and keeps others of the same name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Adds the `Set-Cookie` headers of a cookie after those that are there.
    #[must_use]
    pub fn with_cookie(self, values: impl IntoIterator<Item = HeaderValue>) -> Self {
        values.into_iter().fold(self, |error, value| error.with_header(SET_COOKIE, value))
    }

    /// Adds when to try again, in whole seconds; a 429 carries it in both of its headers. `None` adds nothing.
    #[must_use]
    pub fn with_retry_after(mut self, wait: impl Into<Option<Duration>>) -> Self {
        let Some(wait) = wait.into() else { return self };
        let seconds = HeaderValue::from(reply::whole_seconds(wait));
        if self.status.as_u16() == 429 {
            self.headers.insert(X_RETRY_AFTER, seconds.clone());
        }
        self.headers.insert(RETRY_AFTER, seconds);
        self
    }

    /// Adds the cause, for the log only.
    #[must_use]
    pub fn with_cause(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// The response as it is sent. A cause becomes an [`ErrorCause`] in its extensions.
    #[must_use]
    pub fn to_response(&self) -> Response<Body> {
        let body = serde_json::to_vec(&self.body()).expect("two strings can be written as JSON");
        let mut response = reply::response(self.status.as_status(), HeaderMap::clone(&self.headers), Some(body));
        if let Some(cause) = &self.cause {
            response.extensions_mut().insert(ErrorCause(cause.clone()));
        }
        response
    }

    fn body(&self) -> ErrorBody {
        ErrorBody { message: self.message.to_string(), code: self.code.to_string() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.message, self.code)?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(formatter, ": {cause}"))
    }
}

crate::reply::dialect_error!(Error, documented as ErrorBody);

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.body().serialize(serializer)
    }
}

impl From<HttpError> for Error {
    /// Translates an error of dropshot or of an extractor. Only our own extractors give codes to client errors; all others
    /// get the default texts of their status, since dropshot's texts are for developers.
    fn from(error: HttpError) -> Self {
        let is_client_error = error.status_code.as_status().is_client_error();
        let mut translated = match error.error_code {
            Some(code) if is_client_error => Self::new(error.status_code, code, error.external_message),
            _ => Self::of_status(error.status_code).with_cause(error.internal_message),
        };
        translated.headers = error.headers.unwrap_or_default();
        translated
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, ErrorBody};
    use crate::reply::{ErrorCause, capture_errors};
    use dropshot::{ClientErrorStatusCode, ErrorStatusCode, HttpError, HttpResponseError as _};
    use http::HeaderValue;
    use http::header::{CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
    use serde_json::{json, to_value};
    use std::time::Duration;

    #[test]
    fn the_body_is_message_and_code_and_nothing_else() {
        let error = Error::new(ErrorStatusCode::UNAUTHORIZED, "INVALID_CODE", "Invalid code").with_cause("step 12");
        assert_eq!(to_value(&error).expect("plain"), json!({"message": "Invalid code", "code": "INVALID_CODE"}));
        assert_eq!(error.to_string(), "Invalid code (INVALID_CODE): step 12");
    }

    #[test]
    fn a_429_says_twice_when_to_try_again() {
        let limited = Error::of_status(ErrorStatusCode::TOO_MANY_REQUESTS).with_retry_after(Duration::ZERO);
        assert_eq!(limited.headers[RETRY_AFTER], "1");
        assert_eq!(limited.headers["x-retry-after"], "1");
        let busy = Error::of_status(ErrorStatusCode::SERVICE_UNAVAILABLE).with_retry_after(Duration::from_secs(30));
        assert_eq!(busy.headers[RETRY_AFTER], "30");
        assert_eq!(busy.headers.get("x-retry-after"), None);
    }

    #[tokio::test]
    async fn asking_for_the_status_leaves_the_whole_response() {
        let error = Error::of_status(ErrorStatusCode::UNAUTHORIZED)
            .with_cookie([HeaderValue::from_static("a=")])
            .with_cookie([HeaderValue::from_static("b=")])
            .with_cause("expired");
        let (status, response) = capture_errors(async { error.status_code() }).await;
        let response = response.expect("left");
        assert_eq!((status, response.status()), (ErrorStatusCode::UNAUTHORIZED, status.as_status()));
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), 2);
        assert_eq!(response.extensions().get(), Some(&ErrorCause("expired".to_owned())));
    }

    #[test]
    fn dropshots_own_words_stay_in_the_log() {
        let code = Some("VALIDATION_ERROR".to_owned());
        let ours = HttpError::for_client_error(code, ClientErrorStatusCode::BAD_REQUEST, "[body] no".to_owned());
        assert_eq!(Error::from(ours).body(), body("[body] no", "VALIDATION_ERROR"));

        let theirs = HttpError::for_bad_request(None, "unable to parse query string".to_owned());
        let theirs = Error::from(theirs);
        assert_eq!(theirs.body(), body("Bad request", "BAD_REQUEST"));
        assert!(theirs.to_string().ends_with(": unable to parse query string"));

        let internal = Error::from(HttpError::for_internal_error("disk full".to_owned()));
        assert_eq!(internal.body(), body("Internal server error", "INTERNAL_SERVER_ERROR"));
        assert!(internal.to_string().ends_with(": disk full"));
    }

    fn body(message: &str, code: &str) -> ErrorBody {
        ErrorBody { message: message.to_owned(), code: code.to_owned() }
    }
}
