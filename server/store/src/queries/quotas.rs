//! Quotas: so many uses within a window.

use super::{Conn, TxResult};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::schema::budgets;
use crate::work::{Spend, Spent, TxOutcome};
use countersign_domain::time::Timestamp;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// Takes one use within the open transaction. One statement, so that parallel requests queue up at the row and none is
/// let through twice (attack 14).
pub(super) async fn take(connection: &mut Conn, spend: &Spend) -> Result<Spent, StoreError> {
    let (now, end) = (spend.now.as_millis(), (spend.now + spend.window).as_millis());
    let (spent, expires_at): (i64, i64) = diesel::insert_into(budgets::table)
        .values((budgets::name.eq(&spend.name), budgets::spent.eq(1), budgets::expires_at.eq(end)))
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
    if spent <= i64::from(spend.limit) {
        Ok(Spent::Granted)
    } else {
        Ok(Spent::Exhausted { until: Timestamp::from_millis(expires_at) })
    }
}

/// Takes one use.
pub(crate) async fn spend(connection: &mut Conn, spend: &Spend) -> TxResult<Spent> {
    Ok(match take(connection, spend).await? {
        Spent::Granted => TxOutcome::Commit(Spent::Granted),
        exhausted @ Spent::Exhausted { .. } => TxOutcome::Rollback(exhausted),
    })
}

/// Restores a quota, if one is named; within the open transaction.
pub(super) async fn restore(connection: &mut Conn, name: Option<&str>) -> Result<(), StoreError> {
    if let Some(name) = name {
        diesel::delete(budgets::table.find(name)).execute(connection).await?;
    }
    Ok(())
}

/// Restores a quota.
#[expect(clippy::ptr_arg, reason = "every unit of work takes a reference to its input")]
pub(crate) async fn restore_quota(connection: &mut Conn, name: &String) -> TxResult<()> {
    restore(connection, Some(name)).await?;
    Ok(TxOutcome::Commit(()))
}
