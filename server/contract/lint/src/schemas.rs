//! Single schemas: limits, patterns, and keywords that do not work together.

use super::Lint;
use super::ecma;
use super::words::short;
use countersign_contract_document::grammar::Kind;
use countersign_contract_document::tree::Id;
use countersign_contract_finding::{Rule, Verdict};
use serde_json::Value;

pub(super) const ITEMS: Rule = Rule {
    id: "array-without-items",
    verdict: Verdict::Error,
    what: "A schema of type `array` has no `items`.",
    why: "OpenAPI 3.0 requires it (Schema Object), and generators do not know the type of the items. Add `items`, at least `{}`.",
};
pub(super) const BOUNDS: Rule = Rule {
    id: "bounds-contradict",
    verdict: Verdict::Error,
    what: "A lower limit is above the upper one.",
    why: "No value satisfies both, so every value is rejected. Correct one of the two.",
};
pub(super) const PATTERN: Rule = Rule {
    id: "pattern-invalid",
    verdict: Verdict::Error,
    what: "A pattern is not a regular expression of ECMA 262.",
    why: "OpenAPI requires that dialect. Clients that check the pattern reject every value or fail to start.",
};
pub(super) const TIME_PATTERN: Rule = Rule {
    id: "date-time-with-pattern",
    verdict: Verdict::Warning,
    what: "A schema has the format `date-time` or `date` and a pattern.",
    why: "Generated clients parse the string and then match the pattern with the parsed value: openapi-generator's \
          Python clients reject valid responses, its C# clients do not compile. Describe the pattern in the description.",
};
pub(super) const NULLABLE: Rule = Rule {
    id: "nullable-without-type",
    verdict: Verdict::Warning,
    what: "A schema is `nullable` but has no `type`.",
    why: "In OpenAPI 3.0.3, `nullable` only has a meaning together with `type`; some tools accept null and others do not. Add the type.",
};

pub(super) fn check(lint: &Lint<'_>) {
    for (id, schema) in lint.tree.of(Kind::Schema) {
        check_bounds(lint, id, schema);
        check_pattern(lint, id, schema);
        // JSON Schema requires no `items`, and has null as one of several types, which is read as `nullable`.
        let is_of_3_0 = !lint.document.version().has_json_schema();
        if is_of_3_0 && schema["type"] == "array" && schema.get("items").is_none() {
            lint.report(&ITEMS, id, &["type"], "the array has no `items`");
        }
        if is_of_3_0 && schema["nullable"] == true && schema.get("type").is_none() {
            lint.report(&NULLABLE, id, &["nullable"], "it is `nullable` but has no `type`");
        }
    }
}

/// Lower and upper limits that belong together.
const PAIRS: [(&str, &str); 4] =
    [("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties")];

fn check_bounds(lint: &Lint<'_>, id: Id, schema: &Value) {
    for (lower, upper) in PAIRS {
        let (Some(least), Some(most)) = (schema[lower].as_f64(), schema[upper].as_f64()) else { continue };
        let is_exclusive =
            lower == "minimum" && (schema["exclusiveMinimum"] == true || schema["exclusiveMaximum"] == true);
        if least > most || (is_exclusive && least >= most) {
            let message = if least > most {
                format!("{lower} {} is above {upper} {}", schema[lower], schema[upper])
            } else {
                format!("{lower} and {upper} are {}, and one of them is exclusive", schema[lower])
            };
            lint.report(&BOUNDS, id, &[lower], message);
        }
    }
}

fn check_pattern(lint: &Lint<'_>, id: Id, schema: &Value) {
    let Some(pattern) = schema["pattern"].as_str() else { return };
    if let Err(problem) = ecma::check(pattern) {
        lint.report(&PATTERN, id, &["pattern"], format!("`{}`: {problem}", short(pattern)));
    }
    if let Some(format @ ("date-time" | "date")) = schema["format"].as_str() {
        lint.report(&TIME_PATTERN, id, &["pattern"], format!("it has a pattern and the format `{format}`"));
    }
}
