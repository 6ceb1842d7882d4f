//! What can go wrong between us and the database.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Why a unit of work did not happen.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is locked by somebody else, or has no room: trying again later may help.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database refused the statement: a defect of ours, or a database changed behind our back.
    #[error("the database refused a statement")]
    Refused(#[source] DieselError),
    /// A row holds what this version never writes.
    #[error("a row of table {table} cannot be read: {what}")]
    Corrupt {
        /// Where it stands.
        table: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl StoreError {
    /// Whether the caller should be told to come back later.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    pub(crate) fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Box::new(error))
    }

    /// Whether the same work may succeed when it is simply done again: another transaction was in the way
    /// (SQLSTATE 40001 and 40P01).
    pub(crate) fn is_conflict(&self) -> bool {
        match self {
            Self::Refused(DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
            Self::Refused(DieselError::DatabaseError(_, detail)) => detail.message().contains("deadlock detected"),
            _ => false,
        }
    }
}

/// What SQLite says when it cannot work now: diesel has no kinds for these.
const PASSING: [&str; 6] = [
    "database is locked",
    "database table is locked",
    "database or disk is full",
    "disk I/O error",
    "unable to open database file",
    "attempt to write a readonly database",
];

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match &error {
            DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::ReadOnlyTransaction,
                _,
            ) => Self::unavailable(error),
            DieselError::DatabaseError(_, detail) if PASSING.iter().any(|text| detail.message().contains(text)) => {
                Self::unavailable(error)
            }
            DieselError::BrokenTransactionManager => Self::unavailable(error),
            _ => Self::Refused(error),
        }
    }
}
