//! The generated client: the six operations of the published controller under their names, and what is around them.

use crate::harness::{PASSWORD, World};
use countersign_client::fusionauth::{Client, types};
use countersign_client::reqwest;
use countersign_client::reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

fn client(world: &World, key: &str) -> Client {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(key).unwrap());
    let http = reqwest::Client::builder().default_headers(headers).no_proxy().build().unwrap();
    Client::new_with_client(&format!("http://{}", world.address()), http)
}

#[on_each_database]
async fn the_six_operations_are_there_under_their_names(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let client = client(&world, &service.key);

    let secret = client.generate_two_factor_secret_using_jwt(None).await.unwrap().into_inner();
    assert_eq!(secret.secret.len(), 32);
    let send: types::TwoFactorSendRequest =
        serde_json::from_value(json!({"userId": user.id, "method": "email", "email": user.email})).unwrap();
    client.send_two_factor_code_for_enable_disable(None, &send).await.unwrap();
    let enable: types::TwoFactorRequest = serde_json::from_value(
        json!({"method": "email", "email": user.email, "code": world.last_code_for(&user.email)}),
    )
    .unwrap();
    let enabled = client.enable_two_factor(&user.id, None, &enable).await.unwrap();
    assert!(enabled.recovery_codes.is_some());

    let status = client.retrieve_two_factor_status("none", None, Some(&user.id), None).await.unwrap();
    assert_eq!(status.status().as_u16(), 242);
    let login: types::LoginRequest =
        serde_json::from_value(json!({"loginId": user.email, "password": PASSWORD})).unwrap();
    let challenge = client.login(None, &login).await.unwrap();
    assert_eq!(challenge.status().as_u16(), 242);
    let id = challenge.two_factor_id.clone().unwrap();
    let send = serde_json::from_value(json!({"methodId": challenge.methods[0].id})).unwrap();
    client.send_two_factor_code_for_login_using_method(&id, None, &send).await.unwrap();
    let response =
        serde_json::from_value(json!({"twoFactorId": id, "code": world.last_code_for(&user.email)})).unwrap();
    assert!(client.two_factor_login(None, &response).await.unwrap().token.is_some());
    let start = serde_json::from_value(json!({"userId": user.id})).unwrap();
    assert_eq!(client.start_two_factor_login(None, &start).await.unwrap().methods.len(), 1);

    let error = client.two_factor_login(None, &response).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404));
    world.close().await;
}
