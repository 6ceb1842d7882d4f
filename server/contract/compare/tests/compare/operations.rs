//! The list of operations, and the generated table.

use super::contract;
use countersign_contract_compare::{BodyRule, OperationEntry, operations, render_table};
use countersign_contract_document::Document;
use serde_json::{Value, json};

#[test]
fn in_the_order_of_the_text() {
    let contract = contract();
    let list = operations(&contract, contract.base_path()).unwrap();
    let lines: Vec<String> = list
        .iter()
        .map(|operation| {
            let alternatives: Vec<_> = operation
                .security
                .iter()
                .map(|schemes| schemes.iter().cloned().collect::<Vec<_>>().join("+"))
                .collect();
            let body = match (operation.has_body, operation.body_required) {
                (false, _) => "no body",
                (true, false) => "optional body",
                (true, true) => "body",
            };
            let caller = if operation.requires_credentials() { "known" } else { "anyone" };
            format!(
                "{} {} {} {:?} [{}] {caller}, {body}, {:?}",
                operation.method,
                operation.path,
                operation.operation_id,
                operation.tags,
                alternatives.join("|"),
                operation.statuses
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            r#"POST /api/auth/sign-in/email signInEmail ["Sign-In"] [] anyone, body, [200, 401, 429]"#,
            r#"POST /api/auth/two-factor/disable twoFactorDisablePost ["Two-Factor"] [session|bearer] known, body, [200, 401]"#,
            r#"POST /api/auth/sign-out signOut ["Session"] [session] known, optional body, [204]"#,
            r#"GET /api/auth/session getSession ["Session"] [|session] anyone, no body, [200, 401]"#,
        ]
    );
}

#[test]
fn invalid_operations_are_rejected() {
    let edit = |path: &str, key: &str, value: Value| {
        let mut document = contract().value().clone();
        let operation = document["paths"][path]["post"].as_object_mut().unwrap();
        operation.insert(key.to_owned(), value);
        let document = Document::from_value("openapi/sample.yaml", document).unwrap();
        operations(&document, "").unwrap_err().to_string()
    };
    let place = "openapi/sample.yaml: POST /sign-out: ";
    for (key, value, problem) in [
        ("operationId", Value::Null, "has no operationId"),
        ("operationId", json!("signInEmail"), "another operation is called `signInEmail` as well"),
        ("responses", json!({"4XX": {}}), "status `4XX` is not a number, expected each status by itself"),
        ("responses", json!({"default": {}}), "status `default` is not a number, expected each status by itself"),
        ("responses", json!({}), "has no responses"),
        ("security", json!([{"cookie": []}]), "security scheme `cookie` is not defined in components"),
    ] {
        assert_eq!(edit("/sign-out", key, value), format!("{place}{problem}"));
    }
}

#[test]
fn the_table_is_rust() {
    let contract = contract();
    let list = operations(&contract, contract.base_path()).unwrap();
    let table = render_table("SAMPLE", contract.name(), &list[1..3]);
    // The same text as code, so that a changed type of a field breaks compilation.
    const SAMPLE: &[OperationEntry] = &[
        OperationEntry {
            method: "POST",
            path: "/api/auth/two-factor/disable",
            operation_id: "twoFactorDisablePost",
            tags: &["Two-Factor"],
            anonymous_allowed: false,
            security: &[&["session"], &["bearer"]],
            body: BodyRule::Required,
            media_types: &["application/json", "application/x-www-form-urlencoded"],
            statuses: &[200, 401],
        },
        OperationEntry {
            method: "POST",
            path: "/api/auth/sign-out",
            operation_id: "signOut",
            tags: &["Session"],
            anonymous_allowed: false,
            security: &[&["session"]],
            body: BodyRule::Optional,
            media_types: &["application/json"],
            statuses: &[204],
        },
    ];
    let debug = format!("{SAMPLE:?}").replace("[OperationEntry", "OperationEntry").replace("}]", "}");
    let written: String = table
        .lines()
        .filter_map(|line| line.strip_prefix("    countersign_contract_compare::")?.strip_suffix(','))
        .collect::<Vec<_>>()
        .join(", ")
        .replace("countersign_contract_compare::BodyRule::", "")
        .replace('&', "");
    assert_eq!(written, debug);
    let mut text = table.lines();
    assert_eq!(text.next(), Some("/// The operations of `openapi/sample.yaml`, in its order."));
    assert_eq!(text.next(), Some("pub const SAMPLE: &[countersign_contract_compare::OperationEntry] = &["));
    assert_eq!(text.last(), Some("];"));
    assert!(SAMPLE.iter().all(|entry| !entry.anonymous_allowed));
}
