//! What the comparison promises, held against a validator: whatever somebody could send before and cannot send now gets a
//! finding that hurts requests; whatever somebody may get now and could not get before, one that hurts responses.
//!
//! Whoever sends keeps to what is documented: the sender's schema is the strict one.

use crate::generate::{Choices, changed, document, instance, is_free_form, schemas};
use countersign_contract::canonical_schema::canonical_schema;
use countersign_contract::{DiffOptions, Document, Finding, Verdict, diff, response_schema, strict_response_schema};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::Value;

struct Side {
    document: Document,
    loose: Validator,
    strict: Validator,
}

impl Side {
    fn new(name: &str, schemas: &Value) -> Self {
        let document = document(name, schemas);
        let of = |schema: Option<Value>| jsonschema::validator_for(&schema.unwrap()).unwrap();
        let loose = of(response_schema(&document, "a", 200, "application/json"));
        let strict = of(strict_response_schema(&document, "a", 200, "application/json"));
        Self { document, loose, strict }
    }
}

fn hurts(findings: &[Finding], direction: &str) -> bool {
    findings.iter().any(|finding| finding.verdict >= Verdict::Risky && finding.rule.id.starts_with(direction))
}

fn check(before: &Value, after: &Value, choices: &mut Choices<'_>) -> Result<(), TestCaseError> {
    if is_free_form(before) || is_free_form(after) {
        return Ok(());
    }
    let (old, new) = (Side::new("old", before), Side::new("new", after));
    let findings = diff(&old.document, &new.document, &DiffOptions::default());
    let told = || findings.iter().map(|finding| finding.rule.id).collect::<Vec<_>>().join(", ");
    let meaning = |schemas: &Value, side: &Side| canonical_schema(&side.document, &schemas["Root"]);
    // Alternatives are matched by name, and told of when one takes the place of another; in the canonical form they are a
    // set, whatever they are called.
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

    /// One schema is the other one with some changes.
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

    /// Two schemas have nothing to do with each other.
    #[test]
    fn any_two_schemas(
        one in proptest::collection::vec(any::<u16>(), 0..40),
        other in proptest::collection::vec(any::<u16>(), 0..40),
        values in proptest::collection::vec(any::<u16>(), 1..200),
    ) {
        check(&schemas(&mut Choices(&one)), &schemas(&mut Choices(&other)), &mut Choices(&values))?;
    }
}

/// Few enough to be quick; `DIFF_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("DIFF_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(150)
}
