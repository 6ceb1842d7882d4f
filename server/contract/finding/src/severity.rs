//! The severity that a user of the tool gives to the findings of a rule, in place of the verdict of the rule.

use crate::finding::{Finding, Rule, Verdict};
use std::collections::HashMap;

/// What becomes of the findings of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// They are not reported.
    Off,
    /// They have this verdict.
    As(Verdict),
}

/// Severities by rule. Rules without one keep their verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Severities(HashMap<&'static str, Severity>);

impl Severities {
    /// Sets the severity of a rule, in place of an earlier one.
    pub fn set(&mut self, rule: &Rule, severity: Severity) {
        self.0.insert(rule.id, severity);
    }

    /// The severity of a rule, if it has one.
    #[must_use]
    pub fn get(&self, rule: &Rule) -> Option<Severity> {
        self.0.get(rule.id).copied()
    }

    /// Removes the findings of rules that are off, and sets the verdicts of the others.
    pub fn apply(&self, findings: &mut Vec<Finding>) {
        findings.retain_mut(|finding| match self.get(finding.rule) {
            Some(Severity::Off) => false,
            Some(Severity::As(verdict)) => {
                finding.verdict = verdict;
                true
            }
            None => true,
        });
    }
}

impl FromIterator<(&'static Rule, Severity)> for Severities {
    fn from_iter<I: IntoIterator<Item = (&'static Rule, Severity)>>(severities: I) -> Self {
        Self(severities.into_iter().map(|(rule, severity)| (rule.id, severity)).collect())
    }
}

impl Extend<(&'static Rule, Severity)> for Severities {
    fn extend<I: IntoIterator<Item = (&'static Rule, Severity)>>(&mut self, severities: I) {
        severities.into_iter().for_each(|(rule, severity)| self.set(rule, severity));
    }
}
