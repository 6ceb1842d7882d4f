//! `check` against small servers whose faults are known.

#![cfg(feature = "check")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod commands;
mod connections;
mod deviations;
mod learned;
#[cfg(unix)]
mod proxies;
mod recordings;
mod server;
mod users;

use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// Runs `check` in a directory with the document `api.yaml`. Returns exit status, standard output and standard error.
fn check_in(directory: &Path, document: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    run_in(directory, document, &[&["check"], arguments, &["api.yaml"]].concat())
}

/// Runs the program in a directory with the document `api.yaml`.
fn run_in(directory: &Path, document: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    std::fs::write(directory.join("api.yaml"), document).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign-contract"));
    let output = command.current_dir(directory).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Runs `check` against a server.
fn check(address: SocketAddr, document: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("http://{address}/v1");
    check_in(directory.path(), document, &[&["--url", &url][..], arguments].concat())
}

/// The findings of `check` against a server.
fn findings(address: SocketAddr, document: &str, arguments: &[&str]) -> Vec<Value> {
    let (_, output, error) = check(address, document, &[&["--format", "json"][..], arguments].concat());
    let report: Value = serde_json::from_str(&output).unwrap_or_else(|_| panic!("{output}{error}"));
    report["findings"].as_array().unwrap().clone()
}
