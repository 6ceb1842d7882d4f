//! Query parameters. A parameter that is there more than once would mean one thing here and another one to a proxy, a log or a
//! client, so that one that an operation reads is refused then, as a list where a text is expected.

use crate::body::{BodySchema, INVALID_FIELDS, ParsedBody, VALIDATION_ERROR, refused};
use async_trait::async_trait;
use dropshot::{
    ApiEndpointBodyContentType, ExtractorMetadata, HttpError, Query, RequestContext, ServerContext, SharedExtractor,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt;

/// The code of an error that says that a [`TypedQuery`] does not have the shape of its schema; its message is the issues, as JSON.
pub const INVALID_PARAMETERS: &str = "INVALID_PARAMETERS";

/// A query that is checked as bodies of the FusionAuth dialect are: U+0000 is refused as well, and each problem is named with its
/// parameter.
#[derive(Clone)]
pub struct CheckedQuery<T>(T);

/// A query that is checked likewise, with parameters that are numbers.
#[derive(Clone)]
pub struct TypedQuery<T>(T);

/// A query of the Better Auth dialect.
#[derive(Clone)]
pub struct SingleQuery<T>(T);

macro_rules! queries {
    ($($name:ident),+) => { $(
        impl<T> $name<T> {
            /// The parameters.
            #[must_use]
            pub fn into_inner(self) -> T {
                self.0
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+ };
}

queries!(CheckedQuery, TypedQuery, SingleQuery);

/// The parameters of a query as an object of texts, and of lists of texts where one is repeated.
fn as_object(query: &str) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = Value::String(value.into_owned());
        match object.get_mut(name.as_ref()) {
            None => {
                object.insert(name.into_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    object
}

/// Reads a query that is checked as bodies are. `may_repeat` is a parameter that the caller reads by itself.
pub(crate) fn checked<T: BodySchema>(query: &str, may_repeat: Option<&str>) -> Result<T, HttpError> {
    let mut object = as_object(query);
    if let Some(name) = may_repeat {
        object.remove(name);
    }
    ParsedBody::Json(Value::Object(object)).read_leniently()
}

#[async_trait]
impl<T: BodySchema + Send + Sync> SharedExtractor for CheckedQuery<T> {
    async fn from_request<Context: ServerContext>(context: &RequestContext<Context>) -> Result<Self, HttpError> {
        checked(context.request.uri().query().unwrap_or_default(), None).map(Self)
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        Query::<T>::metadata(content_type)
    }
}

/// A query of which some parameters are numbers.
pub trait Numbers {
    /// Their names.
    const NAMES: &'static [&'static str];
}

#[async_trait]
impl<T: BodySchema + Numbers + Send + Sync> SharedExtractor for TypedQuery<T> {
    async fn from_request<Context: ServerContext>(context: &RequestContext<Context>) -> Result<Self, HttpError> {
        let mut object = as_object(context.request.uri().query().unwrap_or_default());
        for name in T::NAMES {
            // What is no number stays a text, and is refused as such.
            if let Some(value) = object.get_mut(*name)
                && let Some(number) = value.as_str().and_then(|text| text.parse::<i64>().ok())
            {
                *value = number.into();
            }
        }
        let read = ParsedBody::Json(Value::Object(object)).read_leniently();
        read.map(Self).map_err(|error| match error.error_code.as_deref() {
            Some(INVALID_FIELDS) => refused(INVALID_PARAMETERS, error.external_message),
            _ => error,
        })
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        Query::<T>::metadata(content_type)
    }
}

#[async_trait]
impl<T> SharedExtractor for SingleQuery<T>
where
    T: DeserializeOwned + JsonSchema + Serialize + Send + Sync + 'static,
{
    async fn from_request<Context: ServerContext>(context: &RequestContext<Context>) -> Result<Self, HttpError> {
        let parameters = Query::<T>::from_request(context).await?.into_inner();
        let sent = as_object(context.request.uri().query().unwrap_or_default());
        if sent.values().any(Value::is_array) {
            let read = serde_json::to_value(&parameters).unwrap_or_default();
            let is_repeated = |name: &String| sent.get(name).is_some_and(Value::is_array);
            let repeated = read.as_object().into_iter().flat_map(Map::keys).find(|name| is_repeated(name));
            if let Some(name) = repeated {
                let message = format!("[query.{name}] Invalid input: expected string, received array");
                return Err(refused(VALIDATION_ERROR, message));
            }
        }
        Ok(Self(parameters))
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        Query::<T>::metadata(content_type)
    }
}

#[cfg(test)]
mod tests {
    use super::as_object;
    use serde_json::{Value, json};

    #[test]
    fn a_repeated_parameter_is_a_list() {
        for (query, expected) in [
            ("", json!({})),
            ("a=1&b=%20", json!({"a": "1", "b": " "})),
            ("a=1&b=2&a=3&a", json!({"a": ["1", "3", ""], "b": "2"})),
            ("a%5B%5D=1&a=%ff", json!({"a[]": "1", "a": "\u{fffd}"})),
        ] {
            assert_eq!(Value::Object(as_object(query)), expected, "{query}");
        }
    }
}
