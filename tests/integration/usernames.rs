//! User names that look the same are the same (attack 33).

use crate::harness::service::APPLICATION;
use crate::harness::{PASSWORD, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// A value of a query.
fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

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
    // A change of name is held to the same.
    let other = service.user_with(json!({"username": "somebody"})).await;
    let path = format!("/user/{}", other.id);
    for name in ["\u{430}melia", "amelia\u{391}"] {
        let put = json!({"user": {"email": other.email, "username": name}});
        let patch = json!({"user": {"username": name}});
        for (method, body) in [("PUT", put), ("PATCH", patch)] {
            let refused = service.call(method, &path).json(body).await.is(400);
            let code = &refused.body["fieldErrors"]["user.username"][0]["code"];
            assert_eq!(code, "[invalid]user.username", "{method} {name:?}");
        }
    }
    assert_eq!(service.get(&path).await.ok().text("/user/username"), "somebody");
}

/// Names as a node of an earlier version has stored them: without a form, and under another key.
fn store_as_before(world: &World, name: &str, before: &str) {
    let names = format!("username = '{before}', username_key = '{}', username_form = NULL", before.to_lowercase());
    world.database().execute(&format!("UPDATE accounts SET {names} WHERE username = '{name}'"));
}

async fn listed(world: &World) -> String {
    let (data, url) = (world.settings().data_dir, world.database().url());
    let list = move || {
        let mut output = Vec::new();
        let arguments = ["countersign", "username-conflicts", "--data-dir", data.to_str().unwrap()];
        let arguments = arguments.map(std::ffi::OsString::from);
        let environment = vec![("COUNTERSIGN_DATABASE_URL".to_owned(), url)];
        countersign::cli::run(arguments, environment, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    };
    tokio::task::spawn_blocking(list).await.unwrap()
}

#[on_each_database]
async fn a_name_of_several_accounts_finds_the_one_that_is_spelled_so_until_it_is_settled_33(database: DatabaseKind) {
    let mut world = World::start(database).await;
    let service = world.service().await;
    let mut users = Vec::new();
    for (name, before) in [("zoe1", "zoe\u{308}"), ("amelia1", "Amelia"), ("amelia2", "amel\u{ad}ia")] {
        users.push(service.user_with(json!({"username": name})).await);
        store_as_before(&world, name, before);
    }
    let log_in = |name: &str| {
        service.post("/login", json!({"loginId": name, "password": PASSWORD, "applicationId": APPLICATION}))
    };
    let is = async |name: &str, user: Option<usize>| {
        let response = log_in(name).await;
        let found = response.body["user"]["id"].as_str();
        let wanted = user.map(|user| users[user].id.as_str());
        assert_eq!((response.status, found), (wanted.map_or(404, |_| 202), wanted), "{name:?}: {response}");
        let looked_up = service.get(&format!("/user?username={}", percent(name))).await;
        assert_eq!(looked_up.status, wanted.map_or(404, |_| 200), "{name:?}");
    };
    // Before they are brought to their form, and afterwards.
    for round in 0..2 {
        is("Amelia", Some(1)).await;
        is("amel\u{ad}ia", Some(2)).await;
        is("zoe\u{308}", Some(0)).await;
        if round == 0 {
            world.restart().await;
        }
    }
    is("ZO\u{cb}", Some(0)).await;
    for spelling in ["amelia", "AMELIA", "amel\u{200b}ia", "Amel\u{ad}ia"] {
        is(spelling, None).await;
    }
    let text = listed(&world).await;
    assert!(text.contains("is compared as \"amelia\"") && text.contains(&users[1].id), "{text}");
    assert!(text.contains(&users[2].id) && !text.contains(&users[0].id), "{text}");
    assert!(text.contains("PATCH /api/user/{id}"), "it says what to do: {text}");
    // Nobody else gets the name, and the accounts can be changed otherwise.
    let another = json!({"user": {"email": "another@example.com", "username": "AMELIA", "password": PASSWORD}});
    service.post("/user", another).await.is(400);
    for user in &users[1..] {
        let patch = json!({"user": {"fullName": "Somebody"}});
        service.call("PATCH", &format!("/user/{}", user.id)).json(patch).await.ok();
    }
    is("Amelia", Some(1)).await;
    is("amel\u{ad}ia", Some(2)).await;
    // Settled, with whichever account is left.
    let patch = json!({"user": {"username": "another-amelia"}});
    service.call("PATCH", &format!("/user/{}", users[1].id)).json(patch).await.ok();
    for spelling in ["amelia", "AMELIA", "amel\u{ad}ia"] {
        is(spelling, Some(2)).await;
    }
    is("Another-Amelia", Some(1)).await;
    world.restart().await;
    is("AMELIA", Some(2)).await;
    assert!(listed(&world).await.starts_with("No two accounts"));
    let unsettled = "SELECT count(*) AS number FROM accounts WHERE username_key <> username_form";
    assert_eq!(world.database().number(unsettled), 0);
}

/// A name that an earlier version has let in must not reorder what a terminal shows.
#[on_each_database]
async fn listed_names_show_what_is_hidden_in_them(database: DatabaseKind) {
    let mut world = World::start(database).await;
    let service = world.service().await;
    for (name, before) in [("amelia1", "amelia"), ("amelia2", "ame\u{202e}lia\u{2066}")] {
        service.user_with(json!({"username": name})).await;
        store_as_before(&world, name, before);
    }
    world.restart().await;
    let text = listed(&world).await;
    assert!(text.contains(r"ame\u{202e}lia\u{2066}") && text.is_ascii(), "{text}");
}

#[on_each_database]
async fn names_that_nodes_of_an_earlier_version_write_meanwhile_are_brought_to_their_form(database: DatabaseKind) {
    let world = World::with(database, |settings| settings.retention.interval = Duration::from_millis(50)).await;
    let service = world.service().await;
    let user = service.user_with(json!({"username": "zoe1"})).await;
    let spelled = |name: &str| {
        let body = json!({"loginId": name, "password": PASSWORD, "applicationId": APPLICATION});
        let call = service.post("/login", body);
        async move { call.await.status }
    };
    // A new name, and one that took the place of another, whose form is still there.
    for (before, form) in [("zoe\u{308}", "zo\u{eb}"), ("ame\u{301}lie", "am\u{e9}lie")] {
        let names = format!("username = '{before}', username_key = '{before}'");
        world.database().execute(&format!("UPDATE accounts SET {names} WHERE email = '{}'", user.email));
        assert_eq!(spelled(before).await, 202, "at once, as it is spelled");
        let done = format!("SELECT count(*) AS number FROM accounts WHERE username_key = '{form}'");
        let begun = Instant::now();
        while world.database().number(&done) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(10), "{before:?} was not brought to its form");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(spelled(&form.to_uppercase()).await, 202);
    }
}
