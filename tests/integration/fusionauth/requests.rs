//! Whatever is sent to whatever operation: a documented refusal in the documented shape, no 5xx, no panic (API4, 41).

use crate::harness::{Caller, PASSWORD, Service, World, cheap_passwords};
use countersign::config::Settings;
use countersign::operations::FUSIONAUTH;
use countersign_contract_compare::BodyRule;
use countersign_contract_document::Document;
use countersign_domain::address::MethodKind;
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::tenant::{Application, Directory, LoginPolicy, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

fn odd_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1.5e300),
        json!(9_223_372_036_854_775_807_i64),
        json!(9_223_372_036_854_775_808_u64),
        json!(1.0),
        json!([]),
        json!(["email"]),
        json!({}),
        json!({"a": {"b": [null]}}),
        json!(""),
        json!(" "),
        json!("x".repeat(20_000)),
        json!("\u{0}"),
        json!("a\u{0}b@example.com"),
        json!("٣٤٥٦٧٨"),
        json!("𝒳😀\u{202e}\u{feff}é"),
        json!("' OR 1=1 --"),
        json!("ada@example.com\r\nbcc: x@example.com"),
        json!("00000000-0000-0000-0000-000000000000"),
        json!("c0de0000-0000-4000-8000-000000000002"),
    ]
}

static CONTRACT: LazyLock<Document> = LazyLock::new(|| {
    Document::load("openapi/fusionauth.yaml", include_str!("../../../openapi/fusionauth.yaml")).unwrap()
});

/// All properties of an operation's request body, each with a value that it would take.
fn plausible_body(operation_id: &str, user_id: &str) -> Map<String, Value> {
    let operation = CONTRACT.find(operation_id).unwrap();
    let body = CONTRACT.resolve(&operation["requestBody"]);
    let schema = CONTRACT.resolve(&body["content"]["application/json"]["schema"]);
    let names = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
    let value = |name: &str| match name {
        "user" => json!({"email": "fuzz@example.com", "password": PASSWORD, "data": {"a": null}}),
        "registration" => json!({"applicationId": "c0de0000-0000-4000-8000-000000000002", "data": [1]}),
        "userId" => json!(user_id),
        "loginId" | "email" => json!("fuzz@example.com"),
        "loginIdTypes" => json!(["email"]),
        "method" => json!("email"),
        "action" => json!("login"),
        "trustComputer" | "noJWT" | "skipVerification" => json!(true),
        "state" => json!({"deep": [null]}),
        _ => json!("123456"),
    };
    names.map(|name| (name.clone(), value(&name))).collect()
}

async fn assert_no_failure(caller: &Caller, method: &str, path: &str, content_type: &str, body: String) {
    let shown: String = body.chars().take(200).collect();
    let response = caller.call(method, path).body(content_type, body).await;
    assert!(response.status < 500, "{response}\nfor {content_type} {shown}");
}

#[on_each_database]
async fn odd_bodies_get_documented_responses_41(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        settings.limits.codes_per_hour = 1_000_000;
        cheap_passwords(settings);
    });
    let world = world.await;
    let service = world.service().await;
    let user = service.user().await;
    service.enrol(&user).await;
    for entry in FUSIONAUTH.iter().filter(|entry| entry.body != BodyRule::None) {
        let path =
            entry.path.replace("{userId}", &user.id).replace("{twoFactorId}", "x").replace("{changePasswordId}", "x");
        let plausible = plausible_body(entry.operation_id, &user.id);
        for name in plausible.keys() {
            let mut without = plausible.clone();
            without.remove(name);
            let body = Value::Object(without).to_string();
            assert_no_failure(&service.caller, entry.method, &path, "application/json", body).await;
            for odd in odd_values() {
                let mut with = plausible.clone();
                with.insert(name.clone(), odd);
                let body = Value::Object(with).to_string();
                assert_no_failure(&service.caller, entry.method, &path, "application/json", body).await;
            }
        }
        for odd in odd_values() {
            assert_no_failure(&service.caller, entry.method, &path, "application/json", odd.to_string()).await;
            let nested = json!({"user": {"email": odd, "birthDate": odd, "expiry": odd, "password": odd, "data": odd}});
            assert_no_failure(&service.caller, entry.method, &path, "application/json", nested.to_string()).await;
            let alone = json!({"user": {"email": "odd@example.com", "password": PASSWORD, "expiry": odd}});
            assert_no_failure(&service.caller, entry.method, &path, "application/json", alone.to_string()).await;
        }
        let deep = "[".repeat(10_000);
        for text in ["", "{", "{\"a\":", "\u{feff}{}", "nul", "{}{}", "\u{1}", &deep, r#"{"code":1,"code":"2"}"#] {
            for content_type in ["application/json", "text/plain", "application/x-www-form-urlencoded", ""] {
                assert_no_failure(&service.caller, entry.method, &path, content_type, text.to_owned()).await;
            }
        }
    }
    world.close().await;
}

#[on_each_database]
async fn odd_paths_queries_and_headers_get_documented_responses(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let odd = ["", "undefined", "null", "x", "%00", "%ff", "12345", "a=b", "..", "%2e%2e", "😀", &"9".repeat(500)];
    for entry in FUSIONAUTH {
        for value in odd {
            let quoted = if value.is_empty() || value.contains(['%', '.', '=', '😀']) { "x" } else { value };
            let path = entry.path.replace("{userId}", quoted).replace("{twoFactorId}", quoted);
            let path = path.replace("{changePasswordId}", quoted).replace("{twoFactorTrustId}", quoted);
            let query = format!(
                "{path}?userId={value}&applicationId={value}&code={value}&methodId={value}&loginId={value}&hardDelete={value}&userId=again"
            );
            let response = service.caller.call(entry.method, &query).await;
            assert!(response.status < 500, "{response}");
        }
        let path = entry.path.replace(['{', '}'], "");
        let strange = service.caller.call(entry.method, &path).header("x-odd", "caf\u{e9}").header("length", "7");
        let response = strange.await;
        assert!(response.status < 500, "{response}");
        assert!(
            !response.wrongs().contains(&"[invalid]".to_owned()),
            "a header that is none of ours is no reason: {response}"
        );
    }
    world.close().await;
}

/// A parameter means one thing, and is kept by either database.
#[on_each_database]
async fn a_parameter_that_is_repeated_or_holds_u_0000_is_refused_by_each_operation_that_reads_it(
    database: DatabaseKind,
) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let mut tried = 0;
    for entry in FUSIONAUTH {
        let operation = CONTRACT.find(entry.operation_id).unwrap();
        let parameters = operation["parameters"].as_array().into_iter().flatten().map(|one| CONTRACT.resolve(one));
        for parameter in parameters.filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            let path = entry.path.replace("{userId}", &user.id).replace("{twoFactorTrustId}", "x");
            let repeated = (name != "ids").then(|| format!("{name}=true&unknown=1&{name}=true"));
            for query in repeated.into_iter().chain([format!("{name}=a%00b")]) {
                let response = service.caller.call(entry.method, &format!("{path}?{query}")).await.is(400);
                assert!(response.body["fieldErrors"][name].is_array(), "{query}: {response}");
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "{tried}");
    // What no operation reads is not looked at.
    service.get(&format!("/user?loginId={}&utm=1&utm=2&odd=%00", user.email)).await.ok();
}

#[on_each_database]
async fn a_switch_in_a_query_is_true_or_false(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    for (method, path, name) in [
        ("DELETE", format!("/user/{}?", user.id), "hardDelete"),
        ("PUT", format!("/user/{}?", user.id), "reactivate"),
        ("PUT", format!("/user/verify-email?email={}&", user.email), "sendVerifyEmail"),
        ("GET", "/user/search?queryString=*&".to_owned(), "accurateTotal"),
        ("GET", format!("/user/action?userId={}&", user.id), "active"),
        ("GET", format!("/user/action?userId={}&", user.id), "preventingLogin"),
        ("POST", "/logout?".to_owned(), "global"),
    ] {
        for odd in ["maybe", "1", "TRUE", "yes"] {
            let response = service.call(method, &format!("{path}{name}={odd}")).await;
            assert!(response.body["fieldErrors"][name].is_array(), "{odd}: {response}");
            response.wrong(&format!("[couldNotConvert]{name}"));
        }
        for (other, query) in [("GET", "true"), ("GET", "false"), ("GET", ""), ("GET", "null"), ("POST", "true")] {
            if other == method {
                service.call(method, &format!("{path}{name}={query}")).await.ok();
            }
        }
    }
    service.log_in(&user).await.ok();
}

#[on_each_database]
async fn what_is_missing_is_named_field_by_field(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let enable = format!("/user/two-factor/{}", user.id);
    for (path, body, codes) in [
        ("/login", json!({}), &["[blank]loginId", "[blank]password"][..]),
        ("/two-factor/login", json!({}), &["[blank]code", "[blank]twoFactorId"]),
        ("/two-factor/start", json!({}), &["[missing]userId"]),
        ("/two-factor/status", json!({}), &["[missing]userId"]),
        ("/two-factor/status", json!({"userId": "12345"}), &["[couldNotConvert]userId"]),
        ("/two-factor/send", json!({"userId": user.id}), &["[blank]method"]),
        ("/two-factor/send", json!({"userId": user.id, "method": "fax"}), &["[invalid]method"]),
        ("/two-factor/send", json!({"userId": user.id, "method": "email"}), &["[blank]email"]),
        ("/two-factor/send", json!({"userId": user.id, "method": "sms"}), &["[blank]mobilePhone"]),
        ("/two-factor/send", json!({"userId": user.id, "method": "authenticator"}), &["[cannotSend]method"]),
        ("/two-factor/send", json!({"userId": user.id, "methodId": "NONE"}), &["[invalid]methodId"]),
        ("/two-factor/send", json!({"method": "email"}), &["[missing]userId"]),
        ("/user", json!({}), &["[missing]user"]),
        ("/user", json!({"user": {}}), &["[blank]user.email", "[blank]user.username", "[blank]user.password"]),
        ("/user", json!({"user": {"email": "no", "password": PASSWORD}}), &["[notEmail]user.email"]),
        ("/user", json!({"user": {"email": "a@example.com", "password": "short"}}), &["[tooShort]user.password"]),
        ("/user", json!({"user": {"email": user.email, "password": PASSWORD}}), &["[duplicate]user.email"]),
        (&enable, json!({}), &["[blank]method"]),
        (&enable, json!({"method": "authenticator"}), &["[blank]code"]),
        (&enable, json!({"method": "authenticator", "code": "1"}), &["[blank]secret"]),
        (&enable, json!({"method": "authenticator", "code": "1", "secret": "short"}), &["[invalid]secret"]),
        (&enable, json!({"method": "email", "code": "1"}), &["[blank]email"]),
        (&enable, json!({"method": "email", "code": 1, "email": "a@b.ch"}), &["[couldNotConvert]code"]),
        ("/user/change-password", json!({}), &["[blank]loginId", "[blank]currentPassword", "[blank]password"]),
        ("/user/registration", json!({}), &["[missing]registration"]),
    ] {
        let response = service.post(path, body.clone()).await.is(400);
        for code in codes {
            assert!(response.wrongs().iter().any(|wrong| wrong == code), "{path} {body}: {code} is not in {response}");
        }
        assert_eq!(response.wrongs().len(), codes.len(), "{response}");
    }
    world.close().await;
}

const OTHER: &str = "11111111-1111-4111-8111-111111111111";
const OTHER_APPLICATION: &str = "22222222-2222-4222-8222-222222222222";

fn two_tenants(settings: &mut Settings) {
    let one = Tenant { name: "One".to_owned(), ..Tenant::default() };
    let two = Tenant {
        id: TenantId::parse(OTHER).unwrap(),
        name: "Two".to_owned(),
        login_policy: LoginPolicy::Required,
        methods: [MethodKind::Authenticator].into(),
        ..Tenant::default()
    };
    let shop = Application {
        id: ApplicationId::parse(OTHER_APPLICATION).unwrap(),
        tenant_id: two.id,
        name: "Shop".to_owned(),
        roles: ["admin".to_owned()].into(),
        ..Application::default()
    };
    settings.directory = Directory::new(vec![one, two], vec![shop]).unwrap();
}

/// The instant of the last change of the password, and whether the account may be used.
async fn state(service: &Service, path: &str) -> (Value, Value) {
    let user = service.get(path).await.ok().body["user"].clone();
    (user["passwordLastUpdateInstant"].clone(), user["active"].clone())
}

#[on_each_database]
async fn a_new_password_and_the_end_of_an_account_are_one_change(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let path = format!("/user/{}", user.id);
    for (is_active, password) in [(false, "another horse battery"), (true, "a third horse battery")] {
        let before = state(&service, &path).await;
        world.clock.advance(std::time::Duration::from_secs(1));
        let patch = json!({"user": {"password": password, "active": is_active}});
        let response = service.call("PATCH", &path).json(patch).await.ok();
        assert_eq!(response.body["user"]["active"], is_active);
        let after = state(&service, &path).await;
        assert_eq!(after.1, is_active);
        assert_ne!(after.0, before.0);
        let login = service.post("/login", json!({"loginId": user.email, "password": password})).await;
        assert_eq!(login.status, if is_active { 200 } else { 423 }, "{login}");
    }
    world.close().await;
}

async fn in_tenant(service: &Service, tenant: &str, email: &str) -> u16 {
    let body = json!({"user": {"email": email, "password": PASSWORD}});
    service.post("/user", body).header("x-fusionauth-tenantid", tenant).await.status
}

#[on_each_database]
async fn a_tenant_is_a_world_of_its_own_36(database: DatabaseKind) {
    let world = World::with(database, two_tenants).await;
    let service = world.service().await;
    let home = TenantId::DEFAULT.to_hyphenated();
    let nameless = json!({"user": {"email": "ada@example.com", "password": PASSWORD}});
    service.post("/user", nameless).await.wrong("[TenantIdRequired]");
    assert_eq!(in_tenant(&service, &home, "ada@example.com").await, 200);
    assert_eq!(in_tenant(&service, OTHER, "ada@example.com").await, 200, "another user of that address");
    assert_eq!(in_tenant(&service, OTHER, "ada@example.com").await, 400);

    let narrow = world.service_that(TenantId::parse(OTHER), None).await;
    let there = narrow.get("/user?loginId=ada@example.com").await.ok().text("/user/id");
    let here = service.get("/user?loginId=ada@example.com").header("x-fusionauth-tenantid", &home).await.ok();
    let here = here.text("/user/id");
    assert_ne!(here, there);
    narrow.get(&format!("/user/{here}")).await.is(404);
    service.get(&format!("/user/{there}")).header("x-fusionauth-tenantid", &home).await.is(404);
    narrow.get(&format!("/user/{there}")).header("x-fusionauth-tenantid", &home).await.is(401);
    let foreign = json!({"loginId": "ada@example.com", "password": PASSWORD, "applicationId": OTHER_APPLICATION});
    let wrong = service.post("/login", foreign.clone()).header("x-fusionauth-tenantid", &home).await;
    wrong.wrong("[invalid]applicationId");

    // A key of one tenant opens no operation in another.
    for entry in FUSIONAUTH.iter().filter(|entry| !entry.anonymous_allowed) {
        let path = entry.path.replace("{userId}", &here).replace("{twoFactorTrustId}", "x").replace("{id}", &here);
        let path = path.replace("{tokenId}", &here).replace("{actionId}", &here).replace("{applicationId}", &here);
        let foreign = narrow.caller.call(entry.method, &path).header("x-fusionauth-tenantid", &home);
        foreign.await.is(401);
    }

    // There a second factor is required: who has none enrols one on the way in.
    let asked = service.post("/login", foreign).await.is(242);
    assert_eq!(asked.body["configurableMethods"], json!(["authenticator"]));
    assert!(asked.body.get("methods").is_none());
    let id = asked.text("/twoFactorId");
    let secret = narrow.get("/two-factor/secret").await.ok();
    let app = crate::harness::service::TotpApp::new(&secret.text("/secretBase32Encoded"), &world.clock);
    let enable = json!({
        "method": "authenticator", "secret": secret.text("/secret"), "code": app.fresh_code(), "twoFactorId": id,
    });
    let path = format!("/user/two-factor/{there}");
    let by_mail = json!({"method": "email", "email": "ada@example.com", "code": "1"});
    narrow.post(&path, by_mail).await.wrong("[disabled]method");
    let enabled = narrow.post(&path, enable).await.ok();
    assert_eq!(enabled.body["recoveryCodes"].as_array().unwrap().len(), 10);
    let body = json!({"twoFactorId": id, "code": enabled.text("/code")});
    let elsewhere = world.stranger().call("POST", "/api/two-factor/login").json(body);
    elsewhere.header("x-fusionauth-tenantid", &home).await.is(404);
    let body = json!({"userId": here, "applicationId": OTHER_APPLICATION});
    service.post("/two-factor/start", body).await.wrong("[invalid]applicationId");
    let done = service.complete(&id, &enabled.text("/code")).await.is(202);
    let registration = json!({"registration": {"applicationId": OTHER_APPLICATION, "roles": ["admin"]}});
    let path = format!("/user/registration/{there}");
    let unknown = json!({"registration": {"applicationId": OTHER_APPLICATION, "roles": ["owner"]}});
    narrow.post(&path, unknown).await.wrong("[invalid]registration.roles");
    narrow.post(&path, registration.clone()).await.ok();
    narrow.post(&path, registration).await.wrong("[duplicate]registration");
    assert_eq!(done.text("/user/tenantId"), OTHER);
    world.close().await;
}
