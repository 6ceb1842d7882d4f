//! Limits on wrong passwords: of a login name and of an account, from one network and from all together.

use crate::harness::caller::Call;
use crate::harness::service::APPLICATION;
use crate::harness::{Caller, PASSWORD, Response, Service, World, cheap_passwords};
use countersign::config::Settings;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

/// In which one wrong password decays, in seconds.
const PASSWORD_GUESS: u64 = 20 * 60;

/// Settings under which requests say what network they come from.
pub(crate) fn from_everywhere(settings: &mut Settings) {
    cheap_passwords(settings);
    settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
}

/// A wrong or right password in Better Auth's dialect, from a network.
pub(crate) async fn sign_in(caller: &Caller, email: &str, password: &str, network: &str) -> Response {
    let call = caller.post("/sign-in/email").header("x-forwarded-for", network);
    call.json(json!({"email": email, "password": password})).await
}

/// The same in FusionAuth's, where the service may say from where.
pub(crate) async fn log_in(service: &Service, name: &str, password: &str, network: Option<&str>) -> Response {
    let mut body = json!({"loginId": name, "password": password, "applicationId": APPLICATION});
    if let Some(network) = network {
        body["ipAddress"] = network.into();
    }
    service.post("/login", body).await
}

#[on_each_database]
async fn wrong_passwords_from_everywhere_slow_and_do_not_lock_n4(database: DatabaseKind) {
    let world = World::with(database, from_everywhere).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let trusted = user.trusted_with(&app).await;
    let known = world.browser();
    sign_in(&known, &user.email, PASSWORD, "198.51.100.1").await.ok();
    let code = json!({"code": app.fresh_code()});
    let passed = known.post("/two-factor/verify-totp").header("x-forwarded-for", "198.51.100.1").json(code).await;
    passed.ok();
    // Five wrong ones from each network, through one dialect and the other.
    let stranger = world.stranger();
    for number in 0..50 {
        let network = format!("203.0.113.{}", number / 5);
        match number % 2 {
            0 => {
                drop(sign_in(&stranger, &user.email, "wrong", &network).await.refused(401, "INVALID_EMAIL_OR_PASSWORD"))
            }
            _ => drop(log_in(&service, &user.email, "wrong", Some(&network)).await.is(404)),
        }
    }
    let refused = sign_in(&stranger, &user.email, PASSWORD, "203.0.113.77").await.refused(429, "TOO_MANY_REQUESTS");
    assert!(refused.retry_after() <= PASSWORD_GUESS);
    assert!(
        log_in(&service, &user.email, PASSWORD, Some("203.0.113.78")).await.is(429).retry_after() <= PASSWORD_GUESS
    );
    assert!(log_in(&service, &user.email, PASSWORD, None).await.is(429).retry_after() <= PASSWORD_GUESS);
    // From a network that the account knows, and from a device that it trusts, its owner gets in.
    sign_in(&world.browser(), &user.email, PASSWORD, "198.51.100.1").await.ok();
    log_in(&service, &user.email, PASSWORD, Some("198.51.100.1")).await.is(242);
    sign_in(&trusted, &user.email, PASSWORD, "203.0.113.79").await.ok();
    // A session is nobody else's.
    let change = json!({"currentPassword": PASSWORD, "newPassword": PASSWORD});
    user.browser.post("/change-password").json(change).await.ok();
    // So is the known network's own limit.
    for _ in 0..10 {
        sign_in(&stranger, &user.email, "wrong", "198.51.100.1").await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    sign_in(&stranger, &user.email, PASSWORD, "198.51.100.1").await.refused(429, "TOO_MANY_REQUESTS");
    // It slows: one more in twenty minutes, from wherever.
    world.clock.advance(Duration::from_secs(PASSWORD_GUESS));
    sign_in(&stranger, &user.email, "wrong", "203.0.113.80").await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    sign_in(&stranger, &user.email, PASSWORD, "203.0.113.81").await.refused(429, "TOO_MANY_REQUESTS");
    // Other accounts are not affected.
    let bob = world.user("bob").await;
    sign_in(&stranger, &bob.email, PASSWORD, "203.0.113.81").await.ok();
}

/// Whose network a sign-in with a second factor makes known: that of the password, not of what completes it.
#[on_each_database]
async fn a_login_with_a_second_factor_makes_the_network_of_its_password_known_n4(database: DatabaseKind) {
    let world = World::with(database, from_everywhere).await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    let browser = world.browser();
    // Of both dialects: the password from one network, the code from another.
    for (password, code) in [("198.51.100.1", "198.51.100.11"), ("198.51.100.2", "198.51.100.12")] {
        let (_, last) = password.rsplit_once('.').unwrap();
        if last == "1" {
            let challenge = log_in(&service, &user.email, PASSWORD, Some(password)).await.is(242).text("/twoFactorId");
            let body = json!({"twoFactorId": challenge, "code": app.fresh_code(), "ipAddress": code});
            service.open("/two-factor/login", body).header("x-forwarded-for", code).await.ok();
        } else {
            sign_in(&browser, &user.email, PASSWORD, password).await.ok();
            let body = json!({"code": app.fresh_code()});
            browser.post("/two-factor/verify-totp").header("x-forwarded-for", code).json(body).await.ok();
        }
    }
    // A login for which the service names no network makes none known, nor does one that stops at the second factor.
    let challenge = log_in(&service, &user.email, PASSWORD, None).await.is(242).text("/twoFactorId");
    let code = json!({"twoFactorId": challenge, "code": app.fresh_code()});
    service.open("/two-factor/login", code).header("x-forwarded-for", "198.51.100.13").await.ok();
    log_in(&service, &user.email, PASSWORD, Some("198.51.100.14")).await.is(242);
    // A login without a password is completed without a key, so that only a service with one says whose network it is.
    let passwordless = async |call: Call| {
        let waiting = call.header("x-forwarded-for", "198.51.100.15").await.is(242).text("/twoFactorId");
        service.complete(&waiting, &app.fresh_code()).await.ok();
    };
    let start = json!({"applicationId": APPLICATION, "loginId": user.email});
    let code = service.post("/passwordless/start", start.clone()).await.ok().text("/code");
    passwordless(service.open("/passwordless/login", json!({"code": code, "ipAddress": "198.51.100.16"}))).await;
    let code = service.post("/passwordless/start", start).await.ok().text("/code");
    passwordless(service.post("/passwordless/login", json!({"code": code, "ipAddress": "198.51.100.3"}))).await;
    for number in 0..50 {
        let network = format!("203.0.113.{}", number / 5);
        log_in(&service, &user.email, "wrong", Some(&network)).await.is(404);
    }
    for network in ["198.51.100.1", "198.51.100.2", "198.51.100.3"] {
        log_in(&service, &user.email, PASSWORD, Some(network)).await.is(242);
        sign_in(&world.browser(), &user.email, PASSWORD, network).await.ok();
    }
    for unknown in [11, 12, 13, 14, 15, 16] {
        let network = format!("198.51.100.{unknown}");
        let network = network.as_str();
        log_in(&service, &user.email, PASSWORD, Some(network)).await.is(429);
        sign_in(&world.browser(), &user.email, PASSWORD, network).await.refused(429, "TOO_MANY_REQUESTS");
    }
    log_in(&service, &user.email, PASSWORD, None).await.is(429);
}

/// A device with a trust id has a limit of its own in FusionAuth's dialect, as one with the cookie in Better Auth's.
#[on_each_database]
async fn a_trust_id_gets_its_owner_in_while_others_guess_n4(database: DatabaseKind) {
    let world = World::with(database, from_everywhere).await;
    let service = world.service().await;
    let (user, other) = (service.user().await, service.user().await);
    let mut trusts = Vec::new();
    for user in [&user, &other] {
        let app = service.enrol(user).await;
        let challenge = service.challenge(user).await;
        let body = json!({"twoFactorId": challenge, "code": app.fresh_code(), "trustComputer": true});
        trusts.push(service.open("/two-factor/login", body).await.ok().text("/twoFactorTrustId"));
    }
    for number in 0..50 {
        let network = format!("203.0.113.{}", number / 5);
        log_in(&service, &user.email, "wrong", Some(&network)).await.is(404);
    }
    let with_trust = |trust: &str, password: &str, network: Option<&str>| {
        let mut body = json!({"loginId": user.email, "password": password, "applicationId": APPLICATION});
        body["twoFactorTrustId"] = trust.into();
        if let Some(network) = network {
            body["ipAddress"] = network.into();
        }
        service.post("/login", body)
    };
    for network in [None, Some("203.0.113.1"), Some("203.0.113.99")] {
        log_in(&service, &user.email, PASSWORD, network).await.is(429);
        with_trust(&trusts[1], PASSWORD, network).await.is(429);
        with_trust(&trusts[0], PASSWORD, network).await.ok();
    }
    // The device guesses no more often than others do.
    for _ in 0..50 {
        with_trust(&trusts[0], "wrong", None).await.is(404);
    }
    with_trust(&trusts[0], PASSWORD, None).await.is(429);
}

#[on_each_database]
async fn a_service_that_names_no_address_stands_for_no_network(database: DatabaseKind) {
    let world = World::with(database, from_everywhere).await;
    let service = world.service().await;
    let user = service.user().await;
    for _ in 0..11 {
        log_in(&service, &user.email, "wrong", None).await.is(404);
    }
    log_in(&service, &user.email, PASSWORD, None).await.ok();
    for _ in 0..39 {
        log_in(&service, &user.email, "wrong", None).await.is(404);
    }
    let refused = log_in(&service, &user.email, PASSWORD, None).await.is(429);
    assert!(refused.retry_after() <= PASSWORD_GUESS);
    // It is not known from where the owner has signed in, but from the network of a device.
    let trusted = log_in(&service, &user.email, PASSWORD, Some("198.51.100.1")).await.is(429);
    assert!(trusted.retry_after() <= PASSWORD_GUESS);
    world.clock.advance(Duration::from_secs(PASSWORD_GUESS));
    log_in(&service, &user.email, PASSWORD, None).await.ok();
}

/// Status, headers (but for the time and the request's id) and body.
pub(crate) fn seen(response: &Response) -> (u16, Vec<(String, String)>, Value) {
    let headers = response.headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    (response.status, headers, response.body.clone())
}

#[on_each_database]
async fn quotas_do_not_say_which_names_are_one_persons_33_44(database: DatabaseKind) {
    let world = World::with(database, from_everywhere).await;
    let service = world.service().await;
    let email = |name: &str| format!("{name}@example.com");
    let made = json!({"email": email("countess"), "username": "countess-name"});
    service.user_with(made).await;
    let enrolled = service.user_with(json!({"email": email("grace"), "username": "grace-name"})).await;
    service.enrol(&enrolled).await;
    let mut all = Vec::new();
    for (number, name) in ["countess", "grace", "nobody"].into_iter().enumerate() {
        let mut of_name = Vec::new();
        let network = format!("203.0.113.{number}");
        let username = format!("{name}-name");
        for typed in [&username, &email(name)] {
            for _ in 0..11 {
                of_name.push(seen(&log_in(&service, typed, "wrong", Some(&network)).await));
            }
        }
        // The other dialect, and then without a network, and from other ones.
        of_name.push(seen(&sign_in(&world.stranger(), &email(name), "wrong", &network).await));
        for other in 0..12 {
            let other = format!("192.0.2.{}", number * 20 + other);
            for _ in 0..5 {
                of_name.push(seen(&sign_in(&world.stranger(), &email(name), "wrong", &other).await));
            }
        }
        for _ in 0..60 {
            of_name.push(seen(&log_in(&service, &username, "wrong", None).await));
        }
        all.push(of_name);
    }
    let [known, with_factor, unknown] = all.try_into().unwrap();
    for (index, response) in unknown.iter().enumerate() {
        assert_eq!(&known[index], response, "response {index}");
        assert_eq!(&with_factor[index], response, "response {index}, with a second factor");
    }
    let count = |status| unknown.iter().filter(|(found, ..)| *found == status).count();
    assert!(count(404) > 30 && count(401) > 30 && count(429) > 10, "{} {} {}", count(404), count(401), count(429));
    // A further spelling brings no further guesses: the right password is not judged.
    log_in(&service, &email("countess"), PASSWORD, Some("192.0.2.200")).await.is(429);
    world.close().await;
}

/// Lifting an account's limits shows nobody that there is an account: what strangers have used up by name stays used up.
#[on_each_database]
async fn strangers_do_not_see_that_an_account_was_unlocked_44(database: DatabaseKind) {
    let world = World::with(database, from_everywhere).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    sign_in(&world.browser(), &user.email, PASSWORD, "198.51.100.1").await.ok();
    let id = service.get(&format!("/user?email={}", user.email)).await.ok().text("/user/id");
    let names = [user.email.clone(), "nobody@example.com".to_owned()];
    for name in &names {
        for number in 0..50 {
            // Ten from one network, and forty from others.
            let network = if number < 10 { "203.0.113.99".to_owned() } else { format!("203.0.113.{}", number / 5) };
            sign_in(&world.stranger(), name, "wrong", &network).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
        }
    }
    // From a network of the flood, and from a third one, through both dialects; again when one more is judged.
    let looks = async || {
        let mut all = Vec::new();
        for name in &names {
            let mut of_name = Vec::new();
            for network in ["203.0.113.99", "203.0.113.4", "192.0.2.33"] {
                of_name.push(seen(&sign_in(&world.stranger(), name, "wrong", network).await));
                of_name.push(seen(&log_in(&service, name, "wrong", Some(network)).await));
            }
            of_name.push(seen(&log_in(&service, name, "wrong", None).await));
            all.push(of_name);
        }
        let [known, unknown] = all.try_into().unwrap();
        assert_eq!(known, unknown);
        known
    };
    let locked = looks().await;
    assert!(locked.iter().all(|(status, ..)| *status == 429), "{locked:?}");
    for _ in 0..10 {
        sign_in(&world.stranger(), &user.email, "wrong", "198.51.100.1").await;
    }
    sign_in(&world.browser(), &user.email, PASSWORD, "198.51.100.1").await.refused(429, "TOO_MANY_REQUESTS");
    service.call("DELETE", &format!("/user/lock/{id}")).await.ok();
    assert_eq!(looks().await, locked, "nothing has changed for strangers");
    // It has for the owner, from a network that the account knows, and for anybody after the wait.
    sign_in(&world.browser(), &user.email, PASSWORD, "198.51.100.1").await.ok();
    world.clock.advance(Duration::from_secs(PASSWORD_GUESS));
    let later = looks().await;
    assert_eq!(later.iter().filter(|(status, ..)| *status != 429).count(), 1, "{later:?}");
    world.clock.advance(Duration::from_secs(PASSWORD_GUESS));
    sign_in(&world.browser(), &user.email, PASSWORD, "192.0.2.34").await.ok();
}

/// An attacker who has an account may sign in to it between guesses at another one, from the same network and in either dialect.
#[on_each_database]
async fn a_success_with_ones_own_account_gives_no_guesses_back_34(database: DatabaseKind) {
    let world = World::with(database, from_everywhere).await;
    let service = world.service().await;
    let (user, own) = (world.user("ada").await, world.user("eve").await);
    let network = "203.0.113.1";
    for _ in 0..5 {
        sign_in(&world.stranger(), &user.email, "wrong", network).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
        sign_in(&world.browser(), &own.email, PASSWORD, network).await.ok();
        log_in(&service, &user.email, "wrong", Some(network)).await.is(404);
        log_in(&service, &own.email, PASSWORD, Some(network)).await.is(202);
    }
    sign_in(&world.browser(), &own.email, PASSWORD, network).await.ok();
    sign_in(&world.stranger(), &user.email, PASSWORD, network).await.refused(429, "TOO_MANY_REQUESTS");
    log_in(&service, &user.email, PASSWORD, Some(network)).await.is(429);
}

#[on_each_database]
async fn a_further_name_brings_no_further_guesses_33(database: DatabaseKind) {
    let world = World::with(database, from_everywhere).await;
    let service = world.service().await;
    let user = service.user_with(json!({"username": "Countess"})).await;
    let here = Some("203.0.113.1");
    for _ in 0..10 {
        log_in(&service, "countess", "wrong", here).await.is(404);
    }
    log_in(&service, "COUNTESS", PASSWORD, here).await.is(429);
    log_in(&service, &user.email, PASSWORD, here).await.is(404);
    sign_in(&world.stranger(), &user.email, PASSWORD, "203.0.113.1").await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    log_in(&service, &user.email, PASSWORD, Some("203.0.113.2")).await.is(202);
    world.clock.advance(Duration::from_secs(15 * 60));
    log_in(&service, &user.email, PASSWORD, here).await.is(202);
}
