//! Budgets: so many of something within a window.

use super::{Conn, Work};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::schema::budgets;
use crate::work::{Spend, Spent, Unit};
use countersign_domain::time::Timestamp;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// Takes one from a budget within the transaction that is open. One statement, so that parallel spenders queue up
/// at the row and none is let through twice (attack 14).
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

/// Takes one from a budget.
pub(crate) async fn spend(connection: &mut Conn, spend: &Spend) -> Work<Spent> {
    Ok(match take(connection, spend).await? {
        Spent::Granted => Unit::Commit(Spent::Granted),
        exhausted @ Spent::Exhausted { .. } => Unit::Rollback(exhausted),
    })
}

/// Makes a budget whole again within the transaction that is open.
pub(super) async fn refill(connection: &mut Conn, name: Option<&str>) -> Result<(), StoreError> {
    if let Some(name) = name {
        diesel::delete(budgets::table.find(name)).execute(connection).await?;
    }
    Ok(())
}

/// Makes a budget whole again.
#[expect(clippy::ptr_arg, reason = "a unit of work is handed a reference to what it was given")]
pub(crate) async fn give_back(connection: &mut Conn, name: &String) -> Work<()> {
    refill(connection, Some(name)).await?;
    Ok(Unit::Commit(()))
}
