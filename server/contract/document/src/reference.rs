//! Resolving `$ref`.
//!
//! Loading a document checks its references, so that resolving one cannot fail afterwards. Only references within the
//! document exist by then, because loading takes in the content of other files.

use crate::pointer;
use serde_json::Value;

/// Most references followed in a row. Checked references have no cycle, but those in examples are not checked, and a
/// reference may lead into an example.
pub(crate) const LONGEST_CHAIN: usize = 256;

/// Follows `$ref` within `document` to a value that is not a reference. Null if a reference leads nowhere, or for more than
/// 256 references in a row; in a loaded document, neither occurs outside of examples.
#[must_use]
pub fn resolve<'a>(document: &'a Value, mut value: &'a Value) -> &'a Value {
    for _ in 0..LONGEST_CHAIN {
        let Some(reference) = target(value) else { return value };
        value = reference.strip_prefix('#').and_then(|at| pointer::find(document, at)).unwrap_or(&Value::Null);
    }
    if target(value).is_some() { &Value::Null } else { value }
}

/// The `$ref` of a reference object; `None` for other values.
#[must_use]
pub fn target(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)
}
