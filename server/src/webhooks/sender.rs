//! One request to a receiver of webhooks.

use super::ATTEMPT_TIMEOUT;
use crate::config::webhooks::Receiver;
use crate::net::client::{client_for, public_client};
use crate::net::public::NotPublic;
use countersign_domain::time::Timestamp;
use countersign_domain::webhook::SIGNATURE_HEADER;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode};

/// Why a receiver has not taken an event. Says neither URL nor body.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("failed to reach the receiver")]
    Unreachable(#[source] reqwest::Error),
    #[error("the receiver responded with status {0}")]
    Status(StatusCode),
    #[error("the receiver may not be connected to without `allow_private_addresses`")]
    NotPublic(#[source] NotPublic),
}

/// A client of a receiver.
pub(super) struct Sender {
    client: Client,
    receiver: Receiver,
}

impl Sender {
    /// Connects when the first event is sent.
    pub(super) fn new(receiver: &Receiver) -> Result<Self, reqwest::Error> {
        let client = match receiver.allows_private_addresses {
            true => client_for(receiver.url.url().as_str(), ATTEMPT_TIMEOUT)?,
            false => public_client(ATTEMPT_TIMEOUT)?,
        };
        Ok(Self { client, receiver: receiver.clone() })
    }

    /// Success is a status of 2xx; the body of the response is not read, and redirects are not followed.
    pub(super) async fn send(&self, body: &str, now: Timestamp) -> Result<(), SendError> {
        let Receiver { url, secret, allows_private_addresses, .. } = &self.receiver;
        // An address in the URL itself is not resolved, and therefore not checked by the client.
        if let Some(address) = url.address().filter(|_| url.is_private() && !allows_private_addresses) {
            return Err(SendError::NotPublic(NotPublic::Address(address)));
        }
        let request = self.client.post(url.url().clone()).header(CONTENT_TYPE, "application/json");
        let request = request.header(SIGNATURE_HEADER, secret.sign(body.as_bytes(), now)).body(body.to_owned());
        let response = request.send().await.map_err(|error| SendError::Unreachable(error.without_url()))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(SendError::Status(status)),
        }
    }
}
