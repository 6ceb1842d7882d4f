//! Switching the second factor off.

use super::enrolment::Forbidden;
use super::{Authenticated, Caller, FlowError, Flows};
use countersign_domain::audit::EventKind;
use countersign_store::work::{Changed, DisableTwoFactor};

impl Flows {
    /// Removes every second factor of the account, all trust in devices and all open challenges, and opens a new
    /// session in the place of this one.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then nothing has changed.
    pub async fn disable_two_factor(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        password: &str,
    ) -> Result<Result<Authenticated, Forbidden>, FlowError> {
        let Authenticated { session: old, account, .. } = authenticated;
        if let Err(forbidden) = self.may_manage_factors(caller, authenticated, password).await? {
            return Ok(Err(forbidden));
        }
        let now = self.now();
        let mut account = account.clone();
        let (session, token) = self.new_session(caller, &account, old.is_remembered, None, now);
        let disable = DisableTwoFactor {
            account_id: account.id,
            credentials_version: account.credentials_version,
            session_id: old.id,
            session: session.clone(),
            now,
            event: caller.event_in(EventKind::TwoFactorDisabled, old, now),
        };
        if self.store.disable_two_factor(disable).await? != Changed::Done {
            return Ok(Err(Forbidden::Stale));
        }
        (account.two_factor_enabled, account.updated_at) = (false, now);
        Ok(Ok(Authenticated { session: session.session, account, token }))
    }
}
