//! Listing, renaming and removing passkeys.

use crate::{Caller, FlowError, Flows, FullSession};
use countersign_domain::decisions::passkey_management::PasskeysRefused;
use countersign_domain::ids::AccountId;
use countersign_domain::passkey::Passkey;

/// Why a passkey is not removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyNotRemoved {
    /// The account has none with this id.
    NoPasskey,
    Refused(PasskeysRefused),
}

impl Flows {
    /// The passkeys of an account, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passkeys(&self, _account_id: AccountId) -> Result<Vec<Passkey>, FlowError> {
        todo!()
    }

    /// Removes a passkey of the session's account. `id` is the one of the passkey, as presented.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_passkey(
        &self,
        _caller: &Caller,
        _session: &FullSession,
        _id: &str,
    ) -> Result<Result<(), PasskeyNotRemoved>, FlowError> {
        todo!()
    }

    /// Sets the label of a passkey of the session's account; `None` if the account has none with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rename_passkey(
        &self,
        _caller: &Caller,
        _session: &FullSession,
        _id: &str,
        _name: &str,
    ) -> Result<Option<Passkey>, FlowError> {
        todo!()
    }
}
