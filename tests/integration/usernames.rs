//! User names that look the same are the same (attack 33).

use crate::harness::service::APPLICATION;
use crate::harness::{PASSWORD, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

/// `amelia`, in other clothes.
const LOOK_ALIKES: [&str; 8] = [
    "AMELIA",
    "amel\u{200b}ia",
    "amel\u{ad}ia",
    "ａｍｅｌｉａ",
    "amelia\u{200f}",
    "amel\u{fe0f}ia",
    "amel\u{131}a",
    "amelia\u{2060}",
];

#[on_each_database]
async fn names_that_look_the_same_are_one_name_33(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    service.user_with(json!({"username": "Amelia"})).await;
    service.user_with(json!({"username": "Zo\u{eb}"})).await;
    let create = |name: &str, number: usize| {
        let email = format!("other{number}@example.com");
        service.post("/user", json!({"user": {"email": email, "username": name, "password": PASSWORD}}))
    };
    let log_in = |name: &str| {
        service.post("/login", json!({"loginId": name, "password": PASSWORD, "applicationId": APPLICATION}))
    };
    for (number, name) in LOOK_ALIKES.into_iter().chain(["zoe\u{308}"]).enumerate() {
        let refused = create(name, number).await.is(400);
        let code = &refused.body["fieldErrors"]["user.username"][0]["code"];
        assert_eq!(code, "[duplicate]user.username", "{name:?}");
        log_in(name).await.is(202);
    }
    // The address and the number of somebody else, who would sign in with them.
    for (number, name) in ["later@example.com", "later\u{ff20}example.com", "+4915112345"].into_iter().enumerate() {
        let refused = create(name, 20 + number).await.is(400);
        assert_eq!(refused.body["fieldErrors"]["user.username"][0]["code"], "[invalid]user.username", "{name:?}");
    }
    create("other30@example.com", 30).await.ok();
    // Letters of another script.
    for (number, name) in ["\u{430}melia", "amelia\u{391}"].into_iter().enumerate() {
        let refused = create(name, 100 + number).await.is(400);
        let code = &refused.body["fieldErrors"]["user.username"][0]["code"];
        assert_eq!(code, "[invalid]user.username", "{name:?}");
    }
    create("\u{410}\u{43c}\u{435}\u{43b}\u{438}\u{44f}", 200).await.ok();
}

#[on_each_database]
async fn stored_names_are_brought_to_the_form_at_a_start_and_conflicts_are_kept_and_reported(database: DatabaseKind) {
    let mut world = World::start(database).await;
    let service = world.service().await;
    for (name, before) in [("zoe1", "zoe\u{308}"), ("amelia1", "amelia"), ("amelia2", "amel\u{ad}ia")] {
        service.user_with(json!({"username": name})).await;
        // As the version before has stored it.
        let names = format!("username = '{before}', username_key = '{before}'");
        world.database().execute(&format!("UPDATE accounts SET {names} WHERE username = '{name}'"));
    }
    world.database().execute("UPDATE progress SET position = ''");
    world.restart().await;
    let log_in = |name: &str| {
        service.post("/login", json!({"loginId": name, "password": PASSWORD, "applicationId": APPLICATION}))
    };
    log_in("ZO\u{cb}").await.is(202);
    log_in("Amelia").await.is(202);
    let kept = "SELECT count(*) AS number FROM accounts WHERE username_key = 'amel\u{ad}ia'";
    assert_eq!(world.database().number(kept), 1, "it keeps its form");
    let (data, url) = (world.settings().data_dir, world.database().url());
    let list = move || {
        let mut output = Vec::new();
        let arguments = ["countersign", "username-conflicts", "--data-dir", data.to_str().unwrap()];
        let arguments = arguments.map(std::ffi::OsString::from);
        let environment = vec![("COUNTERSIGN_DATABASE_URL".to_owned(), url)];
        countersign::cli::run(arguments, environment, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    };
    let listed = tokio::task::spawn_blocking(list).await.unwrap();
    assert!(listed.lines().count() == 1 && listed.contains("is compared as \"amelia\""), "{listed}");
}
