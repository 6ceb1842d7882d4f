//! Joins findings about single values of one list, so that a list is one finding however many of its values changed.

use countersign_contract_finding::Finding;
use std::collections::HashMap;

/// Most values that a message lists; the others are counted.
const MOST_VALUES: usize = 8;

/// Joins the findings of rules about values of lists that are in the same list and concern the same operations.
pub(super) fn join(findings: Vec<Finding>) -> Vec<Finding> {
    let mut joined: Vec<(Finding, Vec<String>)> = Vec::new();
    let mut known = HashMap::new();
    for finding in findings {
        let Some((list, value)) = list_and_value(&finding) else {
            joined.push((finding, Vec::new()));
            continue;
        };
        let key = (finding.rule.id, list, finding.place.clone(), finding.operations.clone());
        let at = *known.entry(key).or_insert(joined.len());
        match joined.get_mut(at) {
            Some((_, values)) => values.push(value),
            None => joined.push((finding, vec![value])),
        }
    }
    joined.into_iter().map(|(finding, values)| with_values(finding, &values)).collect()
}

/// Whether a finding is about a value that was added to a list, and not removed from it; `None` for other findings.
fn is_added(finding: &Finding) -> Option<bool> {
    if finding.rule.id.ends_with("enum-value-added") {
        return Some(true);
    }
    finding.rule.id.ends_with("enum-value-removed").then_some(false)
}

/// JSON pointers of the lists on both sides, and the value.
fn list_and_value(finding: &Finding) -> Option<((String, Option<String>), String)> {
    let (changed, other) = match is_added(finding)? {
        true => (&finding.new, &finding.old),
        false => (&finding.old, &finding.new),
    };
    let side = changed.as_ref()?;
    let (list, _) = side.pointer.rsplit_once('/')?;
    let value = side.shown_value()?.into_owned();
    Some(((list.to_owned(), other.as_ref().map(|side| side.pointer.clone())), value))
}

fn with_values(mut finding: Finding, values: &[String]) -> Finding {
    let (Some(is_added), [_, _, ..]) = (is_added(&finding), values) else { return finding };
    let mut shown: Vec<String> = values.iter().take(MOST_VALUES).cloned().collect();
    if let Some(more) = values.len().checked_sub(MOST_VALUES).filter(|more| *more > 0) {
        shown.push(format!("{more} more"));
    }
    let last = shown.pop().unwrap_or_default();
    let all = format!("{} and {last}", shown.join(", "));
    finding.message = format!("the values {all} were {}", if is_added { "added" } else { "removed" });
    let side = if is_added { &mut finding.new } else { &mut finding.old };
    if let Some(side) = side {
        side.value = Some(all);
    }
    finding
}
