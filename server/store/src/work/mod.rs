//! Inputs and outcomes of the store's units of work.
//!
//! The types are not part of `queries`, because that module is compiled once for each database.

mod accounts;
mod attempts;
mod codes;
mod housekeeping;
mod keyring;
mod limits;
mod methods;
mod refresh_tokens;
mod sessions;
mod sign_in;
mod tickets;
mod usernames;

pub use accounts::*;
pub use attempts::*;
pub use codes::*;
pub use housekeeping::*;
pub use keyring::*;
pub use limits::*;
pub use methods::*;
pub use refresh_tokens::*;
pub use sessions::*;
pub use sign_in::*;
pub use tickets::*;
pub use usernames::*;

/// How a unit of work ends its transaction.
#[derive(Debug)]
pub enum TxOutcome<T> {
    Commit(T),
    Rollback(T),
}
