//! The store on real databases: every unit of work, what it refuses, and what it does when the database fails.
//!
//! A test that is about the store's promises runs on SQLite and on PostgreSQL. Where there is no PostgreSQL the tests
//! that need one are ignored, and the last line of the run says so.
#![cfg(test)]

mod attempts;
mod connections;
mod decisions;
mod limits;
mod lock_order;
mod messages;
mod migrations;
mod passkey_attempts;
mod passkey_services;
mod passkey_users;
mod passkeys;
mod poolers;
mod purge;
mod session_reads;
mod sqlite_trouble;
mod tls;
mod units;
mod upgrade;
mod usernames;
mod users;
mod versions;
mod webhooks;
mod world;

/// Where there is no PostgreSQL this has the run's last line say so; where one is required it fails.
#[test]
fn postgres_is_there_or_the_last_line_says_that_it_is_not() {
    let _ = countersign_test_postgres::Cluster::shared();
}
