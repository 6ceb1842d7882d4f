//! Messages survive the death of nodes and of the mail server: none is lost, and few arrive twice.

use crate::harness::database::Database;
use crate::harness::{MailServer, Process};
use countersign::clock::{Clock as _, SystemClock};
use countersign_domain::actor::Actor;
use countersign_domain::audit::{AuditEvent, EventKind, RequestIds};
use countersign_domain::ids::{AccountId, AuditId};
use countersign_domain::keyring::Keyring;
use countersign_domain::message::{Notices, Sealer};
use countersign_flows::delivery::queue::AT_ONCE;
use countersign_store::{Options, Store};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tempfile::tempdir;
use tokio::time::Instant;

/// The long form: `COUNTERSIGN_MESSAGES=1000`.
fn messages() -> usize {
    std::env::var("COUNTERSIGN_MESSAGES").ok().and_then(|count| count.parse().ok()).unwrap_or(150)
}

/// Messages that are stored in a second; a node dies each second.
const EACH_SECOND: usize = 50;

fn event(account_id: AccountId, notices: &Notices) -> AuditEvent {
    let now = SystemClock.now();
    AuditEvent {
        id: countersign::random::system().draw(|random| AuditId::generate(now, random)),
        at: now,
        kind: EventKind::PasswordChanged,
        account_id: Some(account_id),
        session_id: None,
        factor: None,
        dialect: "test",
        ip_address: String::new(),
        actor: Actor::User,
        request: RequestIds::default(),
        keys: None,
        notices: Some(notices.clone()),
        webhooks: None,
    }
}

async fn open(database: &Database) -> Store {
    let database = match database.file() {
        Some(path) => countersign_store::Database::Sqlite(path.to_owned()),
        None => countersign_store::Database::Postgres(database.url()),
    };
    Store::open(&Options::new(database)).await.unwrap()
}

#[expect(clippy::print_stdout, reason = "a measurement, which no test may decide by")]
#[on_each_database]
async fn no_message_is_lost_when_nodes_and_the_mail_server_die(database: DatabaseKind) {
    let directory = tempdir().unwrap();
    let mut server = MailServer::start().await;
    let keyring = countersign::random::system().draw(Keyring::generate);
    let keys = keyring.to_text().to_string();
    let url = server.url();
    let environment = [
        ("COUNTERSIGN_SMTP_URL", url.as_str()),
        ("COUNTERSIGN_SMTP_FROM", "no-reply@example.com"),
        ("COUNTERSIGN_KEYS", keys.as_str()),
    ];
    let first = Process::start(database, directory.path(), &environment);
    let shared = first.database().clone();
    let mut nodes = vec![first];
    let other = tempdir().unwrap();
    if database == DatabaseKind::Postgres {
        nodes.push(Process::sharing(&shared, other.path(), &environment));
    }
    let user = nodes[0].user("ada").await;
    shared.execute("UPDATE accounts SET email_verified = TRUE");
    let account_id = AccountId::parse(&user.id).unwrap();
    let store = open(&shared).await;
    let lifetime = Duration::from_secs(3600);
    let notices =
        Notices { sealer: Sealer::new(Arc::new(keyring)), lifetime, unverified_a_day: 5, directory: Arc::default() };

    let (mut stored, mut deaths) = (BTreeSet::new(), 0);
    for second in 0..messages().div_ceil(EACH_SECOND) {
        let begun = Instant::now();
        for _ in 0..EACH_SECOND {
            let event = event(account_id, &notices);
            stored.insert(format!("{}@example.com", event.id));
            store.record(event).await.unwrap();
        }
        let node = second % nodes.len();
        nodes[node].kill_9();
        server.kill();
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.restart().await;
        nodes[node].restart();
        deaths += 2;
        tokio::time::sleep(Duration::from_secs(1).saturating_sub(begun.elapsed())).await;
    }
    let waiting = "SELECT count(*) AS number FROM messages WHERE state <> 'sent'";
    let begun = Instant::now();
    while shared.number(waiting) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(120), "{} messages wait", shared.number(waiting));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let mails = server.mails();
    let arrived: BTreeSet<String> = mails.iter().map(|mail| mail.id.clone()).collect();
    assert_eq!(arrived.len(), stored.len(), "each message has one id, and none is lost");
    assert_eq!(arrived, stored);
    // What a node or a server had in its hands when it died is not known to have arrived.
    let (twice, bound) = (mails.len() - arrived.len(), deaths * AT_ONCE * nodes.len());
    assert!(twice <= bound, "{twice} arrived twice, and {bound} may");
    println!(
        "{} messages, {deaths} deaths, {twice} arrived twice, {:?} after the last death",
        stored.len(),
        begun.elapsed()
    );
}
