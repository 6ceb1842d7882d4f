//! Limits per client and operation.

use crate::harness::{Response, World};
use countersign::config::Settings;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::time::Duration;

fn limited(settings: &mut Settings) {
    settings.rate_limits_are_on = true;
}

fn behind_a_proxy(settings: &mut Settings) {
    limited(settings);
    settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
}

async fn sign_in(world: &World, forwarded: &[(&'static str, &str)]) -> Response {
    let call = world.stranger().post("/sign-in/email").json(json!({"email": "ada@example.com", "password": "wrong"}));
    forwarded.iter().fold(call, |call, (name, value)| call.header(name, value)).await
}

#[on_each_database]
async fn the_window_begins_anew_with_the_last_allowed_request(database: DatabaseKind) {
    let world = World::with(database, limited).await;
    for _ in 0..3 {
        sign_in(&world, &[]).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
        world.clock.advance(Duration::from_secs(2));
    }
    let refused = sign_in(&world, &[]).await.refused(429, "TOO_MANY_REQUESTS");
    assert_eq!((refused.header("retry-after"), refused.header("x-retry-after")), (Some("8"), Some("8")));
    assert_eq!(refused.header("content-type"), Some("application/json"));
    world.clock.advance(Duration::from_millis(7_500));
    assert_eq!(sign_in(&world, &[]).await.refused(429, "TOO_MANY_REQUESTS").retry_after(), 1);
    world.clock.advance(Duration::from_millis(501));
    sign_in(&world, &[]).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
}

#[on_each_database]
async fn a_success_with_ones_own_account_does_not_restart_the_count_34(database: DatabaseKind) {
    let world = World::with(database, limited).await;
    let user = world.user("bob").await;
    for _ in 0..2 {
        sign_in(&world, &[]).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    user.signed_in().await;
    sign_in(&world, &[]).await.refused(429, "TOO_MANY_REQUESTS");
}

#[on_each_database]
async fn each_path_has_its_own_count(database: DatabaseKind) {
    let world = World::with(database, limited).await;
    for path in ["/two-factor/verify-totp", "/two-factor/verify-otp"] {
        for _ in 0..3 {
            world.stranger().post(path).json(json!({"code": "1"})).await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
        }
        world.stranger().post(path).json(json!({"code": "1"})).await.refused(429, "TOO_MANY_REQUESTS");
    }
    world.stranger().post("/sign-out").await.ok();
}

#[on_each_database]
async fn a_limit_comes_before_what_is_wrong_with_the_body(database: DatabaseKind) {
    let world = World::with(database, limited).await;
    for _ in 0..3 {
        world.stranger().post("/sign-in/email").body("application/json", "{").await.refused(400, "BAD_REQUEST");
    }
    world.stranger().post("/sign-in/email").body("application/json", "{").await.refused(429, "TOO_MANY_REQUESTS");
}

#[on_each_database]
async fn headers_of_strangers_change_nothing_30(database: DatabaseKind) {
    let world = World::with(database, limited).await;
    for number in 0..3 {
        let address = format!("203.0.113.{number}");
        let headers = [
            ("x-forwarded-for", address.as_str()),
            ("x-real-ip", &address),
            ("forwarded", "for=1.2.3.4"),
            ("cf-connecting-ip", &address),
            ("true-client-ip", &address),
        ];
        sign_in(&world, &headers).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    for headers in
        [[("x-forwarded-for", "203.0.113.99")], [("x-real-ip", "203.0.113.98")], [("forwarded", "for=203.0.113.97")]]
    {
        sign_in(&world, &headers).await.refused(429, "TOO_MANY_REQUESTS");
    }
}

#[on_each_database]
async fn a_trusted_proxy_names_the_client_and_only_its_last_word_counts_30(database: DatabaseKind) {
    let world = World::with(database, behind_a_proxy).await;
    for number in 0..3 {
        let chain = format!("10.9.8.{number}, 203.0.113.7");
        sign_in(&world, &[("x-forwarded-for", &chain)]).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    sign_in(&world, &[("x-forwarded-for", "203.0.113.7")]).await.refused(429, "TOO_MANY_REQUESTS");
    sign_in(&world, &[("x-forwarded-for", "203.0.113.8")]).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
}

#[on_each_database]
async fn a_subscriber_of_ipv6_is_one_client_31(database: DatabaseKind) {
    let world = World::with(database, behind_a_proxy).await;
    for address in ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:DB8:1:2:0:0:0:3"] {
        sign_in(&world, &[("x-forwarded-for", address)]).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    for address in [
        "2001:db8:1:2::4",
        "2001:0db8:0001:0002:0000:0000:0000:0005",
        "2001:DB8:1:2::6",
        "[2001:db8:1:2::7]",
        "[2001:db8:1:2::8]:443",
        "2001:db8:1:2::0.0.0.9",
    ] {
        sign_in(&world, &[("x-forwarded-for", address)]).await.refused(429, "TOO_MANY_REQUESTS");
    }
    sign_in(&world, &[("x-forwarded-for", "2001:db8:1:3::1")]).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    for address in ["198.51.100.1", "::ffff:198.51.100.1", "198.51.100.1:1234"] {
        sign_in(&world, &[("x-forwarded-for", address)]).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    sign_in(&world, &[("x-forwarded-for", "::ffff:c633:6401")]).await.refused(429, "TOO_MANY_REQUESTS");
}

#[on_each_database]
async fn values_in_a_path_and_unknown_paths_are_one_count_each(database: DatabaseKind) {
    let world = World::with(database, limited).await;
    let client = world.stranger();
    for (path, status) in [("/api/user/", 401), ("/api/none/", 404), ("/api/auth/none/", 404)] {
        for number in 0..100 {
            client.call("GET", &format!("{path}{number}")).undocumented().await.is(status);
        }
        for number in 100..103 {
            client.call("GET", &format!("{path}{number}")).undocumented().await.is(429);
        }
    }
    client.get("/get-session").await.ok();
}

#[on_each_database]
async fn a_credential_lifts_a_limit_only_if_it_is_valid(database: DatabaseKind) {
    let world = World::with(database, limited).await;
    let service = world.service().await;
    let user = service.user().await;
    let path = format!("/api/user/{}", user.id);
    for number in 0..100 {
        let (header, value) = match number % 3 {
            0 => ("authorization", format!("key{number}")),
            1 => ("authorization", format!("Bearer token{number}")),
            _ => ("cookie", format!("access_token=x{number}")),
        };
        world.stranger().call("GET", &path).header(header, &value).await.is(401);
    }
    for (header, value) in [("authorization", "key"), ("authorization", "Bearer x"), ("cookie", "access_token=x")] {
        world.stranger().call("GET", &path).header(header, value).await.is(429);
    }
    for _ in 0..120 {
        service.get(&format!("/user/{}", user.id)).await.ok();
    }
    let unknown = world.service().await;
    unknown.get(&format!("/user/{}", user.id)).await.is(429);
    world.clock.advance(Duration::from_secs(11));
    unknown.get(&format!("/user/{}", user.id)).await.ok();

    world.revoke(&service).await;
    service.get(&format!("/user/{}", user.id)).await.is(401);
    for _ in 0..99 {
        world.stranger().call("GET", &path).header("authorization", "key").await.is(401);
    }
    service.get(&format!("/user/{}", user.id)).await.is(429);
    unknown.get(&format!("/user/{}", user.id)).await.ok();
}

/// A backend checks the tokens of all its users from one address.
#[on_each_database]
async fn a_valid_access_token_has_a_limit_of_its_own_wherever_it_is_presented(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        limited(settings);
        settings.limits.rate_general = 2;
        settings.limits.rate_service = 4;
    });
    let world = world.await;
    let service = world.service().await;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let user = service.user().await;
        tokens.push(service.log_in(&user).await.ok().text("/token"));
    }
    // The first request counts for the network: nobody knows yet that the token is valid.
    for (path, allowed) in [("/api/jwt/validate", 5), ("/api/user", 4)] {
        for token in &tokens {
            let present = || world.bearer(token).call("GET", path);
            for _ in 0..allowed {
                present().await.ok();
            }
            present().await.is(429);
        }
    }
    world.clock.advance(Duration::from_secs(11));
    for _ in 0..2 {
        world.bearer("guess").call("GET", "/api/jwt/validate").await.is(401);
    }
    world.bearer("guess").call("GET", "/api/jwt/validate").await.is(429);
}

#[on_each_database]
async fn the_address_of_the_client_is_the_one_that_sessions_show(database: DatabaseKind) {
    let world = World::with(database, behind_a_proxy).await;
    let browser = world.browser().with_header("x-forwarded-for", "203.0.113.7");
    let body = json!({"name": "a", "email": "a@example.com", "password": "correct horse"});
    browser.post("/sign-up/email").json(body).await.ok();
    assert_eq!(browser.get("/get-session").await.ok().text("/session/ipAddress"), "203.0.113.7");
}

#[on_each_database]
async fn window_and_numbers_are_settings(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        limited(settings);
        settings.limits.rate_window = Duration::from_secs(60);
        settings.limits.rate_guessable = 1;
        settings.limits.rate_general = 2;
        settings.limits.rate_service = 4;
    });
    let world = world.await;
    sign_in(&world, &[]).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    let refused = sign_in(&world, &[]).await.refused(429, "TOO_MANY_REQUESTS");
    assert_eq!(refused.retry_after(), 60);
    let allowed = async |path: &str, method: &str| {
        for count in 0.. {
            let response = world.stranger().call(method, path).header("authorization", "guess").await;
            if response.status == 429 {
                return count;
            }
        }
        unreachable!("the limit is reached")
    };
    assert_eq!(allowed("/api/auth/get-session", "GET").await, 2);
    assert_eq!(allowed("/api/two-factor/secret", "GET").await, 2);
    assert_eq!(allowed("/.well-known/jwks.json", "GET").await, 4);
    world.clock.advance(Duration::from_millis(60_001));
    sign_in(&world, &[]).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
}
