//! A team's own rules: assertions about the values at places of a document.

use super::pattern::Pattern;
use countersign_contract_document::{Document, Node, pointer};
use countersign_contract_finding::{Finding, Rule, Side, Verdict};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

/// The rule of all assertions.
pub static ASSERTION: Rule = Rule {
    id: "assertion-failed",
    verdict: Verdict::Warning,
    what: "An assertion of the configuration does not hold.",
    why: "It is a rule of your own: see `[[lint.assertions]]` in the configuration.",
};

/// An assertion.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Text")]
pub struct Assertion {
    name: String,
    at: Pattern,
    condition: Condition,
    message: Option<String>,
    verdict: Verdict,
}

/// What has to hold for each value.
#[derive(Debug, Clone)]
enum Condition {
    Has(String),
    HasNot(String),
    Matches(Regex),
    MatchesNot(Regex),
    KeysMatch(Regex),
    KeysMatchNot(Regex),
}

/// An assertion as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Text {
    name: String,
    at: Pattern,
    must_have: Option<String>,
    must_not_have: Option<String>,
    must_match: Option<String>,
    must_not_match: Option<String>,
    keys_must_match: Option<String>,
    keys_must_not_match: Option<String>,
    message: Option<String>,
    #[serde(default)]
    verdict: Severe,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Severe {
    #[default]
    Warning,
    Error,
}

impl TryFrom<Text> for Assertion {
    type Error = String;

    fn try_from(text: Text) -> Result<Self, String> {
        let Text { name, at, message, verdict, .. } = text;
        let regex = |pattern: Option<String>, condition: fn(Regex) -> Condition| {
            let regex = pattern.map(|pattern| Regex::new(&pattern).map_err(|error| format!("`{name}`: {error}")));
            regex.map(|regex| regex.map(condition))
        };
        let conditions = [
            text.must_have.map(|field| Ok(Condition::Has(field))),
            text.must_not_have.map(|field| Ok(Condition::HasNot(field))),
            regex(text.must_match, Condition::Matches),
            regex(text.must_not_match, Condition::MatchesNot),
            regex(text.keys_must_match, Condition::KeysMatch),
            regex(text.keys_must_not_match, Condition::KeysMatchNot),
        ];
        let mut conditions = conditions.into_iter().flatten();
        let (Some(condition), None) = (conditions.next(), conditions.next()) else {
            return Err(format!(
                "`{name}` needs exactly one of must-have, must-not-have, must-match, must-not-match, keys-must-match and \
                 keys-must-not-match"
            ));
        };
        let verdict = match verdict {
            Severe::Warning => Verdict::Warning,
            Severe::Error => Verdict::Error,
        };
        Ok(Self { at, condition: condition?, message, verdict, name })
    }
}

impl Assertion {
    /// The values for which it does not hold, in the order of the text.
    pub(super) fn check(&self, document: &Document) -> Vec<Finding> {
        let selected = self.at.select(Node::root(document));
        let failures = selected.iter().flat_map(|at| self.failures(at));
        let mut findings: Vec<Finding> =
            failures.map(|(pointer, problem)| self.finding(document, &pointer, &problem)).collect();
        findings.sort_by(|one, other| one.span.cmp(&other.span));
        findings
    }

    /// Pointers of what is wrong with a value, and the problems.
    fn failures(&self, at: &Node<'_>) -> Vec<(String, String)> {
        let here = |problem: String| vec![(at.pointer.clone(), problem)];
        let keys = |wrong: &dyn Fn(&str) -> bool, problem: &str| {
            let entries = at.entries().filter(|(key, _)| wrong(key));
            entries.map(|(key, child)| (child.pointer, format!("the key `{key}` {problem}"))).collect()
        };
        match &self.condition {
            Condition::Has(field) if at.value.is_object() && at.get(field).is_none() => {
                here(format!("`{field}` is missing"))
            }
            Condition::HasNot(field) => {
                let found = at.get(field).into_iter();
                found.map(|child| (child.pointer, format!("`{field}` is not allowed"))).collect()
            }
            Condition::Matches(regex) => match text(at.value).filter(|text| !regex.is_match(text)) {
                Some(text) => here(format!("`{text}` does not match `{regex}`")),
                None => Vec::new(),
            },
            Condition::MatchesNot(regex) => match text(at.value).filter(|text| regex.is_match(text)) {
                Some(text) => here(format!("`{text}` matches `{regex}`")),
                None => Vec::new(),
            },
            Condition::KeysMatch(regex) => keys(&|key| !regex.is_match(key), &format!("does not match `{regex}`")),
            Condition::KeysMatchNot(regex) => keys(&|key| regex.is_match(key), &format!("matches `{regex}`")),
            Condition::Has(_) => Vec::new(),
        }
    }

    fn finding(&self, document: &Document, at: &str, problem: &str) -> Finding {
        let own =
            |path: &String| at == path || at.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('/'));
        let operation = document.located().find(|located| own(&located.pointer()));
        let below = operation.map_or(at, |operation| &at[operation.pointer().len()..]);
        let span = document.span(at);
        Finding {
            rule: &ASSERTION,
            verdict: self.verdict,
            operations: operation
                .map(|operation| format!("{} {}", operation.method.to_uppercase(), operation.path))
                .into_iter()
                .collect(),
            place: pointer::tokens(below).collect::<Vec<_>>().join(" › "),
            message: match &self.message {
                Some(message) => format!("{}: {problem}: {message}", self.name),
                None => format!("{}: {problem}", self.name),
            },
            span: span.clone(),
            old: None,
            new: Some(Side { span, pointer: document.pointer_in_file(at), value: None }),
            example: None,
            request: None,
        }
    }
}

/// A string, number or boolean as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
