//! Text messages by a gateway: a signed webhook, and Twilio's API.

use crate::harness::World;
use countersign::net::sms::{SmsGateway, SmsUrl};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

const NUMBER: &str = "+15550100";
const SECRET: &[u8] = b"a secret of the webhook's";

#[derive(Clone, Debug, Default)]
struct Request {
    /// Method and path.
    line: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// An HTTP server that keeps what it gets.
struct Gateway {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    status: Arc<AtomicU16>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Gateway {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (requests, status) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU16::new(201)));
        let (kept, answers) = (Arc::clone(&requests), Arc::clone(&status));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let request = read(stream, answers.load(Ordering::SeqCst)).await;
                kept.lock().unwrap().push(request);
            }
        });
        Self { url, requests, status, task }
    }

    fn last(&self) -> Request {
        self.requests.lock().unwrap().last().cloned().expect("a request")
    }

    fn url(&self, path: &str) -> SmsUrl {
        SmsUrl::parse(&format!("{}{path}", self.url)).unwrap()
    }
}

async fn read(mut stream: TcpStream, status: u16) -> Request {
    let mut request = Request::default();
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read);
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).await.unwrap();
        match line.trim_end() {
            "" => break,
            line if request.line.is_empty() => request.line = line.trim_end_matches(" HTTP/1.1").to_owned(),
            line => {
                let (name, value) = line.split_once(": ").unwrap();
                request.headers.insert(name.to_lowercase(), value.to_owned());
            }
        }
    }
    let mut body = vec![0; request.headers["content-length"].parse().unwrap()];
    lines.read_exact(&mut body).await.unwrap();
    request.body = String::from_utf8(body).unwrap();
    let response = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    write.write_all(response.as_bytes()).await.unwrap();
    request
}

async fn with_gateway(database: DatabaseKind, gateway: SmsGateway) -> World {
    World::with(database, |settings| settings.sms = Some(gateway)).await
}

/// Has a code sent to a number that is to become a method, and enrols it with what the text says.
async fn enrol(world: &World, text: impl FnOnce() -> String) {
    let service = world.service().await;
    let user = service.user().await;
    let send = json!({"userId": user.id, "method": "sms", "mobilePhone": NUMBER});
    service.post("/two-factor/send", send).await.ok();
    let text = text();
    let last = text.lines().last().expect("a last line");
    let code = last.strip_prefix("@countersign.test #").expect("the line that browsers look for").to_owned();
    assert!(text.starts_with(&format!("{code} is your code to add this number to Countersign.")), "{text}");
    let enable = json!({"method": "sms", "mobilePhone": NUMBER, "code": code});
    service.post(&format!("/user/two-factor/{}", user.id), enable).await.ok();
}

#[on_each_database]
async fn a_webhook_is_signed_and_carries_the_code(database: DatabaseKind) {
    let gateway = Gateway::start().await;
    let webhook = SmsGateway::Webhook { url: gateway.url("/send?tenant=1"), secret: SECRET.to_vec() };
    let world = with_gateway(database, webhook).await;
    let text = || {
        let Request { line, headers, body } = gateway.last();
        assert_eq!((line.as_str(), headers["content-type"].as_str()), ("POST /send?tenant=1", "application/json"));
        let (id, timestamp) = (&headers["webhook-id"], &headers["webhook-timestamp"]);
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        assert_eq!(headers["webhook-signature"], format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes())));
        assert_eq!(timestamp.parse::<i64>().unwrap(), world.clock_millis() / 1000);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&body["id"], &body["kind"], &body["to"]), (&json!(id), &json!("enrolment-code"), &json!(NUMBER)));
        body["text"].as_str().unwrap().to_owned()
    };
    enrol(&world, text).await;
    assert_eq!(world.outbox().messages().len(), 0, "the outbox is for what no gateway is set for");
}

#[on_each_database]
async fn twilios_api_gets_number_sender_and_text(database: DatabaseKind) {
    let gateway = Gateway::start().await;
    let (account, token, from) = ("AC1".to_owned(), "token".to_owned(), "+15550999".to_owned());
    let world = with_gateway(database, SmsGateway::Twilio { url: gateway.url("/"), account, token, from }).await;
    let text = || {
        let Request { line, headers, body } = gateway.last();
        assert_eq!(line, "POST /2010-04-01/Accounts/AC1/Messages.json");
        assert_eq!(headers["authorization"], format!("Basic {}", BASE64.encode(b"AC1:token")));
        let fields: BTreeMap<_, _> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        assert_eq!((fields["To"].as_str(), fields["From"].as_str()), (NUMBER, "+15550999"));
        fields["Body"].clone()
    };
    enrol(&world, text).await;
}

#[on_each_database]
async fn what_a_gateway_cannot_take_now_is_tried_again_and_a_refusal_is_not(database: DatabaseKind) {
    let gateway = Gateway::start().await;
    let webhook = SmsGateway::Webhook { url: gateway.url("/"), secret: SECRET.to_vec() };
    let world = with_gateway(database, webhook).await;
    let service = world.service().await;
    let user = service.user().await;
    let send = || service.post("/two-factor/send", json!({"userId": user.id, "method": "sms", "mobilePhone": NUMBER}));
    let count = |state: &str| {
        world.database().number(&format!("SELECT count(*) AS number FROM messages WHERE state = '{state}'"))
    };
    gateway.status.store(503, Ordering::SeqCst);
    send().await.ok();
    let first = gateway.last().headers["webhook-id"].clone();
    gateway.status.store(200, Ordering::SeqCst);
    for _ in 0..100 {
        world.clock.advance(std::time::Duration::from_millis(100));
        if count("sent") == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!((count("sent"), gateway.last().headers["webhook-id"].clone()), (1, first), "with the same id");
    gateway.status.store(422, Ordering::SeqCst);
    send().await.is(400);
}
