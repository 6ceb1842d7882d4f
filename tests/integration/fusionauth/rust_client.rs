//! What published clients send that others do not: the crate `fusionauth-rust-client` has the body `null` for a request
//! without one, and looks a user up by their own access token, as APIMatic's SDK does; some end a path with an empty value.
//!
//! The requests are made by hand rather than by that crate (2.9.0): it is 650 models, 46 000 lines of generated code that each
//! build of the tests would compile for one journey. With its default features it also brings TLS by OpenSSL (`native-tls`,
//! `openssl-sys`, a C library with headers on every machine that builds) beside rustls, which is used here; and Cargo unites the
//! features of reqwest, so all other tests would get that client.

use crate::harness::caller::Call;
use crate::harness::service::{APPLICATION, Service, TotpApp};
use crate::harness::{PASSWORD, World};
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::tenant::{Directory, LoginPolicy, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};

/// A request of the crate: its body is JSON, and `null` if there is none.
fn call(service: &Service, method: &str, path: &str, body: Option<Value>) -> Call {
    service.call(method, path).body("application/json", body.unwrap_or_default().to_string())
}

#[on_each_database]
async fn its_journey(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let made = json!({"user": {"email": "ada@example.com", "password": PASSWORD}});
    let id = call(&service, "POST", "/user", Some(made)).await.ok().text("/user/id");
    let registration = json!({"registration": {"applicationId": APPLICATION}});
    call(&service, "POST", &format!("/user/registration/{id}"), Some(registration)).await.ok();
    let login = json!({"loginId": "ada@example.com", "password": PASSWORD, "applicationId": APPLICATION});
    let logged_in = call(&service, "POST", "/login", Some(login.clone())).await.ok();
    let own = service.with_token(&logged_in.text("/token"), "GET", "/user").await.ok();
    assert_eq!(own.body, call(&service, "GET", &format!("/user/{id}"), None).await.ok().body);

    let secret = service.get("/two-factor/secret").await.ok();
    let app = TotpApp::new(&secret.text("/secretBase32Encoded"), world.clock());
    let add = json!({"method": "authenticator", "secret": secret.text("/secret"), "code": app.code()});
    call(&service, "POST", &format!("/user/two-factor/{id}"), Some(add)).await.ok();
    let send = json!({"userId": id, "method": "email", "email": "ada@example.com"});
    call(&service, "POST", "/two-factor/send", Some(send)).await.ok();
    let code = world.last_code_for("ada@example.com");
    let add = json!({"method": "email", "email": "ada@example.com", "code": code});
    call(&service, "POST", &format!("/user/two-factor/{id}"), Some(add)).await.ok();
    let codes = call(&service, "POST", &format!("/user/two-factor/recovery-code/{id}"), None).await.ok();
    let status = call(&service, "GET", &format!("/two-factor/status/?userId={id}&applicationId={APPLICATION}"), None);
    status.undocumented().await.is(242);

    let challenge = call(&service, "POST", "/login", Some(login.clone())).await.is(242);
    let complete = json!({"twoFactorId": challenge.text("/twoFactorId"), "code": app.fresh_code()});
    service.open("/two-factor/login", complete).await.ok();

    // Methods are disabled by parameters, with the body `null`: one, the other, and all by a recovery code.
    let methods = challenge.body["methods"].as_array().unwrap().clone();
    let path = |kind: &str, code: &str| {
        let method = methods.iter().find(|method| method["method"] == kind).unwrap();
        format!("/user/two-factor/{id}?methodId={}&code={code}", method["id"].as_str().unwrap())
    };
    call(&service, "DELETE", &path("authenticator", &app.wrong_code()), None).await.is(421);
    call(&service, "DELETE", &path("authenticator", &app.fresh_code()), None).await.ok();
    let query = path("email", &codes.text("/recoveryCodes/0"));
    call(&service, "DELETE", &query, None).await.ok();
    call(&service, "POST", "/login", Some(login)).await.ok();
    call(&service, "DELETE", &format!("/user/{id}?hardDelete=true"), None).await.ok();
    call(&service, "GET", &format!("/user/{id}"), None).await.is(404);
}

#[on_each_database]
async fn null_is_no_body_and_other_values_are_none_that_is_taken(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let before = service.get(&format!("/user/{}", user.id)).await.ok();
    for method in ["PATCH", "PUT"] {
        let sent = call(&service, method, &format!("/user/{}", user.id), None).await;
        let nothing = service.call(method, &format!("/user/{}", user.id)).await;
        assert_eq!((sent.status, &sent.body["fieldErrors"]), (nothing.status, &nothing.body["fieldErrors"]), "{sent}");
    }
    assert_eq!(
        service.get(&format!("/user/{}", user.id)).await.ok().body["user"]["email"],
        before.body["user"]["email"]
    );
    for path in ["/login", "/two-factor/start", "/two-factor/send"] {
        let (null, none) = (call(&service, "POST", path, None).await, service.call("POST", path).await);
        assert_eq!((null.status, &null.body), (none.status, &none.body), "{path}");
    }
    for odd in [json!([]), json!(1), json!("null"), json!(false)] {
        call(&service, "POST", "/two-factor/send", Some(odd)).await.wrong("[invalidJSON]");
    }
    // The other dialect takes it for what it is.
    let null = world.stranger().post("/sign-out").body("application/json", "null").await;
    null.refused(400, "VALIDATION_ERROR").saying("[body] Invalid input: expected object, received null");
}

#[on_each_database]
async fn the_holder_of_a_token_is_shown_themselves_and_nobody_else(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (user, other) = (service.user().await, service.user().await);
    let app = service.enrol(&user).await;
    let challenge = service.challenge(&user).await;
    let token = service.complete(&challenge, &app.fresh_code()).await.ok().text("/token");
    let own = |query: &str| service.with_token(&token, "GET", &format!("/user{query}"));
    let shown = own("").await.ok();
    assert_eq!((shown.text("/user/id"), shown.text("/user/email")), (user.id.clone(), user.email.clone()));
    let text = shown.body.to_string();
    for secret in ["secret", "password\"", "salt", "recoveryCode", "argon2"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    for query in [format!("?email={}", other.email), format!("?loginId={}", other.email), "?username=x".to_owned()] {
        assert_eq!(own(&query).await.ok().body, shown.body, "{query}");
    }
    let by_cookie = world.stranger().call("GET", "/api/user").header("cookie", &format!("access_token={token}"));
    assert_eq!(by_cookie.await.ok().body, shown.body);
    // With a key nothing is new: the parameters count, and one is needed.
    assert_eq!(service.get(&format!("/user?email={}", other.email)).await.ok().text("/user/id"), other.id);
    service.get("/user").await.wrong("[blank]loginId");
    // By id it is for services.
    service.with_token(&token, "GET", &format!("/user/{}", user.id)).await.is(401);

    // What is no token, or stands for nobody any more, shows nothing.
    for bearer in ["x", "a.b.c", &token[1..], &format!("{token}x")] {
        service.with_token(bearer, "GET", "/user").await.is(401);
    }
    world.stranger().call("GET", "/api/user").await.is(401);
    service.call("PATCH", &format!("/user/{}", user.id)).json(json!({"user": {"active": false}})).await.ok();
    own("").await.is(401);
}

/// Where a second factor is required, a token from before shows nothing but the enrolment.
#[on_each_database]
async fn a_token_of_an_account_that_has_to_enrol_shows_nobody(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let token = service.log_in(&user).await.ok().text("/token");
    service.with_token(&token, "GET", "/user").await.ok();
    let required = Tenant { id: TenantId::DEFAULT, login_policy: LoginPolicy::Required, ..Tenant::default() };
    let application = Directory::default().application(ApplicationId::DEFAULT).cloned();
    let directory = Directory::new(vec![required], application.into_iter().collect()).unwrap();
    let world = world.restarted_with(|settings| settings.directory = directory).await;
    let service = world.service().await;
    service.with_token(&token, "GET", "/user").await.is(401);
    service.with_token(&token, "GET", "/two-factor/secret").await.ok();
}

/// `…/status/` is what `…/status/{twoFactorTrustId}` comes to without a trust: as with one that is unknown.
#[on_each_database]
async fn an_empty_trust_is_none_32(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let status = |rest: &str| service.get(&format!("/two-factor/status{rest}?userId={}", user.id)).undocumented();
    status("/").await.is(200);
    let app = service.enrol(&user).await;
    let challenge = service.challenge(&user).await;
    let body = json!({"twoFactorId": challenge, "code": app.fresh_code(), "trustComputer": true});
    let trust = service.open("/two-factor/login", body).await.ok().text("/twoFactorTrustId");
    status(&format!("/{trust}")).await.is(200);
    assert_eq!(status("/").await.is(242).body, status("").await.is(242).body);
    service.get("/two-factor/status/").undocumented().await.wrong("[missing]userId");
    let stranger = world.stranger().call("GET", &format!("/api/two-factor/status/?userId={}", user.id));
    stranger.undocumented().await.is(401);
    // One path has this second spelling, and it is switched off with the first.
    status("//").await.is(404);
    for path in ["/user/", "/two-factor/send/", "/login/", "/status/"] {
        service.get(path).undocumented().await.is(404);
    }
    let off = ["/api/two-factor/status".to_owned()];
    let world = world.restarted_with(|settings| settings.disabled_paths = off.into()).await;
    let service = world.service().await;
    service.get(&format!("/two-factor/status/?userId={}", user.id)).undocumented().await.is(404);
}
