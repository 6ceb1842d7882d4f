//! Replacing backup codes.

use super::enrolment::Forbidden;
use super::{Authenticated, Caller, FlowError, Flows};
use countersign_domain::audit::EventKind;
use countersign_domain::backup_code::{Alphabet, BackupCode};
use countersign_store::work::{Changed, ReplaceBackupCodes};

impl Flows {
    /// Makes a new set of backup codes; the old ones are dead from then on.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then the old codes are still good.
    pub async fn replace_backup_codes(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        password: &str,
    ) -> Result<Result<Vec<BackupCode>, Forbidden>, FlowError> {
        let Authenticated { session, account, .. } = authenticated;
        if !account.two_factor_enabled {
            return Ok(Err(Forbidden::NotEnrolled));
        }
        if let Err(forbidden) = self.may_manage_factors(caller, authenticated, password).await? {
            return Ok(Err(forbidden));
        }
        let (backup_codes, stored) = self.make_backup_codes(account.id, Alphabet::Mixed).await?;
        let now = self.now();
        let replace = ReplaceBackupCodes {
            account_id: account.id,
            credentials_version: account.credentials_version,
            backup_codes: stored,
            now,
            event: caller.event_in(EventKind::BackupCodesReplaced, session, now),
        };
        Ok(match self.store.replace_backup_codes(replace).await? {
            Changed::Done => Ok(backup_codes),
            Changed::Stale | Changed::NoTicket => Err(Forbidden::Stale),
        })
    }
}
