//! The samples in Rust of the published page about the eight two-factor operations: its calls, with its client, call for
//! call. Address and token are filled in, and so are the bodies, which the page leaves open.

use crate::harness::{PASSWORD, World};
use countersign::clock::Clock as _;
use countersign_domain::totp::TotpSecret;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

/// What the samples call `http`. Whatever proxy this machine has, the server is not behind it.
fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

#[on_each_database]
async fn the_samples_run(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    the_eight_calls(&world, &user.email, &user.first_token).await.unwrap();
    // The last one switched the second factor off: the password alone signs in.
    user.signed_in().await;
}

/// The samples, in an order in which all of them can succeed.
async fn the_eight_calls(world: &World, email: &str, token: &str) -> Result<(), reqwest::Error> {
    let base_url = format!("http://{}/api/auth", world.address());
    let http = client();

    // auth.twoFactor.enable() -> POST /two-factor/enable
    let response = http
        .post(format!("{base_url}/two-factor/enable"))
        .bearer_auth(token)
        .json(&json!({
            "password": PASSWORD
        }))
        .send()
        .await?;
    let enabled: Value = response.error_for_status()?.json().await?;
    assert_eq!(enabled["backupCodes"].as_array().map(Vec::len), Some(10), "{enabled}");

    // auth.twoFactor.getTotpUri() -> POST /two-factor/get-totp-uri
    let response = http
        .post(format!("{base_url}/two-factor/get-totp-uri"))
        .bearer_auth(token)
        .json(&json!({
            "password": PASSWORD
        }))
        .send()
        .await?;
    let shown: Value = response.error_for_status()?.json().await?;
    assert_eq!(shown, json!({"totpURI": enabled["totpURI"]}));
    let (_, secret) = shown["totpURI"].as_str().unwrap().split_once("secret=").unwrap();
    let secret = TotpSecret::from_base32(secret.split('&').next().unwrap()).unwrap();

    // auth.twoFactor.verifyTotp() -> POST /two-factor/verify-totp
    let response = http
        .post(format!("{base_url}/two-factor/verify-totp"))
        .bearer_auth(token)
        .json(&json!({
            "code": secret.code_at(world.clock.now())
        }))
        .send()
        .await?;
    let confirmed: Value = response.error_for_status()?.json().await?;
    assert_eq!((&confirmed["status"], &confirmed["user"]["twoFactorEnabled"]), (&json!(true), &json!(true)));
    // The session is a new one, and so is its token.
    let token = confirmed["token"].as_str().unwrap();

    // auth.twoFactor.sendOtp() -> POST /two-factor/send-otp
    let response = http
        .post(format!("{base_url}/two-factor/send-otp"))
        .bearer_auth(token)
        .json(&json!({
            "...": "See OpenAPI requestBody schema"
        }))
        .send()
        .await?;
    let _ = response.error_for_status()?;

    // auth.twoFactor.verifyOtp() -> POST /two-factor/verify-otp
    let response = http
        .post(format!("{base_url}/two-factor/verify-otp"))
        .bearer_auth(token)
        .json(&json!({
            "code": world.last_code_for(email)
        }))
        .send()
        .await?;
    let verified: Value = response.error_for_status()?.json().await?;
    assert_eq!((&verified["token"], &verified["user"]["email"]), (&json!(token), &json!(email)));

    // auth.twoFactor.generateBackupCodes() -> POST /two-factor/generate-backup-codes
    let response = http
        .post(format!("{base_url}/two-factor/generate-backup-codes"))
        .bearer_auth(token)
        .json(&json!({
            "password": PASSWORD
        }))
        .send()
        .await?;
    let generated: Value = response.error_for_status()?.json().await?;
    assert_ne!(generated["backupCodes"], enabled["backupCodes"]);

    // auth.twoFactor.verifyBackupCode() -> POST /two-factor/verify-backup-code
    let response = http
        .post(format!("{base_url}/two-factor/verify-backup-code"))
        .bearer_auth(token)
        .json(&json!({
            "code": generated["backupCodes"][0]
        }))
        .send()
        .await?;
    let verified: Value = response.error_for_status()?.json().await?;
    assert_eq!(verified["session"]["userId"], verified["user"]["id"]);

    // auth.twoFactor.disable() -> POST /two-factor/disable
    let response = http
        .post(format!("{base_url}/two-factor/disable"))
        .bearer_auth(token)
        .json(&json!({
            "password": PASSWORD
        }))
        .send()
        .await?;
    let _ = response.error_for_status()?;
    Ok(())
}

/// With the bodies that the page leaves open, all but sending lack a field: 400, which `error_for_status` makes an error.
#[on_each_database]
async fn the_bodies_that_the_page_leaves_open_are_refused_except_for_sending(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let base_url = format!("http://{}/api/auth", world.address());
    let (http, token) = (client(), &user.first_token);
    for path in [
        "get-totp-uri",
        "verify-totp",
        "send-otp",
        "verify-otp",
        "verify-backup-code",
        "generate-backup-codes",
        "enable",
        "disable",
    ] {
        let response = http
            .post(format!("{base_url}/two-factor/{path}"))
            .bearer_auth(token)
            .json(&json!({
                "...": "See OpenAPI requestBody schema"
            }))
            .send()
            .await
            .unwrap();
        let refusal = response.error_for_status().err().and_then(|error| error.status());
        assert_eq!(refusal, (path != "send-otp").then_some(StatusCode::BAD_REQUEST), "{path}");
    }
}
