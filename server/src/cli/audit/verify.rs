//! `countersign audit verify`: whether the audit trail is as the server has written it.

use super::super::database::DatabaseCommandError as Error;
use super::super::json::{maybe_time, time};
use crate::clock::{Clock as _, SystemClock, utc_text};
use crate::config::Settings;
use crate::{app, first_run};
use countersign_domain::audit_chain::{Fault, FaultKind, Head, TrailKeys};
use countersign_flows::audit_chain::{self, Verification};
use countersign_store::Store;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write};
use std::sync::Arc;

/// Reads `--head`.
pub(super) fn head(text: &str) -> Result<Head, String> {
    Head::parse(text.trim()).ok_or_else(|| {
        "expected the number of a block, a colon and 64 hexadecimal digits, as `countersign audit verify` prints them".to_owned()
    })
}

/// Verifies the trail and writes what was found.
pub(super) async fn run(
    settings: &Settings,
    store: &Store,
    noted: Option<Head>,
    is_json: bool,
    output: &mut (dyn Write + Send),
) -> Result<(), Error> {
    let keyring = first_run::inspect_keyring(settings)?.ok_or_else(|| {
        let text = "there is no keyring; COUNTERSIGN_KEYRING or --data-dir names the one that the server uses";
        Error::Usage(text.to_owned())
    })?;
    let now = SystemClock.now();
    app::inspect_keyring(store, &keyring, now).await?;
    let keys = TrailKeys::new(Arc::new(keyring));
    let mut terminal = std::io::stderr();
    let shows_progress = terminal.is_terminal();
    let report = |found: &Verification| {
        if shows_progress {
            let _ =
                write!(terminal, "\r{} blocks, {} events", found.blocks, found.events).and_then(|()| terminal.flush());
        }
    };
    let found = audit_chain::verify(store, &keys, noted, now, report).await?;
    if shows_progress {
        let _ = writeln!(std::io::stderr());
    }
    let text = if is_json { format!("{}\n", as_json(&found)) } else { as_text(&found) };
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Error::Output)?;
    match count(&found) {
        0 => Ok(()),
        faults => Err(Error::Faults(format!(
            "the audit trail is not as the server has written it: {faults} faults; keep a copy of the database, and of what this \
             command printed"
        ))),
    }
}

fn count(found: &Verification) -> u64 {
    u64::try_from(found.faults.len()).unwrap_or(u64::MAX).saturating_add(found.more_faults)
}

fn as_text(found: &Verification) -> String {
    let mut text = format!("checked {} blocks with {} events\n", found.blocks, found.events);
    let _ = writeln!(text, "{} events wait to be sealed", found.unsealed);
    if let Some((number, at)) = found.checkpoint {
        let _ = writeln!(text, "retention has removed the blocks up to {number}, the last event of {}", utc_text(at));
    }
    let head = found.head.map_or_else(|| "none".to_owned(), |head| head.to_string());
    let _ = writeln!(text, "head {head}");
    for Fault { block, at, kind } in &found.faults {
        let block = block.map_or_else(|| "no block".to_owned(), |number| format!("block {number}"));
        let at = at.map_or_else(String::new, |at| format!(", {}", utc_text(at)));
        let _ = writeln!(text, "FAULT {block}{at}: {}", crate::terminal::printable(&kind.to_string()));
    }
    if found.more_faults > 0 {
        let _ = writeln!(text, "and {} more faults", found.more_faults);
    }
    text
}

fn as_json(found: &Verification) -> Value {
    let faults = found.faults.iter().map(|fault| {
        json!({
            "block": fault.block,
            "at": maybe_time(fault.at),
            "kind": name(&fault.kind),
            "text": fault.kind.to_string(),
        })
    });
    json!({
        "blocks": found.blocks,
        "events": found.events,
        "unsealed": found.unsealed,
        "checkpoint": found.checkpoint.map(|(number, at)| json!({"block": number, "at": time(at)})),
        "head": found.head.map(|head| head.to_string()),
        "faults": faults.collect::<Vec<_>>(),
        "moreFaults": found.more_faults,
    })
}

/// Name of a kind of fault, for programs.
const fn name(kind: &FaultKind) -> &'static str {
    match kind {
        FaultKind::EventMissing(_) => "event-missing",
        FaultKind::EventChanged(_) => "event-changed",
        FaultKind::EventInserted(_) => "event-inserted",
        FaultKind::EventForged(_) => "event-forged",
        FaultKind::EventsExchanged(..) => "events-exchanged",
        FaultKind::BlocksMissing { .. } => "block-missing",
        FaultKind::BlockChanged => "block-changed",
        FaultKind::OrderChanged => "order-changed",
        FaultKind::MacWrong => "mac-wrong",
        FaultKind::KeyMissing(_) => "key-missing",
        FaultKind::HeadMissing(_) => "head-missing",
        FaultKind::HeadTooOld(_) => "head-too-old",
    }
}
