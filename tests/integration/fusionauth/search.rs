//! A service finds users by their ids and by their names.

use crate::harness::{PASSWORD, Service, World, cheap_passwords};
use countersign_domain::ids::TenantId;
use countersign_domain::tenant::{Directory, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const OTHER_TENANT: &str = "11111111-1111-4111-8111-111111111111";
const NOBODY: &str = "01a1fd04-be02-75f5-bdbd-868b7959e05d";

/// Creates users with an address, a user name or both; returns their ids by the first of the two.
async fn users_named(service: &Service, names: &[(Option<&str>, Option<&str>)]) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for (email, username) in names {
        let user = json!({"email": email, "username": username, "password": PASSWORD});
        let made = service.post("/user", json!({"user": user})).await.ok();
        ids.insert(email.or(*username).unwrap().to_owned(), made.text("/user/id"));
    }
    ids
}

fn ids_of(body: &Value) -> Vec<String> {
    body["users"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}

#[on_each_database]
async fn users_are_found_by_names_and_their_beginnings_in_the_order_of_ids(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let all = users_named(
        &service,
        &[
            (Some("ada@example.com"), Some("Countess")),
            (Some("ada.lovelace@example.com"), None),
            (Some("adam@example.org"), Some("ada")),
            (Some("bob@example.com"), Some("Ädam Smith")),
            (None, Some("adela")),
        ],
    )
    .await;
    let (ada, lovelace, adam, bob, adela) = (
        &all["ada@example.com"],
        &all["ada.lovelace@example.com"],
        &all["adam@example.org"],
        &all["bob@example.com"],
        &all["adela"],
    );
    for (query, expected) in [
        ("*", vec![ada, lovelace, adam, bob, adela]),
        ("ada", vec![adam]),
        ("ADA", vec![adam]),
        ("ada*", vec![ada, lovelace, adam]),
        ("Ad*", vec![ada, lovelace, adam, adela]),
        ("ada@example.com", vec![ada]),
        ("email:ada*", vec![ada, lovelace, adam]),
        ("email:Ada@Example.com", vec![ada]),
        ("email:\"ada@example.com\"", vec![ada]),
        ("email:*", vec![ada, lovelace, adam, bob]),
        ("username:ada*", vec![adam]),
        ("username:ad*", vec![adam, adela]),
        ("username:countess", vec![ada]),
        ("username:*", vec![ada, adam, bob, adela]),
        ("\"ädam smith\"", vec![bob]),
        ("username:Ä*", vec![bob]),
        ("username:ａｄａ", vec![adam]),
        ("ada_*", vec![]),
        ("ada%", vec![]),
        ("nobody", vec![]),
        ("a'--", vec![]),
        ("\u{10ffff}*", vec![]),
    ] {
        let search = json!({"search": {"queryString": query}});
        let found = service.post("/user/search", search).await.ok();
        let mut expected: Vec<String> = expected.into_iter().cloned().collect();
        expected.sort_unstable();
        assert_eq!((ids_of(&found.body), &found.body["total"]), (expected.clone(), &json!(expected.len())), "{query}");
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(service.get(&format!("/user/search?queryString={encoded}")).await.ok().body, found.body, "{query}");
    }
    // Users are shown as they are when they are read.
    let registration = json!({"registration": {"applicationId": crate::harness::service::APPLICATION}});
    service.post(&format!("/user/registration/{ada}"), registration).await.ok();
    let user = crate::harness::FusionAuthUser { id: ada.clone(), email: "ada@example.com".to_owned() };
    service.enrol(&user).await;
    let found = service.get(&format!("/user/search?ids={ada}")).await.ok();
    assert_eq!(found.body["users"][0], service.get(&format!("/user/{ada}")).await.ok().body["user"]);
}

#[on_each_database]
async fn ids_that_nobody_has_are_left_out(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let names: Vec<String> = (0..61).map(|number| format!("user{number}@example.com")).collect();
    let names: Vec<_> = names.iter().map(|name| (Some(name.as_str()), None)).collect();
    let all = users_named(&service, &names).await;
    let mut ids: Vec<String> = all.into_values().collect();
    ids.sort_unstable();
    // More than stand in one statement, in any order, once or twice.
    let mut asked: Vec<String> = ids.iter().rev().cloned().collect();
    asked.extend([NOBODY.to_owned(), ids[0].to_uppercase()]);
    let found = service.post("/user/search", json!({"search": {"ids": asked, "numberOfResults": 1}})).await.ok();
    assert_eq!((ids_of(&found.body), &found.body["total"]), (ids.clone(), &json!(61)));
    let query: Vec<String> = asked[60..].iter().map(|id| format!("ids={id}")).collect();
    let found = service.get(&format!("/user/search?{}", query.join("&"))).await.ok();
    assert_eq!((ids_of(&found.body), &found.body["total"]), (vec![ids[0].clone()], &json!(1)));
    let none = json!({"total": 0, "users": []});
    assert_eq!(service.get(&format!("/user/search?ids={NOBODY}")).await.ok().body, none);
    assert_eq!(service.post("/user/search", json!({"search": {"ids": []}})).await.ok().body, none);
}

#[on_each_database]
async fn pages_are_bounded_and_totals_count_all_of_them(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let names: Vec<String> = (0..30).map(|number| format!("user{number}@example.com")).collect();
    let names: Vec<_> = names.iter().map(|name| (Some(name.as_str()), None)).collect();
    let mut ids: Vec<String> = users_named(&service, &names).await.into_values().collect();
    ids.sort_unstable();
    let page = async |more: Value| {
        let mut search = json!({"queryString": "user*"});
        search.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let found = service.post("/user/search", json!({"search": search})).await.ok();
        assert_eq!(found.body["total"], 30);
        ids_of(&found.body)
    };
    assert_eq!(page(json!({})).await, ids[..25]);
    assert_eq!(page(json!({"startRow": 25})).await, ids[25..]);
    assert_eq!(page(json!({"startRow": 10, "numberOfResults": 5, "accurateTotal": true})).await, ids[10..15]);
    assert_eq!(page(json!({"startRow": 30, "sortFields": [{"name": "id", "order": "ASC"}]})).await, ids[30..]);
    assert_eq!(page(json!({"numberOfResults": 0, "orderBy": "id"})).await, ids[..0]);
    let nulls = json!({"ids": null, "query": null, "sortFields": [{"name": "id", "order": null, "missing": null}]});
    assert_eq!(page(nulls).await, ids[..25]);
    assert_eq!(page(json!({"startRow": 9_500, "numberOfResults": 500})).await, ids[..0]);
    let query = "/user/search?queryString=user*&startRow=28&numberOfResults=500&accurateTotal=true&ids=null";
    assert_eq!(ids_of(&service.get(query).await.ok().body), ids[28..]);
}

#[on_each_database]
async fn what_no_index_serves_is_refused_in_words(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    for query in [
        "*ada",
        "a*a",
        "ada?",
        "ada bob",
        "ada AND bob",
        "(ada)",
        "fullName:ada",
        "email:ada OR email:bob",
        "\"ada",
        "a\"d\"a",
        "\"\"",
        "ada~",
        "ada^2",
        "[a TO b]",
        "/ada/",
        "ada\\@example.com",
        "email:",
        "user.email:ada",
        "email:email:ada",
        "**",
    ] {
        let refused = service.post("/user/search", json!({"search": {"queryString": query}})).await;
        refused.wrong("[notSupported]search.queryString");
    }
    for (search, code) in [
        (json!({"query": "{\"match_all\":{}}", "queryString": "*"}), "[notSupported]search.query"),
        (json!({"nextResults": "abc", "queryString": "*"}), "[notSupported]search.nextResults"),
        (json!({"orderBy": "email ASC", "queryString": "*"}), "[notSupported]search.orderBy"),
        (json!({"sortFields": [{"name": "email"}], "queryString": "*"}), "[notSupported]search.sortFields"),
        (
            json!({"sortFields": [{"name": "id", "order": "desc"}], "queryString": "*"}),
            "[notSupported]search.sortFields",
        ),
        (json!({"startRow": -1, "queryString": "*"}), "[invalid]search.startRow"),
        (json!({"numberOfResults": -1, "queryString": "*"}), "[invalid]search.numberOfResults"),
        (json!({"numberOfResults": 501, "queryString": "*"}), "[invalid]search.numberOfResults"),
        (json!({"startRow": 9_501, "numberOfResults": 500, "queryString": "*"}), "[invalid]search.startRow"),
        (json!({"startRow": i64::MAX, "queryString": "*"}), "[invalid]search.startRow"),
        (json!({"startRow": "many", "queryString": "*"}), "[couldNotConvert]search.startRow"),
        (json!({"ids": ["x"]}), "[couldNotConvert]search.ids"),
        (json!({"ids": vec![NOBODY; 501]}), "[tooLong]search.ids"),
        (json!({"queryString": " "}), "[blank]search.queryString"),
        (json!({}), "[blank]search.queryString"),
    ] {
        service.post("/user/search", json!({"search": search})).await.wrong(code);
    }
    service.post("/user/search", json!({})).await.wrong("[missing]search");
    let odd = "a%00b";
    for (query, code) in [
        ("query=x&queryString=*", "[notSupported]query"),
        ("nextResults=x&queryString=*", "[notSupported]nextResults"),
        ("orderBy=email&queryString=*", "[notSupported]orderBy"),
        ("sortFields%5B0%5D.name=id&queryString=*", "[notSupported]sortFields"),
        ("startRow=x&queryString=*", "[couldNotConvert]startRow"),
        ("numberOfResults=1e3&queryString=*", "[couldNotConvert]numberOfResults"),
        ("ids=x", "[couldNotConvert]ids"),
        (&format!("ids={NOBODY}&ids={odd}"), "[couldNotConvert]ids"),
        (&format!("queryString={odd}"), "[invalid]queryString"),
        ("queryString=%FF", ""),
        ("queryString=null", "[blank]queryString"),
        ("", "[blank]queryString"),
    ] {
        let response = service.get(&format!("/user/search?{query}")).await;
        match code {
            "" => drop(response.ok()),
            code => drop(response.wrong(code)),
        }
    }
}

/// Attack 36, for services.
#[on_each_database]
async fn a_service_finds_users_of_its_own_tenant_only_36(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        let other = Tenant { id: TenantId::parse(OTHER_TENANT).unwrap(), ..Tenant::default() };
        let applications = settings.directory.application(countersign_domain::ids::ApplicationId::DEFAULT).cloned();
        settings.directory =
            Directory::new(vec![Tenant::default(), other], applications.into_iter().collect()).unwrap();
    })
    .await;
    let home = world.service_that(Some(TenantId::DEFAULT), None).await;
    let foreign = world.service_that(TenantId::parse(OTHER_TENANT), None).await;
    let mine = users_named(&home, &[(Some("ada@example.com"), Some("ada"))]).await["ada@example.com"].clone();
    let theirs = users_named(&foreign, &[(Some("ada@example.com"), Some("ada"))]).await["ada@example.com"].clone();
    for query in [format!("ids={mine}&ids={theirs}"), "queryString=ada*".to_owned(), "queryString=*".to_owned()] {
        for (service, id) in [(&home, &mine), (&foreign, &theirs)] {
            let found = service.get(&format!("/user/search?{query}")).await.ok();
            assert_eq!((ids_of(&found.body), &found.body["total"]), (vec![id.clone()], &json!(1)), "{query}");
        }
    }
    // A key of no tenant has to name one.
    let any = world.service().await;
    any.get("/user/search?queryString=*").await.wrong("[TenantIdRequired]");
    let named = any.get("/user/search?queryString=*").header("x-fusionauth-tenantid", OTHER_TENANT).await.ok();
    assert_eq!(ids_of(&named.body), [theirs]);
}
