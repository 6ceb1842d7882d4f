//! Locks and limits of an account, as an administrator sees and lifts them.

use super::locking::lock;
use super::{Conn, RunQueryDsl, TxResult, audit};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::schema::{accounts, budgets};
use crate::work::{LiftLimits, SuspendAccount, TxOutcome};
use countersign_domain::decisions::lifting::{self, Lifting};
use countersign_domain::decisions::password_attempt::account_quota;
use countersign_domain::decisions::suspension::{self, Suspend};
use countersign_domain::ids::AccountId;
use countersign_domain::limits::{StoredLimits, StoredQuota, Suspension};
use countersign_domain::quota::AccountQuota;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

/// Failures, locks, end of the lock, level of guesses, epoch.
type Counts = (i64, i64, Option<i64>, Option<i64>, i64);
/// End and beginning of a lock by a service, on whose behalf, comment.
type SuspensionColumns = (Option<i64>, Option<i64>, Option<String>, Option<String>);

/// The locks and limits of an account; `None` if there is no such account.
pub(crate) async fn account_limits(
    connection: &mut Conn,
    account_id: &AccountId,
) -> Result<Option<StoredLimits>, StoreError> {
    let found: Option<(Counts, SuspensionColumns)> = accounts::table
        .find(account_id.to_text())
        .select((
            (
                accounts::failed_attempts,
                accounts::consecutive_locks,
                accounts::locked_until,
                accounts::guesses_decay_at,
                accounts::limits_epoch,
            ),
            (accounts::suspended_until, accounts::suspended_at, accounts::suspended_by, accounts::suspension_comment),
        ))
        .get_result(connection)
        .await
        .optional()?;
    let Some(((failures, locks, locked_until, guess_level, epoch), suspension)) = found else { return Ok(None) };
    let password_level: Option<i64> = budgets::table
        .find(account_quota(*account_id, epoch))
        .select(budgets::expires_at)
        .get_result(connection)
        .await
        .optional()?;
    let rows: Vec<(Option<String>, i64, i64)> = budgets::table
        .filter(budgets::account_id.eq(account_id.to_text()))
        .select((budgets::counts, budgets::spent, budgets::expires_at))
        .load(connection)
        .await?;
    // Kinds of a later version are left out.
    let quotas = rows.into_iter().filter_map(|(counts, spent, expires_at)| {
        Some(StoredQuota {
            counts: AccountQuota::parse(counts.as_deref()?)?,
            uses: u32::try_from(spent).unwrap_or(u32::MAX),
            expires_at: Timestamp::from_millis(expires_at),
        })
    });
    Ok(Some(StoredLimits {
        failures: u32::try_from(failures).unwrap_or(u32::MAX),
        locks: u32::try_from(locks).unwrap_or(u32::MAX),
        locked_until: locked_until.map(Timestamp::from_millis),
        guess_level: guess_level.map(Timestamp::from_millis),
        password_level: password_level.map(Timestamp::from_millis),
        quotas: quotas.collect(),
        suspension: suspension_of(suspension),
    }))
}

fn suspension_of((until, since, by, comment): SuspensionColumns) -> Option<Suspension> {
    let until = Timestamp::from_millis(until?);
    let since = since.map_or(until, Timestamp::from_millis);
    Some(Suspension { until, since, by: by.as_deref().and_then(AccountId::parse), comment })
}

/// Locks an account until some time, or changes the lock by a service, if that is allowed; `None` if the account is gone.
pub(crate) async fn suspend_account(connection: &mut Conn, suspend: &SuspendAccount) -> TxResult<Option<Suspend>> {
    let Some(account) = lock(connection, suspend.account_id).await? else { return Ok(TxOutcome::Rollback(None)) };
    let Suspension { until, since, by, comment } = &suspend.suspension;
    let decision = suspension::decide(suspend.request, account.suspended_until, *until, suspend.audit.at);
    let (Suspend::Allowed { until }, Some(kind)) = (decision, decision.event()) else {
        return Ok(TxOutcome::Rollback(Some(decision)));
    };
    diesel::update(accounts::table.find(suspend.account_id.to_text()))
        .set((
            accounts::suspended_until.eq(until.as_millis()),
            accounts::suspended_at.eq(since.as_millis()),
            accounts::suspended_by.eq(by.map(AccountId::to_text)),
            accounts::suspension_comment.eq(comment),
        ))
        .cached()
        .execute(connection)
        .await?;
    audit::write_and_commit(connection, &suspend.audit.event(kind), Some(decision)).await
}

/// Lifts all locks and limits of an account; `None` if it is gone. Its password quotas get new names as well, because those
/// for what was typed are not known here; rows under the old names expire.
pub(crate) async fn lift_limits(connection: &mut Conn, lift: &LiftLimits) -> TxResult<Option<Lifting>> {
    const GONE: TxOutcome<Option<Lifting>> = TxOutcome::Rollback(None);
    if lock(connection, lift.account_id).await?.is_none() {
        return Ok(GONE);
    }
    let Some(stored) = account_limits(connection, &lift.account_id).await? else { return Ok(GONE) };
    let decision = lifting::decide(&stored, lift.event.at);
    diesel::update(accounts::table.find(lift.account_id.to_text()))
        .set((
            accounts::failed_attempts.eq(0),
            accounts::consecutive_locks.eq(0),
            accounts::locked_until.eq(None::<i64>),
            accounts::guesses_decay_at.eq(None::<i64>),
            accounts::limits_epoch.eq(accounts::limits_epoch + 1),
            accounts::suspended_until.eq(None::<i64>),
            accounts::suspended_at.eq(None::<i64>),
            accounts::suspended_by.eq(None::<String>),
            accounts::suspension_comment.eq(None::<String>),
        ))
        .cached()
        .execute(connection)
        .await?;
    let mine = budgets::table.filter(budgets::account_id.eq(lift.account_id.to_text()));
    let mut rows: Vec<(String, Option<String>)> =
        mine.select((budgets::name, budgets::counts)).load(connection).await?;
    // In the order in which they are taken: see `quota_statements::sort`.
    let refills =
        |counts: &Option<String>| counts.as_deref().and_then(AccountQuota::parse).is_some_and(AccountQuota::refills);
    rows.sort_unstable_by(|(left, of_left), (right, of_right)| {
        (refills(of_left), left).cmp(&(refills(of_right), right))
    });
    for (name, _) in rows {
        diesel::delete(budgets::table.find(name)).execute(connection).await?;
    }
    if decision.event().is_some() {
        audit::write(connection, &lift.event).await?;
    }
    Ok(TxOutcome::Commit(Some(decision)))
}
