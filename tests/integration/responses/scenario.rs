//! What a scenario is: a test, and a part of the proof that every documented response is given.

use crate::harness::{Pairs, contract};
use countersign_test_postgres::{DatabaseKind, SharedByRun};
use std::future::Future;
use std::pin::Pin;
use tokio::sync::OnceCell;

/// A scenario as the proof sees it.
pub(super) struct Scenario {
    /// What it is called.
    pub(super) name: &'static str,
    /// Runs it on a database, unless it was run on it already, and says which responses it got.
    pub(super) pairs: fn(DatabaseKind) -> Pin<Box<dyn Future<Output = Pairs> + Send>>,
}

/// The pairs of a scenario, by the kind of the database.
pub(super) type Results = [OnceCell<Pairs>; 2];

/// Runs a scenario unless its result is known in this process, or in another one of the same run of cargo-nextest.
pub(super) async fn run_once(
    name: &str,
    database: DatabaseKind,
    results: &'static Results,
    scenario: impl Future<Output = Pairs>,
) -> Pairs {
    let run = || async {
        let file = format!("scenario-{name}-{database:?}");
        // Waits as long as another process runs it.
        let Some(mut shared) = tokio::task::block_in_place(|| SharedByRun::lock(&file)) else { return scenario.await };
        if let Some(known) = shared.text() {
            return from_text(&known);
        }
        let pairs = scenario.await;
        shared.share(&to_text(&pairs));
        pairs
    };
    results[database as usize].get_or_init(run).await.clone()
}

fn to_text(pairs: &Pairs) -> String {
    pairs.iter().map(|(operation, status)| format!("{operation} {status}\n")).collect()
}

/// Every pair that was answered is documented: the harness saw to that.
fn from_text(text: &str) -> Pairs {
    let lines: Vec<&str> = text.lines().collect();
    let is_there = |(operation, status): &(&str, u16)| lines.contains(&&*format!("{operation} {status}"));
    let pairs: Pairs = contract::documented().into_iter().filter(is_there).collect();
    assert_eq!(pairs.len(), lines.len(), "{text}");
    pairs
}

/// Makes tests of each function, and lists them all in `ALL`. A function ends with the pairs that it is there for; it
/// runs once for each database, however often it is asked for.
macro_rules! scenarios {
    ($($(#[doc = $doc:literal])+ async fn $name:ident($database:ident: DatabaseKind) -> Pairs $body:block)*) => {
        pub(super) const ALL: &[super::scenario::Scenario] = &[
            $(super::scenario::Scenario {
                name: stringify!($name),
                pairs: |database| Box::pin($name::pairs(database)),
            }),*
        ];
        $(
            $(#[doc = $doc])+
            mod $name {
                use super::*;
                use countersign_test_postgres::on_each_database;

                async fn scenario($database: DatabaseKind) -> Pairs $body

                pub(super) async fn pairs(database: DatabaseKind) -> Pairs {
                    use crate::responses::scenario::{Results, run_once};
                    static RESULTS: Results = [const { tokio::sync::OnceCell::const_new() }; 2];
                    run_once(stringify!($name), database, &RESULTS, scenario(database)).await
                }

                #[on_each_database]
                async fn scenario_holds(database: DatabaseKind) {
                    pairs(database).await;
                }
            }
        )*
    };
}
pub(super) use scenarios;
