//! Persistence: one [`Store`] over an embedded SQLite database or a PostgreSQL server.
//!
//! Every change of state is one call named after what happened, carried out as one transaction that checks how many
//! rows it touched. A call takes effect completely or not at all. Its decision is returned as a value; after an error
//! nothing is known to have been written.
//!
//! Queries are written once, in `queries/`, and compiled for each database (`sqlite`, `postgres`). Columns use only
//! types that both have. Credentials are stored as digests, hashes or ciphertext only, which callers pass in (see [`work`]).
#![expect(clippy::duplicate_mod, reason = "queries are written once and compiled for each connection type")]

mod account_locks;
mod cached;
mod committed;
mod connector;
pub mod database_file;
mod error;
mod file_lock;
mod gathering;
mod leader;
mod migrations;
mod one_row;
mod open;
mod open_error;
mod options;
mod pipeline;
mod postgres;
mod postgres_conn;
mod postgres_error;
mod postgres_row;
mod postgres_url;
mod quota_statements;
mod retry;
mod rows;
mod schema;
mod session_reads;
mod sessions;
mod sqlite;
mod sqlite_conn;
mod sqlite_writer;
mod standing;
mod store;
mod tls;
mod unknown_commits;
pub mod work;

pub use error::StoreError;
pub use file_lock::{FileLock, FileLockError};
pub use open_error::OpenError;
pub use options::{Database, Options};
pub use postgres_url::UrlError;
pub use store::{Connections, Store};
pub use tls::TlsError;

/// A duration as the tables have it.
fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
