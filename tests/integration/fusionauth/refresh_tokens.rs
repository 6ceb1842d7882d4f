//! Refresh tokens: a service lists and revokes them, and their holder logs out.

use crate::harness::service::APPLICATION;
use crate::harness::world::refresh_tokens_are;
use crate::harness::{FusionAuthUser, PASSWORD, Service, World, cheap_passwords, other_tenant, with_other_tenant};
use countersign_domain::ids::TenantId;
use countersign_domain::tenant::RefreshTokenUsage;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::time::Duration;

const NOBODY: &str = "01a1fd04-be02-75f5-bdbd-868b7959e05d";

async fn world(database: DatabaseKind) -> World {
    World::with(database, cheap_passwords).await
}

async fn token(service: &Service, user: &FusionAuthUser) -> String {
    service.log_in(user).await.ok().text("/refreshToken")
}

async fn is_good(service: &Service, token: &str) -> bool {
    let refreshed = service.open("/jwt/refresh", json!({"refreshToken": token})).await;
    assert!([200, 404].contains(&refreshed.status), "{refreshed}");
    refreshed.status == 200
}

#[on_each_database]
async fn tokens_are_listed_by_login_without_the_token(database: DatabaseKind) {
    for usage in RefreshTokenUsage::ALL {
        let world = World::with(database, |settings| {
            cheap_passwords(settings);
            refresh_tokens_are(settings, usage);
        })
        .await;
        let service = world.service().await;
        let user = service.user().await;
        let list = || service.get(&format!("/jwt/refresh?userId={}", user.id));
        assert_eq!(list().await.ok().body, json!({"refreshTokens": []}));
        let first = service.log_in(&user).await.ok();
        let logged_in_at = world.clock_millis();
        world.clock.advance(Duration::from_secs(60));
        let second = service.log_in(&user).await.ok();
        world.clock.advance(Duration::from_secs(60));
        service.open("/jwt/refresh", json!({"refreshToken": first.text("/refreshToken")})).await.ok();
        let listed = list().await.ok();
        let ids: Vec<_> = (0..2).map(|index| listed.text(&format!("/refreshTokens/{index}/id"))).collect();
        assert_eq!(ids, [second.text("/refreshTokenId"), first.text("/refreshTokenId")], "{usage:?}: the newest first");
        let shown = json!({"refreshToken": {
            "id": ids[1], "userId": user.id, "applicationId": APPLICATION, "tenantId": TenantId::DEFAULT.to_hyphenated(),
            "insertInstant": logged_in_at, "startInstant": world.clock_millis(),
            "metaData": {"device": {"lastAccessedInstant": world.clock_millis()}},
        }});
        assert_eq!(service.get(&format!("/jwt/refresh/{}", ids[1])).await.ok().body, shown, "{usage:?}");
        assert!(!listed.body.to_string().contains(&first.text("/refreshToken")));
        // Expired ones are none.
        world.clock.advance(Duration::from_secs(90 * 24 * 60 * 60));
        assert_eq!(list().await.ok().body, json!({"refreshTokens": []}));
        service.get(&format!("/jwt/refresh/{}", ids[1])).await.is(404);
    }
}

#[on_each_database]
async fn a_service_revokes_by_token_by_id_by_user_and_by_application(database: DatabaseKind) {
    let world = world(database).await;
    let service = world.service().await;
    let (user, other) = (service.user().await, service.user().await);
    let revoke = |query: &str| service.call("DELETE", &format!("/jwt/refresh{query}"));
    let others = token(&service, &other).await;
    for way in ["token", "id", "body"] {
        let kept = token(&service, &user).await;
        let login = service.log_in(&user).await.ok();
        let (ended, id) = (login.text("/refreshToken"), login.text("/refreshTokenId"));
        match way {
            "token" => revoke(&format!("?token={ended}")).await.ok(),
            "id" => revoke(&format!("/{id}")).await.ok(),
            _ => revoke("").json(json!({"token": ended})).await.ok(),
        };
        assert!(!is_good(&service, &ended).await && is_good(&service, &kept).await, "{way}");
        revoke(&format!("/{id}")).await.is(404);
        revoke(&format!("?token={ended}")).await.is(404);
    }
    for query in [
        format!("?userId={}", user.id),
        format!("?userId={}&applicationId={APPLICATION}", user.id),
        format!("?userId={}&applicationId=null&token=undefined", user.id),
    ] {
        let ended = token(&service, &user).await;
        revoke(&query).await.ok();
        assert!(!is_good(&service, &ended).await && is_good(&service, &others).await, "{query}");
        // There are none any more.
        revoke(&query).await.ok();
    }
    let all = [token(&service, &user).await, others];
    revoke(&format!("?applicationId={APPLICATION}")).await.ok();
    for ended in all {
        assert!(!is_good(&service, &ended).await);
    }
    revoke(&format!("?userId={NOBODY}")).await.is(404);
    revoke(&format!("?applicationId={NOBODY}")).await.wrong("[invalid]applicationId");
    revoke("?userId=x").await.wrong("[couldNotConvert]userId");
    revoke("/x").await.wrong("[couldNotConvert]tokenId");
    service.get("/jwt/refresh").await.wrong("[blank]userId");
    assert_eq!(revoke("").await.is(400).wrongs(), ["[blank]applicationId", "[blank]token", "[blank]userId"]);
    let revoked = "SELECT count(*) AS number FROM audit_events WHERE kind = 'refresh-tokens-revoked'";
    assert_eq!(world.database().number(revoked), 3 + 3 + 2);
}

/// By a service for all of a user's logins, and by the user who logs out of all.
#[on_each_database]
async fn after_a_change_of_factors_all_logins_can_be_ended_a_7_4_3(database: DatabaseKind) {
    let world = world(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let before = token(&service, &user).await;
    let app = service.enrol(&user).await;
    service.call("DELETE", &format!("/jwt/refresh?userId={}", user.id)).await.ok();
    assert!(!is_good(&service, &before).await);
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let challenge = service.challenge(&user).await;
        tokens.push(service.complete(&challenge, &app.fresh_code()).await.ok().text("/refreshToken"));
    }
    service.enrol_address(&user, "email", &user.email).await;
    service.open("/logout", json!({"refreshToken": tokens[0], "global": true})).await.ok();
    for ended in &tokens {
        assert!(!is_good(&service, ended).await);
    }
}

/// Attack 36, for services.
#[on_each_database]
async fn a_service_of_another_tenant_sees_and_revokes_nothing_36(database: DatabaseKind) {
    let world = World::with(database, with_other_tenant).await;
    let service = world.service_that(Some(TenantId::DEFAULT), None).await;
    let user = service.user().await;
    let login = service.log_in(&user).await.ok();
    let foreign = world.service_that(Some(other_tenant()), None).await;
    let (good, id) = (login.text("/refreshToken"), login.text("/refreshTokenId"));
    for (method, path) in [
        ("GET", format!("/jwt/refresh?userId={}", user.id)),
        ("GET", format!("/jwt/refresh/{id}")),
        ("DELETE", format!("/jwt/refresh/{id}")),
        ("DELETE", format!("/jwt/refresh?userId={}", user.id)),
        ("DELETE", format!("/jwt/refresh?token={good}")),
    ] {
        foreign.call(method, &path).await.is(404);
    }
    foreign.call("DELETE", &format!("/jwt/refresh?applicationId={APPLICATION}")).await.is(400);
    assert!(is_good(&service, &good).await);
}

#[on_each_database]
async fn logging_out_ends_the_refresh_token_and_the_cookies_a_7_4_1(database: DatabaseKind) {
    let world = world(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let logout = |query: &str| world.stranger().call("POST", &format!("/api/logout{query}"));
    let kept = token(&service, &user).await;
    for way in ["body", "query", "cookie"] {
        let ended = token(&service, &user).await;
        let left = match way {
            "body" => logout("").json(json!({"refreshToken": ended})).await.ok(),
            "query" => logout(&format!("?refreshToken={ended}&global=null")).await.ok(),
            _ => logout("?global=false").header("cookie", &format!("refresh_token={ended}")).await.ok(),
        };
        let removed: Vec<_> = left.set_cookies().into_iter().filter(|cookie| cookie.value.is_empty()).collect();
        let names: Vec<_> = removed.iter().map(|cookie| cookie.name.as_str()).collect();
        assert_eq!(names, ["access_token", "refresh_token"]);
        assert!(removed.iter().all(|cookie| cookie.attributes.contains("Max-Age=0")), "{removed:?}");
        assert!(!is_good(&service, &ended).await && is_good(&service, &kept).await, "{way}");
    }
    // What is no token any more, or never was, is no error.
    for nothing in [json!({}), json!({"refreshToken": "x"}), json!({"refreshToken": format!("r{}", "x".repeat(42))})] {
        logout("").json(nothing).await.ok();
    }
    assert!(is_good(&service, &kept).await);
    let login = json!({"loginId": user.email, "password": PASSWORD, "applicationId": APPLICATION});
    for global in [json!({"global": true}), json!({})] {
        let [one, other] = [service.post("/login", login.clone()).await, service.post("/login", login.clone()).await]
            .map(|response| response.text("/refreshToken"));
        let query = if global == json!({}) { "?global=true" } else { "" };
        let mut body = global;
        body["refreshToken"] = json!(one);
        logout(query).json(body).await.ok();
        assert!(!is_good(&service, &one).await && !is_good(&service, &other).await, "{query}");
    }
    assert!(!is_good(&service, &kept).await);
}
