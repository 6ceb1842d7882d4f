//! Bodies: what is refused before an operation begins, in which words, and in which order checks come.

use crate::harness::contract::{better_auth as operations, example_body};
use crate::harness::{PASSWORD, World};
use countersign_contract_compare::BodyRule;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};

#[on_each_database]
async fn a_body_of_the_wrong_shape_is_named_so_on_every_operation(database: DatabaseKind) {
    let world = World::start(database).await;
    let caller = world.stranger();
    for entry in operations().filter(|entry| entry.body == BodyRule::Required) {
        for (body, received) in
            [("[]", "array"), ("null", "null"), ("7", "number"), ("\"x\"", "string"), ("true", "boolean")]
        {
            let response = caller.call(entry.method, entry.path).body("application/json", body).await;
            let message = format!("[body] Invalid input: expected object, received {received}");
            response.refused(400, "VALIDATION_ERROR").saying(&message);
        }
        let fields = example_body(entry.operation_id).unwrap();
        for (field, example) in fields.as_object().unwrap() {
            let expected = if example.is_object() { "object" } else { "string" };
            for (value, received) in [
                (None, "undefined"),
                (Some(Value::Null), "null"),
                (Some(json!(1)), "number"),
                (Some(json!([])), "array"),
                (Some(json!({})), "object"),
                (Some(json!(true)), "boolean"),
            ] {
                if received == expected {
                    continue;
                }
                let mut body = fields.clone();
                match value {
                    None => body.as_object_mut().unwrap().remove(field),
                    Some(value) => body.as_object_mut().unwrap().insert(field.clone(), value),
                };
                let response = caller.call(entry.method, entry.path).json(body).await;
                let message = format!("[body.{field}] Invalid input: expected {expected}, received {received}");
                response.refused(400, "VALIDATION_ERROR").saying(&message);
            }
        }
    }
}

#[on_each_database]
async fn all_bad_fields_are_listed(database: DatabaseKind) {
    let world = World::start(database).await;
    let response = world.stranger().post("/sign-up/email").json(json!({"email": "nobody", "password": ""})).await;
    let message = response.refused(400, "VALIDATION_ERROR").text("/message");
    let mut issues: Vec<&str> = message.split("; ").collect();
    issues.sort_unstable();
    assert_eq!(
        issues,
        [
            "[body.email] Invalid email address",
            "[body.name] Invalid input: expected string, received undefined",
            "[body.password] Too small: expected string to have >=1 characters",
        ]
    );
}

#[on_each_database]
async fn null_is_not_absent(database: DatabaseKind) {
    let world = World::start(database).await;
    for field in ["image", "callbackURL", "rememberMe"] {
        let body = json!({"name": "a", "email": "a@example.com", "password": PASSWORD, field: null});
        let response = world.stranger().post("/sign-up/email").json(body).await.refused(400, "VALIDATION_ERROR");
        assert!(
            response.text("/message").starts_with(&format!("[body.{field}] Invalid input: expected")),
            "{response}"
        );
    }
    for body in [
        json!({"code": "1", "trustDevice": null}),
        json!({"code": "1", "trustDevice": 1}),
        json!({"code": "1", "trustDevice": "yes"}),
    ] {
        for operation in ["verify-totp", "verify-otp", "verify-backup-code"] {
            let call = world.stranger().post(&format!("/two-factor/{operation}")).json(body.clone());
            let response = call.await.refused(400, "VALIDATION_ERROR");
            assert!(response.text("/message").starts_with("[body.trustDevice] "), "{response}");
        }
    }
}

#[on_each_database]
async fn checks_come_in_the_order_of_the_real_server(database: DatabaseKind) {
    let world = World::start(database).await;
    let evil = world.stranger().with_header("cookie", "a=1").with_header("origin", "https://evil.example");
    let call = || evil.post("/two-factor/disable");
    call().body("text/plain", "{").await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    call().body("application/json", "{").await.refused(400, "BAD_REQUEST");
    call().json(json!({})).await.refused(403, "INVALID_ORIGIN");
    let stranger = world.stranger();
    stranger.post("/two-factor/disable").json(json!({})).await.refused(400, "VALIDATION_ERROR");
    stranger.post("/two-factor/disable").json(json!({"password": ""})).await.refused(401, "UNAUTHORIZED");
}

#[on_each_database]
async fn a_body_without_a_type_is_no_body(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let missing = "[body] Invalid input: expected object, received undefined";
    let body = json!({"email": user.email, "password": PASSWORD}).to_string();
    let response = world.stranger().post("/sign-in/email").body("", body).await;
    response.refused(400, "VALIDATION_ERROR").saying(missing);
    user.browser.post("/two-factor/send-otp").body("", "{").await.ok();
    user.browser.post("/two-factor/send-otp").await.ok();
    user.browser.post("/two-factor/send-otp").json(json!({"trustDevice": "true"})).await.ok();
    user.browser.post("/sign-out").body("", "{}").await.ok();
}

#[on_each_database]
async fn the_type_is_read_without_case_and_parameters(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let body = json!({"email": user.email, "password": PASSWORD}).to_string();
    let call = world.stranger().post("/sign-in/email").body("Application/JSON; charset=utf-8", body);
    call.await.ok();
}

#[on_each_database]
async fn odd_codes_are_wrong_codes_and_nothing_worse_41(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let codes =
        ["", " ", "12345", "1234567", "abcdef", "１２３４５６", "٠١٢٣٤٥", "12 34 56", "123456\n", "-12345", "+12345"];
    let app = user.enrol().await;
    for (factor, refusal) in [("totp", "INVALID_CODE"), ("backup-code", "INVALID_BACKUP_CODE")] {
        for odd in codes {
            let call = user.browser.post(&format!("/two-factor/verify-{factor}")).json(json!({"code": odd}));
            call.await.refused(401, refusal);
            // So that the account is not locked on the way.
            user.browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
        }
    }
    for refused in ["1".repeat(129), "\u{0}23456".to_owned()] {
        let call = user.browser.post("/two-factor/verify-totp").json(json!({"code": refused}));
        call.await.refused(400, "VALIDATION_ERROR");
    }
}

/// As on the real server, where a repeated parameter is a list.
#[on_each_database]
async fn a_parameter_that_is_repeated_is_refused(database: DatabaseKind) {
    let world = World::start(database).await;
    for (method, path, name) in [
        ("GET", "/verify-email?token=x&callbackURL=/", "token"),
        ("GET", "/verify-email?token=x&callbackURL=/", "callbackURL"),
        ("GET", "/delete-user/callback?token=x&callbackURL=/", "token"),
        ("GET", "/delete-user/callback?token=x&callbackURL=/", "callbackURL"),
        ("GET", "/reset-password/x?callbackURL=/", "callbackURL"),
        ("POST", "/reset-password?token=x", "token"),
    ] {
        let call = |more: &str| {
            let call = world.stranger().call(method, &format!("/api/auth{path}{more}"));
            if method == "POST" { call.json(json!({"newPassword": PASSWORD})) } else { call }
        };
        let message = format!("[query.{name}] Invalid input: expected string, received array");
        call(&format!("&{name}=/")).await.refused(400, "VALIDATION_ERROR").saying(&message);
        let other = call("&utm=1&utm=2").await;
        assert!(other.code() != "VALIDATION_ERROR" && other.status < 500, "{other}");
        let nul = call(&format!("&{name}=%00")).await;
        assert_eq!(nul.status, 400, "{nul}");
        let path = path.replace("=x", "=%00").replace("=/", "=%00");
        let odd = world.stranger().call(method, &format!("/api/auth{path}")).await;
        assert!(odd.status < 500, "{odd}");
    }
    // These two have no such response.
    for path in ["/get-session?disableRefresh=true&disableRefresh=false&disableRefresh=%00", "/error?error=a&error=%00"]
    {
        world.stranger().call("GET", &format!("/api/auth{path}")).await.is(200);
    }
}
