//! The chain of the audit trail: whatever is done to its rows behind the server's back is found, by name, and nothing else is.

use crate::harness::Process;
use crate::harness::database::Database;
use crate::harness::process::command;
use countersign::clock::{Clock as _, SystemClock};
use countersign_domain::actor::{Actor, OperatorName};
use countersign_domain::audit::{AuditEvent, EventKind, RequestIds};
use countersign_domain::audit_chain::{FaultKind, Head, TrailKeys};
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::key_retirement::{KeyRetirement, Need};
use countersign_domain::ids::{AccountId, AuditId, SessionId};
use countersign_domain::keyring::Keyring;
use countersign_domain::time::Timestamp;
use countersign_flows::audit_chain::{Verification, seal_waiting, verify};
use countersign_flows::key_rotation::{self, Retire};
use countersign_store::work::{NoteKey, RemoveAuditBlocks};
use countersign_store::{Options, Store};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use futures::future::join_all;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;

const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign");
const NOON: Timestamp = Timestamp::from_millis(1_772_366_400_000);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A database with a trail, and the keys of its server.
struct Trail {
    database: Database,
    store: Store,
    keyring: Arc<Keyring>,
    directory: TempDir,
}

async fn open(database: &Database) -> Store {
    let database = match database.file() {
        Some(path) => countersign_store::Database::Sqlite(path.to_owned()),
        None => countersign_store::Database::Postgres(database.url()),
    };
    Store::open(&Options::new(database)).await.unwrap()
}

fn new_ring() -> Keyring {
    countersign::random::system().draw(Keyring::generate)
}

/// An event with something in most columns.
fn event(at: Timestamp, keys: &TrailKeys) -> AuditEvent {
    let random = countersign::random::system();
    AuditEvent {
        id: random.draw(|random| AuditId::generate(at, random)),
        at,
        kind: EventKind::SecondFactorPassed,
        account_id: Some(random.draw(|random| AccountId::generate(at, random))),
        session_id: Some(random.draw(|random| SessionId::generate(at, random))),
        factor: Some(Factor::Totp),
        dialect: "better-auth",
        ip_address: "192.0.2.1".to_owned(),
        actor: Actor::Operator(OperatorName::new("cli:ada").unwrap()),
        request: RequestIds { request_id: Some("r".to_owned()), trace_id: Some("t".to_owned()) },
        keys: Some(keys.clone()),
        notices: None,
        webhooks: None,
    }
}

impl Trail {
    async fn start(kind: DatabaseKind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::make(kind, directory.path());
        let store = open(&database).await;
        Self { database, store, keyring: Arc::new(new_ring()), directory }
    }

    /// Three blocks of three events, a minute from each to the next; the ids of the events.
    async fn of_nine(kind: DatabaseKind) -> (Self, Vec<String>) {
        let trail = Self::start(kind).await;
        let mut ids = Vec::new();
        for block in 0..3 {
            for number in 0..3 {
                ids.push(trail.write(NOON + Duration::from_secs(60) * (block * 3 + number)).await);
            }
            trail.seal(NOON + DAY).await;
        }
        (trail, ids)
    }

    fn keys(&self) -> TrailKeys {
        TrailKeys::new(Arc::clone(&self.keyring))
    }

    async fn write(&self, at: Timestamp) -> String {
        let event = event(at, &self.keys());
        let id = event.id.to_text();
        self.store.record(event).await.unwrap();
        id
    }

    async fn seal(&self, now: Timestamp) -> countersign_flows::audit_chain::Sealed {
        seal_waiting(&self.store, &self.keys(), || now).await.unwrap()
    }

    async fn verify(&self, noted: Option<Head>) -> Verification {
        verify(&self.store, &self.keys(), noted, NOON + 3 * DAY, |_| {}).await.unwrap()
    }

    /// Names of the faults, with the numbers of their blocks.
    async fn faults(&self, noted: Option<Head>) -> Vec<(Option<i64>, String)> {
        let found = self.verify(noted).await;
        let name = |kind: &FaultKind| format!("{kind:?}").split(['(', ' ']).next().unwrap().to_owned();
        found.faults.iter().map(|fault| (fault.block, name(&fault.kind))).collect()
    }

    /// Keeps both tables as they are.
    fn keep(&self) {
        for table in ["events", "blocks"] {
            self.database.execute(&format!("CREATE TABLE kept_{table} AS SELECT * FROM audit_{table}"));
        }
    }

    fn restore(&self) {
        for table in ["events", "blocks"] {
            self.database.execute(&format!("DELETE FROM audit_{table}"));
            self.database.execute(&format!("INSERT INTO audit_{table} SELECT * FROM kept_{table}"));
        }
    }

    /// What the command prints, with its exit status.
    fn command(&self, arguments: &[&str]) -> (i32, String) {
        let settings = [
            ("COUNTERSIGN_DATABASE_URL", self.database.url()),
            ("COUNTERSIGN_KEYS", self.keyring.to_text().to_string()),
            ("COUNTERSIGN_DATA_DIR", self.directory.path().to_str().unwrap().to_owned()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value));
        let output = command(PROGRAM, &settings).args(["audit", "verify"]).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        (output.status.code().unwrap(), text)
    }
}

fn named(faults: &[(i64, &str)]) -> Vec<(Option<i64>, String)> {
    faults.iter().map(|(block, name)| (Some(*block), (*name).to_owned())).collect()
}

#[on_each_database]
async fn events_that_are_removed_changed_inserted_or_exchanged_are_found_by_name_a_16_4_2(kind: DatabaseKind) {
    let (trail, ids) = Trail::of_nine(kind).await;
    assert_eq!(trail.faults(None).await, []);
    trail.keep();
    let [second, fourth, fifth] = [&ids[1], &ids[3], &ids[4]];
    let of_fifth = format!("WHERE id = '{fifth}'");
    let mut cases = vec![
        (format!("DELETE FROM audit_events {of_fifth}"), named(&[(2, "EventMissing")])),
        (format!("UPDATE audit_events SET block = NULL {of_fifth}"), named(&[(2, "EventMissing")])),
        (
            format!("UPDATE audit_events SET id = '{}' {of_fifth}", "0".repeat(32)),
            named(&[(2, "EventInserted"), (2, "EventMissing")]),
        ),
        ("DELETE FROM audit_events WHERE block = 2".to_owned(), named(&[(2, "EventMissing"); 3])),
        // Ids exchanged: everything else of the two rows is exchanged, that is.
        (
            format!(
                "UPDATE audit_events SET id = 'x' {of_fifth}; \
                 UPDATE audit_events SET id = '{fifth}' WHERE id = '{fourth}'; \
                 UPDATE audit_events SET id = '{fourth}' WHERE id = 'x'"
            ),
            named(&[(2, "EventsExchanged")]),
        ),
        (
            format!(
                "UPDATE audit_events SET block = 2 WHERE id = '{second}'; UPDATE audit_events SET block = 1 {of_fifth}"
            ),
            named(&[(1, "EventInserted"), (1, "EventMissing"), (2, "EventInserted"), (2, "EventMissing")]),
        ),
    ];
    for column in "kind account_id session_id factor dialect ip_address api_key_id actor operator request_id trace_id"
        .split_whitespace()
    {
        let changed = named(&[(2, "EventChanged")]);
        cases.push((format!("UPDATE audit_events SET {column} = 'x' {of_fifth}"), changed.clone()));
        if !["kind", "dialect", "ip_address", "api_key_id"].contains(&column) {
            cases.push((format!("UPDATE audit_events SET {column} = NULL {of_fifth}"), changed));
        }
    }
    cases.push((format!("UPDATE audit_events SET at = at + 1 {of_fifth}"), named(&[(2, "EventChanged")])));
    let others = "at, kind, account_id, session_id, factor, dialect, ip_address, api_key_id, actor, operator, request_id, trace_id";
    let copy = |block: &str, mac: &str| {
        let id = "1".repeat(32);
        format!(
            "INSERT INTO audit_events (id, {others}, mac, block) SELECT '{id}', {others}, {mac}, {block} FROM audit_events {of_fifth}"
        )
    };
    cases.push((copy("2", "mac"), named(&[(2, "EventInserted")])));
    // A number that no block has, and one that is further on.
    cases.push((copy("-1", "mac"), vec![(None, "EventInserted".to_owned())]));
    cases.push((copy("9", "mac"), named(&[(4, "BlocksMissing")])));
    for (number, (sql, expected)) in cases.iter().enumerate() {
        trail.database.execute(sql);
        assert_eq!(trail.faults(None).await, *expected, "{sql}");
        if number % 8 == 0 {
            let (status, text) = trail.command(&[]);
            assert!(status == 1 && text.contains("FAULT block 2, 2026-03-01T12:0"), "{sql}: {status} {text}");
        }
        trail.restore();
        assert_eq!(trail.faults(None).await, [], "after {sql}");
    }
    // As an attacker inserts who knows of no block: without a MAC, or with that of another row.
    for mac in ["NULL", "mac"] {
        trail.database.execute(&copy("NULL", mac));
        let forged = vec![(None, "EventForged".to_owned())];
        assert_eq!(trail.faults(None).await, forged);
        let sealed = trail.seal(NOON + DAY).await;
        assert_eq!((sealed.blocks, sealed.refused), (0, vec!["1".repeat(32)]));
        assert_eq!(trail.faults(None).await, forged, "it is not sealed");
        let (status, text) = trail.command(&[]);
        let line = "FAULT no block, 2026-03-01T12:04:00.000Z: event 11111111-1111-1111-1111-111111111111 was inserted, or changed";
        assert!(status == 1 && text.contains(line), "{status} {text}");
        trail.restore();
    }
    // Changed before it is sealed.
    let id = trail.write(NOON + DAY).await;
    trail.database.execute(&format!("UPDATE audit_events SET kind = 'signed-in' WHERE id = '{id}'"));
    assert_eq!(trail.faults(None).await, [(None, "EventForged".to_owned())]);
}

#[on_each_database]
async fn blocks_that_are_removed_changed_or_exchanged_are_found_by_name_a_16_4_2(kind: DatabaseKind) {
    let (trail, ids) = Trail::of_nine(kind).await;
    let head = trail.verify(None).await.head.unwrap();
    trail.keep();
    let missing = |block| named(&[(block, "BlocksMissing")]);
    for (sql, expected) in [
        ("DELETE FROM audit_blocks WHERE number = 1".to_owned(), missing(1)),
        ("DELETE FROM audit_blocks WHERE number = 2".to_owned(), missing(2)),
        ("DELETE FROM audit_blocks WHERE number = 3".to_owned(), missing(3)),
        ("DELETE FROM audit_blocks".to_owned(), missing(1)),
        ("DELETE FROM audit_blocks WHERE number = 2; DELETE FROM audit_events WHERE block = 2".to_owned(), missing(2)),
        ("DELETE FROM audit_blocks WHERE number < 3; DELETE FROM audit_events WHERE block < 3".to_owned(), missing(1)),
        // An event along with the list of the block.
        (
            format!(
                "DELETE FROM audit_events WHERE id = '{}'; UPDATE audit_blocks SET entries = (SELECT entries FROM kept_blocks \
                 WHERE number = 1) WHERE number = 2",
                ids[4]
            ),
            named(&[
                (2, "EventInserted"),
                (2, "EventInserted"),
                (2, "EventMissing"),
                (2, "EventMissing"),
                (2, "EventMissing"),
            ]),
        ),
    ] {
        trail.database.execute(&sql);
        assert_eq!(trail.faults(None).await, expected, "{sql}");
        trail.restore();
    }
    for (column, value, name) in [
        ("number", "number + 10", "MacWrong"),
        ("previous", "hash", "MacWrong"),
        ("events", "events + 1", "MacWrong"),
        ("first_at", "first_at - 1", "MacWrong"),
        ("last_at", "last_at - 1", "MacWrong"),
        ("unsigned_until", "unsigned_until + 1", "MacWrong"),
        ("hash", "previous", "MacWrong"),
        ("is_checkpoint", "TRUE", "MacWrong"),
        ("mac", "hash", "MacWrong"),
        ("entries", "hash", "EventInserted"),
        ("key_id", "'00000000'", "KeyMissing"),
    ] {
        trail.database.execute(&format!("UPDATE audit_blocks SET {column} = {value} WHERE number = 2"));
        let faults = trail.faults(None).await;
        assert!(faults.iter().any(|(_, found)| found == name), "{column}: {faults:?}");
        trail.restore();
    }
    // Exchanged, rows and events.
    let exchange = |table: &str, column: &str| {
        format!(
            "UPDATE {table} SET {column} = 99 WHERE {column} = 2; UPDATE {table} SET {column} = 2 WHERE {column} = 3; \
             UPDATE {table} SET {column} = 3 WHERE {column} = 99"
        )
    };
    trail.database.execute(&exchange("audit_blocks", "number"));
    trail.database.execute(&exchange("audit_events", "block"));
    let faults = trail.faults(None).await;
    for expected in [(Some(2), "MacWrong".to_owned()), (Some(3), "OrderChanged".to_owned())] {
        assert!(faults.contains(&expected), "{faults:?}");
    }
    trail.restore();
    // The end is cut off: only who has noted the head finds that.
    trail.database.execute("DELETE FROM audit_blocks WHERE number = 3");
    trail.database.execute("DELETE FROM audit_events WHERE block = 3");
    assert_eq!(trail.faults(None).await, []);
    assert_eq!(trail.faults(Some(head)).await, named(&[(3, "HeadMissing")]));
    let (status, text) = trail.command(&["--head", &head.to_string()]);
    assert!(status == 1 && text.contains(&format!("the head {head} is not part of the trail")), "{text}");
    // So does it when the trail has grown over it again.
    trail.write(NOON + DAY).await;
    trail.seal(NOON + DAY).await;
    assert_eq!(trail.faults(Some(head)).await, named(&[(3, "HeadMissing")]));
    trail.restore();
    // A trail that was begun anew, without the MACs of its events.
    trail.database.execute("DELETE FROM audit_blocks");
    trail.database.execute("UPDATE audit_events SET block = NULL, mac = NULL");
    trail.seal(NOON + DAY).await;
    assert_eq!(trail.faults(Some(head)).await, named(&[(3, "HeadMissing")]));
    trail.restore();
    // The command on what is right: each earlier head is part of it.
    let (status, text) = trail.command(&["--head", &head.to_string()]);
    let expected = format!("checked 3 blocks with 9 events\n0 events wait to be sealed\nhead {head}\n");
    assert_eq!((status, text), (0, expected));
    trail.write(NOON + DAY).await;
    let (status, text) = trail.command(&["--json", "--head", &head.to_string()]);
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &found["unsealed"], &found["head"]), (0, &1.into(), &head.to_string().into()), "{text}");
    let (status, text) = trail.command(&["--head", "3:ab"]);
    assert!(status == 2 && text.contains("64 hexadecimal digits"), "{text}");
}

#[on_each_database]
async fn events_of_before_the_chain_are_sealed_and_later_ones_need_a_mac(kind: DatabaseKind) {
    let trail = Trail::start(kind).await;
    let written = (0..1_200_u32).map(|number| {
        let event = AuditEvent { keys: None, ..event(NOON + Duration::from_secs(6) * number, &trail.keys()) };
        trail.store.record(event)
    });
    join_all(written).await.into_iter().for_each(|written| written.unwrap());
    let sealed = trail.seal(NOON + DAY).await;
    // Two hours: a block has the events of an hour at most, and 500 of them.
    assert_eq!((sealed.events, sealed.refused.len()), (1_200, 0));
    assert!((3..=4).contains(&sealed.blocks), "{sealed:?}");
    // Nodes of the version before run for a day.
    let unsigned = || AuditEvent { keys: None, ..event(NOON + DAY, &trail.keys()) };
    trail.store.record(unsigned()).await.unwrap();
    assert_eq!(trail.seal(NOON + 2 * DAY - Duration::from_millis(1)).await.events, 1);
    trail.store.record(unsigned()).await.unwrap();
    assert_eq!(trail.seal(NOON + 2 * DAY).await.refused.len(), 1);
    assert_eq!(trail.faults(None).await, [(None, "EventForged".to_owned())]);
    let found = trail.verify(None).await;
    assert_eq!((found.events, found.unsealed), (1_201, 0));
}

#[on_each_database]
async fn sixty_four_writers_on_two_nodes_keep_the_chain_unbroken(kind: DatabaseKind) {
    const EACH: u32 = 10;
    let trail = Arc::new(Trail::start(kind).await);
    let nodes = [Arc::new(open(&trail.database).await), Arc::new(open(&trail.database).await)];
    let stop = Arc::new(AtomicBool::new(false));
    let mut sealing = JoinSet::new();
    for node in &nodes {
        let (node, keys, stop) = (Arc::clone(node), trail.keys(), Arc::clone(&stop));
        sealing.spawn(async move {
            let mut blocks = 0;
            while !stop.load(Ordering::Relaxed) {
                blocks += seal_waiting(&node, &keys, || SystemClock.now()).await.unwrap().blocks;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            blocks
        });
    }
    let mut writers = JoinSet::new();
    for writer in 0..64 {
        let (node, keys) = (Arc::clone(&nodes[writer % 2]), trail.keys());
        writers.spawn(async move {
            for _ in 0..EACH {
                node.record(event(SystemClock.now(), &keys)).await.unwrap();
            }
        });
    }
    let verified = trail.verify(None);
    let (_, during) = tokio::join!(writers.join_all(), verified);
    assert_eq!(during.faults, [], "beside nodes that write and seal");
    stop.store(true, Ordering::Relaxed);
    let blocks: u64 = sealing.join_all().await.into_iter().sum();
    let rest = trail.seal(SystemClock.now()).await;
    let found = trail.verify(None).await;
    assert_eq!((found.events, found.unsealed, found.faults), (u64::from(64 * EACH), 0, vec![]));
    assert_eq!(found.blocks, blocks + rest.blocks);
    assert_eq!(rest.refused, Vec::<String>::new());
}

#[on_each_database]
async fn retention_removes_whole_blocks_and_keeps_the_rest_checkable(kind: DatabaseKind) {
    let trail = &Trail::start(kind).await;
    let mut heads = Vec::new();
    for day in 0..6 {
        for minute in 0..4 {
            trail.write(NOON + DAY * day + Duration::from_secs(60) * minute).await;
        }
        heads.push(trail.seal(NOON + 6 * DAY).await.head.unwrap());
    }
    let remove = |before| async move {
        let mut events = 0;
        loop {
            let remove = RemoveAuditBlocks { keys: trail.keys(), before, batch: 5 };
            let removed = trail.store.remove_audit_blocks(remove).await.unwrap();
            assert_eq!(removed.changed, Vec::<i64>::new());
            events += removed.events;
            if !removed.has_more {
                return events;
            }
        }
    };
    assert_eq!(remove(NOON).await, 0, "the first block has younger events, too");
    assert_eq!(remove(NOON + 2 * DAY + Duration::from_secs(60 * 60)).await, 12);
    assert_eq!(trail.database.number("SELECT count(*) AS number FROM audit_blocks"), 4);
    let found = trail.verify(Some(heads[2])).await;
    assert_eq!((found.faults.as_slice(), found.blocks, found.events, found.head), (&[][..], 3, 12, Some(heads[5])));
    assert_eq!(found.checkpoint, Some((3, NOON + 2 * DAY + Duration::from_secs(180))));
    assert_eq!(trail.faults(Some(heads[1])).await, named(&[(2, "HeadTooOld")]));
    assert_eq!(trail.faults(Some(heads[4])).await, []);
    trail.keep();
    // Nobody else begins the trail later than it began, or has retention do it.
    trail.database.execute("DELETE FROM audit_blocks WHERE number = 3");
    assert_eq!(trail.faults(None).await, named(&[(1, "BlocksMissing")]));
    trail.restore();
    trail.database.execute("DELETE FROM audit_blocks WHERE number = 3");
    trail.database.execute("DELETE FROM audit_events WHERE block = 4");
    trail.database.execute("UPDATE audit_blocks SET is_checkpoint = TRUE WHERE number = 4");
    assert!(trail.faults(None).await.contains(&(Some(4), "MacWrong".to_owned())));
    trail.restore();
    trail.database.execute("UPDATE audit_blocks SET last_at = 0");
    assert_eq!(remove(NOON + 2 * DAY + Duration::from_secs(60 * 60)).await, 0, "a block does not go early");
    trail.restore();
    // All of it, in the end; and it goes on.
    assert_eq!(remove(NOON + 7 * DAY).await, 12);
    trail.write(NOON + 8 * DAY).await;
    trail.seal(NOON + 8 * DAY).await;
    let found = trail.verify(Some(heads[5])).await;
    assert_eq!((found.faults.as_slice(), found.blocks, found.events), (&[][..], 1, 1));
    // What was not the server's goes by its age.
    trail.database.execute("UPDATE audit_events SET mac = NULL, block = NULL");
    trail.database.execute("DELETE FROM audit_blocks WHERE number = 7");
    trail.seal(NOON + 8 * DAY).await;
    assert_eq!(trail.faults(None).await, [(None, "EventForged".to_owned())]);
    assert_eq!((remove(NOON + 8 * DAY).await, trail.faults(None).await), (1, vec![]));
}

/// More of them than a page of the smallest batch has.
#[on_each_database]
async fn retention_reads_on_behind_blocks_that_were_changed(kind: DatabaseKind) {
    let trail = &Trail::start(kind).await;
    for day in 0..5 {
        trail.write(NOON + DAY * day).await;
        trail.seal(NOON + 6 * DAY).await;
    }
    trail.database.execute("UPDATE audit_blocks SET last_at = 0 WHERE number <= 3");
    let remove = |before| trail.store.remove_audit_blocks(RemoveAuditBlocks { keys: trail.keys(), before, batch: 1 });
    let early = remove(NOON + 3 * DAY - Duration::from_millis(1)).await.unwrap();
    assert_eq!((early.events, early.changed), (0, vec![]), "no block behind them is old enough");
    let removed = remove(NOON + 3 * DAY).await.unwrap();
    assert_eq!((removed.events, removed.changed), (4, vec![1, 2, 3]));
    let found = trail.verify(None).await;
    assert_eq!((found.faults.as_slice(), found.blocks, found.events), (&[][..], 1, 1));
}

#[on_each_database]
async fn blocks_are_sealed_anew_before_their_key_is_retired_a_13_3_4(kind: DatabaseKind) {
    let (mut trail, ids) = Trail::of_nine(kind).await;
    let old = trail.keyring.active_id();
    // The checkpoint of retention has a MAC, too.
    let remove = RemoveAuditBlocks { keys: trail.keys(), before: NOON + Duration::from_secs(120), batch: 1 };
    assert_eq!(trail.store.remove_audit_blocks(remove).await.unwrap().events, 3);
    // An event that was written with the old key, and that no server seals.
    trail.write(NOON + DAY).await;
    let new = new_ring();
    let both = Keyring::parse(&format!("{}{}", *new.to_text(), *trail.keyring.to_text())).unwrap();
    trail.keyring = Arc::new(both);
    for (key_id, is_active) in [(old.clone(), true), (new.active_id(), false)] {
        trail.store.note_key(NoteKey { key_id, is_active, now: NOON }).await.unwrap();
    }
    let later = NOON + 300 * DAY;
    let random = countersign::random::system();
    let retire = || async {
        let retire =
            Retire { key_id: &old, ends_what_is_signed: true, longest_token: Duration::ZERO, rs256_is_in_use: false };
        key_rotation::retire(&trail.store, &trail.keyring, retire, later, &random).await.unwrap()
    };
    let reseal = || key_rotation::reseal(&trail.store, &trail.keyring, || later, &random, |_| {});
    assert_eq!(retire().await, KeyRetirement::Needed(vec![Need::SealedRows { rows: 3 }]));
    // A block that was changed is not made right by that.
    trail.keep();
    trail.database.execute("UPDATE audit_blocks SET last_at = 0 WHERE number = 2");
    let done = reseal().await.unwrap();
    assert_eq!(done.unopened.into_iter().collect::<Vec<_>>(), ["audit block 2"]);
    assert_eq!(retire().await, KeyRetirement::Needed(vec![Need::SealedRows { rows: 1 }]));
    trail.restore();
    assert_eq!(reseal().await.unwrap().resealed, 3);
    assert_eq!(retire().await, KeyRetirement::Retired);
    trail.keyring = Arc::new(new);
    let found = trail.verify(None).await;
    assert_eq!((found.faults.as_slice(), found.events, found.unsealed), (&[][..], 7, 0), "the last event was sealed");
    let sealed_by_new = format!("SELECT count(*) AS number FROM audit_blocks WHERE key_id <> '{old}'");
    assert_eq!(trail.database.number(&sealed_by_new), 4);
    trail.database.execute(&format!("DELETE FROM audit_events WHERE id = '{}'", ids[4]));
    assert_eq!(trail.faults(None).await, named(&[(2, "EventMissing")]));
}

/// The last head in a log.
fn logged_head(log: &str) -> String {
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut heads = lines.filter(|line| line["msg"] == "head of the audit trail");
    heads.next_back().expect(log)["head"].as_str().unwrap().to_owned()
}

fn verify_beside(server: &Process, arguments: &[&str]) -> (i32, String) {
    let output = server.beside(PROGRAM).args(["audit", "verify"]).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    (output.status.code().unwrap(), text)
}

fn start(database: &Option<Database>, kind: DatabaseKind, directory: &Path, keys: &str) -> Process {
    let environment = [("COUNTERSIGN_KEYS", keys), ("COUNTERSIGN_LOG_FORMAT", "json")];
    match database {
        None => Process::start(kind, directory, &environment),
        Some(shared) => Process::sharing(shared, directory, &environment),
    }
}

#[on_each_database]
async fn a_server_seals_what_it_writes_and_logs_the_head_by_which_a_cut_end_is_found(kind: DatabaseKind) {
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let keys = new_ring().to_text().to_string();
    let mut servers = vec![start(&None, kind, directories[0].path(), &keys)];
    let database = servers[0].database().clone();
    if kind == DatabaseKind::Postgres {
        servers.push(start(&Some(database.clone()), kind, directories[1].path(), &keys));
    }
    for (number, server) in servers.iter().cycle().take(4).enumerate() {
        server.user(&format!("user{number}")).await.signed_in().await;
    }
    let wrong = serde_json::json!({"email": "user0@example.com", "password": "not the password"});
    let at_once =
        servers.iter().cycle().take(64).map(|server| server.stranger().post("/sign-in/email").json(wrong.clone()));
    let refused = join_all(at_once.map(IntoFuture::into_future)).await;
    assert!(refused.iter().any(|response| response.status == 401), "{refused:?}");
    let events = || database.number("SELECT count(*) AS number FROM audit_events");
    let before = events();
    // Beside the servers.
    for _ in 0..200 {
        let (status, text) = verify_beside(&servers[0], &[]);
        assert_eq!(status, 0, "{text}");
        if text.contains("\n0 events wait") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (status, text) = verify_beside(&servers[0], &[]);
    assert!(before > 8 && status == 0 && text.contains(&format!("with {before} events\n0 events wait")), "{text}");
    servers[0].user("last").await;
    for server in servers.iter_mut().rev() {
        assert!(server.terminate(), "{}", server.log());
    }
    let head = logged_head(&servers[0].log());
    let (status, text) = verify_beside(&servers[0], &["--head", &head]);
    let sealed = format!("with {} events\n0 events wait to be sealed\nhead {head}\n", events());
    assert!(status == 0 && text.contains(&sealed), "{text}");
    let last = head.split(':').next().unwrap();
    database.execute(&format!("DELETE FROM audit_events WHERE block = {last}"));
    database.execute(&format!("DELETE FROM audit_blocks WHERE number = {last}"));
    assert_eq!(verify_beside(&servers[0], &[]).0, 0);
    let (status, text) = verify_beside(&servers[0], &["--head", &head]);
    assert!(status == 1 && text.contains("its end was cut off or replaced"), "{text}");
}
