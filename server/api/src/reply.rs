//! Responses: one declaration for what an operation can send and what it documents.
//!
//! dropshot documents one success status and two ranges of errors per operation. A type made by [`replies!`]
//! lists the real ones, and prints them as the extension `x-replies`, which the contract check reads. At run time
//! a [`Reply`] of that type can be made for the listed success statuses and their bodies only; errors are the
//! dialect's error type, which renders itself and reaches the edge by [`capture_errors`].
//!
//! [`replies!`]: crate::replies

use dropshot::{ApiEndpointResponse, Body, HttpError, HttpResponse, HttpResponseOk};
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{Schema, SchemaObject};
use serde::Serialize;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

/// Content type of every response that has a body.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Headers for which there is room in a response, with those that the edge adds.
const HEADERS: usize = 12;

/// One response of an operation, as it is documented.
#[derive(Clone, Copy)]
pub struct Documented {
    status: u16,
    description: &'static str,
    headers: &'static [&'static str],
    schema: Option<fn(&mut SchemaGenerator) -> Schema>,
    media_type: &'static str,
}

impl Documented {
    /// A response with a body of type `B`, and the names of the headers that it can have.
    #[must_use]
    pub const fn new<B: ReplyBody>(status: u16, description: &'static str, headers: &'static [&'static str]) -> Self {
        Self { status, description, headers, schema: B::SCHEMA, media_type: B::MEDIA_TYPE }
    }

    fn print(&self, generator: &mut SchemaGenerator) -> Value {
        let mut printed = json!({"status": self.status, "description": self.description, "headers": self.headers});
        if let Some(schema) = self.schema {
            printed["schema"] = serde_json::to_value(schema(generator)).expect("a schema is plain JSON");
            if self.media_type != JSON {
                printed["mediaType"] = self.media_type.into();
            }
        }
        printed
    }
}

/// The responses of one operation.
pub trait Replies: Send + Sync + 'static {
    /// The successes, in the order of their statuses, usually one.
    fn successes() -> Vec<Documented>;

    /// The errors.
    fn errors() -> Vec<Documented>;
}

/// An operation that can succeed with this status.
pub trait Gives<const STATUS: u16>: Replies {
    /// The body that goes with the status.
    type Body: ReplyBody;
}

/// The body of a response: any JSON, [`HtmlPage`], or [`NoBody`].
pub trait ReplyBody {
    /// The type of what is sent.
    const MEDIA_TYPE: &'static str = "application/json";

    /// The schema, or `None` where nothing is sent.
    const SCHEMA: Option<fn(&mut SchemaGenerator) -> Schema>;

    /// The bytes to send, or `None` where nothing is sent.
    ///
    /// # Errors
    /// If the value cannot be written as JSON.
    fn bytes(&self) -> Result<Option<Vec<u8>>, serde_json::Error>;
}

impl<T: Serialize + JsonSchema> ReplyBody for T {
    const SCHEMA: Option<fn(&mut SchemaGenerator) -> Schema> = Some(|generator| generator.subschema_for::<T>());

    fn bytes(&self) -> Result<Option<Vec<u8>>, serde_json::Error> {
        serde_json::to_vec(self).map(Some)
    }
}

/// A response without a body, and so without a `Content-Type`.
#[derive(Debug, Clone, Copy)]
pub struct NoBody;

impl ReplyBody for NoBody {
    const SCHEMA: Option<fn(&mut SchemaGenerator) -> Schema> = None;

    fn bytes(&self) -> Result<Option<Vec<u8>>, serde_json::Error> {
        Ok(None)
    }
}

/// A page to be read. What it shows of a request must be escaped.
#[derive(Debug, Clone)]
pub struct HtmlPage(pub String);

impl ReplyBody for HtmlPage {
    const MEDIA_TYPE: &'static str = "text/html";
    const SCHEMA: Option<fn(&mut SchemaGenerator) -> Schema> = Some(|generator| generator.subschema_for::<String>());

    fn bytes(&self) -> Result<Option<Vec<u8>>, serde_json::Error> {
        Ok(Some(self.0.as_bytes().to_vec()))
    }
}

/// A success of the operation that `R` describes.
pub struct Reply<R> {
    status: StatusCode,
    headers: HeaderMap,
    body: Result<Option<Vec<u8>>, serde_json::Error>,
    media_type: &'static str,
    operation: PhantomData<fn() -> R>,
}

// The body and the cookies may hold tokens and codes.
impl<R> fmt::Debug for Reply<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

impl<R> Reply<R> {
    /// The usual success, 200.
    #[must_use]
    pub fn ok(body: R::Body) -> Self
    where
        R: Gives<200>,
    {
        Self::new::<200>(body)
    }

    /// The success with this status.
    #[must_use]
    pub fn new<const STATUS: u16>(body: R::Body) -> Self
    where
        R: Gives<STATUS>,
    {
        Self {
            status: StatusCode::from_u16(STATUS).expect("`replies!` refuses statuses that are not successes"),
            headers: HeaderMap::with_capacity(HEADERS),
            body: body.bytes(),
            media_type: R::Body::MEDIA_TYPE,
            operation: PhantomData,
        }
    }

    /// Adds a header, and keeps others of the same name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Adds the `Set-Cookie` headers of a cookie after the others; of two for one cookie, browsers keep the later.
    #[must_use]
    pub fn with_cookie(self, values: impl IntoIterator<Item = HeaderValue>) -> Self {
        values.into_iter().fold(self, |reply, value| reply.with_header(SET_COOKIE, value))
    }
}

impl<R: Replies> HttpResponse for Reply<R> {
    fn to_result(self) -> Result<Response<Body>, HttpError> {
        let internal = |error| HttpError::for_internal_error(format!("failed to write a response as JSON: {error}"));
        let mut response = response(self.status, self.headers, self.body.map_err(internal)?);
        if let Some(media_type) = response.headers_mut().get_mut(CONTENT_TYPE) {
            *media_type = HeaderValue::from_static(self.media_type);
        }
        Ok(response)
    }

    fn response_metadata() -> ApiEndpointResponse {
        HttpResponseOk::<Documentation<R>>::response_metadata()
    }

    fn status_code(&self) -> StatusCode {
        self.status
    }
}

/// Builds a response; a body makes it JSON.
pub(crate) fn response(status: StatusCode, headers: HeaderMap, body: Option<Vec<u8>>) -> Response<Body> {
    let has_body = body.is_some();
    let mut response = Response::new(Body::from(body.unwrap_or_default()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    if has_body {
        response.headers_mut().insert(CONTENT_TYPE, JSON);
    }
    response
}

/// Stands for the body of an operation's success in dropshot's document, and carries all its responses.
#[derive(Serialize)]
#[serde(bound = "")]
struct Documentation<R>(PhantomData<fn() -> R>);

impl<R: Replies> JsonSchema for Documentation<R> {
    fn schema_name() -> String {
        "Replies".to_owned()
    }

    fn is_referenceable() -> bool {
        false
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let successes = R::successes();
        let bodies = successes.iter().filter_map(|success| success.schema).map(|schema| schema(generator)).collect();
        let replies: Vec<Value> = successes.iter().chain(&R::errors()).map(|reply| reply.print(generator)).collect();
        // The bodies again, for readers of dropshot's document who do not know the extension.
        let mut schema = SchemaObject::default();
        schema.subschemas().any_of = Some(bodies);
        schema.extensions.insert("x-replies".to_owned(), replies.into());
        schema.into()
    }
}

/// Declares the responses of an operation: its successes, with the body and headers of each, and lists of its errors.
///
/// ```
/// use countersign_api::reply::{Documented, Reply};
///
/// const GONE: Documented = Documented::new::<String>(410, "It is gone.", &[]);
///
/// countersign_api::replies! {
///     /// Responses of `getNumber`.
///     pub enum GetNumberReplies {
///         200 "The number." => u32, headers [];
///         errors [&[GONE]];
///     }
/// }
///
/// let reply: Reply<GetNumberReplies> = Reply::ok(7);
/// ```
#[macro_export]
macro_rules! replies {
    ($(
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident {
            $($status:literal $description:literal => $body:ty, headers [$($header:expr),* $(,)?];)+
            errors [$($errors:expr),+ $(,)?];
        }
    )+) => {$(
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy)]
        $visibility enum $name {}

        impl $crate::reply::Replies for $name {
            fn successes() -> Vec<$crate::reply::Documented> {
                vec![$($crate::reply::Documented::new::<$body>($status, $description, &[$($header),*])),+]
            }

            fn errors() -> Vec<$crate::reply::Documented> {
                let lists: &[&[$crate::reply::Documented]] = &[$($errors),+];
                lists.concat()
            }
        }

        $(
            // In FusionAuth's dialect, 421 is a documented outcome of a handler, so 4xx are accepted too.
            const _: () = assert!($status >= 200 && $status < 500, "a reply is a success or an expected refusal");

            impl $crate::reply::Gives<$status> for $name {
                type Body = $body;
            }
        )+
    )+};
}

/// The value of `Retry-After` (RFC 9110, 10.2.3): whole seconds, rounded up, and at least one, because clients take zero
/// as leave to try again at once. At most a day.
#[must_use]
pub fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).clamp(1, LONGEST_WAIT.as_secs())
}

/// The longest `Retry-After`. A client that repeats the request after a day gets a new value. A lock may have no end, and a browser
/// timer above 2^31 ms (25 days) fires at once.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// The cause of an error, for the log: an extension of the rendered response, never sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorCause(pub String);

tokio::task_local! {
    static RENDERED_ERROR: RefCell<Option<Response<Body>>>;
}

/// Runs a dropshot handler, and returns its outcome with the last error that was rendered meanwhile, complete with its
/// headers. dropshot's own error value cannot be read, and its response has no headers of ours.
pub async fn capture_errors<F: Future>(handler: F) -> (F::Output, Option<Response<Body>>) {
    let listen = async {
        let outcome = handler.await;
        (outcome, RENDERED_ERROR.with(|rendered| rendered.borrow_mut().take()))
    };
    RENDERED_ERROR.scope(RefCell::new(None), listen).await
}

/// Leaves a rendered error for [`capture_errors`]. Without effect outside of it.
pub(crate) fn leave_error(response: Response<Body>) {
    // Outside a captured handler, dropshot's rendering is sent.
    let _ = RENDERED_ERROR.try_with(|rendered| rendered.borrow_mut().replace(response));
}

/// What the error types of all dialects have in common: they are documented as their body, and leave their complete response
/// behind when dropshot asks for the status, which it does while it converts an error.
macro_rules! dialect_error {
    ($error:ident, documented as $body:ty) => {
        impl ::std::error::Error for $error {}

        impl ::schemars::JsonSchema for $error {
            fn schema_name() -> String {
                <$body>::schema_name()
            }

            fn schema_id() -> ::std::borrow::Cow<'static, str> {
                <$body>::schema_id()
            }

            fn json_schema(generator: &mut ::schemars::r#gen::SchemaGenerator) -> ::schemars::schema::Schema {
                <$body>::json_schema(generator)
            }
        }

        impl ::dropshot::HttpResponseError for $error {
            fn status_code(&self) -> ::dropshot::ErrorStatusCode {
                $crate::reply::leave_error(self.to_response());
                self.status
            }
        }
    };
}

pub(crate) use dialect_error;

#[cfg(test)]
mod tests {
    use super::{Documentation, Documented, NoBody, Reply, capture_errors, leave_error, whole_seconds};
    use dropshot::HttpResponse;
    use http::header::{CONTENT_TYPE, SET_COOKIE};
    use http::{HeaderMap, HeaderValue, StatusCode};
    use schemars::r#gen::SchemaSettings;
    use serde_json::{json, to_value};
    use std::time::Duration;

    const REFUSED: Documented = Documented::new::<String>(400, "No.", &[]);
    const BUSY: Documented = Documented::new::<String>(503, "Later.", &["Retry-After"]);

    replies! {
        /// Two successes and an expected refusal.
        enum SeveralReplies {
            200 "A number." => u32, headers ["Set-Cookie"];
            242 "A word." => String, headers [];
            421 "Nothing." => NoBody, headers [];
            errors [&[REFUSED], &[BUSY]];
        }
    }

    #[test]
    fn every_response_is_documented() {
        let mut generator = SchemaSettings::openapi3().into_generator();
        let schema = generator.subschema_for::<Documentation<SeveralReplies>>();
        let printed = to_value(schema).expect("schemas are JSON");
        let number = json!({"type": "integer", "format": "uint32", "minimum": 0.0});
        let text = json!({"type": "string"});
        assert_eq!(
            printed,
            json!({
                "anyOf": [number, text],
                "x-replies": [
                    {"status": 200, "description": "A number.", "headers": ["Set-Cookie"], "schema": number},
                    {"status": 242, "description": "A word.", "headers": [], "schema": text},
                    {"status": 421, "description": "Nothing.", "headers": []},
                    {"status": 400, "description": "No.", "headers": [], "schema": text},
                    {"status": 503, "description": "Later.", "headers": ["Retry-After"], "schema": text},
                ],
            })
        );
    }

    #[test]
    fn several_cookies_are_several_headers_in_order() {
        let reply = Reply::<SeveralReplies>::ok(1)
            .with_cookie([HeaderValue::from_static("a=1")])
            .with_cookie([HeaderValue::from_static("a=2")]);
        let response = reply.to_result().expect("plain");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(response.headers().get_all(SET_COOKIE).iter().collect::<Vec<_>>(), ["a=1", "a=2"]);
    }

    #[test]
    fn other_statuses_and_empty_bodies() {
        let word = Reply::<SeveralReplies>::new::<242>("w".to_owned()).to_result().expect("plain");
        assert_eq!(word.status().as_u16(), 242);
        let nothing = Reply::<SeveralReplies>::new::<421>(NoBody).to_result().expect("plain");
        assert_eq!(nothing.status().as_u16(), 421);
        assert_eq!(nothing.headers().get(CONTENT_TYPE), None);
    }

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds_and_never_zero() {
        for (millis, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (9_999, 10), (10_000, 10)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds, "{millis} ms");
        }
        assert_eq!(whole_seconds(Duration::MAX), 86_400);
    }

    #[tokio::test]
    async fn an_error_is_captured_in_its_own_handler_only() {
        let with_status = |status| super::response(status, HeaderMap::new(), None);
        leave_error(with_status(StatusCode::GONE));
        let (outcome, captured) = capture_errors(async {
            leave_error(with_status(StatusCode::NOT_FOUND));
            1
        })
        .await;
        assert_eq!((outcome, captured.expect("left").status()), (1, StatusCode::NOT_FOUND));
        assert!(capture_errors(async {}).await.1.is_none());
    }
}
