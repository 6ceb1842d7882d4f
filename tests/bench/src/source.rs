//! Where the requests of each connection come from.

use crate::client::Response;
use crate::clock;
use crate::request::{Sender, TRUST_COOKIE, post};
use crate::users::PASSWORD;
use countersign_domain::totp::TotpSecret;
use serde_json::json;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// The requests of one connection.
pub(crate) enum Source {
    /// New users, without end.
    SignUps {
        /// What tells this source's users from those of any other.
        tag: String,
        /// The next one's number.
        next: u64,
    },
    /// The same requests again and again, without end.
    Cycle {
        /// The requests.
        requests: Vec<Vec<u8>>,
        /// The next one's index.
        next: usize,
    },
    /// Devices whose cookies change with every sign-in, without end.
    TrustedDevices {
        /// Addresses and cookies.
        devices: Vec<(String, String)>,
        /// The next one's index.
        next: usize,
    },
    /// Sessions whose tokens change with every request, without end.
    Sessions {
        /// Their tokens.
        tokens: Vec<String>,
        /// The next one's index.
        next: usize,
        /// What is done in them, and the request's body.
        operation: &'static str,
        body: serde_json::Value,
    },
    /// Challenges with codes that depend on the time, until there are no more for any connection.
    TotpCodes(Rc<RefCell<Vec<TotpAttempt>>>),
    /// Requests that can be sent once, until there are no more for any connection.
    Once(Rc<RefCell<Vec<Vec<u8>>>>),
}

/// A challenge that waits for a TOTP code.
pub(crate) struct TotpAttempt {
    pub(crate) challenge: String,
    pub(crate) secret: TotpSecret,
    /// How far ahead of the present step the code is; the server takes one step ahead.
    pub(crate) ahead: Duration,
}

impl Source {
    /// The next request, in place of what `request` holds; `false` when there is none.
    pub(crate) fn next(&mut self, request: &mut Vec<u8>) -> bool {
        match self {
            Self::SignUps { tag, next } => {
                let email = format!("new-{tag}-{next}@example.com");
                *next += 1;
                let body = json!({"name": "New", "email": email, "password": PASSWORD});
                *request = post("sign-up/email", Sender::Nobody, &body);
            }
            Self::Cycle { requests, next } => {
                request.clear();
                request.extend_from_slice(&requests[*next]);
                *next = (*next + 1) % requests.len();
            }
            Self::TrustedDevices { devices, next } => {
                let (email, cookie) = &devices[*next];
                let body = json!({"email": email, "password": PASSWORD});
                *request = post("sign-in/email", Sender::TrustedDevice(cookie), &body);
            }
            Self::Sessions { tokens, next, operation, body } => {
                *request = post(operation, Sender::Bearer(&tokens[*next]), body);
            }
            Self::TotpCodes(waiting) => {
                let Some(attempt) = waiting.borrow_mut().pop() else { return false };
                let body = json!({"code": attempt.secret.code_at(clock::now() + attempt.ahead)});
                *request = post("two-factor/verify-totp", Sender::Bearer(&attempt.challenge), &body);
            }
            Self::Once(waiting) => {
                let Some(next) = waiting.borrow_mut().pop() else { return false };
                *request = next;
            }
        }
        true
    }

    /// Whether a response with status 200 is the one that was asked for; takes from it what the next request needs.
    pub(crate) fn accept(&mut self, response: &Response<'_>) -> bool {
        match self {
            Self::TrustedDevices { devices, next } => {
                let renewed = response.cookie(TRUST_COOKIE).map(str::to_owned);
                let is_trusted = renewed.is_some();
                if let Some(cookie) = renewed {
                    devices[*next].1 = cookie;
                }
                *next = (*next + 1) % devices.len();
                is_trusted
            }
            Self::Sessions { tokens, next, .. } => {
                if let Some(token) = response.header("set-auth-token").next() {
                    token.clone_into(&mut tokens[*next]);
                }
                *next = (*next + 1) % tokens.len();
                true
            }
            _ => response.has_session(),
        }
    }
}
