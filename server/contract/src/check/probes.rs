//! Generates the requests to send.

use super::sample::{Amount, Random, Samples, wrong_values};
use super::{Wanted, url};
use crate::document::{Document, Located};
use crate::pointer;
use serde_json::Value;
use std::collections::BTreeMap;

/// A request to send.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The operation, as in findings.
    pub operation: String,
    /// JSON pointer of the operation in the document.
    pub pointer: String,
    /// Method in upper case.
    pub method: String,
    /// Path and query, relative to the URL of the document's first server.
    pub target: String,
    /// Path as in the document, with its base path.
    pub documented_path: String,
    /// Headers, including `cookie` and `content-type`.
    pub headers: Vec<(String, String)>,
    /// The body; empty for a request without a body.
    pub body: Vec<u8>,
    /// What the request tests.
    pub purpose: Purpose,
}

/// What a request tests, and so which responses are correct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// A valid request; the text describes its values.
    Documented(&'static str),
    /// An invalid request.
    Forbidden {
        /// What is invalid, as a clause that continues "although".
        what: String,
        /// JSON pointer to the violated part of the document.
        pointer: String,
    },
    /// A valid request that must be sent without credentials.
    WithoutCredentials,
}

impl Purpose {
    /// Description for messages.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::Documented(how) => format!("a request {how}"),
            Self::Forbidden { what, .. } => format!("an invalid request: {what}"),
            Self::WithoutCredentials => "a request without credentials".to_owned(),
        }
    }
}

/// Whether a method is safe (RFC 9110, section 9.2.1).
pub(super) fn is_safe(method: &str) -> bool {
    matches!(method, "get" | "head" | "options" | "trace")
}

/// An endless sequence of requests; each round has one for every operation.
pub(super) fn all(document: &Document, wanted: Wanted) -> impl Iterator<Item = Probe> + '_ {
    let located: Vec<Located<'_>> =
        document.located().filter(|located| !wanted.only_safe || is_safe(located.method)).collect();
    let operations: Vec<Operation<'_>> = located.iter().map(|located| Operation::read(document, located)).collect();
    let mut round = 0_usize;
    let mut random = Random::from_seed(wanted.seed);
    let mut batch = Vec::new().into_iter();
    std::iter::from_fn(move || {
        loop {
            if let Some(probe) = batch.next() {
                return Some(probe);
            }
            if operations.is_empty() {
                return None;
            }
            batch =
                operations.iter().map(|operation| operation.probe(round, &mut random)).collect::<Vec<_>>().into_iter();
            round += 1;
        }
    })
}

struct Parameter<'d> {
    place: &'d str,
    name: &'d str,
    is_required: bool,
    schema: &'d Value,
    example: Option<&'d Value>,
    pointer: String,
}

struct Operation<'d> {
    document: &'d Document,
    located: Located<'d>,
    pointer: String,
    parameters: Vec<Parameter<'d>>,
    body: Option<Body<'d>>,
    has_security: bool,
    forbidden: Vec<Forbidden>,
}

struct Body<'d> {
    is_required: bool,
    media_type: &'d str,
    schema: &'d Value,
    example: Option<&'d Value>,
    pointer: String,
}

/// A way to make a request invalid.
#[derive(Debug, Clone)]
enum Forbidden {
    WithoutParameter(usize),
    ParameterOf(usize, Value, String),
    WithoutBody,
    BodyIsNoJson,
    OtherMediaType,
    BodyOf(Value, String),
    WithoutProperty(String),
    PropertyOf(String, Value, String),
}

const BASE_ROUNDS: usize = 4;

impl<'d> Operation<'d> {
    fn read(document: &'d Document, located: &Located<'d>) -> Self {
        let pointer = located.pointer();
        let parameters = parameters(document, located, &pointer);
        let body = body(document, located.operation, &pointer);
        let security = located.operation.get("security").or_else(|| document.value().get("security"));
        let alternatives: Vec<&Value> = security.and_then(Value::as_array).into_iter().flatten().collect();
        let is_open = |one: &&Value| one.as_object().is_none_or(serde_json::Map::is_empty);
        let has_security = !alternatives.is_empty() && !alternatives.iter().any(is_open);
        let forbidden = ways_to_break(document, &parameters, body.as_ref());
        Self { document, located: *located, pointer, parameters, body, has_security, forbidden }
    }

    /// The request of a round: first valid ones, then invalid and valid ones in turns.
    fn probe(&self, round: usize, random: &mut Random) -> Probe {
        match round {
            0 => self.documented(Amount::Examples, "with the document's examples", random),
            1 if self.has_security => {
                let probe = self.documented(Amount::Examples, "", random);
                let headers = self.without_credentials(probe.headers);
                Probe { purpose: Purpose::WithoutCredentials, headers, ..probe }
            }
            2 => self.documented(Amount::Least, "with required values only", random),
            1 | 3 => self.documented(Amount::All, "with all optional values", random),
            later => {
                let turn = later - BASE_ROUNDS;
                match turn % 4 {
                    0 | 2 if !self.forbidden.is_empty() => {
                        let way = &self.forbidden[(turn / 2) % self.forbidden.len()];
                        self.broken(way, random)
                    }
                    // Sent twice, because an operation that is allowed once should now fail without a server error.
                    1 => self.documented(Amount::Examples, "with the document's examples, again", random),
                    _ => self.documented(Amount::All, "with all optional values", random),
                }
            }
        }
    }

    fn without_credentials(&self, headers: Vec<(String, String)>) -> Vec<(String, String)> {
        let schemes = self.document.value().pointer("/components/securitySchemes");
        let names: Vec<String> = schemes
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(_, scheme)| scheme["in"] == "header")
            .filter_map(|(_, scheme)| scheme["name"].as_str().map(str::to_ascii_lowercase))
            .collect();
        headers.into_iter().filter(|(name, _)| name != "cookie" && !names.contains(name)).collect()
    }

    fn documented(&self, amount: Amount, how: &'static str, random: &mut Random) -> Probe {
        let mut samples = Samples { document: self.document, amount, random };
        let mut values = BTreeMap::new();
        for (index, parameter) in self.parameters.iter().enumerate() {
            if parameter.is_required || amount != Amount::Least {
                let example = parameter.example.filter(|_| amount == Amount::Examples);
                values.insert(index, example.cloned().unwrap_or_else(|| samples.value(parameter.schema)));
            }
        }
        let body = self.body.as_ref().filter(|body| body.is_required || amount != Amount::Least).map(|body| {
            let example = body.example.filter(|_| amount == Amount::Examples);
            example.cloned().unwrap_or_else(|| samples.value(body.schema))
        });
        self.request(&values, body.as_ref(), Purpose::Documented(how))
    }

    fn broken(&self, way: &Forbidden, random: &mut Random) -> Probe {
        let mut samples = Samples { document: self.document, amount: Amount::Examples, random };
        let mut values: BTreeMap<usize, Value> = BTreeMap::new();
        for (index, parameter) in self.parameters.iter().enumerate().filter(|(_, parameter)| parameter.is_required) {
            values.insert(index, parameter.example.cloned().unwrap_or_else(|| samples.value(parameter.schema)));
        }
        let mut body =
            self.body.as_ref().map(|body| body.example.cloned().unwrap_or_else(|| samples.value(body.schema)));
        let body_pointer = self.body.as_ref().map_or_else(|| self.pointer.clone(), |body| body.pointer.clone());
        let breaks = |what: String, pointer: &str| Purpose::Forbidden { what, pointer: pointer.to_owned() };
        let purpose = match way {
            Forbidden::WithoutParameter(index) => {
                values.remove(index);
                let parameter = &self.parameters[*index];
                breaks(
                    format!("the required {} parameter {} is missing", parameter.place, parameter.name),
                    &parameter.pointer,
                )
            }
            Forbidden::ParameterOf(index, value, why) => {
                values.insert(*index, value.clone());
                let parameter = &self.parameters[*index];
                breaks(
                    format!("the {} parameter {} is wrong: {why}", parameter.place, parameter.name),
                    &parameter.pointer,
                )
            }
            Forbidden::WithoutBody => {
                body = None;
                breaks("the required body is missing".to_owned(), &body_pointer)
            }
            Forbidden::BodyIsNoJson | Forbidden::OtherMediaType => breaks(String::new(), &body_pointer),
            Forbidden::BodyOf(value, why) => {
                body = Some(value.clone());
                breaks(format!("the body is wrong: {why}"), &body_pointer)
            }
            Forbidden::WithoutProperty(name) => {
                body.as_mut().and_then(Value::as_object_mut).map(|object| object.remove(name));
                breaks(format!("the required property {name} is missing"), &body_pointer)
            }
            Forbidden::PropertyOf(name, value, why) => {
                body.as_mut().and_then(Value::as_object_mut).map(|object| object.insert(name.clone(), value.clone()));
                breaks(format!("the property {name} is wrong: {why}"), &body_pointer)
            }
        };
        let mut probe = self.request(&values, body.as_ref(), purpose);
        match way {
            Forbidden::BodyIsNoJson => {
                probe.body = b"{\"".to_vec();
                probe.purpose = breaks("the body is not JSON".to_owned(), &body_pointer);
            }
            Forbidden::OtherMediaType => {
                probe.headers.retain(|(name, _)| name != "content-type");
                probe.headers.push(("content-type".to_owned(), "application/x-undocumented".to_owned()));
                probe.purpose = breaks("the body is of a media type that is not documented".to_owned(), &body_pointer);
            }
            _ => {}
        }
        probe
    }

    fn request(&self, values: &BTreeMap<usize, Value>, body: Option<&Value>, purpose: Purpose) -> Probe {
        let mut path = self.located.path.to_owned();
        let (mut query, mut headers, mut cookies) = (Vec::new(), Vec::new(), Vec::new());
        for (index, value) in values {
            let parameter = &self.parameters[*index];
            match parameter.place {
                "path" => {
                    let text = url::encoded(&plain(value));
                    // An empty segment would be another path.
                    let text = if text.is_empty() { "%20".to_owned() } else { text };
                    path = path.replace(&format!("{{{}}}", parameter.name), &text);
                }
                "query" => match value {
                    Value::Array(items) => query.extend(
                        items
                            .iter()
                            .map(|item| format!("{}={}", url::encoded(parameter.name), url::encoded(&plain(item)))),
                    ),
                    value => query.push(format!("{}={}", url::encoded(parameter.name), url::encoded(&plain(value)))),
                },
                "header" => headers.push((parameter.name.to_ascii_lowercase(), url::for_header(&plain(value)))),
                "cookie" => cookies.push(format!("{}={}", parameter.name, url::encoded(&plain(value)))),
                _ => {}
            }
        }
        if !cookies.is_empty() {
            headers.push(("cookie".to_owned(), cookies.join("; ")));
        }
        let bytes = match (&self.body, body) {
            (Some(described), Some(value)) => {
                headers.push(("content-type".to_owned(), described.media_type.to_owned()));
                written(described.media_type, value)
            }
            _ => Vec::new(),
        };
        let documented_path = format!("{}{path}", self.document.base_path());
        let target = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
        Probe {
            operation: format!("{} {}", self.located.method.to_uppercase(), self.located.path),
            pointer: self.pointer.clone(),
            method: self.located.method.to_uppercase(),
            target,
            documented_path,
            headers,
            body: bytes,
            purpose,
        }
    }
}

/// A value as text, strings without quotation marks.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn written(media_type: &str, value: &Value) -> Vec<u8> {
    if media_type.starts_with("application/x-www-form-urlencoded") {
        let fields = value.as_object().into_iter().flatten();
        let fields = fields.map(|(name, value)| format!("{}={}", url::encoded(name), url::encoded(&plain(value))));
        return fields.collect::<Vec<_>>().join("&").into_bytes();
    }
    match (is_json(media_type), value) {
        (false, Value::String(text)) => text.clone().into_bytes(),
        _ => value.to_string().into_bytes(),
    }
}

fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence == "application/json" || essence.ends_with("+json")
}

fn parameters<'d>(document: &'d Document, located: &Located<'d>, pointer: &str) -> Vec<Parameter<'d>> {
    let item_pointer = pointer::from_tokens(["paths", located.path]);
    let lists = [(located.item, item_pointer.as_str()), (located.operation, pointer)];
    let mut out: Vec<Parameter<'d>> = Vec::new();
    for (holder, holder_pointer) in lists {
        for (index, parameter) in holder["parameters"].as_array().into_iter().flatten().enumerate() {
            let parameter = document.resolve(parameter);
            let (Some(place), Some(name)) = (parameter["in"].as_str(), parameter["name"].as_str()) else { continue };
            let content = parameter["content"].as_object().and_then(|content| content.values().next());
            let holder = content.unwrap_or(parameter);
            out.retain(|known| known.place != place || known.name != name);
            out.push(Parameter {
                place,
                name,
                is_required: parameter["required"] == true || place == "path",
                schema: document.resolve(&holder["schema"]),
                example: parameter.get("example").or_else(|| first_example(document, parameter)),
                pointer: format!("{holder_pointer}/parameters/{index}"),
            });
        }
    }
    out
}

fn first_example<'d>(document: &'d Document, holder: &'d Value) -> Option<&'d Value> {
    let examples = holder.get("examples")?.as_object()?;
    examples.values().find_map(|example| document.resolve(example).get("value"))
}

fn body<'d>(document: &'d Document, operation: &'d Value, pointer: &str) -> Option<Body<'d>> {
    let body = document.resolve(operation.get("requestBody")?);
    let content = body["content"].as_object()?;
    let (media_type, entry) =
        content.iter().find(|(media_type, _)| is_json(media_type)).or_else(|| content.iter().next())?;
    Some(Body {
        is_required: body["required"] == true,
        media_type,
        schema: &entry["schema"],
        example: entry.get("example").or_else(|| first_example(document, entry)),
        pointer: format!("{pointer}/requestBody"),
    })
}

fn ways_to_break(document: &Document, parameters: &[Parameter<'_>], body: Option<&Body<'_>>) -> Vec<Forbidden> {
    let mut out = Vec::new();
    for (index, parameter) in parameters.iter().enumerate() {
        if parameter.is_required && parameter.place != "path" {
            out.push(Forbidden::WithoutParameter(index));
        }
        let wrong = wrong_values(document, parameter.schema).into_iter().filter(|wrong| wrong.is_wrong_as_text);
        out.extend(wrong.map(|wrong| Forbidden::ParameterOf(index, wrong.value, wrong.why)));
    }
    let Some(body) = body else { return out };
    let schema = document.resolve(body.schema);
    if body.is_required {
        out.push(Forbidden::WithoutBody);
    }
    if !is_json(body.media_type) {
        return out;
    }
    out.extend([Forbidden::BodyIsNoJson, Forbidden::OtherMediaType]);
    out.extend(wrong_values(document, schema).into_iter().map(|wrong| Forbidden::BodyOf(wrong.value, wrong.why)));
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        out.push(Forbidden::WithoutProperty(name.to_owned()));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let wrong = wrong_values(document, property).into_iter();
        out.extend(wrong.map(|wrong| Forbidden::PropertyOf(name.clone(), wrong.value, wrong.why)));
    }
    out
}
