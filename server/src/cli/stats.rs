//! `countersign stats`: what is in the database, and what happened lately. It needs no keyring.

use super::database::{DatabaseCommandError as Error, open_existing};
use super::json::{maybe_time, time};
use crate::clock::{Clock as _, SystemClock, utc_text};
use crate::config::Settings;
use countersign_domain::audit::EventKind;
use countersign_store::work::{CountEverything, MessageQueue, Statistics};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// For how long before now events are counted.
const LATELY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the text to print.
pub(super) async fn run(settings: &Settings, as_json: bool) -> Result<String, Error> {
    let store = open_existing(settings).await?;
    let now = SystemClock.now();
    let wanted = CountEverything {
        tenants: settings.directory.tenants().iter().map(|tenant| tenant.id).collect(),
        now,
        events_since: now - LATELY,
        kinds: EventKind::ALL.iter().map(|kind| kind.name().to_owned()).collect(),
    };
    let statistics = store.statistics(wanted).await?;
    let queue = store.message_queue(()).await?;
    Ok(match as_json {
        true => json(&statistics, &queue, time(now)),
        false => text(&statistics, &queue),
    })
}

fn json(statistics: &Statistics, queue: &MessageQueue, at: Value) -> String {
    let tenants = statistics.tenants.iter().map(|tenant| {
        json!({
            "tenantId": tenant.tenant_id.to_hyphenated(),
            "users": tenant.users,
            "withSecondFactor": tenant.with_second_factor,
            "deactivated": tenant.deactivated,
            "locked": tenant.locked,
        })
    });
    let events: Map<String, Value> =
        statistics.events.iter().map(|event| (event.kind.clone(), Value::from(event.count))).collect();
    let value = json!({
        "at": at,
        "tenants": tenants.collect::<Vec<_>>(),
        "sessions": statistics.sessions,
        "refreshTokens": statistics.refresh_tokens,
        "trustedDevices": statistics.trusted_devices,
        "messagesWaiting": queue.waiting,
        "oldestMessageAt": maybe_time(queue.oldest),
        "eventsOfLastDay": events,
    });
    format!("{value}\n")
}

fn text(statistics: &Statistics, queue: &MessageQueue) -> String {
    let tenants: String = statistics
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
    let oldest = queue.oldest.map(|oldest| format!(", the oldest since {}", utc_text(oldest))).unwrap_or_default();
    let events: String = statistics.events.iter().map(|event| format!("  {}: {}\n", event.kind, event.count)).collect();
    format!(
        "{tenants}sessions: {}\nrefresh tokens: {}\ntrusted devices: {}\nmessages that wait: {}{oldest}\n\
         events of the last 24 hours:\n{events}",
        statistics.sessions, statistics.refresh_tokens, statistics.trusted_devices, queue.waiting
    )
}
