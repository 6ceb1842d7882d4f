//! The guarantee of the comparison, tested with a validator: if a value could be sent before and cannot be sent now,
//! there is a risky or breaking finding for requests; if a value may be received now and could not be before, one for
//! responses.
//!
//! Senders only send documented properties, so their schema is the strict one.

use crate::generate::{Choices, changed, document, instance, is_free_form, schemas};
use countersign_contract_compare::canonical_schema::canonical_schema;
use countersign_contract_diff::{Options as DiffOptions, diff};
use countersign_contract_document::Document;
use countersign_contract_finding::{Example, Finding, Verdict};
use countersign_contract_validate::{response_schema, strict_response_schema};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::Value;

pub(crate) struct Side {
    pub(crate) document: Document,
    pub(crate) loose: Validator,
    pub(crate) strict: Validator,
}

impl Side {
    pub(crate) fn new(document: Document) -> Self {
        let of = |schema: Option<Value>| jsonschema::validator_for(&schema.unwrap()).unwrap();
        let loose = of(response_schema(&document, "a", 200, "application/json"));
        let strict = of(strict_response_schema(&document, "a", 200, "application/json"));
        Self { document, loose, strict }
    }
}

pub(crate) fn hurts(findings: &[Finding], direction: &str) -> bool {
    findings.iter().any(|finding| finding.verdict >= Verdict::Risky && finding.rule.id.starts_with(direction))
}

fn check(before: &Value, after: &Value, choices: &mut Choices<'_>) -> Result<(), TestCaseError> {
    if is_free_form(before) || is_free_form(after) {
        return Ok(());
    }
    let (old, new) = (Side::new(document("old", before)), Side::new(document("new", after)));
    let findings = diff(&old.document, &new.document, &DiffOptions::default());
    check_examples(&findings, &old, &new)?;
    let told = || findings.iter().map(|finding| finding.rule.id).collect::<Vec<_>>().join(", ");
    let meaning = |schemas: &Value, side: &Side| canonical_schema(&side.document, &schemas["Root"]);
    // Alternatives are paired by name, and reported if another name replaces one; in the canonical form they are a set
    // without names.
    let has_alternatives =
        [before, after].iter().any(|schemas| ["oneOf", "anyOf"].iter().any(|key| schemas.to_string().contains(key)));
    if !has_alternatives && meaning(before, &old) == meaning(after, &new) {
        let others = findings.iter().filter(|finding| {
            let is_about_values =
                ["request-", "response-"].iter().any(|direction| finding.rule.id.starts_with(direction));
            is_about_values && finding.verdict >= Verdict::Risky
        });
        let others: Vec<_> = others.map(|finding| finding.rule.id).collect();
        prop_assert!(others.is_empty(), "{}\nmeans the same as\n{}\n{:?}", before, after, others);
    }
    let mut count = 0;
    while count < 60 && !(choices.is_empty() && count > 0) {
        count += 1;
        for schemas in [before, after] {
            let value = instance(choices, schemas, &schemas["Root"], 6);
            if old.strict.is_valid(&value) && old.loose.is_valid(&value) && !new.loose.is_valid(&value) {
                let message = format!("{value} was right and is wrong\n{before}\n{after}\ntold: {}", told());
                prop_assert!(hurts(&findings, "request-"), "{}", message);
            }
            if new.strict.is_valid(&value) && new.loose.is_valid(&value) && !old.loose.is_valid(&value) {
                let message = format!("{value} was wrong and is right\n{before}\n{after}\ntold: {}", told());
                prop_assert!(hurts(&findings, "response-"), "{}", message);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Compares schemas with changed versions of themselves.
    #[test]
    fn changes_of_a_schema(
        made in proptest::collection::vec(any::<u16>(), 0..60),
        edits in proptest::collection::vec(any::<u16>(), 1..20),
        values in proptest::collection::vec(any::<u16>(), 1..300),
    ) {
        let before = schemas(&mut Choices(&made));
        let after = changed(&mut Choices(&edits), &before);
        check(&before, &after, &mut Choices(&values))?;
        check(&after, &before, &mut Choices(&values))?;
    }

    /// Compares unrelated schemas.
    #[test]
    fn any_two_schemas(
        one in proptest::collection::vec(any::<u16>(), 0..40),
        other in proptest::collection::vec(any::<u16>(), 0..40),
        values in proptest::collection::vec(any::<u16>(), 1..200),
    ) {
        check(&schemas(&mut Choices(&one)), &schemas(&mut Choices(&other)), &mut Choices(&values))?;
    }
}

/// A small number to be fast; `DIFF_CASES` overrides it.
pub(crate) fn cases() -> u32 {
    std::env::var("DIFF_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(150)
}

/// Whether the example of a finding about the whole schema is valid on one side only, as a validator of its own sees it.
pub(crate) fn is_confirmed(finding: &Finding, value: &Value, old: &Side, new: &Side) -> bool {
    let (accepting, rejecting) = if finding.rule.id.starts_with("request-") { (old, new) } else { (new, old) };
    accepting.loose.is_valid(value) && !rejecting.loose.is_valid(value)
}

/// Checks the examples of findings about the whole schema; those of its parts are no values of the whole.
pub(crate) fn check_examples(findings: &[Finding], old: &Side, new: &Side) -> Result<(), TestCaseError> {
    for finding in findings {
        let is_whole = finding.place.ends_with("application/json") || finding.place == "schema Root";
        if let Some(Example::Value(value)) = finding.example.as_ref().filter(|_| is_whole) {
            let message = format!("{value} is no example of {}", finding.rule.id);
            let documents = format!("{}\n{}", old.document.value(), new.document.value());
            prop_assert!(is_confirmed(finding, value, old, new), "{}\n{}", message, documents);
        }
    }
    Ok(())
}
