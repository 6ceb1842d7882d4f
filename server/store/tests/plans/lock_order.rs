//! No two units of work wait for each other: a unit that writes several rows takes the account's row first, and whatever
//! else wants rows of the account waits there.

use crate::everything;
use crate::world::World;
use countersign_test_postgres::{DatabaseKind, needs_postgres};
use std::collections::BTreeSet;
use std::sync::Mutex;

/// The tables that each unit of work wrote, in this order.
static UNITS: Mutex<BTreeSet<Vec<String>>> = Mutex::new(BTreeSet::new());

/// The unit of work that a connection is in.
#[derive(Default)]
pub(crate) struct Unit {
    written: Vec<String>,
}

impl Unit {
    /// Hears of a statement.
    pub(crate) fn hear(&mut self, statement: &str) {
        // A statement that has to change a row.
        let statement = statement.strip_prefix("WITH changed AS (").unwrap_or(statement);
        match statement {
            "COMMIT" | "ROLLBACK" => drop(UNITS.lock().unwrap().insert(std::mem::take(&mut self.written))),
            // Locks the rows as if they were written.
            _ if statement.ends_with(" FOR NO KEY UPDATE") => {
                assert!(statement.contains(r#" FROM "accounts" "#), "{statement}");
                self.written.push("accounts".to_owned());
            }
            _ if ["INSERT", "UPDATE", "DELETE"].iter().any(|verb| statement.starts_with(verb)) => {
                self.written.extend(statement.split(['`', '"']).nth(1).map(str::to_owned));
            }
            _ => {}
        }
    }
}

/// Rows that units of work about accounts only ever add, and that refer to no account's row. Events for receivers of webhooks are
/// taken past the locks of others, and ended one by one.
const ADDED: [&str; 2] = ["audit_events", "webhook_events"];

/// Whether a unit of work that writes these tables, in this order, can be part of no deadlock.
fn is_safe(tables: &[&str]) -> bool {
    match tables {
        [] | [_] | ["accounts", ..] => true,
        // A wrong code of a challenge. Other units, too, take challenges before codes.
        ["challenges", "mailed_codes"] => true,
        // The chain: one of its blocks is locked first, the last one to add to it, the oldest one to remove from it.
        ["audit_blocks", rest @ ..] => rest.iter().all(|table| *table == "audit_blocks"),
        // Uses of quotas, in the order of their names.
        quotas => quotas.iter().all(|table| *table == "budgets"),
    }
}

#[test]
fn the_rule_tells_a_wrong_order() {
    assert!(is_safe(&["accounts", "sessions", "budgets"]) && is_safe(&["sessions"]));
    for tables in [&["sessions", "accounts"][..], &["budgets", "mailed_codes"], &["mailed_codes", "challenges"]] {
        assert!(!is_safe(tables), "{tables:?}");
    }
}

/// Changes all rows of several tables, the accounts first, so that its statements read whole tables. An operator runs it after a
/// database was put back.
const OF_ALL_ACCOUNTS: [&str; 1] = ["end_all_grants"];

/// A unit that `everything` leaves out is looked at neither here nor by the tests of the plans.
#[test]
fn every_unit_of_work_is_called() {
    let store = include_str!("../../src/store.rs");
    let calls = [
        include_str!("main.rs"),
        include_str!("administration.rs"),
        include_str!("apps.rs"),
        include_str!("audit_chain.rs"),
        include_str!("fusionauth.rs"),
        include_str!("keys.rs"),
        include_str!("own_account.rs"),
        include_str!("passkeys.rs"),
        include_str!("webhooks.rs"),
        include_str!("../store/passkey_users.rs"),
        include_str!("../store/world.rs"),
        include_str!("../store/users.rs"),
    ];
    let units = store.lines().filter_map(|line| {
        let unit = line.trim_start().strip_prefix("pub write ")?;
        unit.split_once('(').map(|(name, _)| name)
    });
    let units: Vec<&str> = units.filter(|unit| !OF_ALL_ACCOUNTS.contains(unit)).collect();
    assert!(units.len() > 30, "{units:?}");
    let is_called = |unit: &str| calls.iter().any(|text| text.contains(&format!(".{unit}(")));
    let missing: Vec<&str> = units.into_iter().filter(|unit| !is_called(unit)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// On PostgreSQL, where units of work run side by side.
#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn every_unit_of_work_takes_the_accounts_row_first() {
    let _turn = crate::listen().await;
    let world = World::start(DatabaseKind::Postgres).await;
    UNITS.lock().unwrap().clear();
    everything(&world).await;
    let units = UNITS.lock().unwrap().clone();
    let written = units.iter().map(|unit| {
        let written = unit.iter().map(String::as_str).filter(|table| !ADDED.contains(table));
        written.collect::<Vec<_>>()
    });
    let several = written.clone().filter(|tables| tables.len() > 1).count();
    assert!(several >= 20, "only {several} units that write several rows were heard of: {units:#?}");
    let unsafe_ones: Vec<_> = written.filter(|tables| !is_safe(tables)).collect();
    assert!(unsafe_ones.is_empty(), "these do not take the account's row first: {unsafe_ones:#?}");
}
