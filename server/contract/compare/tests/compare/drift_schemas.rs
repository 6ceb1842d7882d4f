//! Ways in which schemas of the code can drift from the contract, each with the reported line.

use super::drift::{DISABLE, EMAIL, PASSWORD, SESSION, SIGN_IN, expect};
use serde_json::{Value, json};

/// Name, edits of the code, and the expected ends of the reported lines.
type Case = (&'static str, Vec<(String, Value)>, Vec<String>);

#[test]
fn properties() {
    let properties = "/components/schemas/SignInEmail/properties";
    let required = || "/components/schemas/SignInEmail/required".to_owned();
    let at = |name: &str| format!("{properties}/{name}");
    let body = "request body › application/json › properties";
    let cases: [Case; 9] = [
        (
            "lost",
            vec![(at("rememberMe"), Value::Null)],
            vec![format!("{body} › rememberMe: the contract has this property (boolean, optional), the code does not")],
        ),
        (
            "added",
            vec![
                (at("callbackURL"), json!({"type": "string"})),
                (required(), json!(["email", "password", "callbackURL"])),
            ],
            vec![format!("{body} › callbackURL: the code has this property (string, required), the contract does not")],
        ),
        (
            "renamed",
            vec![(at("rememberMe"), Value::Null), (at("remember_me"), json!({"type": "boolean"}))],
            vec![format!("{body}: the contract calls this property `rememberMe`, the code calls it `remember_me`")],
        ),
        (
            "renamed and retyped",
            vec![(at("rememberMe"), Value::Null), (at("remember_me"), json!({"type": "integer"}))],
            vec![
                format!("{body} › rememberMe: the contract has this property (boolean, optional), the code does not"),
                format!("{body} › remember_me: the code has this property (integer, optional), the contract does not"),
            ],
        ),
        (
            "retyped",
            vec![(at("email"), json!({"type": "integer", "format": "int32"}))],
            vec![format!("{EMAIL}the contract says type `string`, the code says type `integer`")],
        ),
        (
            "newly required",
            vec![(required(), json!(["email", "password", "code"])), (at("code"), json!({"type": "string"}))],
            vec![format!("{body} › code: the code requires it, the contract does not")],
        ),
        (
            "newly optional",
            vec![(required(), json!(["email"]))],
            vec![format!("{PASSWORD}the contract requires it, the code does not")],
        ),
        (
            "newly optional, as an Option",
            vec![
                (required(), json!(["password"])),
                (at("email"), json!({"nullable": true, "type": "string", "format": "email"})),
            ],
            vec![
                format!("{EMAIL}the contract requires it, the code does not"),
                format!("{EMAIL}the code allows null, the contract does not"),
            ],
        ),
        (
            "closed",
            vec![("/components/schemas/SignInEmail/additionalProperties".to_owned(), false.into())],
            vec![
                "request body › application/json: the code forbids other properties, the contract does not".to_owned(),
            ],
        ),
    ];
    for (name, edits, expected) in cases {
        expect(name, &edits, SIGN_IN, &expected);
    }
}

#[test]
fn constraints() {
    let password = |keyword: &str| format!("/components/schemas/SignInEmail/properties/password/{keyword}");
    let email = "/components/schemas/SignInEmail/properties/email/format";
    let cases = [
        (
            password("maxLength"),
            json!(64),
            format!("{PASSWORD}the contract says maxLength 128, the code says maxLength 64"),
        ),
        (password("minLength"), Value::Null, format!("{PASSWORD}the contract says minLength 8, the code does not")),
        (
            password("pattern"),
            json!("^\\w+$"),
            format!("{PASSWORD}the contract says pattern `^\\S+$`, the code says pattern `^\\w+$`"),
        ),
        (
            email.to_owned(),
            json!("idn-email"),
            format!("{EMAIL}the contract says format `email`, the code says format `idn-email`"),
        ),
        (email.to_owned(), Value::Null, format!("{EMAIL}the contract says format `email`, the code does not")),
        (password("maximum"), json!(3), format!("{PASSWORD}the code says maximum 3, the contract does not")),
        (
            password("uniqueItems"),
            json!(true),
            format!("{PASSWORD}the code says uniqueItems true, the contract does not"),
        ),
    ];
    for (pointer, value, expected) in cases {
        expect(&pointer, &[(&pointer, value)], SIGN_IN, &[expected]);
    }
}

#[test]
fn enum_values() {
    let kind = "responses › 200 › application/json › properties › kind: ";
    let variant = json!({"type": "string", "enum": ["trusted"]});
    let cases = [
        (
            "/components/schemas/Kind/oneOf/-",
            variant,
            vec![format!("{kind}the code allows the value \"trusted\", the contract does not")],
        ),
        (
            "/components/schemas/Kind/oneOf/1",
            Value::Null,
            vec![format!("{kind}the contract allows the value \"pending\", the code does not")],
        ),
        (
            "/components/schemas/Kind",
            json!({"type": "string"}),
            vec![format!("{kind}the contract allows only [\"full\",\"pending\"], the code does not")],
        ),
    ];
    for (pointer, value, expected) in cases {
        expect(pointer, &[(pointer, value)], SESSION, &expected);
    }
}

#[test]
fn alternatives() {
    let flag = "/components/schemas/Flag/anyOf";
    let lost = |media_type: &str| {
        format!(
            "request body › {media_type} › properties › trustDevice: the contract says any of string, boolean, \
             the code says type `boolean`"
        )
    };
    let (json_type, form) = ("application/json", "application/x-www-form-urlencoded");
    expect("no alternatives", &[(&format!("{flag}/0"), Value::Null)], DISABLE, &[lost(json_type), lost(form)]);
    let added = |media_type: &str| {
        format!(
            "request body › {media_type} › properties › trustDevice › anyOf: the code has the alternative integer, \
             the contract does not"
        )
    };
    expect(
        "one more",
        &[(&format!("{flag}/-"), json!({"type": "integer"}))],
        DISABLE,
        &[added(json_type), added(form)],
    );
    let changed = |media_type: &str| {
        format!(
            "request body › {media_type} › properties › trustDevice › anyOf: the contract says type `boolean`, \
             the code says type `integer`"
        )
    };
    expect(
        "another",
        &[(&format!("{flag}/1"), json!({"type": "integer"}))],
        DISABLE,
        &[changed(json_type), changed(form)],
    );
}
