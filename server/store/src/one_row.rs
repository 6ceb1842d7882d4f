//! Statements that have to affect one row, for a transaction whose `COMMIT` is [pipelined](crate::postgres::pipeline_commit) after them.
//! It is sent before their row counts are known, so the database itself has to abort the transaction if a count is zero.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::QueryResult;

/// An `UPDATE` or `DELETE` of at most one row. If it affects none, the statement fails with a division by zero, and the
/// `COMMIT` after it rolls back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneRow<S>(pub(crate) S);

/// In the message of that error.
pub(crate) const NO_ROW: &str = "SQLSTATE 22012";

impl<S: QueryFragment<Pg>> QueryFragment<Pg> for OneRow<S> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_sql("WITH changed AS (");
        self.0.walk_ast(pass.reborrow())?;
        pass.push_sql(" RETURNING 1) SELECT 1 / count(*)::integer FROM changed");
        Ok(())
    }
}
