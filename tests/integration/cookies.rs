//! Cookies on the wire: names, attributes, signatures, ways to write one value.

use crate::harness::{Caller, PASSWORD, World};
use countersign::config::values::BaseUrl;
use countersign::net::cookie_scope::{CookieDomain, SameSite};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::collections::BTreeSet;

/// What percent-encoding hid, which in these cookies are base64's three signs.
fn decoded(value: &str) -> String {
    value.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
}

async fn is_live(caller: &Caller) -> bool {
    !caller.get("/get-session").await.ok().body.is_null()
}

#[on_each_database]
async fn attributes_stand_in_their_order_and_values_are_signed_a_3_3_2_a_3_3_4(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let response = user.sign_in_from(&world.browser()).await.ok();
    let cookie = response.set_cookie("session_token").unwrap();
    assert_eq!(cookie.name, "better-auth.session_token");
    assert_eq!(cookie.attributes, "Max-Age=604800; Path=/; HttpOnly; SameSite=Lax");
    let signed = decoded(&cookie.value);
    let (value, signature) = signed.rsplit_once('.').unwrap();
    assert_eq!(value, response.text("/token"));
    assert!(signature.len() == 44 && signature.ends_with('='), "{signature}");
    assert!(!cookie.value.contains(['+', '/', '=']), "{}", cookie.value);
    assert_eq!(response.header("set-auth-token"), Some(signed.as_str()));
}

#[on_each_database]
async fn a_challenge_clears_before_it_sets(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    user.enrol().await;
    let response = user.sign_in_from(&world.browser()).await.ok();
    let lines: Vec<(String, bool, String)> = response
        .set_cookies()
        .into_iter()
        .map(|cookie| (cookie.name.clone(), cookie.is_deletion(), cookie.attributes))
        .collect();
    let deleted = "Max-Age=0; Path=/; HttpOnly; SameSite=Lax";
    let expected = [
        ("better-auth.session_token", true, deleted),
        ("better-auth.session_data", true, deleted),
        ("better-auth.two_factor", false, "Max-Age=600; Path=/; HttpOnly; SameSite=Lax"),
    ];
    assert_eq!(lines, expected.map(|(name, is_deletion, rest)| (name.to_owned(), is_deletion, rest.to_owned())));
    assert!(response.set_cookie("two_factor").unwrap().value.starts_with("2fa-"));
}

#[on_each_database]
async fn behind_https_cookies_are_secure_and_only_their_names_are_read_a_3_3_1(database: DatabaseKind) {
    let world =
        World::with(database, |settings| settings.base_url = BaseUrl::parse("https://countersign.test").unwrap()).await;
    let user = world.user("ada").await;
    let response = user.sign_in_from(&world.browser()).await.ok();
    let cookie = response.set_cookie("session_token").unwrap();
    assert_eq!(cookie.name, "__Secure-better-auth.session_token");
    assert_eq!(cookie.attributes, "Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax");
    assert!(is_live(&user.browser).await);
    let plain = world.browser();
    plain.set_cookie("better-auth.session_token", &cookie.value);
    assert!(!is_live(&plain).await, "there is no way around the prefix");
    let response = user.browser.post("/sign-out").await.ok();
    assert!(
        response
            .set_cookies()
            .iter()
            .all(|cookie| cookie.name.starts_with("__Secure-") && cookie.attributes.contains("; Secure;"))
    );
}

/// Whatever sets a cookie or clears it, in both dialects; no page has a script that reads one.
#[on_each_database]
async fn every_cookie_has_its_flags_a_3_3_1_a_3_3_2_a_3_3_4(database: DatabaseKind) {
    let world =
        World::with(database, |settings| settings.base_url = BaseUrl::parse("https://countersign.test").unwrap()).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let browser = world.browser();
    let body = json!({"email": user.email, "password": PASSWORD, "rememberMe": false});
    let challenged = browser.post("/sign-in/email").json(body).await.ok();
    let body = json!({"code": app.fresh_code(), "trustDevice": true});
    let passed = browser.post("/two-factor/verify-totp").json(body).await.ok();
    let signed_out = browser.post("/sign-out").await.ok();
    let service = world.service().await;
    let holder = service.user().await;
    let app = service.enrol(&holder).await;
    let body =
        json!({"twoFactorId": service.challenge(&holder).await, "code": app.fresh_code(), "trustComputer": true});
    let logged_in = service.open("/two-factor/login", body).await.ok();
    let token = json!({"refreshToken": logged_in.text("/refreshToken")});
    let refreshed = service.open("/jwt/refresh", token.clone()).await.ok();
    let logged_out = service.open("/logout", token).await.ok();
    let mut names = BTreeSet::new();
    for response in [&challenged, &passed, &signed_out, &logged_in, &refreshed, &logged_out] {
        for cookie in response.set_cookies() {
            let attributes: Vec<&str> = cookie.attributes.split("; ").collect();
            for flag in ["Secure", "HttpOnly", "SameSite=Lax"] {
                assert!(attributes.contains(&flag), "{} has no {flag}: {response}", cookie.name);
            }
            names.insert(cookie.name.trim_start_matches("__Secure-better-auth.").to_owned());
        }
    }
    for name in [
        "session_token",
        "two_factor",
        "trust_device",
        "dont_remember",
        "access_token",
        "refresh_token",
        "fusionauth.trust",
    ] {
        assert!(names.contains(name), "{name} was not seen: {names:?}");
    }
}

/// Pages and middlewares look whether the cookie is there: one that never opens anything would lead them in circles.
#[on_each_database]
async fn a_session_cookie_that_no_key_signed_is_cleared(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    for value in ["abc", "abc.def", "%ZZ", "x.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D"] {
        let forged = || {
            let browser = world.browser();
            browser.set_cookie("better-auth.session_token", value);
            browser.set_cookie("better-auth.dont_remember", "true");
            browser
        };
        let browser = forged();
        let read = browser.get("/get-session").await.ok();
        assert!(read.body.is_null(), "{read}");
        assert_eq!(browser.cookies().len(), 0, "{read}");
        for (method, path) in
            [("GET", "/list-sessions"), ("POST", "/revoke-sessions"), ("POST", "/two-factor/send-otp")]
        {
            let browser = forged();
            let refused = browser.call(method, &format!("/api/auth{path}")).await.is(401);
            assert_eq!(browser.cookies().len(), 0, "{refused}");
        }
        let (browser, body) = (forged(), json!({"code": "123456"}));
        browser.post("/two-factor/verify-totp").json(body).await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
        assert_eq!(browser.cookies().len(), 0);
        // A token goes before it, and it is nobody's business then.
        let bearer = forged().with_header("authorization", &format!("Bearer {}", user.first_token));
        let read = bearer.get("/get-session").await.ok();
        assert!(!read.body.is_null() && read.set_cookie("session_token").is_none(), "{read}");
    }
    let none = world.stranger().get("/get-session").await.ok();
    assert_eq!(none.set_cookies(), [], "there is nothing to clear");
}

/// The settings hold for the cookies of both dialects. One for a domain takes the place of that of the host alone.
#[on_each_database]
async fn domain_and_same_site_are_those_of_the_settings_a_3_3_2(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        settings.base_url = BaseUrl::parse("https://id.countersign.test").unwrap();
        settings.cookies.domain = Some(CookieDomain::parse("countersign.test").unwrap());
        settings.cookies.same_site = SameSite::None;
    });
    let world = world.await;
    let user = world.user("ada").await;
    user.enrol().await;
    let browser = world.browser();
    let challenged = user.sign_in_from(&browser).await.ok();
    let ended = user.browser.post("/sign-out").await.ok();
    let service = world.service().await;
    let holder = service.user().await;
    let login = service.log_in(&holder).await.ok();
    for response in [&challenged, &ended, &login] {
        let lines = response.set_cookies();
        assert!(!lines.is_empty() && lines.len() % 2 == 0, "{response}");
        for pair in lines.chunks(2) {
            let [of_host, of_domain] = pair else { panic!("two of each: {response}") };
            assert_eq!(of_host.name, of_domain.name);
            assert!(of_host.is_deletion() && !of_host.attributes.contains("Domain"), "{response}");
            assert!(of_domain.attributes.contains("; Domain=countersign.test; "), "{response}");
            for line in pair {
                let attributes: Vec<&str> = line.attributes.split("; ").collect();
                assert!(attributes.contains(&"Secure") && attributes.contains(&"SameSite=None"), "{response}");
            }
        }
    }
    assert!(challenged.set_cookie("two_factor").is_some_and(|cookie| !cookie.is_deletion()));
    assert!(browser.cookie("two_factor").is_some());
}

#[on_each_database]
async fn a_secure_name_is_not_read_without_https(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let browser = world.browser();
    browser.set_cookie("__Secure-better-auth.session_token", &user.browser.cookie("session_token").unwrap());
    assert!(!is_live(&browser).await);
}

#[on_each_database]
async fn one_value_may_be_written_in_several_ways(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let encoded = user.browser.cookie("session_token").unwrap();
    let plain = decoded(&encoded);
    let name = "better-auth.session_token";
    for header in [
        format!("{name}={encoded}"),
        format!("{name}={plain}"),
        format!("{name}=\"{plain}\""),
        format!("{name}=\"{encoded}\""),
        format!("a=b;{name}={encoded};c=d"),
        format!("a=b;   {name} = {encoded} ; c"),
        format!("{name}={encoded}; {name}=other"),
        format!("theme=ä; {name}={encoded}"),
    ] {
        let caller = world.stranger().with_header("cookie", &header);
        assert!(is_live(&caller).await, "{header}");
    }
    let (token, signature) = plain.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    for header in [
        format!("{name}={token}"),
        format!("{name}={token}."),
        format!("{name}={token}.{}", signature.trim_end_matches('=')),
        format!("{name}={token}.{other}{}", &signature[1..]),
        format!("{name}=.{signature}"),
        format!("{name}=other; {name}={encoded}"),
        format!("{}={encoded}", name.to_uppercase()),
        format!("x{name}={encoded}"),
        format!("{name}=%ZZ{encoded}"),
    ] {
        let caller = world.stranger().with_header("cookie", &header);
        assert!(!is_live(&caller).await, "{header}");
    }
}

#[on_each_database]
async fn a_value_of_one_cookie_is_none_of_another_38(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let browser = user.challenged().await;
    let challenge = browser.cookie("two_factor").unwrap();
    let body = json!({"code": app.fresh_code(), "trustDevice": true});
    browser.post("/two-factor/verify-totp").json(body).await.ok();
    let (session, trust) = (browser.cookie("session_token").unwrap(), browser.cookie("trust_device").unwrap());
    let fresh = user.challenged().await.cookie("two_factor").unwrap();

    for value in [&challenge, &fresh, &trust] {
        let caller = world.browser();
        caller.set_cookie("better-auth.session_token", value);
        assert!(!is_live(&caller).await);
        caller.post("/revoke-sessions").await.refused(401, "UNAUTHORIZED");
        caller
            .post("/two-factor/verify-totp")
            .json(json!({"code": app.fresh_code()}))
            .await
            .refused(401, "INVALID_TWO_FACTOR_COOKIE");
    }
    for value in [&session, &trust] {
        let caller = world.browser();
        caller.set_cookie("better-auth.two_factor", value);
        caller
            .post("/two-factor/verify-totp")
            .json(json!({"code": app.fresh_code()}))
            .await
            .refused(401, "INVALID_TWO_FACTOR_COOKIE");
        caller.post("/two-factor/send-otp").await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
    }
    for value in [&session, &fresh] {
        let caller = world.browser();
        caller.set_cookie("better-auth.trust_device", value);
        let response =
            caller.post("/sign-in/email").json(json!({"email": user.email, "password": PASSWORD})).await.ok();
        assert_eq!(response.body["twoFactorRedirect"], true);
    }
    for value in [&challenge, &fresh, &trust] {
        let token = decoded(value);
        let (raw, _) = token.rsplit_once('.').unwrap();
        for bearer in [token.as_str(), value.as_str(), raw] {
            let response = world.bearer(bearer).get("/get-session").await.ok();
            assert!(response.body.is_null(), "{bearer}");
            world.bearer(bearer).get("/list-sessions").await.refused(401, "UNAUTHORIZED");
        }
    }
}
