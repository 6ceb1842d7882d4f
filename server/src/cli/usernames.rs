//! `countersign username-conflicts`.

use super::database::{DatabaseCommandError, open_existing};
use crate::config::Settings;
use std::fmt::Write as _;

/// The accounts whose user names are the same, and what to do about it.
///
/// # Errors
/// When the database cannot be used, or its migrations are not applied.
pub(super) async fn conflicts(settings: &Settings) -> Result<String, DatabaseCommandError> {
    let store = open_existing(settings).await?;
    let conflicts = store.username_conflicts(()).await?;
    if conflicts.is_empty() {
        return Ok("No two accounts have the same user name.\n".to_owned());
    }
    let mut text = String::new();
    for conflict in &conflicts {
        let (name, form) = (conflict.username.escape_debug(), conflict.form.escape_debug());
        let _ = writeln!(text, "{}  \"{name}\" is compared as \"{form}\", as is", conflict.account_id.to_hyphenated());
        for (id, name) in &conflict.others {
            let _ = writeln!(text, "  {}  \"{}\"", id.to_hyphenated(), name.escape_debug());
        }
    }
    text.push_str(
        "Until one account of each such name is left, the name finds the account that is spelled exactly so, and no account in\n\
         any other spelling. Give all but one of them another name (`PATCH /api/user/{id}` with `{\"user\": {\"username\":\n\
         ...}}`), or delete them (`DELETE /api/user/{id}?hardDelete=true`). Nothing else is to be done.\n",
    );
    Ok(text)
}
