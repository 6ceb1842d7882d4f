//! Statements about several quotas at once: their rows are locked in the order in which they are given, whatever plan the
//! database makes, because each row of an `INSERT` is handled in turn.

use crate::millis;
use countersign_domain::quota::{QuotaLimit, QuotaUse};
use countersign_domain::rate::Rate;
use countersign_domain::time::Timestamp;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Nullable, Text};
use std::time::Duration;

/// Values that both databases bind alike.
pub(crate) trait Bindable: Backend + HasSqlType<BigInt> + HasSqlType<Text> + HasSqlType<Nullable<Text>> {}

impl<DB: Backend + HasSqlType<BigInt> + HasSqlType<Text> + HasSqlType<Nullable<Text>>> Bindable for DB {}

/// Uses that one statement can take: of windows of any length, or of limits that refill at one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Windows,
    Refilling(Rate),
}

impl Kind {
    fn of(limit: QuotaLimit) -> Self {
        match limit {
            QuotaLimit::Window { .. } => Self::Windows,
            QuotaLimit::Refilling(rate) => Self::Refilling(rate),
        }
    }
}

/// Sorts uses into the order in which all transactions take them, so that no two wait for each other: windows first, then
/// by name.
pub(crate) fn sort(uses: &mut [QuotaUse]) {
    uses.sort_by(|left, right| {
        let refills = |taken: &QuotaUse| matches!(taken.limit, QuotaLimit::Refilling(_));
        (refills(left), &left.name).cmp(&(refills(right), &right.name))
    });
}

/// The uses that one statement can take together.
pub(crate) fn groups(uses: &[QuotaUse]) -> impl Iterator<Item = &[QuotaUse]> {
    uses.chunk_by(|left, right| Kind::of(left.limit) == Kind::of(right.limit))
}

/// Takes one use of each quota of a [group](groups). Returns name, count and end of each; where the limit refills, the end is
/// its level (see [`Rate`]), and the count says whether the use was granted.
#[derive(Clone, Debug)]
pub(crate) struct Take {
    rows: Vec<NewRow>,
    kind: Kind,
    now: i64,
    /// Of a limit that refills: how far a use moves its level, and the highest level at which there is one.
    cost: i64,
    highest: i64,
}

#[derive(Clone, Debug)]
struct NewRow {
    name: String,
    expires_at: i64,
    /// Account and kind, for an administrator.
    account_id: Option<String>,
    counts: Option<&'static str>,
}

impl Take {
    /// `None` without uses.
    pub(crate) fn new(uses: &[QuotaUse], now: Timestamp) -> Option<Self> {
        let kind = Kind::of(uses.first()?.limit);
        let (cost, highest) = match kind {
            Kind::Windows => (0, 0),
            Kind::Refilling(rate) => (millis(rate.cost(1)), rate.highest_open_level(now).as_millis()),
        };
        let rows = uses.iter().map(|wanted| {
            let (account_id, counts) =
                wanted.owner.map(|owner| (owner.account_id.to_text(), owner.counts.name())).unzip();
            let expires_at = (now + length(wanted.limit)).as_millis();
            NewRow { name: wanted.name.clone(), expires_at, account_id, counts }
        });
        Some(Self { rows: rows.collect(), kind, now: now.as_millis(), cost, highest })
    }
}

/// How far from the present the first use sets the row's end.
fn length(limit: QuotaLimit) -> Duration {
    match limit {
        QuotaLimit::Window { window, .. } => window,
        QuotaLimit::Refilling(rate) => rate.cost(1),
    }
}

impl Query for Take {
    type SqlType = (Text, BigInt, BigInt);
}

impl<DB> QueryFragment<DB> for Take
where
    DB: Bindable,
    String: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
    Option<String>: ToSql<Nullable<Text>, DB>,
    Option<&'static str>: ToSql<Nullable<Text>, DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        pass.push_sql("INSERT INTO \"budgets\" (name, spent, expires_at, account_id, counts) VALUES ");
        for (index, row) in self.rows.iter().enumerate() {
            pass.push_sql(if index == 0 { "(" } else { ", (" });
            pass.push_bind_param::<Text, _>(&row.name)?;
            pass.push_sql(", 1, ");
            pass.push_bind_param::<BigInt, _>(&row.expires_at)?;
            pass.push_sql(", ");
            pass.push_bind_param::<Nullable<Text>, _>(&row.account_id)?;
            pass.push_sql(", ");
            pass.push_bind_param::<Nullable<Text>, _>(&row.counts)?;
            pass.push_sql(")");
        }
        pass.push_sql(" ON CONFLICT (name) DO UPDATE SET spent = CASE WHEN budgets.expires_at <= ");
        match self.kind {
            Kind::Windows => {
                pass.push_bind_param::<BigInt, _>(&self.now)?;
                pass.push_sql(" THEN 1 ELSE budgets.spent + 1 END, expires_at = CASE WHEN budgets.expires_at <= ");
                pass.push_bind_param::<BigInt, _>(&self.now)?;
                pass.push_sql(" THEN excluded.expires_at");
            }
            Kind::Refilling(_) => {
                pass.push_bind_param::<BigInt, _>(&self.highest)?;
                pass.push_sql(" THEN 1 ELSE 0 END, expires_at = CASE WHEN budgets.expires_at <= ");
                pass.push_bind_param::<BigInt, _>(&self.now)?;
                pass.push_sql(" THEN excluded.expires_at WHEN budgets.expires_at <= ");
                pass.push_bind_param::<BigInt, _>(&self.highest)?;
                pass.push_sql(" THEN budgets.expires_at + ");
                pass.push_bind_param::<BigInt, _>(&self.cost)?;
            }
        }
        pass.push_sql(" ELSE budgets.expires_at END RETURNING name, spent, expires_at");
        Ok(())
    }
}

/// Gives back what uses of any kind had taken: a window ends, a level moves back by one use. A row that is gone by now is
/// written as one that has expired.
#[derive(Clone, Debug)]
pub(crate) struct Restore {
    /// Name, and by how much the end moves back.
    rows: Vec<(String, i64)>,
}

impl Restore {
    /// `None` without uses.
    pub(crate) fn new(uses: &[QuotaUse]) -> Option<Self> {
        let rows = uses.iter().map(|taken| (taken.name.clone(), millis(length(taken.limit))));
        (!uses.is_empty()).then(|| Self { rows: rows.collect() })
    }
}

impl<DB> QueryFragment<DB> for Restore
where
    DB: Bindable,
    String: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        pass.push_sql("INSERT INTO \"budgets\" (name, spent, expires_at) VALUES ");
        for (index, (name, back)) in self.rows.iter().enumerate() {
            pass.push_sql(if index == 0 { "(" } else { ", (" });
            pass.push_bind_param::<Text, _>(name)?;
            pass.push_sql(", 0, ");
            pass.push_bind_param::<BigInt, _>(back)?;
            pass.push_sql(")");
        }
        pass.push_sql(" ON CONFLICT (name) DO UPDATE SET expires_at = budgets.expires_at - excluded.expires_at");
        Ok(())
    }
}
