//! Locks and limits of an account, for administrators.

use super::{Caller, FlowError, Flows};
use countersign_domain::audit::EventKind;
use countersign_domain::ids::AccountId;
use countersign_domain::limits::AccountLimits;
use countersign_store::work::LiftLimits;

impl Flows {
    /// What is counted against an account now; `None` if it is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_limits(&self, account_id: AccountId) -> Result<Option<AccountLimits>, FlowError> {
        let stored = self.store().account_limits(account_id).await?;
        Ok(stored.map(|stored| stored.at(self.policy(), self.now())))
    }

    /// Lifts all locks and limits of an account; says whether it is there.
    ///
    /// # Errors
    /// When the database fails; then nothing has changed.
    pub async fn lift_limits(&self, caller: &Caller, account_id: AccountId) -> Result<bool, FlowError> {
        let event = self.audit(caller, self.now()).about(account_id).event(EventKind::AccountUnlocked);
        Ok(self.store().lift_limits(LiftLimits { account_id, event }).await?)
    }
}
