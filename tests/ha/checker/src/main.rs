//! Reads a history of `tests/ha` from standard input, and writes a report in JSON to standard output.
//!
//! Exit status: 0 when the history of each thing is linearizable, 1 when not, 2 when it cannot be read.

mod history;
mod registers;

use history::{History, Report, check};
use std::process::ExitCode;

fn main() -> ExitCode {
    match report() {
        Ok(report) if report.violations.is_empty() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ha-checker: {error}");
            ExitCode::from(2)
        }
    }
}

fn report() -> Result<Report, String> {
    let history: History = serde_json::from_reader(std::io::stdin().lock()).map_err(|error| error.to_string())?;
    let report = check(&history)?;
    println!("{}", serde_json::to_string(&report).map_err(|error| error.to_string())?);
    Ok(report)
}
