//! `mailed_codes`: whether codes by e-mail are a second factor, in both dialects and on each database.

use crate::harness::service::FusionAuthUser;
use crate::harness::{Caller, PASSWORD, Process, World};
use countersign::config::settings::Lifetimes;
use countersign::config::values::Profile;
use countersign_domain::address::MethodKind;
use countersign_domain::ids::{AccountId, ApplicationId};
use countersign_domain::tenant::{Directory, LoginPolicy, MailedCodes, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::tempdir;

fn home(mailed_codes: MailedCodes, methods: &[MethodKind], login_policy: LoginPolicy) -> Directory {
    let tenant = Tenant { mailed_codes, login_policy, methods: methods.iter().copied().collect(), ..Tenant::default() };
    let application = Directory::default().application(ApplicationId::DEFAULT).cloned();
    Directory::new(vec![tenant], application.into_iter().collect()).expect("a tenant")
}

async fn world(database: DatabaseKind, mailed_codes: MailedCodes) -> World {
    let directory = home(mailed_codes, &MethodKind::ALL, LoginPolicy::Enabled);
    World::with(database, |settings| settings.directory = directory).await
}

/// Reopens the same database with another choice.
async fn with_choice(world: World, mailed_codes: MailedCodes, methods: &[MethodKind]) -> World {
    let directory = home(mailed_codes, methods, LoginPolicy::Enabled);
    world.restarted_with(|settings| settings.directory = directory).await
}

/// A browser after the password step, and what the second step may be.
async fn challenged(world: &World, email: &str) -> (Caller, Value) {
    let browser = world.browser();
    let body = json!({"email": email, "password": PASSWORD});
    let response = browser.post("/sign-in/email").json(body).await.ok();
    assert_eq!(response.body["twoFactorRedirect"], true, "{response}");
    (browser, response.body["twoFactorMethods"].clone())
}

/// The kinds of methods that a login of the FusionAuth dialect offers, and its challenge.
async fn log_in(world: &World, email: &str) -> (String, Vec<String>) {
    let body = json!({"loginId": email, "password": PASSWORD});
    let response = world.service().await.post("/login", body).await.is(242);
    let methods = response.body["methods"].as_array().cloned().unwrap_or_default();
    let kinds = methods.iter().map(|method| method["method"].as_str().expect("a kind").to_owned()).collect();
    (response.text("/twoFactorId"), kinds)
}

/// An id of the Better Auth dialect as the FusionAuth dialect spells it.
fn hyphenated(id: &str) -> String {
    AccountId::parse(id).expect("an id").to_hyphenated()
}

/// Enrols codes to this address through the FusionAuth dialect.
async fn enrol_mail(world: &World, id: &str, email: &str) {
    let user = FusionAuthUser { id: hyphenated(id), email: email.to_owned() };
    world.service().await.enrol_address(&user, "email", email).await;
}

#[on_each_database]
async fn never_keeps_mailed_codes_out_of_both_dialects_n7(database: DatabaseKind) {
    let world = world(database, MailedCodes::Never).await;
    let user = world.user("ada").await;
    user.browser.post("/two-factor/send-otp").await.refused(400, "OTP_NOT_CONFIGURED");
    let app = user.begin_enrolment().await;
    user.browser.post("/two-factor/send-otp").await.refused(400, "OTP_NOT_CONFIGURED");
    let verify = user.browser.post("/two-factor/verify-otp").json(json!({"code": "123456"}));
    verify.await.refused(400, "OTP_NOT_CONFIGURED");
    user.browser.post("/two-factor/verify-totp").json(json!({"code": app.code()})).await.ok();
    let (browser, methods) = challenged(&world, &user.email).await;
    assert_eq!(methods, json!(["totp"]));
    browser.post("/two-factor/send-otp").await.refused(400, "OTP_NOT_CONFIGURED");

    assert_eq!(log_in(&world, &user.email).await.1, ["authenticator"]);
    let service = world.service().await;
    let id = hyphenated(&user.id);
    let send = json!({"userId": id, "method": "email", "email": "other@example.com"});
    service.post("/two-factor/send", send).await.wrong("[disabled]method");
    let add = json!({"method": "email", "email": user.email, "code": "123456"});
    service.post(&format!("/user/two-factor/{id}"), add).await.wrong("[disabled]method");
    assert_eq!(world.outbox().messages().len(), 0, "nothing was sent");

    // Text messages are not mail.
    let user = FusionAuthUser { id, email: user.email.clone() };
    service.enrol_address(&user, "sms", "+15550100").await;
    assert_eq!(log_in(&world, &user.email).await.1, ["authenticator", "sms"]);
}

#[on_each_database]
async fn never_ends_mailed_codes_that_were_enrolled_before_n7(database: DatabaseKind) {
    let before = world(database, MailedCodes::Always).await;
    let user = before.user("ada").await;
    let app = user.enrol().await;
    let (browser, methods) = challenged(&before, &user.email).await;
    assert_eq!(methods, json!(["totp", "otp"]), "as clients of Better Auth expect");
    let (id, kinds) = log_in(&before, &user.email).await;
    assert_eq!(kinds, ["authenticator", "email"]);
    browser.post("/two-factor/send-otp").await.ok();
    let code = before.last_code_for(&user.email);
    let method = json!({"methodId": method_id(&before, &user.id).await});
    before.service().await.open(&format!("/two-factor/send/{id}"), method.clone()).await.ok();
    let other_code = before.last_code_for(&user.email);
    let sent = before.outbox().messages().len();

    // Codes that are on their way do not count either.
    let world = with_choice(before, MailedCodes::Never, &MethodKind::ALL).await;
    browser.post("/two-factor/verify-otp").json(json!({"code": code})).await.refused(400, "OTP_HAS_EXPIRED");
    let service = world.service().await;
    service.complete(&id, &other_code).await.is(421);
    browser.post("/two-factor/send-otp").await.refused(400, "OTP_NOT_CONFIGURED");
    service.open(&format!("/two-factor/send/{id}"), method).await.is(400);
    assert_eq!(world.outbox().messages().len(), sent, "nothing was sent");
    assert_eq!(challenged(&world, &user.email).await.1, json!(["totp"]));
    assert_eq!(log_in(&world, &user.email).await.1, ["authenticator"]);
    let begun = service.post("/two-factor/start", json!({"userId": hyphenated(&user.id)})).await.ok();
    assert_eq!(begun.body["methods"].as_array().map(Vec::len), Some(1), "{begun}");
    browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
}

/// The id of the e-mail method of a user.
async fn method_id(world: &World, id: &str) -> String {
    let user = FusionAuthUser { id: hyphenated(id), email: String::new() };
    world.service().await.method_id(&user, "email").await
}

#[on_each_database]
async fn never_offers_no_mail_where_enrolment_is_required_n7(database: DatabaseKind) {
    // Mail is no factor (A 6.3.6).
    let directory = home(MailedCodes::Never, &MethodKind::ALL, LoginPolicy::Required);
    let world = World::with(database, |settings| settings.directory = directory).await;
    let service = world.service().await;
    let user = service.user().await;
    let body = json!({"loginId": user.email, "password": PASSWORD});
    let response = service.post("/login", body).await.is(242);
    assert_eq!(response.body["configurableMethods"], json!(["authenticator", "sms"]));
}

#[on_each_database]
async fn verified_takes_no_mail_at_an_address_that_nobody_has_proved_n7(database: DatabaseKind) {
    let world = world(database, MailedCodes::Verified).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let (browser, methods) = challenged(&world, &user.email).await;
    assert_eq!(methods, json!(["totp"]), "enrolling an app did not bring mail along");
    browser.post("/two-factor/send-otp").await.refused(400, "OTP_NOT_CONFIGURED");
    assert_eq!(log_in(&world, &user.email).await.1, ["authenticator"]);
    assert_eq!(world.outbox().messages().len(), 0);

    // A code that was sent there proves an address, the user's own or another.
    enrol_mail(&world, &user.id, &user.email).await;
    assert_eq!(challenged(&world, &user.email).await.1, json!(["totp", "otp"]));
    enrol_mail(&world, &user.id, "other@example.com").await;
    let (id, kinds) = log_in(&world, &user.email).await;
    assert_eq!(kinds, ["authenticator", "email", "email"]);
    world.service().await.complete(&id, &app.fresh_code()).await.ok();
}

#[on_each_database]
async fn verified_takes_mail_that_a_service_vouches_for(database: DatabaseKind) {
    let world = world(database, MailedCodes::Verified).await;
    let user = world.user("ada").await;
    let change = json!({"user": {"fullName": "Ada"}, "skipVerification": true});
    let path = format!("/user/{}", hyphenated(&user.id));
    let changed = world.service().await.call("PATCH", &path).json(change).await.ok();
    assert_eq!(changed.body["user"]["verified"], true);
    user.enrol().await;
    let (browser, methods) = challenged(&world, &user.email).await;
    assert_eq!(methods, json!(["totp", "otp"]));
    browser.post("/two-factor/send-otp").await.ok();
    let code = json!({"code": world.last_code_for(&user.email)});
    browser.post("/two-factor/verify-otp").json(code).await.ok();
}

#[on_each_database]
async fn verified_enrols_mail_by_the_code_that_proves_it(database: DatabaseKind) {
    let world = world(database, MailedCodes::Verified).await;
    let user = world.user("ada").await;
    user.begin_enrolment().await;
    user.browser.post("/two-factor/send-otp").await.ok();
    let code = json!({"code": world.last_code_for(&user.email)});
    let enabled = user.browser.post("/two-factor/verify-otp").json(code).await.ok();
    assert_eq!(enabled.body["user"]["emailVerified"], true, "{enabled}");
    assert_eq!(challenged(&world, &user.email).await.1, json!(["otp"]));
    assert_eq!(log_in(&world, &user.email).await.1, ["email"]);
}

/// Nobody is shut out: backup codes always work, and a service can vouch for the address.
#[on_each_database]
async fn who_has_nothing_but_unproved_mail_signs_in_with_a_backup_code(database: DatabaseKind) {
    let before = world(database, MailedCodes::Always).await;
    let user = before.user("ada").await;
    let app = user.enrol().await;
    let world = with_choice(before, MailedCodes::Verified, &[MethodKind::Email]).await;
    let (browser, methods) = challenged(&world, &user.email).await;
    assert_eq!(methods, json!([]));
    browser.post("/two-factor/send-otp").await.refused(400, "OTP_NOT_CONFIGURED");
    let backup = json!({"code": app.backup_codes[0]});
    browser.post("/two-factor/verify-backup-code").json(backup).await.ok();
    let (id, kinds) = log_in(&world, &user.email).await;
    assert!(kinds.is_empty());
    let service = world.service().await;
    service.complete(&id, &app.backup_codes[1]).await.ok();

    let change = json!({"user": {"fullName": "Ada"}, "skipVerification": true});
    service.call("PATCH", &format!("/user/{}", hyphenated(&user.id))).json(change).await.ok();
    assert_eq!(challenged(&world, &user.email).await.1, json!(["otp"]));
}

#[on_each_database]
async fn a_mailed_code_proves_the_address_that_it_was_sent_to(database: DatabaseKind) {
    let world = world(database, MailedCodes::Always).await;
    let verified = async |email: &str| {
        let found = world.service().await.get(&format!("/user?email={email}")).await.ok();
        found.body["user"]["verified"].clone()
    };
    // In a challenge.
    let user = world.user("ada").await;
    user.enrol().await;
    assert_eq!(verified(&user.email).await, false);
    let (browser, _) = challenged(&world, &user.email).await;
    browser.post("/two-factor/send-otp").await.ok();
    let code = json!({"code": world.last_code_for(&user.email)});
    let passed = browser.post("/two-factor/verify-otp").json(code).await.ok();
    assert_eq!(passed.body["user"]["emailVerified"], true, "{passed}");
    assert_eq!(verified(&user.email).await, true);

    // By adding it as a method; another address proves nothing about the account's own.
    let service = world.service().await;
    let user = service.user().await;
    service.enrol_address(&user, "email", "another@example.com").await;
    assert_eq!(verified(&user.email).await, false);
    let (id, _) = log_in(&world, &user.email).await;
    let method = json!({"methodId": service.method_id(&user, "email").await});
    service.open(&format!("/two-factor/send/{id}"), method).await.ok();
    service.complete(&id, &world.last_code_for("another@example.com")).await.ok();
    assert_eq!(verified(&user.email).await, false);
    service.enrol_address(&user, "email", &user.email).await;
    assert_eq!(verified(&user.email).await, true);

    // A code that the service delivers may have gone anywhere.
    let user = service.user().await;
    let begun = service.post("/two-factor/start", json!({"userId": user.id})).await.ok();
    service.complete(&begun.text("/twoFactorId"), &begun.text("/code")).await.ok();
    assert_eq!(verified(&user.email).await, false);
}

/// The strict profile: a code of the step before is wrong, and a session ends after an hour without use.
#[on_each_database]
async fn the_strict_profile_is_strict_n12(database: DatabaseKind) {
    for (profile, earlier, later) in [(Profile::Default, 200, true), (Profile::Strict, 401, false)] {
        let world = World::with(database, |settings| {
            settings.profile = profile;
            settings.lifetimes = Lifetimes::of(&profile.policy());
        })
        .await;
        let user = world.user("ada").await;
        let app = user.enrol().await;
        let browser = user.challenged().await;
        world.clock().advance(Duration::from_secs(60));
        let code = json!({"code": app.code_in(-1)});
        assert_eq!(browser.post("/two-factor/verify-totp").json(code).await.status, earlier, "{profile:?}");
        let browser = user.signed_in_with(&app).await;
        world.clock().advance(Duration::from_secs(50 * 60));
        assert!(browser.get("/get-session").await.ok().body.is_object(), "{profile:?}: used within the hour");
        world.clock().advance(Duration::from_secs(50 * 60));
        assert!(browser.get("/get-session").await.ok().body.is_object(), "{profile:?}: use extends a session");
        world.clock().advance(Duration::from_secs(61 * 60));
        assert_eq!(browser.get("/get-session").await.ok().body.is_object(), later, "{profile:?}");
    }
}

/// The strict profile takes no codes by mail in either dialect, whatever is set besides.
#[on_each_database]
async fn the_strict_profile_takes_no_mailed_codes_n7(database: DatabaseKind) {
    for (profile, methods, status) in [("default", json!(["totp", "otp"]), 200), ("strict", json!(["totp"]), 400)] {
        let directory = tempdir().unwrap();
        let server = Process::start(database, directory.path(), &[("COUNTERSIGN_PROFILE", profile)]);
        let user = server.user("ada").await;
        user.enrol().await;
        let browser = server.browser();
        let challenged = user.sign_in_from(&browser).await.ok();
        assert_eq!(challenged.body["twoFactorMethods"], methods, "{profile}: {challenged}");
        assert_eq!(browser.post("/two-factor/send-otp").await.status, status, "{profile}");
        let service = server.service();
        let made = service.user().await;
        let send = json!({"userId": made.id, "method": "email", "email": made.email});
        let sent = service.post("/two-factor/send", send).await;
        match status {
            200 => drop(sent.ok()),
            _ => drop(sent.wrong("[disabled]method")),
        }
    }
}
