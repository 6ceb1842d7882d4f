//! A service that calls the FusionAuth dialect, and its users.

use super::caller::{Call, Caller};
use super::wire::Wire;
use super::world::WorldClock;
use super::{PASSWORD, other_than};
use countersign::clock::Clock as _;
use countersign_domain::ids::ApiKeyId;
use countersign_domain::totp::{STEP_SECONDS, TotpSecret};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The application that is there when none is configured.
pub(crate) const APPLICATION: &str = "c0de0000-0000-4000-8000-000000000002";

/// A service with a key.
#[derive(Clone)]
pub(crate) struct Service {
    wire: Wire,
    pub(crate) caller: Caller,
    pub(crate) key: String,
    /// Its name, where the test made it itself.
    pub(crate) key_id: Option<ApiKeyId>,
}

/// A client of the administration API.
#[derive(Clone)]
pub(crate) struct Administrator {
    pub(crate) caller: Caller,
    pub(crate) key: String,
}

impl Administrator {
    /// A call by its path below `/admin`.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        self.caller.call(method, &format!("/admin{path}"))
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    pub(crate) fn delete(&self, path: &str) -> Call {
        self.call("DELETE", path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.call("POST", path)
    }

    /// The id of the only user whose e-mail address or user name begins so.
    pub(crate) async fn id_of(&self, name: &str) -> String {
        let found = self.get(&format!("/users?startsWith={name}")).await.ok();
        assert_eq!(found.body["users"].as_array().map(Vec::len), Some(1), "{found}");
        found.text("/users/0/id")
    }
}

/// A user that a service made.
#[derive(Clone)]
pub(crate) struct FusionAuthUser {
    pub(crate) id: String,
    pub(crate) email: String,
}

/// A user's authenticator app.
pub(crate) struct TotpApp {
    secret: TotpSecret,
    clock: Arc<WorldClock>,
    pub(crate) recovery_codes: Vec<String>,
}

impl TotpApp {
    pub(crate) fn new(base32: &str, clock: &Arc<WorldClock>) -> Self {
        let secret = TotpSecret::from_base32(base32).unwrap();
        Self { secret, clock: Arc::clone(clock), recovery_codes: Vec::new() }
    }

    /// The code that it shows now.
    pub(crate) fn code(&self) -> String {
        self.secret.code_at(self.clock.now())
    }

    /// The code that it shows so many steps from now, or before now.
    pub(crate) fn code_in(&self, steps: i32) -> String {
        let distance = Duration::from_secs(STEP_SECONDS) * steps.unsigned_abs();
        let now = self.clock.now();
        self.secret.code_at(if steps < 0 { now - distance } else { now + distance })
    }

    /// Waits for the next step, and says its code.
    pub(crate) fn fresh_code(&self) -> String {
        self.clock.advance(Duration::from_secs(STEP_SECONDS));
        self.code()
    }

    /// Six digits that are no code for a good while around now, and other ones each time.
    pub(crate) fn wrong_code(&self) -> String {
        let step = Duration::from_secs(STEP_SECONDS);
        let now = self.clock.now();
        let near: Vec<String> = (0..=4)
            .flat_map(|steps| [self.secret.code_at(now + step * steps), self.secret.code_at(now - step * steps)])
            .collect();
        other_than(&near)
    }
}

impl Service {
    pub(crate) fn new(wire: &Wire, key: &str, key_id: Option<ApiKeyId>) -> Self {
        let caller = wire.stranger().with_header("authorization", key);
        Self { wire: wire.clone(), caller, key: key.to_owned(), key_id }
    }

    /// A client of the administration API with this key.
    pub(crate) fn administrator(&self) -> Administrator {
        Administrator { caller: self.wire.bearer(&self.key), key: self.key.clone() }
    }

    /// A call with the key, by its path below `/api`.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        self.caller.call(method, &format!("/api{path}"))
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Call {
        self.call("POST", path).json(body)
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    /// A call without the key, as the clients complete a login.
    pub(crate) fn open(&self, path: &str, body: Value) -> Call {
        self.wire.stranger().call("POST", &format!("/api{path}")).json(body)
    }

    /// A call with an access token.
    pub(crate) fn with_token(&self, token: &str, method: &str, path: &str) -> Call {
        self.wire.bearer(token).call(method, &format!("/api{path}"))
    }

    /// A new user, registered for the application.
    pub(crate) async fn user(&self) -> FusionAuthUser {
        let user = self.user_with(json!({})).await;
        let body = json!({"registration": {"applicationId": APPLICATION}});
        self.post(&format!("/user/registration/{}", user.id), body).await.ok();
        user
    }

    /// A new user about whom more is known, registered nowhere.
    pub(crate) async fn user_with(&self, more: Value) -> FusionAuthUser {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let email = format!("user{}@example.com", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut fields = json!({"email": email, "password": PASSWORD});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.post("/user", json!({"user": fields})).await.ok();
        FusionAuthUser { id: made.text("/user/id"), email }
    }

    /// An authenticator app for a user, in manual time.
    pub(crate) async fn enrol(&self, user: &FusionAuthUser) -> TotpApp {
        self.enrol_with(user, TotpApp::fresh_code).await
    }

    /// The same with a code of choice.
    pub(crate) async fn enrol_with(&self, user: &FusionAuthUser, code: impl FnOnce(&TotpApp) -> String) -> TotpApp {
        let secret = self.get("/two-factor/secret").await.ok();
        let mut app = TotpApp::new(&secret.text("/secretBase32Encoded"), self.wire.clock());
        self.wire.clock().settle().await;
        let body = json!({"method": "authenticator", "secret": secret.text("/secret"), "code": code(&app)});
        let enabled = self.post(&format!("/user/two-factor/{}", user.id), body).await.ok();
        let codes = enabled.body["recoveryCodes"].as_array().into_iter().flatten();
        app.recovery_codes = codes.map(|code| code.as_str().unwrap().to_owned()).collect();
        app
    }

    /// Codes by mail or by text message for a user.
    pub(crate) async fn enrol_address(&self, user: &FusionAuthUser, method: &str, address: &str) {
        let field = if method == "email" { "email" } else { "mobilePhone" };
        let send = json!({"userId": user.id, "method": method, field: address});
        self.post("/two-factor/send", send).await.ok();
        let code = self.wire.last_code_for(address);
        let enable = json!({"method": method, field: address, "code": code});
        self.post(&format!("/user/two-factor/{}", user.id), enable).await.ok();
    }

    pub(crate) fn log_in(&self, user: &FusionAuthUser) -> Call {
        self.post("/login", json!({"loginId": user.email, "password": PASSWORD, "applicationId": APPLICATION}))
    }

    /// The challenge that a password leads to.
    pub(crate) async fn challenge(&self, user: &FusionAuthUser) -> String {
        self.log_in(user).await.is(242).text("/twoFactorId")
    }

    /// A code for a challenge.
    pub(crate) fn complete(&self, id: &str, code: &str) -> Call {
        self.open("/two-factor/login", json!({"twoFactorId": id, "code": code}))
    }

    /// The id of the user's method of this kind.
    pub(crate) async fn method_id(&self, user: &FusionAuthUser, kind: &str) -> String {
        let shown = self.get(&format!("/user/{}", user.id)).await.ok();
        let methods = shown.body["user"]["twoFactor"]["methods"].as_array().cloned().unwrap_or_default();
        let method = methods.iter().find(|method| method["method"] == kind).unwrap();
        method["id"].as_str().unwrap().to_owned()
    }
}
