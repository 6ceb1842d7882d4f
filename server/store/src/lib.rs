//! Persistence: one [`Store`] over an embedded SQLite database or a PostgreSQL server.
//!
//! Every change of state is one call named after what happened, carried out as one transaction that checks how many
//! rows it touched. A call either happened whole or not at all; what it decided comes back as a value, and an error
//! means that nothing is known to have happened.
//!
//! Queries are written once, in `queries/`, and compiled for each database (`sqlite`, `postgres`). Columns use only
//! types that both have. Nothing that opens something is stored readable: see [`work`] for what callers pass in.
#![expect(clippy::duplicate_mod, reason = "queries are written once and compiled for each connection type")]

mod cached;
mod connector;
mod error;
mod migrations;
mod open;
mod pipeline;
mod postgres;
mod postgres_url;
mod retry;
mod rows;
mod schema;
mod sqlite;
mod sqlite_writer;
mod store;
mod tls;
pub mod work;

pub use error::StoreError;
pub use open::{Database, OpenError, Options};
pub use postgres_url::UrlError;
pub use store::Store;
pub use tls::TlsError;
