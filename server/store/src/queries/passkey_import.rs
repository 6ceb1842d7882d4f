//! Passkeys that were registered elsewhere.

use super::locking::lock;
use super::passkeys::{insert, passkey, passkeys_of};
use super::{Conn, TxResult, audit, endings, methods};
use crate::error::StoreError;
use crate::work::{ImportPasskeys, ImportedPasskey, NotImported, PasskeysImported, TxOutcome};
use countersign_domain::account::Account;
use countersign_domain::assurance::Manager;
use countersign_domain::decisions::passkey_management::{self, Facts};
use countersign_domain::passkey::Passkey;

/// Stores all of them or none. Accounts are locked in the order of their ids, so that two imports do not wait for each other.
pub(crate) async fn import_passkeys(connection: &mut Conn, import: &ImportPasskeys) -> TxResult<PasskeysImported> {
    let mut passkeys: Vec<(usize, &ImportedPasskey)> = import.passkeys.iter().enumerate().collect();
    passkeys.sort_by_key(|(_, imported)| imported.passkey.account_id.to_text());
    for of_account in passkeys.chunk_by(|(_, left), (_, right)| left.passkey.account_id == right.passkey.account_id) {
        let Some((number, first)) = of_account.first() else { continue };
        let account = lock(connection, first.passkey.account_id).await?;
        let is_meant = |account: &Account| import.tenant_id.is_none_or(|tenant_id| tenant_id == account.tenant_id);
        let Some(account) = account.filter(is_meant) else {
            return Ok(TxOutcome::Rollback(PasskeysImported::Refused(*number, NotImported::NoAccount)));
        };
        for (number, imported) in of_account {
            if let Err(why) = add(connection, &account, imported, import).await? {
                return Ok(TxOutcome::Rollback(PasskeysImported::Refused(*number, why)));
            }
        }
    }
    Ok(TxOutcome::Commit(PasskeysImported::Imported))
}

async fn add(
    connection: &mut Conn,
    account: &Account,
    imported: &ImportedPasskey,
    import: &ImportPasskeys,
) -> Result<Result<(), NotImported>, StoreError> {
    let known = passkeys_of(connection, &account.id).await?.len();
    let facts = Facts { account, tenant: import.rules.tenant_of(account), manager: &Manager::Service, passkeys: known };
    let decision = passkey_management::decide_addition(&facts, &import.rules.policy, imported.audit.at);
    let (Some(ends), Some(kind)) = (decision.ends(), decision.event()) else {
        return Ok(Err(NotImported::Refused(decision)));
    };
    // Methods and passkeys are named by ids of one kind.
    if methods::has_id(connection, imported.passkey.id).await? {
        return Ok(Err(NotImported::IdTaken));
    }
    let handle = methods::free_handle(connection, account.id, &imported.handles).await?;
    let new = Passkey { handle, ..imported.passkey.clone() };
    if !insert(connection, &new, None).await? {
        let has_id = passkey(connection, &new.id).await?.is_some();
        return Ok(Err(if has_id { NotImported::IdTaken } else { NotImported::CredentialTaken }));
    }
    endings::carry_out(connection, account.id, ends, None).await?;
    audit::write(connection, &imported.audit.event(kind)).await?;
    Ok(Ok(()))
}
