//! `countersign user export`: everything that is stored about a user, as JSON. The audit trail is written page by page.

use super::find::Which;
use super::{Context, Error, gone};
use crate::administration::export::table as rows;
use crate::cli::audit;
use countersign_domain::user::User;
use countersign_store::work::{AuditOrder, FindAuditEvents};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// Writes it to a new file, or to the output.
pub(super) async fn run(
    context: &Context<'_>,
    which: &Which,
    file: Option<PathBuf>,
    output: &mut (dyn Write + Send),
) -> Result<(), Error> {
    let user = which.find(context.settings, &context.store).await?;
    let Some(path) = file else { return write(context, &user, output).await };
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let file = made.map_err(|error| Error::Usage(format!("failed to create {}: {error}", path.display())))?;
    let written = write_file(context, &user, file).await;
    if written.is_err() {
        // Half of an export is none.
        let _ = std::fs::remove_file(&path);
    }
    written
}

async fn write_file(context: &Context<'_>, user: &User, file: File) -> Result<(), Error> {
    let mut file = BufWriter::new(file);
    write(context, user, &mut file).await?;
    let file = file.into_inner().map_err(|error| Error::Output(error.into_error()))?;
    file.sync_all().map_err(Error::Output)
}

async fn write(context: &Context<'_>, user: &User, output: &mut (dyn Write + Send)) -> Result<(), Error> {
    let account_id = user.account.id;
    let stored = context.flows.stored_about(account_id).await?.ok_or_else(|| gone(user))?;
    let mut put = |text: &str| output.write_all(text.as_bytes()).map_err(Error::Output);
    put("{\n")?;
    for table in &stored.tables {
        put(&format!("  {}: {},\n", Value::from(table.table), rows(table)))?;
    }
    put("  \"auditEvents\": [")?;
    let mut find = FindAuditEvents {
        account_id: Some(account_id),
        kinds: Vec::new(),
        since: None,
        until: None,
        order: AuditOrder::OldestFirst,
        after: None,
        limit: audit::PAGE,
    };
    let mut separator = "\n";
    loop {
        let events = context.store.audit_events(find.clone()).await?;
        for event in &events {
            put(&format!("{separator}    {}", audit::as_json(event)))?;
            separator = ",\n";
        }
        match events.last() {
            Some(last) => find.after = Some(last.place()),
            None => break,
        }
    }
    put("\n  ]\n}\n")
}
