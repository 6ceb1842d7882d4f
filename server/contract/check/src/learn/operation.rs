//! Describes an operation by its requests and responses.

use super::super::exchange::{Exchange, Request, Response, line};
use super::shape::Shape;
use super::texts::{self, Formats};
use countersign_contract_validate::{is_json, is_standard_header};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Texts by the name of their parameter or header; one list for each message that has them.
type Texts = BTreeMap<String, Vec<Vec<String>>>;

/// Security schemes that are recognised: the scheme of HTTP in lower case, and the name of it in the document.
pub(super) const SCHEMES: [(&str, &str); 2] = [("bearer", "bearerAuth"), ("basic", "basicAuth")];

/// The operation, without its id. Parameters, body and security are those of requests that were not rejected.
pub(super) fn describe(template: &str, exchanges: &[&Exchange], formats: &Formats) -> Map<String, Value> {
    let accepted: Vec<&Request> =
        exchanges.iter().filter(|exchange| exchange.response.status < 400).map(|exchange| &exchange.request).collect();
    let mut out = Map::new();
    let parameters: Vec<Value> =
        of_path(template, exchanges, formats).into_iter().chain(of_query(&accepted, formats)).collect();
    if !parameters.is_empty() {
        out.insert("parameters".to_owned(), parameters.into());
    }
    out.extend(request_body(&accepted, formats).map(|body| ("requestBody".to_owned(), body)));
    let mut by_status = BTreeMap::<String, Vec<&Response>>::new();
    for response in exchanges.iter().map(|exchange| &exchange.response) {
        let key = if response.status < 600 { response.status.to_string() } else { "default".to_owned() };
        by_status.entry(key).or_default().push(response);
    }
    let responses = by_status.into_iter().map(|(status, responses)| {
        let described = describe_responses(&status, &responses, formats);
        (status, described)
    });
    out.insert("responses".to_owned(), responses.collect::<Map<_, _>>().into());
    out.extend(security(&accepted).map(|security| ("security".to_owned(), security)));
    out
}

/// The variables of the path.
fn of_path(template: &str, exchanges: &[&Exchange], formats: &Formats) -> Vec<Value> {
    let variables = template.split('/').enumerate();
    let variables =
        variables.filter_map(|(position, segment)| Some((position, segment.strip_prefix('{')?.strip_suffix('}')?)));
    let parameter = |(position, name): (usize, &str)| {
        let texts = exchanges.iter().filter_map(|exchange| exchange.request.path().split('/').nth(position));
        let texts: Vec<String> = texts.map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned()).collect();
        let schema = texts::schema(texts.iter().map(String::as_str), formats);
        json!({"name": name, "in": "path", "required": true, "schema": schema})
    };
    variables.map(parameter).collect()
}

/// The parameters in the query; required are those that all requests have.
fn of_query(accepted: &[&Request], formats: &Formats) -> Vec<Value> {
    let mut all = Texts::new();
    for request in accepted {
        let mut here = BTreeMap::<String, Vec<String>>::new();
        for (name, text) in form_urlencoded::parse(request.query().as_bytes()).filter(|(name, _)| !name.is_empty()) {
            here.entry(name.into_owned()).or_default().push(text.into_owned());
        }
        here.into_iter().for_each(|(name, texts)| all.entry(name).or_default().push(texts));
    }
    let parameter = |(name, texts): (String, Vec<Vec<String>>)| {
        let schema = texts::schema(texts.iter().flatten().map(String::as_str), formats);
        let is_list = texts.iter().any(|texts| texts.len() > 1);
        let schema = if is_list { json!({"type": "array", "items": schema}) } else { schema };
        match texts.len() == accepted.len() {
            true => json!({"name": name, "in": "query", "required": true, "schema": schema}),
            false => json!({"name": name, "in": "query", "schema": schema}),
        }
    };
    all.into_iter().map(parameter).collect()
}

fn request_body(accepted: &[&Request], formats: &Formats) -> Option<Value> {
    let is_sent = |request: &Request| match &request.body {
        Some(body) => !body.is_empty(),
        None => request.content_type().is_some(),
    };
    let sent: Vec<&&Request> = accepted.iter().filter(|request| is_sent(request)).collect();
    let bodies = sent.iter().map(|request| (request.content_type(), value(&request.headers, request.body.as_ref())));
    let content = content(bodies, formats);
    let body = match sent.len() == accepted.len() {
        true => json!({"required": true, "content": content}),
        false => json!({"content": content}),
    };
    (!sent.is_empty()).then_some(body)
}

fn describe_responses(status: &str, responses: &[&Response], formats: &Formats) -> Value {
    let description = match status.as_bytes().first() {
        Some(b'2') => "Success",
        Some(b'3') => "Redirection",
        Some(b'4') => "Client error",
        Some(b'5') => "Server error",
        _ => "Other responses",
    };
    let mut out = json!({"description": description});
    let with_content = responses.iter().filter(|response| match &response.body {
        Some(body) => !body.is_empty(),
        None => response.content_type().is_some(),
    });
    let bodies =
        with_content.map(|response| (response.content_type(), value(&response.headers, response.body.as_ref())));
    let content = content(bodies, formats);
    if !content.is_empty() {
        out["content"] = content.into();
    }
    let headers = headers(responses, formats);
    if !headers.is_empty() {
        out["headers"] = headers.into();
    }
    out
}

/// The headers that need documentation; required are those that all responses have.
fn headers(responses: &[&Response], formats: &Formats) -> Map<String, Value> {
    let mut all = Texts::new();
    for response in responses {
        let mut here = BTreeMap::<String, Vec<String>>::new();
        for (name, text) in response.lines() {
            here.entry(name.to_ascii_lowercase()).or_default().push(text.to_owned());
        }
        here.retain(|name, _| !is_standard_header(name));
        here.into_iter().for_each(|(name, texts)| all.entry(name).or_default().push(texts));
    }
    let header = |(name, texts): (String, Vec<Vec<String>>)| {
        // Several lines form one list, except for cookies (RFC 9110, section 5.3).
        let schema = match texts.iter().all(|texts| texts.len() == 1) && name != "set-cookie" {
            true => texts::schema(texts.iter().flatten().map(|text| text.trim()), formats),
            false => json!({"type": "string"}),
        };
        let is_required = texts.len() == responses.len();
        let header = if is_required { json!({"required": true, "schema": schema}) } else { json!({"schema": schema}) };
        (name, header)
    };
    all.into_iter().map(header).collect()
}

/// Bodies by their media type, each with the schema of those that can be read.
fn content<'b>(
    bodies: impl Iterator<Item = (Option<&'b str>, Option<Value>)>,
    formats: &Formats,
) -> Map<String, Value> {
    let mut shapes = BTreeMap::<String, Option<Shape>>::new();
    for (media_type, value) in bodies {
        let shape = shapes.entry(essence(media_type)).or_default();
        if let Some(value) = value {
            shape.get_or_insert_default().add(&value, formats);
        }
    }
    let entry = |(media_type, shape): (String, Option<Shape>)| {
        let described = shape.map_or_else(|| json!({}), |shape| json!({"schema": shape.schema(formats)}));
        (media_type, described)
    };
    shapes.into_iter().map(entry).collect()
}

/// The media type without parameters; the range of all for something else.
fn essence(media_type: Option<&str>) -> String {
    let essence = media_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    let is_media_type = essence.split_once('/').is_some_and(|(kind, subtype)| !kind.is_empty() && !subtype.is_empty());
    if is_media_type { essence } else { "*/*".to_owned() }
}

/// The value of a JSON body, or the fields of a form.
fn value(headers: &[(String, String)], body: Option<&Vec<u8>>) -> Option<Value> {
    let (body, media_type) = (body?, line(headers, "content-type")?);
    let is_encoded = line(headers, "content-encoding").is_some_and(|it| !it.eq_ignore_ascii_case("identity"));
    if is_encoded {
        return None;
    }
    if is_json(media_type) {
        return serde_json::from_slice(body).ok();
    }
    let fields = media_type.starts_with("application/x-www-form-urlencoded").then(|| form_urlencoded::parse(body));
    fields.map(|fields| fields.map(|(name, text)| (name.into_owned(), text.into())).collect::<Map<_, _>>().into())
}

/// The schemes of requests with credentials, and nothing as an alternative if there are requests without.
fn security(accepted: &[&Request]) -> Option<Value> {
    let mut alternatives = Vec::new();
    for request in accepted {
        let given = line(&request.headers, "authorization").and_then(|value| value.split(' ').next());
        let scheme = given.and_then(|given| SCHEMES.iter().find(|(scheme, _)| given.eq_ignore_ascii_case(scheme)));
        let alternative = scheme.map_or_else(|| json!({}), |(_, name)| json!({*name: []}));
        if !alternatives.contains(&alternative) {
            alternatives.push(alternative);
        }
    }
    alternatives.sort_by_key(|alternative| *alternative == json!({}));
    alternatives.iter().any(|alternative| *alternative != json!({})).then(|| alternatives.into())
}
