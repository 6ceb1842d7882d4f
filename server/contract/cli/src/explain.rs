//! `countersign contract explain`.

use super::{ContractError, Outcome};
use clap::Args;
use countersign_contract_check as check;
use countersign_contract_diff as diff;
use countersign_contract_diff::version_bump::VERSION_TOO_LOW;
use countersign_contract_finding::{Rule, UNUSABLE};
use countersign_contract_lint::{self as lint, nearest};
use countersign_contract_profile::ASSERTION;
use countersign_contract_profile::exceptions;
use std::io::Write;

#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// The rule's name, as findings give it.
    rule: Option<String>,
}

/// Every rule of every tool.
fn rules() -> impl Iterator<Item = &'static Rule> {
    let others = [&VERSION_TOO_LOW, &ASSERTION, &UNUSABLE].into_iter().chain(exceptions::RULES);
    diff::rules::rules().chain(lint::RULES).chain(check::rules::RULES).chain(others)
}

fn no_such_rule(id: &str) -> ContractError {
    let near = nearest(id, rules().map(|rule| rule.id));
    let hint = near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
    ContractError::NoSuchRule { id: id.to_owned(), hint }
}

pub(super) fn run(arguments: &ExplainArguments, output: &mut (dyn Write + Send)) -> Result<Outcome, ContractError> {
    let text = match &arguments.rule {
        Some(id) => {
            let rule = rules().find(|rule| rule.id == id).ok_or_else(|| no_such_rule(id))?;
            let off = if lint::OPTIONAL.contains(rule) { "; off unless it is asked for" } else { "" };
            format!("{} ({}{off})\n\n{}\n\n{}\n", rule.id, rule.verdict, rule.what, rule.why)
        }
        None => rules().map(|rule| format!("{:<13}  {:<50}  {}\n", rule.verdict, rule.id, rule.what)).collect(),
    };
    output.write_all(text.as_bytes()).map_err(|source| ContractError::Output { path: None, source })?;
    Ok(Outcome::Fine)
}
