//! Errors of the database: their classes, and which of them are worth a retry.
//!
//! PostgreSQL reports a SQLSTATE, but diesel keeps only some of them (40001, 25006, violated constraints); SQLite has messages only. So
//! the others are recognised by their messages, to which the connection adds the SQLSTATE (`crate::postgres_error`). An unknown
//! message without one is retried twice before it counts as a defect.

use crate::one_row::NO_ROW;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Why a unit of work failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is locked by another process, or is full; a later call may succeed.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database refused a statement: a defect here, or a schema that something else has changed.
    #[error("the database refused a statement")]
    Refused(#[source] DieselError),
    /// A row holds a value that this version never writes.
    #[error("a row of table {table} cannot be read: {what}")]
    Corrupt {
        table: &'static str,
        /// The value that cannot be read.
        what: &'static str,
    },
}

impl StoreError {
    /// Whether a later call may succeed.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    pub(crate) fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Box::new(error))
    }

    /// A connection that is lost.
    pub(crate) fn lost(what: &str) -> Self {
        let kind = DatabaseErrorKind::ClosedConnection;
        Self::unavailable(DieselError::DatabaseError(kind, Box::new(what.to_owned())))
    }

    /// Class of the error.
    pub(crate) fn trouble(&self) -> Trouble {
        match self {
            Self::Refused(error) => Trouble::of(error),
            Self::Unavailable(error) => error.downcast_ref::<DieselError>().map_or(Trouble::Transient, Trouble::of),
            Self::Corrupt { .. } => Trouble::Defect,
        }
    }

    /// The same error as the result of a commit. If the connection was lost, the transaction may have been committed, so
    /// it must not be retried.
    pub(crate) fn at_commit(self) -> Self {
        match (self.trouble(), self) {
            (Trouble::Lost | Trouble::Unclear, Self::Unavailable(source)) => Self::unavailable(Ambiguous { source }),
            (Trouble::Lost | Trouble::Unclear, Self::Refused(error)) => {
                Self::unavailable(Ambiguous { source: error.into() })
            }
            (_, error) => error,
        }
    }
}

/// Whether the transaction was committed is unknown.
#[derive(Debug, thiserror::Error)]
#[error("the connection was lost while a transaction was being committed")]
struct Ambiguous {
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Class of a database error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Conflict with another transaction (SQLSTATE 40001, 40P01, or [`NO_ROW`]); a retry may succeed.
    Conflict,
    /// The connection is lost. If no commit was sent, nothing was written, and a retry on another connection may succeed.
    Lost,
    /// The server takes no writes, such as a leader that was demoted. Nothing was written, and a retry on another connection may reach
    /// the one that does.
    ReadOnly,
    /// A condition that ends without a change here: a timeout, a full disk, a server that is starting.
    Transient,
    /// An unknown message without a SQLSTATE.
    Unclear,
    /// The statement was refused.
    Defect,
}

impl Trouble {
    /// Whether the connection is not to be used again.
    pub(crate) fn spoils_connection(self) -> bool {
        matches!(self, Self::Lost | Self::ReadOnly)
    }

    pub(crate) fn of(error: &DieselError) -> Self {
        use DatabaseErrorKind as Kind;
        match error {
            DieselError::DatabaseError(Kind::SerializationFailure, _) => Self::Conflict,
            DieselError::DatabaseError(Kind::ReadOnlyTransaction, _) => Self::ReadOnly,
            DieselError::DatabaseError(Kind::ClosedConnection | Kind::UnableToSendCommand, _)
            | DieselError::BrokenTransactionManager => Self::Lost,
            DieselError::DatabaseError(
                Kind::UniqueViolation
                | Kind::ForeignKeyViolation
                | Kind::NotNullViolation
                | Kind::CheckViolation
                | Kind::RestrictViolation
                | Kind::ExclusionViolation,
                _,
            ) => Self::Defect,
            DieselError::DatabaseError(_, detail) => {
                let message = detail.message();
                let known = KNOWN.iter().find(|(_, texts)| texts.iter().any(|text| message.contains(text)));
                // With a SQLSTATE the server has said what it is, and that nothing is committed.
                let unknown = if message.contains("SQLSTATE") { Self::Defect } else { Self::Unclear };
                known.map_or(unknown, |(trouble, _)| *trouble)
            }
            DieselError::RollbackErrorOnCommit { commit_error, .. } => Self::of(commit_error),
            _ => Self::Defect,
        }
    }
}

/// Messages of errors for which diesel has no code. The first one that fits counts.
const KNOWN: [(Trouble, &[&str]); 3] = [
    (
        Trouble::Conflict,
        &[
            // A deadlock.
            "SQLSTATE 40P01",
            // The row was changed since it was read.
            NO_ROW,
        ],
    ),
    (
        Trouble::Transient,
        &[
            // A time-out, or an administrator.
            "SQLSTATE 57014",
            "SQLSTATE 55P03",
            // PgBouncer had no session to lend; it reports this as 08P01.
            "query_wait_timeout",
            // The server is starting or stopping.
            "SQLSTATE 57P03",
            // Disk, memory, connections.
            "SQLSTATE 53",
            // SQLite: BUSY, LOCKED, FULL, IOERR, CANTOPEN, READONLY, NOMEM.
            "database is locked",
            "database table is locked",
            "database schema is locked",
            "database or disk is full",
            "disk I/O error",
            "unable to open database file",
            "attempt to write a readonly database",
        ],
    ),
    (
        Trouble::Lost,
        &[
            // An administrator, a crash, a dropped database, a session or a transaction that was idle for too long.
            "SQLSTATE 57P01",
            "SQLSTATE 57P02",
            "SQLSTATE 57P04",
            "SQLSTATE 57P05",
            "SQLSTATE 25P03",
            // The connection: what a pooler says before it closes one.
            "SQLSTATE 08",
        ],
    ),
];

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match Trouble::of(&error) {
            Trouble::Conflict | Trouble::Lost | Trouble::ReadOnly | Trouble::Transient => Self::unavailable(error),
            Trouble::Unclear | Trouble::Defect => Self::Refused(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kind: DatabaseErrorKind, message: &str) -> StoreError {
        DieselError::DatabaseError(kind, Box::new(message.to_owned())).into()
    }

    #[test]
    fn transient_errors_are_unavailable_and_others_are_refused() {
        use DatabaseErrorKind as Kind;
        for (kind, message, trouble) in [
            (Kind::SerializationFailure, "konnte nicht serialisieren", Trouble::Conflict),
            (Kind::Unknown, "Verklemmung (Deadlock) entdeckt (SQLSTATE 40P01)", Trouble::Conflict),
            (Kind::Unknown, "division by zero (SQLSTATE 22012)", Trouble::Conflict),
            (Kind::UnableToSendCommand, "connection closed", Trouble::Lost),
            (Kind::Unknown, "terminating connection due to administrator command (SQLSTATE 57P01)", Trouble::Lost),
            (Kind::Unknown, "terminating connection because of crash of … (SQLSTATE 57P02)", Trouble::Lost),
            (Kind::Unknown, "server conn crashed? (SQLSTATE 08P01)", Trouble::Lost),
            (Kind::Unknown, "query_wait_timeout (SQLSTATE 08P01)", Trouble::Transient),
            (Kind::ReadOnlyTransaction, "cannot execute UPDATE in a read-only transaction", Trouble::ReadOnly),
            (Kind::Unknown, "canceling statement due to statement timeout (SQLSTATE 57014)", Trouble::Transient),
            (Kind::Unknown, "the database system is shutting down (SQLSTATE 57P03)", Trouble::Transient),
            (Kind::Unknown, "could not extend file \"base/1/2\" (SQLSTATE 53100)", Trouble::Transient),
            (Kind::Unknown, "database is locked", Trouble::Transient),
            (Kind::Unknown, "database or disk is full", Trouble::Transient),
        ] {
            let error = said(kind, message);
            assert_eq!((error.trouble(), error.is_unavailable()), (trouble, true), "{message}");
        }
        for (kind, message, trouble) in [
            (Kind::UniqueViolation, "database is locked", Trouble::Defect),
            (Kind::Unknown, "no such table: accounts", Trouble::Unclear),
            (Kind::Unknown, "relation \"accounts\" does not exist (SQLSTATE 42P01)", Trouble::Defect),
        ] {
            let error = said(kind, message);
            assert_eq!((error.trouble(), error.is_unavailable()), (trouble, false), "{message}");
        }
    }

    #[test]
    fn a_connection_lost_while_committing_is_not_to_be_repeated() {
        for message in ["terminating connection … (SQLSTATE 57P01)", "in another language"] {
            let error = said(DatabaseErrorKind::Unknown, message).at_commit();
            assert_eq!((error.trouble(), error.is_unavailable()), (Trouble::Transient, true), "{message}");
        }
        let conflict = said(DatabaseErrorKind::SerializationFailure, "could not serialize access").at_commit();
        assert_eq!(conflict.trouble(), Trouble::Conflict, "the database said that it did not happen");
        let refused = said(DatabaseErrorKind::Unknown, "relation \"x\" does not exist (SQLSTATE 42P01)").at_commit();
        assert_eq!((refused.trouble(), refused.is_unavailable()), (Trouble::Defect, false));
        let violated = said(DatabaseErrorKind::ForeignKeyViolation, "violates foreign key").at_commit();
        assert!(!violated.is_unavailable());
    }
}
