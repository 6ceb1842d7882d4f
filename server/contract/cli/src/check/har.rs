//! `countersign contract check --har`.

use super::super::{input, output, recording};
use super::{CheckArguments, ContractError, Outcome, Verdict};
use countersign_contract_check::{Check, Observer};
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
    let exchanges = recording::read(file, &arguments.url)?;
    let mut observer = Observer::new(check, arguments.url.as_str(), arguments.show_secrets);
    let mut findings: Vec<_> = exchanges.iter().flat_map(|exchange| observer.observe(exchange)).collect();
    findings.extend(observer.coverage());
    let title = format!(
        "{} responses to {} operations of {}, recorded in {}",
        observer.responses(),
        observer.operations(),
        arguments.file,
        file.display()
    );
    output::write(&arguments.output, &findings, &title, (Verdict::Warning, &Notes::default()), output)
}
