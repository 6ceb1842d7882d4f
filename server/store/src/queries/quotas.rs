//! Quotas: so many uses within a window.

use super::{Conn, TxResult, known_networks, millis, trusted_devices};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::schema::budgets;
use crate::work::{FindTrust, PasswordTry, Spent, TakePasswordTry, TxOutcome};
use countersign_domain::decisions::password_attempt::{self, PasswordAttempt};
use countersign_domain::quota::{QuotaLimit, QuotaUse};
use countersign_domain::rate::Rate;
use countersign_domain::time::Timestamp;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use std::time::Duration;

/// Account and kind, for an administrator.
fn owner(wanted: &QuotaUse) -> (Option<String>, Option<&'static str>) {
    wanted.owner.map(|owner| (owner.account_id.to_text(), owner.counts.name())).unzip()
}

/// Takes one use within the open transaction. One statement, so that parallel requests queue up at the row and none is
/// let through twice (attack 14).
async fn take_of_window(
    connection: &mut Conn,
    wanted: &QuotaUse,
    uses: u32,
    window: Duration,
    now: Timestamp,
) -> Result<Spent, StoreError> {
    let (now, end) = (now.as_millis(), (now + window).as_millis());
    let (account_id, counts) = owner(wanted);
    let (spent, expires_at): (i64, i64) = diesel::insert_into(budgets::table)
        .values((
            budgets::name.eq(&wanted.name),
            budgets::spent.eq(1),
            budgets::expires_at.eq(end),
            budgets::account_id.eq(account_id),
            budgets::counts.eq(counts),
        ))
        .on_conflict(budgets::name)
        .do_update()
        .set((
            budgets::spent.eq(case_when(budgets::expires_at.le(now), 1_i64.into_sql::<diesel::sql_types::BigInt>())
                .otherwise(budgets::spent + 1)),
            budgets::expires_at.eq(case_when(budgets::expires_at.le(now), end.into_sql::<diesel::sql_types::BigInt>())
                .otherwise(budgets::expires_at)),
        ))
        .returning((budgets::spent, budgets::expires_at))
        .cached()
        .get_result(connection)
        .await?;
    if spent <= i64::from(uses) {
        Ok(Spent::Granted)
    } else {
        Ok(Spent::Exhausted { until: Timestamp::from_millis(expires_at) })
    }
}

/// Takes one use of a quota of either kind, within the open transaction.
pub(super) async fn take_use(
    connection: &mut Conn,
    wanted: Option<&QuotaUse>,
    now: Timestamp,
) -> Result<Spent, StoreError> {
    let Some(wanted) = wanted else { return Ok(Spent::Granted) };
    match wanted.limit {
        QuotaLimit::Window { uses, window } => take_of_window(connection, wanted, uses, window, now).await,
        QuotaLimit::Refilling(rate) => take_refilling(connection, wanted, rate, now).await,
    }
}

/// Takes one use of a limit that refills with time, within the open transaction. The row's end is the level of
/// [`Rate`], and the column of uses says whether the last one was granted. One statement, as in [`take_of_window`].
async fn take_refilling(
    connection: &mut Conn,
    wanted: &QuotaUse,
    rate: Rate,
    now: Timestamp,
) -> Result<Spent, StoreError> {
    use diesel::sql_types::BigInt;
    let (cost, highest) = (millis(rate.cost(1)), rate.highest_open_level(now).as_millis());
    let (now, first) = (now.as_millis(), now.as_millis().saturating_add(cost));
    let (account_id, counts) = owner(wanted);
    let (is_granted, level): (i64, i64) = diesel::insert_into(budgets::table)
        .values((
            budgets::name.eq(&wanted.name),
            budgets::spent.eq(1),
            budgets::expires_at.eq(first),
            budgets::account_id.eq(account_id),
            budgets::counts.eq(counts),
        ))
        .on_conflict(budgets::name)
        .do_update()
        .set((
            budgets::spent.eq(case_when(budgets::expires_at.le(highest), 1_i64.into_sql::<BigInt>())
                .otherwise(0_i64.into_sql::<BigInt>())),
            budgets::expires_at.eq(case_when(budgets::expires_at.le(now), first.into_sql::<BigInt>())
                .when(budgets::expires_at.le(highest), budgets::expires_at + cost)
                .otherwise(budgets::expires_at)),
        ))
        .returning((budgets::spent, budgets::expires_at))
        .cached()
        .get_result(connection)
        .await?;
    if is_granted == 1 {
        Ok(Spent::Granted)
    } else {
        Ok(Spent::Exhausted { until: rate.next_use_at(Timestamp::from_millis(level)) })
    }
}

/// Gives back what a use had taken, if there is one; within the open transaction.
pub(super) async fn restore(connection: &mut Conn, taken: Option<&QuotaUse>) -> Result<(), StoreError> {
    let Some(QuotaUse { name, limit, .. }) = taken else { return Ok(()) };
    match *limit {
        QuotaLimit::Window { .. } => {
            diesel::delete(budgets::table.find(name)).execute(connection).await?;
        }
        QuotaLimit::Refilling(rate) => {
            diesel::update(budgets::table.find(name))
                .set(budgets::expires_at.eq(budgets::expires_at - millis(rate.cost(1))))
                .cached()
                .execute(connection)
                .await?;
        }
    }
    Ok(())
}

/// Takes the uses that a password costs. The rows are taken in the order of their names, here and in [`give_back`], so that
/// no two transactions wait for each other.
pub(crate) async fn take_password_try(connection: &mut Conn, wanted: &TakePasswordTry) -> TxResult<PasswordTry> {
    let now = wanted.now;
    let (is_device_known, is_network_known) =
        pipeline!(connection; is_trusted_device(wanted), known_networks::is_known(wanted));
    let (slowed, of_network) = match (&wanted.device, &wanted.network) {
        (Some((_, uses)), _) if is_device_known => (uses, wanted.in_known_network.as_ref()),
        (_, Some((_, uses))) if is_network_known => (uses, wanted.in_known_network.as_ref()),
        _ => (&wanted.anywhere, wanted.in_network.as_ref()),
    };
    let mut uses: Vec<(bool, &QuotaUse)> = [Some(slowed), of_network]
        .into_iter()
        .flatten()
        .flat_map(|uses| [(true, &uses.by_name), (false, &uses.by_account)])
        .collect();
    uses.sort_by(|(_, left), (_, right)| left.name.cmp(&right.name));
    let at = |index: usize| uses.get(index).map(|(_, wanted)| *wanted);
    let (first, second, third, fourth) = pipeline!(
        connection;
        take_use(at(0), now),
        take_use(at(1), now),
        take_use(at(2), now),
        take_use(at(3), now),
    );
    let exhausted = |of_name: bool| {
        let ends = uses.iter().zip([first, second, third, fourth]).filter(|((is_name, _), _)| *is_name == of_name);
        let ends = ends.filter_map(|(_, spent)| match spent {
            Spent::Granted => None,
            Spent::Exhausted { until } => Some(until),
        });
        ends.max()
    };
    let decision = password_attempt::decide(password_attempt::Facts {
        name_exhausted: exhausted(true),
        account_exhausted: exhausted(false),
        knows_account: wanted.knows_account,
    });
    let taken = PasswordTry { decision, uses: uses.iter().map(|(_, taken)| (*taken).clone()).collect() };
    Ok(match decision {
        PasswordAttempt::Judged | PasswordAttempt::CountsAsWrong => TxOutcome::Commit(taken),
        PasswordAttempt::TooMany { .. } => TxOutcome::Rollback(taken),
    })
}

async fn is_trusted_device(connection: &mut Conn, wanted: &TakePasswordTry) -> Result<bool, StoreError> {
    let Some((digests, _)) = &wanted.device else { return Ok(false) };
    let (account_id, versions, now) = (wanted.account_id, wanted.versions, wanted.now);
    let find = FindTrust { digests: digests.clone(), account_id, versions, now };
    Ok(trusted_devices::trust(connection, &find).await?.is_some())
}

/// Gives back what a right password had taken.
pub(crate) async fn give_back(connection: &mut Conn, uses: &Vec<QuotaUse>) -> TxResult<()> {
    for taken in uses {
        restore(connection, Some(taken)).await?;
    }
    Ok(TxOutcome::Commit(()))
}
