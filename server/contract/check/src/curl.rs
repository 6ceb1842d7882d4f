//! Writes requests as shell commands.

use super::Probe;
use countersign_contract_document::visible;
use std::fmt::Write;

impl Probe {
    /// The request as a command for a POSIX shell, with `curl`, in printable ASCII. `base` is the URL of the document's first
    /// server; `headers` are sent besides those of the request.
    #[must_use]
    pub fn curl<'h>(&'h self, base: &str, headers: impl IntoIterator<Item = (&'h str, &'h str)>) -> String {
        let url = format!("{}{}", base.trim_end_matches('/'), self.target);
        let mut command = match self.method.as_str() {
            // With `-X HEAD`, curl waits for a body.
            "HEAD" => "curl --globoff --path-as-is --head".to_owned(),
            method => format!("curl --globoff --path-as-is --include --request {}", quoted(method)),
        };
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.chain(headers) {
            // A header without a value is written with a semicolon.
            let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
            command = format!("{command} --header {}", quoted(&line));
        }
        match std::str::from_utf8(&self.body).ok().filter(|text| is_plain(text)) {
            Some("") => format!("{command} {}", quoted(&url)),
            Some(text) => format!("{command} --data-raw {} {}", quoted(text), quoted(&url)),
            None => format!("{} | {command} --data-binary @- {}", printf(&self.body), quoted(&url)),
        }
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
