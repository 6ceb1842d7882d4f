//! Passkeys: registered, managed, and signed in with; and what must not succeed.

mod attacks;
pub(crate) mod fusionauth;
mod fusionauth_import;
pub(crate) mod fusionauth_login;
mod fusionauth_second_factor;
mod managing;
mod registering;
mod second_factor;
mod signing_in;

use crate::harness::{Authenticator, Caller, Response, World};
use serde_json::{Value, json};

pub(crate) const REGISTER_OPTIONS: &str = "/passkey/generate-register-options";
pub(crate) const SIGN_IN_OPTIONS: &str = "/passkey/generate-authenticate-options";

/// What a browser is asked for; its cookie ties the response to it.
pub(crate) async fn options(browser: &Caller, path: &str) -> Value {
    browser.get(path).await.ok().body
}

async fn send_registration(browser: &Caller, response: Value) -> Response {
    browser.post("/passkey/verify-registration").json(json!({"response": response})).await
}

pub(crate) async fn send_assertion(browser: &Caller, response: Value) -> Response {
    browser.post("/passkey/verify-authentication").json(json!({"response": response})).await
}

/// Registers the passkey of an authenticator in this session.
pub(crate) async fn register(browser: &Caller, authenticator: &mut Authenticator) -> Response {
    let options = options(browser, REGISTER_OPTIONS).await;
    send_registration(browser, authenticator.register(&options)).await
}

/// Signs in with the passkey of an authenticator.
async fn sign_in(browser: &Caller, authenticator: &mut Authenticator) -> Response {
    let options = options(browser, SIGN_IN_OPTIONS).await;
    send_assertion(browser, authenticator.assert(&options)).await
}

async fn passkeys(browser: &Caller) -> Vec<Value> {
    browser.get("/passkey/list-user-passkeys").await.ok().body.as_array().unwrap().clone()
}

fn events(world: &World, kind: &str) -> i64 {
    world.database().number(&format!("SELECT count(*) AS number FROM audit_events WHERE kind = '{kind}'"))
}

async fn is_signed_in(browser: &Caller) -> bool {
    browser.get("/get-session").await.ok().body != Value::Null
}
