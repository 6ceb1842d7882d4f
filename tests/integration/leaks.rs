//! What is kept, logged and answered holds nothing that opens anything.

use crate::harness::authenticator::{ORIGIN, RP_ID};
use crate::harness::{App, Authenticator, Caller, Process, User};
use crate::passkeys::{REGISTER_OPTIONS, SIGN_IN_OPTIONS, options};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::tempdir;

/// Things that must not be found, each with a name for the message.
struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    fn add(&mut self, name: &str, text: &str) {
        self.0.push((name.to_owned(), text.as_bytes().to_vec()));
    }

    /// Everything that the browser holds: whole cookies, as sent and decoded, and the values inside.
    fn add_cookies(&mut self, caller: &Caller) {
        for (name, value) in caller.cookies() {
            let decoded = value.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
            self.add(&name, &value);
            self.add(&name, &decoded);
            let (inner, signature) = decoded.rsplit_once('.').unwrap();
            self.add(&format!("signature of {name}"), signature);
            for part in inner.split('!').filter(|part| part.len() > 8) {
                self.add(&format!("value of {name}"), part);
            }
        }
    }

    fn add_app(&mut self, app: &App) {
        self.add("TOTP secret", &app.base32);
        let key = countersign_domain::totp::TotpSecret::from_base32(&app.base32).unwrap();
        self.0.push(("TOTP key".to_owned(), key.expose().to_vec()));
        for code in &app.backup_codes {
            self.add("backup code", code);
            self.add("backup code without dash", &code.replace('-', ""));
        }
    }

    /// A value of base64url, as it is sent and decoded.
    fn add_encoded(&mut self, name: &str, value: &Value) {
        let text = value.as_str().unwrap();
        self.add(name, text);
        self.0.push((format!("decoded {name}"), BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()));
    }

    #[track_caller]
    fn assert_absent(&self, place: &str, bytes: &[u8]) {
        assert!(!bytes.is_empty(), "there is nothing in the {place} to look through");
        for (name, secret) in &self.0 {
            let found = bytes
                .windows(secret.len())
                .enumerate()
                .find(|(at, window)| window == secret && !is_inside(bytes, *at, secret));
            assert!(found.is_none(), "the {place} holds a {name}: {:?}", String::from_utf8_lossy(secret));
        }
    }
}

/// Six digits may stand by chance within a longer number, such as a time in milliseconds.
fn is_inside(bytes: &[u8], at: usize, secret: &[u8]) -> bool {
    let is_short = secret.len() == 6 && secret.iter().all(u8::is_ascii_digit);
    let neighbours = [at.checked_sub(1).and_then(|before| bytes.get(before)), bytes.get(at + secret.len())];
    is_short && neighbours.iter().flatten().any(|byte| byte.is_ascii_alphanumeric())
}

async fn send_code(server: &Process, user: &User, caller: &Caller, secrets: &mut Secrets) -> String {
    caller.post("/two-factor/send-otp").await.ok();
    let code = server.last_code_for(&user.email);
    secrets.add("mailed code", &code);
    code
}

/// A life with everything in it, some of it under way, in front of a log that says all it can say.
#[on_each_database]
async fn neither_database_nor_log_holds_a_password_token_code_or_secret_43(database: DatabaseKind) {
    let directory = tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[("COUNTERSIGN_LOG", "trace")]);
    let mut secrets = Secrets(Vec::new());
    let mut user = server.user("ada").await;
    secrets.add("password", &user.password);
    secrets.add("session token", &user.first_token);
    secrets.add_cookies(&user.browser);

    let app = user.begin_enrolment().await;
    secrets.add_app(&app);
    secrets.add("TOTP code", &app.code());
    user.browser.post("/two-factor/verify-totp").json(json!({"code": app.code()})).await.ok();
    secrets.add_cookies(&user.browser);
    secrets.add_app(&user.begin_enrolment().await);

    // Challenges that were passed by each factor, with trust, and one that stays open with a code in the post.
    for factor in ["otp", "backup-code"] {
        let browser = server.browser();
        secrets.add("challenge token", &user.challenge_token(&browser).await);
        secrets.add_cookies(&browser);
        let code = match factor {
            "otp" => send_code(&server, &user, &browser, &mut secrets).await,
            _ => app.backup_codes[0].clone(),
        };
        let body = json!({"code": code, "trustDevice": true});
        browser.post(&format!("/two-factor/verify-{factor}")).json(body).await.ok();
        secrets.add_cookies(&browser);
        let response = user.sign_in_from(&browser).await.ok();
        secrets.add("session token", &response.text("/token"));
        secrets.add_cookies(&browser);
    }
    let open = server.browser();
    secrets.add("challenge token", &user.challenge_token(&open).await);
    secrets.add_cookies(&open);
    send_code(&server, &user, &open, &mut secrets).await;
    send_code(&server, &user, &user.browser.copy(), &mut secrets).await;

    // Mistakes: secrets in the wrong place, and things that are nearly right.
    let stranger = server.stranger();
    let wrong = "this is not the password";
    secrets.add("wrong password", wrong);
    stranger
        .post("/sign-in/email")
        .json(json!({"email": user.email, "password": wrong}))
        .await
        .refused(401, "INVALID_EMAIL_OR_PASSWORD");
    stranger
        .post("/sign-in/email")
        .body("application/json", format!("{{\"password\": \"{wrong}\""))
        .await
        .refused(400, "BAD_REQUEST");
    stranger.post("/sign-in/email").body("text/plain", wrong).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    let misplaced = format!("/get-session?token={}", user.first_token);
    stranger.get(&misplaced).await.ok();
    let misplaced = format!("/api/auth/reset/{}", user.first_token);
    stranger.call("GET", &misplaced).undocumented().await;
    let revoke = json!({"token": user.first_token});
    user.browser.post("/revoke-session").json(revoke).await.ok();

    let new = "an entirely different password";
    secrets.add("new password", new);
    let change = json!({"currentPassword": user.password, "newPassword": new, "revokeOtherSessions": true});
    secrets.add("session token", &user.browser.post("/change-password").json(change).await.ok().text("/token"));
    new.clone_into(&mut user.password);
    secrets.add_cookies(&user.browser);
    let generated = user.browser.post("/two-factor/generate-backup-codes").json(json!({"password": new})).await.ok();
    (0..10).for_each(|index| secrets.add("backup code", &generated.text(&format!("/backupCodes/{index}"))));
    send_code(&server, &user, &user.browser, &mut secrets).await;

    let database = server.database();
    let dump = database.dump();
    assert!(
        dump.len() > 2_000 && dump.windows(15).any(|window| window == b"ada@example.com"),
        "the dump is the database's"
    );
    secrets.assert_absent("database", &dump);
    // The log is written by a thread of its own.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let log = server.log();
    assert!(
        log.contains("changePassword") || log.contains("change-password") || log.contains("change_password"),
        "{log}"
    );
    secrets.add("address", &user.email);
    secrets.assert_absent("log", log.as_bytes());
}

/// The same for what the FusionAuth dialect hands out.
#[on_each_database]
async fn neither_database_nor_log_holds_what_a_service_is_given_43(database: DatabaseKind) {
    let directory = tempdir().unwrap();
    let variables = [("COUNTERSIGN_LOG", "trace"), ("COUNTERSIGN_REFRESH_TOKEN_USAGE", "OneTimeUse")];
    let server = Process::start(database, directory.path(), &variables);
    let mut secrets = Secrets(Vec::new());
    let service = server.service();
    secrets.add("API key", &service.key);
    let user = service.user().await;
    let login = service.log_in(&user).await.ok();
    secrets.add("access token", &login.text("/token"));
    secrets.add("refresh token", &login.text("/refreshToken"));
    let next = service.open("/jwt/refresh", json!({"refreshToken": login.text("/refreshToken")})).await.ok();
    let next = next.text("/refreshToken");
    let again = service.open("/jwt/refresh", json!({"refreshToken": login.text("/refreshToken")})).await.ok();
    assert_eq!(again.text("/refreshToken"), next, "the second time as well");
    secrets.add("refresh token", &next);
    let app = service.enrol_with(&user, |app| app.code_in(-1)).await;
    for code in &app.recovery_codes {
        secrets.add("recovery code", code);
        secrets.add("recovery code without dash", &code.replace('-', ""));
    }
    service.enrol_address(&user, "email", &user.email).await;
    secrets.add("sent code", &server.last_code_for(&user.email));
    let email = service.method_id(&user, "email").await;
    let open = service.challenge(&user).await;
    secrets.add("challenge", &open);
    service.open(&format!("/two-factor/send/{open}"), json!({"methodId": email})).await.ok();
    secrets.add("sent code", &server.last_code_for(&user.email));
    let challenge = service.challenge(&user).await;
    let body = json!({"twoFactorId": challenge, "code": app.code_in(1), "trustComputer": true});
    let done = service.open("/two-factor/login", body).await.ok();
    secrets.add("challenge", &challenge);
    secrets.add("trust token", &done.text("/trustToken"));
    secrets.add("trust", &done.text("/twoFactorTrustId"));
    let path = format!("/two-factor/status/{}?userId={}", done.text("/twoFactorTrustId"), user.id);
    service.get(&path).await.ok();
    let start = json!({"userId": user.id, "trustChallenge": "a text that only I know"});
    let begun = service.post("/two-factor/start", start).await.ok();
    secrets.add("trust challenge", "a text that only I know");
    secrets.add("code of a start", &begun.text("/code"));
    let plain = service.user_with(json!({"passwordChangeRequired": true})).await;
    let leave = service.log_in(&plain).await.is(203).text("/changePasswordId");
    secrets.add("leave to change a password", &leave);
    let body = json!({"password": "another horse battery"});
    let changed = service.open(&format!("/user/change-password/{leave}"), body).await.ok();
    secrets.add("password", "another horse battery");
    secrets.add("one-time password", &changed.text("/oneTimePassword"));

    secrets.assert_absent("database", &server.database().dump());
    secrets.assert_absent("log", server.log().as_bytes());
}

/// The same for passkeys: challenges, the cookies that find them, and what was signed.
#[on_each_database]
async fn neither_database_nor_log_holds_a_ceremony_or_what_a_passkey_has_signed_43(database: DatabaseKind) {
    let directory = tempdir().unwrap();
    let variables =
        [("COUNTERSIGN_LOG", "trace"), ("COUNTERSIGN_PASSKEYS_RP_ID", RP_ID), ("COUNTERSIGN_PASSKEYS_ORIGINS", ORIGIN)];
    let server = Process::start(database, directory.path(), &variables);
    let mut secrets = Secrets(Vec::new());
    let user = server.user("ada").await;
    let app = user.begin_enrolment().await;
    user.browser.post("/two-factor/verify-totp").json(json!({"code": app.code()})).await.ok();
    let mut authenticator = Authenticator::new();
    let creation = options(&user.browser, REGISTER_OPTIONS).await;
    secrets.add_encoded("challenge", &creation["challenge"]);
    secrets.add_cookies(&user.browser);
    let response = authenticator.register(&creation);
    secrets.add_encoded("client data", &response["response"]["clientDataJSON"]);
    secrets.add_encoded("attestation object", &response["response"]["attestationObject"]);
    user.browser.post("/passkey/verify-registration").json(json!({"response": response})).await.ok();

    // A sign-in, a challenge and a live session: with a right response, with a wrong one, and waiting for one.
    for is_right in [Some(true), Some(false), None] {
        let (signed_out, challenged) = (server.browser(), user.challenged().await);
        for browser in [&signed_out, &challenged, &user.browser] {
            let request = options(browser, SIGN_IN_OPTIONS).await;
            secrets.add_encoded("challenge", &request["challenge"]);
            secrets.add_cookies(browser);
            let Some(is_right) = is_right else { continue };
            let response = authenticator.assert_as(&request, |data| data.is_cross_origin = !is_right);
            for part in ["clientDataJSON", "authenticatorData", "signature"] {
                secrets.add_encoded(part, &response["response"][part]);
            }
            let sent = browser.post("/passkey/verify-authentication").json(json!({"response": response})).await;
            assert_eq!(sent.status, if is_right { 200 } else { 400 }, "{sent}");
            secrets.add_cookies(browser);
        }
    }
    options(&user.browser, REGISTER_OPTIONS).await;
    secrets.add_cookies(&user.browser);

    let database = server.database();
    assert_eq!(database.number("SELECT count(*) AS number FROM passkey_ceremonies"), 4, "one of each kind waits");
    let dump = database.dump();
    assert!(dump.windows(15).any(|window| window == b"ada@example.com"), "the dump is the database's");
    secrets.assert_absent("database", &dump);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let log = server.log();
    assert!(log.contains("verify-authentication") || log.contains("passkey"), "{log}");
    // No secret, but a mark by which a user is known.
    secrets.add_encoded("credential id", &authenticator.credential_id().into());
    secrets.add("address", &user.email);
    secrets.assert_absent("log", log.as_bytes());
}
