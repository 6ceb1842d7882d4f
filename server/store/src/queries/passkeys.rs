//! Passkeys: read, stored, used and removed.

use super::locking::{lock, lock_at};
use super::users::methods_if;
use super::{Conn, RunQueryDsl, TxResult, audit, ceremonies, endings, methods};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AccountRow, PasskeyRow};
use crate::schema::{accounts, passkeys};
use crate::work::{
    AddPasskey, ConfirmPasskey, PasskeyAdded, PasskeyConfirmed, PasskeysRemoved, RemovePasskeys, RenamePasskey,
    TxOutcome, UsedPasskey, WhichPasskeys,
};
use countersign_domain::account::Account;
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::passkey_management::{self, Facts, RemovePasskey as Decision};
use countersign_domain::decisions::passkey_use::{self, PasskeyUse};
use countersign_domain::decisions::usable::{passkeys_as_methods, usable_methods};
use countersign_domain::ids::{AccountId, MethodId};
use countersign_domain::passkey::verifier::Asserted;
use countersign_domain::passkey::{CredentialId, Passkey};
use countersign_domain::time::Timestamp;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// The passkeys of an account, the oldest first.
pub(crate) async fn passkeys_of(connection: &mut Conn, account_id: &AccountId) -> Result<Vec<Passkey>, StoreError> {
    let rows: Vec<PasskeyRow> = passkeys::table
        .filter(passkeys::account_id.eq(account_id.to_text()))
        .order((passkeys::created_at, passkeys::id))
        .select(PasskeyRow::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Passkey::try_from).collect()
}

/// A passkey, and its account.
pub(crate) async fn passkey(connection: &mut Conn, id: &MethodId) -> Result<Option<(Passkey, Account)>, StoreError> {
    let found: Option<(PasskeyRow, AccountRow)> = passkeys::table
        .inner_join(accounts::table)
        .filter(passkeys::id.eq(id.to_text()))
        .select((PasskeyRow::as_select(), AccountRow::as_select()))
        .get_result(connection)
        .await
        .optional()?;
    found.map(|(row, account)| Ok((row.try_into()?, Account::try_from(account)?))).transpose()
}

/// The passkey of an account with a credential id.
pub(super) async fn by_credential(
    connection: &mut Conn,
    account_id: AccountId,
    id: &CredentialId,
) -> Result<Option<Passkey>, StoreError> {
    let mine = passkeys::account_id.eq(account_id.to_text()).and(passkeys::credential_id.eq(id.as_bytes()));
    let row: Option<PasskeyRow> =
        passkeys::table.filter(mine).select(PasskeyRow::as_select()).get_result(connection).await.optional()?;
    row.map(Passkey::try_from).transpose()
}

/// The passkeys of an account; none, and without a query, unless `wanted`.
pub(super) async fn passkeys_if(
    connection: &mut Conn,
    wanted: bool,
    account_id: AccountId,
) -> Result<Vec<Passkey>, StoreError> {
    if wanted { passkeys_of(connection, &account_id).await } else { Ok(Vec::new()) }
}

/// Spends a ceremony and decides whether the passkey's assertion counts, within the open transaction, which has locked the account. If
/// it counts, its counter is stored, else the refusal is recorded. `None` if the ceremony was spent, or the passkey is gone.
pub(super) async fn use_assertion(
    connection: &mut Conn,
    used: &UsedPasskey,
    account_id: AccountId,
    now: Timestamp,
) -> Result<Option<PasskeyUse>, StoreError> {
    let (ceremony, passkey) =
        pipeline!(connection; ceremonies::take(&used.ceremony, now), passkey_of(account_id, used.id));
    let (Some(ceremony), Some(passkey)) = (ceremony, passkey) else { return Ok(None) };
    let user_handle = used.user_handle.as_deref();
    let facts = passkey_use::Facts { passkey: &passkey, ceremony: &ceremony, asserted: used.asserted, user_handle };
    let decision = passkey_use::decide(&facts);
    match decision.event() {
        Some(kind) => audit::write(connection, &used.refusal_audit.event(kind)).await?,
        None => note_use(connection, passkey.id, used.asserted, now).await?,
    }
    Ok(Some(decision))
}

/// Notes the use of a passkey that opens nothing, if it counts.
pub(crate) async fn confirm_passkey(connection: &mut Conn, confirm: &ConfirmPasskey) -> TxResult<PasskeyConfirmed> {
    let ConfirmPasskey { account_id, passkey: used, audit } = confirm;
    let stale = TxOutcome::Rollback(PasskeyConfirmed::Stale);
    let Some(account) = lock(connection, *account_id).await? else { return Ok(stale) };
    if let Some(why) = account.unusable(audit.at) {
        // A ceremony is good for one response, whatever comes of it.
        let is_spent = ceremonies::take(connection, &used.ceremony, audit.at).await?.is_some();
        return Ok(if is_spent { TxOutcome::Commit(PasskeyConfirmed::Unusable(why)) } else { stale });
    }
    match use_assertion(connection, used, account.id, audit.at).await? {
        None => Ok(stale),
        Some(PasskeyUse::Counts { .. }) => {
            let Some(passkey) = passkey_of(connection, account.id, used.id).await? else { return Ok(stale) };
            let confirmed = PasskeyConfirmed::Confirmed(Box::new(passkey));
            audit::write_and_commit(connection, &audit.event(EventKind::PasskeyConfirmed), confirmed).await
        }
        Some(refused) => Ok(TxOutcome::Commit(PasskeyConfirmed::Refused(refused))),
    }
}

/// Stores what a passkey said of itself when it was used. Of the counters of a synced one, the highest is kept.
pub(super) async fn note_use(
    connection: &mut Conn,
    id: MethodId,
    asserted: Asserted,
    now: Timestamp,
) -> Result<(), StoreError> {
    let seen = i64::from(asserted.counter);
    diesel::update(passkeys::table.find(id.to_text()))
        .set((
            passkeys::counter
                .eq(case_when(passkeys::counter.lt(seen), seen.into_sql::<BigInt>()).otherwise(passkeys::counter)),
            passkeys::backup_eligible.eq(asserted.backup.is_eligible),
            passkeys::backed_up.eq(asserted.backup.is_backed_up),
            passkeys::last_used_at.eq(now.as_millis()),
        ))
        .cached()
        .execute(connection)
        .await?;
    Ok(())
}

/// A passkey of an account.
async fn passkey_of(connection: &mut Conn, account_id: AccountId, id: MethodId) -> Result<Option<Passkey>, StoreError> {
    let mine = passkeys::table.find(id.to_text()).filter(passkeys::account_id.eq(account_id.to_text()));
    let row: Option<PasskeyRow> = mine.select(PasskeyRow::as_select()).get_result(connection).await.optional()?;
    row.map(Passkey::try_from).transpose()
}

/// Stores a passkey, if that is allowed.
pub(crate) async fn add_passkey(connection: &mut Conn, add: &AddPasskey) -> TxResult<PasskeyAdded> {
    let now = add.audit.at;
    let Some(account) = lock_at(connection, add.account_id, add.versions).await? else {
        return Ok(TxOutcome::Rollback(PasskeyAdded::Stale));
    };
    if ceremonies::take(connection, &add.ceremony, now).await?.is_none() {
        return Ok(TxOutcome::Rollback(PasskeyAdded::Stale));
    }
    // Where a service has begun it, no session says that the account may be used. The ceremony is spent all the same.
    if account.unusable(now).is_some() {
        return Ok(TxOutcome::Commit(PasskeyAdded::Stale));
    }
    let known = passkeys_of(connection, &account.id).await?;
    let tenant = add.rules.tenant_of(&account);
    let facts = Facts { account: &account, tenant, manager: &add.manager, passkeys: known.len() };
    let decision = passkey_management::decide_addition(&facts, &add.rules.policy, now);
    let (Some(ends), Some(kind)) = (decision.ends(), decision.event()) else {
        // The ceremony is spent all the same.
        return Ok(TxOutcome::Commit(PasskeyAdded::Refused(decision)));
    };
    let handle = methods::free_handle(connection, account.id, &add.handles).await?;
    let passkey = Passkey { handle, ..add.passkey.clone() };
    if !insert(connection, &passkey, add.attestation_object.as_deref()).await? {
        return Ok(TxOutcome::Commit(PasskeyAdded::Taken));
    }
    endings::carry_out(connection, account.id, ends, None).await?;
    audit::write_and_commit(connection, &add.audit.event(kind), PasskeyAdded::Added(Box::new(passkey))).await
}

/// Stores a passkey, within the open transaction; `false` if there is one with its id or its credential id.
pub(super) async fn insert(
    connection: &mut Conn,
    passkey: &Passkey,
    attestation_object: Option<&[u8]>,
) -> Result<bool, StoreError> {
    let row = (PasskeyRow::from(passkey), passkeys::attestation_object.eq(attestation_object));
    let insert = diesel::insert_into(passkeys::table).values(row).on_conflict_do_nothing();
    Ok(insert.execute(connection).await? > 0)
}

/// Removes passkeys, if that is allowed.
pub(crate) async fn remove_passkeys(connection: &mut Conn, remove: &RemovePasskeys) -> TxResult<PasskeysRemoved> {
    let Some(account) = lock(connection, remove.account_id).await? else {
        return Ok(TxOutcome::Rollback(PasskeysRemoved::Gone));
    };
    let (known, mut methods) =
        pipeline!(connection; passkeys_if(true, account.id), methods_if(account.two_factor_enabled, account.id));
    let (tenant, now) = (remove.rules.tenant_of(&account), remove.audit.at);
    methods.extend(passkeys_as_methods(&known, &account, &remove.rules));
    let usable: Vec<MethodId> = usable_methods(methods, &account, tenant).iter().map(|method| method.id).collect();
    let facts = Facts { account: &account, tenant, manager: &remove.manager, passkeys: known.len() };
    let is_meant = |id: &MethodId| match remove.which {
        WhichPasskeys::One(meant) => *id == meant,
        WhichPasskeys::All => true,
    };
    let meant: Vec<MethodId> = known.iter().map(|passkey| passkey.id).filter(is_meant).collect();
    let decision = passkey_management::decide_removal(&facts, &meant, &usable, &remove.rules.policy, now);
    let (Some(ends), Some(kind)) = (decision.ends(), decision.event()) else {
        return Ok(TxOutcome::Rollback(PasskeysRemoved::Decided(decision)));
    };
    let ids = passkeys::id.eq_any(meant.into_iter().map(MethodId::to_text));
    diesel::delete(passkeys::table.filter(ids)).cached().execute(connection).await?;
    let removed = match decision {
        Decision::RemoveAndSwitchOff => methods::switch_off(connection, account.id, now).await?,
        Decision::Remove | Decision::NoPasskey | Decision::Refused(_) => Vec::new(),
    };
    endings::carry_out(connection, account.id, ends, remove.audit.session_id).await?;
    audit::write_removal(connection, &remove.audit.event(kind), &removed).await?;
    Ok(TxOutcome::Commit(PasskeysRemoved::Decided(decision)))
}

/// Removes a passkey, within the open transaction.
pub(super) async fn remove(connection: &mut Conn, id: MethodId) -> Result<(), StoreError> {
    diesel::delete(passkeys::table.find(id.to_text())).execute(connection).await?;
    Ok(())
}

/// Removes all passkeys of an account, within the open transaction; says whether there were any.
pub(super) async fn remove_all(connection: &mut Conn, account_id: AccountId) -> Result<bool, StoreError> {
    let mine = passkeys::table.filter(passkeys::account_id.eq(account_id.to_text()));
    Ok(diesel::delete(mine).execute(connection).await? > 0)
}

/// Gives a passkey a name, and returns it with that; `None` if the account has no such passkey.
pub(crate) async fn rename_passkey(connection: &mut Conn, rename: &RenamePasskey) -> TxResult<Option<Passkey>> {
    let mine = passkeys::account_id.eq(rename.account_id.to_text());
    let row: Option<PasskeyRow> = diesel::update(passkeys::table.find(rename.id.to_text()).filter(mine))
        .set(passkeys::name.eq(rename.name.as_str()))
        .returning(PasskeyRow::as_returning())
        .cached()
        .get_result(connection)
        .await
        .optional()?;
    let Some(row) = row else { return Ok(TxOutcome::Rollback(None)) };
    let passkey = Passkey::try_from(row)?;
    audit::write_and_commit(connection, &rename.event, Some(passkey)).await
}
