//! Rules by their names, as keys of a section.

use countersign_contract_diff::rules;
use countersign_contract_diff::version_bump::VERSION_TOO_LOW;
use countersign_contract_finding::{Rule, Severities, Severity};
use countersign_contract_lint::{self as lint, nearest};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use std::collections::BTreeMap;

/// Reads a section with the severities of rules of the comparison.
pub(super) fn of_diff<'de, D>(deserializer: D) -> Result<Severities, D::Error>
where
    D: Deserializer<'de>,
{
    let rules = || rules::rules().chain([&VERSION_TOO_LOW]);
    severities::<D, super::diff::Level>(deserializer, &rules().collect::<Vec<_>>())
}

/// Reads a section with the severities of rules of lint.
pub(super) fn of_lint<'de, D>(deserializer: D) -> Result<Severities, D::Error>
where
    D: Deserializer<'de>,
{
    severities::<D, super::lint::Level>(deserializer, &lint::RULES.iter().collect::<Vec<_>>())
}

fn severities<'de, D, L>(deserializer: D, rules: &[&'static Rule]) -> Result<Severities, D::Error>
where
    D: Deserializer<'de>,
    L: Deserialize<'de> + Into<Severity>,
{
    let levels = BTreeMap::<String, L>::deserialize(deserializer)?;
    let named = |(id, level): (String, L)| match rules.iter().find(|rule| rule.id == id) {
        Some(rule) => Ok((*rule, level.into())),
        None => {
            let near = nearest(&id, rules.iter().map(|rule| rule.id));
            let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            Err(D::Error::custom(format!("there is no rule `{id}` here{hint}")))
        }
    };
    levels.into_iter().map(named).collect()
}
