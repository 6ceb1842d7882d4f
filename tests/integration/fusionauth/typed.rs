//! The generated client: the six operations of the published controller under their names, and what is around them.

use crate::harness::service::APPLICATION;
use crate::harness::{PASSWORD, World};
use countersign_client::fusionauth::{Client, Error, types};
use countersign_client::reqwest;
use countersign_client::reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use countersign_test_postgres::{DatabaseKind, on_each_database};

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

    let secret = client.generate_two_factor_secret_using_jwt().send().await.unwrap().into_inner();
    assert_eq!(secret.secret.len(), 32);
    let send = client.send_two_factor_code_for_enable_disable();
    let email = || user.email.clone();
    send.body_map(|body| body.user_id(user.id.clone()).method("email".to_owned()).email(email())).send().await.unwrap();
    let enable = types::TwoFactorRequest::builder();
    let enable = enable.method("email".to_owned()).email(email()).code(world.last_code_for(&user.email));
    let enabled = client.enable_two_factor().user_id(&user.id).body(enable).send().await.unwrap();
    assert!(enabled.recovery_codes.is_some());

    let status = client.retrieve_two_factor_status().two_factor_trust_id("none").user_id(&user.id);
    assert_eq!(status.send().await.unwrap().status().as_u16(), 242);
    let login = client.login().body_map(|body| body.login_id(email()).password(PASSWORD.to_owned()));
    let challenge = login.send().await.unwrap();
    assert_eq!(challenge.status().as_u16(), 242);
    let id = challenge.two_factor_id.clone().unwrap();
    let send = client.send_two_factor_code_for_login_using_method().two_factor_id(&id);
    send.body_map(|body| body.method_id(challenge.methods[0].id.clone())).send().await.unwrap();
    let code = world.last_code_for(&user.email);
    let complete =
        || client.two_factor_login().body_map(|body| body.two_factor_id(id.clone()).code(code.clone())).send();
    assert!(complete().await.unwrap().token.is_some());
    let start = client.start_two_factor_login().body_map(|body| body.user_id(user.id.clone()));
    assert_eq!(start.send().await.unwrap().methods.len(), 1);

    // Errors with a body are typed, and those without have their status.
    let error = complete().await.unwrap_err();
    let Error::UnexpectedResponse(response) = error else { panic!("{error:?}") };
    assert_eq!(response.status().as_u16(), 404);
    let error = client.two_factor_login().body_map(|body| body.code(code.clone())).send().await.unwrap_err();
    let Error::ErrorResponse(errors) = error else { panic!("{error:?}") };
    assert_eq!(
        (errors.status().as_u16(), errors.field_errors["twoFactorId"][0].code.as_str()),
        (400, "[blank]twoFactorId")
    );
    world.close().await;
}

#[on_each_database]
async fn users_are_found_registered_and_locked(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let client = client(&world, &service.key);

    let found = client.search_users_by_ids().ids(&user.id).send().await.unwrap();
    assert_eq!((found.total, found.users[0].id.as_str()), (1, user.id.as_str()));
    let criteria = || types::UserSearchCriteria::builder().query_string(user.email.clone()).try_into();
    let criteria: types::UserSearchCriteria = criteria().unwrap();
    let found =
        client.search_users_by_query_string().body_map(|body| body.search(criteria.clone())).send().await.unwrap();
    assert_eq!(found.users[0].email.as_deref(), Some(user.email.as_str()));

    let one = client.retrieve_registration().user_id(&user.id).application_id(APPLICATION).send().await.unwrap();
    let fields = types::RegistrationFields::builder().application_id(APPLICATION.to_owned()).username("ada".to_owned());
    let fields: types::RegistrationFields = fields.try_into().unwrap();
    let update = client.update_registration().user_id(&user.id).body_map(|body| body.registration(fields.clone()));
    let changed = update.send().await.unwrap();
    assert_eq!(
        (&changed.registration.id, changed.registration.username.as_deref()),
        (&one.registration.id, Some("ada"))
    );
    client.patch_registration().user_id(&user.id).body_map(|body| body.registration(fields)).send().await.unwrap();
    client.delete_registration().user_id(&user.id).application_id(APPLICATION).send().await.unwrap();

    let action = types::ActionData::builder().actionee_user_id(user.id.clone()).expiry(i64::MAX);
    let action = action.user_action_id("c0de0000-0000-4000-8000-000000000009".to_owned());
    let action: types::ActionData = action.try_into().unwrap();
    let taken = client.action_user().body_map(|body| body.action(action.clone())).send().await.unwrap();
    let id = &taken.action.id;
    let login = client.login().body_map(|body| body.login_id(user.email.clone()).password(PASSWORD.to_owned()));
    assert_eq!(login.send().await.unwrap_err().status().map(|status| status.as_u16()), Some(409));
    client.modify_action().action_id(id).body_map(|body| body.action(action)).send().await.unwrap();
    assert_eq!(client.retrieve_action().action_id(id).send().await.unwrap().action.expiry, i64::MAX);
    assert_eq!(client.retrieve_actions().user_id(&user.id).send().await.unwrap().actions.len(), 1);
    client.cancel_action().action_id(id).send().await.unwrap();
    world.close().await;
}
