//! Reads recorded traffic: HAR 1.2, as browsers and proxies export it.
//!
//! What recorders leave out or change is allowed for: bodies that are missing, bodies without their content encoding, several
//! lines of a header in one, and requests without a response.

use super::exchange::{self, Exchange};
use data_encoding::BASE64;
use serde::Deserialize;

/// A recording.
#[derive(Debug, Deserialize)]
pub struct Recording {
    log: Log,
}

#[derive(Debug, Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    request: Request,
    response: Response,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    post_data: Option<PostData>,
    /// Bytes of the body; -1 if the recorder does not know.
    body_size: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct PostData {
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Response {
    /// 0 for a request without a response.
    #[serde(default)]
    status: u16,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    content: Content,
}

#[derive(Debug, Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
struct Content {
    text: Option<String>,
    encoding: Option<String>,
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// Text that is not JSON, or not that of a HAR file.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        // The specification advises readers to accept a byte order mark.
        serde_json::from_str(text.trim_start_matches('\u{feff}'))
    }

    /// The requests to URLs below a base, which is the URL of the document's first server, with their responses.
    pub fn exchanges<'r>(&'r self, base: &'r str) -> impl Iterator<Item = Exchange> + 'r {
        let base = base.trim_end_matches('/');
        self.log.entries.iter().filter_map(move |Entry { request, response }| {
            let target = below(base, &request.url)?;
            Some(Exchange { request: request.exchanged(target), response: response.exchanged() })
        })
    }
}

impl Request {
    fn exchanged(&self, target: &str) -> exchange::Request {
        let text = self.post_data.as_ref().and_then(|data| data.text.as_ref());
        let body = match (text, self.body_size) {
            (Some(text), _) => Some(text.clone().into_bytes()),
            (None, Some(0)) => Some(Vec::new()),
            (None, _) => None,
        };
        let (method, target) = (self.method.clone(), target.to_owned());
        exchange::Request { method, target, headers: lines(&self.headers), body }
    }
}

impl Response {
    fn exchanged(&self) -> exchange::Response {
        // The recorded body has no encoding any more.
        let mut headers = lines(&self.headers);
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-encoding"));
        exchange::Response { status: self.status, headers, body: self.body() }
    }

    /// The body, if it was recorded.
    fn body(&self) -> Option<Vec<u8>> {
        let text = self.content.text.as_ref()?;
        match self.content.encoding.as_deref() {
            Some("base64") => BASE64.decode(text.as_bytes()).ok(),
            _ => Some(text.clone().into_bytes()),
        }
    }
}

/// Name and value of each header line. Recorders list pseudo-headers of HTTP/2, and join lines with line feeds.
fn lines(headers: &[Header]) -> Vec<(String, String)> {
    let headers = headers.iter().filter(|header| !header.name.starts_with(':'));
    headers.flat_map(|header| header.value.split('\n').map(|line| (header.name.clone(), line.to_owned()))).collect()
}

/// What follows the base in a URL; `None` for other URLs.
#[must_use]
pub fn below<'u>(base: &str, url: &'u str) -> Option<&'u str> {
    url.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}
