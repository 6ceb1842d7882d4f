//! Whether schemas accept `null`.

use super::chosen;
use super::part::own_types;
use countersign_contract_document::Node;
use serde_json::Value;

/// Decides whether schemas accept `null`.
pub(super) struct LookForNull<'a, 'd> {
    pub(super) choices: &'a [(String, Node<'d>)],
    /// Assumed result for lists of alternatives, if any.
    pub(super) alternatives_do: Option<bool>,
}

impl<'d> LookForNull<'_, 'd> {
    /// Whether a schema does, with what it contains down to a depth.
    pub(super) fn takes(&self, at: Node<'d>, depth: usize) -> bool {
        let at = at.resolved();
        let Some(below) = depth.checked_sub(1) else { return true };
        let lists_null = at.value.get("enum").and_then(Value::as_array).is_none_or(|list| list.contains(&Value::Null));
        // `nullable: true` next to alternatives or an `allOf` overrides these, because that is the usual intention.
        at.is("nullable")
            || type_takes_null(&at)
                && lists_null
                && at.get("not").is_none_or(|excluded| !self.takes(excluded, below))
                && at.items_of("allOf").all(|part| self.takes(part, below))
                && ["oneOf", "anyOf"].into_iter().all(|kind| self.group_takes(&at, kind, below))
    }

    fn group_takes(&self, at: &Node<'d>, kind: &str, depth: usize) -> bool {
        if let Some(one) = chosen(self.choices, &format!("{}/{kind}", at.pointer)) {
            return self.takes(one.clone(), depth);
        }
        let list: Vec<_> = at.items_of(kind).collect();
        if list.is_empty() {
            return true;
        }
        self.alternatives_do.unwrap_or_else(|| {
            let count = list.into_iter().filter(|one| self.takes(one.clone(), depth)).count();
            count == 1 || count > 1 && kind == "anyOf"
        })
    }
}

/// Whether the type of a part, explicit or implied, allows null. Listed values are looked at elsewhere.
fn type_takes_null(at: &Node<'_>) -> bool {
    match at.value.get("type") {
        Some(Value::String(name)) => name == "null",
        Some(Value::Array(names)) => names.iter().any(|name| name == "null"),
        _ => at.value.get("enum").is_some() || own_types(at).is_none(),
    }
}
