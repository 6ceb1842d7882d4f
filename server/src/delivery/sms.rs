//! Text messages by a gateway: a signed webhook, or the API of Twilio.
//!
//! The webhook has the form of Standard Webhooks 1.0 (<https://www.standardwebhooks.com>): `webhook-id`,
//! `webhook-timestamp` and `webhook-signature` (`v1,` and the HMAC-SHA-256 of id, timestamp and body in base64). The id is the same at
//! each attempt, so that the receiver can leave out what it has seen. Twilio's API has no such id: a request whose response was
//! lost is sent again.

use crate::net::client::client_for;
use crate::net::sms::{SmsGateway, SmsUrl};
use countersign_domain::ids::MessageId;
use countersign_domain::time::Timestamp;
use countersign_flows::delivery::queue::ATTEMPT_TIMEOUT;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode};
use sha2::Sha256;

/// Why a gateway has not taken a message. Says neither URL nor text.
#[derive(Debug, thiserror::Error)]
pub enum SmsError {
    #[error("failed to reach the gateway for text messages")]
    Unreachable(#[source] reqwest::Error),
    #[error("the gateway for text messages responded with status {0}")]
    Status(StatusCode),
}

impl SmsError {
    /// Whether it will never take this message. Statuses about credentials, the URL or load are about the settings of one of the
    /// two sides, or pass.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Status(status) => [400, 410, 413, 422].contains(&status.as_u16()),
            Self::Unreachable(_) => false,
        }
    }
}

/// A client of a gateway.
#[derive(Clone, Debug)]
pub struct Sms {
    client: Client,
    gateway: SmsGateway,
}

/// A text on its way.
#[derive(Clone, Copy)]
pub(super) struct TextMessage<'a> {
    pub id: MessageId,
    pub kind: &'a str,
    /// In the form `+15550100`.
    pub to: &'a str,
    pub text: &'a str,
}

impl Sms {
    /// Connects when the first message is sent.
    ///
    /// # Errors
    /// When there are no root certificates.
    pub fn new(gateway: SmsGateway) -> Result<Self, SmsError> {
        let (SmsGateway::Webhook { url, .. } | SmsGateway::Twilio { url, .. }) = &gateway;
        let client = client_for(url.as_str(), ATTEMPT_TIMEOUT).map_err(SmsError::Unreachable)?;
        Ok(Self { client, gateway })
    }

    pub(super) async fn send(&self, message: TextMessage<'_>, now: Timestamp) -> Result<(), SmsError> {
        let request = match &self.gateway {
            SmsGateway::Webhook { url, secret } => self.signed(url, secret, message, now),
            SmsGateway::Twilio { url, account, token, from } => {
                let sender = if from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
                let form = form_urlencoded::Serializer::new(String::new())
                    .extend_pairs([("To", message.to), (sender, from), ("Body", message.text)])
                    .finish();
                let url = format!("{}/2010-04-01/Accounts/{account}/Messages.json", url.as_str());
                let request = self.client.post(url).basic_auth(account, Some(token));
                request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
            }
        };
        let response = request.send().await.map_err(|error| SmsError::Unreachable(error.without_url()))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(SmsError::Status(status)),
        }
    }

    fn signed(&self, url: &SmsUrl, secret: &[u8], message: TextMessage<'_>, now: Timestamp) -> reqwest::RequestBuilder {
        let TextMessage { id, kind, to, text } = message;
        let body = serde_json::json!({ "id": id.to_text(), "kind": kind, "to": to, "text": text }).to_string();
        let timestamp = now.as_unix_seconds();
        let signature = sign(secret, &id.to_text(), timestamp, &body);
        self.client
            .post(url.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id.to_text())
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body)
    }
}

fn sign(secret: &[u8], id: &str, timestamp: u64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the reference implementation's tests (standard-webhooks).
    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        let secret = BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let signature = sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_refusal_is_about_the_message() {
        let is_refusal = |status| SmsError::Status(StatusCode::from_u16(status).expect("a status")).is_refusal();
        for (status, expected) in [(400, true), (422, true), (401, false), (404, false), (429, false), (503, false)] {
            assert_eq!(is_refusal(status), expected, "{status}");
        }
    }
}
