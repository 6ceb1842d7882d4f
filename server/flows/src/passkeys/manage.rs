//! Listing, renaming and removing passkeys.

use super::PasskeyManager;
use crate::{Caller, FlowError, Flows, FullSession};
use countersign_domain::account::Account;
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::passkey_management::{PasskeysRefused, RemovePasskey as Decision};
use countersign_domain::ids::{AccountId, MethodId, TenantId};
use countersign_domain::passkey::Passkey;
use countersign_store::work::{PasskeysRemoved, RemovePasskeys, RenamePasskey};
pub use countersign_store::work::WhichPasskeys;

/// Why a passkey is not removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyNotRemoved {
    /// The account has no such passkey.
    NoPasskey,
    Refused(PasskeysRefused),
}

impl Flows {
    /// The passkeys of an account, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passkeys(&self, account_id: AccountId) -> Result<Vec<Passkey>, FlowError> {
        Ok(self.store().passkeys_of(account_id).await?)
    }

    /// A passkey, and its account if it is one of this tenant. `id` is as presented.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn passkey(
        &self,
        id: &str,
        tenant_id: Option<TenantId>,
    ) -> Result<Option<(Passkey, Account)>, FlowError> {
        let Some(id) = MethodId::parse(id) else { return Ok(None) };
        let found = self.store().passkey(id).await?;
        Ok(found.filter(|(_, account)| tenant_id.is_none_or(|tenant_id| tenant_id == account.tenant_id)))
    }

    /// Removes a passkey of an account. `id` is as presented.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_passkey(
        &self,
        caller: &Caller,
        manager: PasskeyManager<'_>,
        id: &str,
    ) -> Result<Result<(), PasskeyNotRemoved>, FlowError> {
        match MethodId::parse(id) {
            Some(id) => self.remove_passkeys(caller, manager, WhichPasskeys::One(id)).await,
            None => Ok(Err(PasskeyNotRemoved::NoPasskey)),
        }
    }

    /// Removes passkeys of an account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_passkeys(
        &self,
        caller: &Caller,
        manager: PasskeyManager<'_>,
        which: WhichPasskeys,
    ) -> Result<Result<(), PasskeyNotRemoved>, FlowError> {
        let remove = RemovePasskeys {
            account_id: manager.account().id,
            which,
            manager: manager.assurance(),
            rules: self.rules(),
            audit: self.passkey_audit(caller, manager),
        };
        Ok(match self.store().remove_passkeys(remove).await? {
            PasskeysRemoved::Decided(Decision::Remove | Decision::RemoveAndSwitchOff) => Ok(()),
            PasskeysRemoved::Decided(Decision::Refused(refused)) => Err(PasskeyNotRemoved::Refused(refused)),
            PasskeysRemoved::Decided(Decision::NoPasskey) | PasskeysRemoved::Gone => Err(PasskeyNotRemoved::NoPasskey),
        })
    }

    /// Sets the label of a passkey of the session's account; `None` if the account has none with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rename_passkey(
        &self,
        caller: &Caller,
        session: &FullSession,
        id: &str,
        name: &str,
    ) -> Result<Option<Passkey>, FlowError> {
        let Some(id) = MethodId::parse(id) else { return Ok(None) };
        let event = self.passkey_audit(caller, PasskeyManager::Owner(session)).event(EventKind::PasskeyRenamed);
        let rename = RenamePasskey { account_id: session.account.id, id, name: name.to_owned(), event };
        Ok(self.store().rename_passkey(rename).await?)
    }
}
