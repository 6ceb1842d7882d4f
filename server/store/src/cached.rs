//! Prepared statements for updates.
//!
//! diesel keeps the prepared statements of queries whose text is always the same, and takes no update for one of them,
//! because a changeset may leave columns out. Ours never do: what they set is written out in each query.

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;

/// A query whose text depends on nothing but its type, so that the database is to parse it only once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cached<Q>(Q);

/// Statements that can be said to be [`Cached`].
pub(crate) trait Cache: Sized {
    /// Says that this statement has the same text each time.
    fn cached(self) -> Cached<Self> {
        Cached(self)
    }
}

impl<Q> Cache for Q {}

impl<Q, DB> QueryFragment<DB> for Cached<Q>
where
    Q: QueryFragment<DB>,
    DB: Backend,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q: Query> Query for Cached<Q> {
    type SqlType = Q::SqlType;
}

/// Found by its text.
impl<Q> QueryId for Cached<Q> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}
