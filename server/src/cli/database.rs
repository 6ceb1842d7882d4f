//! What commands that work on the database beside a running server have in common.

use crate::app::store_options;
use crate::config::Settings;
use crate::config::values::DatabaseUrl;
use crate::first_run::{self, FirstRunError};
use countersign_store::{OpenError, Store, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum DatabaseCommandError {
    #[error(transparent)]
    FirstRun(#[from] FirstRunError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Usage(String),
}

impl DatabaseCommandError {
    pub(super) fn is_usage_error(&self) -> bool {
        matches!(self, Self::Usage(_))
    }
}

/// Creates the database and its keyring if they are missing, as a start does.
pub(super) async fn open(settings: &Settings) -> Result<Store, DatabaseCommandError> {
    if matches!(settings.database.url, DatabaseUrl::Sqlite(_)) {
        crate::random::system().draw(|random| first_run::prepare(settings, random))?;
    }
    Ok(Store::open(&store_options(settings)).await?)
}

/// Requires the database to exist, so that a wrong directory is reported instead of an empty new database.
pub(super) async fn open_existing(settings: &Settings) -> Result<Store, DatabaseCommandError> {
    match &settings.database.url {
        DatabaseUrl::Sqlite(path) if !path.exists() => Err(DatabaseCommandError::Usage(format!(
            "there is no database at {}; --data-dir or --database-url names the one that the server uses",
            path.display()
        ))),
        _ => open(settings).await,
    }
}
