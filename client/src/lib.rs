//! Client of Countersign's APIs, generated from the contracts in `openapi/` whenever they change.
//!
//! Each dialect is a module with a `Client`, one method per operation, and its `types`. A method begins a request, which is built
//! by the names of its parameters and of the properties of its body, so that what the contract adds as optional breaks no
//! caller. `send` returns the body with status and headers, or an error that holds the dialect's error body.
//!
//! ```no_run
//! use countersign_client::better_auth::{Client, Error, types};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new("http://localhost:3000/api/auth");
//! let body = types::SignInEmailRequest::builder().email("ada@example.com").password("correct horse battery staple");
//! match client.sign_in_email().body(body).send().await {
//!     Ok(reply) if reply.two_factor_redirect == Some(true) => println!("second factor required"),
//!     Ok(reply) => println!("session {:?}", reply.token),
//!     Err(Error::ErrorResponse(error)) => println!("{}: {}", error.status(), error.code),
//!     Err(other) => return Err(other.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! To act in a session, give the client a [`reqwest::Client`] that sends the token:
//!
//! ```no_run
//! use countersign_client::better_auth::Client;
//! use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
//!
//! # async fn run(token: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let mut headers = HeaderMap::new();
//! headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}"))?);
//! let http = reqwest::Client::builder().default_headers(headers).build()?;
//! let client = Client::new_with_client("http://localhost:3000/api/auth", http);
//! let enable = client.two_factor_enable_post().body_map(|body| body.password("correct horse battery staple"));
//! let enrolment = enable.send().await?.into_inner();
//! println!("scan {}", enrolment.totp_uri.expect("that of an app"));
//! # Ok(())
//! # }
//! ```
//!
//! Where only some errors of an operation have a body, the others arrive as `Error::UnexpectedResponse`, with their status:
//!
//! ```no_run
//! use countersign_client::fusionauth::{Client, Error};
//!
//! # async fn run(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
//! let login = client.login().body_map(|body| body.login_id("ada@example.com".to_owned()).password("a password".to_owned()));
//! match login.send().await {
//!     Ok(reply) if reply.status() == 242 => println!("second factor required: {:?}", reply.two_factor_id),
//!     Ok(reply) => println!("access token {:?}", reply.token),
//!     Err(Error::ErrorResponse(errors)) => println!("wrong request: {:?}", errors.field_errors),
//!     Err(Error::UnexpectedResponse(response)) => println!("refused: {}", response.status()),
//!     Err(other) => return Err(other.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Administration takes an API key that allows it (`countersign api-key create --allow admin`), as a bearer token:
//!
//! ```no_run
//! use countersign_client::admin::{Client, Error};
//!
//! # async fn run(http: countersign_client::reqwest::Client, user_id: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new_with_client("http://localhost:3000/admin", http);
//! match client.unlock_user().user_id(user_id).send().await {
//!     Ok(change) => println!("{}: {}", change.id.as_str(), change.done),
//!     Err(Error::ErrorResponse(problem)) => println!("{}: {}", problem.code, problem.detail),
//!     Err(other) => return Err(other.into()),
//! }
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

pub use reqwest;

/// The Better Auth dialect, from `openapi/better-auth.yaml`.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::unwrap_used,
    missing_docs,
    reason = "the code is generated, with lint attributes of its own; its readers read the contract"
)]
#[expect(unreachable_patterns, reason = "the generator handles other statuses also where `default` leaves none")]
pub mod better_auth {
    include!(concat!(env!("OUT_DIR"), "/better_auth.rs"));
}

/// The FusionAuth dialect, from `openapi/fusionauth.yaml`.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::unwrap_used,
    missing_docs,
    reason = "the code is generated, with lint attributes of its own; its readers read the contract"
)]
pub mod fusionauth {
    include!(concat!(env!("OUT_DIR"), "/fusionauth.rs"));
}

/// The administration API, from `openapi/admin.yaml`.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::unwrap_used,
    missing_docs,
    reason = "the code is generated, with lint attributes of its own; its readers read the contract"
)]
#[expect(unreachable_patterns, reason = "the generator handles other statuses also where `default` leaves none")]
pub mod admin {
    include!(concat!(env!("OUT_DIR"), "/admin.rs"));
}
