//! The findings of a comparison: reported one by one, merged over operations, and put in order at the end.

use super::{Comparison, Current};
use crate::change::{ChangeSide, Direction};
use crate::rules;
use countersign_contract_document::Document;
use countersign_contract_finding::{Example, Finding, Operations, Rule, Side, Verdict};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// Key by which the findings of several operations are merged: rule, both pointers, message.
pub(super) type Key = (&'static str, Option<String>, Option<String>, String);

/// Where a breaking change of a schema was found, for the search for an example.
#[derive(Debug)]
pub(crate) struct Origin<'d> {
    pub(crate) schemas: Current<'d>,
    pub(crate) direction: Direction,
    pub(crate) is_text: bool,
    /// Innermost part of the path.
    pub(crate) name: Option<String>,
    /// The side that accepts the values in question.
    pub(crate) accepting: Option<ChangeSide>,
}

/// A finding that is not yet assigned to operations.
pub(super) struct Found<'d> {
    finding: Finding,
    in_component: Option<String>,
    origin: Option<Origin<'d>>,
}

impl<'d> Comparison<'d> {
    /// Reports a change under a rule.
    pub(crate) fn report(
        &mut self,
        id: &str,
        message: impl Into<String>,
        old: Option<ChangeSide>,
        new: Option<ChangeSide>,
    ) {
        static BY_ID: LazyLock<HashMap<&str, &Rule>> =
            LazyLock::new(|| rules::rules().map(|rule| (rule.id, rule)).collect());
        let rule: &'static Rule = BY_ID.get(id).copied().unwrap_or_else(|| unreachable!("there is no rule {id}"));
        if self.is_dry_run {
            // Only rules about values count, not those about names, for example.
            self.has_harm |= self.verdict(rule) >= Verdict::Risky && rule.id.starts_with(self.direction.prefix());
            return;
        }
        let message = message.into();
        let pointer = |side: &Option<ChangeSide>| side.as_ref().map(|side| side.pointer.clone());
        let key = (rule.id, pointer(&old), pointer(&new), message.clone());
        let at = *self.index.entry(key).or_insert(self.found.len());
        if at == self.found.len() {
            let origin = self.origin(rule, &old, &new);
            let old = old.map(|side| located(self.old, side));
            let new = new.map(|side| located(self.new, side));
            let span = new.as_ref().or(old.as_ref()).map_or_else(|| self.new.span(""), |side| side.span.clone());
            let in_component = self.component.as_ref().map(|(name, length)| {
                let parts = self.place.after(*length);
                std::iter::once(format!("schema {name}").as_str()).chain(parts).collect::<Vec<_>>().join(" › ")
            });
            let place = self.place.after(0).join(" › ");
            let (verdict, operations) = (self.verdict(rule), Operations::default());
            let finding =
                Finding { rule, verdict, operations, place, message, span, old, new, example: None, request: None };
            self.found.push(Found { finding, in_component, origin });
        }
        self.pairs.record(at, self.operation.as_ref());
    }

    /// The origin of a finding, if it is a breaking change of a schema.
    fn origin(&self, rule: &Rule, old: &Option<ChangeSide>, new: &Option<ChangeSide>) -> Option<Origin<'d>> {
        if rule.verdict != Verdict::Breaking || !rule.id.starts_with(self.direction.prefix()) {
            return None;
        }
        let accepting = match self.direction {
            Direction::Request => old.clone(),
            Direction::Response => new.clone(),
        };
        Some(Origin {
            schemas: self.current.clone()?,
            direction: self.direction,
            is_text: self.is_text,
            name: self.place.last().map(str::to_owned),
            accepting,
        })
    }

    /// The verdict of a rule in this comparison.
    fn verdict(&self, rule: &Rule) -> Verdict {
        match rule.id {
            "response-enum-value-added" if self.options.enums_may_grow => Verdict::Compatible,
            _ => rule.verdict,
        }
    }

    /// Reports a change of a schema under the rule for the current direction.
    pub(crate) fn report_schema_change(
        &mut self,
        change: &str,
        message: impl Into<String>,
        old: Option<ChangeSide>,
        new: Option<ChangeSide>,
    ) {
        let id = format!("{}-{change}", self.direction.prefix());
        self.report(&id, message, old, new);
    }

    /// The findings about the document, then those about its operations, each with the worst first. `example` finds the
    /// examples of breaking changes of schemas.
    pub(crate) fn into_findings(mut self, mut example: impl FnMut(&Rule, &Origin<'d>) -> Example) -> Vec<Finding> {
        let mut operations = vec![Vec::new(); self.found.len()];
        for (operation, findings) in self.pairs.findings_by_operation() {
            let name: Arc<str> = operation.into();
            findings.into_iter().for_each(|at| operations[at].push(Arc::clone(&name)));
        }
        for (found, operations) in self.found.iter_mut().zip(operations) {
            found.finding.operations = operations.into_iter().collect();
            found.finding.example = found.origin.as_ref().map(|origin| example(found.finding.rule, origin));
        }
        let mut order: HashMap<Arc<str>, usize> = HashMap::new();
        for found in &self.found {
            for operation in found.finding.operations.iter() {
                let next = order.len();
                order.entry(operation.clone()).or_insert(next);
            }
        }
        let mut findings: Vec<Finding> = self
            .found
            .into_iter()
            .map(|found| {
                let Found { mut finding, in_component, .. } = found;
                if finding.operations.len() > 1
                    && let Some(place) = in_component
                {
                    finding.place = place;
                }
                finding
            })
            .collect();
        self.options.severities.apply(&mut findings);
        for finding in findings.iter_mut().filter(|finding| finding.verdict == Verdict::Breaking) {
            let mut operations = finding.operations.iter();
            if !finding.operations.is_empty() && operations.all(|operation| self.unstable.contains(&**operation)) {
                finding.verdict = Verdict::Risky;
            }
        }
        findings.sort_by_cached_key(|finding| {
            let operation = finding.operations.first().and_then(|operation| order.get(operation)).copied();
            (operation, std::cmp::Reverse(finding.verdict), finding.span.clone())
        });
        findings
    }
}

fn located(document: &Document, side: ChangeSide) -> Side {
    let pointer = document.pointer_in_file(&side.pointer);
    Side { span: document.span(&side.pointer), pointer, value: side.value }
}
