//! Unavoidable differences are ignored, and similar ones are not.

use super::{contract, drifted};
use countersign_contract_compare::canonical::canonical;
use countersign_contract_compare::tolerance::without_error_ranges;
use countersign_contract_document::Document;
use serde_json::{Map, Value, json};

const USER: &str = "/components/schemas/AccountView";

/// The reported lines after editing the schema of the user in the code, from the path below `user` on.
fn user(edits: &[(&str, Value)]) -> Vec<String> {
    let edits: Vec<_> = edits.iter().map(|(pointer, value)| (format!("{USER}{pointer}"), value.clone())).collect();
    let edits: Vec<_> = edits.iter().map(|(pointer, value)| (pointer.as_str(), value.clone())).collect();
    let lines = drifted(&edits);
    lines.iter().map(|line| line.split_once(" › user › ").map_or(line.as_str(), |(_, end)| end).to_owned()).collect()
}

#[test]
fn nullable_only_of_what_is_optional() {
    // The fixtures contain this case: `age` and the query parameter are optional and nullable in the code.
    let nullable = json!({"type": "string", "nullable": true});
    let required = user(&[("/properties/id", nullable)]);
    assert_eq!(required, ["properties › id: the code allows null, the contract does not"]);
    let other_way = user(&[("/properties/name/nullable", Value::Null)]);
    assert_eq!(other_way, ["properties › name: the contract allows null, the code does not"]);
    let items = json!({"type": "array", "items": {"type": "integer", "nullable": true}});
    let other_keyword = user(&[("/properties/age", items)]);
    assert_eq!(other_keyword, ["properties › age: the contract says type `integer`, the code says type `array`"]);
    let parameter = "/paths/~1api~1auth~1session/get/parameters/1/schema/nullable";
    let parameter = drifted(&[(parameter, true.into())]);
    assert!(parameter[0].ends_with("header x-device: the code allows null, the contract does not"), "{parameter:?}");
    assert_eq!(parameter.len(), 1);
    let body = drifted(&[("/components/schemas/SignInEmail/nullable", true.into())]);
    assert!(body[0].ends_with("application/json: the code allows null, the contract does not"), "{body:?}");
}

#[test]
fn number_formats_only_where_the_contract_gives_none() {
    // The fixtures contain this case: `age` has format uint32 and minimum 0 in the code.
    let cases = [
        ("another minimum", ("/properties/age/minimum", json!(1)), Some("minimum 1")),
        ("a maximum", ("/properties/age/maximum", json!(9)), Some("maximum 9")),
        ("a format that no Rust type has", ("/properties/age/format", json!("year")), Some("format `year`")),
        ("a minimum of a signed number", ("/properties/age/format", json!("int32")), Some("minimum 0")),
        ("a format of a string", ("/properties/id/format", json!("uint32")), Some("format `uint32`")),
        ("a minimum without a format", ("/properties/age/format", Value::Null), Some("minimum 0")),
        ("a format alone", ("/properties/age/minimum", Value::Null), None),
    ];
    for (name, edit, expected) in cases {
        let found = user(&[edit]);
        match expected {
            Some(expected) => {
                let says = format!("the code says {expected}, the contract does not");
                assert!(found.iter().any(|line| line.ends_with(&says)), "{name}: {found:#?}");
            }
            None => assert_eq!(found, Vec::<String>::new(), "{name}"),
        }
    }
}

#[test]
fn number_formats_of_the_contract_are_compared() {
    let compared = |contract_schema: Value, code_schema: Value| {
        let document = |schema: Value| {
            let item =
                json!({"get": {"parameters": [{"in": "query", "name": "n", "required": true, "schema": schema}]}});
            Document::from_value("d", json!({"openapi": "3.0.3", "paths": {"/": item}})).unwrap()
        };
        let found = countersign_contract_compare::compare(&document(contract_schema), &document(code_schema), "");
        found.iter().map(|line| line.to_string().rsplit_once("query n: ").unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    let unsigned = json!({"type": "integer", "format": "uint32", "minimum": 0.0});
    assert_eq!(compared(json!({"type": "integer"}), unsigned.clone()), [""; 0]);
    assert_eq!(compared(json!({"type": "integer", "minimum": 0}), unsigned.clone()), [""; 0]);
    assert_eq!(
        compared(json!({"type": "integer", "minimum": 1}), unsigned.clone()),
        ["the contract says minimum 1, the code says minimum 0"]
    );
    assert_eq!(
        compared(json!({"type": "integer", "format": "int64"}), unsigned),
        [
            "the contract says format `int64`, the code says format `uint32`",
            "the code says minimum 0, the contract does not"
        ]
    );
    assert_eq!(
        compared(json!({"type": "integer", "format": "int64"}), json!({"type": "integer"})),
        ["the contract says format `int64`, the code does not"]
    );
    assert_eq!(compared(json!({"type": "number"}), json!({"type": "number", "format": "double"})), [""; 0]);
    assert_eq!(
        compared(json!({}), json!({"format": "double"})),
        ["the code says format `double`, the contract does not"]
    );
}

#[test]
fn error_ranges_only_with_replies() {
    let responses: Map<String, Value> = ["200", "4XX", "5XX", "2XX", "3XX", "4xx", "404", "default"]
        .iter()
        .map(|key| ((*key).to_owned(), json!({})))
        .collect();
    let kept: Vec<_> = without_error_ranges(responses).into_iter().map(|(status, _)| status).collect();
    let mut expected = ["200", "2XX", "3XX", "4xx", "404", "default"];
    expected.sort_unstable();
    let mut sorted = kept;
    sorted.sort_unstable();
    assert_eq!(sorted, expected);

    // Without x-replies, the ranges are the documented responses of the code.
    let plain = json!({"204": {"description": ""}, "4XX": {"$ref": "#/components/responses/AuthError"}});
    let found = drifted(&[("/paths/~1api~1auth~1sign-out/post/responses", plain)]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].ends_with("responses › 4XX: the code documents this status, the contract does not"));
    // With x-replies, other responses that dropshot generates are kept.
    let found = drifted(&[("/paths/~1api~1auth~1sign-out/post/responses/default", json!({"description": ""}))]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].ends_with("responses › default: the code documents this status, the contract does not"));
    // The contract's ranges are compared, although the code generates some.
    let mut contract = contract().value().clone();
    contract["paths"]["/sign-out"]["post"]["responses"]["4XX"] = json!({"description": ""});
    let contract = Document::from_value("openapi/sample.yaml", contract).unwrap();
    let found = super::lines(&contract, super::code());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].ends_with("responses › 4XX: the contract documents this status, the code does not"));
}

#[test]
fn optional_bodies_only_with_the_extension() {
    for (value, line) in
        [(json!(true), None), (json!(false), Some("request body: the code requires it, the contract does not"))]
    {
        let found = drifted(&[("/components/schemas/SignOut/x-optional-body", value)]);
        assert_eq!(found.first().map(|found| found.rsplit_once("): ").unwrap().1), line);
    }
    let unreadable = drifted(&[("/components/schemas/SignOut/x-optional-body", json!("yes"))]);
    assert!(
        unreadable[0].ends_with("POST /api/auth/sign-out: x-optional-body: expected true or false"),
        "{unreadable:?}"
    );
}

#[test]
fn malformed_replies_are_rejected() {
    for (replies, problem) in [
        (json!([]), "expected a list"),
        (json!({}), "expected a list"),
        (json!([200]), "expected an object"),
        (json!([{"status": "200"}]), "expected a status"),
        (json!([{"status": 999}]), "expected a status"),
        (json!([{"status": 200}, {"status": 200}]), "status 200 twice"),
        (json!([{"status": 200, "headers": "Set-Cookie"}]), "list of names"),
    ] {
        let found = drifted(&[("/components/schemas/SignInReply/x-replies", replies.clone())]);
        assert!(found.len() == 1 && found[0].contains(problem), "{replies}: {found:?}");
    }
}

#[test]
fn security_is_not_compared() {
    let mut contract = contract().value().clone();
    contract["security"] = json!([]);
    contract["paths"]["/sign-out"]["post"]["security"] = json!([{"bearer": []}]);
    let contract = Document::from_value("openapi/sample.yaml", contract).unwrap();
    assert_eq!(super::lines(&contract, super::code()), Vec::<String>::new());
}

#[test]
fn prose_is_not_compared_and_recursion_terminates() {
    let contract = contract();
    let operations = canonical(&contract, contract.base_path());
    let sign_in =
        operations.values().find(|operation| operation.operation_id.as_deref() == Some("signInEmail")).unwrap();
    let schema = sign_in.responses["200"].content["application/json"].to_string();
    assert!(schema.contains(r#""manager":{"$cycle":1}"#), "{schema}");
    let body = sign_in.body.as_ref().unwrap().content["application/json"].to_string();
    for prose in ["description", "default", "example"] {
        assert!(!body.contains(prose), "{body}");
    }
}

#[test]
fn a_cycle_that_leads_elsewhere_is_a_difference() {
    let found = user(&[("/properties/manager", json!({"type": "object"}))]);
    assert_eq!(found, ["properties › manager: the contract repeats a schema from above, the code says type `object`"]);
}
