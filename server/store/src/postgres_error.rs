//! Errors of PostgreSQL, as diesel has them.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind as Kind, Error as DieselError};
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

/// The error for a call that failed.
pub(crate) fn error(error: tokio_postgres::Error) -> DieselError {
    match error.as_db_error() {
        Some(refusal) => DieselError::DatabaseError(kind(refusal.code()), Box::new(Refusal::new(refusal.clone()))),
        None => DieselError::DatabaseError(Kind::UnableToSendCommand, Box::new(error.to_string())),
    }
}

fn kind(code: &SqlState) -> Kind {
    match *code {
        SqlState::UNIQUE_VIOLATION => Kind::UniqueViolation,
        SqlState::FOREIGN_KEY_VIOLATION => Kind::ForeignKeyViolation,
        SqlState::RESTRICT_VIOLATION => Kind::RestrictViolation,
        SqlState::EXCLUSION_VIOLATION => Kind::ExclusionViolation,
        SqlState::NOT_NULL_VIOLATION => Kind::NotNullViolation,
        SqlState::CHECK_VIOLATION => Kind::CheckViolation,
        SqlState::T_R_SERIALIZATION_FAILURE => Kind::SerializationFailure,
        SqlState::READ_ONLY_SQL_TRANSACTION => Kind::ReadOnlyTransaction,
        _ => Kind::Unknown,
    }
}

/// What the server says. Diesel keeps no SQLSTATE, so the message ends with it.
struct Refusal {
    refusal: DbError,
    message: String,
}

impl Refusal {
    fn new(refusal: DbError) -> Self {
        let message = format!("{} (SQLSTATE {})", refusal.message(), refusal.code().code());
        Self { refusal, message }
    }
}

impl DatabaseErrorInformation for Refusal {
    fn message(&self) -> &str {
        &self.message
    }

    fn details(&self) -> Option<&str> {
        self.refusal.detail()
    }

    fn hint(&self) -> Option<&str> {
        self.refusal.hint()
    }

    fn table_name(&self) -> Option<&str> {
        self.refusal.table()
    }

    fn column_name(&self) -> Option<&str> {
        self.refusal.column()
    }

    fn constraint_name(&self) -> Option<&str> {
        self.refusal.constraint()
    }

    fn statement_position(&self) -> Option<i32> {
        let (ErrorPosition::Original(position) | ErrorPosition::Internal { position, .. }) = self.refusal.position()?;
        i32::try_from(*position).ok()
    }
}
