//! `countersign audit`: reads the audit trail beside a running server, as JSON lines, which needs no keyring; and verifies it.

mod verify;

use super::database::{DatabaseCommandError as Error, open_existing};
use super::user::find::{InTenant, find};
use super::when::{self, When};
use crate::administration::audit;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Settings;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use countersign_domain::audit::EventKind;
use countersign_domain::audit_chain::Head;
use countersign_domain::ids::{AccountId, AuditId};
use countersign_domain::time::Timestamp;
use countersign_store::Store;
use countersign_store::work::{AuditOrder, AuditPlace, FindAuditEvents, StoredAuditEvent};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

/// Events that are read at once, so that the memory of a command does not grow with the trail.
pub(super) const PAGE: u32 = 500;

/// The most events that `query` and `tail` show at once.
const LONGEST_PAGE: i64 = 10_000;

/// How often `tail --follow` looks for new events.
const POLL: Duration = Duration::from_secs(1);

/// How long after its time an event can become visible: the time is that of the request, and the row is visible after the commit, on
/// any node. The deadline of a transaction is shorter.
const LATEST: Duration = Duration::from_secs(30);

const EXAMPLES: &str = "\
Examples:
  countersign audit tail --follow
      What happens now.
  countersign audit query --account ada@example.com --since 7d
      What happened to an account within a week, the newest first.
  countersign audit query --kind account-locked --kind account-suspended --limit 20
      The last locks.
  countersign audit export --since 2026-03-01 --until 2026-04-01 > march.ndjson
      A month, the oldest first.
  countersign audit verify
      Whether events were removed, changed, inserted or exchanged.

Each line is an event as JSON: `id`, `at` (RFC 3339), `kind`, `account`, `session`, `factor`, `dialect` (`admin` for the \
administration API, `operator` for the command line), `ipAddress`, `actor` with its `kind` (`user`, `service` with `apiKeyId`, `operator` with `name`, or \
`server`), and `requestId` and `traceId`, by which the access log has the request. What does not apply is null. Lines come in the order of time.

Settings, such as --database-url, are given as to the server: `countersign --help` explains them.

Exit status: 0 on success, 2 for mistakes in the command line or the configuration, 1 for other failures.";

#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AuditCommands {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum AuditCommand {
    /// Print the last events, the oldest first, and with --follow those that come.
    Tail {
        #[command(flatten)]
        which: Which,
        /// Events to begin with.
        #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=LONGEST_PAGE))]
        lines: u32,
        /// Go on until Ctrl-C.
        #[arg(long, short)]
        follow: bool,
    },
    /// Print a page of events, the newest first.
    Query {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        when: Range,
        /// Events of a page.
        #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=LONGEST_PAGE))]
        limit: u32,
        /// The oldest first.
        #[arg(long)]
        oldest_first: bool,
    },
    /// Print all events, the oldest first. Events of the last half minute may still be on their way: an export that is to be
    /// continued ends with `--until 30s`.
    Export {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        when: Range,
    },
    /// Verify the chain of the trail: print how much was checked, its head, and each fault, with exit status 1. It needs the keyring.
    Verify {
        /// A head that was printed or logged earlier, such as 12:ab34…, which has to be part of the trail.
        #[arg(long, value_name = "NUMBER:HASH", value_parser = verify::head)]
        head: Option<Head>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Debug, Args)]
struct Which {
    /// Only events of this account: its id, also after its deletion, or what its user signs in with.
    #[arg(long, value_name = "USER")]
    account: Option<String>,
    #[command(flatten)]
    tenant: InTenant,
    /// Only events of this kind; can be repeated.
    #[arg(long, value_name = "KIND", value_parser = kinds(), hide_possible_values = true)]
    kind: Vec<String>,
}

#[derive(Clone, Debug, Args)]
struct Range {
    /// Only events from this time on: RFC 3339, a day, or so long ago, such as 36h or 7d.
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    since: Option<When>,
    /// Only events before this time.
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    until: Option<When>,
    /// Continue after the event with this id: the last one of the page before.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
}

fn kinds() -> PossibleValuesParser {
    EventKind::ALL.iter().map(|kind| kind.name()).into()
}

/// Runs a command and writes its output.
pub(super) async fn run(
    settings: &Settings,
    commands: AuditCommands,
    output: &mut (dyn Write + Send),
) -> Result<(), Error> {
    let store = open_existing(settings).await?;
    match commands.command {
        AuditCommand::Verify { head, json } => verify::run(settings, &store, head, json, output).await,
        AuditCommand::Tail { which, lines, follow } => {
            let find = which.read(settings, &store).await?;
            let mut newest = store.audit_events(FindAuditEvents { limit: lines, ..find.clone() }).await?;
            newest.reverse();
            write(&newest, output)?;
            if follow {
                follow_from(&store, find, newest, output).await?;
            }
            Ok(())
        }
        AuditCommand::Query { which, when, limit, oldest_first } => {
            let find = when.within(which.read(settings, &store).await?, &store).await?;
            let order = if oldest_first { AuditOrder::OldestFirst } else { AuditOrder::NewestFirst };
            write(&store.audit_events(FindAuditEvents { limit, order, ..find }).await?, output)
        }
        AuditCommand::Export { which, when } => {
            let find = when.within(which.read(settings, &store).await?, &store).await?;
            let mut find = FindAuditEvents { order: AuditOrder::OldestFirst, ..find };
            loop {
                let events = store.audit_events(find.clone()).await?;
                write(&events, output)?;
                let Some(last) = events.last() else { return Ok(()) };
                find.after = Some(last.place());
            }
        }
    }
}

impl Which {
    /// The newest events first, a page of them.
    async fn read(&self, settings: &Settings, store: &Store) -> Result<FindAuditEvents, Error> {
        let tenant = self.tenant.read(settings)?;
        let account_id = match &self.account {
            None => None,
            Some(text) => Some(match AccountId::parse(text.trim()) {
                Some(id) => id,
                None => find(settings, store, text, tenant).await?.account.id,
            }),
        };
        let mut kinds = self.kind.clone();
        kinds.sort_unstable();
        kinds.dedup();
        let order = AuditOrder::NewestFirst;
        Ok(FindAuditEvents { account_id, kinds, since: None, until: None, order, after: None, limit: PAGE })
    }
}

impl Range {
    async fn within(&self, find: FindAuditEvents, store: &Store) -> Result<FindAuditEvents, Error> {
        let now = SystemClock.now();
        let after = match &self.after {
            None => None,
            Some(text) => Some(place(store, text).await?),
        };
        let (since, until) = (self.since.map(|when| when.at(now)), self.until.map(|when| when.at(now)));
        Ok(FindAuditEvents { since, until, after, ..find })
    }
}

async fn place(store: &Store, text: &str) -> Result<AuditPlace, Error> {
    let found = match AuditId::parse(text) {
        Some(id) => store.audit_place(id).await?,
        None => None,
    };
    found.ok_or_else(|| Error::Usage(format!("--after: there is no event `{text}`, or it was deleted as too old")))
}

/// Writes events that come after those that were written, until the output is closed. An event that comes late is written late.
async fn follow_from(
    store: &Store,
    find: FindAuditEvents,
    written: Vec<StoredAuditEvent>,
    output: &mut (dyn Write + Send),
) -> Result<(), Error> {
    let start = written.last().map_or_else(|| SystemClock.now(), |event| event.at);
    // Events before the first look that were not asked for are not written.
    let mut seen: BTreeMap<AuditId, Timestamp> = written.iter().map(|event| (event.id, event.at)).collect();
    let mut newest = start;
    let first = FindAuditEvents { order: AuditOrder::OldestFirst, since: Some(start - LATEST), ..find };
    for event in &pages(store, first.clone()).await? {
        if event.at <= start {
            seen.insert(event.id, event.at);
        }
    }
    loop {
        let find = FindAuditEvents { since: Some(newest - LATEST), ..first.clone() };
        let mut events = pages(store, find).await?;
        events.retain(|event| !seen.contains_key(&event.id));
        write(&events, output)?;
        seen.extend(events.iter().map(|event| (event.id, event.at)));
        newest = events.iter().map(|event| event.at).fold(newest, Timestamp::max);
        seen.retain(|_, at| *at >= newest - LATEST);
        tokio::time::sleep(POLL).await;
    }
}

/// All events; for a short time only.
async fn pages(store: &Store, mut find: FindAuditEvents) -> Result<Vec<StoredAuditEvent>, Error> {
    let mut events: Vec<StoredAuditEvent> = Vec::new();
    loop {
        let page = store.audit_events(find.clone()).await?;
        let Some(last) = page.last() else { return Ok(events) };
        find.after = Some(last.place());
        events.extend(page);
    }
}

fn write(events: &[StoredAuditEvent], output: &mut (dyn Write + Send)) -> Result<(), Error> {
    let lines: String = events.iter().map(|event| format!("{}\n", as_json(event))).collect();
    output.write_all(lines.as_bytes()).and_then(|()| output.flush()).map_err(Error::Output)
}

pub(super) fn as_json(event: &StoredAuditEvent) -> Value {
    serde_json::to_value(audit::event(event)).expect("texts can be written as JSON")
}
