//! Requests as bytes.

use serde_json::Value;
use std::fmt::Write as _;

/// What clients see of the server, whatever port it got: trusted as an origin.
pub(crate) const BASE_URL: &str = "http://countersign.bench";
const HOST: &str = "countersign.bench";

/// The name of the trusted device's cookie.
pub(crate) const TRUST_COOKIE: &str = "better-auth.trust_device";

/// How a request says who sends it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sender<'a> {
    /// It does not.
    Nobody,
    /// By the token of a session or a challenge.
    Bearer(&'a str),
    /// By the trusted device's cookie, signed.
    TrustedDevice(&'a str),
}

/// A request to read something.
pub(crate) fn get(path: &str, sender: Sender<'_>) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {HOST}\r\n{}\r\n", credentials(sender)).into_bytes()
}

/// A request with a JSON body, to an operation of the dialect.
pub(crate) fn post(operation: &str, sender: Sender<'_>, body: &Value) -> Vec<u8> {
    let (body, credentials) = (body.to_string(), credentials(sender));
    format!(
        "POST /api/auth/{operation} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n{credentials}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn credentials(sender: Sender<'_>) -> String {
    let mut text = String::new();
    match sender {
        Sender::Nobody => Ok(()),
        Sender::Bearer(token) => write!(text, "authorization: Bearer {token}\r\n"),
        // Whoever sends cookies has to say where it comes from.
        Sender::TrustedDevice(value) => write!(text, "origin: {BASE_URL}\r\ncookie: {TRUST_COOKIE}={value}\r\n"),
    }
    .expect("writing to a string cannot fail");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn requests_are_complete() {
        let text = |bytes| String::from_utf8(bytes).expect("ASCII");
        assert_eq!(
            text(post("sign-out", Sender::Bearer("abc"), &json!({}))),
            "POST /api/auth/sign-out HTTP/1.1\r\nhost: countersign.bench\r\ncontent-type: application/json\r\n\
             content-length: 2\r\nauthorization: Bearer abc\r\n\r\n{}"
        );
        assert_eq!(text(get("/x", Sender::Nobody)), "GET /x HTTP/1.1\r\nhost: countersign.bench\r\n\r\n");
    }
}
