//! Clients: a browser with cookies and an origin, a bearer client, a stranger. Each speaks raw HTTP, so that nothing
//! that the server sends is lost on the way.

use super::contract;
use super::response::Response;
use super::wire::Wire;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN, USER_AGENT};
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

/// Where the Better Auth dialect lives.
pub(crate) const BETTER_AUTH: &str = "/api/auth";

/// A client. Clones are the same client; [`Caller::copy`] is another one with the same cookies.
#[derive(Clone)]
pub(crate) struct Caller {
    wire: Wire,
    headers: HeaderMap,
    /// By name; `None` for clients that keep no cookies.
    cookies: Option<Arc<Mutex<BTreeMap<String, String>>>>,
}

impl Caller {
    pub(super) fn browser(wire: Wire) -> Self {
        let mut caller = Self::stranger(wire);
        caller.headers.insert(ORIGIN, HeaderValue::from_str(caller.wire.base_url()).unwrap());
        caller.cookies = Some(Arc::default());
        caller
    }

    pub(super) fn bearer(wire: Wire, token: &str) -> Self {
        let mut caller = Self::stranger(wire);
        caller.headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        caller
    }

    pub(super) fn stranger(wire: Wire) -> Self {
        let headers = HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static("countersign-tests"))]);
        Self { wire, headers, cookies: None }
    }

    /// The same client, which from now on sends this header with every request.
    #[must_use]
    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    /// Another client that starts with what this one has.
    #[must_use]
    pub(crate) fn copy(&self) -> Self {
        let cookies = self.cookies.as_ref().map(|jar| Arc::new(Mutex::new(jar.lock().unwrap().clone())));
        Self { cookies, ..self.clone() }
    }

    fn jar(&self) -> &Mutex<BTreeMap<String, String>> {
        self.cookies.as_deref().expect("this client keeps no cookies")
    }

    /// The cookies: names and values as they are sent.
    pub(crate) fn cookies(&self) -> BTreeMap<String, String> {
        self.jar().lock().unwrap().clone()
    }

    /// The value of the cookie with this short name, e.g. `session_token`.
    pub(crate) fn cookie(&self, short_name: &str) -> Option<String> {
        let suffix = format!("better-auth.{short_name}");
        let found = |(name, _): &(&String, &String)| name.trim_start_matches("__Secure-") == suffix;
        self.jar().lock().unwrap().iter().find(found).map(|(_, value)| value.clone())
    }

    /// Puts a cookie in, by its full name.
    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.jar().lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    /// A request to an operation of the Better Auth dialect, by its path below the base path.
    pub(crate) fn post(&self, path: &str) -> Call {
        self.call("POST", &format!("{BETTER_AUTH}{path}"))
    }

    /// A request to an operation of the Better Auth dialect, by its path below the base path.
    pub(crate) fn get(&self, path: &str) -> Call {
        self.call("GET", &format!("{BETTER_AUTH}{path}"))
    }

    /// A request by its whole path.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        Call {
            caller: self.clone(),
            method: method.to_owned(),
            path: path.to_owned(),
            headers: self.headers.clone(),
            sends_cookies: true,
            body: Vec::new(),
            is_documented: true,
        }
    }
}

/// A request that is sent when it is awaited.
#[must_use]
pub(crate) struct Call {
    caller: Caller,
    method: String,
    path: String,
    headers: HeaderMap,
    sends_cookies: bool,
    body: Vec<u8>,
    is_documented: bool,
}

impl Call {
    pub(crate) fn json(self, body: Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let form = fields.iter().map(|(name, value)| {
            let encode =
                |text: &str| text.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace(' ', "+");
            format!("{}={}", encode(name), encode(value))
        });
        let form = form.collect::<Vec<_>>().join("&");
        self.body("application/x-www-form-urlencoded", form)
    }

    /// With a body of this type; no `Content-Type` at all when the type is empty.
    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        if content_type.is_empty() { self } else { self.header("content-type", content_type) }
    }

    /// With this header, in the place of the client's own.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    /// The same with any bytes.
    pub(crate) fn header_bytes(mut self, name: &'static str, value: &[u8]) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        self
    }

    /// Without a header that the client would send; `cookie` for all cookies.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self.sends_cookies &= name != COOKIE.as_str();
        self
    }

    /// To something that no contract speaks of: the response is neither checked nor remembered.
    pub(crate) fn undocumented(mut self) -> Self {
        self.is_documented = false;
        self
    }

    pub(crate) async fn send(self) -> Response {
        let request_line = format!("{} {}", self.method, self.path);
        self.try_send().await.unwrap_or_else(|error| panic!("{request_line}: {error:?}"))
    }

    /// Sends it to a server that may die meanwhile.
    pub(crate) async fn try_send(mut self) -> Result<Response, reqwest::Error> {
        if let Some(jar) =
            self.caller.cookies.as_ref().filter(|_| self.sends_cookies && !self.headers.contains_key(COOKIE))
        {
            let cookies: Vec<_> = jar.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
            if !cookies.is_empty() {
                self.headers.insert(COOKIE, HeaderValue::from_str(&cookies.join("; ")).unwrap());
            }
        }
        let wire = &self.caller.wire;
        let has_type = self.headers.contains_key(CONTENT_TYPE);
        let url = format!("http://{}{}", wire.address(), self.path);
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let mut request = wire.http().request(method, url).headers(self.headers);
        if has_type || !self.body.is_empty() {
            request = request.body(self.body);
        }
        let request_line = format!("{} {}", self.method, self.path);
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let raw = response.bytes().await?.to_vec();
        let body = serde_json::from_slice(&raw).unwrap_or_default();
        let response = Response { request: request_line, status, headers, body, raw };
        if self.is_documented {
            let operation_id = contract::check(&self.method, &self.path, &response);
            wire.recorder().record(operation_id, status);
        }
        if let Some(jar) = &self.caller.cookies {
            let mut jar = jar.lock().unwrap();
            for cookie in response.set_cookies() {
                match cookie.is_deletion() {
                    true => jar.remove(&cookie.name),
                    false => jar.insert(cookie.name, cookie.value),
                };
            }
        }
        Ok(response)
    }
}

impl IntoFuture for Call {
    type Output = Response;
    type IntoFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
