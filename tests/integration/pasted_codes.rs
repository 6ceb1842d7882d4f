//! Codes as users paste them: with white space, and with what cannot be seen.

use crate::harness::World;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

/// `code` with a full blank, a zero width space and a format character that is not to be ignored in display (U+FFFB) in it, and
/// the end of a line behind it.
fn pasted(code: &str) -> String {
    let (one, other) = code.split_at(code.len() / 2);
    format!("\u{2066}{one}\u{3000}\u{200b}\u{fffb}{other}\u{2069} \r\n")
}

#[on_each_database]
async fn a_pasted_code_is_right_in_better_auth(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.begin_enrolment().await;
    let body = json!({"code": pasted(&app.code())});
    user.browser.post("/two-factor/verify-totp").json(body).await.ok();

    let browser = user.challenged().await;
    let body = json!({"code": pasted(&app.fresh_code())});
    browser.post("/two-factor/verify-totp").json(body).await.ok();

    let browser = user.challenged().await;
    browser.post("/two-factor/send-otp").await.ok();
    let body = json!({"code": pasted(&world.last_code_for(&user.email))});
    browser.post("/two-factor/verify-otp").json(body).await.ok();

    let browser = user.challenged().await;
    let body = json!({"code": pasted(&app.backup_codes[0])});
    browser.post("/two-factor/verify-backup-code").json(body).await.ok();
    // In a session, too.
    let body = json!({"code": pasted(&app.backup_codes[1])});
    browser.post("/two-factor/verify-backup-code").json(body).await.ok();
    browser.post("/two-factor/send-otp").await.ok();
    let body = json!({"code": pasted(&world.last_code_for(&user.email))});
    browser.post("/two-factor/verify-otp").json(body).await.ok();
    let body = json!({"code": pasted(&app.fresh_code())});
    browser.post("/two-factor/verify-totp").json(body).await.ok();
}

#[on_each_database]
async fn a_pasted_code_is_right_in_fusionauth(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol_with(&user, |app| pasted(&app.fresh_code())).await;

    let id = service.challenge(&user).await;
    service.complete(&id, &pasted(&app.fresh_code())).await.ok();
    let id = service.challenge(&user).await;
    service.complete(&id, &pasted(&app.recovery_codes[0])).await.ok();

    let send = json!({"userId": user.id, "method": "email", "email": user.email});
    service.post("/two-factor/send", send).await.ok();
    let code = pasted(&world.last_code_for(&user.email));
    let enable = json!({"method": "email", "email": user.email, "code": code});
    service.post(&format!("/user/two-factor/{}", user.id), enable).await.ok();

    let send = json!({"userId": user.id, "method": "sms", "mobilePhone": "+15550100"});
    service.post("/two-factor/send", send).await.ok();
    let code = pasted(&world.last_code_for("+15550100"));
    let enable = json!({"method": "sms", "mobilePhone": "+15550100", "code": code});
    service.post(&format!("/user/two-factor/{}", user.id), enable).await.ok();
    let id = service.challenge(&user).await;
    let method = service.method_id(&user, "sms").await;
    service.open(&format!("/two-factor/send/{id}"), json!({"methodId": method})).await.ok();
    service.complete(&id, &pasted(&world.last_code_for("+15550100"))).await.ok();

    let id = service.challenge(&user).await;
    let method = service.method_id(&user, "email").await;
    service.open(&format!("/two-factor/send/{id}"), json!({"methodId": method})).await.ok();
    service.complete(&id, &pasted(&world.last_code_for(&user.email))).await.ok();

    // The code of a removal is pasted into a query and into a body.
    let path = format!("/user/two-factor/{}?methodId={method}&code={}", user.id, {
        let code = app.fresh_code();
        format!("{}%20{}%0A", &code[..3], &code[3..])
    });
    service.call("DELETE", &path).await.ok();
    let app_id = service.method_id(&user, "authenticator").await;
    let removal = json!({"code": pasted(&app.fresh_code()), "methodId": app_id});
    service.call("DELETE", &format!("/user/two-factor/{}", user.id)).json(removal).await.ok();
}

/// A code that a service chooses, and delivers, is compared in the form in which codes are presented.
#[on_each_database]
async fn a_chosen_code_with_blanks_is_right_as_it_was_chosen_and_without_them(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let start =
        async |code: &str| service.post("/two-factor/start", json!({"userId": user.id, "code": code})).await.ok();
    for chosen in ["12 34-ab", " 1234-ab\n", "1234-ab", "12\u{200b}34-\u{fff9}ab"] {
        for typed in [chosen, "1234-ab", &pasted("1234-ab")] {
            let started = start(chosen).await;
            assert_eq!(started.text("/code"), "1234-ab", "{chosen:?}");
            let id = started.text("/twoFactorId");
            service.complete(&id, "1234-AB").await.is(421);
            service.complete(&id, typed).await.ok();
        }
    }
    // What nobody sees is no choice.
    let started = start(" \u{feff}").await;
    let code = started.text("/code");
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code:?}");
    service.complete(&started.text("/twoFactorId"), &code).await.ok();
}
