//! The program: runs [`countersign::cli`], prints its error and sets the exit status.

use std::io::Write as _;
use std::process::ExitCode;

// Faster than that of glibc, and that of musl has one lock for all threads: see `Cargo.toml`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything secret is read.
    if let Err(error) = countersign::process::forbid_core_dumps() {
        let _ = writeln!(std::io::stderr(), "warning: failed to forbid core dumps: {error}");
    }
    countersign::process::allow_enough_files();
    // Variables that are not UTF-8 do not matter unless they are settings, whose values are checked later.
    let environment = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
    let result = countersign::cli::run(std::env::args_os(), environment.collect(), &mut std::io::stdout());
    let Err(error) = result else { return ExitCode::SUCCESS };
    let report = error.report();
    // If nobody reads the report, the exit status remains.
    let _ = match error.is_requested_output() {
        true => std::io::stdout().write_all(report.as_bytes()),
        // It may quote a document or a server.
        false => std::io::stderr().write_all(countersign::terminal::printable_lines(&report).as_bytes()),
    };
    ExitCode::from(error.exit_status())
}
