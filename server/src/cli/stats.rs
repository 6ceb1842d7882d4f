//! `countersign stats`: what is in the database, and what happened lately. It needs no keyring.

use super::database::{DatabaseCommandError as Error, open_existing};
use crate::administration::statistics::statistics;
use crate::clock::{Clock as _, SystemClock, utc_text};
use crate::config::Settings;
use countersign_flows::reports::{Counts, count};

/// Returns the text to print.
pub(super) async fn run(settings: &Settings, as_json: bool) -> Result<String, Error> {
    let store = open_existing(settings).await?;
    let counts = count(&store, &settings.directory, None, SystemClock.now()).await?;
    Ok(match as_json {
        true => {
            let shown = serde_json::to_value(statistics(&counts)).expect("numbers can be written as JSON");
            format!("{shown}\n")
        }
        false => text(&counts),
    })
}

fn text(counts: &Counts) -> String {
    let tenants: String = counts
        .tenants
        .iter()
        .map(|tenant| {
            format!(
                "tenant {}: {} users, {} with a second factor, {} deactivated, {} locked\n",
                tenant.tenant_id.to_hyphenated(),
                tenant.users,
                tenant.with_second_factor,
                tenant.deactivated,
                tenant.locked
            )
        })
        .collect();
    let Some(server) = &counts.server else { return tenants };
    let oldest =
        server.messages.oldest.map(|oldest| format!(", the oldest since {}", utc_text(oldest))).unwrap_or_default();
    let events: String = server.events.iter().map(|event| format!("  {}: {}\n", event.kind, event.count)).collect();
    format!(
        "{tenants}sessions: {}\nrefresh tokens: {}\ntrusted devices: {}\nmessages that wait: {}{oldest}\n\
         events of the last 24 hours:\n{events}",
        server.sessions, server.refresh_tokens, server.trusted_devices, server.messages.waiting
    )
}
