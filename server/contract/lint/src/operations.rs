//! Operations: their names, tags, descriptions and bodies.

use super::Lint;
use super::words::{folded, short};
use countersign_contract_document::grammar::Kind;
use countersign_contract_document::tree::Id;
use countersign_contract_finding::{Operations, Rule, Verdict};
use std::collections::HashMap;

pub(super) const ID_MISSING: Rule = Rule {
    id: "operation-id-missing",
    verdict: Verdict::Warning,
    what: "An operation has no `operationId`.",
    why: "Generators derive a name from the path, which changes with the path. Add an `operationId`.",
};
pub(super) const ID_DUPLICATE: Rule = Rule {
    id: "operation-id-duplicate",
    verdict: Verdict::Error,
    what: "Two operations have the same `operationId`.",
    why: "They must be unique (OpenAPI 3.0.3, Operation Object); generators rename one of them or fail.",
};
pub(super) const ID_COLLISION: Rule = Rule {
    id: "operation-id-collision",
    verdict: Verdict::Warning,
    what: "Two `operationId`s differ only in case or separators.",
    why: "Generators adapt names to their language, where the two collide. Choose names that differ in a word.",
};
pub(super) const ID_INVALID: Rule = Rule {
    id: "operation-id-invalid",
    verdict: Verdict::Warning,
    what: "An `operationId` is not a valid identifier in programming languages.",
    why: "Generators replace invalid characters, each in its own way. Use letters, digits and underscores, and begin with a letter.",
};
pub(super) const TAG_MISSING: Rule = Rule {
    id: "tag-missing",
    verdict: Verdict::Warning,
    what: "An operation has no tag.",
    why: "Generators put it into a separate class `DefaultApi`. Add a tag.",
};
pub(super) const DESCRIPTION: Rule = Rule {
    id: "operation-description-missing",
    verdict: Verdict::Warning,
    what: "An operation has neither a summary nor a description.",
    why: "Readers of the documentation or the generated client only see a name. Describe in a sentence what it does.",
};
pub(super) const BODY_ON_GET: Rule = Rule {
    id: "request-body-on-get",
    verdict: Verdict::Warning,
    what: "A GET, HEAD or TRACE operation has a request body, or a DELETE operation requires one.",
    why: "It has no meaning in HTTP (RFC 9110, section 9.3), so clients and proxies drop it. Use parameters or another method.",
};

pub(super) fn check(lint: &Lint<'_>) {
    let mut by_name: HashMap<&str, Id> = HashMap::new();
    let mut by_fold: HashMap<String, (&str, Id)> = HashMap::new();
    for id in in_order(lint) {
        let operation = lint.tree.node(id).value;
        if lint.tree.is_operation(id) {
            check_words(lint, id);
        }
        let Some(name) = operation["operationId"].as_str().filter(|name| !name.is_empty()) else { continue };
        if let Some(first) = by_name.insert(name, id) {
            let message = format!("two operations have the `operationId` `{}`", short(name));
            lint.report_for(&ID_DUPLICATE, id, &["operationId"], message, both(lint, first, id));
            continue;
        }
        let fold = folded(name);
        match by_fold.get(&fold) {
            Some((other, first)) => {
                let message = format!("`{}` and `{}` are the same name to generators", short(other), short(name));
                lint.report_for(&ID_COLLISION, id, &["operationId"], message, both(lint, *first, id));
            }
            None => {
                by_fold.insert(fold, (name, id));
            }
        }
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        if !is_name {
            let message = format!("`{}` is not a valid identifier in programming languages", short(name));
            lint.report(&ID_INVALID, id, &["operationId"], message);
        }
    }
}

/// Operations of paths in the order of the document, then those of callbacks.
fn in_order(lint: &Lint<'_>) -> Vec<Id> {
    let mut ids = lint.reach.in_order();
    ids.extend(lint.tree.of(Kind::Operation).map(|(id, _)| id).filter(|id| !lint.tree.is_operation(*id)));
    ids
}

fn check_words(lint: &Lint<'_>, id: Id) {
    let node = lint.tree.node(id);
    let says = |field: &str| node.value[field].as_str().is_some_and(|words| !words.trim().is_empty());
    if !says("operationId") {
        lint.report(&ID_MISSING, id, &[], "it has no `operationId`");
    }
    if node.value["tags"].as_array().is_none_or(Vec::is_empty) {
        lint.report(&TAG_MISSING, id, &[], "it has no tag");
    }
    if !says("summary") && !says("description") {
        lint.report(&DESCRIPTION, id, &[], "it has neither `summary` nor `description`");
    }
    check_body(lint, id);
}

/// An optional body of DELETE is fine, because clients that cannot send one still work.
fn check_body(lint: &Lint<'_>, id: Id) {
    let method = lint.tree.node(id).field;
    for body in lint.tree.field(id, "requestBody") {
        let is_required = lint.document.resolve(lint.tree.node(body).value)["required"] == true;
        if ["get", "head", "trace"].contains(&method) || (method == "delete" && is_required) {
            let words = if is_required { "requires" } else { "has" };
            lint.report(&BODY_ON_GET, body, &[], format!("{} {words} a request body", method.to_uppercase()));
        }
    }
}

fn both(lint: &Lint<'_>, one: Id, other: Id) -> Operations {
    let (one, other) = (lint.operations(one), lint.operations(other));
    one.iter().chain(other.iter().filter(|name| !one.contains(name))).cloned().collect()
}
