//! `$ref`: where it may stand, where it leads, and whether it leads anywhere.
//!
//! References are checked once, when a document is loaded; afterwards following one cannot fail. Only
//! references into the same document are followed: what stands in other files is in the document by then.

use serde_json::Value;

/// References that are followed one after the other, at most: what is checked has no circle, but an example is not
/// checked, and somebody may refer into one.
pub(crate) const LONGEST_CHAIN: usize = 256;

/// Follows `$ref` in `document` until something else stands there. A reference that leads nowhere gives null, as does
/// a longer chain; in a checked document neither is met outside of examples.
#[must_use]
pub fn resolve<'a>(document: &'a Value, mut value: &'a Value) -> &'a Value {
    for _ in 0..LONGEST_CHAIN {
        let Some(reference) = target(value) else { return value };
        value = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer)).unwrap_or(&Value::Null);
    }
    if target(value).is_some() { &Value::Null } else { value }
}

/// What the object refers to, if it is a reference object.
#[must_use]
pub fn target(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)
}
