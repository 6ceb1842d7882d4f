//! What the server notes about its own work, for metrics and traces.
//!
//! Each number is taken where the thing is decided or committed, in the code that all dialects share, and handed to an
//! [`Observer`]. Observing never fails, never waits, and changes nothing.

use crate::audit::EventKind;
use crate::challenge::Factor;
use crate::message::Channel;
use std::fmt::Debug;
use std::time::Duration;

/// The value of a label: one of a few names that never change.
pub trait Label: Copy {
    fn label(self) -> &'static str;
}

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $label:literal,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub enum $name {
                $($(#[$variant_doc])* $variant,)*
            }

            impl $name {
                pub const ALL: &[Self] = &[$(Self::$variant),*];
            }

            impl Label for $name {
                fn label(self) -> &'static str {
                    match self { $(Self::$variant => $label),* }
                }
            }
        )*
    };
}

labels! {
    /// What proved who signs in.
    FirstProof {
        Password = "password",
        /// What changing a password gave in its place.
        OneTimePassword = "one_time_password",
        VerificationLink = "verification_link",
        Passwordless = "passwordless",
        Passkey = "passkey",
    }

    /// How a sign-in ended, as far as its first factor goes.
    SignInResult {
        Granted = "granted",
        SecondFactorDue = "second_factor_due",
        EnrolmentDue = "enrolment_due",
        PasswordChangeDue = "password_change_due",
        VerificationDue = "verification_due",
        /// The account is deactivated or suspended.
        Unusable = "unusable",
        Rejected = "rejected",
        /// A quota of wrong passwords is used up.
        TooMany = "too_many",
        /// The server could not do its work.
        Error = "error",
    }

    /// How an attempt at a second factor ended.
    SecondFactorResult {
        Success = "success",
        Wrong = "wrong",
        /// A code that was used before.
        Replayed = "replayed",
        /// The account is locked.
        Locked = "locked",
        /// The challenge or the session is unknown, or has ended.
        NoChallenge = "no_challenge",
        /// The challenge, or the code that was sent, has no tries left.
        Exhausted = "exhausted",
        /// The tenant does not allow the factor, the account does not have it, or no code was sent.
        NotPossible = "not_possible",
        /// The server could not judge the code, or not make a right one count; the attempt was given back.
        NotJudged = "not_judged",
        Error = "error",
    }

    /// A quota that was used up.
    Quota {
        /// Wrong passwords.
        Passwords = "passwords",
        /// One-time codes that are sent.
        Codes = "codes",
        /// Mailed links, and ids of such links.
        Links = "links",
        /// Wrong codes for addresses that are to become methods.
        NewMethods = "new_methods",
    }

    /// What a password is hashed for; each kind has a queue of its own.
    HashLane {
        /// A request with a valid signature of ours: a session, a device that is trusted, a challenge.
        Known = "known",
        /// A sign-in, or another request of somebody unknown.
        Unknown = "unknown",
        /// A new account.
        NewAccount = "new_account",
    }

    /// How an attempt to deliver a message ended.
    DeliveryResult {
        Delivered = "delivered",
        /// It is tried again.
        Failed = "failed",
        /// The other side will never take it.
        Refused = "refused",
        /// It was of no use any more.
        Dead = "dead",
    }

    /// How a call of the store ended.
    StoreResult {
        Done = "done",
        /// The database is not available, or was too busy.
        Unavailable = "unavailable",
        Error = "error",
    }

    /// Why the edge responded in place of a handler.
    RefusalReason {
        NotFound = "not_found",
        InvalidBody = "invalid_body",
        UnsupportedMediaType = "unsupported_media_type",
        BodyTooLarge = "body_too_large",
        RateLimit = "rate_limit",
        InFlight = "in_flight",
        Timeout = "timeout",
        Origin = "origin",
        Defect = "defect",
    }
}

impl Label for Channel {
    fn label(self) -> &'static str {
        self.name()
    }
}

/// The label of a factor; an attempt that was judged wrong may be one at any.
#[must_use]
pub fn factor_label(factor: Option<Factor>) -> &'static str {
    match factor {
        Some(Factor::Totp) => "totp",
        Some(Factor::OneTimeCode) => "one_time_code",
        Some(Factor::BackupCode) => "backup_code",
        Some(Factor::Passkey) => "passkey",
        None => "unknown",
    }
}

/// A request that was responded to.
#[derive(Clone, Copy, Debug)]
pub struct Served<'a> {
    /// Name of the dialect; `none` for paths of no dialect.
    pub dialect: &'static str,
    /// The operation's id in the contract; `None` if there is no such operation.
    pub operation: Option<&'a str>,
    pub status: u16,
    pub took: Duration,
}

/// Takes what the server notes. Every function has a default that takes nothing.
#[expect(unused_variables, reason = "the names say what the arguments are")]
pub trait Observer: Debug + Send + Sync {
    /// Time since some fixed instant, on a clock that never goes back.
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn request_served(&self, served: Served<'_>) {}

    fn request_refused(&self, dialect: &'static str, reason: RefusalReason) {}

    /// A sign-in has ended, as far as its first factor goes.
    fn sign_in_ended(&self, proof: FirstProof, result: SignInResult, dialect: &'static str) {}

    /// An attempt at a second factor has ended. `factor` is `None` where the caller need not say which it is.
    fn second_factor_ended(&self, factor: Option<Factor>, result: SecondFactorResult, dialect: &'static str) {}

    fn quota_exceeded(&self, quota: Quota, dialect: &'static str) {}

    /// An event of the audit trail was committed.
    fn event_committed(&self, kind: EventKind, dialect: &'static str) {}

    /// A password came to its turn after this time in the queue.
    fn hash_waited(&self, lane: HashLane, waited: Duration) {}

    /// A password, or codes, were hashed.
    fn hashed(&self, took: Duration) {}

    /// A request was refused because too many passwords wait to be hashed.
    fn hash_shed(&self, lane: HashLane) {}

    /// An attempt to deliver a message has ended.
    fn delivery_ended(&self, channel: Channel, result: DeliveryResult, took: Duration) {}

    /// An attempt to send an event to a receiver of webhooks has ended.
    fn webhook_event_ended(&self, receiver: &str, result: DeliveryResult, took: Duration) {}

    /// A call of the store has ended, waits and retries included.
    fn store_called(&self, call: &'static str, took: Duration, result: StoreResult) {}
}

/// Takes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Unobserved;

impl Observer for Unobserved {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn assert_distinct<L: Label>(all: &[L]) {
        let labels: BTreeSet<_> = all.iter().map(|label| label.label()).collect();
        assert_eq!(labels.len(), all.len(), "{labels:?}");
        let is_plain = |label: &&str| label.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
        assert!(labels.iter().all(is_plain), "{labels:?}");
    }

    #[test]
    fn labels_are_distinct() {
        assert_distinct(FirstProof::ALL);
        assert_distinct(SignInResult::ALL);
        assert_distinct(SecondFactorResult::ALL);
        assert_distinct(Quota::ALL);
        assert_distinct(HashLane::ALL);
        assert_distinct(DeliveryResult::ALL);
        assert_distinct(StoreResult::ALL);
        assert_distinct(RefusalReason::ALL);
    }
}
