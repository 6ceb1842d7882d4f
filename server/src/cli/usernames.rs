//! `countersign username-conflicts`.

use crate::app::store_options;
use crate::config::Settings;
use countersign_store::{OpenError, Options, Store, StoreError};
use std::fmt::Write as _;

#[derive(Debug, thiserror::Error)]
pub enum UsernamesError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("failed to read the user names")]
    Read(#[from] StoreError),
}

/// The accounts whose user name is another account's, one a line.
///
/// # Errors
/// When the database cannot be used, or its migrations are not applied.
pub(super) async fn conflicts(settings: &Settings) -> Result<String, UsernamesError> {
    let store = Store::open(&Options { migrate: false, ..store_options(settings) }).await?;
    let conflicts = store.username_conflicts(()).await?;
    if conflicts.is_empty() {
        return Ok("No two accounts have the same user name.\n".to_owned());
    }
    let mut text = String::new();
    for conflict in conflicts {
        let (name, form) = (conflict.username.escape_debug(), conflict.username_key.escape_debug());
        let _ = writeln!(
            text,
            "{}  \"{name}\" is compared as \"{form}\", which another account has",
            conflict.account_id.to_hyphenated()
        );
    }
    Ok(text)
}
