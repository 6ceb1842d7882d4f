//! Which e-mail addresses are taken, wherever one is given.

use crate::harness::service::APPLICATION;
use crate::harness::{PASSWORD, World, cheap_passwords};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

/// Under an internationalized top-level domain.
const INTERNATIONALIZED: &str = "user@xn--80a1acny.xn--p1ai";

#[on_each_database]
async fn an_internationalized_address_is_taken_and_mailed_to_in_better_auths_dialect(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let browser = world.browser();
    let body = json!({"name": "A", "email": "User@XN--80A1ACNY.xn--p1ai", "password": PASSWORD});
    let made = browser.post("/sign-up/email").json(body).await.ok();
    assert_eq!(made.text("/user/email"), INTERNATIONALIZED);
    browser.post("/two-factor/send-otp").json(json!({})).await.ok();
    assert_eq!(world.last_code_for(INTERNATIONALIZED).len(), 6);
    for spelling in [INTERNATIONALIZED, "USER@xn--80A1ACNY.XN--P1AI"] {
        let body = json!({"email": spelling, "password": PASSWORD});
        world.browser().post("/sign-in/email").json(body).await.ok();
    }
    // The form in Unicode is no address, and neither is a label that stands for nothing.
    for email in
        ["user@\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}.\u{440}\u{444}", "user@example.xn--a", "o!neil@example.com"]
    {
        let body = json!({"name": "A", "email": email, "password": PASSWORD});
        world.browser().post("/sign-up/email").json(body).await.refused(400, "VALIDATION_ERROR");
    }
    let body = json!({"email": "user@example.xn--a", "password": PASSWORD});
    world.browser().post("/sign-in/email").json(body).await.refused(400, "INVALID_EMAIL");
}

#[on_each_database]
async fn internationalized_addresses_and_dot_strings_are_taken_in_fusionauths_dialect(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    for (number, email) in [INTERNATIONALIZED, "o!neil#$%&'*/=?^`{|}~@example.com"].into_iter().enumerate() {
        let user = service.user_with(json!({"email": email})).await;
        let log_in = |name: &str| {
            service.post("/login", json!({"loginId": name, "password": PASSWORD, "applicationId": APPLICATION}))
        };
        log_in(email).await.is(202);
        let query: String = email.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(service.get(&format!("/user?email={query}")).await.ok().text("/user/id"), user.id);
        // As a method, and as the address of an account that had another one.
        let holder = service.user().await;
        service.enrol_address(&holder, "email", email).await;
        let challenge = service.challenge(&holder).await;
        let method = service.method_id(&holder, "email").await;
        service.open(&format!("/two-factor/send/{challenge}"), json!({"methodId": method})).await.ok();
        service.complete(&challenge, &world.last_code_for(email)).await.ok();
        let other = service.user().await;
        let next = format!("{number}{email}");
        let patch = json!({"user": {"email": next}});
        let patched = service.call("PATCH", &format!("/user/{}", other.id)).json(patch).await.ok();
        assert_eq!(patched.text("/user/email"), next);
        // The home tenant's users sign in through the other dialect, too.
        let body = json!({"email": next, "password": PASSWORD});
        world.browser().post("/sign-in/email").json(body).await.ok();
    }
    for email in ["user@\u{440}\u{444}.\u{440}\u{444}", "user@example.xn--a", "\"a b\"@example.com", "a..b@example.com"]
    {
        let body = json!({"user": {"email": email, "password": PASSWORD}});
        service.post("/user", body).await.wrong("[notEmail]user.email");
        let user = service.user().await;
        let body = json!({"userId": user.id, "method": "email", "email": email});
        service.post("/two-factor/send", body).await.wrong("[notEmail]email");
    }
}
