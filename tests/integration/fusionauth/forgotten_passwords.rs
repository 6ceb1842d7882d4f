//! Setting a forgotten password by an id that is mailed, given to a service, or both.

use crate::harness::caller::Call;
use crate::harness::service::APPLICATION;
use crate::harness::wire::Wire;
use crate::harness::{PASSWORD, Response, Service, World, cheap_passwords};
use countersign_domain::ids::TenantId;
use countersign_domain::link_template::LinkTemplate;
use countersign_domain::tenant::{Application, Directory, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) const NEW: &str = "a longer horse, a better battery";
const HOUR: Duration = Duration::from_secs(60 * 60);

pub(crate) async fn forget(service: &Service, login_id: &str) -> Response {
    service.open("/user/forgot-password", json!({"loginId": login_id})).await
}

/// The id in the `count`th link that was mailed to that address.
pub(crate) async fn mailed_id(wire: &Wire, email: &str, count: usize) -> String {
    let link = wire.link_for(email, count).await;
    link.strip_prefix("/password/change/").unwrap_or_else(|| panic!("{link} changes no password")).to_owned()
}

async fn change(service: &Service, id: &str, more: Value) -> Response {
    let mut body = json!({"password": NEW});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    service.open(&format!("/user/change-password/{id}"), body).await
}

async fn log_in(service: &Service, email: &str, password: &str) -> Response {
    service.post("/login", json!({"loginId": email, "password": password, "applicationId": APPLICATION})).await
}

async fn is_verified(service: &Service, id: &str) -> bool {
    service.get(&format!("/user/{id}")).await.ok().body["user"]["verified"] == true
}

#[on_each_database]
async fn a_mailed_id_changes_the_password_once_and_proves_the_address(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    assert!(!is_verified(&service, &user.id).await);
    let asked = json!({"loginId": user.email.to_uppercase(), "state": {"page": 7}});
    assert_eq!(service.open("/user/forgot-password", asked).await.ok().body, json!({}));
    let id = mailed_id(&world, &user.email, 1).await;
    let path = format!("/user/change-password/{id}");
    for _ in 0..2 {
        world.stranger().call("GET", &format!("/api{path}")).await.ok();
        service.get(&format!("/user/change-password?changePasswordId={id}")).await.ok();
    }
    service.open(&path, json!({"password": "short"})).await.wrong("[tooShort]password");
    let changed = change(&service, &id, json!({})).await.ok();
    assert_eq!(changed.body["state"], json!({"page": 7}));
    change(&service, &id, json!({})).await.is(404);
    world.stranger().call("GET", &format!("/api{path}")).await.is(404);
    service.get(&format!("/user/change-password?changePasswordId={id}")).await.is(404);
    log_in(&service, &user.email, PASSWORD).await.is(404);
    log_in(&service, &user.email, NEW).await.ok();
    let once = json!({"oneTimePassword": changed.text("/oneTimePassword"), "applicationId": APPLICATION});
    service.post("/login", once.clone()).await.ok();
    service.post("/login", once).await.is(404);
    assert!(is_verified(&service, &user.id).await, "who read the mail has the address");
}

#[on_each_database]
async fn a_service_gets_the_id_and_may_deliver_it_itself(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let ask = |body: Value| service.post("/user/forgot-password", body);
    let unmailed = json!({"loginId": user.email, "sendForgotPasswordEmail": false});
    let id = ask(unmailed.clone()).await.ok().text("/changePasswordId");
    change(&service, &id, json!({})).await.ok();
    assert!(!is_verified(&service, &user.id).await, "nobody has read any mail");
    let mailed = ask(json!({"email": user.email})).await.ok().text("/changePasswordId");
    assert_eq!(mailed_id(&world, &user.email, 1).await, mailed);
    assert_eq!(world.outbox().links_for(&user.email).len(), 1);
    ask(json!({"loginId": "nobody@example.com"})).await.is(404);
    ask(json!({"username": "nobody"})).await.is(404);
    ask(json!({})).await.wrong("[blank]loginId");
    ask(json!({"loginId": user.email, "changePasswordId": "chosen"})).await.wrong("[notAllowed]changePasswordId");
    let nameless = json!({"user": {"username": "nameless", "password": PASSWORD}});
    service.post("/user", nameless).await.ok();
    ask(json!({"username": "nameless"})).await.is(422);
    let id = ask(json!({"username": "nameless", "sendForgotPasswordEmail": false})).await.ok();
    change(&service, &id.text("/changePasswordId"), json!({})).await.ok();
    // Nobody else would learn the id.
    service.open("/user/forgot-password", unmailed).await.is(401);
    service.call("DELETE", &format!("/user/{}", user.id)).await.ok();
    ask(json!({"loginId": user.email})).await.is(404);
}

/// The reset skips no second factor, in front of the new password or behind it.
#[on_each_database]
async fn a_forgotten_password_takes_the_second_factor_besides_22_a_6_4_3(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let [user, other] = [service.user().await, service.user().await];
    let app = service.enrol(&user).await;
    service.enrol(&other).await;
    forget(&service, &user.email).await.ok();
    let id = mailed_id(&world, &user.email, 1).await;
    let path = format!("/api/user/change-password/{id}");
    world.stranger().call("GET", &path).await.wrong("[TrustTokenRequired]");
    service.get(&format!("/user/change-password?changePasswordId={id}")).await.wrong("[TrustTokenRequired]");
    change(&service, &id, json!({})).await.wrong("[TrustTokenRequired]");
    change(&service, &id, json!({"currentPassword": PASSWORD})).await.wrong("[TrustTokenRequired]");
    let stepped_up = async |user: &str| {
        let begun = service.post("/two-factor/start", json!({"userId": user, "trustChallenge": "mine"})).await.ok();
        let passed = service.complete(&begun.text("/twoFactorId"), &begun.text("/code")).await.ok();
        passed.text("/trustToken")
    };
    let foreign = json!({"trustToken": stepped_up(&other.id).await, "trustChallenge": "mine"});
    let own = stepped_up(&user.id).await;
    for wrong in [json!({"trustToken": "nonsense"}), foreign, json!({"trustToken": own})] {
        change(&service, &id, wrong).await.wrong("[TrustTokenExpired]");
    }
    log_in(&service, &user.email, PASSWORD).await.is(242);
    let changed = change(&service, &id, json!({"trustToken": own, "trustChallenge": "mine"})).await.ok();
    let once = json!({"oneTimePassword": changed.text("/oneTimePassword"), "applicationId": APPLICATION});
    let challenged = service.post("/login", once).await.is(242);
    assert!(challenged.body["token"].is_null(), "{challenged}");
    service.complete(&challenged.text("/twoFactorId"), &app.fresh_code()).await.ok();
    log_in(&service, &user.email, NEW).await.is(242);
    forget(&service, &user.email).await.ok();
    let id = mailed_id(&world, &user.email, 2).await;
    let used = json!({"trustToken": own, "trustChallenge": "mine"});
    change(&service, &id, used).await.wrong("[TrustTokenExpired]");
}

#[on_each_database]
async fn ids_of_one_dialect_are_nothing_in_the_other_38(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    forget(&service, &user.email).await.ok();
    let id = mailed_id(&world, &user.email, 1).await;
    let body = json!({"newPassword": NEW, "token": id});
    world.stranger().post("/reset-password").json(body).await.refused(400, "INVALID_TOKEN");
    world.stranger().get(&format!("/verify-email?token={id}")).await.refused(401, "INVALID_TOKEN");
    world.stranger().post("/request-password-reset").json(json!({"email": user.email})).await.ok();
    let token = crate::password_reset::reset_token(&world, &user.email, 2).await;
    change(&service, &token, json!({})).await.is(404);
    for path in ["/user/verify-email", "/passwordless/login", "/passwordless/send"] {
        let body = json!({"verificationId": id, "code": id});
        service.open(path, body).await.is(404);
    }
    change(&service, &id, json!({})).await.ok();
}

/// Each way in which another password or another account could be meant.
#[on_each_database]
async fn an_id_dies_with_the_password_with_the_address_and_with_time(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let path = format!("/user/{}", user.id);
    let unmailed = async |login_id: &str| {
        let body = json!({"loginId": login_id, "sendForgotPasswordEmail": false});
        service.post("/user/forgot-password", body).await.ok().text("/changePasswordId")
    };
    let patch = async |fields: Value| service.call("PATCH", &path).json(json!({"user": fields})).await.ok();
    let mut count = 0;
    let mut both = async |email: &str| {
        count += 1;
        forget(&service, email).await.ok();
        [mailed_id(&world, email, count).await, unmailed(email).await]
    };
    let of_password = both(&user.email).await;
    patch(json!({"password": NEW})).await;
    let of_time = both(&user.email).await;
    world.clock.advance(HOUR);
    let of_address = both(&user.email).await;
    patch(json!({"email": "elsewhere@example.com"})).await;
    let left = unmailed("elsewhere@example.com").await;
    service.call("DELETE", &path).await.ok();
    for id in of_password.iter().chain(&of_time).chain(&of_address).chain([&left]) {
        change(&service, id, json!({})).await.is(404);
        world.stranger().call("GET", &format!("/api/user/change-password/{id}")).await.is(404);
    }
}

/// A name that is asked for too often is refused alike whether somebody has it or not, and does not say whose address it leads to.
#[on_each_database]
async fn ids_are_limited_for_each_name_and_for_each_user_45(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user_with(json!({"username": "ada"})).await;
    for name in ["ada", "nobody", "nobody@example.com"] {
        for _ in 0..10 {
            assert_eq!(forget(&service, name).await.ok().body, json!({}));
        }
        assert_eq!(forget(&service, name).await.is(429).retry_after(), 3600, "{name}");
    }
    world.outbox().link_for(&user.email, 10).await;
    // The user's ten are used up, which a stranger does not learn. A service has ten of its own, and learns of their end; what is
    // not mailed is not counted.
    assert_eq!(forget(&service, &user.email).await.ok().body, json!({}));
    for count in 11..=20 {
        service.post("/user/forgot-password", json!({"loginId": user.email})).await.ok();
        world.outbox().link_for(&user.email, count).await;
    }
    service.post("/user/forgot-password", json!({"loginId": user.email})).await.is(429);
    let body = json!({"loginId": user.email, "sendForgotPasswordEmail": false});
    service.post("/user/forgot-password", body).await.ok();
    // An address has one limit in both dialects.
    for _ in 0..9 {
        world.stranger().post("/request-password-reset").json(json!({"email": user.email})).await.ok();
    }
    forget(&service, &user.email).await.is(429);
    assert_eq!(world.outbox().links_for(&user.email).len(), 20);
    // So has the owner, in a session.
    let browser = world.browser();
    let credentials = json!({"email": user.email, "password": PASSWORD});
    browser.post("/sign-in/email").json(credentials).await.ok();
    browser.post("/send-verification-email").json(json!({"email": user.email})).await.ok();
    world.outbox().link_for(&user.email, 21).await;
    world.clock.advance(HOUR);
    forget(&service, &user.email).await.ok();
    world.outbox().link_for(&user.email, 22).await;
}

#[on_each_database]
async fn links_lead_to_the_page_of_the_application(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        let template = |text: &str| Some(LinkTemplate::parse(text).unwrap());
        settings.links.change_password = template("https://app.example.com/reset?id={id}&x=1");
        let mut own = Application::default();
        own.links.change_password = template("https://own.example.com/{id}");
        settings.directory = Directory::new(vec![Tenant::default()], vec![own]).unwrap();
    });
    let world = world.await;
    let service = world.service().await;
    let user = service.user().await;
    let ask = |body: Value| service.post("/user/forgot-password", body);
    let id = ask(json!({"loginId": user.email})).await.ok().text("/changePasswordId");
    let link = world.outbox().link_for(&user.email, 1).await;
    assert_eq!(link, format!("https://app.example.com/reset?id={id}&x=1"));
    let id = ask(json!({"loginId": user.email, "applicationId": APPLICATION})).await.ok().text("/changePasswordId");
    assert_eq!(world.outbox().link_for(&user.email, 2).await, format!("https://own.example.com/{id}"));
    let unknown = json!({"loginId": user.email, "applicationId": "c0de0000-0000-4000-8000-00000000beef"});
    ask(unknown).await.wrong("[invalid]applicationId");
}

/// Ids and codes are those of one tenant, for a service of another and for a request that names another.
#[on_each_database]
async fn ids_are_nothing_in_another_tenant_36(database: DatabaseKind) {
    let other = TenantId::parse("c0de0000-0000-4000-8000-00000000000b").unwrap();
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        let tenant = Tenant { id: other, name: "Other".to_owned(), ..Tenant::default() };
        settings.directory = Directory::new(vec![Tenant::default(), tenant], vec![Application::default()]).unwrap();
    });
    let world = world.await;
    let service = world.service_that(Some(TenantId::DEFAULT), None).await;
    let foreign = world.service_that(Some(other), None).await;
    let user = service.user().await;
    let wanted = json!({"loginId": user.email, "sendForgotPasswordEmail": false});
    let password_id = service.post("/user/forgot-password", wanted).await.ok().text("/changePasswordId");
    let verify = format!("/user/verify-email?email={}&sendVerifyEmail=false", user.email);
    let address_id = service.call("PUT", &verify).await.ok().text("/verificationId");
    let start = json!({"loginId": user.email, "applicationId": APPLICATION});
    let code = service.post("/passwordless/start", start).await.ok().text("/code");
    let by_query = format!("/user/change-password?changePasswordId={password_id}");
    let by_path = format!("/user/change-password/{password_id}");
    let by_id = format!("/user/verify-email/{address_id}");

    foreign.get(&by_query).await.is(404);
    foreign.post("/user/verify-email", json!({"verificationId": address_id})).await.is(404);
    foreign.post("/passwordless/send", json!({"code": code})).await.is(404);
    foreign.post("/passwordless/login", json!({"code": code})).await.is(404);
    let elsewhere = |call: Call| call.header("x-fusionauth-tenantid", &other.to_hyphenated());
    elsewhere(world.stranger().call("GET", &format!("/api{by_path}"))).await.is(404);
    elsewhere(service.open(&by_path, json!({"password": NEW}))).await.is(404);
    elsewhere(service.open(&by_id, json!({}))).await.is(404);

    service.get(&by_query).await.ok();
    service.open("/passwordless/login", json!({"code": code})).await.ok();
    service.open(&by_id, json!({})).await.ok();
    service.open(&by_path, json!({"password": NEW})).await.ok();
}
