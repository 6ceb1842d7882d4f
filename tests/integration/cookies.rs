//! Cookies on the wire: names, attributes, signatures, ways to write one value.

use crate::harness::{Caller, PASSWORD, World};
use countersign::config::values::BaseUrl;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

/// What percent-encoding hid, which in these cookies are base64's three signs.
fn decoded(value: &str) -> String {
    value.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
}

async fn is_live(caller: &Caller) -> bool {
    !caller.get("/get-session").await.ok().body.is_null()
}

#[on_each_database]
async fn attributes_stand_in_their_order_and_values_are_signed(database: DatabaseKind) {
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
async fn behind_https_cookies_are_secure_and_only_their_names_are_read(database: DatabaseKind) {
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
