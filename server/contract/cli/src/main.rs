//! The contract tool as a program of its own.

use chrono::Utc;
use countersign_contract_cli::{ContractError, Outcome, chain, run};
use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

/// Status of a command line or a document that cannot be used.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "the program reads the clock once and passes the day on")]
    let today = Utc::now().date_naive().to_string();
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut output = std::io::stdout();
    let result = run("countersign-contract", &today, &arguments, &mut output);
    // A reader that has read enough, as `head` does, is no failure.
    let _ = output.flush();
    match result {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::FAILURE,
        Err(ContractError::CommandLine(error)) => {
            let _ = error.print();
            u8::try_from(error.exit_code()).unwrap_or(UNUSABLE).into()
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {}", chain(&error));
            UNUSABLE.into()
        }
    }
}
