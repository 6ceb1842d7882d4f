//! Users and their authenticator apps.

use super::caller::Caller;
use super::response::Response;
use super::wire::Wire;
use super::world::WorldClock;
use super::{PASSWORD, other_than};
use countersign::clock::Clock as _;
use countersign_domain::totp::{STEP_SECONDS, TotpSecret};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// A user who signed up through the Better Auth dialect.
pub(crate) struct User {
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) id: String,
    /// The browser in which the account was made. It holds the session.
    pub(crate) browser: Caller,
    /// The raw token of that first session; enrolment replaces it.
    pub(crate) first_token: String,
    wire: Wire,
}

impl User {
    pub(super) async fn sign_up(wire: &Wire, name: &str) -> Self {
        let (browser, email, password) = (wire.browser(), format!("{name}@example.com"), PASSWORD.to_owned());
        let body = json!({"name": name, "email": email, "password": password});
        let response = browser.post("/sign-up/email").json(body).await.ok();
        let (id, first_token) = (response.text("/user/id"), response.text("/token"));
        Self { email, password, id, browser, first_token, wire: wire.clone() }
    }

    /// The password step in this client.
    pub(crate) async fn sign_in_from(&self, caller: &Caller) -> Response {
        caller.post("/sign-in/email").json(json!({"email": self.email, "password": self.password})).await
    }

    /// A new browser, signed in; for accounts without a second factor.
    pub(crate) async fn signed_in(&self) -> Caller {
        let browser = self.wire.browser();
        let response = self.sign_in_from(&browser).await.ok();
        assert_eq!(response.body["twoFactorRedirect"], json!(null), "{response}");
        browser
    }

    /// A new browser that has passed the password step and waits for the second factor.
    pub(crate) async fn challenged(&self) -> Caller {
        let browser = self.wire.browser();
        self.challenge_token(&browser).await;
        browser
    }

    /// Brings this client to a challenge, and says its token for bearer clients.
    pub(crate) async fn challenge_token(&self, caller: &Caller) -> String {
        let response = self.sign_in_from(caller).await.ok();
        assert_eq!(response.body["twoFactorRedirect"], true, "{response}");
        response.text("/twoFactorToken")
    }

    /// Begins an enrolment in the first browser, which must be allowed to.
    pub(crate) async fn begin_enrolment(&self) -> App {
        let response = self.browser.post("/two-factor/enable").json(json!({"password": self.password})).await.ok();
        App::new(&response, self.wire.clock())
    }

    /// Enrols an app in the first browser. The code that confirms it is used up: see [`App::fresh_code`].
    pub(crate) async fn enrol(&self) -> App {
        let app = self.begin_enrolment().await;
        self.browser.post("/two-factor/verify-totp").json(json!({"code": app.code()})).await.ok();
        app
    }

    /// A new browser, signed in with password and app.
    pub(crate) async fn signed_in_with(&self, app: &App) -> Caller {
        let browser = self.challenged().await;
        browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
        browser
    }

    /// A new browser, signed in with password and app, whose device is trusted from now on.
    pub(crate) async fn trusted_with(&self, app: &App) -> Caller {
        let browser = self.challenged().await;
        let body = json!({"code": app.fresh_code(), "trustDevice": true});
        browser.post("/two-factor/verify-totp").json(body).await.ok();
        assert!(browser.cookie("trust_device").is_some());
        browser
    }
}

/// An authenticator app, with the backup codes that came with its secret.
pub(crate) struct App {
    /// The whole `otpauth:` URI.
    pub(crate) uri: String,
    /// The secret as the URI spells it.
    pub(crate) base32: String,
    pub(crate) backup_codes: Vec<String>,
    secret: TotpSecret,
    clock: Arc<WorldClock>,
}

impl App {
    /// The app that scans the URI of a response of `/two-factor/enable`.
    pub(crate) fn new(response: &Response, clock: &Arc<WorldClock>) -> Self {
        let uri = response.text("/totpURI");
        let (_, rest) = uri.split_once("secret=").unwrap();
        let base32 = rest.split('&').next().unwrap().to_owned();
        let secret = TotpSecret::from_base32(&base32).unwrap();
        let codes = response.body["backupCodes"].as_array().into_iter().flatten();
        let backup_codes = codes.map(|code| code.as_str().unwrap().to_owned()).collect();
        Self { uri, base32, backup_codes, secret, clock: Arc::clone(clock) }
    }

    /// The same app in the time of another server.
    pub(crate) fn at(self, wire: &Wire) -> Self {
        Self { clock: Arc::clone(wire.clock()), ..self }
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

    /// Waits for the next step (in manual time, which this advances) and says its code, which nobody has used.
    pub(crate) fn fresh_code(&self) -> String {
        self.clock.advance(Duration::from_secs(STEP_SECONDS));
        self.code()
    }

    /// Six digits that are no code of this app for a good while around now, and other ones each time.
    pub(crate) fn wrong_code(&self) -> String {
        let near: Vec<String> = (-4..=4).map(|steps| self.code_in(steps)).collect();
        other_than(&near)
    }
}
