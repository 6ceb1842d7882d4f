//! What single operations of the FusionAuth dialect respond with, good and bad.

use super::scenario::scenarios;
use crate::harness::service::APPLICATION;
use crate::harness::{Authenticator, PASSWORD, Pairs, World};
use crate::passkeys::fusionauth::register;
use crate::passkeys::fusionauth_login::used;
use countersign_test_postgres::DatabaseKind;
use serde_json::json;

scenarios! {
    /// Every operation succeeds.
    async fn fusionauth_at_its_best(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let service = world.service().await;
        let user = service.user().await;
        let login = service.log_in(&user).await.ok();
        let token = login.text("/token");
        service.with_token(&token, "GET", "/jwt/validate").await.ok();
        service.open("/jwt/refresh", json!({"refreshToken": login.text("/refreshToken")})).await.ok();
        let id = login.text("/refreshTokenId");
        service.get(&format!("/jwt/refresh?userId={}", user.id)).await.ok();
        service.get(&format!("/jwt/refresh/{id}")).await.ok();
        service.call("DELETE", &format!("/jwt/refresh/{id}")).await.ok();
        service.call("DELETE", &format!("/jwt/refresh?userId={}", user.id)).await.ok();
        service.open("/logout", json!({})).await.ok();
        world.stranger().call("GET", "/.well-known/jwks.json").await.ok();
        world.stranger().call("GET", "/api/status").await.ok();
        assert!(service.get("/status").await.ok().text("/version").starts_with('0'));
        service.get(&format!("/two-factor/status?userId={}", user.id)).await.ok();
        service.get(&format!("/two-factor/status/x?userId={}", user.id)).await.ok();
        service.post("/two-factor/status", json!({"userId": user.id, "action": "stepUp"})).await.ok();
        service.get(&format!("/user/change-password?loginId={}", user.email)).await.ok();
        service.with_token(&token, "POST", "/two-factor/send").json(json!({"method": "email", "email": user.email})).await.ok();
        let code = world.last_code_for(&user.email);
        let enable = json!({"method": "email", "email": user.email, "code": code, "password": PASSWORD});
        service.with_token(&token, "POST", "/user/two-factor").json(enable).await.ok();
        let id = service.method_id(&user, "email").await;
        let rename = json!({"methodId": id, "name": "letters"});
        service.call("PUT", &format!("/user/two-factor/{}", user.id)).json(rename).await.ok();
        let codes = service.post(&format!("/user/two-factor/recovery-code/{}", user.id), json!({})).await.ok();
        service.get(&format!("/user/two-factor/recovery-code/{}", user.id)).await.ok();
        let challenge = service.challenge(&user).await;
        service.open(&format!("/two-factor/send/{challenge}"), json!({"methodId": id})).await.ok();
        service.get(&format!("/user/lock/{}", user.id)).await.ok();
        service.call("DELETE", &format!("/user/lock/{}", user.id)).await.ok();
        let done = service.complete(&challenge, &world.last_code_for(&user.email)).await.ok();
        let disable = json!({"code": codes.text("/recoveryCodes/0")});
        service.with_token(&done.text("/token"), "DELETE", "/user/two-factor").json(disable).await.ok();

        let app = service.enrol(&user).await;
        let begun = service.post("/two-factor/start", json!({"loginId": user.email})).await.ok();
        let stepped_up = service.complete(&begun.text("/twoFactorId"), &begun.text("/code")).await.ok();
        let change = json!({
            "loginId": user.email, "currentPassword": PASSWORD, "password": "another password",
            "trustToken": stepped_up.text("/trustToken"),
        });
        service.post("/user/change-password", change).await.ok();
        let id = service.method_id(&user, "authenticator").await;
        let query = format!("/user/two-factor/{}?code={}&methodId={id}", user.id, app.fresh_code());
        service.call("DELETE", &query).await.ok();

        service.get(&format!("/user/search?ids={}", user.id)).await.ok();
        service.post("/user/search", json!({"search": {"queryString": "user*"}})).await.ok();
        let registration = json!({"registration": {"applicationId": APPLICATION}});
        let path = format!("/user/registration/{}", user.id);
        service.call("PUT", &path).json(registration.clone()).await.ok();
        service.call("PATCH", &path).json(registration).await.ok();
        service.get(&format!("{path}/{APPLICATION}")).await.ok();
        service.call("DELETE", &format!("{path}/{APPLICATION}")).await.ok();
        let lock = json!({
            "actioneeUserId": user.id, "userActionId": "c0de0000-0000-4000-8000-000000000009", "expiry": i64::MAX,
        });
        service.post("/user/action", json!({"action": lock})).await.ok();
        let path = format!("/user/action/{}", user.id);
        service.call("PUT", &path).json(json!({"action": lock})).await.ok();
        service.get(&format!("/user/action?userId={}", user.id)).await.ok();
        service.get(&path).await.ok();
        service.call("DELETE", &path).await.ok();

        let user = service.user_with(json!({"passwordChangeRequired": true})).await;
        let leave = service.log_in(&user).await.is(203).text("/changePasswordId");
        service.get(&format!("/user/change-password/{leave}")).await.ok();
        service.open(&format!("/user/change-password/{leave}"), json!({"password": "another password"})).await.ok();
        service.get(&format!("/user?email={}", user.email)).await.ok();
        let path = format!("/user/{}", user.id);
        service.call("PATCH", &path).json(json!({"user": {"firstName": "Ada"}})).await.ok();
        service.call("PUT", &path).json(json!({"user": {"lastName": "Lovelace"}})).await.ok();
        let ids = |service: &crate::harness::Service, path: &str| service.post(path, json!({"loginId": user.email}));
        ids(&service, "/user/forgot-password").await.ok();
        let verify = format!("/user/verify-email?email={}&sendVerifyEmail=false", user.email);
        let id = service.call("PUT", &verify).await.ok().text("/verificationId");
        service.open(&format!("/user/verify-email/{id}"), json!({})).await.ok();
        service.post("/user/verify-email", json!({"userId": user.id})).await.ok();
        let body = json!({"registration": {"applicationId": APPLICATION}});
        service.post(&format!("/user/registration/{}", user.id), body).await.ok();
        let start = json!({"loginId": user.email, "applicationId": APPLICATION});
        let code = service.post("/passwordless/start", start.clone()).await.ok().text("/code");
        service.open("/passwordless/login", json!({"code": code})).await.ok();
        let code = service.post("/passwordless/start", start).await.ok().text("/code");
        service.open("/passwordless/send", json!({"code": code})).await.ok();
        let mut authenticator = Authenticator::new();
        let passkey = register(&service, &user, &mut authenticator).await.ok();
        used(&service, &user, &mut authenticator, "/webauthn/login").await.ok();
        used(&service, &user, &mut authenticator, "/webauthn/assert").await.ok();
        let passkey = format!("/webauthn/{}", passkey.text("/credential/id"));
        let mut shown = service.get(&passkey).await.ok().body["credential"].clone();
        service.call("DELETE", &passkey).await.ok();
        shown["name"] = json!("ada@work");
        service.post("/webauthn/import", json!({"credentials": [shown]})).await.ok();
        service.get(&format!("/webauthn?userId={}", user.id)).await.ok();
        service.call("DELETE", &format!("/webauthn?userId={}", user.id)).await.ok();
        service.call("DELETE", &path).await.ok();
        let chosen = "0b7c1e0a-57ab-4c1a-9d55-0123456789ab";
        let body = json!({"user": {"username": "chosen", "password": PASSWORD}});
        service.post(&format!("/user/{chosen}"), body).await.ok();
        let body = json!({
            "user": {"username": "registered", "password": PASSWORD}, "registration": {"applicationId": APPLICATION},
        });
        service.post("/user/registration", body).await.ok();
        world.answered(200).await
    }

    /// Logging in goes on: a second factor, another password, no registration.
    async fn fusionauth_goes_on(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let service = world.service().await;
        let user = service.user_with(json!({})).await;
        service.log_in(&user).await.is(202);
        let app = service.enrol(&user).await;
        let challenge = service.challenge(&user).await;
        service.complete(&challenge, &app.fresh_code()).await.is(202);
        service.get(&format!("/two-factor/status?userId={}", user.id)).await.is(242);
        service.get(&format!("/two-factor/status/x?userId={}", user.id)).await.is(242);
        service.post("/two-factor/status", json!({"userId": user.id})).await.is(242);
        let patch = json!({"user": {"passwordChangeRequired": true}});
        service.call("PATCH", &format!("/user/{}", user.id)).json(patch).await.ok();
        let challenge = service.challenge(&user).await;
        service.complete(&challenge, &app.fresh_code()).await.is(203);
        let code = async |user: &crate::harness::FusionAuthUser| {
            let start = json!({"loginId": user.email, "applicationId": APPLICATION});
            json!({"code": service.post("/passwordless/start", start).await.ok().text("/code")})
        };
        service.open("/passwordless/login", code(&user).await).await.is(242);
        let plain = service.user_with(json!({})).await;
        service.open("/passwordless/login", code(&plain).await).await.is(202);
        let mut authenticator = Authenticator::without_verification();
        register(&service, &user, &mut authenticator).await.ok();
        used(&service, &user, &mut authenticator, "/webauthn/login").await.is(242);
        let mut authenticator = Authenticator::new();
        register(&service, &plain, &mut authenticator).await.ok();
        used(&service, &plain, &mut authenticator, "/webauthn/login").await.is(202);
        let plain = service.user_with(json!({"passwordChangeRequired": true})).await;
        let mut authenticator = Authenticator::new();
        register(&service, &plain, &mut authenticator).await.ok();
        used(&service, &plain, &mut authenticator, "/webauthn/login").await.is(203);
        service.log_in(&plain).await.is(203);
        service.open("/passwordless/login", code(&plain).await).await.is(203);
        world.close().await.into_iter().filter(|(_, status)| [202, 203, 242].contains(status)).collect()
    }

    /// Accounts that may not be used, codes that are wrong, and users who guess.
    async fn fusionauth_refuses(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let service = world.service().await;
        let user = service.user().await;
        let token = service.log_in(&user).await.ok().text("/token");
        let enable = json!({"method": "email", "email": user.email, "code": "123456", "password": PASSWORD});
        service.with_token(&token, "POST", "/user/two-factor").json(enable.clone()).await.is(421);
        service.post(&format!("/user/two-factor/{}", user.id), enable).await.is(421);
        let app = service.enrol(&user).await;
        let path = format!("/user/{}", user.id);

        let mut authenticator = Authenticator::new();
        register(&service, &user, &mut authenticator).await.ok();
        let passkey_paths = ["/webauthn/login", "/webauthn/assert"];

        let challenge = service.challenge(&user).await;
        let start = json!({"loginId": user.email, "applicationId": APPLICATION});
        let code = async || json!({"code": service.post("/passwordless/start", start.clone()).await.ok().text("/code")});
        let nameless = service.post("/user", json!({"user": {"username": "nameless", "password": PASSWORD}})).await.ok();
        let name = json!({"loginId": "nameless", "applicationId": APPLICATION});
        service.post("/user/forgot-password", name.clone()).await.is(422);
        service.post("/passwordless/send", name).await.is(422);
        assert!(nameless.body["user"]["email"].is_null());
        let expiring = code().await;
        world.database().execute(&format!("UPDATE accounts SET is_active = false WHERE email = '{}'", user.email));
        service.open("/passwordless/login", expiring.clone()).await.is(423);
        for path in passkey_paths {
            used(&service, &user, &mut authenticator, path).await.is(423);
        }
        world.database().execute(&format!("UPDATE accounts SET is_active = true WHERE email = '{}'", user.email));
        let expiry = world.clock_millis();
        service.call("PATCH", &path).json(json!({"user": {"expiry": expiry}})).await.ok();
        service.open("/passwordless/login", expiring).await.is(410);
        for path in passkey_paths {
            used(&service, &user, &mut authenticator, path).await.is(410);
        }
        service.call("PATCH", &path).json(json!({"user": {"expiry": null}})).await.ok();
        service.call("DELETE", &path).await.ok();
        service.log_in(&user).await.is(423);
        service.complete(&challenge, &app.fresh_code()).await.is(423);
        service.call("PUT", &format!("{path}?reactivate=true")).await.ok();
        let challenge = service.challenge(&user).await;
        let expiry = world.clock_millis();
        service.call("PATCH", &path).json(json!({"user": {"expiry": expiry}})).await.ok();
        service.log_in(&user).await.is(410);
        service.complete(&challenge, &app.fresh_code()).await.is(410);
        service.call("PATCH", &path).json(json!({"user": {"expiry": null}})).await.ok();

        let lock = json!({
            "actioneeUserId": user.id, "userActionId": "c0de0000-0000-4000-8000-000000000009", "expiry": i64::MAX,
        });
        let start = json!({"loginId": user.email, "applicationId": APPLICATION});
        let code = service.post("/passwordless/start", start).await.ok().text("/code");
        service.post("/user/action", json!({"action": lock})).await.ok();
        service.open("/passwordless/login", json!({"code": code})).await.is(409);
        for path in passkey_paths {
            used(&service, &user, &mut authenticator, path).await.is(409);
        }
        assert!(service.log_in(&user).await.is(409).retry_after() > 800);
        service.call("DELETE", &format!("/user/action/{}", user.id)).await.ok();

        let challenge = service.challenge(&user).await;
        let passed = service.complete(&challenge, &app.fresh_code()).await.ok();
        let own = |code: &str, id: &str| {
            let call = service.with_token(&passed.text("/token"), "DELETE", "/user/two-factor");
            call.json(json!({"code": code, "methodId": id}))
        };
        let id = service.method_id(&user, "authenticator").await;
        let by_service = format!("/user/two-factor/{}?code={}&methodId={id}", user.id, app.wrong_code());
        service.call("DELETE", &by_service).await.is(421);
        for _ in 0..8 {
            own(&app.wrong_code(), &id).await.is(421);
        }
        let challenge = service.challenge(&user).await;
        service.complete(&challenge, &app.wrong_code()).await.is(421);
        let locked = service.complete(&challenge, &app.fresh_code()).await.is(409);
        assert!(locked.retry_after() > 800);
        own(&app.fresh_code(), &id).await.is(409);
        service.call("DELETE", &by_service).await.is(409);
        let by_token = |path: &str, body| service.with_token(&passed.text("/token"), "POST", path).json(body);
        let body = json!({"method": "email", "email": user.email, "code": "123456"});
        by_token("/user/two-factor", body.clone()).await.is(409);
        by_token("/two-factor/send", body).await.is(409);
        let send = json!({"methodId": id});
        service.open(&format!("/two-factor/send/{challenge}"), send).await.is(409);
        world.close().await.into_iter().filter(|(_, status)| [409, 410, 421, 422, 423].contains(status)).collect()
    }
}
