//! HTTP by hand: half requests, odd paths, odd header lines.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection to the server.
pub(crate) struct Raw {
    stream: TcpStream,
}

impl Raw {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap() }
    }

    /// Sends text as it is.
    pub(crate) async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Sends the head of a POST and nothing of its body, and waits until the server asks for the body: from then on the
    /// request is under way, and stays so.
    pub(crate) async fn begin_post(&mut self, path: &str) {
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n"
        ))
        .await;
        let mut response = [0; "HTTP/1.1 100 Continue".len()];
        self.stream.read_exact(&mut response).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&response), "HTTP/1.1 100 Continue", "RFC 9110, section 10.1.1");
    }

    /// Asks for the connection to be closed after one request, and reads all that is answered: its status and text.
    pub(crate) async fn call(mut self, method: &str, path: &str) -> (u16, String) {
        self.send(&format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"))
            .await;
        self.read().await
    }

    /// Reads until the server closes the connection.
    pub(crate) async fn read(mut self) -> (u16, String) {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("not a response: {text:?}")), text)
    }
}
