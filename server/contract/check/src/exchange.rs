//! Requests and responses that others sent, as a recording or a proxy has them.

use countersign_contract_validate::{ActualRequest, is_json};

/// A request and its response.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// The response to it.
    pub response: Response,
}

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Method as sent.
    pub method: String,
    /// Path and query, relative to the URL of the document's first server.
    pub target: String,
    /// Name and value of each header line.
    pub headers: Vec<(String, String)>,
    /// The body, empty if there was none; `None` if it is not known.
    pub body: Option<Vec<u8>>,
}

/// A response.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Name and value of each header line.
    pub headers: Vec<(String, String)>,
    /// The body, empty if there was none; `None` if it is not known.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split(['?', '#']).next().unwrap_or_default()
    }

    /// The query without the question mark; empty if there is none.
    #[must_use]
    pub fn query(&self) -> &str {
        let query = self.target.split('#').next().and_then(|target| target.split_once('?'));
        query.map_or("", |(_, query)| query)
    }

    /// The media type of the body.
    pub(super) fn content_type(&self) -> Option<&str> {
        line(&self.headers, "content-type")
    }

    /// The request as the validator needs it. `path` is the one with the base path of the document.
    pub(super) fn actual<'a>(&'a self, path: &'a str) -> ActualRequest<'a> {
        ActualRequest { path, query: self.query(), headers: &self.headers, body: self.body.as_deref() }
    }
}

impl Response {
    /// Name and value of each header line.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The media type of the body.
    pub(super) fn content_type(&self) -> Option<&str> {
        line(&self.headers, "content-type")
    }

    pub(super) fn is_json(&self) -> bool {
        self.content_type().is_some_and(is_json)
    }
}

/// The first line of a header.
pub(super) fn line<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
