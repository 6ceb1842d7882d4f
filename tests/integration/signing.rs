//! Which access tokens are accepted: those signed as the operator has chosen, and as was chosen until now.

use crate::harness::{Service, World};
use countersign_domain::signing::Algorithm;
use countersign_test_postgres::{DatabaseKind, on_each_database};

async fn published(world: &World) -> Vec<String> {
    let keys = world.stranger().call("GET", "/.well-known/jwks.json").await.ok();
    let keys = keys.body["keys"].as_array().cloned().unwrap_or_default();
    keys.iter().map(|key| key["alg"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn status(service: &Service, token: &str) -> u16 {
    service.with_token(token, "GET", "/jwt/validate").await.status
}

#[on_each_database]
async fn only_chosen_and_retiring_algorithms_are_accepted_and_published_38(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let old = service.log_in(&user).await.ok().text("/token");
    assert_eq!(published(&world).await, ["EdDSA"]);
    assert_eq!(status(&service, &old).await, 200);

    let world = world.restarted_with(|settings| settings.tokens.algorithm = Algorithm::Es256).await;
    assert_eq!(published(&world).await, ["ES256"]);
    assert_eq!(status(&service, &old).await, 401, "nobody has said that EdDSA is retiring");
    let new = service.log_in(&user).await.ok().text("/token");

    let world = world.restarted_with(|settings| settings.tokens.retiring = vec![Algorithm::EdDsa]).await;
    assert_eq!(published(&world).await, ["ES256", "EdDSA"]);
    for token in [&old, &new] {
        assert_eq!(status(&service, token).await, 200);
    }
}
