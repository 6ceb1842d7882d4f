//! Inputs and outcomes of the store's units of work.
//!
//! The types are not part of `queries`, because that module is compiled once for each database.

mod accounts;
mod administration;
mod attempts;
mod audit;
mod audit_chain;
mod codes;
mod housekeeping;
mod key_rotation;
mod keyring;
mod limits;
mod mailed_links;
mod messages;
mod methods;
mod passkeys;
mod refresh_tokens;
mod registrations;
mod restore;
mod sessions;
mod sign_in;
mod tickets;
mod trusted_devices;
mod usernames;
mod users;
mod webhooks;

pub use accounts::*;
pub use administration::*;
pub use attempts::*;
pub use audit::*;
pub use audit_chain::*;
pub use codes::*;
use countersign_domain::audit::EventKind;
pub use housekeeping::*;
pub use key_rotation::*;
pub use keyring::*;
pub use limits::*;
pub use mailed_links::*;
pub use messages::*;
pub use methods::*;
pub use passkeys::*;
pub use refresh_tokens::*;
pub use registrations::*;
pub use restore::*;
pub use sessions::*;
pub use sign_in::*;
pub use tickets::*;
pub use trusted_devices::*;
pub use usernames::*;
pub use users::*;
pub use webhooks::*;

/// How a unit of work ends its transaction.
#[derive(Debug)]
pub enum TxOutcome<T> {
    Commit(T),
    Rollback(T),
}

/// What is noted of an audit event that was written: its kind, and the name of the dialect.
pub(crate) type Written = (EventKind, &'static str);

impl<T> TxOutcome<T> {
    /// The same end, with another value.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> TxOutcome<U> {
        match self {
            Self::Commit(value) => TxOutcome::Commit(change(value)),
            Self::Rollback(value) => TxOutcome::Rollback(change(value)),
        }
    }

    /// The value with the events that take effect together with it.
    pub(crate) fn with_events(self, events: Vec<Written>) -> TxOutcome<(T, Vec<Written>)> {
        match self {
            Self::Commit(value) => TxOutcome::Commit((value, events)),
            Self::Rollback(value) => TxOutcome::Rollback((value, Vec::new())),
        }
    }
}
