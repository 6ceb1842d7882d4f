//! What can go wrong between us and the database, and what may be done about it.
//!
//! PostgreSQL names what happened by a SQLSTATE, but the driver's layer above it keeps only some of them (40001, 25006,
//! violated constraints) and hands the rest on as words; SQLite gives words only. So the rest is known by its words,
//! which the connection asks for in English where it may ([`crate::connector`]). What is not known at all may still be
//! a deadlock in another language, and is tried again twice before it counts as a defect.

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

    /// What the database said, if it was the database.
    pub(crate) fn trouble(&self) -> Trouble {
        match self {
            Self::Refused(error) => Trouble::of(error),
            Self::Unavailable(error) => error.downcast_ref::<DieselError>().map_or(Trouble::Passing, Trouble::of),
            Self::Corrupt { .. } => Trouble::Defect,
        }
    }

    /// The same error, seen after the transaction was told to commit. What could be repeated before may have
    /// happened now, unless the database said that it did not.
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

/// Nobody can tell whether a transaction was committed.
#[derive(Debug, thiserror::Error)]
#[error("the connection was lost while a transaction was being committed")]
struct Ambiguous {
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// What an error of the database means for the work that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Another transaction was in the way (SQLSTATE 40001, 40P01): the same work may succeed when it is done again.
    Conflict,
    /// The connection is gone. Until a commit was sent nothing has happened, and another connection may work.
    Lost,
    /// The database cannot work now.
    Passing,
    /// It gave a reason that we do not know.
    Unclear,
    /// It refused.
    Defect,
}

impl Trouble {
    fn of(error: &DieselError) -> Self {
        use DatabaseErrorKind as Kind;
        match error {
            DieselError::DatabaseError(Kind::SerializationFailure, _) => Self::Conflict,
            DieselError::DatabaseError(Kind::ReadOnlyTransaction, _) => Self::Passing,
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
                let said = detail.message();
                let known = KNOWN.iter().find(|(_, texts)| texts.iter().any(|text| said.contains(text)));
                known.map_or(Self::Unclear, |(trouble, _)| *trouble)
            }
            DieselError::RollbackErrorOnCommit { commit_error, .. } => Self::of(commit_error),
            _ => Self::Defect,
        }
    }
}

/// What the databases say for which we have no code.
const KNOWN: [(Trouble, &[&str]); 3] = [
    (
        Trouble::Conflict,
        &[
            // 40P01.
            "deadlock detected",
        ],
    ),
    (
        Trouble::Lost,
        &[
            // 57P01, 57P02, 57P04, 57P05, 25P03: an administrator, a crash, a dropped database, a session or a
            // transaction that was idle for too long.
            "terminating connection",
        ],
    ),
    (
        Trouble::Passing,
        &[
            // 57014, 55P03: a time-out, or an administrator.
            "canceling statement",
            // 57P03.
            "the database system is",
            // 53300.
            "too many clients already",
            "connection slots are reserved",
            "too many connections",
            // 53100, 53200.
            "No space left on device",
            "out of memory",
            "out of shared memory",
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
];

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match Trouble::of(&error) {
            Trouble::Conflict | Trouble::Lost | Trouble::Passing => Self::unavailable(error),
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
    fn what_passes_is_unavailable_and_what_does_not_is_refused() {
        use DatabaseErrorKind as Kind;
        for (kind, message, trouble) in [
            (Kind::SerializationFailure, "konnte nicht serialisieren", Trouble::Conflict),
            (Kind::Unknown, "deadlock detected", Trouble::Conflict),
            (Kind::UnableToSendCommand, "connection closed", Trouble::Lost),
            (Kind::Unknown, "terminating connection due to administrator command", Trouble::Lost),
            (Kind::Unknown, "terminating connection because of crash of another server process", Trouble::Lost),
            (Kind::ReadOnlyTransaction, "cannot execute UPDATE in a read-only transaction", Trouble::Passing),
            (Kind::Unknown, "canceling statement due to statement timeout", Trouble::Passing),
            (Kind::Unknown, "the database system is shutting down", Trouble::Passing),
            (Kind::Unknown, "could not extend file \"base/1/2\": No space left on device", Trouble::Passing),
            (Kind::Unknown, "database is locked", Trouble::Passing),
            (Kind::Unknown, "database or disk is full", Trouble::Passing),
        ] {
            let error = said(kind, message);
            assert_eq!((error.trouble(), error.is_unavailable()), (trouble, true), "{message}");
        }
        for (kind, message, trouble) in [
            (Kind::UniqueViolation, "database is locked", Trouble::Defect),
            (Kind::Unknown, "no such table: accounts", Trouble::Unclear),
        ] {
            let error = said(kind, message);
            assert_eq!((error.trouble(), error.is_unavailable()), (trouble, false), "{message}");
        }
    }

    #[test]
    fn a_connection_lost_while_committing_is_not_to_be_repeated() {
        for message in ["terminating connection due to administrator command", "in einer anderen Sprache"] {
            let error = said(DatabaseErrorKind::Unknown, message).at_commit();
            assert_eq!((error.trouble(), error.is_unavailable()), (Trouble::Passing, true), "{message}");
        }
        let conflict = said(DatabaseErrorKind::SerializationFailure, "could not serialize access").at_commit();
        assert_eq!(conflict.trouble(), Trouble::Conflict, "the database said that it did not happen");
        let violated = said(DatabaseErrorKind::ForeignKeyViolation, "violates foreign key").at_commit();
        assert!(!violated.is_unavailable());
    }
}
