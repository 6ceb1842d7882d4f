//! Validation of requests.

use countersign_contract_document::Document;
use countersign_contract_validate::{ActualRequest, RequestValidator, ResponseValidator};

const DOCUMENT: &str = "\
openapi: 3.1.0
info: {title: t, version: 1.0.0}
servers: [{url: /v1}]
paths:
  /users/{userId}/files/{name}.json:
    parameters: [{name: userId, in: path, required: true, schema: {type: integer, minimum: 1}}]
    put:
      parameters:
        - {name: name, in: path, required: true, schema: {type: string, maxLength: 4}}
        - {name: limit, in: query, required: true, schema: {type: integer, maximum: 9}}
        - {name: tag, in: query, schema: {type: array, maxItems: 2, items: {type: integer}}}
        - {name: ids, in: query, explode: false, schema: {type: array, maxItems: 2, items: {type: integer}}}
        - {name: flag, in: query, allowEmptyValue: true, schema: {type: boolean}}
        - {name: where, in: query, style: deepObject, schema: {type: object}}
        - {name: filter, in: query, content: {application/json: {schema: {type: object}}}}
        - {name: X-Level, in: header, schema: {type: integer}}
        - {name: Accept, in: header, schema: {type: integer}}
        - {name: theme, in: cookie, schema: {enum: [dark, light]}}
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [id, title]
              properties: {id: {type: string, readOnly: true}, title: {type: string}}
          text/*: {}
      responses: {204: {description: d}}
  /users:
    get:
      parameters: [{name: where, in: query, schema: {type: object, properties: {role: {type: string}}}}]
      responses: {204: {description: d}}
";

/// A valid request, but for what a test changes.
struct Sent {
    method: &'static str,
    path: &'static str,
    query: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: Option<&'static str>,
}

const TITLE: &str = r#"{"title": "a"}"#;

fn sent() -> Sent {
    Sent {
        method: "PUT",
        path: "/v1/users/7/files/a%20b.json",
        query: "limit=9",
        headers: vec![("Content-Type", "application/json; charset=utf-8")],
        body: Some(TITLE),
    }
}

/// Rule and message of each deviation.
fn deviations(sent: &Sent) -> Vec<String> {
    let document = Document::load("d", DOCUMENT).unwrap();
    let operations = ResponseValidator::new(&document);
    let operation = operations.find(sent.method, sent.path).unwrap();
    let headers: Vec<_> = sent.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request =
        ActualRequest { path: sent.path, query: sent.query, headers: &headers, body: sent.body.map(str::as_bytes) };
    let found = RequestValidator::new(&document).validate(operation, &request);
    found.iter().map(|deviation| format!("{}: {}", deviation.rule, deviation.message)).collect()
}

#[test]
fn valid_requests_have_no_deviations() {
    let cookies =
        vec![("cookie", "other=1; theme=dark"), ("x-level", "3"), ("accept", "*/*"), ("content-type", "text/plain")];
    for valid in [
        sent(),
        Sent { query: "limit=9&tag=1&tag=2&ids=1,2&flag=&where[a]=b&filter=%7B%7D", ..sent() },
        Sent { headers: cookies, body: Some("no JSON"), ..sent() },
        Sent { body: None, ..sent() },
        Sent {
            headers: vec![("content-type", "application/json"), ("content-encoding", "br")],
            body: Some("?"),
            ..sent()
        },
        Sent { method: "GET", path: "/v1/users", query: "role=admin", headers: Vec::new(), body: Some("") },
    ] {
        assert_eq!(deviations(&valid), Vec::<String>::new(), "{:?}", valid.query);
    }
}

#[test]
fn each_part_of_a_request_is_held_against_its_description() {
    let json = || vec![("content-type", "application/json")];
    for (invalid, expected) in [
        (
            Sent { path: "/v1/users/0/files/a.json", ..sent() },
            "request-parameter-schema: the path parameter userId: the value is less than the minimum of 1",
        ),
        (
            Sent { path: "/v1/users/x/files/a.json", ..sent() },
            "request-parameter-schema: the path parameter userId: the value is not of type \"integer\"",
        ),
        (
            Sent { path: "/v1/users/7/files/a%20b%20c.json", ..sent() },
            "request-parameter-schema: the path parameter name: the value is longer than 4 characters",
        ),
        (Sent { query: "", ..sent() }, "request-parameter-missing: the query parameter limit is missing"),
        (
            Sent { query: "limit=10", ..sent() },
            "request-parameter-schema: the query parameter limit: the value is greater than the maximum of 9",
        ),
        (
            Sent { query: "limit=1&tag=a", ..sent() },
            "request-parameter-schema: the query parameter tag: the value is not of type \"integer\"",
        ),
        (
            Sent { query: "limit=1&tag=1&tag=2&tag=3", ..sent() },
            "request-parameter-schema: the query parameter tag: the value has more than 2 items",
        ),
        (
            Sent { query: "limit=1&ids=1,2,3", ..sent() },
            "request-parameter-schema: the query parameter ids: the value has more than 2 items",
        ),
        (
            Sent { query: "limit=1&filter=x", ..sent() },
            "request-parameter-schema: the query parameter filter is not JSON",
        ),
        (
            Sent { query: "limit=1&Limit=2&Limit=3", ..sent() },
            "request-parameter-undocumented: the query parameter Limit is not documented",
        ),
        (
            Sent { headers: vec![("content-type", "text/plain"), ("x-level", "a")], ..sent() },
            "request-parameter-schema: the header parameter X-Level: the value is not of type \"integer\"",
        ),
        (
            Sent { headers: vec![("content-type", "text/plain"), ("cookie", "theme=red")], ..sent() },
            "request-parameter-schema: the cookie parameter theme: the value is not one of",
        ),
        (Sent { body: Some(""), ..sent() }, "request-body-missing: the required body is missing"),
        (
            Sent { headers: vec![("content-type", "image/png")], ..sent() },
            "request-content-type-undocumented: the content type of the request is none of those documented: application/json, text/*",
        ),
        (Sent { headers: Vec::new(), ..sent() }, "request-content-type-undocumented: the content type"),
        (Sent { body: Some("{"), ..sent() }, "request-body-not-json: the body is not JSON"),
        (Sent { headers: json(), body: Some("{}"), ..sent() }, "request-body-schema: \"title\" is a required property"),
        (
            Sent { headers: json(), body: Some(r#"{"title": "a", "Title": 1}"#), ..sent() },
            "request-property-undocumented: ",
        ),
        (
            Sent { method: "GET", path: "/v1/users", query: "", headers: json(), body: Some("{}") },
            "request-body-unexpected: the request has a body, and none is documented",
        ),
    ] {
        let found = deviations(&invalid);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{expected}\n{found:?}");
    }
}
