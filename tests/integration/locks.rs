//! What a locked account can and cannot do, and what never counts towards a lock.

use crate::harness::service::TotpApp;
use crate::harness::{Caller, FusionAuthUser, PASSWORD, Response, Service, World, cheap_passwords, other_than};
use crate::limits::{challenge_by_service, id_of, verify_totp, wrong_codes, wrong_codes_by_service};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

const LOCKED: &str = "ACCOUNT_TEMPORARILY_LOCKED";

/// The tenth code is judged, and says so in each dialect's words; what comes after it is not judged.
#[on_each_database]
async fn the_tenth_wrong_code_is_wrong_and_the_next_one_finds_the_lock_in_both_dialects_11(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let ada = world.user("ada").await;
    let app = ada.enrol().await;
    wrong_codes(&ada, &app, 9).await;
    let challenged = ada.challenged().await;
    verify_totp(&challenged, &app.wrong_code()).await.refused(401, "INVALID_CODE");
    let refused = verify_totp(&challenged, &app.fresh_code()).await.refused(429, LOCKED);
    assert!((800..=900).contains(&refused.retry_after()), "{refused}");

    let bob = world.user("bob").await;
    let app = bob.enrol().await;
    wrong_codes_by_service(&service, &bob.email, &app, 9).await;
    let challenge = challenge_by_service(&service, &bob.email).await;
    service.complete(&challenge, &app.wrong_code()).await.is(421);
    let refused = service.complete(&challenge, &app.fresh_code()).await.is(409);
    assert!((800..=900).contains(&refused.retry_after()), "{refused}");
    let expiry = refused.body["actions"][0]["expiry"].as_i64().unwrap();
    assert!(expiry > world.clock_millis() && expiry <= world.clock_millis() + 900_000, "{refused}");
    // Crosswise: nine in one dialect, the tenth in the other.
    let eve = world.user("eve").await;
    let app = eve.enrol().await;
    wrong_codes_by_service(&service, &eve.email, &app, 9).await;
    let challenged = eve.challenged().await;
    verify_totp(&challenged, &app.wrong_code()).await.refused(401, "INVALID_CODE");
    let challenge = challenge_by_service(&service, &eve.email).await;
    service.complete(&challenge, &app.fresh_code()).await.is(409);
}

async fn manage(caller: &Caller, path: &str, password: &str) -> Response {
    caller.post(&format!("/two-factor/{path}")).json(json!({"password": password})).await
}

const MANAGEMENT: [&str; 4] = ["enable", "get-totp-uri", "generate-backup-codes", "disable"];

#[on_each_database]
async fn a_locked_account_is_sent_nothing_and_changes_no_factors_in_a_session(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let mut user = world.user("ada").await;
    let app = user.enrol().await;
    let trusted = user.trusted_with(&app).await;
    let by_password = world.browser();
    let challenged = user.challenged().await;
    wrong_codes(&user, &app, 10).await;
    let sent = world.outbox().codes_for(&user.email).len();
    // The session that enrolled the app has passed a second factor a minute ago.
    for caller in [&challenged, &user.browser, &trusted, &user.challenged().await] {
        let refused = caller.post("/two-factor/send-otp").await.refused(429, LOCKED);
        assert!((1..=900).contains(&refused.retry_after()), "{refused}");
    }
    assert_eq!(world.outbox().codes_for(&user.email).len(), sent, "nothing was sent");
    for path in MANAGEMENT {
        // The password is not looked at.
        for password in [PASSWORD, "wrong"] {
            manage(&user.browser, path, password).await.refused(429, LOCKED);
        }
    }
    for method in ["totp", "otp"] {
        let body = json!({"password": PASSWORD, "method": method});
        user.browser.post("/two-factor/enable").json(body).await.refused(429, LOCKED);
    }
    assert_eq!(world.database().number("SELECT count(*) AS number FROM methods WHERE confirmed_at IS NULL"), 0);
    // A session without a second factor learns what it learnt before.
    let device = trusted.copy();
    device.post("/sign-out").await.ok();
    user.sign_in_from(&device).await.ok();
    manage(&device, "disable", PASSWORD).await.refused(403, "SECOND_FACTOR_REQUIRED");
    // The password step, the session itself, and what ends access go on.
    user.sign_in_from(&by_password).await.ok();
    assert!(user.browser.get("/get-session").await.ok().body.is_object());
    manage(&user.browser, "revoke-trusted-devices", PASSWORD).await.ok();
    user.browser.post("/revoke-other-sessions").await.ok();
    // The owner's way out is a new password.
    let new = "a longer horse, a better battery";
    let change = json!({"currentPassword": PASSWORD, "newPassword": new});
    user.browser.post("/change-password").json(change).await.ok();
    user.password = new.to_owned();
    user.browser.post("/two-factor/send-otp").await.ok();
    manage(&user.browser, "generate-backup-codes", new).await.ok();
    // And a lock that ends by itself.
    wrong_codes(&user, &app, 10).await;
    manage(&user.browser, "get-totp-uri", new).await.refused(429, LOCKED);
    world.clock.advance(Duration::from_secs(15 * 60));
    manage(&user.browser, "get-totp-uri", new).await.ok();
}

/// The long-term limit is a lock like the other.
#[on_each_database]
async fn who_is_over_the_long_term_limit_is_locked_for_sending_and_managing(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    for _ in 0..11 {
        wrong_codes(&user, &app, 9).await;
        user.signed_in_with(&app).await;
    }
    wrong_codes(&user, &app, 1).await;
    user.challenged().await.post("/two-factor/send-otp").await.refused(429, LOCKED);
    manage(&user.browser, "generate-backup-codes", PASSWORD).await.refused(429, LOCKED);
    world.clock.advance(Duration::from_secs(30 * 24 * 60 * 60 / 100));
    user.challenged().await.post("/two-factor/send-otp").await.ok();
}

#[on_each_database]
async fn a_locked_user_is_sent_nothing_and_changes_no_methods_by_token_and_a_service_does(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    service.enrol_address(&user, "email", &user.email).await;
    let (email, authenticator) =
        (service.method_id(&user, "email").await, service.method_id(&user, "authenticator").await);
    let open = service.challenge(&user).await;
    let passed = service.complete(&service.challenge(&user).await, &app.fresh_code()).await.ok();
    let own =
        |method: &str, path: &str, body: Value| service.with_token(&passed.text("/token"), method, path).json(body);
    own("POST", "/two-factor/send", json!({"method": "sms", "mobilePhone": "+15550166"})).await.ok();
    let code = world.last_code_for("+15550166");
    for _ in 0..2 {
        let challenge = service.challenge(&user).await;
        for _ in 0..5 {
            service.complete(&challenge, &app.wrong_code()).await.is(421);
        }
    }
    let sent = || world.outbox().messages().len();
    let before = sent();
    let sms = json!({"method": "sms", "mobilePhone": "+15550166", "code": code});
    for refused in [
        service.open(&format!("/two-factor/send/{open}"), json!({"methodId": email})).await,
        own("POST", "/two-factor/send", json!({"methodId": email})).await,
        own("POST", "/two-factor/send", json!({"method": "sms", "mobilePhone": "+15550167"})).await,
        own("POST", "/user/two-factor", sms.clone()).await,
        own("DELETE", "/user/two-factor", json!({"code": app.fresh_code(), "methodId": authenticator})).await,
        service.post("/two-factor/send", json!({"userId": user.id, "methodId": email})).await,
    ] {
        let refused = refused.is(409);
        assert_eq!(refused.body["actions"][0]["name"], "Locked");
        assert!((1..=900).contains(&refused.retry_after()), "{refused}");
    }
    assert_eq!(sent(), before, "nothing was sent");
    // Unknown challenges look as before.
    let unknown = format!("{}{}", &open[..open.len() - 1], if open.ends_with('A') { "B" } else { "A" });
    service.open(&format!("/two-factor/send/{unknown}"), json!({"methodId": email})).await.is(404);
    // A service may lift the lock, so it is not stopped: a new method, new recovery codes.
    let named = FusionAuthUser { id: user.id.clone(), email: user.email.clone() };
    service.enrol_address(&named, "sms", "+15550168").await;
    service.post(&format!("/user/two-factor/recovery-code/{}", user.id), json!({})).await.ok();
    service.call("DELETE", &format!("/user/lock/{}", user.id)).await.ok();
    own("POST", "/two-factor/send", json!({"method": "sms", "mobilePhone": "+15550166"})).await.ok();
    let sms = json!({"method": "sms", "mobilePhone": "+15550166", "code": world.last_code_for("+15550166")});
    own("POST", "/user/two-factor", sms).await.ok();
    let challenge = service.challenge(&user).await;
    service.open(&format!("/two-factor/send/{challenge}"), json!({"methodId": email})).await.ok();
    service.complete(&challenge, &world.last_code_for(&user.email)).await.ok();
}

/// Takes tables away while something is done that needs them.
async fn without_tables(world: &World, tables: &[&str], work: impl AsyncFnOnce()) {
    for table in tables {
        world.database().execute(&format!("ALTER TABLE {table} RENAME TO {table}_away"));
    }
    work().await;
    for table in tables {
        world.database().execute(&format!("ALTER TABLE {table}_away RENAME TO {table}"));
    }
}

fn costs(world: &World) -> [i64; 5] {
    [
        "sum(failed_attempts) AS number FROM accounts",
        "count(*) AS number FROM accounts WHERE locked_until IS NOT NULL",
        "coalesce(sum(tries) + sum(failures), 0) AS number FROM challenges",
        "coalesce(sum(tries) + sum(failures), 0) AS number FROM mailed_codes",
        "count(*) AS number FROM methods WHERE last_used_at IS NOT NULL AND kind = 'email'",
    ]
    .map(|query| world.database().number(&format!("SELECT {query}")))
}

async fn guesses(service: &Service, email: &str) -> Value {
    service.get(&format!("/user/lock/{}", id_of(service, email).await)).await.ok().body["guesses"].clone()
}

/// A right code that the server fails to make count costs nothing, and is good afterwards.
#[on_each_database]
async fn a_failure_after_the_judgement_costs_nothing_n4(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let browser = user.challenged().await;
    let challenge = challenge_by_service(&service, &user.email).await;
    let mailed = user.challenged().await;
    mailed.post("/two-factor/send-otp").await.ok();
    let sent = world.last_code_for(&user.email);
    let code = app.fresh_code();
    let failed = |response: Response| assert!(response.status >= 500, "{response}");
    without_tables(&world, &["sessions", "tickets"], async || {
        for _ in 0..12 {
            failed(verify_totp(&browser, &code).await);
            failed(service.complete(&challenge, &code).await);
            failed(mailed.post("/two-factor/verify-otp").json(json!({"code": sent})).await);
        }
    })
    .await;
    assert_eq!(costs(&world), [0; 5]);
    assert_eq!(guesses(&service, &user.email).await, json!(0));
    for _ in 0..4 {
        verify_totp(&browser, &app.wrong_code()).await.refused(401, "INVALID_CODE");
        service.complete(&challenge, &app.wrong_code()).await.is(421);
    }
    verify_totp(&browser, &code).await.ok();
    mailed.post("/two-factor/verify-otp").json(json!({"code": sent})).await.ok();
    service.complete(&challenge, &app.fresh_code()).await.ok();

    // In a session, and where a code removes a method.
    let by_service = service.user().await;
    let app = service.enrol(&by_service).await;
    service.enrol_address(&by_service, "sms", "+15550144").await;
    let id = service.method_id(&by_service, "authenticator").await;
    let remove = |app: &TotpApp| {
        let path = format!("/user/two-factor/{}?code={}&methodId={id}", by_service.id, app.code());
        service.call("DELETE", &path)
    };
    app.fresh_code();
    without_tables(&world, &["trusted_devices"], async || {
        for _ in 0..12 {
            failed(remove(&app).await);
        }
    })
    .await;
    assert_eq!(costs(&world)[..2], [0; 2]);
    assert_eq!(guesses(&service, &by_service.email).await, json!(0));
    remove(&app).await.ok();
}

/// The same for a password.
#[on_each_database]
async fn a_failure_after_a_right_password_costs_nothing_n4(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let by_service = service.user().await;
    without_tables(&world, &["sessions", "refresh_tokens"], async || {
        for _ in 0..12 {
            let failed = user.sign_in_from(&world.browser()).await;
            assert!(failed.status >= 500, "{failed}");
            let failed = service.log_in(&by_service).await;
            assert!(failed.status >= 500, "{failed}");
        }
    })
    .await;
    let now = countersign_domain::time::Clock::now(&*world.clock).as_millis();
    let counts = format!("SELECT count(*) AS number FROM budgets WHERE counts IS NOT NULL AND expires_at > {now}");
    assert_eq!(world.database().number(&counts), 0);
    user.signed_in().await;
    service.log_in(&by_service).await.ok();
}

/// The caller names another tenant than the challenge's: for it there is no such challenge, and nobody pays for it.
#[on_each_database]
async fn a_right_code_for_another_tenants_challenge_costs_nothing(database: DatabaseKind) {
    use countersign_domain::ids::TenantId;
    use countersign_domain::tenant::{Application, Directory, Tenant};
    let other = TenantId::parse("c0de0000-0000-4000-8000-00000000000b").unwrap();
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        let two = Tenant { id: other, name: "Other".to_owned(), ..Tenant::default() };
        settings.directory = Directory::new(vec![Tenant::default(), two], vec![Application::default()]).unwrap();
    })
    .await;
    let service = world.service_that(Some(TenantId::DEFAULT), None).await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    let challenge = service.challenge(&user).await;
    let code = app.fresh_code();
    for _ in 0..6 {
        let call = service.complete(&challenge, &code).header("x-fusionauth-tenantid", &other.to_hyphenated());
        call.await.is(404);
    }
    assert_eq!(costs(&world)[..3], [0; 3]);
    service.complete(&challenge, &code).await.ok();
}

#[on_each_database]
async fn codes_that_were_sent_are_shown_to_an_administrator_and_lifted(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        settings.limits.codes_per_hour = 4;
    })
    .await;
    let service = world.service().await;
    let user = service.user().await;
    service.enrol_address(&user, "email", &user.email).await;
    let method = json!({"methodId": service.method_id(&user, "email").await});
    let challenge = service.challenge(&user).await;
    let send = || service.open(&format!("/two-factor/send/{challenge}"), method.clone());
    for _ in 0..4 {
        send().await.ok();
    }
    send().await.is(429);
    let path = format!("/user/lock/{}", user.id);
    let limits = service.get(&path).await.ok().body["limits"].clone();
    let until = world.clock_millis() + 60 * 60 * 1000;
    let full = |counts: &str| json!({"counts": counts, "used": 4, "limit": 4, "refusedUntil": until});
    let enrolled = json!({"counts": "unproved-sent-codes", "used": 1, "limit": 4});
    assert_eq!(limits, json!([full("sent-codes"), full("sent-codes-to-address"), enrolled]));
    service.call("DELETE", &path).await.ok();
    assert_eq!(service.get(&path).await.ok().body["limits"], json!([]));
    send().await.ok();
}

/// `fetch` sends a request again whose response was 421 (Fetch standard, "HTTP-network-or-cache fetch").
#[on_each_database]
async fn a_wrong_code_that_is_sent_again_counts_once_in_both_dialects(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let ada = world.user("ada").await;
    let app = ada.enrol().await;
    let counted =
        async |id: &str| service.get(&format!("/user/lock/{id}")).await.ok().body["guesses"].as_i64().unwrap();
    let ada_id = id_of(&service, &ada.email).await;
    let (code, challenged) = (app.wrong_code(), ada.challenged().await);
    for _ in 0..12 {
        verify_totp(&challenged, &code).await.refused(401, "INVALID_CODE");
    }
    assert_eq!(counted(&ada_id).await, 1);
    // Where else it may be right, and when, it is another guess.
    for _ in 0..12 {
        verify_totp(&ada.browser, &code).await.refused(401, "INVALID_CODE");
    }
    assert_eq!(counted(&ada_id).await, 2);
    world.clock.advance(Duration::from_secs(30));
    for _ in 0..12 {
        verify_totp(&ada.browser, &code).await.refused(401, "INVALID_CODE");
    }
    verify_totp(&ada.browser, &app.wrong_code()).await.refused(401, "INVALID_CODE");
    assert_eq!(counted(&ada_id).await, 4);
    verify_totp(&challenged, &app.fresh_code()).await.ok();

    let bob = service.user().await;
    let app = service.enrol(&bob).await;
    let method = service.method_id(&bob, "authenticator").await;
    let (code, challenge) = (app.wrong_code(), service.challenge(&bob).await);
    for _ in 0..12 {
        service.complete(&challenge, &code).await.is(421);
    }
    assert_eq!(counted(&bob.id).await, 1);
    for _ in 0..12 {
        let remove = format!("/user/two-factor/{}?code={code}&methodId={method}", bob.id);
        service.call("DELETE", &remove).await.is(421);
    }
    assert_eq!(counted(&bob.id).await, 2);
    service.complete(&challenge, &app.fresh_code()).await.ok();
    // A code that was sent to an address bears five wrong ones.
    let address = "+15550177";
    service.post("/two-factor/send", json!({"userId": bob.id, "method": "sms", "mobilePhone": address})).await.ok();
    let right = world.last_code_for(address);
    let enable = |code: &str| {
        let body = json!({"method": "sms", "mobilePhone": address, "code": code});
        service.post(&format!("/user/two-factor/{}", bob.id), body)
    };
    let wrong = other_than(&[&right]);
    for _ in 0..12 {
        enable(&wrong).await.is(421);
    }
    enable(&right).await.ok();
    world.close().await;
}
