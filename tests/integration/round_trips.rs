//! How often an operation waits for the database, and how often it commits: the table of `server/README.md`.

use crate::harness::database::Database;
use crate::harness::world::Time;
use crate::harness::{Authenticator, World};
use crate::passkeys::{SIGN_IN_OPTIONS, options, register, send_assertion};
use countersign::config::values::DatabaseUrl;
use countersign_test_postgres::proxy::{Counted, Proxy};
use countersign_test_postgres::{DatabaseKind, needs_postgres};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// Each operation is counted so many times, at most. The least is its own: the server's other work may add to any of them, so they
/// are counted again until none is above the table.
const ROUNDS: usize = 12;

/// How often the server looks for something to do of itself, and a little more.
const INTERVAL: Duration = Duration::from_millis(1_200);

/// How long nothing is counted when it has done that.
const QUIET: Duration = Duration::from_millis(150);

/// Frames of a write-ahead log that end a transaction (SQLite, "The WAL-Index File Format", 4.1), which grows only here.
fn commits_in(log: &Path) -> u32 {
    let log = std::fs::read(log).unwrap_or_default();
    let Some(header) = log.get(..32) else { return 0 };
    let number = |bytes: &[u8], at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let page_size = usize::try_from(number(header, 8)).unwrap();
    let is_of_this_log = |frame: &&[u8]| frame[8..16] == header[16..24];
    let frames = log[32..].chunks_exact(24 + page_size).take_while(is_of_this_log);
    frames.filter(|frame| number(frame, 4) != 0).count().try_into().unwrap()
}

/// What was counted, of one database.
enum Counter {
    Postgres(Proxy),
    Sqlite { log: std::path::PathBuf, seen: u32 },
}

impl Counter {
    /// Waits until the server has done what it does of itself, and will not do it again at once.
    async fn settle(&mut self) {
        let begun = Instant::now();
        let mut has_worked = false;
        while has_worked || begun.elapsed() < INTERVAL {
            self.take();
            tokio::time::sleep(QUIET).await;
            match self.take() == Counted::default() {
                true if has_worked => return,
                is_quiet => has_worked |= !is_quiet,
            }
        }
    }

    /// What was counted since the last time.
    fn take(&mut self) -> Counted {
        match self {
            Self::Postgres(proxy) => proxy.take(),
            Self::Sqlite { log, seen } => {
                let commits = commits_in(log);
                let since = commits - std::mem::replace(seen, commits);
                Counted { round_trips: 0, commits: since }
            }
        }
    }
}

#[derive(Default)]
struct Least(BTreeMap<String, Counted>);

impl Least {
    /// Whether none is above these.
    fn is_within(&self, table: &Self) -> bool {
        self.0.iter().all(|(operation, found)| {
            let expected = table.0.get(operation).copied().unwrap_or_default();
            found.round_trips <= expected.round_trips && found.commits <= expected.commits
        })
    }

    fn note(&mut self, operation: &str, counted: Counted) {
        let least = self.0.entry(operation.to_owned()).or_insert(counted);
        least.round_trips = least.round_trips.min(counted.round_trips);
        least.commits = least.commits.min(counted.commits);
    }
}

async fn world(kind: DatabaseKind) -> (World, Counter) {
    match kind {
        DatabaseKind::Postgres => {
            let database = Database::on_shared_cluster();
            let proxy = Proxy::in_front_of(&database.url());
            let world = World::sharing(&database, Time::Manual, |settings| {
                settings.database.url = DatabaseUrl::parse(proxy.url()).unwrap();
                // One, so that its statements are prepared after the first round.
                settings.database.connections = 1;
            });
            (world.await, Counter::Postgres(proxy))
        }
        DatabaseKind::Sqlite => {
            let world = World::start(kind).await;
            let file = world.database().file().unwrap().to_str().unwrap().to_owned();
            (world, Counter::Sqlite { log: format!("{file}-wal").into(), seen: 0 })
        }
    }
}

async fn count(kind: DatabaseKind, table: &Least) -> Least {
    let (world, mut counter) = world(kind).await;
    let service = world.service().await;
    let mut least = Least::default();
    for round in 0..ROUNDS {
        macro_rules! counted {
            ($operation:literal, $work:expr) => {{
                counter.settle().await;
                let done = $work;
                least.note($operation, counter.take());
                done
            }};
        }
        let user = counted!("sign up", world.user(&format!("counted-{round}")).await);
        let browser = world.browser();
        counted!("sign in", user.sign_in_from(&browser).await.ok());
        counted!("read the session", browser.get("/get-session").await.ok());
        counted!("sign out", browser.post("/sign-out").json(json!({})).await.ok());
        let app = counted!("enrol an app: begin", user.begin_enrolment().await);
        let verify = user.browser.post("/two-factor/verify-totp").json(json!({"code": app.code()}));
        counted!("enrol an app: confirm", verify.await.ok());
        let renew = user.browser.post("/two-factor/generate-backup-codes").json(json!({"password": user.password}));
        let codes = counted!("new backup codes", renew.await.ok());
        let browser = world.browser();
        counted!("sign in, to a challenge", user.sign_in_from(&browser).await.ok());
        let verify = browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()}));
        counted!("second factor: app", verify.await.ok());
        let browser = user.challenged().await;
        let sending = browser.post("/two-factor/send-otp").json(json!({}));
        match kind {
            DatabaseKind::Postgres => counted!("send a code", sending.await.ok()),
            // The log has the commits of its delivery as well.
            DatabaseKind::Sqlite => sending.await.ok(),
        };
        let code = world.last_code_for(&user.email);
        let verify = browser.post("/two-factor/verify-otp").json(json!({"code": code}));
        counted!("second factor: mailed code", verify.await.ok());
        let browser = user.challenged().await;
        let verify = browser.post("/two-factor/verify-backup-code").json(json!({"code": codes.text("/backupCodes/0")}));
        counted!("second factor: backup code", verify.await.ok());
        let wrong = user.challenged().await.post("/two-factor/verify-totp").json(json!({"code": app.wrong_code()}));
        counted!("second factor: wrong code", wrong.await);
        let user = world.user(&format!("passkey-{round}")).await;
        let mut authenticator = Authenticator::new();
        register(&user.browser, &mut authenticator).await.ok();
        let browser = world.browser();
        let response = authenticator.assert(&options(&browser, SIGN_IN_OPTIONS).await);
        counted!("sign in: passkey", send_assertion(&browser, response).await.ok());
        user.enrol().await;
        let browser = user.challenged().await;
        let response = authenticator.assert(&options(&browser, SIGN_IN_OPTIONS).await);
        counted!("second factor: passkey", send_assertion(&browser, response).await.ok());
        let user = service.user().await;
        let response = counted!("FusionAuth: log in, with a refresh token", service.log_in(&user).await.ok());
        let refresh = json!({"refreshToken": response.text("/refreshToken")});
        counted!("FusionAuth: refresh a token", service.open("/jwt/refresh", refresh).await.ok());
        let app = counted!("FusionAuth: enrol an app", service.enrol(&user).await);
        let id = service.challenge(&user).await;
        let code = app.fresh_code();
        counted!("FusionAuth: second factor, app", service.complete(&id, &code).await.ok());
        if least.is_within(table) {
            break;
        }
    }
    least
}

/// In the place of a number.
const NOT_COUNTED: &str = "–";

/// The rows of the table, as they should be.
fn rows(postgres: &Least, sqlite: &Least) -> String {
    let row = |(operation, counted): (&String, &Counted)| {
        let Counted { round_trips, commits } = counted;
        let of_sqlite = sqlite.0.get(operation).map_or(NOT_COUNTED.to_owned(), |counted| counted.commits.to_string());
        format!("| {operation} | {round_trips} | {commits} | {of_sqlite} |\n")
    };
    postgres.0.iter().map(row).collect()
}

/// What the table says, of PostgreSQL and of SQLite.
fn read(table: &str) -> (Least, Least) {
    let (mut postgres, mut sqlite) = (Least::default(), Least::default());
    for line in table.lines().skip(2) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let number = |cell: usize| cells[cell].parse().unwrap();
        postgres.note(cells[0], Counted { round_trips: number(1), commits: number(2) });
        if cells[3] != NOT_COUNTED {
            sqlite.note(cells[0], Counted { round_trips: 0, commits: number(3) });
        }
    }
    (postgres, sqlite)
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn operations_wait_for_the_database_as_often_as_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/server/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (before, rest) = readme.split_once("<!-- round-trips -->\n").unwrap();
    let (table, after) = rest.split_once("<!-- end -->").unwrap();
    let heading: String = table.split_inclusive('\n').take(2).collect();
    let (of_postgres, of_sqlite) = read(table);
    let (postgres, sqlite) =
        tokio::join!(count(DatabaseKind::Postgres, &of_postgres), count(DatabaseKind::Sqlite, &of_sqlite));
    let found = heading + &rows(&postgres, &sqlite);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, format!("{before}<!-- round-trips -->\n{found}<!-- end -->{after}")).unwrap();
        return;
    }
    assert_eq!(found, table, "UPDATE_GOLDEN=1 writes it anew");
}
