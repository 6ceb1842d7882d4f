//! Verifying an e-mail address by an id that is mailed, given to a service, or both.

use crate::harness::wire::Wire;
use crate::harness::{FusionAuthUser, Service, World, cheap_passwords};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

/// The id in the `count`th link that was mailed to that address.
pub(crate) async fn verification_id(wire: &Wire, email: &str, count: usize) -> String {
    let link = wire.link_for(email, count).await;
    link.strip_prefix("/email/verify/").unwrap_or_else(|| panic!("{link} verifies no address")).to_owned()
}

async fn is_verified(service: &Service, user: &FusionAuthUser) -> bool {
    service.get(&format!("/user/{}", user.id)).await.ok().body["user"]["verified"] == true
}

#[on_each_database]
async fn a_mailed_id_verifies_the_address_once(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let stranger = world.stranger();
    for in_path in [true, false] {
        let user = service.user().await;
        let asked = stranger.call("PUT", &format!("/api/user/verify-email?email={}", user.email)).await.ok();
        assert_eq!(asked.body, json!({}));
        let id = verification_id(&world, &user.email, 1).await;
        assert!(!is_verified(&service, &user).await);
        let verify = || match in_path {
            true => stranger.call("POST", &format!("/api/user/verify-email/{id}")).header("content-type", "text/plain"),
            false => service.open("/user/verify-email", json!({"verificationId": id})),
        };
        verify().await.ok();
        assert!(is_verified(&service, &user).await);
        verify().await.is(404);
        // There is nothing left to verify.
        let again = service.call("PUT", &format!("/user/verify-email?email={}", user.email)).await.ok();
        assert_eq!(again.body, json!({}));
        assert_eq!(world.outbox().links_for(&user.email).len(), 1);
    }
}

#[on_each_database]
async fn a_service_gets_the_id_or_vouches_for_the_address(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let [one, two, three] = [service.user().await, service.user().await, service.user().await];
    let ask = |query: &str| service.call("PUT", &format!("/user/verify-email?{query}"));
    let id = ask(&format!("email={}&sendVerifyEmail=false", one.email)).await.ok().text("/verificationId");
    service.post("/user/verify-email", json!({"verificationId": id})).await.ok();
    let id = ask(&format!("email={}", two.email)).await.ok().text("/verificationId");
    assert_eq!(verification_id(&world, &two.email, 1).await, id);
    assert!(world.outbox().links_for(&one.email).is_empty());
    let vouch = json!({"userId": three.id});
    service.open("/user/verify-email", vouch.clone()).await.is(401);
    service.post("/user/verify-email", vouch).await.ok();
    assert!(is_verified(&service, &one).await && !is_verified(&service, &two).await);
    assert!(is_verified(&service, &three).await);
    ask("email=nobody@example.com").await.is(404);
    ask("email=nobody").await.is(404);
    ask("").await.wrong("[blank]email");
    let unmailed = format!("/api/user/verify-email?email={}&sendVerifyEmail=false", one.email);
    world.stranger().call("PUT", &unmailed).await.is(401);
    let verify = |body: Value| service.post("/user/verify-email", body);
    verify(json!({})).await.wrong("[blank]verificationId");
    verify(json!({"verificationId": id, "oneTimeCode": "123456"})).await.wrong("[invalid]oneTimeCode");
    verify(json!({"userId": "nobody"})).await.wrong("[couldNotConvert]userId");
    verify(json!({"userId": "c0de0000-0000-4000-8000-00000000beef"})).await.is(404);
    verify(json!({"verificationId": "nonsense"})).await.is(404);
}

#[on_each_database]
async fn an_id_verifies_no_other_address_and_nothing_after_its_time(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let path = format!("/user/verify-email?email={}&sendVerifyEmail=false", user.email);
    let ask = async || service.call("PUT", &path).await.ok().text("/verificationId");
    let verify = async |id: &str| service.open("/user/verify-email", json!({"verificationId": id})).await;
    let late = ask().await;
    world.clock.advance(Duration::from_secs(60 * 60));
    verify(&late).await.is(404);
    let id = ask().await;
    let moved = json!({"user": {"email": "elsewhere@example.com"}});
    service.call("PATCH", &format!("/user/{}", user.id)).json(moved).await.ok();
    verify(&id).await.is(404);
    assert!(!is_verified(&service, &user).await);
    let path = "/user/verify-email?email=elsewhere@example.com&sendVerifyEmail=false";
    let id = service.call("PUT", path).await.ok().text("/verificationId");
    service.call("DELETE", &format!("/user/{}", user.id)).await.ok();
    verify(&id).await.is(404);
}
