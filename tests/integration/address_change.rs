//! A service changes the address of a user: methods follow, and codes to the old address are dead.

use crate::harness::service::{FusionAuthUser, Service};
use crate::harness::{PASSWORD, World};
use countersign::config::Settings;
use countersign_domain::ids::{AccountId, ApplicationId};
use countersign_domain::tenant::{Directory, MailedCodes, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

const NEW: &str = "new@example.com";

fn hyphenated(id: &str) -> String {
    AccountId::parse(id).expect("an id").to_hyphenated()
}

async fn change(service: &Service, id: &str, fields: Value) {
    let body = json!({"user": fields});
    service.call("PATCH", &format!("/user/{id}")).json(body).await.ok();
}

/// The methods of a user: kind and address.
async fn methods(service: &Service, id: &str) -> Vec<(String, String)> {
    let user = service.get(&format!("/user/{id}")).await.ok();
    let methods = user.body["user"]["twoFactor"]["methods"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let address = |method: &Value| text(&method["email"]) + &text(&method["mobilePhone"]);
    methods.iter().map(|method| (text(&method["method"]), address(method))).collect()
}

fn pair(kind: &str, address: &str) -> (String, String) {
    (kind.to_owned(), address.to_owned())
}

#[on_each_database]
async fn mail_follows_the_account_in_a_challenge_of_a_session(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    user.enrol().await;
    let (browser, id) = (user.challenged().await, hyphenated(&user.id));
    browser.post("/two-factor/send-otp").await.ok();
    let old = world.last_code_for(&user.email);
    let sent = world.outbox().codes_for(&user.email).len();
    change(&service, &id, json!({"email": NEW})).await;

    let verify = |code: &str| browser.post("/two-factor/verify-otp").json(json!({"code": code}));
    verify(&old).await.refused(400, "OTP_HAS_EXPIRED");
    browser.post("/two-factor/send-otp").await.ok();
    assert_eq!(world.outbox().codes_for(&user.email).len(), sent, "no code goes to the old address");
    verify(&world.last_code_for(NEW)).await.ok();
    assert_eq!(methods(&service, &id).await, [pair("authenticator", ""), pair("email", NEW)]);
    let events = "SELECT count(*) AS number FROM audit_events WHERE kind = 'address-changed'";
    assert_eq!(world.database().number(events), 1);
}

#[on_each_database]
async fn mail_follows_the_account_in_a_login_of_the_other_dialect(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    service.enrol_address(&user, "email", &user.email).await;
    let (id, method) = (service.challenge(&user).await, service.method_id(&user, "email").await);
    let send = || service.open(&format!("/two-factor/send/{id}"), json!({"methodId": method}));
    send().await.ok();
    let old = world.last_code_for(&user.email);
    let sent = world.outbox().codes_for(&user.email).len();
    change(&service, &user.id, json!({"email": NEW})).await;

    service.complete(&id, &old).await.is(421);
    send().await.ok();
    assert_eq!(world.outbox().codes_for(&user.email).len(), sent, "no code goes to the old address");
    service.complete(&id, &world.last_code_for(NEW)).await.ok();
    assert_eq!(methods(&service, &user.id).await, [pair("email", NEW)]);
}

#[on_each_database]
async fn codes_for_sessions_and_for_new_methods_are_dead_as_well(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    // An enrolment that a code would confirm.
    let user = world.user("ada").await;
    user.begin_enrolment().await;
    user.browser.post("/two-factor/send-otp").await.ok();
    let old = json!({"code": world.last_code_for(&user.email)});
    let id = hyphenated(&user.id);
    change(&service, &id, json!({"email": NEW})).await;
    user.browser.post("/two-factor/verify-otp").json(old).await.refused(400, "OTP_HAS_EXPIRED");
    user.browser.post("/two-factor/send-otp").await.ok();
    let code = json!({"code": world.last_code_for(NEW)});
    user.browser.post("/two-factor/verify-otp").json(code).await.ok();
    assert_eq!(methods(&service, &id).await, [pair("email", NEW)]);

    // A session that would step up.
    user.browser.post("/two-factor/send-otp").await.ok();
    let old = json!({"code": world.last_code_for(NEW)});
    change(&service, &id, json!({"email": "newer@example.com"})).await;
    user.browser.post("/two-factor/verify-otp").json(old).await.refused(400, "OTP_HAS_EXPIRED");

    // A method for the old address that is about to be added.
    let user = service.user().await;
    let send = json!({"userId": user.id, "method": "email", "email": user.email});
    service.post("/two-factor/send", send).await.ok();
    let add = json!({"method": "email", "email": user.email, "code": world.last_code_for(&user.email)});
    change(&service, &user.id, json!({"email": "newest@example.com"})).await;
    service.post(&format!("/user/two-factor/{}", user.id), add).await.is(421);
}

#[on_each_database]
async fn an_address_that_is_a_method_already_stays_the_only_one(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    service.enrol_address(&user, "email", &user.email).await;
    // Methods are listed by age.
    world.clock().advance(Duration::from_secs(1));
    service.enrol_address(&user, "email", NEW).await;
    let id = service.challenge(&user).await;
    let old = service.method_id(&user, "email").await;
    service.open(&format!("/two-factor/send/{id}"), json!({"methodId": old})).await.ok();
    let code = world.last_code_for(&user.email);
    let body = json!({"user": {"email": NEW}});
    let changed = service.call("PATCH", &format!("/user/{}", user.id)).json(body).await.ok();
    let shown = changed.body["user"]["twoFactor"]["methods"].as_array().cloned().unwrap_or_default();
    assert_eq!(shown.len(), 1, "the response shows what is stored: {changed}");
    assert_eq!(methods(&service, &user.id).await, [pair("email", NEW)]);
    service.complete(&id, &code).await.is(421);
    service.open(&format!("/two-factor/send/{id}"), json!({"methodId": old})).await.is(400);
    let new = service.method_id(&user, "email").await;
    service.open(&format!("/two-factor/send/{id}"), json!({"methodId": new})).await.ok();
    service.complete(&id, &world.last_code_for(NEW)).await.ok();
}

#[on_each_database]
async fn text_messages_follow_the_numbers_of_the_account(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    for field in ["phoneNumber", "mobilePhone"] {
        let number = |text: &str| format!("+1555{}{text}", if field == "phoneNumber" { 1 } else { 2 });
        let (old, new, other) = (number("0101"), number("0102"), number("0103"));
        let user = service.user_with(json!({field: old})).await;
        service.enrol_address(&user, "sms", &old).await;
        world.clock().advance(Duration::from_secs(1));
        service.enrol_address(&user, "sms", &other).await;
        let body = json!({"loginId": user.email, "password": PASSWORD});
        let id = service.post("/login", body).await.is(242).text("/twoFactorId");
        let method = json!({"methodId": service.method_id(&user, "sms").await});
        service.open(&format!("/two-factor/send/{id}"), method.clone()).await.ok();
        let code = world.last_code_for(&old);
        change(&service, &user.id, json!({field: new})).await;
        assert_eq!(methods(&service, &user.id).await, [pair("sms", &new), pair("sms", &other)], "{field}");
        service.complete(&id, &code).await.is(421);
        service.open(&format!("/two-factor/send/{id}"), method).await.ok();
        service.complete(&id, &world.last_code_for(&new)).await.ok();
        // A number that is only removed was set up as a method, and is removed as one.
        change(&service, &user.id, json!({field: null})).await;
        assert_eq!(methods(&service, &user.id).await.len(), 2, "{field}");
    }
}

#[on_each_database]
async fn a_new_address_counts_once_it_is_proved(database: DatabaseKind) {
    let world = World::with(database, verified_only).await;
    let service = world.service().await;
    let offered = async |email: &str| {
        let body = json!({"loginId": email, "password": PASSWORD});
        let response = service.post("/login", body).await.is(242);
        response.body["methods"].as_array().map_or(0, Vec::len)
    };
    let user = service.user().await;
    service.enrol_address(&user, "email", &user.email).await;
    service.enrol_address(&user, "sms", "+15550188").await;
    assert_eq!(offered(&user.email).await, 2);
    change(&service, &user.id, json!({"email": NEW})).await;
    assert_eq!(offered(NEW).await, 1, "nobody has proved it");
    let moved = FusionAuthUser { id: user.id.clone(), email: NEW.to_owned() };
    service.enrol_address(&moved, "email", NEW).await;
    assert_eq!(offered(NEW).await, 2);

    // Or a service vouches for it.
    let body = json!({"user": {"email": "newer@example.com"}, "skipVerification": true});
    service.call("PATCH", &format!("/user/{}", user.id)).json(body).await.ok();
    assert_eq!(offered("newer@example.com").await, 2);
}

/// Settings in which mail counts at proved addresses only.
fn verified_only(settings: &mut Settings) {
    let tenant = Tenant { mailed_codes: MailedCodes::Verified, ..Tenant::default() };
    let application = Directory::default().application(ApplicationId::DEFAULT).cloned();
    settings.directory = Directory::new(vec![tenant], application.into_iter().collect()).expect("a tenant");
}

#[on_each_database]
async fn a_change_that_would_leave_no_usable_method_is_refused(database: DatabaseKind) {
    let world = World::with(database, verified_only).await;
    let service = world.service().await;
    let call = |method: &str, id: &str, body: Value| service.call(method, &format!("/user/{id}")).json(body);
    let user = service.user().await;
    service.enrol_address(&user, "email", &user.email).await;
    let moved = json!({"user": {"email": NEW}});
    for method in ["PATCH", "PUT"] {
        let refused = call(method, &user.id, moved.clone()).await.wrong("[lastMethod]user.email");
        assert!(refused.body.to_string().contains("skipVerification"), "it says what to do: {refused}");
    }
    // Nothing has changed: mail still signs in, and another field can be changed.
    assert_eq!(methods(&service, &user.id).await, [pair("email", &user.email)]);
    let id = service.challenge(&user).await;
    let method = json!({"methodId": service.method_id(&user, "email").await});
    service.open(&format!("/two-factor/send/{id}"), method).await.ok();
    service.complete(&id, &world.last_code_for(&user.email)).await.ok();
    change(&service, &user.id, json!({"firstName": "Ada"})).await;
    // The service vouches for the address.
    let vouched = json!({"user": {"email": NEW}, "skipVerification": true});
    call("PATCH", &user.id, vouched).await.ok();
    let moved = FusionAuthUser { id: user.id.clone(), email: NEW.to_owned() };
    assert_eq!(methods(&service, &user.id).await, [pair("email", NEW)]);
    let id = service.challenge(&moved).await;
    let method = json!({"methodId": service.method_id(&moved, "email").await});
    service.open(&format!("/two-factor/send/{id}"), method).await.ok();
    service.complete(&id, &world.last_code_for(NEW)).await.ok();

    // Or the user has another method before.
    let other = service.user().await;
    service.enrol_address(&other, "email", &other.email).await;
    let app = service.enrol(&other).await;
    change(&service, &other.id, json!({"email": "other-new@example.com"})).await;
    let moved = FusionAuthUser { id: other.id.clone(), email: "other-new@example.com".to_owned() };
    service.complete(&service.challenge(&moved).await, &app.fresh_code()).await.ok();

    // A user of Better Auth's dialect: the app, and mail that came along with it.
    let ada = world.user("ada").await;
    let app = ada.enrol().await;
    change(&service, &hyphenated(&ada.id), json!({"email": "ada-new@example.com"})).await;
    let browser = world.browser();
    let body = json!({"email": "ada-new@example.com", "password": PASSWORD});
    browser.post("/sign-in/email").json(body).await.ok();
    browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
}

/// The same by removing a method: what is left would not count, so the second factor is off.
#[on_each_database]
async fn with_the_last_method_that_counts_the_second_factor_is_off(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    world.clock().advance(Duration::from_secs(1));
    service.enrol_address(&user, "email", &user.email).await;
    let world = world
        .restarted_with(|settings| {
            let tenant = Tenant { mailed_codes: MailedCodes::Never, ..Tenant::default() };
            let application = Directory::default().application(ApplicationId::DEFAULT).cloned();
            settings.directory = Directory::new(vec![tenant], application.into_iter().collect()).expect("a tenant");
        })
        .await;
    let service = world.service().await;
    let id = service.method_id(&user, "authenticator").await;
    let path = format!("/user/two-factor/{}?methodId={id}&code={}", user.id, app.fresh_code());
    service.call("DELETE", &path).await.ok();
    assert_eq!(methods(&service, &user.id).await, []);
    service.log_in(&user).await.ok();
}

/// Where the tenant takes mail at every address, or at none, the change takes nothing away.
#[on_each_database]
async fn addresses_change_freely_where_proof_does_not_matter(database: DatabaseKind) {
    for mailed_codes in [MailedCodes::Always, MailedCodes::Never] {
        let world = World::start(database).await;
        let service = world.service().await;
        let user = service.user().await;
        service.enrol_address(&user, "email", &user.email).await;
        let world = world
            .restarted_with(|settings| {
                let tenant = Tenant { mailed_codes, ..Tenant::default() };
                let application = Directory::default().application(ApplicationId::DEFAULT).cloned();
                settings.directory = Directory::new(vec![tenant], application.into_iter().collect()).expect("a tenant");
            })
            .await;
        let service = world.service().await;
        change(&service, &user.id, json!({"email": NEW})).await;
        assert_eq!(methods(&service, &user.id).await, [pair("email", NEW)], "{mailed_codes:?}");
    }
}
