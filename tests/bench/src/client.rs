//! A lean HTTP client: requests are bytes made beforehand, responses are looked at as little as possible.
//!
//! It shares the machine with the server it measures, so what it does not do counts: no pool, no header map, one task
//! per connection on one thread. It understands what dropshot sends (HTTP/1.1 with `content-length`) and nothing else.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// Longer responses than this are none of ours.
const LONGEST_ANSWER: usize = 1 << 20;

/// A keep-alive connection.
pub(crate) struct Connection {
    /// The address of this end, if it matters.
    from: Option<Ipv4Addr>,
    address: SocketAddr,
    stream: Option<TcpStream>,
    received: Vec<u8>,
}

impl Connection {
    /// Opens one.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        Self::open_by(None, address).await
    }

    /// Opens one from this address.
    pub(crate) async fn open_from(from: Ipv4Addr, address: SocketAddr) -> Result<Self> {
        Self::open_by(Some(from), address).await
    }

    async fn open_by(from: Option<Ipv4Addr>, address: SocketAddr) -> Result<Self> {
        let mut connection = Self { from, address, stream: None, received: Vec::with_capacity(4096) };
        connection.stream = Some(connection.connect().await?);
        Ok(connection)
    }

    async fn connect(&self) -> Result<TcpStream> {
        let socket = TcpSocket::new_v4().context("failed to make a socket")?;
        if let Some(from) = self.from {
            socket.bind((from, 0).into()).context("failed to choose an address")?;
        }
        let stream = socket.connect(self.address).await.context("failed to connect to the server")?;
        stream.set_nodelay(true).context("failed to set up a connection")?;
        Ok(stream)
    }

    /// Sends a request and waits for the whole response. A connection that the server has closed, or on which something
    /// went wrong, is opened anew for the next request.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<Response<'_>> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        stream.write_all(request).await.context("failed to send a request")?;
        let frame = receive(&mut stream, &mut self.received).await?;
        let response = Response {
            status: frame.status,
            head: std::str::from_utf8(&self.received[..frame.head]).context("a response's head is not text")?,
            body: &self.received[frame.head..frame.head + frame.body],
        };
        if !response.header("connection").any(|value| value.eq_ignore_ascii_case("close")) {
            self.stream = Some(stream);
        }
        Ok(response)
    }
}

/// What a response consists of.
#[derive(Debug, PartialEq, Eq)]
struct Frame {
    status: u16,
    /// Length of status line and headers, the empty line included.
    head: usize,
    /// Length of the body.
    body: usize,
}

async fn receive(stream: &mut TcpStream, received: &mut Vec<u8>) -> Result<Frame> {
    received.clear();
    loop {
        if stream.read_buf(received).await.context("failed to read a response")? == 0 {
            bail!("the server hung up in the middle of a response");
        }
        if let Some(frame) = frame(received)? {
            while received.len() < frame.head + frame.body {
                if stream.read_buf(received).await.context("failed to read a response")? == 0 {
                    bail!("the server hung up in the middle of a response");
                }
            }
            return Ok(frame);
        }
        if received.len() > LONGEST_ANSWER {
            bail!("a response is too long");
        }
    }
}

/// What the response is that begins like this; `None` while its head is not complete.
fn frame(received: &[u8]) -> Result<Option<Frame>> {
    let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&received[..end + 4]).context("a response's head is not text")?;
    let status = head.get(9..12).and_then(|status| status.parse().ok()).context("a response has no status")?;
    let body = match header(head, "content-length").next() {
        Some(length) => length.parse().context("a response's length is not a number")?,
        None => bail!("a response does not say how long it is"),
    };
    if body > LONGEST_ANSWER {
        bail!("a response is too long");
    }
    Ok(Some(Frame { status, head: end + 4, body }))
}

fn header<'a>(head: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    head.lines().skip(1).filter_map(move |line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Response<'a> {
    /// Its status.
    pub(crate) status: u16,
    head: &'a str,
    /// Its body.
    pub(crate) body: &'a [u8],
}

impl<'a> Response<'a> {
    /// Whether this is no response of get-session to a token that opens nothing.
    pub(crate) fn has_session(&self) -> bool {
        self.body != b"null"
    }

    /// The values of a header.
    pub(crate) fn header(&self, name: &str) -> impl Iterator<Item = &'a str> {
        header(self.head, name)
    }

    /// The value of a cookie that it sets, as it stands there.
    pub(crate) fn cookie(&self, name: &str) -> Option<&'a str> {
        self.header("set-cookie").find_map(|cookie| {
            let (found, rest) = cookie.split_once('=')?;
            (found == name).then(|| rest.split(';').next().unwrap_or(rest))
        })
    }

    /// The body of a response that must be 200.
    pub(crate) fn json(&self) -> Result<Value> {
        if self.status != 200 {
            bail!("the server answered {}: {}", self.status, String::from_utf8_lossy(self.body));
        }
        serde_json::from_slice(self.body).context("a response is not JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] =
        b"HTTP/1.1 200 OK\r\nset-cookie: a=1; Path=/\r\nSet-Cookie: b=x%3D; Path=/\r\nContent-Length: 2\r\n\r\n{}";

    #[test]
    fn an_response_is_understood_as_soon_as_its_head_is_there() {
        let head = ANSWER.len() - 2;
        assert_eq!(frame(&ANSWER[..head - 1]).expect("no error"), None);
        let whole = Frame { status: 200, head, body: 2 };
        assert_eq!(frame(&ANSWER[..head]).expect("no error"), Some(whole));
        assert!(frame(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(frame(b"HTTP/1.1 nonsense\r\n\r\n").is_err());
    }

    #[test]
    fn cookies_are_found_by_name() {
        let head = std::str::from_utf8(&ANSWER[..ANSWER.len() - 2]).expect("ASCII");
        let response = Response { status: 200, head, body: b"{}" };
        assert_eq!(response.cookie("b"), Some("x%3D"));
        assert_eq!(response.cookie("c"), None);
    }
}
