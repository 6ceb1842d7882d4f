//! What the README promises is tried as it stands there.

use crate::harness::Process;
use countersign_test_postgres::DatabaseKind;
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
