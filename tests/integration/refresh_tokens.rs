//! Refresh tokens: reusable ones and those for one use, through the FusionAuth dialect, which alone has them.

use crate::harness::database::Database;
use crate::harness::service::APPLICATION;
use crate::harness::world::{Time, refresh_tokens_are};
use crate::harness::{FusionAuthUser, PASSWORD, Process, Response, Service, World, cheap_passwords};
use countersign::config::values::KeyringSource;
use countersign_domain::policy::Policy;
use countersign_domain::tenant::RefreshTokenUsage::{self, OneTimeUse, Reusable};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tempfile::tempdir;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const AT_ONCE: usize = 64;
const ROUNDS: usize = 10;

async fn world(database: DatabaseKind, usage: RefreshTokenUsage) -> World {
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        refresh_tokens_are(settings, usage);
    });
    world.await
}

fn grace() -> Duration {
    Policy::default().refresh_token_grace
}

async fn refresh(service: &Service, token: &str) -> Response {
    service.open("/jwt/refresh", json!({"refreshToken": token})).await
}

async fn next(service: &Service, token: &str) -> String {
    refresh(service, token).await.ok().text("/refreshToken")
}

async fn first(service: &Service) -> (FusionAuthUser, String) {
    let user = service.user().await;
    let token = service.log_in(&user).await.ok().text("/refreshToken");
    (user, token)
}

#[on_each_database]
async fn a_reusable_token_stays_the_same_and_each_use_renews_it(database: DatabaseKind) {
    let world = world(database, Reusable).await;
    let service = world.service().await;
    let (_, token) = first(&service).await;
    for _ in 0..3 {
        world.clock.advance(20 * DAY);
        let refreshed = refresh(&service, &token).await.ok();
        assert_eq!(refreshed.text("/refreshToken"), token);
        let cookie = refreshed.set_cookies().into_iter().find(|cookie| cookie.name == "refresh_token").unwrap();
        let age = format!("Max-Age={};", (30 * DAY).as_secs());
        assert!(cookie.value == token && cookie.attributes.contains(&age), "{cookie:?}");
        service.with_token(&refreshed.text("/token"), "GET", "/jwt/validate").await.ok();
    }
    let rows = "SELECT count(*) AS number FROM refresh_tokens";
    assert_eq!(world.database().number(rows), 1);
    let events = "SELECT count(*) AS number FROM audit_events WHERE kind = 'token-refreshed'";
    assert_eq!(world.database().number(events), 3);
    world.clock.advance(30 * DAY);
    refresh(&service, &token).await.is(404);
}

#[on_each_database]
async fn a_one_time_token_gives_the_next_one_and_later_ends_all_of_its_login(database: DatabaseKind) {
    let world = world(database, OneTimeUse).await;
    let service = world.service().await;
    let (user, token) = first(&service).await;
    let other = service.log_in(&user).await.ok().text("/refreshToken");
    let second = next(&service, &token).await;
    assert_ne!(second, token);
    // Within the grace it is the same request, sent again.
    world.clock.advance(grace() - Duration::from_millis(1));
    assert_eq!(next(&service, &token).await, second);
    world.clock.advance(Duration::from_millis(1));
    refresh(&service, &token).await.is(404);
    refresh(&service, &second).await.is(404);
    let reused = "SELECT count(*) AS number FROM audit_events WHERE kind = 'refresh-token-reused'";
    assert_eq!(world.database().number(reused), 1);
    // Another login of the user goes on.
    refresh(&service, &other).await.ok();
}

/// Two requests with one token, of which the slower one is processed when the faster one's token was used already.
#[on_each_database]
async fn a_request_that_comes_late_gets_a_token_that_is_good(database: DatabaseKind) {
    let world = world(database, OneTimeUse).await;
    let service = world.service().await;
    let (_, token) = first(&service).await;
    let mut last = token.clone();
    for _ in 0..4 {
        last = next(&service, &last).await;
        assert_eq!(next(&service, &token).await, last);
    }
    world.clock.advance(grace());
    let live = next(&service, &last).await;
    assert_ne!(live, last);
    // So many replacements within the grace are no race: none, and nothing ends.
    let (_, token) = first(&service).await;
    let mut last = token.clone();
    for _ in 0..9 {
        last = next(&service, &last).await;
    }
    refresh(&service, &token).await.is(404);
    refresh(&service, &last).await.ok();
}

#[on_each_database]
async fn what_ended_stays_ended_within_the_grace(database: DatabaseKind) {
    for usage in RefreshTokenUsage::ALL {
        let world = world(database, usage).await;
        let service = world.service().await;
        let (user, token) = first(&service).await;
        let second = next(&service, &token).await;
        service.call("DELETE", &format!("/user/{}", user.id)).await.ok();
        refresh(&service, &token).await.is(404);
        refresh(&service, &second).await.is(404);
    }
}

/// What somebody has of a change of the setting: nothing that was used comes back.
#[on_each_database]
async fn a_token_follows_the_setting_of_the_moment(database: DatabaseKind) {
    let world = world(database, Reusable).await;
    let service = world.service().await;
    let (_, token) = first(&service).await;
    assert_eq!(next(&service, &token).await, token);
    let world = world.restarted_with(|settings| refresh_tokens_are(settings, OneTimeUse)).await;
    let second = next(&service, &token).await;
    assert_ne!(second, token);
    let world = world.restarted_with(|settings| refresh_tokens_are(settings, Reusable)).await;
    assert_eq!(next(&service, &token).await, second, "within the grace");
    assert_eq!(next(&service, &second).await, second);
    world.clock.advance(grace());
    refresh(&service, &token).await.is(404);
    refresh(&service, &second).await.is(404);
}

#[on_each_database]
async fn tokens_of_the_strict_profile_are_for_one_use(database: DatabaseKind) {
    for (profile, stays) in [("default", true), ("strict", false)] {
        let directory = tempdir().unwrap();
        let process = Process::start(database, directory.path(), &[("COUNTERSIGN_PROFILE", profile)]);
        let service = process.service();
        let (_, token) = first(&service).await;
        assert_eq!(next(&service, &token).await == token, stays, "{profile}");
    }
}

/// All at once, spread over two nodes.
#[on_each_database]
async fn all_who_present_a_token_at_once_get_the_same_good_one(database: DatabaseKind) {
    for usage in RefreshTokenUsage::ALL {
        let directory = tempdir().unwrap();
        let shared = Database::make(database, directory.path());
        let mut nodes = Vec::new();
        for _ in 0..2 {
            let node = World::sharing(&shared, Time::System, |settings| {
                settings.keyring = KeyringSource::DefaultFile(directory.path().join("keyring"));
                cheap_passwords(settings);
                refresh_tokens_are(settings, usage);
            });
            nodes.push(node.await);
        }
        let home = nodes[0].service().await;
        let services = [Service::new(&nodes[0], &home.key, None), Service::new(&nodes[1], &home.key, None)];
        for _ in 0..ROUNDS {
            let (_, mut token) = first(&home).await;
            for _ in 0..3 {
                let start = Arc::new(Barrier::new(AT_ONCE));
                let mut running = JoinSet::new();
                for service in services.iter().cycle().take(AT_ONCE) {
                    let call = service.open("/jwt/refresh", json!({"refreshToken": token}));
                    let start = Arc::clone(&start);
                    running.spawn(async move {
                        start.wait().await;
                        call.await
                    });
                }
                let responses = running.join_all().await;
                let tokens: BTreeSet<_> = responses.into_iter().map(|one| one.is(200).text("/refreshToken")).collect();
                assert_eq!(tokens.len(), 1, "{usage:?}");
                let given = tokens.into_iter().next().unwrap();
                assert_eq!(given == token, usage == Reusable, "{usage:?}");
                token = given;
            }
            let last = refresh(&services[1], &token).await.ok();
            services[0].with_token(&last.text("/token"), "GET", "/jwt/validate").await.ok();
        }
        let live = "SELECT count(*) AS number FROM refresh_tokens WHERE used_at IS NULL";
        assert_eq!(shared.number(live), i64::try_from(ROUNDS).unwrap(), "{usage:?}: one for each login");
    }
}

/// An application's own choice comes before the setting.
#[on_each_database]
async fn applications_differ(database: DatabaseKind) {
    const ONE_TIME: &str = "11111111-1111-4111-8111-111111111111";
    let directory = tempdir().unwrap();
    let applications = json!([
        {"id": APPLICATION, "name": "Default"},
        {"id": ONE_TIME, "name": "One-time", "refresh_token_usage": "OneTimeUse"},
    ]);
    let applications = applications.to_string();
    let variables = [("COUNTERSIGN_APPLICATIONS", applications.as_str())];
    let process = Process::start(database, directory.path(), &variables);
    let service = process.service();
    let user = service.user().await;
    for (application, stays) in [(APPLICATION, true), (ONE_TIME, false)] {
        let login = json!({"loginId": user.email, "password": PASSWORD, "applicationId": application});
        let login = service.post("/login", login).await;
        let token = login.text("/refreshToken");
        assert_eq!(next(&service, &token).await == token, stays, "{application}");
    }
}
