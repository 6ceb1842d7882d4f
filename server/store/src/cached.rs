//! Prepared statements for updates.
//!
//! diesel caches prepared statements of queries whose text is constant. It excludes updates, because a changeset may leave
//! out columns; the updates here always set the same columns.

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;

/// A query whose text depends only on its type, so that it is prepared once per connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cached<Q>(Q);

pub(crate) trait Cache: Sized {
    /// Declares that the text of this statement depends only on its type.
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

/// Cached by its text.
impl<Q> QueryId for Cached<Q> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, C> diesel::RunQueryDsl<C> for Cached<Q> {}
