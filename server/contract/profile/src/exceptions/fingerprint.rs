//! What makes a finding the same one in a later run.

use countersign_contract_document::pointer;
use countersign_contract_finding::{Finding, Operations, Side};
use sha2::{Digest as _, Sha256};

/// Lists whose items are known by what they say, so that their index may change.
const SETS: [&str; 9] =
    ["parameters", "enum", "x-extensible-enum", "required", "tags", "servers", "security", "type", "examples"];

/// A text of 16 hexadecimal digits that depends on the rule, the place in the document and what changed, values included. It
/// depends neither on positions in the text nor on other operations that use the same component.
#[must_use]
pub fn fingerprint(finding: &Finding) -> String {
    let sides = [&finding.old, &finding.new].map(Option::as_ref);
    let has_pointer = sides.iter().any(Option::is_some);
    let is_in_component = sides.into_iter().flatten().all(|side| side.pointer.starts_with("/components/"));
    // Which operations use a component, and where, may change without it.
    let place = if has_pointer && is_in_component { "" } else { finding.place.as_str() };
    let operations = if has_pointer { Operations::default() } else { finding.operations.clone() };
    let [old, new] = sides.map(|side| side.map(|side| (pointer_without_indices(side), side.value.as_deref())));
    let parts = serde_json::json!([finding.rule.id, place, finding.message, old, new, operations]);
    let digest = Sha256::digest(parts.to_string());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn pointer_without_indices(side: &Side) -> String {
    let mut out = String::with_capacity(side.pointer.len());
    let mut list = String::new();
    for token in pointer::tokens(&side.pointer) {
        out.push('/');
        let is_index = SETS.contains(&list.as_str()) && token.bytes().all(|byte| byte.is_ascii_digit());
        out.push_str(&if is_index { "*".to_owned() } else { pointer::escape(&token) });
        list = token;
    }
    out
}
