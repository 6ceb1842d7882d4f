//! Backup codes.

use crate::harness::{Caller, PASSWORD, Response, World, cheap_passwords};
use countersign::config::settings::Lifetimes;
use countersign::config::values::Profile;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

async fn verify(caller: &Caller, code: &str) -> Response {
    caller.post("/two-factor/verify-backup-code").json(json!({"code": code})).await
}

#[on_each_database]
async fn a_backup_code_completes_a_challenge_and_shows_the_session(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let browser = user.challenged().await;
    let response = verify(&browser, &app.backup_codes[3]).await.ok();
    let fields: Vec<&String> = response.body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["session", "token", "user"]);
    let shown = browser.get("/get-session").await.ok();
    for field in ["token", "userId", "createdAt", "expiresAt"] {
        assert_eq!(response.body["session"][field], shown.body["session"][field], "{field}");
    }
    assert_eq!(response.body["token"], response.body["session"]["token"]);
    assert!(response.set_cookie("two_factor").unwrap().is_deletion());
}

#[on_each_database]
async fn each_code_works_once_also_after_a_restart_8(database: DatabaseKind) {
    let mut world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    for code in &app.backup_codes {
        verify(&user.challenged().await, code).await.ok();
        verify(&user.challenged().await, code).await.refused(401, "INVALID_BACKUP_CODE").saying("Invalid backup code");
        verify(&user.browser, code).await.refused(401, "INVALID_BACKUP_CODE");
    }
    world.restart().await;
    for code in &app.backup_codes[..3] {
        verify(&user.challenged().await, code).await.refused(401, "INVALID_BACKUP_CODE");
    }
    // All are spent, and the account still has its other factor.
    user.signed_in_with(&app).await;
}

/// In each row `$argon2id$v=19$m=1024,t=1,p=1$`, 30 characters, then 16 random bytes as 22 characters of base64.
#[on_each_database]
async fn each_code_is_stored_by_a_password_hash_with_a_salt_of_its_own_n9_a_6_5_2(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let service = world.service().await;
    let other = service.enrol(&service.user().await).await;
    let codes = i64::try_from(app.backup_codes.len() + other.recovery_codes.len()).unwrap();
    let count = |what: &str, condition: &str| {
        let rows = format!("backup_codes WHERE {condition}");
        world.database().number(&format!("SELECT count({what}) AS number FROM {rows}"))
    };
    assert_eq!((codes, count("*", "1 = 1")), (20, 20));
    assert_eq!(count("*", "hash LIKE '$argon2id$v=19$m=1024,t=1,p=1$%' AND substr(hash, 53, 1) = '$'"), codes);
    assert_eq!(count("DISTINCT substr(hash, 31, 22)", "1 = 1"), codes);
}

#[on_each_database]
async fn separators_do_not_count_and_everything_else_does(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let code = &app.backup_codes[0];
    let swapped: String = code
        .chars()
        .map(
            |letter| {
                if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
            },
        )
        .collect();
    let odd = [swapped, code.replace('-', "_"), code[..10].to_owned()];
    for odd in odd.iter().filter(|odd| *odd != code) {
        verify(&user.challenged().await, odd).await.refused(401, "INVALID_BACKUP_CODE");
    }
    verify(&user.challenged().await, code).await.ok();
    for (index, typed) in as_typed(&app.backup_codes[1..4]).iter().enumerate() {
        verify(&user.challenged().await, typed).await.ok();
        verify(&user.challenged().await, &app.backup_codes[index + 1]).await.refused(401, "INVALID_BACKUP_CODE");
    }
}

/// Codes as users type them: as shown, without separators, with blanks.
fn as_typed(codes: &[String]) -> [String; 3] {
    [codes[0].clone(), codes[1].replace('-', ""), format!(" {} ", codes[2].replace('-', " "))]
}

#[on_each_database]
async fn codes_of_the_strict_profile_are_longer_and_sign_in_as_typed_in_both_dialects_n10(database: DatabaseKind) {
    for (profile, groups) in [(Profile::Default, 2), (Profile::Strict, 3)] {
        let world = World::with(database, |settings| {
            cheap_passwords(settings);
            settings.profile = profile;
            settings.lifetimes = Lifetimes::of(&profile.policy());
        })
        .await;
        let is_code = |code: &String| {
            code.len() == groups * 6 - 1
                && code
                    .split('-')
                    .all(|group| group.len() == 5 && group.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        };
        let user = world.user("ada").await;
        let mut codes = user.enrol().await.backup_codes;
        assert!(codes.len() == 10 && codes.iter().all(is_code), "{profile:?}: {codes:?}");
        for typed in as_typed(&codes[..3]) {
            verify(&user.challenged().await, &typed).await.ok();
        }
        let stepped_up = user.challenged().await;
        verify(&stepped_up, &codes[3]).await.ok();
        let made = stepped_up.post("/two-factor/generate-backup-codes").json(json!({"password": PASSWORD})).await.ok();
        codes = (0..10).map(|index| made.text(&format!("/backupCodes/{index}"))).collect();
        assert!(codes.iter().all(is_code), "{profile:?}: {codes:?}");

        let service = world.service().await;
        let by_service = service.user().await;
        let codes = service.enrol(&by_service).await.recovery_codes;
        let capitals = |code: &String| *code == code.to_ascii_uppercase();
        assert!(
            codes.len() == 10 && codes.iter().all(|code| is_code(code) && capitals(code)),
            "{profile:?}: {codes:?}"
        );
        for typed in as_typed(&codes[..3]) {
            service.complete(&service.challenge(&by_service).await, &typed.to_ascii_lowercase()).await.ok();
        }
        let renewed = service.post(&format!("/user/two-factor/recovery-code/{}", by_service.id), json!({})).await.ok();
        assert!(is_code(&renewed.text("/recoveryCodes/9")), "{renewed}");
        // Each dialect takes the codes of the other.
        let log_in = json!({"loginId": user.email, "password": PASSWORD});
        let id = service.post("/login", log_in).await.is(242).text("/twoFactorId");
        let crossed = service.complete(&id, &made.text("/backupCodes/0").replace('-', "")).await;
        assert!([200, 202].contains(&crossed.status), "{crossed}");
    }
}

#[on_each_database]
async fn in_a_session_it_responses_with_that_session(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let token = user.browser.get("/get-session").await.ok().text("/session/token");
    let body = json!({"code": app.backup_codes[0], "trustDevice": true});
    let response = user.browser.post("/two-factor/verify-backup-code").json(body).await.ok();
    assert_eq!(response.text("/token"), token);
    assert!(response.set_cookies().is_empty(), "trustDevice counts in a challenge only");
}

#[on_each_database]
async fn disable_session_uses_up_code_and_challenge_and_opens_nothing(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    for (index, switch) in [json!(true), json!("true")].into_iter().enumerate() {
        let code = &app.backup_codes[index];
        let body = json!({"code": code, "disableSession": switch, "trustDevice": true});
        let browser = user.challenged().await;
        let challenge = browser.copy();
        let response = browser.post("/two-factor/verify-backup-code").json(body.clone()).await.ok();
        // A published client wants a session in the response: it is none, and its token opens nothing.
        let never = "1970-01-01T00:00:00.000Z";
        let none = json!({"token": "", "userId": user.id, "createdAt": never, "expiresAt": never});
        assert_eq!(response.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["session", "user"]);
        assert_eq!(response.body["session"], none);
        assert!(response.set_cookies().iter().all(|cookie| cookie.is_deletion()), "{response}");
        assert!(browser.get("/get-session").await.ok().body.is_null());
        verify(&challenge, &app.backup_codes[9]).await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
        challenge.post("/two-factor/send-otp").await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
        verify(&user.challenged().await, code).await.refused(401, "INVALID_BACKUP_CODE");
    }
    let body = json!({"code": app.backup_codes[2], "disableSession": true});
    let response = user.browser.post("/two-factor/verify-backup-code").json(body).await.ok();
    assert_eq!(response.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["session", "token", "user"]);
    assert!(response.set_cookies().is_empty(), "in a session there is no other session to be had: {response}");
    assert!(user.browser.get("/get-session").await.ok().body.is_object());
    for switch in [json!(false), json!("false")] {
        let index = if switch == json!(false) { 3 } else { 4 };
        let body = json!({"code": app.backup_codes[index], "disableSession": switch});
        let response = user.challenged().await.post("/two-factor/verify-backup-code").json(body).await.ok();
        assert!(response.body["token"].is_string());
    }
}

#[on_each_database]
async fn new_codes_replace_all_old_ones(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let generate =
        |password: &str| user.browser.post("/two-factor/generate-backup-codes").json(json!({"password": password}));
    generate("wrong").await.refused(400, "INVALID_PASSWORD").saying("Invalid password");
    let response = generate(PASSWORD).await.ok();
    assert_eq!(response.body["status"], true);
    assert!(response.set_cookies().is_empty());
    verify(&user.challenged().await, &app.backup_codes[0]).await.refused(401, "INVALID_BACKUP_CODE");
    for index in 0..10 {
        verify(&user.challenged().await, &response.text(&format!("/backupCodes/{index}"))).await.ok();
    }
}

#[on_each_database]
async fn codes_of_one_account_are_nothing_to_another_36(database: DatabaseKind) {
    let world = World::start(database).await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let (of_ada, _) = (ada.enrol().await, bob.enrol().await);
    verify(&bob.challenged().await, &of_ada.backup_codes[0]).await.refused(401, "INVALID_BACKUP_CODE");
    verify(&bob.browser, &of_ada.backup_codes[0]).await.refused(401, "INVALID_BACKUP_CODE");
    verify(&ada.challenged().await, &of_ada.backup_codes[0]).await.ok();
}

#[on_each_database]
async fn that_few_codes_are_left_is_in_the_audit_trail_by_either_dialect(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let events =
        || world.database().number("SELECT count(*) AS number FROM audit_events WHERE kind = 'backup-codes-few'");
    for (used, code) in app.backup_codes.iter().enumerate() {
        if used % 2 == 0 {
            let body = json!({"code": code});
            user.challenged().await.post("/two-factor/verify-backup-code").json(body).await.ok();
        } else {
            let log_in = json!({"loginId": user.email, "password": user.password});
            let id = service.post("/login", log_in).await.is(242).text("/twoFactorId");
            let response = service.complete(&id, code).await;
            assert!([200, 202].contains(&response.status), "{response}");
        }
        let left = app.backup_codes.len() - used - 1;
        assert_eq!(events(), i64::try_from(3_usize.saturating_sub(left)).unwrap(), "{left} left");
    }
}
