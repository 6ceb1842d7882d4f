//! Logins that wait for their second factor.

use crate::harness::World;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

/// Its id, shown wherever an id, a code or a token goes, gives away neither whose it is nor an address.
#[on_each_database]
async fn a_login_that_waits_shows_nothing_of_its_user_25(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    service.enrol_address(&user, "email", &user.email).await;
    let method = service.method_id(&user, "email").await;
    let id = service.challenge(&user).await;
    let stranger = world.stranger();
    let responses = [
        service.open(&format!("/two-factor/send/{id}"), json!({"methodId": method})).await.ok(),
        service.complete(&id, &app.wrong_code()).await.is(421),
        service.with_token(&id, "GET", "/jwt/validate").await.is(401),
        service.with_token(&id, "GET", "/user").await.is(401),
        stranger.call("GET", "/api/user").header("authorization", &id).await.is(401),
        service.open("/jwt/refresh", json!({"refreshToken": id})).await.is(404),
        service.open("/passwordless/login", json!({"code": id})).await.is(404),
        service.open("/user/verify-email", json!({"verificationId": id})).await.is(404),
        stranger.call("GET", &format!("/api/user/change-password/{id}")).await.is(404),
    ];
    for response in responses {
        let text = String::from_utf8_lossy(&response.raw).into_owned();
        assert!(!text.contains(&user.email) && !text.contains(&user.id), "{response}");
        assert!(response.set_cookies().iter().all(|cookie| cookie.is_deletion()), "{response}");
    }
    // It is still good for what it was given for.
    service.complete(&id, &app.fresh_code()).await.ok();
}
