//! What the README promises is tried as it stands there.

use crate::sqlite::harness::Process;
use std::process::Command;
use tempfile::tempdir;

/// The shell block after the marker of the tour.
fn tour() -> String {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (_, rest) = readme.split_once("<!-- tour:").expect("the README marks its tour");
    let (_, rest) = rest.split_once("```sh\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_with_curl_runs_as_it_stands() {
    let directory = tempdir().unwrap();
    // The default limits are on: the tour must fit into them.
    let server = Process::start(directory.path(), &[("COUNTERSIGN_RATE_LIMITS", "on")]);
    for shell in ["bash", "sh"] {
        let _ = std::fs::remove_file(server.data().join("outbox.ndjson"));
        let script = tour().replace("ada@example.com", &format!("ada-{shell}@example.com"));
        let run = Command::new(shell)
            .args(["-eu", "-c", &script])
            .env("API", format!("http://{}/api/auth", server.address()))
            .env("OUTBOX", server.data().join("outbox.ndjson"))
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success(), "{shell}: {shown}\n{}", String::from_utf8_lossy(&run.stderr));
        let last = shown.lines().last().unwrap_or_default();
        assert!(last.contains("\"twoFactorEnabled\":true"), "{shell}: {shown}");
        // The windows of the limits are ten seconds long.
        tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    }
}
