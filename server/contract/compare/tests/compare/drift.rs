//! Ways in which code can drift from its contract, each with the reported line.

use super::{code, contract, drifted, lines, put};
use countersign_contract_compare::compare;
use countersign_contract_document::Document;
use serde_json::{Value, json};

pub(super) const SIGN_IN: &str = "openapi/sample.yaml: POST /api/auth/sign-in/email (signInEmail): ";
pub(super) const DISABLE: &str = "openapi/sample.yaml: POST /api/auth/two-factor/disable (twoFactorDisablePost): ";
pub(super) const SESSION: &str = "openapi/sample.yaml: GET /api/auth/session (getSession): ";
const SIGN_OUT: &str = "openapi/sample.yaml: POST /api/auth/sign-out (signOut): ";

pub(super) const EMAIL: &str = "request body › application/json › properties › email: ";
pub(super) const PASSWORD: &str = "request body › application/json › properties › password: ";

pub(super) fn expect<S: AsRef<str>>(name: &str, edits: &[(S, Value)], operation: &str, expected: &[String]) {
    let expected: Vec<String> = expected.iter().map(|line| format!("{operation}{line}")).collect();
    assert_eq!(drifted(edits), expected, "{name}");
}

#[test]
fn the_pair_agrees() {
    assert_eq!(lines(&contract(), code()), Vec::<String>::new());
}

#[test]
fn missing_operation() {
    let expected = ["the contract has this operation, the code does not".to_owned()];
    expect("missing", &[("/paths/~1api~1auth~1sign-in~1email", Value::Null)], SIGN_IN, &expected);
}

#[test]
fn extra_operation() {
    let extra = json!({"get": {"operationId": "listSessions", "responses": {}}});
    assert_eq!(
        drifted(&[("/paths/~1api~1auth~1list-sessions", extra)]),
        ["openapi/sample.yaml: GET /api/auth/list-sessions (listSessions): the code has this operation, \
          the contract does not"]
    );
}

#[test]
fn other_method_on_the_same_path() {
    let mut code = code();
    let mut operation = code["paths"]["/api/auth/sign-out"]["post"].take();
    operation["operationId"] = "leave".into();
    code["paths"]["/api/auth/sign-out"] = json!({"put": operation});
    assert_eq!(
        lines(&contract(), code),
        [
            "openapi/sample.yaml: POST /api/auth/sign-out (signOut): the contract has this operation, \
             the code does not (hint: the code has PUT on this path)",
            "openapi/sample.yaml: PUT /api/auth/sign-out (leave): the code has this operation, \
             the contract does not (hint: the contract has POST on this path)",
        ]
    );
}

#[test]
fn moved_to_another_path() {
    let mut code = code();
    let item = code["paths"]["/api/auth/sign-out"].take();
    put(&mut code, "/paths/~1api~1auth~1sign-out", Value::Null);
    code["paths"]["/api/auth/sign_out"] = item;
    assert_eq!(
        lines(&contract(), code),
        [
            "openapi/sample.yaml: POST /api/auth/sign-out (signOut): the contract has this operation, \
             the code does not (hint: the code has an operation of this name at POST /api/auth/sign_out)",
            "openapi/sample.yaml: POST /api/auth/sign_out (signOut): the code has this operation, \
             the contract does not (hint: the contract has an operation of this name at POST /api/auth/sign-out)",
        ]
    );
}

#[test]
fn operation_id_and_tags() {
    let operation = "/paths/~1api~1auth~1sign-out/post";
    let id = format!("{operation}/operationId");
    let tags = format!("{operation}/tags");
    let line = |text: &str| [text.to_owned()];
    expect(
        "operationId",
        &[(&id, "logout".into())],
        SIGN_OUT,
        &line("operationId: the contract says `signOut`, the code says `logout`"),
    );
    expect(
        "tag",
        &[(&tags, json!(["Sessions"]))],
        SIGN_OUT,
        &[
            "tags: the contract has the tag `Session`, the code does not".to_owned(),
            "tags: the code has the tag `Sessions`, the contract does not".to_owned(),
        ],
    );
}

#[test]
fn statuses_and_headers() {
    let replies = "/components/schemas/SignInReply/x-replies";
    let at = |rest: &str| format!("{replies}{rest}");
    let cases = [
        (
            "status lost by the code",
            (at("/2"), Value::Null),
            "responses › 429: the contract documents this status, the code does not",
        ),
        (
            "status lost by the contract",
            (at("/-"), json!({"status": 403})),
            "responses › 403: the code documents this status, the contract does not",
        ),
        (
            "header lost by the code",
            (at("/0/headers"), json!(["Set-Cookie"])),
            "responses › 200 › headers › set-auth-token: the contract documents this header, the code does not",
        ),
        (
            "header lost by the contract",
            (at("/1/headers"), json!(["WWW-Authenticate"])),
            "responses › 401 › headers › www-authenticate: the code documents this header, the contract does not",
        ),
        (
            "content lost by the code",
            (at("/1/schema"), Value::Null),
            "responses › 401 › application/json: the contract responds with this media type, the code does not",
        ),
        (
            "null where the contract has an object",
            (at("/1/schema"), json!({"type": "null"})),
            "responses › 401 › application/json: the contract says type `object`, the code allows only [null]",
        ),
    ];
    for (name, (pointer, value), expected) in cases {
        let found = drifted(&[(&pointer, value)]);
        assert!(found.contains(&format!("{SIGN_IN}{expected}")), "{name}: {found:#?}");
        assert!(found.len() == 1, "{name}: {found:#?}");
    }
}

#[test]
fn parameters() {
    let parameters = "/paths/~1api~1auth~1session/get/parameters";
    let at = |rest: &str| format!("{parameters}{rest}");
    let cases = [
        (at("/0"), Value::Null, "query disableCookieCache: the contract has this parameter, the code does not"),
        (
            at("/-"),
            json!({"in": "query", "name": "page", "schema": {"type": "string"}}),
            "query page: the code has this parameter, the contract does not",
        ),
        (at("/1/required"), false.into(), "header x-device: the contract requires it, the code does not"),
        (
            at("/1/schema/pattern"),
            "^.+$".into(),
            "header x-device: the contract says pattern `^[a-z]+$`, the code says pattern `^.+$`",
        ),
        (
            at("/0/schema/type"),
            "string".into(),
            "query disableCookieCache: the contract says type `boolean`, the code says type `string`",
        ),
    ];
    for (pointer, value, expected) in cases {
        expect(&pointer, &[(&pointer, value)], SESSION, &[format!("parameters › {expected}")]);
    }
}

#[test]
fn request_bodies() {
    let body = "/paths/~1api~1auth~1sign-out/post/requestBody";
    let line = |text: &str| [text.to_owned()];
    expect(
        "lost",
        &[(body, Value::Null)],
        SIGN_OUT,
        &line("request body: the contract takes a request body, the code does not"),
    );
    expect(
        "required",
        &[("/components/schemas/SignOut/x-optional-body", Value::Null)],
        SIGN_OUT,
        &line("request body: the code requires it, the contract does not"),
    );
    expect(
        "optional",
        &[("/components/schemas/SignInEmail/x-optional-body", true.into())],
        SIGN_IN,
        &line("request body: the contract requires it, the code does not"),
    );
    expect(
        "media type lost by the code",
        &[("/components/schemas/DisableFields/x-media-types", json!(["application/json"]))],
        DISABLE,
        &line(
            "request body › application/x-www-form-urlencoded: the contract accepts this media type, the code does not",
        ),
    );
    expect(
        "media type lost by the contract",
        &[("/components/schemas/SignOut/x-media-types", json!(["application/json", "text/plain"]))],
        SIGN_OUT,
        &line("request body › text/plain: the code accepts this media type, the contract does not"),
    );
}

#[test]
fn unreadable_extensions_are_differences() {
    let found = drifted(&[("/components/schemas/SignInReply/x-replies/0/state", json!(1))]);
    assert_eq!(
        found,
        [
            "openapi/sample.yaml: every operation: the contract cannot be compared, the code generates an invalid document: \
          code: POST /api/auth/sign-in/email: x-replies: `state` is not part of a reply"
        ]
    );
}

#[test]
fn a_schema_that_contains_itself_is_compared() {
    let schemas = json!({
        "Tree": {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}},
        "Self": {"allOf": [{"$ref": "#/components/schemas/Self"}]},
    });
    let document = |name: &str| {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let operation =
            json!({"operationId": "tree", "responses": {"200": {"content": {"application/json": {"schema": schema}}}}});
        let document =
            json!({"openapi": "3.0.3", "paths": {"/tree": {"get": operation}}, "components": {"schemas": schemas}});
        Document::from_value("d", document).unwrap()
    };
    for name in ["Tree", "Self"] {
        assert_eq!(compare(&document(name), &document(name), ""), []);
    }
    assert!(!compare(&document("Tree"), &document("Self"), "").is_empty());
}
