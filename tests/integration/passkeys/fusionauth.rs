//! FusionAuth's dialect: registering, listing and removing passkeys through a service.

use super::{REGISTER_OPTIONS, events, options, passkeys};
use crate::harness::authenticator::{CeremonyData, RP_ID};
use crate::harness::{Authenticator, FusionAuthUser, Response, Service, World};
use countersign::config::Settings;
use countersign_domain::address::MethodKind;
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::tenant::{Directory, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use data_encoding::BASE64URL_NOPAD;
use passkey_crypto::iana::Algorithm;
use serde_json::{Value, json};
use std::time::Duration;

/// The options of a registration of this kind.
pub(crate) async fn creation(service: &Service, user: &FusionAuthUser, workflow: &str) -> Value {
    let body = json!({"userId": user.id, "displayName": "My key", "workflow": workflow});
    service.post("/webauthn/register/start", body).await.ok().body["options"].clone()
}

pub(super) async fn complete(service: &Service, user: &FusionAuthUser, credential: Value) -> Response {
    service.open("/webauthn/register/complete", json!({"userId": user.id, "credential": credential})).await
}

/// Registers the passkey of an authenticator.
pub(crate) async fn register(service: &Service, user: &FusionAuthUser, authenticator: &mut Authenticator) -> Response {
    let options = creation(service, user, "general").await;
    complete(service, user, authenticator.register(&options)).await
}

async fn listed(service: &Service, user: &FusionAuthUser) -> Vec<Value> {
    let response = service.get(&format!("/webauthn?userId={}", user.id)).await.ok();
    response.body["credentials"].as_array().unwrap().clone()
}

#[on_each_database]
async fn options_say_what_the_workflow_asks_for(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let body = json!({
        "userId": user.id, "displayName": "My key", "name": "ada@work", "userAgent": "Test/1", "workflow": "general",
    });
    let shown = service.post("/webauthn/register/start", body).await.ok().body["options"].clone();
    assert_eq!(shown["rp"], json!({"id": RP_ID, "name": "Countersign"}));
    let handle = BASE64URL_NOPAD.encode(user.id.as_bytes());
    assert_eq!(shown["user"], json!({"id": handle, "name": "ada@work", "displayName": "My key"}));
    let algorithms: Vec<_> = shown["pubKeyCredParams"].as_array().unwrap().iter().map(|entry| &entry["alg"]).collect();
    assert_eq!(algorithms, [&json!(-7), &json!(-8), &json!(-257)]);
    assert_eq!((&shown["timeout"], &shown["attestation"]), (&json!(180_000), &json!("none")));
    assert_eq!((&shown["extensions"], &shown["excludeCredentials"]), (&json!({"credProps": true}), &json!([])));
    for (workflow, verification, attachment) in [
        ("general", "preferred", Value::Null),
        ("bootstrap", "required", Value::Null),
        ("reauthentication", "required", json!("platform")),
    ] {
        let options = creation(&service, &user, workflow).await;
        let selection = &options["authenticatorSelection"];
        assert_eq!(
            (&selection["userVerification"], &selection["authenticatorAttachment"]),
            (&json!(verification), &attachment)
        );
        assert_eq!((&selection["residentKey"], &selection["requireResidentKey"]), (&json!("preferred"), &json!(false)));
        assert_eq!(options["user"]["name"], user.email, "the login name, if none is given");
        let mut unverified = Authenticator::without_verification();
        let response = complete(&service, &user, unverified.register(&options)).await;
        match verification {
            "required" => response.wrong("[PasskeyNotVerified]"),
            _ => response.ok(),
        };
    }
    let unknown = "01a1fd04-be02-75f5-bdbd-868b7959e05d";
    let body = |field: &str, value: Value| {
        let mut body = json!({"userId": user.id, "displayName": "My key", "workflow": "general"});
        body[field] = value;
        service.post("/webauthn/register/start", body)
    };
    body("userId", json!(unknown)).await.is(404);
    body("userId", json!(null)).await.wrong("[missing]userId");
    body("userId", json!("ada")).await.wrong("[couldNotConvert]userId");
    body("displayName", json!(" ")).await.wrong("[blank]displayName");
    body("workflow", json!(null)).await.wrong("[blank]workflow");
    body("workflow", json!("enrol")).await.wrong("[invalid]workflow");
}

#[on_each_database]
async fn a_registered_passkey_is_shown_by_id_and_by_user(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let body = json!({
        "userId": user.id, "displayName": "My key", "name": "ada@work", "userAgent": "Test/1", "workflow": "bootstrap",
    });
    let options = service.post("/webauthn/register/start", body).await.ok().body["options"].clone();
    let mut authenticator = Authenticator::new();
    let mut credential = authenticator.register(&options);
    // As FusionAuth's samples have it: padded, with the transports beside the response.
    for pointer in ["/id", "/response/clientDataJSON", "/response/attestationObject"] {
        let value = credential.pointer_mut(pointer).unwrap();
        let text = value.as_str().unwrap();
        *value = format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4)).into();
    }
    credential["response"].as_object_mut().unwrap().remove("transports");
    credential["transports"] = json!(["usb"]);
    credential["clientExtensionResults"] = json!({"credProps": {"rk": true}});
    let shown = complete(&service, &user, credential).await.ok().body["credential"].clone();
    for (field, expected) in [
        ("userId", json!(user.id)),
        ("tenantId", json!(TenantId::DEFAULT.to_hyphenated())),
        ("credentialId", json!(authenticator.credential_id())),
        ("algorithm", json!(-7)),
        ("attestationType", json!("none")),
        ("authenticatorSupportsUserVerification", json!(true)),
        ("relyingPartyId", json!(RP_ID)),
        ("name", json!("ada@work")),
        ("displayName", json!("My key")),
        ("discoverable", json!(true)),
        ("signCount", json!(0)),
        ("transports", json!(["usb"])),
        ("userAgent", json!("Test/1")),
        ("lastUseInstant", Value::Null),
    ] {
        assert_eq!(shown[field], expected, "{field}");
    }
    let pem = shown["publicKey"].as_str().unwrap();
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"), "{pem}");
    assert!(pem.ends_with("==\n-----END PUBLIC KEY-----\n"), "{pem}");
    let id = shown["id"].as_str().unwrap();
    let by_id = service.get(&format!("/webauthn/{id}")).await.ok();
    assert_eq!(by_id.body["credential"], shown);
    assert_eq!(listed(&service, &user).await, [shown]);
    assert_eq!(events(&world, "passkey-added"), 1);
    let excluded = creation(&service, &user, "general").await["excludeCredentials"].clone();
    assert_eq!(excluded, json!([{"id": authenticator.credential_id(), "transports": ["usb"], "type": "public-key"}]));
    let read = service.get(&format!("/user/{}", user.id)).await.ok();
    assert_eq!(read.body["user"]["twoFactor"], Value::Null, "registering switches no second factor on");
}

#[on_each_database]
async fn a_challenge_is_good_for_one_response_of_its_user_in_three_minutes_48(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (user, other) = (service.user().await, service.user().await);
    let mut authenticator = Authenticator::new();
    let options = creation(&service, &user, "general").await;
    let credential = authenticator.register(&options);
    complete(&service, &other, credential.clone()).await.wrong("[invalid]userId");
    // That was its one response.
    complete(&service, &user, credential).await.is(404);
    let options = creation(&service, &user, "general").await;
    let credential = authenticator.register(&options);
    // Without a challenge that is good, nobody learns who is a user.
    let nobody = FusionAuthUser { id: "01a1fd04-be02-75f5-bdbd-868b7959e05d".to_owned(), email: String::new() };
    let stray = Authenticator::new().register(&json!({
        "challenge": "x", "rp": {"id": RP_ID}, "user": {"id": "x"},
    }));
    let (known, unknown) = (complete(&service, &user, stray.clone()).await, complete(&service, &nobody, stray).await);
    assert_eq!(known.is(404).raw, unknown.is(404).raw);
    world.clock.advance(Duration::from_secs(3 * 60) - Duration::from_millis(1));
    complete(&service, &user, credential.clone()).await.ok();
    complete(&service, &user, credential).await.is(404);
    let options = creation(&service, &user, "general").await;
    complete(&service, &user, authenticator.register(&options)).await.wrong("[duplicate]credential.id");

    let options = creation(&service, &user, "general").await;
    world.clock.advance(Duration::from_secs(3 * 60));
    complete(&service, &user, Authenticator::new().register(&options)).await.is(404);

    // One that failed is used, too.
    let options = creation(&service, &user, "general").await;
    let wrong = |data: &mut CeremonyData| "https://evil.example".clone_into(&mut data.origin);
    let mut next = Authenticator::new();
    complete(&service, &user, next.register_as(&options, wrong)).await.wrong("[PasskeyNotVerified]");
    complete(&service, &user, next.register(&options)).await.is(404);
    assert_eq!(events(&world, "passkey-registration-rejected"), 2, "and that for another user");

    // A changed password ends it.
    let options = creation(&service, &user, "general").await;
    let change = json!({"user": {"password": "another password"}});
    service.call("PATCH", &format!("/user/{}", user.id)).json(change).await.ok();
    complete(&service, &user, next.register(&options)).await.is(404);
    assert_eq!(listed(&service, &user).await.len(), 1);
}

#[on_each_database]
async fn what_is_missing_of_a_response_is_named(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let options = creation(&service, &user, "general").await;
    let credential = Authenticator::new().register(&options);
    for pointer in ["/id", "/type", "/response/clientDataJSON", "/response/attestationObject"] {
        let mut lacking = credential.clone();
        *lacking.pointer_mut(pointer).unwrap() = Value::Null;
        let field = pointer.replace('/', ".");
        complete(&service, &user, lacking).await.wrong(&format!("[blank]credential{field}"));
    }
    complete(&service, &user, Value::Null).await.wrong("[blank]credential");
    let body = json!({"credential": credential});
    service.open("/webauthn/register/complete", body).await.wrong("[missing]userId");
    complete(&service, &user, credential).await.ok();
    // Not offered, so not taken.
    let mut odd = Authenticator::with(Algorithm::ML_DSA_44);
    register(&service, &user, &mut odd).await.wrong("[PasskeyNotVerified]");
}

#[on_each_database]
async fn passkeys_are_removed_one_by_one_or_all_at_once(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(register(&service, &user, &mut Authenticator::new()).await.ok().text("/credential/id"));
        world.clock.advance(Duration::from_secs(1));
    }
    let shown: Vec<_> = listed(&service, &user).await.iter().map(|passkey| passkey["id"].clone()).collect();
    assert_eq!(shown, ids.iter().map(|id| json!(id)).collect::<Vec<_>>(), "the oldest first");
    let path = format!("/webauthn/{}", ids[1]);
    service.call("DELETE", &path).await.ok();
    service.call("DELETE", &path).await.is(404);
    service.get(&path).await.is(404);
    service.get("/webauthn/nonsense").await.is(404);
    assert_eq!(listed(&service, &user).await.len(), 2);
    let all = format!("/webauthn?userId={}", user.id);
    service.call("DELETE", &all).await.ok();
    assert_eq!(listed(&service, &user).await.len(), 0);
    service.call("DELETE", &all).await.ok();
    service.call("DELETE", "/webauthn").await.wrong("[missing]userId");
    service.get("/webauthn").await.wrong("[missing]userId");
    service.get("/webauthn?userId=01a1fd04-be02-75f5-bdbd-868b7959e05d").await.is(404);
    assert_eq!(events(&world, "passkey-removed"), 2);
}

#[on_each_database]
async fn both_dialects_manage_the_same_passkeys(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let named = FusionAuthUser { id: AccountId::parse(&user.id).unwrap().to_hyphenated(), email: user.email.clone() };
    let (mut first, mut second) = (Authenticator::new(), Authenticator::synced());
    super::register(&user.browser, &mut first).await.ok();
    world.clock.advance(Duration::from_secs(1));
    register(&service, &named, &mut second).await.ok();
    let seen = passkeys(&user.browser).await;
    assert_eq!((seen.len(), &seen[1]["name"]), (2, &json!("My key")));
    assert_eq!(seen[1]["deviceType"], "multiDevice");
    let shown = listed(&service, &named).await;
    assert_eq!((&shown[0]["displayName"], &shown[0]["discoverable"]), (&Value::Null, &Value::Null));
    super::sign_in(&world.browser(), &mut second).await.ok();
    assert_eq!(listed(&service, &named).await[1]["signCount"], 1);
    let excluded = options(&user.browser, REGISTER_OPTIONS).await["excludeCredentials"].clone();
    assert_eq!(excluded.as_array().unwrap().len(), 2);
    service.call("DELETE", &format!("/webauthn?userId={}", named.id)).await.ok();
    super::sign_in(&world.browser(), &mut second).await.refused(401, "PASSKEY_NOT_FOUND");
}

#[on_each_database]
async fn another_tenants_passkeys_are_unknown_36(database: DatabaseKind) {
    let other = TenantId::parse("c0de0000-0000-4000-8000-00000000000a").unwrap();
    let tenants = vec![Tenant::default(), Tenant { id: other, name: "Other".to_owned(), ..Tenant::default() }];
    let directory = Directory::new(tenants, Vec::new()).unwrap();
    let world = World::with(database, |settings| settings.directory = directory).await;
    let (home, foreign) =
        (world.service_that(Some(TenantId::DEFAULT), None).await, world.service_that(Some(other), None).await);
    let user = home.user_with(json!({})).await;
    let id = register(&home, &user, &mut Authenticator::new()).await.ok().text("/credential/id");
    for path in [format!("/webauthn/{id}"), format!("/webauthn?userId={}", user.id)] {
        foreign.get(&path).await.is(404);
        foreign.call("DELETE", &path).await.is(404);
    }
    let body = json!({"userId": user.id, "displayName": "Mine", "workflow": "general"});
    foreign.post("/webauthn/register/start", body).await.is(404);
    let options = creation(&home, &user, "general").await;
    let body = json!({"userId": user.id, "credential": Authenticator::new().register(&options)});
    let complete = home.open("/webauthn/register/complete", body);
    complete.header("x-fusionauth-tenantid", &other.to_hyphenated()).await.is(404);
    assert_eq!(listed(&home, &user).await.len(), 1);
}

#[on_each_database]
async fn passkeys_are_registered_as_the_operator_and_the_tenant_allow(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    register(&service, &user, &mut Authenticator::new()).await.ok();
    let start = json!({"userId": user.id, "displayName": "My key", "workflow": "general"});
    let world = world.restarted_with(|settings| {
        let tenant = Tenant { methods: [MethodKind::Authenticator].into(), ..Tenant::default() };
        settings.directory = Directory::new(vec![tenant], Vec::new()).unwrap();
    });
    let world = world.await;
    service.post("/webauthn/register/start", start.clone()).await.wrong("[PasskeysNotAllowed]");
    assert_eq!(listed(&service, &user).await.len(), 1, "it is there, and can be removed");
    let off = |settings: &mut Settings| (settings.passkeys.rp_id, settings.passkeys.origins) = (None, Vec::new());
    let _world = world.restarted_with(off).await;
    service.post("/webauthn/register/start", start).await.is(404);
    service.get(&format!("/webauthn?userId={}", user.id)).await.is(404);
}

#[on_each_database]
async fn a_user_who_is_locked_meanwhile_registers_none_55(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let credential = Authenticator::new().register(&creation(&service, &user, "general").await);
    let locks = json!({"action": {
        "actioneeUserId": user.id, "userActionId": "c0de0000-0000-4000-8000-000000000009", "expiry": i64::MAX,
    }});
    service.post("/user/action", locks).await.ok();
    let start = json!({"userId": user.id, "displayName": "My key", "workflow": "general"});
    service.post("/webauthn/register/start", start).await.is(404);
    complete(&service, &user, credential.clone()).await.is(404);
    assert_eq!(events(&world, "passkey-added"), 0);
}
