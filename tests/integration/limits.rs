//! Limits of an account on guesses at second factors and passwords, on codes that are sent, and how they are lifted.

use crate::harness::{
    App, Caller, FusionAuthUser, PASSWORD, Response, Service, User, World, cheap_passwords, other_than,
};
use crate::password_limits::{from_everywhere, log_in, seen, sign_in};
use countersign_domain::policy::Policy;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// In which one guess at a second factor decays.
const GUESS: u64 = 30 * 24 * 60 * 60 / 100;

pub(crate) async fn verify_totp(caller: &Caller, code: &str) -> Response {
    caller.post("/two-factor/verify-totp").json(json!({"code": code})).await
}

/// So many wrong codes in Better Auth's dialect, over as many challenges as it takes.
pub(crate) async fn wrong_codes(user: &User, app: &App, count: usize) {
    for number in 0..count.div_ceil(5) {
        let challenged = user.challenged().await;
        for _ in (number * 5)..count.min(number * 5 + 5) {
            verify_totp(&challenged, &app.wrong_code()).await.refused(401, "INVALID_CODE");
        }
    }
}

/// The same in FusionAuth's.
pub(crate) async fn wrong_codes_by_service(service: &Service, email: &str, app: &App, count: usize) {
    for number in 0..count.div_ceil(5) {
        let id = challenge_by_service(service, email).await;
        for _ in (number * 5)..count.min(number * 5 + 5) {
            service.complete(&id, &app.wrong_code()).await.is(421);
        }
    }
}

pub(crate) async fn challenge_by_service(service: &Service, email: &str) -> String {
    service.post("/login", json!({"loginId": email, "password": PASSWORD})).await.is(242).text("/twoFactorId")
}

pub(crate) async fn id_of(service: &Service, email: &str) -> String {
    service.get(&format!("/user?email={email}")).await.ok().text("/user/id")
}

fn judged_and_wrong(world: &World) -> i64 {
    world.database().number("SELECT count(*) AS number FROM audit_events WHERE kind = 'second-factor-rejected'")
}

#[on_each_database]
async fn wrong_codes_between_sign_ins_are_counted_in_the_long_run_through_both_10_11(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    // Nine wrong codes never lock, and the holder's sign-in clears them; but not for ever.
    for round in 0..11 {
        match round % 2 {
            0 => wrong_codes(&user, &app, 9).await,
            _ => wrong_codes_by_service(&service, &user.email, &app, 9).await,
        }
        user.signed_in_with(&app).await;
    }
    let locks = || world.database().number("SELECT count(*) AS number FROM audit_events WHERE kind = 'account-locked'");
    assert_eq!(locks(), 0);
    wrong_codes(&user, &app, 1).await;
    assert_eq!((judged_and_wrong(&world), locks()), (100, 1));
    let locked = verify_totp(&user.challenged().await, &app.fresh_code()).await;
    let waits = locked.refused(429, "ACCOUNT_TEMPORARILY_LOCKED").retry_after();
    assert!(waits <= GUESS && waits > GUESS - 20 * 60, "{waits}");
    let id = challenge_by_service(&service, &user.email).await;
    assert!(service.complete(&id, &app.fresh_code()).await.is(409).retry_after() <= GUESS);
    verify_totp(&user.browser, &app.fresh_code()).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    assert_eq!((judged_and_wrong(&world), locks()), (100, 1));
    // One guess decays at a time, and the holder's right codes take none.
    world.clock.advance(Duration::from_secs(GUESS));
    user.signed_in_with(&app).await;
    user.signed_in_with(&app).await;
    wrong_codes(&user, &app, 1).await;
    verify_totp(&user.challenged().await, &app.fresh_code()).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
}

#[on_each_database]
async fn a_guess_counts_once_for_each_app_and_apps_are_few_n4(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let id = id_of(&service, &user.email).await;
    let through_service = FusionAuthUser { id: id.clone(), email: user.email.clone() };
    let mut apps = Vec::new();
    for _ in 0..5 {
        apps.push(service.enrol(&through_service).await);
    }
    let secret = service.get("/two-factor/secret").await.ok().text("/secret");
    let code = countersign_domain::totp::TotpSecret::from_bytes(secret.as_bytes()).unwrap();
    let code = code.code_at(countersign::clock::Clock::now(&*world.clock));
    let sixth = json!({"method": "authenticator", "secret": secret, "code": code});
    service.post(&format!("/user/two-factor/{id}"), sixth).await.wrong("[tooMany]method");

    let wrong = || apps.iter().map(|app| app.wrong_code()).max().unwrap();
    let right = async || {
        let id = challenge_by_service(&service, &user.email).await;
        service.complete(&id, &apps[0].fresh_code()).await.ok();
    };
    let challenged = user.challenged().await;
    for _ in 0..5 {
        verify_totp(&challenged, &wrong()).await.refused(401, "INVALID_CODE");
    }
    let counted = async || service.get(&format!("/user/lock/{id}")).await.ok().body["guesses"].as_i64().unwrap();
    assert_eq!(counted().await, 25);
    right().await;
    for _ in 0..3 {
        let challenge = challenge_by_service(&service, &user.email).await;
        for _ in 0..5 {
            service.complete(&challenge, &wrong()).await.is(421);
        }
        if counted().await < 100 {
            right().await;
        }
    }
    assert_eq!(counted().await, 100);
    let challenge = challenge_by_service(&service, &user.email).await;
    service.complete(&challenge, &apps[0].fresh_code()).await.is(409);
    assert_eq!(judged_and_wrong(&world), 20);
}

#[on_each_database]
async fn a_lock_is_recorded_with_the_wrong_code_that_caused_it(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let locks = || world.database().number("SELECT count(*) AS number FROM audit_events WHERE kind = 'account-locked'");
    wrong_codes(&user, &app, 9).await;
    user.signed_in_with(&app).await;
    wrong_codes_by_service(&service, &user.email, &app, 9).await;
    let id = challenge_by_service(&service, &user.email).await;
    service.complete(&id, &app.fresh_code()).await.ok();
    assert_eq!(locks(), 0, "the tenth was right");
    wrong_codes(&user, &app, 10).await;
    assert_eq!(locks(), 1);
}

/// Through both dialects: fewer wrong codes, a longer lock, longer passwords.
#[on_each_database]
async fn operators_choose_stricter_numbers_for_locks_and_passwords(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        settings.limits.account_failures = 3;
        settings.limits.account_lock = Duration::from_secs(3_600);
        settings.shortest_password = 14;
    })
    .await;
    let service = world.service().await;
    let (user, other) = (world.user("ada").await, world.user("bob").await);
    let (app, others) = (user.enrol().await, other.enrol().await);
    wrong_codes(&user, &app, 3).await;
    wrong_codes_by_service(&service, &other.email, &others, 3).await;
    world.clock.advance(Duration::from_secs(3_000));
    for (email, app) in [(&user.email, &app), (&other.email, &others)] {
        let challenge = challenge_by_service(&service, email).await;
        service.complete(&challenge, &app.fresh_code()).await.is(409);
    }
    world.clock.advance(Duration::from_secs(600));
    user.signed_in_with(&app).await;

    let sign_up = |password: &str| {
        let body = json!({"name": "Eve", "email": "eve@example.com", "password": password});
        world.stranger().post("/sign-up/email").json(body)
    };
    let create = |password: &str| {
        let body = json!({"user": {"email": "mallory@example.com", "password": password}});
        service.call("POST", "/user").json(body)
    };
    sign_up("correct horse").await.refused(400, "PASSWORD_TOO_SHORT");
    create("correct horse").await.wrong("[tooShort]user.password");
    sign_up("correct horses").await.ok();
    create("correct horses").await.ok();
}

#[on_each_database]
async fn proving_an_address_gives_ten_wrong_codes_a_day_whatever_is_sent_n5(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let token = service.log_in(&user).await.ok().text("/token");
    let path = format!("/user/two-factor/{}", user.id);
    let send = |address: &str| json!({"userId": user.id, "method": "email", "email": address});
    let enable = |address: &str, code: &str| json!({"method": "email", "email": address, "code": code});
    let by_token = |mut body: Value| {
        body["password"] = json!(PASSWORD);
        service.with_token(&token, "POST", "/user/two-factor").json(body)
    };
    for address in ["a@example.com", "b@example.com", "c@example.com"] {
        service.post("/two-factor/send", send(address)).await.ok();
        let right = world.last_code_for(address);
        let count = if address.starts_with('c') { 2 } else { 4 };
        for number in 0..count {
            match number % 2 {
                0 => service.post(&path, enable(address, &other_than(&[&right]))).await.is(421),
                _ => by_token(enable(address, &other_than(&[&right]))).await.is(421),
            };
        }
    }
    let right = world.last_code_for("c@example.com");
    let refused = service.post(&path, enable("c@example.com", &right)).await.is(429);
    assert!(refused.retry_after() <= 24 * 60 * 60 / 10);
    by_token(enable("c@example.com", &right)).await.is(429);
    assert_eq!(judged_and_wrong(&world), 10);
    // Somebody else is not concerned, a right code takes nothing, and it decays.
    let other = service.user().await;
    service.enrol_address(&other, "email", &other.email).await;
    world.clock.advance(DAY / 10);
    service.enrol_address(&user, "email", "c@example.com").await;
    service.enrol_address(&user, "email", "d@example.com").await;
}

#[on_each_database]
async fn strangers_do_not_use_up_the_codes_of_a_method_45(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let by_service = service.user().await;
    service.enrol_address(&by_service, "email", &by_service.email).await;
    let challenge = service.challenge(&by_service).await;
    let method = service.method_id(&by_service, "email").await;
    let send = |challenge: &str| service.open(&format!("/two-factor/send/{challenge}"), json!({"methodId": method}));
    send(&challenge).await.ok();
    service.complete(&challenge, &world.last_code_for(&by_service.email)).await.ok();
    let user = world.user("ada").await;
    user.enrol().await;
    let challenged = user.challenged().await;
    challenged.post("/two-factor/send-otp").await.ok();
    let code = json!({"code": world.last_code_for(&user.email)});
    challenged.post("/two-factor/verify-otp").json(code).await.ok();

    let stranger = service.user().await;
    let token = service.log_in(&stranger).await.ok().text("/token");
    for address in [&by_service.email, &user.email] {
        let ask = || {
            let call = service.with_token(&token, "POST", "/two-factor/send");
            call.json(json!({"method": "email", "email": address}))
        };
        while ask().await.status == 200 {}
        assert!(ask().await.is(429).retry_after() > 3_000);
    }
    send(&service.challenge(&by_service).await).await.ok();
    user.challenged().await.post("/two-factor/send-otp").await.ok();
    // And the other way round: what a person's sign-ins use up is their own.
    for _ in 0..8 {
        send(&service.challenge(&by_service).await).await.ok();
    }
    send(&service.challenge(&by_service).await).await.is(429);
}

/// The method for the account's own address counts from the beginning, before its first use.
#[on_each_database]
async fn strangers_do_not_use_up_the_codes_of_a_method_that_was_not_used_yet_45(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let stranger = service.user().await;
    let token = service.log_in(&stranger).await.ok().text("/token");
    let (with_app, by_mail) = (world.user("ada").await, world.user("grace").await);
    with_app.enrol().await;
    by_mail.browser.post("/two-factor/enable").json(json!({"password": PASSWORD, "method": "otp"})).await.ok();
    for user in [&with_app, &by_mail] {
        let ask = || {
            let call = service.with_token(&token, "POST", "/two-factor/send");
            call.json(json!({"method": "email", "email": user.email}))
        };
        while ask().await.status == 200 {}
        ask().await.is(429);
        let challenged = user.challenged().await;
        challenged.post("/two-factor/send-otp").await.ok();
        let code = json!({"code": world.last_code_for(&user.email)});
        challenged.post("/two-factor/verify-otp").json(code).await.ok();
    }
}

#[on_each_database]
async fn text_messages_are_limited_by_client_by_prefix_and_in_all_45(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        from_everywhere(settings);
        settings.limits.text_messages_per_client = 3;
        settings.limits.text_messages_per_prefix = 5;
        settings.limits.text_messages_per_day = 8;
    })
    .await;
    let service = world.service().await;
    let holder = service.user().await;
    service.enrol_address(&holder, "sms", "+15550100").await;
    let mut tokens = Vec::new();
    for _ in 0..4 {
        let user = service.user().await;
        tokens.push(service.log_in(&user).await.ok().text("/token"));
    }
    let send = async |user: usize, network: &str, number: &str| {
        let call = service.with_token(&tokens[user], "POST", "/two-factor/send").header("x-forwarded-for", network);
        call.json(json!({"method": "sms", "mobilePhone": number})).await
    };
    for number in 0..3 {
        send(0, "203.0.113.1", &format!("+4917612345{number}")).await.ok();
    }
    let refused = send(1, "203.0.113.1", "+33612345670").await.is(429);
    assert!(refused.retry_after() > 23 * 60 * 60);
    // The prefix has one message less: enrolling took one for another.
    for number in 3..5 {
        send(1, "203.0.113.2", &format!("+4917612345{number}")).await.ok();
    }
    send(2, "203.0.113.3", "+49176123455").await.is(429);
    for number in 0..2 {
        send(2, "203.0.113.3", &format!("+3361234567{number}")).await.ok();
    }
    send(3, "203.0.113.4", "+447911123456").await.is(429);
    // Sign-ins with a proved number are counted apart. Mail is not counted.
    let challenge = service.challenge(&holder).await;
    let method = service.method_id(&holder, "sms").await;
    service.open(&format!("/two-factor/send/{challenge}"), json!({"methodId": method})).await.ok();
    let mail = service.with_token(&tokens[3], "POST", "/two-factor/send");
    mail.json(json!({"method": "email", "email": "x@example.com"})).await.ok();
    world.clock.advance(Duration::from_secs(30 * 60));
    send(3, "203.0.113.4", "+447911123456").await.is(429);
}

/// A text for a sign-in counts for the network of the password: a service behind one address asks for all its users.
#[on_each_database]
async fn texts_for_sign_ins_count_for_the_network_of_the_password_45(database: DatabaseKind) {
    let world = World::with(database, from_everywhere).await;
    let service = world.service().await;
    let mut users = Vec::new();
    for number in 0..22 {
        let user = service.user().await;
        service.enrol_address(&user, "sms", &format!("+15550{:02}0{number:02}", number % 10)).await;
        let method = service.method_id(&user, "sms").await;
        users.push((user, method));
    }
    // The default is 20 for each client.
    let send = async |user: usize, network: Option<&str>| {
        let (user, method) = &users[user];
        let challenge = log_in(&service, &user.email, PASSWORD, network).await.is(242).text("/twoFactorId");
        service.open(&format!("/two-factor/send/{challenge}"), json!({"methodId": method})).await
    };
    for user in 0..22 {
        send(user, None).await.ok();
    }
    for user in 0..20 {
        send(user, Some("198.51.100.1")).await.ok();
    }
    assert!(send(20, Some("198.51.100.1")).await.is(429).retry_after() > 23 * 60 * 60);
    send(20, Some("198.51.100.2")).await.ok();
    // It is the same count in the other dialect, wherever the text is asked for.
    let ask = async |network: &str| {
        let browser = world.browser();
        sign_in(&browser, &users[21].0.email, PASSWORD, network).await.ok();
        browser.post("/two-factor/send-otp").header("x-forwarded-for", "198.51.100.3").await
    };
    ask("198.51.100.1").await.refused(429, "TOO_MANY_REQUESTS");
    ask("198.51.100.2").await.ok();
}

/// One account takes a small part of what numbers that begin alike have together.
#[on_each_database]
async fn an_account_and_a_number_get_so_many_text_messages_a_day_45(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let mut users = Vec::new();
    for number in ["+15550100", "+15550101", "+15550100"] {
        let user = service.user().await;
        service.enrol_address(&user, "sms", number).await;
        let method = service.method_id(&user, "sms").await;
        users.push((user, method));
    }
    let send = async |user: usize| {
        let (user, method) = &users[user];
        let challenge = service.challenge(user).await;
        service.open(&format!("/two-factor/send/{challenge}"), json!({"methodId": method})).await
    };
    let browser = world.browser();
    let ask = async || {
        let body = json!({"email": users[0].0.email, "password": PASSWORD});
        browser.post("/sign-in/email").json(body).await.ok();
        browser.post("/two-factor/send-otp").await
    };
    // Five an hour in each dialect, of ten that an account gets.
    for hour in 0..3 {
        for _ in 0..5 {
            match hour {
                1 => drop(ask().await.ok()),
                _ => drop(send(0).await.ok()),
            }
        }
        world.clock.advance(Duration::from_secs(60 * 60));
    }
    assert!(send(0).await.is(429).retry_after() > 20 * 60 * 60);
    ask().await.refused(429, "TOO_MANY_REQUESTS");
    // Another account with the number gets none either; one with a number that begins alike does.
    send(2).await.is(429);
    send(1).await.ok();
    // So it is with numbers that are yet to be proved, which are counted apart.
    let enable = |user: usize, number: usize| {
        let body =
            json!({"userId": users[user].0.id, "method": "sms", "mobilePhone": format!("+4479111234{number:02}")});
        service.post("/two-factor/send", body)
    };
    for number in 0..14 {
        if number == 7 {
            world.clock.advance(Duration::from_secs(60 * 60));
        }
        enable(1, number).await.ok();
    }
    assert!(enable(1, 14).await.is(429).retry_after() > 18 * 60 * 60, "enrolling took one");
    enable(2, 14).await.ok();
    // An administrator sees it, and lifts it.
    let path = format!("/user/lock/{}", users[0].0.id);
    let shown = service.get(&path).await.ok().body;
    let limits = shown["limits"].as_array().unwrap();
    let full = limits.iter().filter(|limit| limit["counts"] == "text-messages" && limit["used"] == 15).count();
    assert_eq!(full, 2, "by account and by number: {shown}");
    service.call("DELETE", &path).await.ok();
    send(0).await.ok();
}

#[on_each_database]
async fn an_administrator_sees_and_lifts_locks_through_the_api(database: DatabaseKind) {
    let world = World::with(database, from_everywhere).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    // The account knows this network from here on: what is counted there is lifted with the account's limits.
    user.signed_in_with(&app).await;
    let id = id_of(&service, &user.email).await;
    let path = format!("/user/lock/{id}");
    let nothing = service.get(&path).await.ok().body;
    assert_eq!(
        nothing,
        json!({
            "failedAttempts": 0, "locks": 0, "guesses": 0, "guessLimit": 100, "failedPasswords": 0, "failedPasswordLimit": 50,
            "limits": [],
        })
    );
    wrong_codes(&user, &app, 10).await;
    // Ten from one network, and one from each of others.
    for number in 0..50_u8 {
        let network = format!("203.0.113.{}", number.saturating_sub(9));
        sign_in(&world.stranger(), &user.email, "wrong", &network).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    for _ in 0..10 {
        sign_in(&world.stranger(), &user.email, "wrong", "127.0.0.1").await;
    }
    sign_in(&world.stranger(), &user.email, PASSWORD, "127.0.0.1").await.refused(429, "TOO_MANY_REQUESTS");
    let locked = service.get(&path).await.ok().body;
    let until = world.clock_millis() + i64::try_from(Policy::default().account_lock.as_millis()).unwrap();
    assert_eq!((&locked["lockedUntil"], &locked["failedAttempts"]), (&json!(until), &json!(10)));
    assert_eq!((&locked["guesses"], &locked["failedPasswords"], &locked["locks"]), (&json!(10), &json!(50), &json!(1)));
    assert!(locked["passwordsRefusedUntil"].is_i64());
    let limits = locked["limits"].as_array().unwrap();
    let of = |counts: &str| limits.iter().filter(|limit| limit["counts"] == counts).collect::<Vec<_>>();
    let networks = of("network-passwords");
    assert!(networks.len() > 10, "one for each network: {locked}");
    let full = networks.iter().find(|limit| limit["used"] == 10).unwrap();
    assert_eq!(full["limit"], 10);
    assert_eq!(full["refusedUntil"].as_i64().unwrap(), world.clock_millis() + 15 * 60 * 1000);
    assert!(networks.iter().any(|limit| limit["used"] == 1 && limit.get("refusedUntil").is_none()), "{locked}");

    service.call("DELETE", &path).await.ok();
    assert_eq!(service.get(&path).await.ok().body, nothing);
    user.signed_in_with(&app).await;
    // What strangers have used up by name stays so for requests of no known network.
    world.clock.advance(Policy::default().password_guesses.interval);
    let challenge = challenge_by_service(&service, &user.email).await;
    service.complete(&challenge, &app.fresh_code()).await.ok();
    let key = "SELECT count(*) AS number FROM audit_events WHERE kind = 'account-unlocked' AND api_key_id IS NOT NULL";
    assert_eq!(world.database().number(key), 1);
    // Only with a key that allows it, and for users that it may see.
    let other = world.service_that(None, Some(r#"[{"path":"/api/login"}]"#)).await;
    other.call("DELETE", &path).await.is(401);
    service.call("DELETE", "/user/lock/01a1fd04-be02-75f5-bdbd-868b7959e05d").await.is(404);
    service.get("/user/lock/nonsense").await.is(400);
    world.bearer("x").call("DELETE", &format!("/api{path}")).await.is(401);
}

#[on_each_database]
async fn a_new_password_ends_the_lock_of_the_old_one(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let mut user = world.user("ada").await;
    let app = user.enrol().await;
    let id = id_of(&service, &user.email).await;
    let new = "a longer horse, a better battery";
    wrong_codes(&user, &app, 10).await;
    verify_totp(&user.challenged().await, &app.fresh_code()).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    let change = json!({"currentPassword": PASSWORD, "newPassword": new});
    user.browser.post("/change-password").json(change).await.ok();
    user.password = new.to_owned();
    user.signed_in_with(&app).await;
    // And by an administrator.
    wrong_codes(&user, &app, 10).await;
    let patch = json!({"user": {"password": PASSWORD}});
    service.call("PATCH", &format!("/user/{id}")).json(patch).await.ok();
    user.password = PASSWORD.to_owned();
    user.signed_in_with(&app).await;
    let challenge = challenge_by_service(&service, &user.email).await;
    service.complete(&challenge, &app.fresh_code()).await.ok();
    assert_eq!(service.get(&format!("/user/lock/{id}")).await.ok().body["guesses"], json!(20), "the long run stays");
}

/// A challenge that never was, one that is over and one that was used look alike to a client that asks for a code or tries one.
#[on_each_database]
async fn challenges_that_are_gone_look_alike_44(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let used = challenge_by_service(&service, &user.email).await;
    service.complete(&used, &app.fresh_code()).await.ok();
    let over = challenge_by_service(&service, &user.email).await;
    let (used_token, over_token) = {
        let browser = world.browser();
        let used = user.challenge_token(&browser).await;
        verify_totp(&browser, &app.fresh_code()).await.ok();
        (used, user.challenge_token(&world.browser()).await)
    };
    let named = FusionAuthUser { id: id_of(&service, &user.email).await, email: user.email.clone() };
    let method = service.method_id(&named, "email").await;
    world.clock.advance(Duration::from_secs(10 * 60));
    // Of the same form, and never given out.
    let other_than = |token: &str| {
        let (rest, last) = token.split_at(token.len() - 1);
        format!("{rest}{}", if last == "A" { "B" } else { "A" })
    };
    let unknown = other_than(&over);
    let mut seen_by_service = Vec::new();
    for id in [&unknown, &over, &used] {
        let sent = service.open(&format!("/two-factor/send/{id}"), json!({"methodId": method})).await;
        let tried = service.complete(id, &app.code()).await;
        seen_by_service.push((seen(&sent), seen(&tried)));
    }
    assert_eq!(seen_by_service[0].0.0, 404);
    assert!(seen_by_service.iter().all(|found| *found == seen_by_service[0]), "{seen_by_service:?}");
    let unknown = other_than(&over_token);
    let mut seen_by_bearer = Vec::new();
    for token in [&unknown, &over_token, &used_token] {
        let caller = world.bearer(token);
        let sent = caller.post("/two-factor/send-otp").await;
        let tried = verify_totp(&caller, &app.code()).await;
        seen_by_bearer.push((seen(&sent), seen(&tried)));
    }
    assert_eq!(seen_by_bearer[0].0.0, 401);
    assert!(seen_by_bearer.iter().all(|found| *found == seen_by_bearer[0]), "{seen_by_bearer:?}");
}
