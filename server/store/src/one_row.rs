//! Statements that have to change one row, for a transaction that is [committed along](crate::postgres::commit_along) with them: one
//! that changes none makes it fail.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::QueryResult;

/// An `UPDATE` or `DELETE` of one row. If there is no such row, the database refuses to divide by zero (SQLSTATE 22012), and rolls back
/// the transaction instead of committing it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneRow<S>(pub(crate) S);

/// What the database says then.
pub(crate) const NO_ROW: &str = "division by zero";

impl<S: QueryFragment<Pg>> QueryFragment<Pg> for OneRow<S> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_sql("WITH changed AS (");
        self.0.walk_ast(pass.reborrow())?;
        pass.push_sql(" RETURNING 1) SELECT 1 / count(*)::integer FROM changed");
        Ok(())
    }
}
