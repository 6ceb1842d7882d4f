//! Sends requests.

use super::{CheckArguments, ContractError, Document, Probe, Purpose};
use crate::http_client::client_for;
use countersign_contract_check::{MASK, Mask};
use http::{HeaderName, HeaderValue, Method};
use reqwest::redirect::Policy;
use std::time::Duration;

/// Most bytes of a response body that are read.
const LONGEST_BODY: usize = 16 << 20;

pub(super) struct Client<'a> {
    arguments: &'a CheckArguments,
    /// Names of headers with credentials.
    credentials: Vec<HeaderName>,
    /// Hides the values of the command line.
    mask: Mask,
    /// Keeps connections.
    keeping: reqwest::Client,
    /// Opens a connection for each request.
    fresh: reqwest::Client,
}

/// A response.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    /// `None` if it is too long.
    pub(super) body: Option<Vec<u8>>,
}

impl Received {
    pub(super) fn header_lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn is_web_page(&self) -> bool {
        self.header_lines().any(|(name, value)| name == "content-type" && value.starts_with("text/html"))
    }
}

impl<'a> Client<'a> {
    pub(super) fn new(document: &Document, arguments: &'a CheckArguments) -> Result<Self, ContractError> {
        let builder = || {
            let timeout = Duration::from_secs(arguments.timeout);
            client_for(&arguments.url).timeout(timeout).redirect(Policy::none())
        };
        let failed = |source| ContractError::Client { source };
        Ok(Self {
            arguments,
            credentials: headers_with_credentials(document),
            mask: match arguments.show_secrets {
                true => Mask::default(),
                false => Mask::of_values(arguments.value.iter().map(|(_, value)| value.as_str())),
            },
            keeping: builder().build().map_err(failed)?,
            fresh: builder().pool_max_idle_per_host(0).build().map_err(failed)?,
        })
    }

    /// Sends a request. If the connection ends without a response, the request is sent once more on a new one: servers close
    /// connections that they have kept, and a request may be on its way then (RFC 9112, section 9.5).
    pub(super) async fn send(&self, probe: &Probe) -> Result<Received, reqwest::Error> {
        match self.send_with(&self.keeping, probe).await {
            Err(error) if !error.is_timeout() && !error.is_connect() => self.send_with(&self.fresh, probe).await,
            result => result,
        }
    }

    async fn send_with(&self, client: &reqwest::Client, probe: &Probe) -> Result<Received, reqwest::Error> {
        let address = format!("{}{}", self.arguments.url.as_str().trim_end_matches('/'), probe.target);
        let method = Method::from_bytes(probe.method.as_bytes()).unwrap_or(Method::GET);
        let mut request = client.request(method, address);
        for (name, value) in &probe.headers {
            request = request.header(name, value);
        }
        for (name, value) in self.headers(probe) {
            request = request.header(name, value);
        }
        if !probe.body.is_empty() {
            request = request.body(probe.body.clone());
        }
        let mut response = request.send().await?;
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let (status, mut body) = (response.status().as_u16(), Vec::new());
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LONGEST_BODY {
                return Ok(Received { status, headers, body: None });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Received { status, headers, body: Some(body) })
    }

    /// The headers of the command line that belong to a request.
    fn headers(&self, probe: &Probe) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        let without = probe.purpose == Purpose::WithoutCredentials;
        let headers =
            self.arguments.header.iter().filter(move |(name, _)| !without || !self.credentials.contains(name));
        headers.map(|(name, value)| (name, value))
    }

    /// The request as a shell command.
    pub(super) fn curl(&self, probe: &Probe) -> String {
        let headers = self.headers(probe).map(|(name, value)| {
            let shown = value.to_str().ok().filter(|_| self.arguments.show_secrets);
            (name.as_str(), shown.unwrap_or(MASK))
        });
        probe.curl(self.arguments.url.as_str(), headers, &self.mask)
    }
}

fn headers_with_credentials(document: &Document) -> Vec<HeaderName> {
    let schemes = document.value().pointer("/components/securitySchemes").and_then(|schemes| schemes.as_object());
    let named = schemes.into_iter().flatten().filter(|(_, scheme)| scheme["in"] == "header");
    let named = named.filter_map(|(_, scheme)| scheme["name"].as_str()?.parse().ok());
    named.chain([http::header::AUTHORIZATION, http::header::COOKIE]).collect()
}
