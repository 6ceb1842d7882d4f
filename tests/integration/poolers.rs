//! A server works through a pooler that lends sessions for a transaction; one that lends them for a statement is named at start and by
//! `check-config`.

use countersign_domain::error_chain;
use countersign_test_postgres::{Cluster, Pooler, needs_pgbouncer};
use std::ffi::OsString;
use tempfile::tempdir;

#[needs_pgbouncer]
#[test]
fn a_pooler_in_statement_mode_is_named_at_start_and_by_check_config() {
    let database = Cluster::shared().expect("there is one").database();
    let directory = tempdir().unwrap();
    let run = |pooler: &Pooler, arguments: &[&str]| {
        let mut output = Vec::new();
        let data = directory.path().to_str().unwrap();
        let arguments =
            ["countersign", "--listen", "127.0.0.1:0", "--data-dir", data].into_iter().chain(arguments.iter().copied());
        let environment = vec![("COUNTERSIGN_DATABASE_URL".to_owned(), pooler.url().to_owned())];
        let result = countersign::cli::run(arguments.map(OsString::from), environment, &mut output);
        (result.map_err(|error| error_chain(&error)), String::from_utf8(output).unwrap())
    };
    let words = "the database cannot be used through a pooler in statement mode, such as PgBouncer with `pool_mode = statement`";
    let pooler = Pooler::start(&database, "statement", &[]);
    for arguments in [&["migrate"][..], &[], &["api-key", "create"]] {
        let (result, output) = run(&pooler, arguments);
        let error = result.expect_err("it is refused");
        assert!(error.contains(words) && output.is_empty(), "{arguments:?}: {error} {output}");
    }
    // The start has made the keyring.
    let (result, output) = run(&pooler, &["check-config"]);
    assert!(result.is_err() && output.contains(words), "{output}");
    drop(pooler);
    for mode in ["transaction", "session"] {
        let pooler = Pooler::start(&database, mode, &[]);
        for arguments in [&["migrate"][..], &["check-config"], &["api-key", "create"]] {
            let (result, output) = run(&pooler, arguments);
            assert!(result.is_ok(), "{mode}, {arguments:?}: {result:?} {output}");
        }
    }
}
