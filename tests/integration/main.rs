//! The server as a whole, over HTTP: one binary, a file per subject. `harness` holds what the tests stand on.
//!
//! `#[on_each_database]` makes two tests of a function, which it tells the kind of its database: `subject::name::sqlite`
//! and `subject::name::postgres`. Those on PostgreSQL use the server that `COUNTERSIGN_TEST_POSTGRES` names, else a
//! temporary cluster of this machine's own programs. Where there is neither they are ignored, and the last line of a
//! run says so.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod address_change;
mod addresses;
mod administration;
mod architecture;
mod assurance;
mod at_rest;
mod athena;
mod audit;
mod audit_chain;
mod backup_codes;
mod backups;
mod bearer;
mod bytes;
mod challenge;
mod change_password;
mod contract;
mod contract_check;
mod contract_tool;
mod cookies;
mod cors;
mod crash;
mod delivery;
mod delivery_crash;
mod devices;
mod disable;
mod docs;
mod document_004;
mod durability;
mod endings;
mod endings_further;
mod enrolment;
mod enrolment_by_mail;
mod enumeration;
mod first_run;
mod fusionauth;
mod fuzz;
mod harness;
mod housekeeping;
mod key_rotation;
mod languages;
mod leaks;
mod limits;
mod locks;
mod log;
mod mail;
mod mailed_codes;
mod metrics;
mod nodes;
mod notices;
mod one_time;
mod one_time_code;
mod operating;
mod origin;
mod overload;
mod own_account;
mod own_address;
mod passkeys;
mod password_limits;
mod password_reset;
mod passwords;
mod pasted_codes;
mod poolers;
mod process;
mod rate_limit;
mod readme;
mod refresh_tokens;
mod replay;
mod responses;
mod round_trips;
mod routing;
mod sessions;
mod sign_in;
mod sign_up;
mod signing;
mod single_use;
mod sqlite_trouble;
mod tenant_policy;
mod text_messages;
mod trusted_device;
mod typed_client;
mod upgrade;
mod usernames;
mod validate_responses;
mod validation;
mod webhooks;

/// Where there is no PostgreSQL this has the run's last line say so; where one is required it fails.
#[test]
fn postgres_is_there_or_the_last_line_says_that_it_is_not() {
    let _ = countersign_test_postgres::Cluster::shared();
}
