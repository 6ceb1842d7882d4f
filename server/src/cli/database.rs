//! What commands that work on the database beside a running server have in common.

use crate::app::{self, AppError, store_options};
use crate::clock::SystemClock;
use crate::config::Settings;
use crate::config::values::DatabaseUrl;
use crate::first_run::{self, FirstRunError};
use countersign_flows::{FlowError, Flows};
use countersign_store::{OpenError, Options, Store, StoreError};
use std::sync::Arc;

#[derive(Debug, thiserror::Error)]
pub enum DatabaseCommandError {
    #[error(transparent)]
    FirstRun(#[from] FirstRunError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// The operator was asked and did not confirm.
    #[error("nothing was changed: not confirmed")]
    Declined,
    #[error("failed to ask on the terminal")]
    Terminal(#[source] std::io::Error),
    #[error("failed to read standard input")]
    Input(#[source] std::io::Error),
    #[error("failed to write the output")]
    Output(#[source] std::io::Error),
    /// What was checked is not as it should be; the output says what is wrong.
    #[error("{0}")]
    Faults(String),
    #[error("{0}")]
    Usage(String),
}

impl DatabaseCommandError {
    pub(super) fn is_usage_error(&self) -> bool {
        matches!(self, Self::Usage(_))
    }
}

/// Requires the database to exist, so that a wrong directory is reported instead of an empty new database, and its tables to be up to
/// date: those of a server that runs are not changed under it.
pub(super) async fn open_existing(settings: &Settings) -> Result<Store, DatabaseCommandError> {
    match &settings.database.url {
        DatabaseUrl::Sqlite(path) if first_run::is_missing(path) => Err(DatabaseCommandError::Usage(format!(
            "there is no database at {}; --data-dir or --database-url names the one that the server uses",
            path.display()
        ))),
        _ => Ok(Store::open(&Options { migrate: false, ..store_options(settings) }).await?),
    }
}

/// The flows of the server, on its database and with its keyring.
pub(super) async fn flows(settings: &Settings) -> Result<(Arc<Store>, Flows), DatabaseCommandError> {
    let store = Arc::new(open_existing(settings).await?);
    let keyring = first_run::inspect_keyring(settings)?.ok_or_else(|| {
        let text = "there is no keyring; COUNTERSIGN_KEYRING or --data-dir names the one that the server uses";
        DatabaseCommandError::Usage(text.to_owned())
    })?;
    let flows = app::flows_beside_server(settings, Arc::clone(&store), keyring, Arc::new(SystemClock)).await?;
    Ok((store, flows))
}
