//! What published clients send that others do not: the crate `fusionauth-rust-client` has the body `null` for a request
//! without one, and looks a user up by their own access token, as APIMatic's SDK does; some end a path with an empty value.
//! Its journey with the crate itself is `tests/clients/fusionauth-rust`.

use crate::harness::World;
use crate::harness::caller::Call;
use crate::harness::service::Service;
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::tenant::{Directory, LoginPolicy, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};

/// A request of the crate: its body is JSON, and `null` if there is none.
fn call(service: &Service, method: &str, path: &str, body: Option<Value>) -> Call {
    service.call(method, path).body("application/json", body.unwrap_or_default().to_string())
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
