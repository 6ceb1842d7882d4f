//! FusionAuth's dialect: bringing passkeys from another server.

use super::events;
use super::fusionauth::register;
use super::fusionauth_login::{options, used};
use crate::harness::authenticator::{CeremonyData, RP_ID};
use crate::harness::{Authenticator, FusionAuthUser, Response, Service, World};
use countersign_domain::ids::TenantId;
use countersign_domain::tenant::{Directory, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use passkey_crypto::iana::Algorithm;
use serde_json::{Value, json};

/// A passkey as this server shows it, which another one takes.
async fn exported(service: &Service, user: &FusionAuthUser, authenticator: &mut Authenticator) -> Value {
    let mut passkey = register(service, user, authenticator).await.ok().body["credential"].clone();
    passkey["name"] = json!("ada@work");
    passkey
}

async fn import(service: &Service, credentials: Value) -> Response {
    service.post("/webauthn/import", json!({"credentials": credentials})).await
}

async fn count(service: &Service, user: &FusionAuthUser) -> usize {
    let listed = service.get(&format!("/webauthn?userId={}", user.id)).await.ok();
    listed.body["credentials"].as_array().unwrap().len()
}

#[on_each_database]
async fn a_passkey_that_was_exported_is_imported_and_logs_in(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        let mut authenticator = Authenticator::with(algorithm);
        let passkey = exported(&service, &user, &mut authenticator).await;
        used(&service, &user, &mut authenticator, "/webauthn/login").await.ok();
        let path = format!("/webauthn/{}", passkey["id"].as_str().unwrap());
        let mut before = service.get(&path).await.ok().body["credential"].clone();
        before["name"] = json!("ada@work");
        service.call("DELETE", &path).await.ok();
        import(&service, json!([before])).await.ok();
        assert_eq!(service.get(&path).await.ok().body["credential"], before);
        used(&service, &user, &mut authenticator, "/webauthn/login").await.ok();
        // Its authenticator has the user handle that the other server gave.
        let request = options(&service, &user).await;
        let foreign = |data: &mut CeremonyData| data.user_handle = Some("Zm9yZWlnbg".to_owned());
        let credential = authenticator.assert_as(&request, foreign);
        service.open("/webauthn/login", json!({"credential": credential})).await.ok();
        // Its counter goes on from where it was.
        authenticator.counter = 0;
        used(&service, &user, &mut authenticator, "/webauthn/login").await.wrong("[PasskeyNotVerified]");
    }
    // What has to be there is enough.
    let mut synced = Authenticator::synced();
    let passkey = exported(&service, &user, &mut synced).await;
    service.call("DELETE", &format!("/webauthn/{}", passkey["id"].as_str().unwrap())).await.ok();
    let names = ["userId", "credentialId", "publicKey", "algorithm", "relyingPartyId", "name", "displayName"];
    let least: serde_json::Map<_, _> = names.iter().map(|name| ((*name).to_owned(), passkey[name].clone())).collect();
    import(&service, json!([least])).await.ok();
    used(&service, &user, &mut synced, "/webauthn/login").await.ok();
    assert_eq!(events(&world, "passkey-added"), 6);
}

#[on_each_database]
async fn all_are_imported_or_none_and_what_is_wrong_is_named(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (user, other) = (service.user().await, service.user().await);
    service.enrol(&other).await;
    let app = world.database().text("SELECT id AS text FROM methods");
    let app = [&app[..8], &app[8..12], &app[12..16], &app[16..20], &app[20..]].join("-");
    let kept = exported(&service, &user, &mut Authenticator::new()).await;
    let right = exported(&service, &other, &mut Authenticator::new()).await;
    service.call("DELETE", &format!("/webauthn?userId={}", other.id)).await.ok();
    let ed25519 = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----";
    for (field, value, code) in [
        ("userId", json!(null), "[blank]credentials[1].userId"),
        ("userId", json!("ada"), "[invalid]credentials[1].userId"),
        ("userId", json!("01a1fd04-be02-75f5-bdbd-868b7959e05d"), "[invalid]credentials[1].userId"),
        ("credentialId", json!(null), "[blank]credentials[1].credentialId"),
        ("credentialId", json!("AAAA"), "[invalid]credentials[1].credentialId"),
        ("credentialId", kept["credentialId"].clone(), "[duplicate]credentials[1].credentialId"),
        ("id", json!("x"), "[invalid]credentials[1].id"),
        ("id", kept["id"].clone(), "[duplicate]credentials[1].id"),
        ("id", json!(app), "[duplicate]credentials[1].id"),
        ("publicKey", json!(null), "[blank]credentials[1].publicKey"),
        ("publicKey", json!("AAAA"), "[invalid]credentials[1].publicKey"),
        ("publicKey", json!(ed25519), "[invalid]credentials[1].publicKey"),
        ("algorithm", json!(null), "[blank]credentials[1].algorithm"),
        ("algorithm", json!(-37), "[invalid]credentials[1].algorithm"),
        ("algorithm", json!(-8), "[invalid]credentials[1].publicKey"),
        ("relyingPartyId", json!("example.org"), "[invalid]credentials[1].relyingPartyId"),
        ("name", json!(" "), "[blank]credentials[1].name"),
        ("name", json!("x".repeat(257)), "[tooLong]credentials[1].name"),
        ("signCount", json!(-1), "[invalid]credentials[1].signCount"),
        ("displayName", json!(null), "[blank]credentials[1].displayName"),
    ] {
        let mut wrong = right.clone();
        wrong["id"] = json!(null);
        wrong["credentialId"] = json!("AAAAAAAAAAAAAAAAAAAAAAAA");
        wrong[field] = value;
        import(&service, json!([right, wrong])).await.wrong(code);
        assert_eq!(count(&service, &other).await, 0, "{code}");
    }
    import(&service, json!([])).await.wrong("[blank]credentials");
    import(&service, json!([right, right])).await.is(400);
    let many: Vec<Value> = (0..21_u8)
        .map(|number| {
            let mut passkey = right.clone();
            passkey["id"] = json!(null);
            passkey["credentialId"] = json!(format!("AAAAAAAAAAAAAAAAAAAAAAA{}", char::from(b'A' + number)));
            passkey
        })
        .collect();
    import(&service, json!(many)).await.wrong("[TooManyPasskeys]");
    import(&service, json!(many[1..])).await.ok();
    assert_eq!((count(&service, &other).await, count(&service, &user).await), (20, 1));
    assert_eq!(right["relyingPartyId"], RP_ID);
}

#[on_each_database]
async fn passkeys_of_another_tenants_users_are_not_imported_36(database: DatabaseKind) {
    let other = TenantId::parse("c0de0000-0000-4000-8000-00000000000a").unwrap();
    let world = World::with(database, |settings| {
        let tenants = vec![Tenant::default(), Tenant { id: other, name: "Other".to_owned(), ..Default::default() }];
        settings.directory = Directory::new(tenants, Vec::new()).unwrap();
    });
    let world = world.await;
    let home = world.service_that(Some(TenantId::DEFAULT), None).await;
    let foreign = world.service_that(Some(other), None).await;
    let user = home.user_with(json!({})).await;
    let passkey = exported(&home, &user, &mut Authenticator::new()).await;
    home.call("DELETE", &format!("/webauthn?userId={}", user.id)).await.ok();
    import(&foreign, json!([passkey])).await.wrong("[invalid]credentials[0].userId");
    import(&home, json!([passkey])).await.ok();
    assert_eq!(count(&home, &user).await, 1);
}
