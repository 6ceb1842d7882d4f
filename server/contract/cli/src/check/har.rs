//! `countersign contract check --har`.

use super::super::{input, output};
use super::{CheckArguments, ContractError, Outcome, Verdict};
use countersign_contract_check::Check;
use countersign_contract_check::har::Recording;
use countersign_contract_report::Notes;
use std::io::Write;
use std::path::Path;

pub(super) fn run(
    check: &Check,
    file: &Path,
    arguments: &CheckArguments,
    output: &mut (dyn Write + Send),
) -> Result<Outcome, ContractError> {
    input::keep([file], arguments.output.file())?;
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|source| ContractError::Unreadable { name: name.clone(), source })?;
    let recording = Recording::read(&text);
    let recording = recording.map_err(|source| ContractError::Recording { name: name.clone(), source })?;
    let recorded = check.check_recording(&recording, arguments.url.as_str());
    if recorded.requests == 0 {
        return Err(ContractError::NothingRecorded { name, url: arguments.url.to_string() });
    }
    let title = format!(
        "{} responses to {} operations of {}, recorded in {name}",
        recorded.responses, recorded.operations, arguments.file
    );
    output::write(&arguments.output, &recorded.findings, &title, (Verdict::Warning, &Notes::default()), output)
}
