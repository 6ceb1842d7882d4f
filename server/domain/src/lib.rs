//! The rules of two-factor authentication as types and pure decisions.
//!
//! Nothing here knows of HTTP, a database or an async runtime. Time and randomness are arguments, so every rule can be
//! tested at any instant. What to do is decided in [`decisions`]; the store carries it out, in one transaction.
//!
//! | module | contents |
//! |---|---|
//! | [`decisions`] | one file per decision: facts, terms and the time to an enum |
//! | [`terms`], [`tenant`], [`policy`] | what a dialect may choose; what an operator demands; the numbers |
//! | [`account`], [`user`], [`password`], [`assurance`] | accounts, users, password hashing, how strongly a caller has authenticated |
//! | [`method`], [`address`], [`totp`], [`stored_secret`], [`secret_fingerprint`], [`one_time_code`], [`backup_code`], [`attempt`] | second factors and attempts at them |
//! | [`passkey`] | public keys of authenticators, the ceremonies in which browsers use them, and the verifier |
//! | [`challenge`], [`session`], [`trusted_device`], [`device`] | what an authentication leaves behind, and how a user knows a device |
//! | [`secret`], [`keyring`], [`signing`], [`jwt`], [`api_key`] | bearer secrets, keys, access tokens, keys of services |
//! | [`rate`], [`quota`], [`limits`], [`guess`], [`presentation`] | limits that refill with time, stored counts, what is counted against an account, and what is the same guess |
//! | [`audit`], [`audit_chain`], [`actor`], [`message`], [`language`] | audit events, how they are chained, and who causes them, messages to users and their languages |
//! | [`backup`] | the head of a backup file, and what shows that nothing of the file was altered |
//! | [`time`], [`ids`], [`random`], [`network`] | instants, typed identifiers, unbiased random text, client networks |

pub mod account;
pub mod actor;
pub mod address;
pub mod api_key;
pub mod assurance;
pub mod attempt;
pub mod audit;
pub mod audit_chain;
pub mod backup;
pub mod backup_code;
pub mod challenge;
pub mod decisions;
pub mod device;
pub mod guess;
mod guessing;
pub mod ids;
pub mod jwt;
pub mod key_use;
pub mod keyring;
pub mod language;
pub mod limits;
pub mod link_template;
pub mod message;
pub mod method;
pub mod network;
pub mod observer;
pub mod one_time_code;
pub mod passkey;
pub mod password;
pub mod policy;
pub mod presentation;
pub mod presented_code;
pub mod quota;
pub mod random;
pub mod rate;
pub mod secret;
pub mod secret_fingerprint;
pub mod session;
pub mod signing;
pub mod stored_secret;
pub mod tenant;
pub mod terms;
pub mod time;
pub mod totp;
pub mod trusted_device;
pub mod user;
pub mod user_search;
mod username;
pub mod webhook;
pub mod webhook_event;

/// An error and its causes on one line, for logs.
#[must_use]
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
