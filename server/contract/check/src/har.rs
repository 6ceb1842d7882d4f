//! Checks recorded traffic against a document: HAR 1.2, as browsers and proxies export it.
//!
//! Responses are validated as those of requests that `check` sends; requests are not. What recorders leave out or change is
//! allowed for: bodies that are missing, bodies without their content encoding, several lines of a header in one, responses
//! from a cache (304), and requests without a response.

use super::{About, Check};
use countersign_contract_finding::Finding;
use countersign_contract_validate::OperationRef;
use data_encoding::BASE64;
use serde::Deserialize;
use std::collections::BTreeMap;

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
struct Request {
    method: String,
    url: String,
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

/// Rules about bodies, which do not apply to a response whose body was not recorded.
const ABOUT_BODIES: [&str; 5] =
    ["body-missing", "body-not-json", "body-schema", "body-unexpected", "property-undocumented"];

/// The result of a check of a recording.
#[derive(Debug)]
pub struct Recorded {
    /// Findings in the order of the recording; equal ones once.
    pub findings: Vec<Finding>,
    /// Number of responses of the document's operations.
    pub responses: usize,
    /// Number of operations with a response.
    pub operations: usize,
    /// Number of requests to URLs below the base.
    pub requests: usize,
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
}

impl Response {
    /// Name and value of each header line. Recorders list pseudo-headers of HTTP/2, and join lines with line feeds; the content
    /// encoding is not that of the recorded body.
    fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self
            .headers
            .iter()
            .filter(|header| !header.name.starts_with(':') && !header.name.eq_ignore_ascii_case("content-encoding"));
        headers.flat_map(|header| header.value.split('\n').map(|line| (header.name.as_str(), line)))
    }

    fn is_json(&self) -> bool {
        self.lines().any(|(name, value)| name.eq_ignore_ascii_case("content-type") && super::operation::is_json(value))
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

impl Check {
    /// Checks the recorded responses to requests below a URL, which is that of the document's first server.
    #[must_use]
    pub fn check_recording(&self, recording: &Recording, base: &str) -> Recorded {
        let base = base.trim_end_matches('/');
        let mut seen = BTreeMap::<&str, usize>::new();
        let mut out = Recorded { findings: Vec::new(), responses: 0, operations: 0, requests: 0 };
        for Entry { request, response } in &recording.log.entries {
            let Some(target) = below(base, &request.url) else { continue };
            out.requests += 1;
            let path = target.split(['?', '#']).next().unwrap_or_default();
            let documented_path = format!("{}{path}", self.document.base_path());
            let found = match self.validator.find(&request.method, &documented_path) {
                Some(operation) if self.is_complete(operation, response.status) => {
                    *seen.entry(operation.pointer()).or_default() += 1;
                    self.check_recorded(operation, response)
                }
                Some(_) => continue,
                None if response.is_json() && request.method != "OPTIONS" => {
                    let message = format!("{} {path} is of no operation of the document", request.method);
                    vec![self.finding(About::default(), "operation-undocumented", message, "/paths")]
                }
                None => continue,
            };
            for finding in found {
                if !out.findings.contains(&finding) {
                    out.findings.push(finding);
                }
            }
        }
        out.operations = seen.len();
        out.responses = seen.values().sum();
        out.findings.extend(self.coverage(&seen));
        out
    }

    /// Whether a response came from the server as documented: not from a cache, and not an upgrade of the connection.
    fn is_complete(&self, operation: OperationRef<'_>, status: u16) -> bool {
        let is_documented = |status: u16| {
            let responses = self.document.value().pointer(&format!("{}/responses", operation.pointer()));
            responses.is_some_and(|responses| responses.get(status.to_string()).is_some())
        };
        status >= 200 && (status != 304 || is_documented(304))
    }

    fn check_recorded(&self, operation: OperationRef<'_>, response: &Response) -> Vec<Finding> {
        let body = response.body();
        let name = self.name(operation.pointer());
        let about = About { operation: &name, place: "a recorded response" };
        let mut found =
            self.deviations(about, operation, response.status, response.lines(), body.as_deref().unwrap_or_default());
        found.retain(|finding| body.is_some() || !ABOUT_BODIES.contains(&finding.rule.id));
        if response.status >= 500 {
            let message = format!("answered {}", response.status);
            found.insert(0, self.finding(about, "server-error", message, operation.pointer()));
        }
        found
    }

    /// The findings that list which operations were recorded; `seen` has their numbers by pointer.
    fn coverage(&self, seen: &BTreeMap<&str, usize>) -> Vec<Finding> {
        let pointers: Vec<String> = self.document.located().map(|located| located.pointer()).collect();
        let number = |pointer: &String| seen.get(pointer.as_str()).copied();
        let (recorded, missing): (Vec<&String>, Vec<&String>) =
            pointers.iter().partition(|pointer| number(pointer).is_some());
        [("operations-recorded", "are", recorded), ("operations-not-recorded", "are not", missing)]
            .into_iter()
            .filter(|(_, _, listed)| !listed.is_empty())
            .map(|(rule, verb, listed)| {
                let names = listed.iter().map(|pointer| match number(pointer) {
                    Some(number) => format!("{} ({number})", self.name(pointer)),
                    None => self.name(pointer),
                });
                let names = names.collect::<Vec<_>>().join(", ");
                let message =
                    format!("{} of {} operations {verb} in the recording: {names}", listed.len(), pointers.len());
                self.finding(About::default(), rule, message, "/paths")
            })
            .collect()
    }

    /// The operation at a pointer, as in findings.
    fn name(&self, pointer: &str) -> String {
        let mut all = self.document.located();
        let found = all.find(|located| located.pointer() == pointer);
        found.map(|located| format!("{} {}", located.method.to_uppercase(), located.path)).unwrap_or_default()
    }
}

/// What follows the base in a URL; `None` for other URLs.
fn below<'u>(base: &str, url: &'u str) -> Option<&'u str> {
    url.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}
