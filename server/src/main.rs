//! The program: hands the command line to [`countersign::cli`] and tells how it ended.

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A variable that is not text is not one of ours; one of ours that is not text is noticed by what is in it.
    let environment = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
    let result = countersign::cli::run(std::env::args_os(), environment.collect(), &mut std::io::stdout());
    let Err(error) = result else { return ExitCode::SUCCESS };
    let report = error.report();
    // If nobody can be told, the exit status still says it.
    let _ = match error.is_answer() {
        true => std::io::stdout().write_all(report.as_bytes()),
        false => std::io::stderr().write_all(report.as_bytes()),
    };
    ExitCode::from(error.exit_status())
}
