//! The server as a whole, over HTTP: one binary, a file per subject, built for each database. `harness` holds what the
//! tests stand on.
//!
//! Tests on PostgreSQL use the server that `COUNTERSIGN_TEST_POSTGRES` names, else a temporary cluster of this machine's
//! own programs. Where there is neither they are not built, and the last line of a run says so.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]
#![expect(clippy::duplicate_mod, reason = "subjects are written once and built for each database")]

mod contract;
mod contract_tool;
mod readme;
#[path = "on_each_database.rs"]
mod sqlite;
mod sqlite_trouble;

countersign_test_postgres::where_wanted! {
    mod durability;
    mod nodes;
    #[path = "on_each_database.rs"]
    mod postgres;
}

/// Where there is no PostgreSQL this has the run's last line say so; where one is required it fails.
#[test]
fn postgres_is_there_or_the_last_line_says_that_it_is_not() {
    let _ = countersign_test_postgres::Cluster::shared();
}
