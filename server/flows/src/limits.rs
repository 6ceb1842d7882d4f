//! Locks and limits of an account, for administrators.

use super::{Caller, FlowError, Flows};
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::lifting::Lifting;
pub use countersign_domain::decisions::suspension::Request;
use countersign_domain::decisions::suspension::Suspend;
use countersign_domain::ids::AccountId;
use countersign_domain::limits::{AccountLimits, Suspension};
use countersign_domain::time::Timestamp;
use countersign_store::work::{LiftLimits, SuspendAccount};

/// A lock that a service wants.
#[derive(Clone, Debug)]
pub struct WantedLock {
    pub until: Timestamp,
    /// The user on whose behalf the service acts.
    pub by: Option<AccountId>,
    pub comment: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locked {
    Done(Suspension),
    /// The lock would have ended before.
    InThePast,
    /// There is no lock by a service that could be changed.
    NotSuspended,
    NoAccount,
}

impl Flows {
    /// Locks an account until some time, or changes when the lock by a service ends.
    ///
    /// # Errors
    /// When the database fails; then nothing has changed.
    pub async fn lock_account(
        &self,
        caller: &Caller,
        account_id: AccountId,
        request: Request,
        wanted: WantedLock,
    ) -> Result<Locked, FlowError> {
        let now = self.now();
        let WantedLock { until, by, comment } = wanted;
        let suspension = Suspension { until, since: now, by, comment };
        let audit = self.audit(caller, now).about(account_id);
        let suspend = SuspendAccount { account_id, request, suspension: suspension.clone(), audit };
        Ok(match self.store().suspend_account(suspend).await? {
            Some(Suspend::Allowed { .. }) => {
                self.log_lock(caller, account_id, "locked an account at the request of a service");
                Locked::Done(suspension)
            }
            Some(Suspend::InThePast) => Locked::InThePast,
            Some(Suspend::NotSuspended) => Locked::NotSuspended,
            None => Locked::NoAccount,
        })
    }

    /// What is counted against an account now; `None` if it is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_limits(&self, account_id: AccountId) -> Result<Option<AccountLimits>, FlowError> {
        let stored = self.store().account_limits(account_id).await?;
        Ok(stored.map(|stored| stored.at(self.policy(), self.now())))
    }

    /// Lifts all locks and limits of an account; says whether it is there. Where nothing counts against it, nothing is recorded.
    ///
    /// # Errors
    /// When the database fails; then nothing has changed.
    pub async fn lift_limits(&self, caller: &Caller, account_id: AccountId) -> Result<bool, FlowError> {
        let event = self.audit(caller, self.now()).about(account_id).event(EventKind::AccountUnlocked);
        let lifted = self.store().lift_limits(LiftLimits { account_id, event }).await?;
        if lifted == Some(Lifting::Lifted) {
            self.log_lock(caller, account_id, "unlocked an account");
        }
        Ok(lifted.is_some())
    }

    /// A line for operators, who look for it when a user calls.
    pub(super) fn log_lock(&self, caller: &Caller, account_id: AccountId, message: &'static str) {
        slog::info!(
            self.services.log, "{}", message;
            "account" => account_id.to_hyphenated(),
            "dialect" => caller.dialect,
            "client" => %caller.ip,
            "actor" => caller.actor.kind(),
            "api_key" => caller.actor.api_key_id().map(|id| id.to_hyphenated()),
            "operator" => caller.actor.operator().map(ToString::to_string),
            "request_id" => caller.request.request_id.as_deref(),
        );
    }
}
