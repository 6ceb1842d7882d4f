//! A user is registered, gets two methods, signs in with one and loses both, by the published crate and its own types.
//!
//! usage: fusionauth-rust URL API_KEY OUTBOX

use fusionauth_rust_client::apis::configuration::{ApiKey, Configuration};
use fusionauth_rust_client::apis::default_api::{self as api, LoginWithIdError, TwoFactorLoginWithIdError};
use fusionauth_rust_client::apis::{Error, ResponseContent};
use fusionauth_rust_client::models::{
    LoginRequest, LoginResponse, RegistrationRequest, TwoFactorLoginRequest, TwoFactorMethod, TwoFactorRequest,
    TwoFactorSendRequest, User, UserRegistration, UserRequest,
};
use std::time::{SystemTime, UNIX_EPOCH};
use totp_rs::{Algorithm, Secret, TOTP};
use uuid::Uuid;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery staple";
const APPLICATION: &str = "c0de0000-0000-4000-8000-000000000002";

/// Seconds of a TOTP step (RFC 6238, 4.1).
const STEP: u64 = 30;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().expect("usage: fusionauth-rust URL API_KEY OUTBOX");
    let (url, key, outbox) = (next(), next(), next());
    let anonymous = Configuration { base_path: url, ..Configuration::default() };
    let service = Configuration { api_key: Some(ApiKey { prefix: None, key }), ..anonymous.clone() };
    journey(&service, &anonymous, &outbox).await;
    println!("done");
}

async fn journey(service: &Configuration, anonymous: &Configuration, outbox: &str) {
    let id = Uuid::new_v4();
    let user_id = &id.to_string();
    let application_id = Uuid::parse_str(APPLICATION).ok();
    let login = LoginRequest {
        login_id: Some(EMAIL.to_owned()),
        password: Some(PASSWORD.to_owned()),
        application_id,
        ..LoginRequest::default()
    };
    let user = User { email: Some(EMAIL.to_owned()), password: Some(PASSWORD.to_owned()), ..User::default() };
    let request = UserRequest { user: Some(Box::new(user)), ..UserRequest::default() };
    let made = api::create_user_with_id(service, user_id, None, Some(request)).await.expect("create a user");
    assert_eq!(made.user.and_then(|user| user.id), Some(id));
    let registration = UserRegistration { application_id, ..UserRegistration::default() };
    let request = RegistrationRequest { registration: Some(Box::new(registration)), ..RegistrationRequest::default() };
    api::register_with_id(service, user_id, None, Some(request)).await.expect("register the user");

    // By the user's own access token, which the crate sends for this operation only if there is no API key.
    let token = api::login_with_id(service, None, Some(login.clone())).await.expect("log in").token;
    let holder = Configuration { bearer_access_token: token, ..anonymous.clone() };
    let secret = api::generate_two_factor_secret_using_jwt_with_id(&holder).await.expect("a secret");
    let app = App::new(&secret.secret_base32_encoded.expect("the secret in base32"));

    let request = TwoFactorRequest {
        method: Some("authenticator".to_owned()),
        secret: secret.secret,
        code: Some(app.code(0)),
        ..TwoFactorRequest::default()
    };
    api::enable_two_factor_with_id(service, user_id, Some(request)).await.expect("enable the app");
    let request = TwoFactorSendRequest {
        user_id: Some(id),
        method: Some("email".to_owned()),
        email: Some(EMAIL.to_owned()),
        ..TwoFactorSendRequest::default()
    };
    api::send_two_factor_code_for_enable_disable_with_id(service, Some(request)).await.expect("send a code");
    let request = TwoFactorRequest {
        method: Some("email".to_owned()),
        email: Some(EMAIL.to_owned()),
        code: Some(mailed_code(outbox)),
        ..TwoFactorRequest::default()
    };
    api::enable_two_factor_with_id(service, user_id, Some(request)).await.expect("enable mail");
    let codes = api::generate_two_factor_recovery_codes_with_id(service, user_id).await.expect("recovery codes");
    let recovery_code = codes.recovery_codes.into_iter().flatten().next().expect("a recovery code");

    // 242 is a success, and the user's methods are in it.
    let challenge = api::login_with_id(service, None, Some(login.clone())).await.expect("a challenge");
    assert!(challenge.token.is_none() && challenge.user.is_none(), "no token for a password alone");
    let wrong = complete(anonymous, &challenge, "000000").await.expect_err("a wrong code");
    let Error::ResponseError(ResponseContent { status, entity, .. }) = wrong else { panic!("{wrong}") };
    assert_eq!(status.as_u16(), 421);
    // An error without a body has no entity.
    assert!(!matches!(entity, Some(TwoFactorLoginWithIdError::DefaultResponse(_))), "{entity:?}");
    // The codes of this step and of the one before are used, or older than one that is.
    let logged_in = complete(anonymous, &challenge, &app.code(1)).await.expect("complete the login");
    assert!(logged_in.token.is_some());
    assert_eq!(logged_in.user.and_then(|user| user.email).as_deref(), Some(EMAIL));

    // The crate's type of errors has a list where FusionAuth has an object, so that it keeps the JSON.
    let refused = api::login_with_id(service, None, Some(LoginRequest::default())).await.expect_err("no login id");
    let Error::ResponseError(ResponseContent { status, entity, .. }) = refused else { panic!("{refused}") };
    assert_eq!(status.as_u16(), 400);
    let Some(LoginWithIdError::UnknownValue(errors)) = entity else { panic!("{entity:?}") };
    assert_eq!(errors["fieldErrors"]["loginId"][0]["code"], "[blank]loginId");

    // One method by a code that was mailed, the other one and all that is left by a recovery code.
    let methods = challenge.methods.expect("the methods");
    let method = |kind: &str| -> &TwoFactorMethod {
        methods.iter().find(|method| method.method.as_deref() == Some(kind)).expect("the method")
    };
    let request = TwoFactorSendRequest {
        user_id: Some(id),
        method_id: method("email").id.clone(),
        ..TwoFactorSendRequest::default()
    };
    api::send_two_factor_code_for_enable_disable_with_id(service, Some(request)).await.expect("send a code");
    let (mail, code) = (method("email").id.as_deref(), mailed_code(outbox));
    api::delete_user_two_factor_with_id(service, user_id, mail, Some(&code), None).await.expect("disable mail");
    let authenticator = method("authenticator").id.as_deref();
    api::delete_user_two_factor_with_id(service, user_id, authenticator, Some(&recovery_code), None)
        .await
        .expect("disable the app");
    let plain = api::login_with_id(service, None, Some(login)).await.expect("log in with the password alone");
    assert!(plain.token.is_some());

    api::delete_user_with_id(service, user_id, None, Some("true"), None).await.expect("delete the user");
    let gone = api::retrieve_user_with_id(service, user_id, None).await.expect_err("no such user");
    assert!(matches!(&gone, Error::ResponseError(content) if content.status.as_u16() == 404), "{gone}");
}

async fn complete(
    anonymous: &Configuration,
    challenge: &LoginResponse,
    code: &str,
) -> Result<LoginResponse, Error<TwoFactorLoginWithIdError>> {
    let request = TwoFactorLoginRequest {
        two_factor_id: challenge.two_factor_id.clone(),
        code: Some(code.to_owned()),
        ..TwoFactorLoginRequest::default()
    };
    api::two_factor_login_with_id(anonymous, Some(request)).await
}

/// An authenticator app.
struct App(TOTP);

impl App {
    fn new(secret: &str) -> Self {
        let secret = Secret::Encoded(secret.to_owned()).to_bytes().expect("base32");
        Self(TOTP::new_unchecked(Algorithm::SHA1, 6, 1, STEP, secret))
    }

    /// The code of a step after the current one: each is taken once.
    fn code(&self, steps: u64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is right").as_secs();
        self.0.generate(now + steps * STEP)
    }
}

/// The newest code that was mailed to the user. Notices are mailed there, too.
fn mailed_code(outbox: &str) -> String {
    let messages = std::fs::read_to_string(outbox).expect("messages were sent");
    let codes = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        message["code"].as_str().filter(|_| message["to"] == EMAIL).map(str::to_owned)
    });
    codes.last().expect("a code was mailed")
}
