//! Trusted devices and sessions as their user sees them: listed, renamed, revoked.

use crate::harness::{App, Caller, PASSWORD, Response, User, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";

async fn enrolled(world: &World) -> (User, App) {
    let user = world.user("ada").await;
    let app = user.enrol().await;
    (user, app)
}

async fn devices(caller: &Caller) -> Vec<Value> {
    caller.get("/trusted-devices/list").await.ok().body.as_array().unwrap().clone()
}

fn id(device: &Value) -> String {
    device["id"].as_str().unwrap().to_owned()
}

fn is_challenge(response: &Response) -> bool {
    response.body["twoFactorRedirect"] == json!(true)
}

async fn is_trusted(user: &User, caller: &Caller) -> bool {
    !is_challenge(&user.sign_in_from(&caller.copy()).await.ok())
}

fn events(world: &World, kind: &str) -> i64 {
    world.database().number(&format!("SELECT count(*) AS number FROM audit_events WHERE kind = '{kind}'"))
}

async fn rename(caller: &Caller, id: &str, name: &str) -> Response {
    caller.post("/trusted-devices/rename").json(json!({"id": id, "name": name})).await
}

async fn revoke(caller: &Caller, id: &str) -> Response {
    caller.post("/trusted-devices/revoke").json(json!({"id": id})).await
}

#[on_each_database]
async fn a_device_is_known_by_name_place_and_times_and_keeps_its_id(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    assert!(devices(&user.browser).await.is_empty());
    let browser = world.browser().with_header("user-agent", FIREFOX);
    user.sign_in_from(&browser).await.ok();
    let given_at = world.clock_millis();
    let trusting = json!({"code": app.backup_codes[0], "trustDevice": true});
    browser.post("/two-factor/verify-backup-code").json(trusting).await.ok();
    let first = devices(&browser).await.remove(0);
    assert_eq!(first["name"], "Firefox on Linux");
    assert_eq!((&first["userAgent"], &first["ipAddress"]), (&json!(FIREFOX), &json!("127.0.0.1")));
    assert_eq!((&first["isCurrent"], &first["createdAt"]), (&json!(true), &first["lastUsedAt"]));
    let fields = first.as_object().unwrap().len();
    assert!(fields == 8 && !first.to_string().contains(&browser.cookie("trust_device").unwrap()), "{first}");

    world.clock.advance(60 * MINUTE);
    assert!(!is_challenge(&user.sign_in_from(&browser).await.ok()));
    let used = devices(&browser).await.remove(0);
    assert_eq!(
        (&used["id"], &used["createdAt"], &used["isCurrent"]),
        (&first["id"], &first["createdAt"], &json!(true))
    );
    assert_ne!(used["lastUsedAt"], first["lastUsedAt"]);
    assert!(world.clock_millis() >= given_at + 3_600_000);

    // Another session of the user sees the same, and that it is another device.
    let elsewhere = devices(&user.browser).await.remove(0);
    assert_eq!((&elsewhere["id"], &elsewhere["isCurrent"]), (&first["id"], &json!(false)));
    let bearer = world.bearer(browser.get("/get-session").await.ok().text("/session/token"));
    assert_eq!(devices(&bearer).await, [elsewhere]);
}

#[on_each_database]
async fn a_name_is_chosen_and_stays(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.trusted_with(&app).await;
    let device = id(&devices(&browser).await[0]);
    let renamed = rename(&browser, &device, "  Küche 📱 ").await.ok();
    assert_eq!((&renamed.body["name"], &renamed.body["isCurrent"]), (&json!("Küche 📱"), &json!(true)));
    for odd in ["", "  ", "two\nlines", "evil\u{202e}txt", "\u{200b}"] {
        rename(&browser, &device, odd).await.refused(400, "INVALID_DEVICE_NAME").saying("Invalid device name");
    }
    rename(&browser, &device, &"x".repeat(65)).await.refused(400, "VALIDATION_ERROR");
    assert_eq!(events(&world, "device-renamed"), 1);
    assert!(!is_challenge(&user.sign_in_from(&browser).await.ok()), "which renews the trust");
    let device = devices(&browser).await.remove(0);
    assert_eq!((&device["name"], &device["isCurrent"]), (&json!("Küche 📱"), &json!(true)));
}

#[on_each_database]
async fn revoking_one_ends_that_trust_and_no_other(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let (first, second) = (user.trusted_with(&app).await, user.trusted_with(&app).await);
    let listed = devices(&first).await;
    let mine = |current: bool| listed.iter().find(|device| device["isCurrent"] == json!(current)).unwrap();
    // The session proved its second factor long ago: a session is enough.
    world.clock.advance(600 * MINUTE);
    let revoked = revoke(&first, &id(mine(false))).await.ok();
    assert!(revoked.set_cookies().is_empty(), "{revoked}");
    assert!(!is_challenge(&user.sign_in_from(&first).await.ok()), "which renews its cookie");
    assert!(!is_trusted(&user, &second).await);
    assert_eq!(devices(&first).await.len(), 1);
    revoke(&first, &id(mine(false))).await.refused(404, "TRUSTED_DEVICE_NOT_FOUND");
    assert_eq!(events(&world, "device-revoked"), 1);

    let copy = first.copy();
    let own = id(&devices(&first).await[0]);
    assert!(revoke(&first, &own).await.ok().set_cookie("trust_device").unwrap().is_deletion());
    assert!(first.cookie("session_token").is_some() && !is_trusted(&user, &copy).await);
    assert_eq!(events(&world, "device-revoked"), 2);
}

#[on_each_database]
async fn revoking_all_takes_no_password(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let (first, second) = (user.trusted_with(&app).await, user.trusted_with(&app).await);
    let copy = first.copy();
    assert!(first.post("/trusted-devices/revoke-all").await.ok().set_cookie("trust_device").unwrap().is_deletion());
    assert!(devices(&first).await.is_empty() && events(&world, "trust-revoked") == 1);
    assert!(!is_trusted(&user, &copy).await && !is_trusted(&user, &second).await);
    assert!(first.get("/get-session").await.ok().body.is_object(), "sessions stay");
}

/// Nothing tells a device of somebody else from one that there never was.
#[on_each_database]
async fn devices_of_others_are_out_of_reach_36(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.trusted_with(&app).await;
    let device = id(&devices(&browser).await[0]);
    let other = world.user("bob").await;
    other.enrol().await;
    assert!(devices(&other.browser).await.is_empty());
    let unknown = "0192f3a46b7c8d8e9fa0b1c2d3e4f508";
    for path in ["rename", "revoke"] {
        let body = |id: &str| json!({"id": id, "name": "mine"});
        let call = |id: &str| other.browser.post(&format!("/trusted-devices/{path}")).json(body(id));
        let foreign = call(&device).await.refused(404, "TRUSTED_DEVICE_NOT_FOUND");
        for id in [unknown, "x", ""] {
            assert_eq!(call(id).await.refused(404, "TRUSTED_DEVICE_NOT_FOUND").raw, foreign.raw, "{id}");
        }
    }
    other.browser.post("/trusted-devices/revoke-all").await.ok();
    assert_eq!(devices(&browser).await[0]["name"], "countersign-tests");
    assert!(is_trusted(&user, &browser).await && events(&world, "device-revoked") == 0);
}

/// The password alone, and with it a challenge, shows and changes nothing.
#[on_each_database]
async fn a_challenge_sees_no_devices_19_20(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.trusted_with(&app).await;
    let device = id(&devices(&browser).await[0]);
    let by_cookie = user.challenged().await;
    let by_bearer = world.bearer(user.challenge_token(&world.browser()).await);
    for caller in [by_cookie, by_bearer] {
        caller.get("/trusted-devices/list").await.refused(401, "UNAUTHORIZED");
        rename(&caller, &device, "mine").await.refused(401, "UNAUTHORIZED");
        revoke(&caller, &device).await.refused(401, "UNAUTHORIZED");
        caller.post("/trusted-devices/revoke-all").await.refused(401, "UNAUTHORIZED");
    }
    assert!(is_trusted(&user, &browser).await);
}

/// A sign-in replaces the trust while it is revoked: whichever comes first, it has ended afterwards.
#[on_each_database]
async fn a_revocation_that_meets_a_sign_in_ends_the_trust(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    for _ in 0..6 {
        let browser = user.trusted_with(&app).await;
        let device = id(devices(&browser).await.iter().find(|device| device["isCurrent"] == json!(true)).unwrap());
        let (signed_in, revoked) = tokio::join!(user.sign_in_from(&browser), revoke(&user.browser, &device));
        revoked.ok();
        signed_in.ok();
        assert!(!is_trusted(&user, &browser).await);
    }
}

/// What nodes of the version before have stored has an id, too, and no name.
#[on_each_database]
async fn trust_of_the_version_before_is_listed_renamed_and_revoked(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let (first, second) = (user.trusted_with(&app).await, user.trusted_with(&app).await);
    let columns = ["id", "name", "user_agent", "ip_address", "last_used_at"].map(|column| format!("{column} = NULL"));
    world.database().execute(&format!("UPDATE trusted_devices SET {}", columns.join(", ")));
    world.database().execute("UPDATE sessions SET last_used_at = NULL");
    let listed = devices(&first).await;
    assert_eq!((listed.len(), &listed[0]["name"]), (2, &json!("Unknown device")));
    let own = listed.iter().find(|device| device["isCurrent"] == json!(true)).unwrap();
    rename(&first, &id(own), "mine").await.ok();
    assert!(!is_challenge(&user.sign_in_from(&first).await.ok()));
    let renewed = devices(&first).await.into_iter().find(|device| device["isCurrent"] == json!(true)).unwrap();
    assert_eq!((&renewed["id"], &renewed["name"]), (&own["id"], &json!("mine")));
    revoke(&first, &id(&renewed)).await.ok();
    assert!(is_trusted(&user, &second).await);
}

/// Trust that a service's users give has the name that its client gave it, and ends as well.
#[on_each_database]
async fn devices_of_the_other_dialect_are_among_them(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let service = world.service().await;
    let login = json!({"loginId": user.email, "password": user.password, "ipAddress": "192.0.2.7"});
    let challenge = service.post("/login", login.clone()).await.is(242).text("/twoFactorId");
    let device = json!({"device": {"name": "Ada's phone", "type": "MOBILE", "data": {"x": 1}}, "scopes": []});
    let complete = json!({
        "twoFactorId": challenge, "code": app.fresh_code(), "trustComputer": true, "metaData": device,
    });
    let trust = service.open("/two-factor/login", complete).await.ok().text("/twoFactorTrustId");
    let listed = devices(&user.browser).await;
    assert_eq!((&listed[0]["name"], &listed[0]["isCurrent"]), (&json!("Ada's phone"), &json!(false)));

    world.clock.advance(MINUTE);
    let mut trusted = login;
    trusted["twoFactorTrustId"] = json!(trust);
    service.post("/login", trusted.clone()).await.ok();
    let used = devices(&user.browser).await;
    assert_eq!((&used[0]["id"], &used[0]["ipAddress"]), (&listed[0]["id"], &json!("192.0.2.7")));
    assert_ne!(used[0]["lastUsedAt"], listed[0]["lastUsedAt"]);
    revoke(&user.browser, &id(&used[0])).await.ok();
    service.post("/login", trusted).await.is(242);
}

/// The refresh tokens of a user are the devices of the other dialect.
#[on_each_database]
async fn a_refresh_token_names_the_device_that_logged_in(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let long = "x".repeat(300);
    let described = json!({"device": {"name": "Ada's tablet", "description": long, "type": "TABLET",
        "lastAccessedAddress": "198.51.100.1", "lastAccessedInstant": 1}});
    let login = |more: Value| {
        let mut body = json!({"loginId": user.email, "password": PASSWORD,
            "applicationId": crate::harness::service::APPLICATION});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        service.post("/login", body)
    };
    let tokens = async || {
        let listed = service.get(&format!("/jwt/refresh?userId={}", user.id)).await.ok();
        listed.body["refreshTokens"].as_array().unwrap().clone()
    };
    let first = login(json!({"metaData": described, "ipAddress": "192.0.2.9"})).await.ok();
    let token = first.text("/refreshToken");
    let at = world.clock_millis();
    let device = tokens().await.remove(0)["metaData"]["device"].clone();
    assert_eq!(
        device,
        json!({"name": "Ada's tablet", "description": "x".repeat(256), "type": "TABLET",
            "lastAccessedAddress": "192.0.2.9", "lastAccessedInstant": at})
    );
    world.clock.advance(MINUTE);
    service.open("/jwt/refresh", json!({"refreshToken": token})).await.ok();
    let used = tokens().await.remove(0)["metaData"]["device"].clone();
    assert_eq!((&used["name"], &used["lastAccessedInstant"]), (&device["name"], &json!(world.clock_millis())));

    service.call("DELETE", &format!("/jwt/refresh?userId={}", user.id)).await.ok();
    for odd in [
        json!({}),
        json!({"metaData": null}),
        json!({"metaData": {"device": null}}),
        json!({"metaData": {"device": {"name": "two\nlines", "type": null}}}),
    ] {
        login(odd).await.ok();
    }
    let listed = tokens().await;
    assert_eq!(listed.len(), 4);
    for token in listed {
        let device = token["metaData"]["device"].as_object().unwrap();
        assert_eq!(device.keys().collect::<Vec<_>>(), ["lastAccessedInstant"], "a service's address is nobody's");
    }
}

/// Users list their sessions, and see which one they do not know (A 7.5.2).
#[on_each_database]
async fn a_session_says_what_used_it_last_and_when_a_7_5_2(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let browser = world.browser().with_header("user-agent", FIREFOX);
    user.sign_in_from(&browser).await.ok();
    let shown = async || browser.get("/get-session?disableRefresh=true").await.ok().body["session"].clone();
    let first = shown().await;
    assert_eq!((&first["deviceName"], &first["lastUsedAt"]), (&json!("Firefox on Linux"), &first["createdAt"]));
    world.clock.advance(5 * MINUTE - Duration::from_millis(1));
    assert_eq!(shown().await["lastUsedAt"], first["lastUsedAt"], "not each request is a write");
    world.clock.advance(Duration::from_millis(1));
    let used = shown().await;
    assert_ne!(used["lastUsedAt"], first["lastUsedAt"]);
    let listed = user.browser.get("/list-sessions").await.ok();
    let sessions = listed.body.as_array().unwrap();
    let theirs = sessions.iter().find(|session| session["id"] == first["id"]).unwrap();
    assert_eq!((&theirs["lastUsedAt"], &theirs["deviceName"]), (&used["lastUsedAt"], &json!("Firefox on Linux")));
    assert_eq!(theirs["updatedAt"], first["updatedAt"], "use is no extension");
}
