//! Forwards requests to a server, and reports what was forwarded.

use super::queue::Sender;
use super::tee::{BodyCopy, Tee};
use super::{ContractError, chain};
use crate::http_client::client_for;
use countersign_contract_check::exchange::{Exchange, Request, Response};
use countersign_contract_check::har::below;
use http::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use reqwest::redirect::Policy;
use reqwest::{Body, Client, Url};
use std::time::Duration;

/// Headers about a connection, which are not forwarded (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Longest time to connect to the server. Responses may take any time, because some are streams of events.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What was forwarded.
pub(in super::super) enum Event {
    /// A request with its response.
    Answered(Exchange),
    /// A request without a response, and why.
    Unanswered(Request, String),
}

type ResponseBody = Either<Tee<Body>, Full<Bytes>>;

/// Forwards requests.
#[derive(Clone)]
pub(super) struct Forwarder {
    client: Client,
    /// URL of the document's first server.
    server: Url,
    events: Sender,
}

impl Forwarder {
    pub(super) fn new(server: &Url, events: Sender) -> Result<Self, ContractError> {
        let builder = client_for(server).connect_timeout(CONNECT_TIMEOUT).redirect(Policy::none());
        let client = builder.build().map_err(|source| ContractError::Client { source })?;
        Ok(Self { client, server: server.clone(), events })
    }

    /// The response of the server; 502 if there is none. Requests to other paths than those below the server's URL are forwarded
    /// and not reported.
    pub(super) async fn forward(self, request: http::Request<Incoming>) -> http::Response<ResponseBody> {
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let copy = BodyCopy::default();
        let has_body = !body.is_end_stream();
        let body = Tee::new(body, &copy);
        let mut sent = self.client.request(head.method.clone(), self.url(path)).headers(forwarded(&head.headers));
        if has_body {
            sent = sent.body(Body::wrap(body));
        }
        let target = below(self.server.path().trim_end_matches('/'), path).map(str::to_owned);
        let seen = move || {
            let (method, headers) = (head.method.to_string(), lines(&head.headers));
            Some(Request { method, target: target?, headers, body: copy.whole() })
        };
        match sent.send().await {
            Ok(response) => self.answered(response.into(), seen),
            Err(error) => {
                let why = chain(&error.without_url());
                let message = format!("the server does not respond: {why}\n");
                self.report(seen().map(|request| Event::Unanswered(request, why)));
                bad_gateway(message)
            }
        }
    }

    /// The URL of a path at the server.
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.origin().ascii_serialization())
    }

    /// The response as it is forwarded. It is reported when its body has been.
    fn answered(
        self,
        response: http::Response<Body>,
        request: impl FnOnce() -> Option<Request> + Send + Sync + 'static,
    ) -> http::Response<ResponseBody> {
        let (mut head, body) = response.into_parts();
        head.headers = without_hop_by_hop(&head.headers);
        let (status, headers) = (head.status.as_u16(), lines(&head.headers));
        let copy = BodyCopy::default();
        let body = Tee::new(body, &copy);
        let report = move || {
            let response = Response { status, headers, body: copy.whole() };
            self.report(request().map(|request| Event::Answered(Exchange { request, response })));
        };
        http::Response::from_parts(head, Either::Left(body.at_end(report)))
    }

    fn report(&self, event: Option<Event>) {
        if let Some(event) = event {
            self.events.send(event);
        }
    }
}

fn bad_gateway(message: String) -> http::Response<ResponseBody> {
    let mut response = http::Response::new(Either::Right(Full::from(message)));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// The headers of a request as they are forwarded: with the host of the server, and without compression, so that responses can
/// be read.
fn forwarded(headers: &HeaderMap) -> HeaderMap {
    let mut headers = without_hop_by_hop(headers);
    headers.remove(HOST);
    if headers.contains_key(ACCEPT_ENCODING) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    headers
}

fn without_hop_by_hop(headers: &HeaderMap) -> HeaderMap {
    let named = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<String> =
        named.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect();
    let is_kept = |name: &str| !HOP_BY_HOP.contains(&name) && !named.iter().any(|other| other == name);
    let kept = headers.iter().filter(|(name, _)| is_kept(name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Name and value of each header line.
fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}
