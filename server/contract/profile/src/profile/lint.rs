//! The section `[lint]`.

use super::assertions::Assertion;
use super::names;
use countersign_contract_document::Document;
use countersign_contract_finding::{Finding, Severities, Severity, Verdict};
use countersign_contract_lint::{OPTIONAL, lint_with};
use serde::Deserialize;

/// What is asked of a document.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LintProfile {
    /// The mildest verdict that fails.
    pub fail_on: Option<LintFailOn>,
    /// Verdicts in place of those of the rules. A rule that is off otherwise is on if it is named here.
    #[serde(deserialize_with = "names::of_lint")]
    pub severity: Severities,
    /// The team's own rules.
    pub assertions: Vec<Assertion>,
}

/// The mildest verdict that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LintFailOn {
    /// The document contradicts itself or OpenAPI.
    Error,
    /// The document is usable but likely to cause problems.
    Warning,
}

/// The severity of a rule of lint.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Off,
    Warning,
    Error,
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::Off,
            Level::Warning => Self::As(Verdict::Warning),
            Level::Error => Self::As(Verdict::Error),
        }
    }
}

impl LintProfile {
    /// Lints a document. The findings are in the order of the text, those of assertions last.
    #[must_use]
    pub fn lint(&self, document: &Document) -> Vec<Finding> {
        let is_on = |severity: Option<Severity>| matches!(severity, Some(Severity::As(_)));
        let optional = OPTIONAL.iter().filter(|rule| is_on(self.severity.get(rule)));
        let mut findings = lint_with(document, &optional.map(|rule| rule.id.to_owned()).collect::<Vec<_>>());
        self.severity.apply(&mut findings);
        findings.extend(self.assertions.iter().flat_map(|assertion| assertion.check(document)));
        findings
    }
}
