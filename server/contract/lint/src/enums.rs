//! Enums of different schemas that share values.

use super::Lint;
use super::reach::component_name;
use super::words::{folded, short};
use countersign_contract_document::grammar::Kind;
use countersign_contract_finding::{Rule, Verdict};
use serde_json::Value;
use std::collections::HashMap;

pub(super) const SHARED: Rule = Rule {
    id: "enum-value-shared",
    verdict: Verdict::Warning,
    what: "Enums of two schemas have the same value, or values that differ in case and separators only.",
    why: "Generators that name constants by value in one scope for the whole package (openapi-generator's for Go) declare one twice, and \
          the client does not compile. Set `enumClassPrefix=true` there, or name one schema and refer to it from both places. Most \
          generators scope constants by schema.",
};

/// Reports each value of the enum of a named schema that the enum of an earlier one has. Enums without a name are mostly plain
/// strings to generators.
pub(super) fn check(lint: &Lint<'_>) {
    let mut first: HashMap<String, (countersign_contract_document::tree::Id, &str)> = HashMap::new();
    for (id, schema) in lint.tree.of(Kind::Schema) {
        let Some(("schemas", name)) = component_name(&lint.tree, id) else { continue };
        for (index, value) in schema["enum"].as_array().into_iter().flatten().enumerate() {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Null => continue,
                other => other.to_string(),
            };
            let (other, owner) = *first.entry(constant(&text)).or_insert((id, name));
            if other != id {
                let message = format!("`{}` is a value of `{}`, too", short(&text), short(owner));
                lint.report(&SHARED, id, &["enum", &index.to_string()], message);
            }
        }
    }
}

/// What generators make of a value, but for case and separators. Signs alone are kept as they are.
fn constant(text: &str) -> String {
    match folded(text) {
        letters if letters.is_empty() => text.to_owned(),
        letters => letters,
    }
}
