//! What callers hand in and get back: one struct for each unit of work, one enum for each way it can end.

mod accounts;
mod api_keys;
mod attempts;
mod codes;
mod housekeeping;
mod methods;
mod refresh_tokens;
mod sessions;
mod sign_in;
mod tickets;
mod trusted_devices;

pub use accounts::*;
pub use api_keys::*;
pub use attempts::*;
pub use codes::*;
pub use housekeeping::*;
pub use methods::*;
pub use refresh_tokens::*;
pub use sessions::*;
pub use sign_in::*;
pub use tickets::*;
pub use trusted_devices::*;

/// How a unit of work ends its transaction.
#[derive(Debug)]
pub enum Unit<T> {
    /// Everything it did stays.
    Commit(T),
    /// It decided otherwise after all: nothing it did stays.
    Rollback(T),
}
