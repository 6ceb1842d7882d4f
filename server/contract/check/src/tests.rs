//! Requests are valid or invalid as their purpose says.

use super::{Check, Probe, Purpose, Wanted};
use countersign_contract_document::{Document, Node, pointer};
use countersign_contract_validate::json_schema::{Extra, json_schema_of_request};
use std::collections::{BTreeMap, BTreeSet};

fn documents() -> Vec<Document> {
    let contracts = [
        ("better-auth", include_str!("../../../../openapi/better-auth.yaml")),
        ("fusionauth", include_str!("../../../../openapi/fusionauth.yaml")),
        ("sample", include_str!("../../tests/fixtures/contract.yaml")),
    ];
    contracts.into_iter().map(|(name, text)| Document::load(name, text).unwrap()).collect()
}

fn first_probes(check: &Check, seed: u64, number: usize) -> Vec<Probe> {
    check.probes(&Wanted { seed, requests: number, ..Wanted::default() }).collect()
}

/// Whether the body matches its schema; `None` if the operation has no JSON body.
fn body_fits(document: &Document, probe: &Probe) -> Option<bool> {
    let operation = Node::root(document).get("paths");
    let path = pointer::tokens(&probe.pointer).nth(1).unwrap();
    let operation = operation?.get(&path)?.follow(&probe.method.to_ascii_lowercase())?;
    let schema = operation.follow("requestBody")?.get("content")?.get("application/json")?.get("schema")?;
    let schema = json_schema_of_request(&schema, Extra::Allowed).schema;
    let body: serde_json::Value = serde_json::from_slice(&probe.body).ok()?;
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    Some(validator.is_valid(&body))
}

#[test]
fn bodies_match_their_purpose() {
    // One example of the sample intentionally does not match its schema.
    for document in documents().into_iter().filter(|document| document.name() != "sample") {
        let check = Check::new(&document);
        let mut seen = BTreeMap::<bool, usize>::new();
        for probe in first_probes(&check, 7, 3_000) {
            let Some(fits) = body_fits(&document, &probe) else { continue };
            let about_the_body = match &probe.purpose {
                Purpose::Forbidden { what, .. } => what.starts_with("the body is wrong") || what.contains("property"),
                _ => false,
            };
            if let Purpose::Documented(_) = probe.purpose {
                assert!(fits, "{}: {}: {:?}", document.name(), probe.operation, String::from_utf8_lossy(&probe.body));
            }
            if about_the_body {
                assert!(!fits, "{:?}: {:?}", probe.purpose, String::from_utf8_lossy(&probe.body));
            }
            *seen.entry(fits).or_default() += 1;
        }
        assert!(seen.len() == 2, "{}: {seen:?}", document.name());
    }
}

#[test]
fn few_requests_reach_all_operations_and_a_seed_repeats_itself() {
    for document in documents() {
        let check = Check::new(&document);
        let operations = check.operations(&Wanted::default());
        let first = first_probes(&check, 1, operations);
        let reached: BTreeSet<&str> = first.iter().map(|probe| probe.operation.as_str()).collect();
        assert_eq!(reached.len(), operations);
        let bytes = |seed| {
            first_probes(&check, seed, 500).into_iter().map(|probe| (probe.target, probe.body)).collect::<Vec<_>>()
        };
        assert_eq!(bytes(3), bytes(3));
        let safe = check.probes(&Wanted { only_safe: true, requests: 100, ..Wanted::default() });
        assert!(safe.into_iter().all(|probe| probe.method == "GET"));
    }
}

#[test]
fn urls_are_percent_encoded() {
    for document in documents() {
        for probe in first_probes(&Check::new(&document), 5, 2_000) {
            let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%/?&=".contains(&byte);
            assert!(probe.target.bytes().all(is_unreserved) && !probe.target.contains('{'), "{}", probe.target);
            for (name, value) in &probe.headers {
                assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name}: {value}");
            }
        }
    }
}

/// The first request to a path, of a number of requests, to which `answer` gives no response although it gave an earlier one.
fn target_after(
    document: &str,
    path: &str,
    requests: usize,
    answer: impl Fn(&Probe) -> Option<(u16, &'static str)>,
) -> Option<String> {
    let document = Document::load("d", document).unwrap();
    let check = Check::new(&document);
    let mut probes = check.probes(&Wanted { requests, ..Wanted::default() });
    let (mut is_answered, mut found) = (false, None);
    while let Some(probe) = probes.next() {
        let is_valid = matches!(probe.purpose, Purpose::Documented(_));
        if let Some((status, body)) = answer(&probe).filter(|_| is_valid) {
            is_answered = true;
            probes.learn(&probe, status, &[("location", "/orders/from%20location")], body.as_bytes());
        } else if is_answered && is_valid && probe.documented_path.starts_with(path) && found.is_none() {
            found = Some(probe.target);
        }
    }
    found
}

#[test]
fn what_a_response_made_is_read_by_its_id_by_its_location_and_by_links() {
    let path =
        |name: &str| format!("parameters: [{{name: {name}, in: path, required: true, schema: {{type: string}}}}]");
    let document = format!(
        "openapi: 3.0.3\npaths:\n  /orders:\n    post:\n      responses:\n        201:\n          description: d\n          \
         links: {{l: {{operationId: getReceipt, parameters: {{path.number: 'r-{{$response.body#/receipt/0}}'}}}}}}\n  \
         /orders/{{orderId}}:\n    {}\n    get: {{responses: {{200: {{description: d}}}}}}\n  \
         /receipts/{{number}}:\n    {}\n    get: {{operationId: getReceipt, responses: {{200: {{description: d}}}}}}\n",
        path("orderId"),
        path("number")
    );
    for (body, read, expected) in [
        (r#"{"id": "a/b"}"#, "/orders/", "/orders/a%2Fb"),
        (r#"{"order": {"id": 7}}"#, "/orders/", "/orders/7"),
        (r#"{"data": {"order_id": "x"}}"#, "/orders/", "/orders/x"),
        ("{}", "/orders/", "/orders/from%20location"),
        (r#"{"receipt": [5]}"#, "/receipts/", "/receipts/r-5"),
    ] {
        let answer = |probe: &Probe| (probe.operation == "POST /orders").then_some((201, body));
        assert_eq!(target_after(&document, read, 100, answer).as_deref(), Some(expected), "{body}");
    }
}

#[test]
fn given_values_are_preferred_to_made_up_and_learned_ones() {
    let document = "openapi: 3.0.3\npaths:\n  /users/{userId}:\n    parameters: [{name: userId, in: path, required: true, \
        schema: {type: integer}}]\n    get: {responses: {200: {description: d}}}\n";
    let document = Document::load("d", document).unwrap();
    let check = Check::new(&document);
    let values = vec![("user_id".to_owned(), "4711".to_owned())];
    let mut probes = check.probes(&Wanted { requests: 3, values, ..Wanted::default() });
    let first = probes.next().unwrap();
    assert_eq!(first.target, "/users/4711");
    probes.learn(&first, 200, &[], br#"{"userId": 5}"#);
    assert_eq!(probes.nth(1).unwrap().target, "/users/4711");
}

#[test]
fn what_a_rejection_names_is_omitted_or_included() {
    let document = "openapi: 3.0.3\npaths:\n  /search:\n    get:\n      parameters:\n        \
        - {name: old, in: query, example: 1, schema: {type: integer}}\n        \
        - {name: other, in: query, schema: {type: string}}\n        \
        - {name: term, in: query, schema: {type: string, enum: [t]}}\n      responses: {200: {description: d}}\n";
    let answer = |probe: &Probe| match probe.target.as_str() {
        "/search?old=1" => Some((400, "{\"message\": \"old is not supported, term is needed\"}")),
        target if target.contains("other=") => Some((400, "{\"message\": \"other is not supported\"}")),
        _ => None,
    };
    assert_eq!(target_after(document, "/search", 3, answer).as_deref(), Some("/search?term=t"));
}

#[test]
fn given_values_are_in_the_first_requests_even_where_they_are_optional() {
    let document = "openapi: 3.0.3\npaths:\n  /login:\n    post:\n      requestBody:\n        content:\n          \
        application/json:\n            schema:\n              type: object\n              \
        properties: {password: {type: string}, area: {type: object, properties: {password: {type: string}}}, trust: {type: string}}\n      \
        responses: {200: {description: d}}\n";
    let document = Document::load("d", document).unwrap();
    let check = Check::new(&document);
    let values = vec![("password".to_owned(), "5ecret".to_owned())];
    let probes = check.probes(&Wanted { requests: 4, values, ..Wanted::default() });
    let bodies: Vec<serde_json::Value> = probes.map(|probe| serde_json::from_slice(&probe.body).unwrap()).collect();
    assert_eq!((&bodies[0]["password"], &bodies[0]["area"]["password"]), (&"5ecret".into(), &"5ecret".into()));
    assert_eq!(bodies[3], serde_json::json!({"password": "5ecret"}));
}

/// Shop of orders and their items.
fn orders_with_items() -> Document {
    let path = |name: &str| format!("{{name: {name}, in: path, required: true, schema: {{type: integer}}}}");
    let document = format!(
        "openapi: 3.0.3\npaths:\n  /orders/{{orderId}}/items:\n    parameters: [{order}]\n    \
         post: {{responses: {{201: {{description: d}}}}}}\n  /orders/{{orderId}}/items/{{itemId}}:\n    \
         parameters: [{order}, {item}]\n    get: {{responses: {{200: {{description: d}}}}}}\n  \
         /orders:\n    post: {{responses: {{201: {{description: d}}}}}}\n",
        order = path("orderId"),
        item = path("itemId")
    );
    Document::load("d", &document).unwrap()
}

#[test]
fn a_path_has_the_ids_of_what_is_below_it_not_the_latest_ones() {
    let document = orders_with_items();
    let check = Check::new(&document);
    let mut probes = check.probes(&Wanted { requests: 60, ..Wanted::default() });
    let mut orders = 100;
    while let Some(probe) = probes.next() {
        let is_valid = matches!(probe.purpose, Purpose::Documented(_));
        match probe.operation.as_str() {
            "POST /orders" if is_valid => {
                orders += 1;
                probes.learn(&probe, 201, &[], format!("{{\"id\": {orders}}}").as_bytes());
            }
            "POST /orders/{orderId}/items" if probe.target == "/orders/101/items" => {
                probes.learn(&probe, 201, &[], b"{\"id\": 7}");
            }
            "GET /orders/{orderId}/items/{itemId}" if is_valid && orders > 102 => {
                assert_eq!(probe.target, "/orders/101/items/7");
                return;
            }
            _ => {}
        }
    }
    panic!("no item was read");
}

#[test]
fn what_failed_is_tried_again_when_what_it_needs_was_made() {
    let document = orders_with_items();
    let check = Check::new(&document);
    let mut probes = check.probes(&Wanted { requests: 60, ..Wanted::default() });
    let (mut made, mut since, mut number) = (false, 0, 0);
    while let Some(probe) = probes.next() {
        number += 1;
        let is_valid = matches!(probe.purpose, Purpose::Documented(_));
        if probe.operation.starts_with("GET") && made && probe.target == "/orders/5/items/7" {
            assert!(since < 3, "after {since} other requests");
            return;
        }
        if probe.operation.starts_with("GET") {
            since += usize::from(made);
            probes.learn(&probe, 404, &[], b"");
        } else if is_valid && probe.operation == "POST /orders/{orderId}/items" && !made && number > 15 {
            made = true;
            probes.learn(&probe, 201, &[], b"{\"id\": 7, \"orderId\": 5}");
        }
    }
    panic!("nothing was read");
}

#[test]
fn deletions_come_after_all_other_requests() {
    let document = "openapi: 3.0.3\npaths:\n  /a:\n    delete: {responses: {200: {description: d}}}\n    \
        get: {responses: {200: {description: d}}}\n";
    let document = Document::load("d", document).unwrap();
    let methods: Vec<String> =
        first_probes(&Check::new(&document), 1, 6).into_iter().map(|probe| probe.method).collect();
    assert_eq!(methods, ["GET", "GET", "GET", "DELETE", "DELETE", "DELETE"]);
}

#[test]
fn documents_without_operations_have_nothing_to_send() {
    let document = Document::load("d", "openapi: 3.0.3\npaths: {}\n").unwrap();
    assert_eq!(first_probes(&Check::new(&document), 1, 10).len(), 0);
}
