//! A receiver of webhooks that keeps what it gets, and can be killed, hung and made to refuse.

use countersign::config::webhooks::Receiver as Configured;
use countersign::net::webhook::WebhookUrl;
use countersign_domain::webhook::{EventType, Secret, Subscription};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// The key that is shared with the server.
pub(crate) const SECRET: &str = "a secret of the webhook's, which is long";

/// What a receiver does with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Takes,
    Responds(u16),
    /// Responds with 302 and this `Location`.
    Redirects(String),
    /// Takes connections and never responds.
    Hangs,
}

/// A request whose signature was right.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) body: String,
    /// What is in `event`.
    pub(crate) event: Value,
}

impl Received {
    pub(crate) fn event_type(&self) -> &str {
        self.event["type"].as_str().unwrap()
    }
}

struct State {
    received: Mutex<Vec<Received>>,
    /// Every request, taken or not.
    requests: Mutex<usize>,
    manner: Mutex<Manner>,
}

pub(crate) struct Receiver {
    address: SocketAddr,
    state: Arc<State>,
    task: Option<JoinHandle<()>>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            received: Mutex::default(),
            requests: Mutex::default(),
            manner: Mutex::new(Manner::Takes),
        });
        let task = Some(tokio::spawn(serve(listener, Arc::clone(&state))));
        Self { address, state, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Ends it at once, with all its connections.
    pub(crate) fn kill(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }

    /// Starts it again on its port.
    pub(crate) async fn restart(&mut self) {
        self.kill();
        let listener = loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                // The old listener is closed a moment after its task was aborted.
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        self.task = Some(tokio::spawn(serve(listener, Arc::clone(&self.state))));
    }

    pub(crate) fn behaves(&self, manner: Manner) {
        *self.state.manner.lock().unwrap() = manner;
    }

    pub(crate) fn requests(&self) -> usize {
        *self.state.requests.lock().unwrap()
    }

    /// What it has taken.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// Waits until it has taken events of these types, in any order, and no others.
    pub(crate) async fn gets(&self, expected: &[&str]) -> Vec<Received> {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        let types = |received: &[Received]| {
            let mut types: Vec<String> = received.iter().map(|one| one.event_type().to_owned()).collect();
            types.sort_unstable();
            types
        };
        for _ in 0..200 {
            let received = self.received();
            if types(&received) == expected {
                let ids: BTreeSet<_> = received.iter().map(|one| one.event["id"].to_string()).collect();
                assert_eq!(ids.len(), received.len(), "each event has an id of its own: {received:?}");
                return received;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(types(&self.received()), expected);
        unreachable!()
    }

    /// It as it is configured, for some events or for all.
    pub(crate) fn configured(&self, name: &str, events: &[EventType]) -> Configured {
        let events = if events.is_empty() { EventType::ALL } else { events };
        let events = events.iter().copied().collect();
        Configured {
            subscription: Subscription { receiver: name.to_owned(), events, tenant_id: None },
            url: WebhookUrl::parse(&self.url()).unwrap(),
            secret: Secret::new(SECRET).unwrap(),
            allows_private_addresses: true,
        }
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(receive(stream, Arc::clone(&state)));
    }
}

async fn receive(mut stream: TcpStream, state: Arc<State>) {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read);
    let (mut request_line, mut headers) = (String::new(), BTreeMap::new());
    lines.read_line(&mut request_line).await.unwrap();
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).await.unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    lines.read_exact(&mut body).await.unwrap();
    *state.requests.lock().unwrap() += 1;
    let manner = state.manner.lock().unwrap().clone();
    let (status, location) = match manner {
        Manner::Takes => (200, String::new()),
        Manner::Responds(status) => (status, String::new()),
        Manner::Redirects(to) => (302, format!("location: {to}\r\n")),
        Manner::Hangs => return std::future::pending().await,
    };
    if status == 200 {
        assert!(request_line.starts_with("POST /events"), "{request_line}");
        assert_eq!(headers["content-type"], "application/json");
        verify(&headers["x-fusionauth-signature-jwt"], &body);
        let body = String::from_utf8(body).unwrap();
        let event = serde_json::from_str::<Value>(&body).unwrap()["event"].take();
        state.received.lock().unwrap().push(Received { body, event });
    }
    let response = format!("HTTP/1.1 {status} x\r\n{location}content-length: 0\r\nconnection: close\r\n\r\n");
    // The client may have been killed.
    let _ = write.write_all(response.as_bytes()).await;
}

/// Verifies a signature as FusionAuth documents it: a token (RFC 7515) by the shared key, whose claim is the hash of the body.
fn verify(token: &str, body: &[u8]) {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("no token: {token}") };
    let read =
        |part: &str| -> Value { serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap() };
    assert_eq!(read(header)["alg"], "HS256");
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{header}.{claims}").as_bytes());
    mac.verify_slice(&BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap()).expect("the signature of the server");
    assert_eq!(read(claims)["request_body_sha256"], BASE64.encode(&Sha256::digest(body)));
}
