//! FusionAuth's dialect: logging in with a passkey, and showing one.

use super::events;
use super::fusionauth::{creation, register};
use crate::harness::authenticator::{CeremonyData, RP_ID};
use crate::harness::service::APPLICATION;
use crate::harness::{Authenticator, FusionAuthUser, Response, Service, World};
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::tenant::{Application, Directory, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

/// An application of another tenant.
const OF_OTHER: &str = "c0de0000-0000-4000-8000-00000000000b";

/// The options of a login.
pub(super) async fn options(service: &Service, user: &FusionAuthUser) -> Value {
    started(service, json!({"userId": user.id})).await
}

/// Sends the response of an authenticator to the options of a login, to this operation.
pub(crate) async fn used(
    service: &Service,
    user: &FusionAuthUser,
    authenticator: &mut Authenticator,
    path: &str,
) -> Response {
    let options = options(service, user).await;
    service.open(path, json!({"credential": authenticator.assert(&options)})).await
}

async fn started(service: &Service, more: Value) -> Value {
    let mut body = json!({"applicationId": APPLICATION, "workflow": "bootstrap"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    service.post("/webauthn/start", body).await.ok().body["options"].clone()
}

async fn send(service: &Service, credential: Value) -> Response {
    service.open("/webauthn/login", json!({"credential": credential})).await
}

/// Logs in with the passkey of an authenticator.
async fn log_in(service: &Service, user: &FusionAuthUser, authenticator: &mut Authenticator) -> Response {
    used(service, user, authenticator, "/webauthn/login").await
}

#[on_each_database]
async fn a_passkey_that_verifies_its_user_logs_in_past_the_second_factor(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let mut authenticator = Authenticator::new();
    register(&service, &user, &mut authenticator).await.ok();
    let shown = options(&service, &user).await;
    assert_eq!((&shown["rpId"], &shown["timeout"]), (&json!(RP_ID), &json!(180_000)));
    let allowed = json!([{"id": authenticator.credential_id(), "transports": ["internal"], "type": "public-key"}]);
    assert_eq!((&shown["allowCredentials"], &shown["userVerification"]), (&allowed, &json!("preferred")));
    let response = log_in(&service, &user, &mut authenticator).await.ok();
    assert_eq!(response.text("/user/id"), user.id);
    let cookies: Vec<String> = response.set_cookies().into_iter().map(|cookie| cookie.name).collect();
    assert_eq!(cookies, ["access_token", "refresh_token"]);
    service.with_token(&response.text("/token"), "GET", "/jwt/validate").await.ok();

    service.enrol(&user).await;
    let response = log_in(&service, &user, &mut authenticator).await.ok();
    let claims = service.with_token(&response.text("/token"), "GET", "/jwt/validate").await.ok();
    assert_eq!(claims.body["jwt"]["amr"], json!(["mfa"]), "{claims}");
    assert_eq!(events(&world, "passkey-signed-in"), 2);
    // Those are from the service's network, as far as anybody knows.
    assert_eq!(world.database().number("SELECT count(*) AS number FROM known_networks"), 0);

    // Without tokens, and where the user is not registered.
    let options = options(&service, &user).await;
    let body = json!({"credential": authenticator.assert(&options), "noJWT": true});
    let response = service.open("/webauthn/login", body).await.ok();
    assert_eq!((&response.body["token"], &response.body["refreshToken"]), (&Value::Null, &Value::Null));
    let other = service.user_with(json!({})).await;
    let mut theirs = Authenticator::new();
    register(&service, &other, &mut theirs).await.ok();
    log_in(&service, &other, &mut theirs).await.is(202);
}

#[on_each_database]
async fn one_that_does_not_counts_as_one_factor_which_trust_complements_52_53(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let mut authenticator = Authenticator::without_verification();
    register(&service, &user, &mut authenticator).await.ok();
    log_in(&service, &user, &mut authenticator).await.ok();
    let app = service.enrol(&user).await;
    let challenged = log_in(&service, &user, &mut authenticator).await.is(242);
    let kinds: Vec<_> = challenged.body["methods"].as_array().unwrap().iter().map(|method| &method["method"]).collect();
    assert_eq!(kinds, ["authenticator"], "the same key is no second factor");
    let id = challenged.text("/twoFactorId");
    service.post("/webauthn/start", json!({"twoFactorId": id})).await.wrong("[NoPasskey]");
    let body = json!({"twoFactorId": id, "code": app.fresh_code(), "trustComputer": true});
    let trust = service.open("/two-factor/login", body).await.ok().text("/twoFactorTrustId");
    let request = options(&service, &user).await;
    let body = json!({"credential": authenticator.assert(&request), "twoFactorTrustId": trust});
    service.open("/webauthn/login", body).await.ok();

    // `reauthentication` asks for the user to be verified.
    let request = started(&service, json!({"userId": user.id, "workflow": "reauthentication"})).await;
    assert_eq!(request["userVerification"], "required");
    send(&service, authenticator.assert(&request)).await.wrong("[PasskeyNotVerified]");
    authenticator.verifies_user = true;
    let request = started(&service, json!({"userId": user.id, "workflow": "reauthentication"})).await;
    send(&service, authenticator.assert(&request)).await.ok();
}

#[on_each_database]
async fn a_login_returns_the_state_and_takes_the_passkey_that_was_named(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let (mut first, mut second) = (Authenticator::new(), Authenticator::new());
    let id = register(&service, &user, &mut first).await.ok().text("/credential/id");
    register(&service, &user, &mut second).await.ok();
    let state = json!({"to": ["/account", 7, null]});
    let named = json!({"loginId": user.email, "credentialId": id, "state": state});
    let request = started(&service, named.clone()).await;
    assert_eq!(request["allowCredentials"].as_array().unwrap().len(), 1);
    let response = send(&service, first.assert(&request)).await.ok();
    assert_eq!(response.body["state"], state);
    let request = started(&service, named).await;
    send(&service, second.assert(&request)).await.wrong("[PasskeyNotVerified]");
    let start = |field: &str, value: Value| {
        let mut body = json!({"applicationId": APPLICATION, "workflow": "bootstrap", "userId": user.id});
        body[field] = value;
        service.post("/webauthn/start", body)
    };
    start("credentialId", json!("01a1fd04-be02-75f5-bdbd-868b7959e05d")).await.wrong("[NoPasskey]");
    start("applicationId", json!(null)).await.wrong("[blank]applicationId");
    start("applicationId", json!("01a1fd04-be02-75f5-bdbd-868b7959e05d")).await.wrong("[invalid]applicationId");
    start("workflow", json!(null)).await.wrong("[blank]workflow");
    start("workflow", json!("general")).await.wrong("[invalid]workflow");
    start("userId", json!(null)).await.wrong("[missing]userId");
    start("userId", json!("01a1fd04-be02-75f5-bdbd-868b7959e05d")).await.is(404);
    let without = service.user().await;
    start("userId", json!(without.id)).await.wrong("[NoPasskey]");
}

#[on_each_database]
async fn a_challenge_is_good_for_one_response_of_the_named_user_48_51(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (user, eve) = (service.user().await, service.user().await);
    let (mut authenticator, mut theirs) = (Authenticator::new(), Authenticator::new());
    register(&service, &user, &mut authenticator).await.ok();
    register(&service, &eve, &mut theirs).await.ok();
    let request = options(&service, &user).await;
    let right = authenticator.assert(&request);
    send(&service, right.clone()).await.ok();
    send(&service, right).await.is(404);
    // Another user's passkey, one that nobody has, another origin: each uses the challenge up.
    let evil = |data: &mut CeremonyData| "https://evil.countersign.test".clone_into(&mut data.origin);
    let mut stranger = Authenticator::new();
    for kind in 0..3 {
        let request = options(&service, &user).await;
        let wrong = match kind {
            0 => theirs.assert(&request),
            1 => stranger.assert(&request),
            _ => authenticator.assert_as(&request, evil),
        };
        send(&service, wrong).await.wrong("[PasskeyNotVerified]");
        send(&service, authenticator.assert(&request)).await.is(404);
    }
    assert_eq!(events(&world, "passkey-rejected"), 3);
    // A registration's challenge logs nobody in, and a login's registers nothing.
    let registration = creation(&service, &user, "general").await;
    let request = json!({"challenge": registration["challenge"], "rpId": RP_ID});
    send(&service, authenticator.assert(&request)).await.is(404);
    let login = options(&service, &user).await;
    let request = json!({"challenge": login["challenge"], "rp": {"id": RP_ID}, "user": registration["user"]});
    let body = json!({"userId": user.id, "credential": Authenticator::new().register(&request)});
    service.open("/webauthn/register/complete", body).await.is(404);
    let request = options(&service, &user).await;
    world.clock.advance(Duration::from_secs(3 * 60));
    send(&service, authenticator.assert(&request)).await.is(404);
    // Nobody who can begin logins of a user ends those that are going on.
    let request = options(&service, &user).await;
    for _ in 0..20 {
        options(&service, &user).await;
    }
    send(&service, authenticator.assert(&request)).await.ok();
}

#[on_each_database]
async fn showing_a_passkey_opens_nothing(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let mut authenticator = Authenticator::new();
    let registered = register(&service, &user, &mut authenticator).await.ok();
    let show = |credential: Value| service.open("/webauthn/assert", json!({"credential": credential}));
    let request = options(&service, &user).await;
    let right = authenticator.assert(&request);
    let shown = show(right.clone()).await.ok();
    assert_eq!(shown.text("/credential/id"), registered.text("/credential/id"));
    assert_eq!(shown.body["credential"]["signCount"], 1);
    assert!(shown.body["credential"]["lastUseInstant"].is_i64() && shown.set_cookies().is_empty());
    show(right.clone()).await.is(404);
    send(&service, right).await.is(404);
    let request = options(&service, &user).await;
    authenticator.counter = 0;
    show(authenticator.assert(&request)).await.wrong("[PasskeyNotVerified]");
    assert_eq!(events(&world, "passkey-counter-fell"), 1);
    authenticator.counter = 5;
    let suspend = json!({"action": {
        "actioneeUserId": user.id, "userActionId": "c0de0000-0000-4000-8000-000000000009", "expiry": i64::MAX,
    }});
    service.post("/user/action", suspend).await.ok();
    let request = options(&service, &user).await;
    let right = authenticator.assert(&request);
    show(right.clone()).await.is(409);
    show(right).await.is(404);
    assert_eq!((events(&world, "passkey-confirmed"), events(&world, "passkey-signed-in")), (1, 0));
}

#[on_each_database]
async fn another_tenants_users_log_in_to_nothing_here_36(database: DatabaseKind) {
    let other = TenantId::parse("c0de0000-0000-4000-8000-00000000000a").unwrap();
    let world = World::with(database, |settings| {
        let tenants = vec![Tenant::default(), Tenant { id: other, name: "Other".to_owned(), ..Tenant::default() }];
        let of_other =
            Application { id: ApplicationId::parse(OF_OTHER).unwrap(), tenant_id: other, ..Application::default() };
        settings.directory = Directory::new(tenants, vec![Application::default(), of_other]).unwrap();
    });
    let world = world.await;
    let home = world.service_that(Some(TenantId::DEFAULT), None).await;
    let foreign = world.service_that(Some(other), None).await;
    let user = home.user_with(json!({})).await;
    let mut authenticator = Authenticator::new();
    register(&home, &user, &mut authenticator).await.ok();
    let stranger = foreign.user_with(json!({})).await;
    let body = json!({"userId": stranger.id, "applicationId": APPLICATION, "workflow": "bootstrap"});
    foreign.post("/webauthn/start", body).await.wrong("[invalid]applicationId");
    let start = |service: &Service, user: &FusionAuthUser, application: &str| {
        let body = json!({"userId": user.id, "applicationId": application, "workflow": "bootstrap"});
        service.post("/webauthn/start", body)
    };
    start(&foreign, &user, OF_OTHER).await.is(404);
    let both = world.service_that(None, None).await;
    start(&both, &user, OF_OTHER).await.wrong("[invalid]applicationId");
    start(&both, &user, APPLICATION).await.ok();
    home.enrol(&user).await;
    let waiting = home.challenge(&user).await;
    foreign.post("/webauthn/start", json!({"twoFactorId": waiting})).await.is(404);
    home.post("/webauthn/start", json!({"twoFactorId": waiting})).await.ok();
    let request = options(&home, &user).await;
    let call = home.open("/webauthn/login", json!({"credential": authenticator.assert(&request)}));
    call.header("x-fusionauth-tenantid", &other.to_hyphenated()).await.wrong("[PasskeyNotVerified]");
    log_in(&home, &user, &mut authenticator).await.is(202);
}
