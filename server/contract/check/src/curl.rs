//! Writes requests as shell commands.

use super::Probe;
use super::exchange::Request;
use super::mask::Mask;
use countersign_contract_document::visible;
use std::fmt::Write;

/// Headers that `curl` sends by itself, or that clients send whatever the request is about.
const OF_CLIENTS: [&str; 12] = [
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-length",
    "dnt",
    "host",
    "pragma",
    "priority",
    "referer",
    "te",
    "user-agent",
];

impl Probe {
    /// The request as a command for a POSIX shell, with `curl`, in printable ASCII. `base` is the URL of the document's first
    /// server; `headers` are sent besides those of the request, and are shown as they are.
    #[must_use]
    pub fn curl<'h>(&self, base: &str, headers: impl IntoIterator<Item = (&'h str, &'h str)>, mask: &Mask) -> String {
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), mask.header(name, value)));
        let others = headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let headers = own.map(|(name, value)| (name.to_owned(), value.to_owned())).chain(others);
        let url = format!("{}{}", base.trim_end_matches('/'), mask.target(&self.target));
        command(&self.method, &url, headers, &mask.body(&self.headers, &self.body))
    }
}

impl Request {
    /// The request as a command, without headers that clients send whatever the request is about.
    pub(super) fn curl(&self, base: &str, mask: &Mask) -> String {
        let is_own = |name: &str| !OF_CLIENTS.contains(&name) && !name.starts_with("sec-");
        let headers = self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), mask.header(name, value)));
        let headers = headers.filter(|(name, _)| is_own(name)).map(|(name, value)| (name, value.to_owned()));
        let url = format!("{base}{}", mask.target(&self.target));
        command(&self.method, &url, headers, &mask.body(&self.headers, self.body.as_deref().unwrap_or_default()))
    }
}

fn command(method: &str, url: &str, headers: impl Iterator<Item = (String, String)>, body: &[u8]) -> String {
    let mut command = match method {
        // With `-X HEAD`, curl waits for a body.
        "HEAD" => "curl --globoff --path-as-is --head".to_owned(),
        method => format!("curl --globoff --path-as-is --include --request {}", quoted(method)),
    };
    for (name, value) in headers {
        // A header without a value is written with a semicolon.
        let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        command = format!("{command} --header {}", quoted(&line));
    }
    match std::str::from_utf8(body).ok().filter(|text| is_plain(text)) {
        Some("") => format!("{command} {}", quoted(url)),
        Some(text) => format!("{command} --data-raw {} {}", quoted(text), quoted(url)),
        None => format!("{} | {command} --data-binary @- {}", printf(body), quoted(url)),
    }
}

/// A word for the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Whether a text is shown as it is, on any terminal and in any log.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && visible(text) == text
}

/// A command that prints the bytes; all but letters, digits and a few others as octal numbers.
fn printf(bytes: &[u8]) -> String {
    let mut out = "printf '".to_owned();
    for byte in bytes {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b" \"{}[]:,._-".contains(byte) => out.push(char::from(*byte)),
            // Writing to a String cannot fail.
            byte => drop(write!(out, "\\{byte:03o}")),
        }
    }
    out.push('\'');
    out
}
