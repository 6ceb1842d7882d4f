//! New passwords: their length, and those that attackers try first (N15, A 6.2.4).

use crate::harness::service::APPLICATION;
use crate::harness::{PASSWORD, User, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};

/// What the review of any list would try first, and what names this user.
const REFUSED: [&str; 9] = [
    "password",
    "12345678",
    "QwertyUIOP",
    "iloveyou",
    "password1",
    "11111111",
    "countersign",
    "ｐａｓｓｗｏｒｄ",
    "grace@example.com",
];

fn code_of(body: &Value, field: &str) -> String {
    body["fieldErrors"][field][0]["code"].as_str().unwrap_or_default().to_owned()
}

#[on_each_database]
async fn what_attackers_try_first_is_no_new_password_n15_a_6_2_4(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user: User = world.user("grace").await;
    let address = "grace.h@example.com";
    let made = service.user_with(json!({"email": address, "username": "grace_hopper"})).await;
    for password in REFUSED.into_iter().chain(["grace_hopper", "grace.h@example.com"]) {
        let email = if password.contains('@') { password } else { "somebody@example.com" };
        let sign_up = json!({"name": "a", "email": email, "password": password});
        if password != "grace_hopper" {
            world.stranger().post("/sign-up/email").json(sign_up).await.refused(400, "PASSWORD_COMPROMISED");
        }
        let create = json!({"user": {"email": email, "username": "grace_hopper", "password": password}});
        let refused = service.post("/user", create).await.is(400);
        assert_eq!(code_of(&refused.body, "user.password"), "[breachedCommonPassword]user.password", "{password}");
    }
    for password in REFUSED {
        let change = json!({"currentPassword": PASSWORD, "newPassword": password});
        user.browser.post("/change-password").json(change).await.refused(400, "PASSWORD_COMPROMISED");
    }
    for password in ["password1", "grace_hopper", "Grace.H"] {
        let change = json!({"loginId": address, "currentPassword": PASSWORD, "password": password});
        if password == "Grace.H" {
            let refused = service.post("/user/change-password", change).await.is(400);
            assert_eq!(code_of(&refused.body, "password"), "[tooShort]password");
            continue;
        }
        let refused = service.post("/user/change-password", change).await.is(400);
        assert_eq!(code_of(&refused.body, "password"), "[breachedCommonPassword]password", "{password}");
        let update = json!({"user": {"email": address, "username": "grace_hopper", "password": password}});
        let refused = service.call("PUT", &format!("/user/{}", made.id)).json(update).await.is(400);
        assert_eq!(code_of(&refused.body, "user.password"), "[breachedCommonPassword]user.password", "{password}");
    }
    // Nothing has changed.
    user.sign_in_from(&world.browser()).await.ok();
    let log_in = json!({"loginId": address, "password": PASSWORD, "applicationId": APPLICATION});
    service.post("/login", log_in).await.is(202);
}

#[on_each_database]
async fn passwords_that_were_chosen_before_still_sign_in(database: DatabaseKind) {
    let world = World::with(database, |settings| settings.password_blocklist_is_on = false).await;
    let browser = world.browser();
    let weak = json!({"name": "a", "email": "weak@example.com", "password": "password1"});
    browser.post("/sign-up/email").json(weak).await.ok();
    let world = world.restarted_with(|settings| settings.password_blocklist_is_on = true).await;
    let sign_in = json!({"email": "weak@example.com", "password": "password1"});
    world.browser().post("/sign-in/email").json(sign_in).await.ok();
    let log_in = json!({"loginId": "weak@example.com", "password": "password1", "applicationId": APPLICATION});
    world.service().await.post("/login", log_in).await.is(202);
    let again = json!({"name": "a", "email": "weak2@example.com", "password": "password1"});
    world.stranger().post("/sign-up/email").json(again).await.refused(400, "PASSWORD_COMPROMISED");
}

#[on_each_database]
async fn lengths_are_those_of_what_is_hashed_in_both_dialects_n15(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = world.user("grace").await;
    let made = service.user().await;
    for (number, (password, expected)) in [
        ("𝒳𝒴𝒵𝒳", Some(("tooShort", "PASSWORD_TOO_SHORT"))),
        (&"😀x".repeat(65), Some(("tooLong", "PASSWORD_TOO_LONG"))),
        (&"x2ljq8-m".repeat(8), None),
    ]
    .into_iter()
    .enumerate()
    {
        let create = json!({"user": {"email": format!("a{number}@example.com"), "password": password}});
        let created = service.post("/user", create).await;
        let sign_up = json!({"name": "a", "email": format!("b{number}@example.com"), "password": password});
        let signed_up = world.stranger().post("/sign-up/email").json(sign_up).await;
        let change = json!({"currentPassword": PASSWORD, "newPassword": password});
        let changed = user.browser.post("/change-password").json(change).await;
        let change = json!({"loginId": made.email, "currentPassword": PASSWORD, "password": password});
        let changed_by_service = service.post("/user/change-password", change).await;
        match expected {
            Some((kind, code)) => {
                assert_eq!(code_of(&created.is(400).body, "user.password"), format!("[{kind}]user.password"));
                assert_eq!(code_of(&changed_by_service.is(400).body, "password"), format!("[{kind}]password"));
                for response in [signed_up, changed] {
                    response.refused(400, code);
                }
            }
            None => {
                [created, signed_up, changed, changed_by_service].into_iter().for_each(|response| drop(response.ok()))
            }
        }
    }
}

/// The same list where a service changes a single field, and where a ticket sets the password.
#[on_each_database]
async fn what_attackers_try_first_is_set_neither_by_patch_nor_by_ticket_n15_a_6_2_4(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user_with(json!({"username": "grace_hopper"})).await;
    let path = format!("/user/{}", user.id);
    let patch = |fields: Value| service.call("PATCH", &path).json(json!({"user": fields}));
    let weak = ["password1", "grace_hopper", user.email.as_str()];
    for password in weak {
        let refused = patch(json!({"password": password})).await.is(400);
        assert_eq!(code_of(&refused.body, "user.password"), "[breachedCommonPassword]user.password", "{password}");
    }
    patch(json!({"passwordChangeRequired": true})).await.ok();
    let ticket = service.log_in(&user).await.is(203).text("/changePasswordId");
    let set = |password: &str| service.open(&format!("/user/change-password/{ticket}"), json!({"password": password}));
    for password in weak {
        let refused = set(password).await.is(400);
        assert_eq!(code_of(&refused.body, "password"), "[breachedCommonPassword]password", "{password}");
    }
    // The ticket is still good.
    set("a horse that nobody guesses").await.ok();
}

/// As the settings of a fresh server have it; each dialect makes an account.
#[on_each_database]
async fn passwords_are_hashed_with_argon2id_at_19_mib_and_two_passes_r10(database: DatabaseKind) {
    let world = World::start(database).await;
    world.user("grace").await;
    world.service().await.user().await;
    let count = |condition: &str| {
        world.database().number(&format!("SELECT count(*) AS number FROM accounts WHERE {condition}"))
    };
    assert_eq!(count("password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'"), 2);
    assert_eq!(count("1 = 1"), 2);
}
