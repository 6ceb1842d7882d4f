//! The generated client: the flows of an application that never sees HTTP.

use crate::harness::{PASSWORD, World};
use countersign::clock::Clock as _;
use countersign_client::better_auth::{Client, Error, types};
use countersign_client::reqwest;
use countersign_client::reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use countersign_domain::totp::TotpSecret;
use countersign_test_postgres::{DatabaseKind, on_each_database};

fn client(world: &World, token: Option<&str>) -> Client {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
    }
    let http = reqwest::Client::builder().default_headers(headers).no_proxy().build().unwrap();
    Client::new_with_client(&format!("http://{}/api/auth", world.address()), http)
}

fn password() -> String {
    PASSWORD.to_owned()
}

fn sign_in(email: &str, password: &str) -> types::builder::SignInEmailRequest {
    types::SignInEmailRequest::builder().email(email).password(password).remember_me(true)
}

#[on_each_database]
async fn a_life_of_an_account_in_types(database: DatabaseKind) {
    let world = World::start(database).await;
    assert!(client(&world, None).ok_get().send().await.unwrap().ok);
    let new = types::SignUpWithEmailAndPasswordRequest::builder();
    let new = new.name("Ada").email("ada@example.com").password(password());
    let signed_up = client(&world, None).sign_up_with_email_and_password().body(new).send().await.unwrap();
    assert!(signed_up.headers().contains_key("set-auth-token"));
    let session = client(&world, Some(&signed_up.token));
    let enable = session.two_factor_enable_post().body_map(|body| body.password(password()));
    let enrolment = enable.send().await.unwrap().into_inner();
    assert_eq!(enrolment.method, types::TwoFactorEnablePost200ResponseMethod::Totp);
    let totp_uri = enrolment.totp_uri.unwrap();
    let base32 = totp_uri.split("secret=").nth(1).unwrap().split('&').next().unwrap();
    let secret = TotpSecret::from_base32(base32).unwrap();
    let code = || types::TwoFactorVerifyTotpPostRequest::builder().code(secret.code_at(world.clock.now()));
    let confirmed = session.two_factor_verify_totp_post().body(code()).send().await.unwrap().into_inner();
    assert!(confirmed.status && confirmed.user.unwrap().two_factor_enabled);
    let token = confirmed.token.unwrap();

    let stranger = client(&world, None);
    let sign_in_again = || stranger.sign_in_email().body(sign_in("ada@example.com", PASSWORD)).send();
    let challenge = sign_in_again().await.unwrap().into_inner();
    assert_eq!((challenge.two_factor_redirect, challenge.redirect), (Some(true), Some(false)));
    assert!(challenge.token.is_some_and(|token| Some(token.to_string()) == challenge.two_factor_token));
    assert!(challenge.user.is_some_and(|user| user.id.is_none()), "nobody has signed in");
    assert_eq!(challenge.two_factor_methods.len(), 2);
    let second = client(&world, challenge.two_factor_token.as_deref());
    world.clock.advance(std::time::Duration::from_secs(30));
    let trusting = code().trust_device(types::BooleanOrText::from(true));
    let passed = second.two_factor_verify_totp_post().body(trusting).send().await.unwrap().into_inner();

    let session = client(&world, passed.token.as_deref());
    let shown = session.get_session().send().await.unwrap().into_inner().0.unwrap();
    assert_eq!((shown.user.email.as_str(), shown.session.token), ("ada@example.com", passed.token.unwrap()));
    assert_eq!(shown.session.created_at.timestamp_subsec_millis(), 0);
    let shown = session.two_factor_get_totp_uri_post().body_map(|body| body.password(password())).send().await;
    assert_eq!(shown.unwrap().totp_uri, totp_uri);
    session.two_factor_send_otp_post().body_map(|body| body).send().await.unwrap();
    let code = world.last_code_for("ada@example.com");
    session.two_factor_verify_otp_post().body_map(|body| body.code(code)).send().await.unwrap();
    let body = types::TwoFactorVerifyBackupCodePostRequest::builder()
        .code(&enrolment.backup_codes.unwrap()[0])
        .disable_session(types::BooleanOrText::String(types::BooleanOrTextString::False));
    let passed = session.two_factor_verify_backup_code_post().body(body).send().await.unwrap().into_inner();
    assert_eq!(passed.session.unwrap().user_id, passed.user.id);
    let made = session.two_factor_generate_backup_codes_post().body_map(|body| body.password(password())).send().await;
    assert_eq!(made.unwrap().backup_codes.len(), 10);

    let sessions = session.list_user_sessions().send().await.unwrap().into_inner();
    assert_eq!(sessions.len(), 2);
    assert!(session.revoke_session_post().body_map(|body| body.token(token)).send().await.unwrap().status);
    let device = session.list_trusted_devices().send().await.unwrap().into_inner().remove(0);
    let rename = session.rename_trusted_device().body_map(|body| body.id(&device.id).name("My laptop"));
    assert_eq!(rename.send().await.unwrap().name.as_str(), "My laptop");
    assert!(session.revoke_trusted_device().body_map(|body| body.id(&device.id)).send().await.unwrap().status);
    let error = session.revoke_trusted_device().body_map(|body| body.id(&device.id)).send().await.unwrap_err();
    let Error::ErrorResponse(error) = error else { panic!("{error:?}") };
    assert_eq!((error.status().as_u16(), error.code.as_str()), (404, "TRUSTED_DEVICE_NOT_FOUND"));
    assert!(session.list_trusted_devices().send().await.unwrap().is_empty());
    let disable = session.two_factor_disable_post().body_map(|body| body.password(password()));
    let disabled = disable.send().await.unwrap();
    assert!(disabled.status && disabled.token.is_none());
    let plain = sign_in_again().await.unwrap().into_inner();
    assert!(plain.two_factor_redirect.is_none() && plain.user.is_some());
}

#[on_each_database]
async fn errors_are_types_too(database: DatabaseKind) {
    let world = World::start(database).await;
    let error =
        client(&world, None).sign_in_email().body(sign_in("nobody@example.com", "wrong")).send().await.unwrap_err();
    let Error::ErrorResponse(error) = error else { panic!("{error:?}") };
    assert_eq!((error.status().as_u16(), error.code.as_str()), (401, "INVALID_EMAIL_OR_PASSWORD"));
    let error = client(&world, Some("nonsense")).list_user_sessions().send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
    let nobody = client(&world, None).get_session().send().await.unwrap().into_inner();
    assert!(nobody.0.is_none());
    // What is required and missing is found before anything is sent.
    let body = types::SignInEmailRequest::builder().email("ada@example.com");
    let error = client(&world, None).sign_in_email().body(body).send().await.unwrap_err();
    let Error::InvalidRequest(what) = error else { panic!("{error:?}") };
    assert!(what.contains("password"), "{what}");
}
