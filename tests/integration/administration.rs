//! The administration API: users are helped, and nothing else is opened.

use crate::fusionauth::actions::LOCK;
use crate::harness::service::APPLICATION;
use crate::harness::world::ADMINISTRATION;
use crate::harness::{
    Administrator, App, Authenticator, BASE_URL, OTHER_TENANT, PASSWORD, World, cheap_passwords, other_tenant,
    with_other_tenant,
};
use crate::limits::{verify_totp, wrong_codes};
use crate::passkeys::register;
use countersign::operations::ADMIN;
use countersign_client::admin::{Client, Error, types};
use countersign_client::reqwest;
use countersign_client::reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use countersign_contract_compare::BodyRule;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

/// The newest event of a kind about an account.
async fn last_event(admin: &Administrator, kind: &str, id: &str) -> Value {
    let found = admin.get(&format!("/audit-events?kind={kind}&account={id}&limit=1")).await.ok();
    found.body["events"][0].clone()
}

async fn key_id_of(admin: &Administrator, id: &str, kind: &str) -> String {
    let event = last_event(admin, kind, id).await;
    assert_eq!((&event["dialect"], &event["actor"]["kind"]), (&json!("admin"), &json!("service")), "{event}");
    event["actor"]["apiKeyId"].as_str().unwrap().to_owned()
}

#[on_each_database]
async fn a_locked_user_is_helped_and_the_trail_names_the_key(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service_that(None, Some(ADMINISTRATION)).await;
    let (admin, key_id) = (service.administrator(), service.key_id.unwrap().to_hyphenated());
    let user = world.user("ada").await;
    let app = user.enrol().await;
    wrong_codes(&user, &app, 10).await;
    verify_totp(&user.challenged().await, &app.fresh_code()).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    let id = admin.id_of("ADA@exam").await;
    let shown = admin.get(&format!("/users/{id}")).await.ok();
    assert!(shown.body["limits"]["lockedUntil"].is_string(), "{shown}");
    assert_eq!(shown.body["limits"]["guesses"], 10, "{shown}");
    assert_eq!(last_event(&admin, "account-locked", &id).await["actor"], json!({"kind": "server"}));

    let unlock = format!("/users/{id}/unlock");
    let done = admin.post(&unlock).await.ok();
    assert_eq!(done.body, json!({"id": id, "done": "unlocked"}));
    verify_totp(&user.challenged().await, &app.fresh_code()).await.ok();
    assert_eq!(key_id_of(&admin, &id, "account-unlocked").await, key_id);
    let shown = admin.get(&format!("/users/{id}")).await.ok();
    assert_eq!((&shown.body["limits"]["lockedUntil"], &shown.body["limits"]["guesses"]), (&json!(null), &json!(0)));
    // It may be repeated.
    admin.post(&unlock).await.ok();

    // So does a lock by a service end.
    let expiry = world.clock_millis() + 3_600_000;
    let lock = json!({"actioneeUserId": id, "userActionId": LOCK, "expiry": expiry, "comment": "stolen"});
    world.service().await.post("/user/action", json!({"action": lock})).await.ok();
    user.sign_in_from(&world.browser()).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    let shown = admin.get(&format!("/users/{id}")).await.ok();
    assert_eq!(shown.text("/limits/suspension/comment"), "stolen");
    admin.post(&unlock).await.ok();
    user.challenged().await;
}

#[on_each_database]
async fn a_lost_second_factor_is_reset_and_another_one_enrolled_through_the_api(database: DatabaseKind) {
    let world = World::start(database).await;
    let admin = world.administrator().await;
    let user = world.user("ada").await;
    let lost = user.enrol().await;
    register(&user.browser, &mut Authenticator::new()).await.ok();
    let challenged = user.challenged().await;
    let id = admin.id_of("ada").await;
    let reset = format!("/users/{id}/reset-factors");
    assert_eq!(admin.post(&reset).await.ok().text("/done"), "factors-reset");
    // What the lost factor stood behind is over, and the password alone signs in.
    verify_totp(&challenged, &lost.fresh_code()).await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
    // A lost passkey may have opened any session.
    user.browser.get("/list-sessions").await.refused(401, "UNAUTHORIZED");
    let browser = user.signed_in().await;
    key_id_of(&admin, &id, "two-factor-disabled").await;
    admin.post(&reset).await.refused(409, "NO_SECOND_FACTOR");
    // Another one is enrolled.
    let begun = browser.post("/two-factor/enable").json(json!({"password": PASSWORD})).await.ok();
    let app = App::new(&begun, &world.clock);
    verify_totp(&browser, &app.fresh_code()).await.ok();
    user.challenged().await;
    let shown = admin.get(&format!("/users/{id}")).await.ok();
    assert_eq!(
        (&shown.body["twoFactorEnabled"], &shown.body["methods"][0]["kind"]),
        (&json!(true), &json!("authenticator"))
    );
}

#[on_each_database]
async fn a_password_that_a_service_sets_ends_what_the_old_one_opened_28(database: DatabaseKind) {
    let world = World::start(database).await;
    let admin = world.administrator().await;
    let mut user = world.user("ada").await;
    let id = admin.id_of("ada").await;
    let set = |password: &str| admin.post(&format!("/users/{id}/password")).json(json!({"password": password}));
    set("short").await.refused(400, "PASSWORD_TOO_SHORT");
    set("ada@example.com").await.refused(400, "PASSWORD_COMPROMISED");
    assert!(user.browser.get("/get-session").await.ok().body.is_object());
    set("a longer horse, a battery").await.ok();
    assert!(user.browser.get("/get-session").await.ok().body.is_null());
    user.sign_in_from(&world.browser()).await.is(401);
    "a longer horse, a battery".clone_into(&mut user.password);
    user.signed_in().await;
    key_id_of(&admin, &id, "password-changed").await;
}

#[on_each_database]
async fn what_is_done_cannot_be_done_twice_without_saying_so(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let admin = world.administrator().await;
    let user = world.user("ada").await;
    let id = admin.id_of("ada").await;
    let path = format!("/users/{id}");
    user.signed_in().await;
    let sessions = admin.get(&format!("{path}/sessions")).await.ok();
    assert_eq!(sessions.body["sessions"].as_array().map(Vec::len), Some(2), "{sessions}");
    let one = format!("{path}/sessions/{}", sessions.text("/sessions/0/id"));
    assert_eq!(admin.delete(&one).await.ok().text("/done"), "session-revoked");
    admin.delete(&one).await.refused(404, "GRANT_NOT_FOUND");
    for _ in 0..2 {
        assert_eq!(admin.delete(&format!("{path}/sessions")).await.ok().text("/done"), "all-revoked");
    }
    assert!(user.browser.get("/get-session").await.ok().body.is_null());

    admin.post(&format!("{path}/deactivate")).await.ok();
    admin.post(&format!("{path}/deactivate")).await.refused(409, "ALREADY_DEACTIVATED");
    user.sign_in_from(&world.browser()).await.refused(403, "BANNED_USER");
    admin.post(&format!("{path}/reactivate")).await.ok();
    admin.post(&format!("{path}/reactivate")).await.refused(409, "ALREADY_ACTIVE");
    user.signed_in().await;
    assert_eq!(admin.delete(&path).await.ok().text("/done"), "deleted");
    admin.delete(&path).await.refused(404, "USER_NOT_FOUND");
    admin.get(&path).await.refused(404, "USER_NOT_FOUND");
    // The trail is left, and each change is there once.
    for (kind, count) in
        [("account-deactivated", 1), ("account-reactivated", 1), ("account-deleted", 1), ("sessions-revoked", 3)]
    {
        let events = admin.get(&format!("/audit-events?account={id}&kind={kind}")).await.ok();
        assert_eq!(events.body["events"].as_array().map(Vec::len), Some(count), "{kind}: {events}");
    }
}

#[on_each_database]
async fn a_key_for_one_tenant_sees_and_changes_nothing_of_another_36(database: DatabaseKind) {
    let world = World::with(database, with_other_tenant).await;
    let (all, other) = (world.administrator().await, world.administrator_of(Some(other_tenant())).await);
    let home = world.settings().directory.home().id;
    let own = world.administrator_of(Some(home)).await;
    let create = |admin: &Administrator, email: &str, tenant: Option<&str>| {
        admin.post("/users").json(match tenant {
            Some(tenant) => json!({"email": email, "password": PASSWORD, "tenantId": tenant}),
            None => json!({"email": email, "password": PASSWORD}),
        })
    };
    let ada = create(&all, "ada@example.com", None).await.is(201);
    assert_eq!(ada.text("/tenantId"), home.to_hyphenated());
    let eve = create(&other, "eve@example.com", None).await.is(201);
    assert_eq!(eve.text("/tenantId"), OTHER_TENANT);
    world.clock.advance(Duration::from_millis(1));
    create(&all, "adam@example.com", Some(OTHER_TENANT)).await.is(201);
    // Another tenant is none.
    create(&other, "bob@example.com", Some(&home.to_hyphenated())).await.refused(400, "INVALID_REQUEST");
    other.get(&format!("/users?tenantId={}", home.to_hyphenated())).await.refused(400, "INVALID_REQUEST");

    let ada = ada.text("/id");
    let before = world.database().number("SELECT count(*) AS number FROM audit_events");
    for entry in ADMIN.iter().filter(|entry| entry.path.contains("{userId}")) {
        let call = other.caller.call(entry.method, &entry.path.replace("{userId}", &ada).replace("{grantId}", &ada));
        let call = if entry.body == BodyRule::None { call } else { call.json(json!({"password": "another password"})) };
        call.await.refused(404, "USER_NOT_FOUND");
    }
    assert_eq!(world.database().number("SELECT count(*) AS number FROM audit_events"), before);
    let emails = async |admin: &Administrator, query: &str| {
        let found = admin.get(&format!("/users{query}")).await.ok();
        let emails =
            found.body["users"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned());
        emails.collect::<Vec<_>>()
    };
    assert_eq!(emails(&other, "").await, ["eve@example.com", "adam@example.com"]);
    assert_eq!(emails(&other, "?startsWith=ada").await, ["adam@example.com"]);
    assert_eq!(emails(&own, "").await, ["ada@example.com"]);
    assert_eq!(emails(&all, "").await, ["ada@example.com"]);
    assert_eq!(emails(&all, &format!("?tenantId={OTHER_TENANT}")).await.len(), 2);

    // The trail, and counts.
    other.get("/audit-events").await.refused(400, "ACCOUNT_REQUIRED");
    other.get(&format!("/audit-events?account={ada}")).await.refused(404, "USER_NOT_FOUND");
    let own_events = other.get(&format!("/audit-events?account={}", eve.text("/id"))).await.ok();
    assert_eq!(own_events.text("/events/0/kind"), "account-created");
    let counts = other.get("/statistics").await.ok();
    let tenants = json!([{"tenantId": OTHER_TENANT, "users": 2, "withSecondFactor": 0, "deactivated": 0, "locked": 0}]);
    assert_eq!(counts.body["tenants"], tenants);
    assert_eq!(counts.body.as_object().map(serde_json::Map::len), Some(2), "{counts}");
    let counts = all.get("/statistics").await.ok();
    assert_eq!((counts.body["tenants"].as_array().map(Vec::len), &counts.body["sessions"]), (Some(2), &json!(0)));
}

/// Keys that were made before must not gain anything, and a key for administration is for nothing else.
#[on_each_database]
async fn a_key_opens_administration_or_the_other_api_as_it_was_made_for_38(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let full = world.service().await;
    full.administrator().get("/users").await.refused(403, "FORBIDDEN");
    full.get("/user/search?ids=01a1fd04-be02-75f5-bdbd-868b7959e05d").await.ok();
    let admin = world.service_that(None, Some(ADMINISTRATION)).await;
    admin.administrator().get("/users").await.ok();
    admin.get("/user/search?ids=01a1fd04-be02-75f5-bdbd-868b7959e05d").await.is(401);
    admin.post("/login", json!({"loginId": "ada", "password": PASSWORD, "applicationId": APPLICATION})).await.is(401);
    let both = world.service_that(None, Some(r#"[{"path": "/admin/*"}, {"path": "/api/*"}]"#)).await;
    both.administrator().get("/users").await.ok();
    both.get("/user/search?ids=01a1fd04-be02-75f5-bdbd-868b7959e05d").await.ok();
}

#[on_each_database]
async fn paths_have_the_methods_that_they_name_and_errors_are_problem_details_a_4_1_4_r6(database: DatabaseKind) {
    const METHODS: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY"];
    let world = World::start(database).await;
    let admin = world.administrator().await;
    for entry in ADMIN {
        let path = entry.path.replace("{userId}", "x").replace("{grantId}", "x");
        let order = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        let is_there = |method: &&str| ADMIN.iter().any(|other| other.method == *method && other.path == entry.path);
        let allowed = order.into_iter().filter(is_there).collect::<Vec<_>>().join(", ");
        for method in METHODS.into_iter().filter(|method| !is_there(method)) {
            let refused = admin.caller.call(method, &path).undocumented().await.is(405);
            assert_eq!(refused.header("allow"), Some(&*allowed), "{refused}");
            assert_eq!(refused.header("content-type"), Some("application/problem+json"), "{refused}");
            if method != "HEAD" {
                assert_eq!((refused.code(), &refused.body["status"]), ("METHOD_NOT_ALLOWED", &json!(405)), "{refused}");
            }
        }
    }
    for path in ["/admin", "/admin/", "/admin/user", "/admin/users/", "/admin//users", "/admin/users/x/lock"] {
        let refused = admin.caller.call("GET", path).undocumented().await.refused(404, "NOT_FOUND");
        assert_eq!(refused.header("content-type"), Some("application/problem+json"), "{refused}");
        assert_eq!(refused.header("cache-control"), Some("no-store"), "{refused}");
        assert_eq!(refused.text("/type"), "about:blank");
        assert_eq!(refused.text("/title"), "Not Found");
    }
    // A path that only begins so is not of the API.
    let other = admin.caller.call("GET", "/administration").undocumented().await.is(404);
    assert_eq!(other.header("content-type"), None, "{other}");
}

#[on_each_database]
async fn no_page_is_let_in_by_cors_or_a_cookie(database: DatabaseKind) {
    let world = World::start(database).await;
    let admin = world.administrator().await;
    for origin in [BASE_URL, "https://evil.example", "null"] {
        let preflight = world.stranger().call("OPTIONS", "/admin/users").header("origin", origin);
        let preflight = preflight.header("access-control-request-method", "GET").undocumented().await.is(405);
        let read = admin.get("/users").header("origin", origin).await.ok();
        for response in [preflight, read] {
            let granted = response.headers.keys().filter(|name| name.as_str().starts_with("access-control-"));
            assert_eq!(granted.count(), 0, "{response}");
        }
    }
    let user = world.user("ada").await;
    let call = user.browser.call("GET", "/admin/users");
    let refused = call.await.refused(401, "UNAUTHORIZED");
    assert!(refused.set_cookies().is_empty(), "{refused}");
}

#[on_each_database]
async fn it_can_be_switched_off(database: DatabaseKind) {
    use countersign::config::values::DialectName;
    let world = World::with(database, |settings| settings.dialects = DialectName::OF_USERS.into()).await;
    let admin = world.administrator().await;
    admin.get("/users").undocumented().await.is(404);
    world.stranger().call("GET", "/openapi/admin.yaml").undocumented().await.is(404);
}

#[on_each_database]
async fn users_and_events_come_page_by_page(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let admin = world.administrator().await;
    for number in 0..5 {
        world.clock.advance(Duration::from_millis(1));
        let body = json!({"username": format!("user{number}"), "password": PASSWORD});
        admin.post("/users").json(body).await.is(201);
    }
    let walk = async |path: &str, list: &str, field: &str| {
        let (mut found, mut cursor, mut sizes) = (Vec::new(), String::new(), Vec::new());
        loop {
            let page = admin.get(&format!("{path}{cursor}")).await.ok();
            let items = page.body[list].as_array().unwrap();
            sizes.push(items.len());
            found.extend(items.iter().map(|item| item[field].as_str().unwrap().to_owned()));
            match page.body["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return (found, sizes),
            }
        }
    };
    let names = ["user0", "user1", "user2", "user3", "user4"];
    let (users, sizes) = walk("/users?limit=2", "users", "username").await;
    assert_eq!((users.as_slice(), sizes.as_slice()), (&names.map(str::to_owned)[..], &[2, 2, 1][..]));
    let (_, sizes) = walk("/users?limit=5", "users", "username").await;
    assert_eq!(sizes, [5]);

    let (all, _) = walk("/audit-events?limit=1000", "events", "id").await;
    assert_eq!(all.len(), 5);
    let (newest_first, sizes) = walk("/audit-events?limit=2", "events", "id").await;
    assert_eq!((&newest_first, sizes.as_slice()), (&all, &[2, 2, 1][..]));
    let (mut oldest_first, _) = walk("/audit-events?limit=2&order=oldestFirst", "events", "id").await;
    oldest_first.reverse();
    assert_eq!(oldest_first, all);
    let events = admin.get("/audit-events?order=oldestFirst").await.ok();
    let third = events.text("/events/2/at");
    let (since, _) = walk(&format!("/audit-events?since={third}"), "events", "at").await;
    let (until, _) = walk(&format!("/audit-events?until={third}"), "events", "at").await;
    assert_eq!((since.len(), until.len()), (3, 2));
    assert!(since.contains(&third) && !until.contains(&third));
    let (none, _) = walk("/audit-events?kind=signed-in", "events", "id").await;
    assert!(none.is_empty());
}

#[on_each_database]
async fn administration_in_types(database: DatabaseKind) {
    let world = World::start(database).await;
    let client = |key: &str| {
        let value = HeaderValue::from_str(&format!("Bearer {key}")).unwrap();
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        let http = reqwest::Client::builder().default_headers(headers).no_proxy().build().unwrap();
        Client::new_with_client(&format!("http://{}/admin", world.address()), http)
    };
    let admin = client(&world.administrator().await.key);
    let new = types::NewUser::builder().email(Some("ada@example.com".to_owned())).password(PASSWORD);
    let made = admin.create_user().body(new).send().await.unwrap().into_inner();
    assert_eq!(made.email.as_deref(), Some("ada@example.com"));
    let page = admin.list_users().starts_with("ada").limit(1).send().await.unwrap().into_inner();
    assert_eq!((page.users.len(), page.next_cursor), (1, None));
    let id = page.users[0].id.to_string();
    let shown = admin.read_user().user_id(&id).send().await.unwrap().into_inner();
    assert_eq!((shown.limits.failed_attempts, shown.name.as_str()), (0, ""));
    let change = admin.unlock_user().user_id(&id).send().await.unwrap().into_inner();
    assert_eq!(change.done, types::UserChangeDone::Unlocked);
    let problem = admin.reset_factors().user_id(&id).send().await.unwrap_err();
    let Error::ErrorResponse(problem) = problem else { panic!("{problem}") };
    assert_eq!((problem.status().as_u16(), problem.code.as_str()), (409, "NO_SECOND_FACTOR"));
    let grants = admin.list_grants().user_id(&id).send().await.unwrap().into_inner();
    assert!(grants.sessions.is_empty() && grants.refresh_tokens.is_empty() && grants.trusted_devices.is_empty());
    let counts = admin.read_statistics().send().await.unwrap().into_inner();
    assert_eq!((counts.tenants[0].users, counts.sessions), (1, Some(0)));
    let events = admin.list_audit_events().kind("account-created").send().await.unwrap().into_inner();
    assert_eq!(events.events[0].account.as_ref().map(ToString::to_string), Some(id.clone()));
    let export = admin.export_user().user_id(&id).send().await.unwrap().into_inner();
    assert_eq!(export.account["email"], "ada@example.com");
    assert!(export.extra.contains_key("sessions"));
    let Error::ErrorResponse(problem) = client("x").read_statistics().send().await.unwrap_err() else { panic!() };
    assert_eq!((problem.status().as_u16(), problem.code.as_str()), (401, "UNAUTHORIZED"));
}

/// Not even the first tenant, whose policy applies to accounts of a tenant that is not configured any more.
#[on_each_database]
async fn a_key_for_a_tenant_that_is_gone_opens_nothing_36(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    world.user("ada").await;
    let service = world.service_that(Some(other_tenant()), None).await;
    service.get("/user?email=ada@example.com").await.is(401);
    service.post("/user", json!({"user": {"email": "eve@example.com", "password": PASSWORD}})).await.is(401);
    let admin = world.administrator_of(Some(other_tenant())).await;
    admin.get("/users").await.is(401);
    let eve = json!({"email": "eve@example.com", "password": PASSWORD});
    admin.post("/users").json(eve).await.is(401);
    assert_eq!(world.database().number("SELECT count(*) AS number FROM accounts"), 1);
}
