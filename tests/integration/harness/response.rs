//! A response, and what tests say about it.

use reqwest::header::{HeaderMap, SET_COOKIE};
use serde_json::Value;

/// What the server answered.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    /// Method and path of the request, for messages.
    pub(crate) request: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body as JSON; `null` when it is empty or not JSON.
    pub(crate) body: Value,
    /// The body as it came.
    pub(crate) raw: Vec<u8>,
}

/// One `Set-Cookie` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SetCookie {
    pub(crate) name: String,
    /// Its value, percent-encoded as sent.
    pub(crate) value: String,
    /// What follows the value, as sent.
    pub(crate) attributes: String,
}

impl SetCookie {
    pub(super) fn parse(line: &str) -> Self {
        let (pair, attributes) = line.split_once("; ").unwrap_or((line, ""));
        let (name, value) = pair.split_once('=').unwrap();
        Self { name: name.to_owned(), value: value.to_owned(), attributes: attributes.to_owned() }
    }

    /// Whether the line takes the cookie away.
    pub(crate) fn is_deletion(&self) -> bool {
        self.attributes.split("; ").any(|attribute| attribute == "Max-Age=0")
    }
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The cookies that it sets or takes away, in order.
    pub(crate) fn set_cookies(&self) -> Vec<SetCookie> {
        self.headers.get_all(SET_COOKIE).iter().map(|line| SetCookie::parse(line.to_str().unwrap())).collect()
    }

    /// The last word about the cookie of this name without its prefix, e.g. `session_token`.
    pub(crate) fn set_cookie(&self, short_name: &str) -> Option<SetCookie> {
        let suffix = format!("better-auth.{short_name}");
        self.set_cookies().into_iter().rev().find(|cookie| cookie.name.trim_start_matches("__Secure-") == suffix)
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{self}");
        self
    }

    /// Asserts a refusal with this status and code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{self}");
        self
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Asserts a 400 of the FusionAuth dialect with this code, in whatever field.
    #[track_caller]
    pub(crate) fn wrong(self, code: &str) -> Self {
        assert_eq!(self.status, 400, "{self}");
        assert!(self.wrongs().iter().any(|wrong| wrong == code), "{code} is not there: {self}");
        self
    }

    /// The codes of a 400 of the FusionAuth dialect, in whatever field.
    pub(crate) fn wrongs(&self) -> Vec<String> {
        let fields = self.body["fieldErrors"].as_object().into_iter().flatten().map(|(_, errors)| errors);
        let all = fields.chain([&self.body["generalErrors"]]).filter_map(Value::as_array).flatten();
        all.filter_map(|error| error["code"].as_str()).map(str::to_owned).collect()
    }

    /// Asserts the message of a refusal.
    #[track_caller]
    pub(crate) fn saying(self, message: &str) -> Self {
        assert_eq!(self.body["message"], message, "{self}");
        self
    }

    /// The code of a refusal; empty if there is none.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The text at a JSON pointer.
    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> String {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no text at {pointer}: {self}")).to_owned()
    }

    /// Seconds to wait, which a 429 and a 503 must say.
    #[track_caller]
    pub(crate) fn retry_after(&self) -> u64 {
        self.header("retry-after")
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| panic!("no Retry-After: {self}"))
    }
}

impl std::fmt::Display for Response {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = String::from_utf8_lossy(&self.raw);
        write!(formatter, "{} -> {} {body}\n{:?}", self.request, self.status, self.headers)
    }
}
