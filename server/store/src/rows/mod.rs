//! Rows of the tables, and conversions from and to the types of `countersign_domain`.

mod accounts;
mod api_keys;
mod audit;
mod challenges;
mod messages;
mod methods;
mod passkeys;
mod refresh_tokens;
mod sessions;
mod tickets;
mod trusted_devices;
mod webhooks;

use crate::error::StoreError;

pub(crate) use accounts::*;
pub(crate) use api_keys::*;
pub(crate) use audit::*;
pub(crate) use challenges::*;
pub(crate) use messages::*;
pub(crate) use methods::*;
pub(crate) use passkeys::*;
pub(crate) use refresh_tokens::*;
pub(crate) use sessions::*;
pub(crate) use tickets::*;
pub(crate) use trusted_devices::*;
pub(crate) use webhooks::*;

pub(crate) fn corrupt(table: &'static str, what: &'static str) -> StoreError {
    StoreError::Corrupt { table, what }
}
