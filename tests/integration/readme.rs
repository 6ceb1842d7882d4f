//! What the README promises is tried as it stands there.

#[expect(unreachable_pub, reason = "it is shown as a file of its own")]
mod service;

use crate::harness::{PASSWORD, Process, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use std::ffi::OsString;
use tempfile::tempdir;

/// The shell blocks after the markers of the tours: one for each dialect.
fn tours() -> Vec<String> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let blocks = readme.split("<!-- tour:").skip(1).map(|rest| {
        let (_, rest) = rest.split_once("```sh\n").unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    });
    blocks.collect()
}

/// Runs a tour in both kinds of shell, with the server and the mail of this test; says what each printed last.
async fn run(server: &Process, tour: &str, (variable, base): (&str, &str)) -> Vec<String> {
    let mut last_lines = Vec::new();
    for shell in ["bash", "sh"] {
        let _ = std::fs::remove_file(server.data().join("outbox.ndjson"));
        let script = tour.replace("@example.com", &format!("-{shell}@example.com"));
        let run = server
            .beside(shell)
            .args(["-eu", "-c", &script])
            .env(variable, format!("http://{}{base}", server.address()))
            .env("OUTBOX", server.data().join("outbox.ndjson"))
            .env("COUNTERSIGN", env!("CARGO_BIN_EXE_countersign"))
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success(), "{shell}: {shown}\n{}", String::from_utf8_lossy(&run.stderr));
        last_lines.push(shown.lines().last().unwrap_or_default().to_owned());
        // The windows of the limits are ten seconds long.
        tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    }
    last_lines
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tours_with_curl_run_as_they_stand() {
    let directory = tempdir().unwrap();
    // The default limits are on: the tours must fit into them.
    let server = Process::start(DatabaseKind::Sqlite, directory.path(), &[("COUNTERSIGN_RATE_LIMITS", "on")]);
    let tours = tours();
    let [users, services] = tours.as_slice() else { panic!("two tours: {}", tours.len()) };
    for last in run(&server, users, ("AUTH", "/api/auth")).await {
        assert!(last.contains("\"twoFactorEnabled\":true"), "{last}");
    }
    for last in run(&server, services, ("API", "/api")).await {
        assert!(last.contains("\"token\":\"ey") && last.contains("\"trustToken\":"), "{last}");
    }
}

#[test]
fn the_files_with_settings_are_valid_as_they_stand() {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```toml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let blocks: Vec<&str> = blocks.collect();
    assert!(blocks.iter().any(|block| block.contains("[[tenants]]")), "{blocks:?}");
    let directory = tempdir().unwrap();
    let secret = directory.path().join("crm-webhook");
    std::fs::write(&secret, "0123456789abcdef0123456789abcdef").unwrap();
    let check = |settings: &str| {
        let file = directory.path().join("countersign.toml");
        let settings = settings.replace("/etc/countersign/crm-webhook", secret.to_str().unwrap());
        std::fs::write(&file, settings).unwrap();
        let (file, data) = (file.to_str().unwrap(), directory.path().to_str().unwrap());
        let arguments = ["countersign", "check-config", "--config", file, "--data-dir", data].map(OsString::from);
        let mut output = Vec::new();
        let result = countersign::cli::run(arguments, Vec::new(), &mut output);
        (result.is_ok(), String::from_utf8(output).unwrap())
    };
    for block in blocks {
        let (is_valid, output) = check(block);
        assert!(is_valid && output.contains(" file"), "{block}\n{output}");
        let (line, _) = block.lines().find_map(|line| line.split_once(" = ")).unwrap();
        let (is_valid, output) = check(&block.replacen(line, "unknown", 1));
        assert!(!is_valid, "{block}\n{output}");
    }
}

#[on_each_database]
async fn the_snippet_of_the_rust_client_runs_as_it_stands(database: DatabaseKind) {
    let readme = include_str!("../../README.md");
    let (_, block) = readme.split_once("<!-- snippet service:").unwrap();
    let (_, block) = block.split_once("```rust\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    assert_eq!(block, include_str!("readme/service.rs"));

    let world = World::start(database).await;
    let user = world.user("ada").await;
    let server = format!("http://{}/api/auth", world.address());
    let sign_in = async |password| service::sign_in(&server, &user.email, password).await.unwrap();
    assert_eq!(sign_in("wrong horse").await, "INVALID_EMAIL_OR_PASSWORD: Invalid email or password");
    assert!(sign_in(PASSWORD).await.starts_with("the session's token is Some("));
    user.enrol().await;
    assert!(sign_in(PASSWORD).await.starts_with("ask for ["));
}
