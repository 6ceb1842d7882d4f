//! Listing, renaming and removing passkeys.

use crate::{Caller, FlowError, Flows, FullSession};
use countersign_domain::assurance::{Assurance, Manager};
use countersign_domain::audit::{AuditContext, EventKind};
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::passkey_management::{PasskeysRefused, RemovePasskey as Decision};
use countersign_domain::ids::{AccountId, MethodId};
use countersign_domain::passkey::Passkey;
use countersign_store::work::{PasskeyRemoved, RemovePasskey, RenamePasskey};

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
    pub async fn passkeys(&self, account_id: AccountId) -> Result<Vec<Passkey>, FlowError> {
        Ok(self.store().passkeys_of(account_id).await?)
    }

    /// Removes a passkey of the session's account. `id` is the one of the passkey, as presented.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_passkey(
        &self,
        caller: &Caller,
        session: &FullSession,
        id: &str,
    ) -> Result<Result<(), PasskeyNotRemoved>, FlowError> {
        let Some(id) = MethodId::parse(id) else { return Ok(Err(PasskeyNotRemoved::NoPasskey)) };
        let remove = RemovePasskey {
            account_id: session.account.id,
            id,
            manager: Manager::Owner(Assurance::of_session(&session.session, &session.account)),
            rules: self.rules(),
            audit: self.passkey_audit(caller, session),
        };
        Ok(match self.store().remove_passkey(remove).await? {
            PasskeyRemoved::Decided(Decision::Remove | Decision::RemoveAndSwitchOff) => Ok(()),
            PasskeyRemoved::Decided(Decision::Refused(refused)) => Err(PasskeyNotRemoved::Refused(refused)),
            PasskeyRemoved::Decided(Decision::NoPasskey) | PasskeyRemoved::Gone => Err(PasskeyNotRemoved::NoPasskey),
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
        let event = self.passkey_audit(caller, session).event(EventKind::PasskeyRenamed);
        let rename = RenamePasskey { account_id: session.account.id, id, name: name.to_owned(), event };
        Ok(self.store().rename_passkey(rename).await?)
    }

    /// The audit context of a change to passkeys in a session.
    pub(super) fn passkey_audit(&self, caller: &Caller, session: &FullSession) -> AuditContext {
        let (account_id, session_id) = (session.account.id, session.session.id);
        self.factor_audit(caller, Some(Factor::Passkey), Some(account_id), Some(session_id), self.now())
    }
}
