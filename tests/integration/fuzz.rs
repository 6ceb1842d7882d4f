//! Whatever is sent to whatever operation: a documented refusal in the documented shape, no 5xx, no panic (API4, 41).
//!
//! The bodies are derived from the contract's own request schemas. The harness holds every response against the
//! contract; what is left to assert here is that none is a failure of the server.

use crate::harness::contract::example_body;
use crate::harness::{Caller, World, cheap_passwords};
use countersign::operations::BETTER_AUTH;
use countersign_contract_compare::BodyRule;
use countersign_contract_document::Document;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// Values that no field expects.
pub(crate) fn odd_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1.5e300),
        json!([]),
        json!(["true"]),
        json!({}),
        json!({"a": {"b": [null]}}),
        json!(""),
        json!(" "),
        json!("x".repeat(40_000)),
        json!("\u{0}"),
        json!("a\u{0}b@example.com"),
        json!("٣٤٥٦٧٨"),
        json!("𝒳😀\u{202e}\u{feff}é"),
        json!("' OR 1=1 --"),
        json!("ada@example.com\r\nbcc: x@example.com"),
        json!("../../etc/passwd"),
        json!("9".repeat(300)),
    ]
}

static CONTRACT: LazyLock<Document> = LazyLock::new(|| {
    let text = include_str!("../../openapi/better-auth.yaml");
    Document::load("openapi/better-auth.yaml", text).unwrap()
});

/// All properties of an operation's request body, each with a value that it would take.
fn plausible_body(operation_id: &str) -> Map<String, Value> {
    let operation = CONTRACT.find(operation_id).unwrap();
    let body = CONTRACT.resolve(&operation["requestBody"]);
    let schema = CONTRACT.resolve(&body["content"]["application/json"]["schema"]);
    let names = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
    let value = |name: &str| match name {
        "email" | "newEmail" => json!("fuzz@example.com"),
        "password" | "currentPassword" | "newPassword" => json!("some password"),
        "trustDevice" | "disableSession" | "rememberMe" | "revokeOtherSessions" => json!(true),
        "createSession" => json!(true),
        "response" => example_body(operation_id).unwrap()["response"].clone(),
        "callbackURL" => json!("/"),
        "method" => json!("otp"),
        _ => json!("123456"),
    };
    names.map(|name| (name.clone(), value(&name))).collect()
}

async fn assert_no_failure(caller: &Caller, path: &str, content_type: &str, body: String) {
    let shown: String = body.chars().take(200).collect();
    let response = caller.call("POST", path).body(content_type, body).await;
    assert!(response.status < 500, "{response}\nfor {content_type} {shown}");
}

#[on_each_database]
async fn odd_bodies_get_documented_refusals_41(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        settings.limits.codes_per_hour = 1_000_000;
        cheap_passwords(settings);
    });
    let world = world.await;
    let user = world.user("ada").await;
    user.enrol().await;
    for operation in BETTER_AUTH.iter().filter(|operation| operation.body != BodyRule::None) {
        // What ends the session is tried as a stranger only, as each of them would end the test.
        let as_user = !operation.path.contains("sign-out") && !operation.path.contains("revoke");
        let callers = [Some(world.stranger()), as_user.then(|| user.browser.copy())];
        for caller in callers.into_iter().flatten() {
            let plausible = plausible_body(operation.operation_id);
            for (name, _) in &plausible {
                let mut without = plausible.clone();
                without.remove(name);
                assert_no_failure(&caller, operation.path, "application/json", Value::Object(without).to_string())
                    .await;
                for odd in odd_values() {
                    let mut with = plausible.clone();
                    with.insert(name.clone(), odd);
                    with.insert("__proto__".to_owned(), json!({"twoFactorEnabled": true}));
                    assert_no_failure(&caller, operation.path, "application/json", Value::Object(with).to_string())
                        .await;
                }
            }
            for odd in odd_values() {
                assert_no_failure(&caller, operation.path, "application/json", odd.to_string()).await;
            }
            let deep = "[".repeat(10_000);
            let repeated = r#"{"password":"a","password":["b"],"code":1,"code":"2","email":"x","email":null}"#;
            for text in ["", "{", "{\"a\":", "\u{feff}{}", "nul", "{}{}", "'", "\u{1}", &deep, repeated] {
                assert_no_failure(&caller, operation.path, "application/json", text.to_owned()).await;
                assert_no_failure(&caller, operation.path, "text/plain", text.to_owned()).await;
                assert_no_failure(&caller, operation.path, "", text.to_owned()).await;
            }
            for form in ["", "=", "&&&", "email=%ff&password=%00", "email", "email=a&email=b", "%", "a=%zz"] {
                assert_no_failure(&caller, operation.path, "application/x-www-form-urlencoded", form.to_owned()).await;
            }
            assert_no_failure(&caller, operation.path, "application/json", "x".repeat(70_000)).await;
        }
    }
    world.close().await;
}

#[on_each_database]
async fn odd_credentials_are_no_credentials_38(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let real = user.browser.cookie("session_token").unwrap();
    let odd = [
        String::new(),
        ".".to_owned(),
        "a.b".to_owned(),
        "2fa-".to_owned(),
        format!("2fa-{}", "a".repeat(24)),
        format!("2fa-{}", "a".repeat(5000)),
        real[1..].to_owned(),
        format!("{real}x"),
        format!("\"{real}"),
        real.replace('.', "%2E%2E"),
        "%00%ff%zz".to_owned(),
        "a".repeat(4000),
        "=;=".to_owned(),
        user.id.clone(),
    ];
    for operation in BETTER_AUTH {
        for value in &odd {
            let path = operation.path;
            let cookie = format!(
                "better-auth.session_token={value}; better-auth.two_factor={value}; better-auth.trust_device={value}"
            );
            let by_cookie = world.browser().call(operation.method, path).header("cookie", &cookie);
            let by_bearer =
                world.stranger().call(operation.method, path).header("authorization", &format!("Bearer {value}"));
            for call in [by_cookie, by_bearer] {
                let call = match operation.body {
                    BodyRule::None => call,
                    _ => call.json(Value::Object(plausible_body(operation.operation_id))),
                };
                let response = call.await;
                let is_open = operation.anonymous_allowed || response.status == 401;
                assert!(response.status < 500 && is_open, "{response}\nwith {value}");
            }
        }
    }
    world.close().await;
}
