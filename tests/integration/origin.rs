//! Requests that another site makes a browser send.

use crate::harness::contract::better_auth as operations;
use crate::harness::{BASE_URL, PASSWORD, World, cheap_passwords};
use countersign::net::origin::OriginPattern;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

#[on_each_database]
async fn a_session_cookie_counts_from_trusted_pages_only(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        settings.origin_patterns = vec![OriginPattern::parse("https://*.example.com").unwrap()];
    });
    let world = world.await;
    let user = world.user("ada").await;
    let call = || user.browser.post("/revoke-other-sessions");
    for origin in [BASE_URL, "http://countersign.test:80", "https://app.example.com"] {
        call().header("origin", origin).await.ok();
    }
    for origin in [
        "https://countersign.test",
        "http://countersign.test:8080",
        "http://countersign.test.evil.example",
        "http://sub.countersign.test",
        "https://example.com",
        "http://app.example.com",
        "http://127.0.0.1",
        "file://",
        "x",
    ] {
        call().header("origin", origin).await.refused(403, "INVALID_ORIGIN").saying("Invalid origin");
    }
    call().without("origin").header("referer", &format!("{BASE_URL}/settings?x")).await.ok();
    call().without("origin").header("referer", "https://evil.example/").await.refused(403, "INVALID_ORIGIN");
    call().header("origin", "null").header("referer", BASE_URL).await.refused(403, "MISSING_OR_NULL_ORIGIN");
    call().without("origin").await.refused(403, "MISSING_OR_NULL_ORIGIN").saying("Missing or null Origin");
    user.browser.get("/list-sessions").header("origin", "https://evil.example").await.ok();
}

/// Apps have no origin. Expo's client names the app's scheme in a header of its own.
#[on_each_database]
async fn an_app_with_a_trusted_scheme_may_use_its_cookie(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        settings.origin_patterns = vec![OriginPattern::parse("myapp://").unwrap()];
    });
    let world = world.await;
    let user = world.user("ada").await;
    let call = |path: &str| user.browser.post(path).without("origin");
    call("/revoke-other-sessions").header("expo-origin", "other://").await.refused(403, "INVALID_ORIGIN");
    call("/revoke-other-sessions").header("expo-origin", "").await.refused(403, "MISSING_OR_NULL_ORIGIN");
    let both = call("/revoke-other-sessions").header("origin", "https://evil.example");
    both.header("expo-origin", "myapp://").await.refused(403, "INVALID_ORIGIN");
    call("/revoke-other-sessions").header("expo-origin", "myapp://").await.ok();
    let sign_in = json!({"email": user.email, "password": PASSWORD});
    call("/sign-in/email").header("expo-origin", "myapp:///").json(sign_in).await.ok();
    call("/sign-out").header("expo-origin", "myapp://").await.ok();
}

#[on_each_database]
async fn origins_of_other_scripts_are_compared_as_browsers_send_them(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        settings.origin_patterns = vec![OriginPattern::parse("https://*.почта.рф").unwrap()];
    });
    let world = world.await;
    let user = world.user("ada").await;
    let origin = "https://app.xn--80a1acny.xn--p1ai";
    let read = user.browser.post("/revoke-other-sessions").header("origin", origin).await.ok();
    assert_eq!(read.header("access-control-allow-origin"), Some(origin));
    user.browser
        .post("/sign-out")
        .header("origin", "https://xn--80a1acny.xn--p1ai")
        .await
        .refused(403, "INVALID_ORIGIN");
}

#[on_each_database]
async fn without_cookies_there_is_no_origin_rule_but_for_sign_in_and_sign_up(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let bearer = world.bearer(&user.first_token).with_header("origin", "https://evil.example");
    bearer.post("/two-factor/send-otp").await.ok();

    let sign_in = json!({"email": user.email, "password": PASSWORD});
    let sign_up = json!({"name": "b", "email": "b@example.com", "password": "short"});
    for (path, body, status) in [("/sign-in/email", sign_in, 200), ("/sign-up/email", sign_up, 400)] {
        let call = |headers: &[(&'static str, &str)]| {
            let call = world.stranger().post(path).json(body.clone());
            headers.iter().fold(call, |call, (name, value)| call.header(name, value))
        };
        assert_eq!(call(&[]).await.status, status, "curl, mobile apps");
        assert_eq!(call(&[("sec-fetch-mode", "cors"), ("origin", BASE_URL)]).await.status, status);
        assert_eq!(call(&[("referer", "http://countersign.test/x")]).await.status, status);
        // Browsers send the site with the mode; Node's own fetch sends the mode alone.
        assert_eq!(call(&[("sec-fetch-mode", "cors")]).await.status, status, "Node");
        for site in ["same-origin", "cross-site"] {
            let browser = [("sec-fetch-mode", "cors"), ("sec-fetch-site", site)];
            call(&browser).await.refused(403, "MISSING_OR_NULL_ORIGIN");
        }
        let null = [("sec-fetch-mode", "cors"), ("origin", "null")];
        call(&null).await.refused(403, "MISSING_OR_NULL_ORIGIN");
        call(&[("origin", "https://evil.example")]).await.refused(403, "INVALID_ORIGIN");
        call(&[("origin", "null")]).await.refused(403, "MISSING_OR_NULL_ORIGIN");
        let cross_site = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("origin", BASE_URL)];
        let blocked = call(&cross_site).await.refused(403, "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED");
        blocked.saying("Cross-site navigation login blocked. This request appears to be a CSRF attack.");
        // This rule runs after the body is validated.
        let bad = world.stranger().post(path).header("origin", "https://evil.example").json(json!({})).await;
        bad.refused(400, "VALIDATION_ERROR");
    }
}

/// Browsers follow a URL with its host in ASCII, so it is compared and led to in that form.
#[on_each_database]
async fn a_page_in_another_script_is_trusted_and_led_to_in_ascii(database: DatabaseKind) {
    const ASCII: &str = "https://xn--bcher-kva.example/%C3%BCber?%C3%BC=1";
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        settings.origin_patterns = vec![OriginPattern::parse("https://bücher.example").unwrap()];
    });
    let world = world.await;
    let user = world.user("ada").await;
    for (count, page) in [(1, "https://bücher.example/über?ü=1"), (2, "https://BÜCHER.example/über?ü=1"), (3, ASCII)]
    {
        let body = json!({"email": user.email, "password": PASSWORD, "callbackURL": page});
        let signed_in = world.browser().post("/sign-in/email").json(body).await.ok();
        assert_eq!((signed_in.header("location"), signed_in.text("/url")), (Some(ASCII), page.to_owned()));
        let body = json!({"email": user.email, "redirectTo": page});
        world.browser().post("/request-password-reset").json(body).await.ok();
        let link = world.link_for(&user.email, count).await;
        let followed = world.stranger().call("GET", &link).await.is(302);
        let location = followed.header("location").unwrap();
        assert!(location.starts_with(&format!("{ASCII}&token=")), "{location}");
        let used = world.stranger().call("GET", &link.replace("/reset-password/", "/reset-password/x")).await.is(302);
        assert_eq!(used.header("location"), Some(&*format!("{ASCII}&error=INVALID_TOKEN")));
    }
    for page in [
        "https://bücher.example.evil.example/",
        "https://evil.example／bücher.example/",
        "https://bücher.example@evil.example/",
        "https://bucher.example/",
        "//bücher.example/",
        "/ü",
    ] {
        let body = json!({"email": user.email, "password": PASSWORD, "callbackURL": page});
        world.browser().post("/sign-in/email").json(body).await.refused(403, "INVALID_CALLBACK_URL");
    }
}

/// The four fields are looked at on every operation that takes a body, and in the query.
#[on_each_database]
async fn nobody_is_led_to_an_untrusted_place(database: DatabaseKind) {
    let world = World::start(database).await;
    let fields = [
        ("callbackURL", "INVALID_CALLBACK_URL", "Invalid callbackURL"),
        ("redirectTo", "INVALID_REDIRECT_URL", "Invalid redirectURL"),
        ("errorCallbackURL", "INVALID_ERROR_CALLBACK_URL", "Invalid errorCallbackURL"),
        ("newUserCallbackURL", "INVALID_NEW_USER_CALLBACK_URL", "Invalid newUserCallbackURL"),
    ];
    for entry in operations().filter(|entry| entry.method == "POST") {
        for (field, code, message) in fields {
            let call = world.stranger().call(entry.method, entry.path).json(json!({field: "https://evil.example"}));
            call.await.refused(403, code).saying(message);
            let path = format!("{}?{field}=https%3A%2F%2Fevil.example", entry.path);
            world.stranger().call(entry.method, &path).json(json!({})).await.refused(403, code).saying(message);
        }
    }
}
