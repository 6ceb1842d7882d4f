//! Upgrades from the newest released version, while its nodes run: the statements that it ran go on before, during and after the
//! migrations (`countersign_test_postgres::released`).

use crate::migrations::{bring, describe};
use crate::world::Behind;
use countersign_store::{OpenError, Store};
use countersign_test_postgres::released::{self, Statement};
use countersign_test_postgres::{DatabaseKind, needs_postgres, on_each_database};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// Nodes of the released version that are at work. An embedded database is one node's, which writes by one thread.
fn nodes(kind: DatabaseKind) -> u32 {
    match kind {
        DatabaseKind::Sqlite => 1,
        DatabaseKind::Postgres => 3,
    }
}

/// A unit of work of the released version fails after its deadline, 15 seconds by default. So no statement may wait as long.
const DEADLINE: Duration = Duration::from_secs(15);

/// The time of the recording.
fn now() -> i64 {
    released::held()["recorded_at"].as_i64().unwrap()
}

/// A database with the tables of the released version.
fn released_database(kind: DatabaseKind) -> Behind {
    let behind = Behind::new(kind);
    match &behind {
        Behind::File { .. } => {
            let mut connection = behind.connect();
            connection.batch_execute("PRAGMA journal_mode = WAL").unwrap();
            connection.batch_execute(released::tables(kind)).unwrap();
        }
        Behind::Server(database) => drop(database.query(released::tables(kind)).unwrap()),
    }
    behind
}

/// A connection of a node of the released version.
enum Node {
    File(Box<SqliteConnection>),
    Server(tokio::runtime::Runtime, Box<tokio_postgres::Client>),
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Node {
    fn connect(behind: &Behind) -> Self {
        match behind {
            Behind::File { .. } => {
                let mut connection = behind.connect();
                connection.batch_execute("PRAGMA busy_timeout = 15000; PRAGMA foreign_keys = ON").unwrap();
                Self::File(Box::new(connection))
            }
            Behind::Server(database) => {
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
                let (client, connection) =
                    runtime.block_on(tokio_postgres::connect(&database.direct_url(), NoTls)).unwrap();
                runtime.spawn(connection);
                // As the released version sets up its connections.
                runtime
                    .block_on(client.batch_execute("SET statement_timeout = 15000; SET lock_timeout = 15000"))
                    .unwrap();
                Self::Server(runtime, Box::new(client))
            }
        }
    }

    fn batch(&mut self, sql: &str) -> Result<(), String> {
        match self {
            Self::File(connection) => connection.batch_execute(sql).map_err(|error| error.to_string()),
            Self::Server(runtime, client) => {
                runtime.block_on(client.batch_execute(sql)).map_err(|error| countersign_domain::error_chain(&error))
            }
        }
    }

    /// Runs a statement; returns the number of rows that it found or changed.
    fn run(&mut self, statement: &Statement) -> Result<u64, String> {
        match self {
            Self::File(connection) => {
                let text = statement.text(DatabaseKind::Sqlite);
                let rows = match statement.writes() {
                    true => diesel::sql_query(text).execute(connection.as_mut()).map(|rows| rows as u64),
                    false => diesel::sql_query(format!("SELECT count(*) AS number FROM ({text})"))
                        .get_result::<Number>(connection.as_mut())
                        .map(|found| found.number.unsigned_abs()),
                };
                rows.map_err(|error| error.to_string())
            }
            Self::Server(runtime, client) => {
                let text = statement.text(DatabaseKind::Postgres);
                let messages = runtime
                    .block_on(client.simple_query(&text))
                    .map_err(|error| countersign_domain::error_chain(&error))?;
                let complete = messages.iter().filter_map(|message| match message {
                    SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
                    _ => None,
                });
                // PREPARE and DEALLOCATE touch no rows.
                Ok(complete.sum())
            }
        }
    }

    /// Runs a transaction as the released version does: again after a deadlock.
    fn transact(&mut self, transaction: &[Statement], slowest: &AtomicU64) -> Result<Vec<u64>, String> {
        let begun = Instant::now();
        for _ in 0..10 {
            let result = self.try_transact(transaction);
            slowest.fetch_max(u64::try_from(begun.elapsed().as_millis()).unwrap(), Ordering::Relaxed);
            match result {
                Err(error) if error.contains("deadlock detected") => self.batch("ROLLBACK; DEALLOCATE ALL")?,
                Err(error) => return Err(format!("{error}, in {transaction:#?}")),
                Ok(rows) => return Ok(rows),
            }
        }
        Err("ten deadlocks in a row".to_owned())
    }

    fn try_transact(&mut self, transaction: &[Statement]) -> Result<Vec<u64>, String> {
        self.batch(match self {
            Self::File(_) => "BEGIN IMMEDIATE",
            Self::Server(..) => "BEGIN",
        })?;
        let rows = transaction.iter().map(|statement| self.run(statement)).collect::<Result<_, _>>()?;
        self.batch("COMMIT")?;
        Ok(rows)
    }

    /// Takes users of their own through everything; returns the number of rows of each statement.
    fn travel(&mut self, number: u32, slowest: &AtomicU64) -> Vec<u64> {
        let transactions = released::journey(number, now());
        transactions.iter().flat_map(|transaction| self.transact(transaction, slowest).unwrap()).collect()
    }
}

/// Nodes of the released version at work.
struct Load {
    stop: Arc<AtomicBool>,
    is_migrating: Arc<AtomicBool>,
    is_migrated: Arc<AtomicBool>,
    begun: Arc<AtomicU32>,
    slowest: Arc<AtomicU64>,
    nodes: Vec<JoinHandle<Travels>>,
}

/// What a node has seen: the rows of the statements of whole journeys before, and of those after the migrations, and how many journeys
/// there were in all.
#[derive(Default)]
struct Travels {
    before: Vec<Vec<u64>>,
    after: Vec<Vec<u64>>,
    all: u32,
}

impl Load {
    fn start(behind: &Arc<Behind>, count: u32) -> Self {
        let [stop, is_migrating, is_migrated] = [(); 3].map(|()| Arc::new(AtomicBool::new(false)));
        let (begun, slowest) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU64::new(0)));
        let nodes = (0..count).map(|_| {
            let (behind, stop, is_migrated) = (Arc::clone(behind), Arc::clone(&stop), Arc::clone(&is_migrated));
            let (is_migrating, begun, slowest) = (Arc::clone(&is_migrating), Arc::clone(&begun), Arc::clone(&slowest));
            thread::spawn(move || {
                let mut node = Node::connect(&behind);
                let mut travels = Travels::default();
                while !stop.load(Ordering::SeqCst) || travels.after.is_empty() {
                    let is_after = is_migrated.load(Ordering::SeqCst);
                    let rows = node.travel(begun.fetch_add(1, Ordering::SeqCst) + 1, &slowest);
                    travels.all += 1;
                    // What ended after the migrations had begun, and began before they had ended, belongs to neither.
                    match (is_after, is_migrating.load(Ordering::SeqCst)) {
                        (true, _) => travels.after.push(rows),
                        (false, false) => travels.before.push(rows),
                        (false, true) => {}
                    }
                }
                travels
            })
        });
        let nodes = nodes.collect();
        Self { stop, is_migrating, is_migrated, begun, slowest, nodes }
    }

    fn wait_for_journeys(&self, count: u32) {
        while self.begun.load(Ordering::SeqCst) < count {
            assert!(!self.nodes.iter().any(JoinHandle::is_finished), "a node of the released version failed");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn end(self) -> (Vec<Travels>, Duration) {
        self.stop.store(true, Ordering::SeqCst);
        let travels = self.nodes.into_iter().map(|node| node.join().unwrap()).collect();
        (travels, Duration::from_millis(self.slowest.load(Ordering::SeqCst)))
    }
}

/// Users and methods beside those of the journeys, so that migrations that go through a table take their time.
fn fill(behind: &Behind, count: u32) {
    let account = |id: &str| {
        format!(
            "INSERT INTO accounts (id, tenant_id, email, name, email_verified, two_factor_enabled, credentials_version, failed_attempts, \
             consecutive_locks, profile, password_changed_at, password_change_required, is_active, created_at, updated_at, username, \
             username_key) SELECT {id}, 'c0de0000000040008000000000000001', {id} || '@example.org', '', '0', '1', 0, 0, 0, '{{}}', 0, \
             '0', '1', 0, 0, {id}, {id} FROM numbers"
        )
    };
    let method = |id: &str| {
        format!(
            "INSERT INTO methods (id, account_id, handle, kind, address, confirmed_at, created_at) \
             SELECT {id}, {id}, 'MAIL', 'email', {id} || '@example.org', 0, 0 FROM numbers"
        )
    };
    match behind {
        Behind::File { .. } => {
            let numbers = format!(
                "CREATE TEMP TABLE numbers AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count}) \
                 SELECT n FROM n; "
            );
            let id = "('f' || n)";
            behind.connect().batch_execute(&format!("{numbers}{}; {}", account(id), method(id))).unwrap();
        }
        Behind::Server(database) => {
            let id = "('f' || n)";
            let numbers = format!("CREATE TEMP TABLE numbers AS SELECT n FROM generate_series(1, {count}) AS n; ");
            database.query(&format!("{numbers}{}; {}", account(id), method(id))).unwrap();
        }
    }
}

/// The kept tables are those that the released migrations make: those are never edited.
#[on_each_database]
async fn the_kept_tables_are_those_of_the_released_migrations(kind: DatabaseKind) {
    let brought = Behind::new(kind);
    bring(&brought, released::MIGRATIONS).await;
    assert_eq!(describe(&released_database(kind)), describe(&brought));
}

#[on_each_database]
async fn nodes_of_the_released_version_work_before_during_and_after_the_migrations(kind: DatabaseKind) {
    let behind = Arc::new(released_database(kind));
    fill(&behind, 20_000);
    let expected = tokio::task::block_in_place(|| Node::connect(&behind).travel(0, &AtomicU64::new(0)));
    assert!(expected.iter().any(|rows| *rows > 1) && expected.len() > 150, "the journey does too little: {expected:?}");

    let load = Load::start(&behind, nodes(kind));
    // So many were begun that one has ended.
    load.wait_for_journeys(2 * nodes(kind));
    // Two new nodes start at once.
    load.is_migrating.store(true, Ordering::SeqCst);
    let options = behind.options();
    let (one, other) = tokio::join!(Store::open(&options), Store::open(&options));
    load.is_migrated.store(true, Ordering::SeqCst);
    let stores = [one.unwrap(), other.unwrap()];
    let (travels, slowest) = tokio::task::block_in_place(|| load.end());

    for store in &stores {
        store.ping(()).await.unwrap();
    }
    assert!(travels.iter().any(|travel| !travel.before.is_empty()), "no journey ended before the migrations");
    for travel in &travels {
        assert!(!travel.after.is_empty(), "a node made no journey after the migrations");
        for rows in travel.before.iter().chain(&travel.after) {
            assert_eq!(
                *rows, expected,
                "a statement of the released version has another result than on its own tables"
            );
        }
    }
    println!("the longest wait of the released version was {slowest:?}");
    assert!(slowest < DEADLINE, "a transaction of the released version waited for {slowest:?}");
    // Each journey leaves three users and deletes one.
    let journeys: u32 = travels.iter().map(|travel| travel.all).sum();
    assert_eq!(
        behind.count("accounts WHERE email LIKE '%@example.com'"),
        i64::from(3 * (journeys + 1)),
        "a write is lost"
    );
    assert_eq!(behind.count("api_keys"), i64::from(journeys + 1));
}

/// A transaction that holds a table for long delays the migrations, and nothing else queues up behind them for long.
#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn a_long_transaction_delays_the_migrations_and_not_the_released_version() {
    let behind = Arc::new(released_database(DatabaseKind::Postgres));
    let (mut holder, mut reader) = tokio::task::block_in_place(|| (Node::connect(&behind), Node::connect(&behind)));
    let slowest = AtomicU64::new(0);
    tokio::task::block_in_place(|| {
        holder.batch("BEGIN; SELECT count(*) FROM accounts").unwrap();
    });
    let options = behind.options();
    let migrating = tokio::spawn(async move { Store::migrate(&options).await });
    tokio::task::block_in_place(|| {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(6) {
            reader.travel(u32::try_from(begun.elapsed().as_micros()).unwrap(), &slowest);
        }
    });
    assert!(!migrating.is_finished(), "it waits for the transaction");
    tokio::task::block_in_place(|| holder.batch("COMMIT").unwrap());
    assert!(!migrating.await.unwrap().unwrap().is_empty());
    let slowest = Duration::from_millis(slowest.load(Ordering::SeqCst));
    assert!(slowest < Duration::from_secs(5), "a transaction waited behind a migration for {slowest:?}");
    tokio::task::block_in_place(|| drop((holder, reader)));
}

/// What a version from the future wrote.
#[on_each_database]
async fn newer_tables_are_refused_in_words_where_this_version_cannot_use_them(kind: DatabaseKind) {
    let behind = Behind::new(kind);
    drop(Store::open(&behind.options()).await.unwrap());
    // It only added something.
    behind.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('00000000009998')");
    Store::open(&behind.options()).await.unwrap().ping(()).await.unwrap();
    behind.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('00000000009999needs00000000009998')");
    for migrate in [true, false] {
        let options = countersign_store::Options { migrate, ..behind.options() };
        let Err(error) = Store::open(&options).await else { panic!("it opened") };
        assert!(matches!(&error, OpenError::Newer { .. }), "{error:?}");
        let start = "the database's tables are those of a newer version: after migration 00000000009999 they are for versions that \
                     know migration 00000000009998, and this one knows 000000000000";
        assert!(error.to_string().starts_with(start), "{error}");
    }
}

/// Statements after which a node of the version before may fail, with the migrations that have them all the same, and why nothing
/// fails there.
const EXCEPTIONS: [(&str, &str, &str); 2] = [
    (
        "_secret_fingerprints",
        "methods_by_fingerprint",
        "the column is new: rows of the version before have NULL there, and NULLs are not equal",
    ),
    (
        "_user_search",
        "COLLATE \"C\"",
        "the type stays TEXT: what changes is the order, which the version before does not ask for",
    ),
];

/// What a statement of a migration does to nodes that do not know it, if it does something.
fn breaks(statement: &str) -> Option<&'static str> {
    let words = statement.to_uppercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let has = |text: &str| words.contains(text);
    let is_new = words.starts_with("CREATE TABLE");
    [
        (has("DROP "), "takes something away"),
        (has("RENAME "), "renames something"),
        (has("SET NOT NULL") || has("ADD CONSTRAINT"), "refuses what the version before may write"),
        (has("ALTER COLUMN") && has(" TYPE "), "changes a type"),
        (
            has("ADD COLUMN") && has("NOT NULL") && !has("DEFAULT"),
            "needs a value that the version before does not write",
        ),
        (has("CREATE UNIQUE INDEX"), "refuses what the version before may write"),
        (has("TRIGGER") || has("DELETE FROM"), "changes rows behind the back of the version before"),
    ]
    .into_iter()
    .find_map(|(is_so, what)| (is_so && !is_new).then_some(what))
}

/// Migrations after the released version expand; one that contracts says in its name what it needs.
#[test]
fn migrations_since_the_release_only_expand() {
    let mut unexplained = Vec::new();
    let mut unused: Vec<_> = EXCEPTIONS.to_vec();
    for database in ["sqlite", "postgres"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
        let mut names: Vec<String> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        for name in names.iter().skip(released::MIGRATIONS).filter(|name| !name.contains("-needs-")) {
            let sql = std::fs::read_to_string(folder.join(name).join("up.sql")).unwrap();
            let without_comments: String = sql
                .lines()
                .filter(|line| !line.trim_start().starts_with("--"))
                .map(|line| format!("{line}\n"))
                .collect();
            for statement in without_comments.split(';') {
                let Some(what) = breaks(statement) else { continue };
                // An index of a table that the migration makes.
                let table = statement.split(" ON ").nth(1).and_then(|rest| rest.split_whitespace().next());
                if table.is_some_and(|table| without_comments.contains(&format!("CREATE TABLE {table} "))) {
                    continue;
                }
                let explains =
                    |exception: &(&str, &str, &str)| name.ends_with(exception.0) && statement.contains(exception.1);
                match EXCEPTIONS.iter().any(explains) {
                    true => unused.retain(|exception| !explains(exception)),
                    false => unexplained.push(format!("{database}/{name} {what}: {}", statement.trim())),
                }
            }
        }
    }
    assert_eq!(unexplained, Vec::<String>::new());
    assert_eq!(unused, vec![], "exceptions that no migration needs");
}

#[test]
fn what_breaks_the_version_before_is_recognised() {
    for statement in [
        "DROP TABLE budgets",
        "ALTER TABLE budgets RENAME TO quotas",
        "ALTER TABLE a RENAME COLUMN b TO c",
        "ALTER TABLE a ADD COLUMN b TEXT NOT NULL",
        "ALTER TABLE a ALTER COLUMN b SET NOT NULL",
        "ALTER TABLE a ALTER COLUMN b TYPE BIGINT",
        "CREATE UNIQUE INDEX a_by_b ON a (b)",
        "DELETE FROM a",
    ] {
        assert!(breaks(statement).is_some(), "{statement}");
    }
    for statement in [
        "CREATE TABLE a (b TEXT NOT NULL)",
        "ALTER TABLE a ADD COLUMN b BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE a ADD COLUMN b TEXT",
        "CREATE INDEX a_by_b ON a (b)",
    ] {
        assert_eq!(breaks(statement), None, "{statement}");
    }
}
