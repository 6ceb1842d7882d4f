//! Proving, changing and restoring an account's e-mail address by mailed links.

use super::locking::{lock, lock_at};
use super::users::methods_if;
use super::{Conn, RunQueryDsl, TxResult, audit, endings, messages, methods, passkeys, tickets};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::schema::{accounts, former_addresses};
use crate::work::{ChangeAddress, LinkUsed, RestoreAddress, TxOutcome, VerifyAddress};
use countersign_domain::account::{Account, EmailAddress};
use countersign_domain::address::Address;
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::address_change::{self, AddressChange, Move};
use countersign_domain::decisions::endings::Event;
use countersign_domain::decisions::mailed_link::{self, LinkUse, Purpose};
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::terms::Rules;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Whether another account may still get this address back.
pub(super) async fn is_reserved(
    connection: &mut Conn,
    tenant_id: TenantId,
    address: &EmailAddress,
    except: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let others = former_addresses::table
        .inner_join(accounts::table)
        .filter(former_addresses::address.eq(address.as_str()))
        .filter(former_addresses::expires_at.gt(now.as_millis()))
        .filter(former_addresses::account_id.ne(except))
        .filter(accounts::tenant_id.eq(tenant_id.to_text()));
    let count: i64 = others.count().get_result(connection).await?;
    Ok(count > 0)
}

/// Whether another account of the tenant has this address, or may still get it back.
pub(super) async fn is_taken(
    connection: &mut Conn,
    tenant_id: TenantId,
    address: &EmailAddress,
    account_id: AccountId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let except = account_id.to_text();
    let others = accounts::table
        .filter(accounts::tenant_id.eq(tenant_id.to_text()))
        .filter(accounts::email.eq(address.as_str()))
        .filter(accounts::id.ne(&except));
    let count: i64 = others.count().get_result(connection).await?;
    Ok(count > 0 || is_reserved(connection, tenant_id, address, &except, now).await?)
}

/// Why a valid link does nothing; `None` if it may be used.
fn refusal(purpose: Purpose, account: &Account, rules: &Rules, now: Timestamp) -> Option<LinkUsed> {
    match mailed_link::decide_use(purpose, account, &rules.policy, now) {
        LinkUse::Allowed => None,
        LinkUse::SwitchedOff => Some(LinkUsed::Invalid),
        LinkUse::Unusable(why) => Some(LinkUsed::Unusable(why)),
        LinkUse::Locked { until } => Some(LinkUsed::Locked { until }),
    }
}

/// Marks the account's address as proved.
pub(crate) async fn verify_address(connection: &mut Conn, verify: &VerifyAddress) -> TxResult<LinkUsed> {
    let now = verify.event.at;
    let Some(account) = lock_at(connection, verify.account_id, verify.versions).await? else {
        return Ok(TxOutcome::Rollback(LinkUsed::Invalid));
    };
    if let Some(refused) = refusal(Purpose::VerifyAddress, &account, &verify.rules, now) {
        return Ok(TxOutcome::Rollback(refused));
    }
    if let Some(ticket) = &verify.ticket
        && !tickets::spend(connection, ticket, account.id, verify.versions, now).await?
    {
        return Ok(TxOutcome::Rollback(LinkUsed::Invalid));
    }
    methods::verify_own_address(connection, account.id, &verify.address, now).await?;
    audit::write(connection, &verify.event).await?;
    let updated_at = if account.email_verified { account.updated_at } else { now };
    Ok(TxOutcome::Commit(LinkUsed::Done(Box::new(Account { email_verified: true, updated_at, ..account }))))
}

/// Gives an account the address that was proved. Its methods for the address before follow. That address gets a way back, unless
/// nobody has proved to receive mail there.
pub(crate) async fn change_address(connection: &mut Conn, change: &ChangeAddress) -> TxResult<LinkUsed> {
    let now = change.event.at;
    let Some(account) = lock_at(connection, change.account_id, change.versions).await? else {
        return Ok(TxOutcome::Rollback(LinkUsed::Invalid));
    };
    if let Some(refused) = refusal(Purpose::ChangeAddress, &account, &change.rules, now) {
        return Ok(TxOutcome::Rollback(refused));
    }
    if !tickets::spend(connection, &change.ticket, account.id, change.versions, now).await? {
        return Ok(TxOutcome::Rollback(LinkUsed::Invalid));
    }
    let moved = match move_to(connection, &account, &change.to, &change.rules, now).await? {
        Ok(moved) => moved,
        Err(refused) => return Ok(TxOutcome::Rollback(refused)),
    };
    endings::carry_out(connection, account.id, Event::AddressChanged, None).await?;
    match &account.email {
        Some(former) if account.email_verified => {
            diesel::insert_into(former_addresses::table)
                .values((
                    former_addresses::digest.eq(change.restoration.as_bytes().as_slice()),
                    former_addresses::account_id.eq(account.id.to_text()),
                    former_addresses::address.eq(former.as_str()),
                    former_addresses::created_at.eq(now.as_millis()),
                    former_addresses::expires_at.eq(change.restorable_until.as_millis()),
                ))
                .execute(connection)
                .await?;
            messages::enqueue(connection, change.notice.as_ref()).await?;
        }
        Some(former) => messages::notify_at(connection, &change.event, former, false).await?,
        None => {}
    }
    audit::write_and_commit(connection, &change.event, LinkUsed::Done(Box::new(moved))).await
}

/// Gives an account its former address back. The ways back to addresses that came after it end; those to earlier ones go on.
pub(crate) async fn restore_address(connection: &mut Conn, restore: &RestoreAddress) -> TxResult<LinkUsed> {
    let now = restore.audit.at;
    let row = former_addresses::table.find(restore.digest.as_bytes().as_slice());
    let live = row.filter(former_addresses::expires_at.gt(now.as_millis()));
    let found: Option<String> = live.select(former_addresses::account_id).get_result(connection).await.optional()?;
    let Some(account_id) = found.as_deref().and_then(AccountId::parse) else {
        return Ok(TxOutcome::Rollback(LinkUsed::Invalid));
    };
    // The account's row is locked before the row is taken.
    let Some(account) = lock(connection, account_id).await? else {
        return Ok(TxOutcome::Rollback(LinkUsed::Invalid));
    };
    let taken: Option<(String, i64)> = diesel::delete(live)
        .returning((former_addresses::address, former_addresses::created_at))
        .get_result(connection)
        .await
        .optional()?;
    let Some((address, created_at)) = taken else { return Ok(TxOutcome::Rollback(LinkUsed::Invalid)) };
    if let Some(refused) = refusal(Purpose::ResetPassword, &account, &restore.rules, now) {
        return Ok(TxOutcome::Rollback(refused));
    }
    let address = EmailAddress::new(&address);
    let moved = match move_to(connection, &account, &address, &restore.rules, now).await? {
        Ok(moved) => moved,
        Err(refused) => return Ok(TxOutcome::Rollback(refused)),
    };
    let later = former_addresses::account_id.eq(account.id.to_text()).and(former_addresses::created_at.ge(created_at));
    diesel::delete(former_addresses::table.filter(later)).execute(connection).await?;
    diesel::update(accounts::table.find(account.id.to_text()))
        .set(accounts::password_hash.eq(None::<String>))
        .cached()
        .execute(connection)
        .await?;
    // An attacker who held the account may have registered some.
    passkeys::remove_all(connection, account.id).await?;
    endings::carry_out(connection, account.id, Event::AddressRestored, None).await?;
    let event = restore.audit.clone().about(account.id).event(EventKind::AddressRestored);
    audit::write_and_commit(connection, &event, LinkUsed::Done(Box::new(Account { password: None, ..moved }))).await
}

/// Writes another address, which is proved, and lets methods follow; within the open transaction. Returns the account with it.
async fn move_to(
    connection: &mut Conn,
    account: &Account,
    to: &EmailAddress,
    rules: &Rules,
    now: Timestamp,
) -> Result<Result<Account, LinkUsed>, StoreError> {
    if is_taken(connection, account.tenant_id, to, account.id, now).await? {
        return Ok(Err(LinkUsed::Taken));
    }
    let address = |email: &EmailAddress| Address::Email(email.clone());
    let moved = account.email.iter().filter(|from| *from != to);
    let moved: Vec<AddressChange> = moved.map(|from| AddressChange { from: address(from), to: address(to) }).collect();
    let after = Account { email: Some(to.clone()), email_verified: true, updated_at: now, ..account.clone() };
    let methods = methods_if(connection, true, account.id).await?;
    let tenant = rules.tenant_of(account);
    let facts = address_change::Facts { tenant, before: account, after: &after, methods: &methods, changes: &moved };
    if address_change::decide(&facts) == Move::LeavesNoMethod {
        return Ok(Err(LinkUsed::LeavesNoMethod));
    }
    let written = diesel::update(accounts::table.find(account.id.to_text()))
        .set((
            accounts::email.eq(to.as_str()),
            accounts::email_verified.eq(true),
            accounts::updated_at.eq(now.as_millis()),
        ))
        .cached()
        .execute(connection)
        .await;
    match written {
        Ok(_) => {}
        // Another account took it since it was looked for.
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => return Ok(Err(LinkUsed::Taken)),
        Err(error) => return Err(error.into()),
    }
    for change in &moved {
        methods::follow(connection, account.id, change).await?;
    }
    Ok(Ok(after))
}
