//! Backup codes: making a set, and replacing the set of an account.

use super::enrolment::ManagementRefused;
use super::{Caller, FlowError, Flows, FullSession};
use countersign_domain::account::Account;
use countersign_domain::attempt::StoredBackupCode;
use countersign_domain::audit::{AuditContext, EventKind};
use countersign_domain::backup_code::{self, Alphabet, BackupCode};
use countersign_domain::ids::{AccountId, BackupCodeId};
use countersign_domain::terms::Terms;
use countersign_store::work::{Changed, ReplaceBackupCodes};
use std::sync::Arc;

impl Flows {
    /// A new set of backup codes, and what is stored of it.
    pub(super) async fn new_backup_codes(
        &self,
        caller: &Caller,
        account_id: AccountId,
        alphabet: Alphabet,
    ) -> Result<(Vec<BackupCode>, Vec<StoredBackupCode>), FlowError> {
        let (now, keyring, random) = (self.now(), Arc::clone(&self.services.keyring), self.random().clone());
        let groups = self.policy().backup_code_groups;
        let make = move |memory: &mut Vec<_>| {
            random.draw(|random| {
                let codes = backup_code::generate_set(alphabet, groups, random);
                let stored = codes.iter().map(|code| StoredBackupCode {
                    id: BackupCodeId::generate(now, random),
                    selector: code.selectors(account_id, &keyring).swap_remove(0),
                    hash: code.hash(random, memory),
                    is_spent: false,
                });
                let stored = stored.collect();
                (codes, stored)
            })
        };
        Ok(self.admit(caller)?.run(make).await?)
    }

    /// Replaces the backup codes in a session; the old ones are dead from then on.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then the old codes are still valid.
    pub async fn replace_backup_codes(
        &self,
        caller: &Caller,
        session: &FullSession,
        password: &str,
        terms: &Terms,
    ) -> Result<Result<Vec<BackupCode>, ManagementRefused>, FlowError> {
        let account = &session.account;
        if !account.two_factor_enabled {
            return Ok(Err(ManagementRefused::NotEnrolled));
        }
        if let Err(refused) = self.confirm_factor_change(caller, session, password).await? {
            return Ok(Err(refused));
        }
        let audit = self.audit(caller, self.now()).about(account.id).in_session(session.session.id);
        let codes = self.store_new_backup_codes(caller, account, audit, terms).await?;
        Ok(codes.ok_or(ManagementRefused::Stale))
    }

    /// Replaces the backup codes for a service; `None` when the account has no second factor.
    ///
    /// # Errors
    /// When the hashing queue is full or the database fails; then the old codes are still valid.
    pub async fn replace_backup_codes_for_service(
        &self,
        caller: &Caller,
        account: &Account,
        terms: &Terms,
    ) -> Result<Option<Vec<BackupCode>>, FlowError> {
        if !account.two_factor_enabled {
            return Ok(None);
        }
        let audit = self.audit(caller, self.now()).about(account.id);
        self.store_new_backup_codes(caller, account, audit, terms).await
    }

    /// `None` when the credentials have changed since `account` was read, or its second factor is off.
    async fn store_new_backup_codes(
        &self,
        caller: &Caller,
        account: &Account,
        audit: AuditContext,
        terms: &Terms,
    ) -> Result<Option<Vec<BackupCode>>, FlowError> {
        let (codes, stored) = self.new_backup_codes(caller, account.id, terms.backup_codes).await?;
        let replace = ReplaceBackupCodes {
            account_id: account.id,
            versions: account.versions(),
            backup_codes: stored,
            now: audit.at,
            event: audit.event(EventKind::BackupCodesReplaced),
        };
        Ok((self.store().replace_backup_codes(replace).await? == Changed::Done).then_some(codes))
    }
}
