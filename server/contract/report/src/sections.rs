//! The order of findings in reports: by verdict, the worst first, and then by rule.

use super::VERDICTS;
use countersign_contract_finding::{Finding, Rule, Verdict};

/// The findings with the worst verdict first; otherwise in their order.
pub(super) fn worst_first(findings: &[Finding]) -> Vec<&Finding> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| VERDICTS.iter().position(|verdict| *verdict == finding.verdict));
    sorted
}

/// The findings of one verdict.
pub(super) struct Section<'f> {
    pub(super) verdict: Verdict,
    /// In the order of their first findings.
    pub(super) rules: Vec<RuleFindings<'f>>,
}

/// The findings of one rule, at least one. What they have in common is written once.
pub(super) struct RuleFindings<'f> {
    pub(super) rule: &'static Rule,
    pub(super) findings: Vec<&'f Finding>,
}

/// Groups findings by verdict, the worst first, and by rule.
pub(super) fn sections(findings: &[Finding]) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for finding in worst_first(findings) {
        if sections.last().is_none_or(|section| section.verdict != finding.verdict) {
            sections.push(Section { verdict: finding.verdict, rules: Vec::new() });
        }
        let Some(section) = sections.last_mut() else { continue };
        match section.rules.iter_mut().find(|group| group.rule.id == finding.rule.id) {
            Some(group) => group.findings.push(finding),
            None => section.rules.push(RuleFindings { rule: finding.rule, findings: vec![finding] }),
        }
    }
    sections
}

/// The heading of a section.
pub(super) fn heading(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Error => "Errors",
        Verdict::Warning => "Warnings",
        Verdict::Breaking => "Breaking changes",
        Verdict::Risky => "Risky changes",
        Verdict::Compatible => "Compatible changes",
        Verdict::Documentation => "Changes of documentation",
    }
}
