//! How a session or a token was proven, how long ago, and what that is good for.

use crate::harness::service::{APPLICATION, TotpApp};
use crate::harness::{Caller, PASSWORD, User, World, cheap_passwords, other_than};
use countersign_domain::ids::ApplicationId;
use countersign_domain::policy::Policy;
use countersign_domain::tenant::{Application, Directory, LoginPolicy, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

const NEW: &str = "a longer horse, a better battery";
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap()
}

/// Every operation of a session that changes or shows credentials, or ends trust.
fn managing() -> [(&'static str, Value); 6] {
    let password = json!({"password": PASSWORD});
    [
        ("/two-factor/get-totp-uri", password.clone()),
        ("/two-factor/generate-backup-codes", password.clone()),
        ("/two-factor/enable", password.clone()),
        ("/two-factor/revoke-trusted-devices", password.clone()),
        ("/change-password", json!({"currentPassword": PASSWORD, "newPassword": PASSWORD})),
        ("/two-factor/disable", password),
    ]
}

async fn manages_nothing(caller: &Caller) {
    for (path, body) in managing() {
        caller.post(path).json(body).await.refused(403, "SECOND_FACTOR_REQUIRED");
    }
}

async fn manages_everything(caller: &Caller) {
    for (path, body) in managing() {
        caller.post(path).json(body).await.ok();
    }
}

/// A 7.5.1.
#[on_each_database]
async fn a_second_factor_counts_for_an_hour_and_a_new_one_renews_it(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let lifetime = Policy::default().assurance_lifetime;
    assert_eq!(lifetime, HOUR);
    user.browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
    world.clock.advance(lifetime - Duration::from_millis(1));
    let password = json!({"password": PASSWORD});
    user.browser.post("/two-factor/get-totp-uri").json(password.clone()).await.ok();
    world.clock.advance(Duration::from_millis(1));
    manages_nothing(&user.browser).await;
    let refused = user.browser.post("/two-factor/get-totp-uri").json(password).await;
    assert!(refused.text("/message").contains("verify-totp"), "it says how to renew it: {refused}");
    user.browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
    manages_everything(&user.browser).await;
}

/// A 7.5.1.
#[on_each_database]
async fn a_token_manages_factors_for_an_hour_after_its_login_however_it_is_refreshed(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    let challenge = service.challenge(&user).await;
    let done = service.complete(&challenge, &app.fresh_code()).await.ok();
    let wrong = json!({"method": "sms", "mobilePhone": "+15550199", "code": "000000"});
    let add = |token: &str| service.with_token(token, "POST", "/user/two-factor").json(wrong.clone());
    let id = service.method_id(&user, "authenticator").await;
    let remove = |token: &str| {
        let body = json!({"methodId": id, "code": app.wrong_code()});
        service.with_token(token, "DELETE", "/user/two-factor").json(body)
    };
    let token = done.text("/token");
    add(&token).await.is(421);
    remove(&token).await.is(421);
    world.clock.advance(HOUR - Duration::from_secs(1));
    let refreshed = service.open("/jwt/refresh", json!({"refreshToken": done.text("/refreshToken")})).await.ok();
    let fresh = refreshed.text("/token");
    add(&fresh).await.is(421);
    world.clock.advance(Duration::from_secs(1));
    let shown = service.with_token(&fresh, "GET", "/jwt/validate").await.ok();
    assert_eq!(shown.text("/jwt/amr/0"), "mfa", "it is of a login with a second factor, an hour ago");
    // The refusal says which login would do (RFC 9470); a login with the password alone gets the same.
    let challenge = "Bearer error=\"insufficient_user_authentication\", acr_values=\"urn:countersign:factors:2\", \
                     max_age=\"3600\"";
    assert_eq!(add(&fresh).await.is(401).header("www-authenticate"), Some(challenge));
    assert_eq!(remove(&fresh).await.is(401).header("www-authenticate"), Some(challenge));
    let wanted = service.with_token(&fresh, "GET", "/jwt/validate").await.ok();
    assert_eq!(wanted.text("/jwt/acr"), "urn:countersign:factors:2");
    let plain = service.user().await;
    let token = service.log_in(&plain).await.ok().text("/token");
    service.enrol(&plain).await;
    assert_eq!(add(&token).await.is(401).header("www-authenticate"), Some(challenge));
    // Any other token (RFC 6750), none, and an API key, whose scheme has no name.
    let invalid = Some("Bearer error=\"invalid_token\"");
    assert_eq!(add("nonsense").await.is(401).header("www-authenticate"), invalid);
    assert_eq!(
        service.with_token("nonsense", "GET", "/jwt/validate").await.is(401).header("www-authenticate"),
        invalid
    );
    for (method, path) in [("POST", "/user/two-factor"), ("GET", "/jwt/validate"), ("GET", "/two-factor/secret")] {
        let anonymous = world.stranger().call(method, &format!("/api{path}")).await.is(401);
        assert_eq!(anonymous.header("www-authenticate"), Some("Bearer"), "{path}");
    }
    let other_key = service.get("/two-factor/secret").header("authorization", "nonsense").await.is(401);
    assert_eq!(other_key.header("www-authenticate"), None);
}

/// A session from a trusted device, and one from before the second factor was set up.
#[on_each_database]
async fn the_password_is_not_changed_without_the_second_factor_in_either_dialect_26(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let older = user.signed_in().await;
    let app = user.enrol().await;
    let trusted = user.trusted_with(&app).await;
    user.sign_in_from(&trusted).await.ok();
    for browser in [&older, &trusted] {
        for revoke in [true, false] {
            let body = json!({"currentPassword": PASSWORD, "newPassword": NEW, "revokeOtherSessions": revoke});
            browser.post("/change-password").json(body).await.refused(403, "SECOND_FACTOR_REQUIRED");
        }
        manages_nothing(browser).await;
    }
    let service = world.service().await;
    let change = json!({"loginId": user.email, "currentPassword": PASSWORD, "password": NEW});
    service.post("/user/change-password", change).await.wrong("[TrustTokenRequired]");
    trusted.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
    let body = json!({"currentPassword": PASSWORD, "newPassword": NEW});
    trusted.post("/change-password").json(body).await.ok();
}

/// A 7.2.4.
#[on_each_database]
async fn stepping_up_gives_a_new_token_and_the_old_one_is_dead(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let trusted = user.trusted_with(&app).await;
    user.sign_in_from(&trusted).await.ok();
    for factor in ["totp", "otp", "backup-code"] {
        world.clock.advance(HOUR);
        let stolen = trusted.copy();
        let before = trusted.get("/get-session").await.ok();
        let code = match factor {
            "totp" => app.fresh_code(),
            "otp" => {
                trusted.post("/two-factor/send-otp").await.ok();
                world.last_code_for(&user.email)
            }
            _ => app.backup_codes[0].clone(),
        };
        let passed = trusted.post(&format!("/two-factor/verify-{factor}")).json(json!({"code": code})).await.ok();
        let token = passed.text("/token");
        assert_ne!(token, before.text("/session/token"), "{factor}");
        assert!(passed.header("set-auth-token").unwrap().starts_with(&format!("{token}.")), "{factor}");
        assert!(passed.set_cookie("session_token").is_some(), "{factor}");
        assert!(stolen.get("/get-session").await.ok().body.is_null(), "{factor}");
        stolen.post("/two-factor/get-totp-uri").json(json!({"password": PASSWORD})).await.refused(401, "UNAUTHORIZED");
        let after = trusted.get("/get-session").await.ok();
        assert_eq!(after.text("/session/token"), token, "{factor}");
        for kept in ["/session/id", "/session/signedInAt", "/session/expiresAt", "/session/createdAt"] {
            assert_eq!(after.text(kept), before.text(kept), "{factor} {kept}");
        }
        let bearer = world.bearer(&token);
        bearer.post("/two-factor/get-totp-uri").json(json!({"password": PASSWORD})).await.ok();
        // Once more gives the session nothing, so that its token stays.
        let again = trusted.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
        assert_eq!((again.text("/token"), again.set_cookies().len()), (token, 0), "{factor}");
    }
}

/// Two right codes at once in one session: one new token comes of it, and the other code is not used up.
#[on_each_database]
async fn a_session_steps_up_once_for_each_token(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    world.clock.advance(HOUR);
    let calls = app.backup_codes.iter().map(|code| {
        let browser = user.browser.copy();
        tokio::spawn(browser.post("/two-factor/verify-backup-code").json(json!({"code": code})).send())
    });
    let calls: Vec<_> = calls.collect();
    let mut passed = Vec::new();
    for call in calls {
        let response = call.await.unwrap();
        assert!(response.status < 500, "{response}");
        passed.extend((response.status == 200).then(|| response.text("/token")));
    }
    let [token] = passed.as_slice() else { panic!("{} passed", passed.len()) };
    assert!(world.bearer(token).get("/get-session").await.ok().body.is_object());
    assert_eq!(world.database().number("SELECT count(*) AS number FROM backup_codes WHERE used_at IS NOT NULL"), 1);
}

#[on_each_database]
async fn what_was_proven_and_when_is_on_the_wire_and_a_trusted_device_proves_nothing_n14(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let shown = async |caller: &Caller| {
        let session = caller.get("/get-session").await.ok().body["session"].clone();
        let listed = caller.get("/list-sessions").await.ok();
        assert!(listed.body.as_array().unwrap().contains(&session), "{listed}");
        session
    };
    assert_eq!(shown(&user.browser).await["secondFactorAt"], Value::Null);
    assert_eq!(shown(&user.browser).await["signedInAt"], "2026-03-01T12:00:00.000Z");
    world.clock.advance(HOUR);
    let app = user.enrol().await;
    let enrolled = shown(&user.browser).await;
    assert_eq!(enrolled["secondFactorAt"], "2026-03-01T13:00:00.000Z");
    assert_eq!(enrolled["signedInAt"], "2026-03-01T12:00:00.000Z", "the new session goes back to the same sign-in");
    let trusted = user.trusted_with(&app).await;
    assert_ne!(shown(&trusted).await["secondFactorAt"], Value::Null);
    user.sign_in_from(&trusted).await.ok();
    assert_eq!(shown(&trusted).await["secondFactorAt"], Value::Null, "a trusted device is no second factor");

    let service = world.service().await;
    let login = json!({"loginId": user.email, "password": PASSWORD, "applicationId": APPLICATION});
    let id = service.post("/login", login.clone()).await.is(242).text("/twoFactorId");
    let body = json!({"twoFactorId": id, "code": app.fresh_code(), "trustComputer": true});
    let passed = service.open("/two-factor/login", body).await.is(202);
    let mut login = login;
    login["twoFactorTrustId"] = passed.body["twoFactorTrustId"].clone();
    let by_trust = service.post("/login", login).await.is(202);
    for (response, amr, acr) in
        [(&passed, "mfa", "urn:countersign:factors:2"), (&by_trust, "pwd", "urn:countersign:factors:1")]
    {
        let jwt = service.with_token(&response.text("/token"), "GET", "/jwt/validate").await.ok();
        assert_eq!((jwt.text("/jwt/amr/0").as_str(), jwt.text("/jwt/acr").as_str()), (amr, acr));
        assert_eq!(jwt.body["jwt"]["auth_time"], json!(world.clock_millis() / 1000));
    }
}

#[on_each_database]
async fn a_session_ends_thirty_days_after_its_sign_in_however_it_is_used_n12(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    for day in 1..30 {
        world.clock.advance(DAY);
        // Neither use nor a second factor moves the end.
        if day % 10 == 0 {
            user.browser.post("/two-factor/verify-totp").json(json!({"code": app.code()})).await.ok();
        }
        assert!(user.browser.get("/get-session").await.ok().body.is_object(), "day {day}");
    }
    world.clock.advance(DAY - Duration::from_secs(1));
    let last = user.browser.get("/get-session").await.ok();
    assert_eq!(last.text("/session/expiresAt"), "2026-03-31T12:00:00.000Z");
    world.clock.advance(Duration::from_secs(1));
    assert!(user.browser.get("/get-session").await.ok().body.is_null());
}

#[on_each_database]
async fn a_lifetime_that_is_shortened_holds_for_what_was_opened_before_n12(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let login =
        service.post("/login", json!({"loginId": user.email, "password": PASSWORD, "applicationId": APPLICATION}));
    let token = login.await.is(202).text("/refreshToken");
    world.clock.advance(2 * HOUR);
    let world = world
        .restarted_with(|settings| {
            settings.lifetimes.session = HOUR;
            settings.lifetimes.refresh_token = HOUR;
        })
        .await;
    assert!(user.browser.get("/get-session").await.ok().body.is_null());
    world.stranger().call("POST", "/api/jwt/refresh").json(json!({"refreshToken": token})).await.is(404);
}

#[on_each_database]
async fn an_access_token_lives_as_long_as_the_setting_says(database: DatabaseKind) {
    let lifetime = Duration::from_secs(120);
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        settings.lifetimes.access_token = lifetime;
    })
    .await;
    let service = world.service().await;
    let user = service.user().await;
    let login = service.log_in(&user).await.ok();
    let token = login.text("/token");
    let expiry = login.body["tokenExpirationInstant"].as_i64().unwrap();
    assert_eq!(expiry - world.clock_millis(), millis(lifetime));
    let validate = || service.with_token(&token, "GET", "/jwt/validate");
    world.clock.advance(lifetime - Duration::from_secs(1));
    validate().await.ok();
    world.clock.advance(Duration::from_secs(1));
    validate().await.is(401);
}

/// A 7.3.2.
#[on_each_database]
async fn refresh_tokens_end_ninety_days_after_the_login_however_they_are_used_n12(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let mut token = service.log_in(&user).await.ok().text("/refreshToken");
    let refresh = |token: &str| service.open("/jwt/refresh", json!({"refreshToken": token}));
    for _ in 0..4 {
        world.clock.advance(20 * DAY);
        token = refresh(&token).await.ok().text("/refreshToken");
    }
    let end = "SELECT max(expires_at) AS number FROM refresh_tokens";
    assert_eq!(world.database().number(end), world.clock_millis() + millis(10 * DAY), "the row ends with it");
    world.clock.advance(10 * DAY);
    refresh(&token).await.is(404);
    // Unused, one ends earlier.
    let token = service.log_in(&user).await.ok().text("/refreshToken");
    world.clock.advance(30 * DAY);
    refresh(&token).await.is(404);
}

#[on_each_database]
async fn trust_ends_ninety_days_after_the_second_factor_however_it_is_used_n12_n14(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let browser = user.trusted_with(&app).await;
    for _ in 0..4 {
        world.clock.advance(20 * DAY);
        assert_eq!(user.sign_in_from(&browser).await.ok().body["twoFactorRedirect"], Value::Null);
    }
    let end = "SELECT max(expires_at) AS number FROM trusted_devices";
    assert_eq!(world.database().number(end), world.clock_millis() + millis(10 * DAY), "the row ends with it");
    world.clock.advance(10 * DAY);
    assert_eq!(user.sign_in_from(&browser).await.ok().body["twoFactorRedirect"], true);
}

#[on_each_database]
async fn a_token_alone_binds_no_first_factor_26(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let token = service.log_in(&user).await.ok().text("/token");
    let own = |method: &str, path: &str, body: Value| service.with_token(&token, method, path).json(body);
    own("POST", "/two-factor/send", json!({"method": "email", "email": user.email})).await.ok();
    let code = world.last_code_for(&user.email);
    let enable = |more: Value| {
        let mut body = json!({"method": "email", "email": user.email, "code": code});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        own("POST", "/user/two-factor", body)
    };
    enable(json!({})).await.wrong("[TrustTokenRequired]");
    enable(json!({"password": "wrong"})).await.wrong("[invalid]password");
    enable(json!({"trustToken": "nonsense"})).await.wrong("[TrustTokenExpired]");
    let begun = service.post("/two-factor/start", json!({"userId": user.id, "trustChallenge": "mine"})).await.ok();
    let passed = service.complete(&begun.text("/twoFactorId"), &begun.text("/code")).await.ok();
    let trust_token = passed.text("/trustToken");
    enable(json!({"trustToken": trust_token})).await.wrong("[TrustTokenExpired]");
    let enabled = enable(json!({"trustToken": trust_token, "trustChallenge": "mine"})).await.ok();
    assert!(enabled.body["recoveryCodes"].is_array());
    assert_eq!(service.log_in(&user).await.status, 242);

    let plain = service.user().await;
    let token = service.log_in(&plain).await.ok().text("/token");
    let send = json!({"method": "email", "email": plain.email});
    service.with_token(&token, "POST", "/two-factor/send").json(send).await.ok();
    let code = world.last_code_for(&plain.email);
    let body = json!({"method": "email", "email": plain.email, "code": code, "password": PASSWORD});
    service.with_token(&token, "POST", "/user/two-factor").json(body).await.ok();
}

/// What a refused request leaves of a trust token is what it was: one change of this account, until the same end.
#[on_each_database]
async fn a_trust_token_is_used_up_by_the_method_that_it_adds_and_by_nothing_else_26_37(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let token = service.log_in(&user).await.ok().text("/token");
    let begin = async || {
        let begun = service.post("/two-factor/start", json!({"userId": user.id})).await.ok();
        service.complete(&begun.text("/twoFactorId"), &begun.text("/code")).await.ok().text("/trustToken")
    };
    let enable = |body: Value, trust_token: &str| {
        let mut body = body;
        body["trustToken"] = trust_token.into();
        service.with_token(&token, "POST", "/user/two-factor").json(body)
    };
    let send = async || {
        let send = json!({"method": "email", "email": user.email});
        service.with_token(&token, "POST", "/two-factor/send").json(send).await.ok();
        world.last_code_for(&user.email)
    };
    let email = |code: &str| json!({"method": "email", "email": user.email, "code": code});
    let made = service.get("/two-factor/secret").await.ok();
    let app = TotpApp::new(&made.text("/secretBase32Encoded"), &world.clock);
    let by_app = |code: &str| json!({"method": "authenticator", "secret": made.text("/secret"), "code": code});

    let trust_token = begin().await;
    let code = send().await;
    enable(email(&other_than(&[&code])), &trust_token).await.is(421);
    enable(by_app(&app.wrong_code()), &trust_token).await.is(421);
    let mut waiting = email(&code);
    waiting["twoFactorId"] = json!("A".repeat(43));
    enable(waiting, &trust_token).await.wrong("[invalid]twoFactorId");
    // It is nobody else's meanwhile, and opens nothing else than before.
    let other = service.user().await;
    let theirs = service.log_in(&other).await.ok().text("/token");
    let secret = service.get("/two-factor/secret").await.ok();
    let stranger = TotpApp::new(&secret.text("/secretBase32Encoded"), &world.clock);
    let body = json!({
        "method": "authenticator", "secret": secret.text("/secret"), "code": stranger.code(), "trustToken": trust_token,
    });
    service.with_token(&theirs, "POST", "/user/two-factor").json(body).await.wrong("[TrustTokenExpired]");
    // Of several uses at once one counts, and it is the last.
    let (first, second) = tokio::join!(enable(email(&code), &trust_token), enable(by_app(&app.code()), &trust_token));
    let added = [first.status, second.status].iter().filter(|status| **status == 200).count();
    assert_eq!(added, 1, "{first} {second}");
    let change = json!({
        "loginId": user.email, "currentPassword": PASSWORD, "password": "another battery staple", "trustToken": trust_token,
    });
    service.post("/user/change-password", change).await.wrong("[TrustTokenExpired]");

    // A refused request does not prolong it.
    let user = service.user().await;
    let token = service.log_in(&user).await.ok().text("/token");
    let begun = service.post("/two-factor/start", json!({"userId": user.id})).await.ok();
    let passed = service.complete(&begun.text("/twoFactorId"), &begun.text("/code")).await.ok();
    let made = service.get("/two-factor/secret").await.ok();
    let app = TotpApp::new(&made.text("/secretBase32Encoded"), &world.clock);
    let enable = |code: &str| {
        let body = json!({
            "method": "authenticator", "secret": made.text("/secret"), "code": code, "trustToken": passed.text("/trustToken"),
        });
        service.with_token(&token, "POST", "/user/two-factor").json(body)
    };
    world.clock.advance(Duration::from_secs(170));
    enable(&app.wrong_code()).await.is(421);
    world.clock.advance(Duration::from_secs(10));
    enable(&app.code()).await.wrong("[TrustTokenExpired]");
}

/// Access tokens are handed to applications; only those of applications that the operator named manage factors.
#[on_each_database]
async fn a_token_for_an_application_that_does_not_manage_factors_manages_none_26(database: DatabaseKind) {
    let other = ApplicationId::parse("c0de0000-0000-4000-8000-00000000000b").unwrap();
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        let relying = Application { id: other, manages_factors: false, ..Application::default() };
        settings.directory = Directory::new(vec![Tenant::default()], vec![Application::default(), relying]).unwrap();
    })
    .await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    for (application, added, removed) in
        [(Some(APPLICATION.to_owned()), 421, 421), (None, 421, 421), (Some(other.to_hyphenated()), 401, 401)]
    {
        let login = json!({"loginId": user.email, "password": PASSWORD, "applicationId": application});
        let id = service.post("/login", login).await.is(242).text("/twoFactorId");
        let done = service.complete(&id, &app.fresh_code()).await;
        let token = done.text("/token");
        let add = json!({"method": "sms", "mobilePhone": "+15550199", "code": "000000"});
        let add = service.with_token(&token, "POST", "/user/two-factor").json(add).await;
        let remove = json!({"methodId": service.method_id(&user, "authenticator").await, "code": app.wrong_code()});
        let remove = service.with_token(&token, "DELETE", "/user/two-factor").json(remove).await;
        assert_eq!((add.status, remove.status), (added, removed), "{application:?}");
    }
}

/// A token of before the tenant required a second factor enrols one, and does nothing else.
#[on_each_database]
async fn where_a_second_factor_is_required_a_token_without_one_only_enrols(database: DatabaseKind) {
    let before = World::with(database, cheap_passwords).await;
    let service = before.service().await;
    let user = service.user().await;
    let token = service.log_in(&user).await.ok().text("/token");
    let world = before
        .restarted_with(|settings| {
            let tenant = Tenant { login_policy: LoginPolicy::Required, ..Tenant::default() };
            settings.directory = Directory::new(vec![tenant], vec![Application::default()]).unwrap();
        })
        .await;
    let own = |method: &str, path: &str| world.bearer(&token).call(method, &format!("/api{path}"));
    own("GET", "/jwt/validate").await.is(401);
    own("DELETE", "/user/two-factor").json(json!({"code": "000000", "methodId": "AAAA"})).await.is(401);
    own("GET", "/two-factor/secret").await.ok();
    own("POST", "/two-factor/send").json(json!({"method": "email", "email": user.email})).await.ok();
    let code = world.last_code_for(&user.email);
    let body = json!({"method": "email", "email": user.email, "code": code, "password": PASSWORD});
    own("POST", "/user/two-factor").json(body).await.ok();
    own("GET", "/jwt/validate").await.is(401);
}

/// Only who is asked to sign in again notices: the session keeps everything else.
#[on_each_database]
async fn a_session_from_a_trusted_device_reads_itself_and_signs_out(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user: User = world.user("ada").await;
    let app = user.enrol().await;
    let trusted = user.trusted_with(&app).await;
    user.sign_in_from(&trusted).await.ok();
    trusted.get("/list-sessions").await.ok();
    trusted.post("/revoke-other-sessions").await.ok();
    trusted.post("/sign-out").await.ok();
}

#[on_each_database]
async fn a_token_proves_no_second_factor_once_that_is_switched_off_28(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    let method = service.method_id(&user, "authenticator").await;
    let challenge = service.challenge(&user).await;
    let token = service.complete(&challenge, &app.fresh_code()).await.ok().text("/token");
    let shown = || async { service.with_token(&token, "GET", "/jwt/validate").await.ok().body["jwt"].clone() };
    let before = shown().await;
    assert_eq!((&before["amr"], &before["acr"]), (&json!(["mfa"]), &json!("urn:countersign:factors:2")));
    let removal = json!({"code": app.fresh_code(), "methodId": method});
    service.call("DELETE", &format!("/user/two-factor/{}", user.id)).json(removal).await.ok();
    let after = shown().await;
    assert_eq!((&after["amr"], &after["acr"]), (&json!(["pwd"]), &json!("urn:countersign:factors:1")));
}
