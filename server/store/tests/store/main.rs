//! The store on real databases: every unit of work, what it refuses, and what it does when the database fails.
//!
//! A test that is about the store's promises runs on SQLite and on PostgreSQL; where there is no PostgreSQL, the last
//! line of the run says so.
#![cfg(test)]

mod connections;
mod migrations;
mod people;
mod purge;
mod sqlite_trouble;
mod tls;
mod units;
mod world;
