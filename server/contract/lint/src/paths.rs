//! Paths, their templates and path parameters.

use super::Lint;
use super::words::short;
use countersign_contract_document::grammar::Kind;
use countersign_contract_document::tree::{Id, Key};
use countersign_contract_finding::{Rule, Verdict};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

pub(super) const SLASH_MISSING: Rule = Rule {
    id: "path-slash-missing",
    verdict: Verdict::Error,
    what: "A path does not begin with a slash.",
    why: "Paths are appended to the server's URL as they stand (OpenAPI 3.0.3, Paths Object), so the URL is wrong.",
};
pub(super) const SLASH_TRAILING: Rule = Rule {
    id: "path-slash-trailing",
    verdict: Verdict::Warning,
    what: "A path ends with a slash.",
    why: "Servers and proxies differ in whether `/a/` is `/a`, and clients lose the slash. Remove it.",
};
pub(super) const TEMPLATE_INVALID: Rule = Rule {
    id: "path-template-invalid",
    verdict: Verdict::Error,
    what: "A path has braces that do not pair, an empty or repeated variable, or a query or fragment.",
    why: "Clients cannot expand it. Query parameters belong in `parameters`.",
};
pub(super) const TEMPLATE_DUPLICATE: Rule = Rule {
    id: "path-template-duplicate",
    verdict: Verdict::Error,
    what: "Two paths differ only in the names of their variables.",
    why: "Requests cannot distinguish them (OpenAPI 3.0.3, Paths Object). Put their operations under one path.",
};
pub(super) const UNDECLARED: Rule = Rule {
    id: "path-parameter-undeclared",
    verdict: Verdict::Error,
    what: "A path has a variable that an operation does not declare as a parameter.",
    why: "Generated clients send the braces literally or do not compile. Add a parameter with `in: path`.",
};
pub(super) const NOT_IN_PATH: Rule = Rule {
    id: "path-parameter-not-in-path",
    verdict: Verdict::Error,
    what: "A parameter with `in: path` is not a variable of the path.",
    why: "Clients must provide a value that is never sent. Add it to the path in braces, or remove it.",
};
pub(super) const NOT_REQUIRED: Rule = Rule {
    id: "path-parameter-not-required",
    verdict: Verdict::Error,
    what: "A parameter with `in: path` is not `required: true`.",
    why: "A path without the value is another path (OpenAPI 3.0.3, Parameter Object). Add `required: true`.",
};

pub(super) fn check(lint: &Lint<'_>) {
    let items = lint.tree.of(Kind::PathItem).filter(|(id, _)| lint.tree.node(*id).owner == *id);
    let items: Vec<(Id, &str)> = items.map(|(id, _)| (id, lint.tree.path(id))).collect();
    for (id, path) in &items {
        check_path(lint, *id, path);
        check_parameters(lint, *id, path);
    }
    check_duplicates(lint, items);
    for (id, parameter) in lint.tree.of(Kind::Parameter) {
        if parameter["in"] == "path" && parameter["required"] != true {
            let inner: &[&str] = if parameter.get("required").is_some() { &["required"] } else { &[] };
            lint.report(&NOT_REQUIRED, id, inner, format!("{} is not required", quoted(parameter)));
        }
    }
}

fn check_path(lint: &Lint<'_>, id: Id, path: &str) {
    if !path.starts_with('/') {
        lint.report(&SLASH_MISSING, id, &[], "the path does not begin with a slash");
    } else if path.len() > 1 && path.ends_with('/') {
        lint.report(&SLASH_TRAILING, id, &[], "the path ends with a slash");
    }
    match template(path) {
        Err(problem) => lint.report(&TEMPLATE_INVALID, id, &[], problem),
        Ok(names) => {
            let mut seen = HashSet::new();
            if let Some(twice) = names.into_iter().find(|name| !seen.insert(*name)) {
                lint.report(&TEMPLATE_INVALID, id, &[], format!("the variable `{}` occurs twice", short(twice)));
            }
        }
    }
}

/// The variables of a path.
fn template(path: &str) -> Result<Vec<&str>, &'static str> {
    let (mut names, mut rest) = (Vec::new(), path);
    while let Some(index) = rest.find(['{', '}', '?', '#']) {
        let behind = &rest[index + 1..];
        match rest.as_bytes()[index] {
            b'{' => {
                let (name, behind) = behind.split_once('}').ok_or("a brace is not closed")?;
                if name.is_empty() || name.contains(['{', '/']) {
                    return Err("a pair of braces does not contain the name of a variable");
                }
                names.push(name);
                rest = behind;
            }
            b'}' => return Err("a closing brace has no opening one"),
            _ => return Err("the path contains a query or a fragment"),
        }
    }
    Ok(names)
}

/// The path without the names of its variables.
fn skeleton(path: &str) -> String {
    let mut parts = path.split('{');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("{}");
        out.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    out
}

fn check_duplicates(lint: &Lint<'_>, items: Vec<(Id, &str)>) {
    let mut same: BTreeMap<String, Vec<(Id, &str)>> = BTreeMap::new();
    for (id, path) in items.into_iter().filter(|(_, path)| template(path).is_ok()) {
        same.entry(skeleton(path)).or_default().push((id, path));
    }
    for mut paths in same.into_values().filter(|paths| paths.len() > 1) {
        paths.sort_by_key(|(id, _)| lint.document.position(&lint.tree.pointer(*id)));
        let (_, first) = paths[0];
        for (id, _) in &paths[1..] {
            lint.report(&TEMPLATE_DUPLICATE, *id, &[], format!("the path is the same as `{}`", short(first)));
        }
    }
}

fn check_parameters(lint: &Lint<'_>, item: Id, path: &str) {
    let Ok(names) = template(path) else { return };
    let shared = in_path(lint, item);
    let operations = lint.tree.children(item).filter(|id| lint.tree.is_operation(*id));
    for operation in operations {
        let own = in_path(lint, operation);
        for name in names.iter().filter(|name| !shared.iter().chain(&own).any(|(_, declared)| declared == *name)) {
            let message = format!("the variable `{}` of the path is not declared as a parameter", short(name));
            lint.report(&UNDECLARED, operation, &[], message);
        }
        not_in_path(lint, &own, &names);
    }
    not_in_path(lint, &shared, &names);
}

fn not_in_path(lint: &Lint<'_>, parameters: &[(Id, &str)], names: &[&str]) {
    for (id, name) in parameters.iter().filter(|(_, name)| !names.contains(name)) {
        lint.report(&NOT_IN_PATH, *id, &[], format!("`{}` is not a variable of the path", short(name)));
    }
}

/// The parameters with `in: path` of an operation or a path item.
fn in_path<'a>(lint: &Lint<'a>, holder: Id) -> Vec<(Id, &'a str)> {
    let parameters =
        lint.tree.field(holder, "parameters").filter(|id| matches!(lint.tree.node(*id).key, Key::Index(_)));
    let resolved = parameters.map(|id| (id, lint.document.resolve(lint.tree.node(id).value)));
    let in_path = resolved.filter(|(_, parameter)| parameter["in"] == "path");
    in_path.filter_map(|(id, parameter)| Some((id, parameter["name"].as_str()?))).collect()
}

fn quoted(parameter: &Value) -> String {
    parameter["name"].as_str().map_or_else(|| "the parameter".to_owned(), |name| format!("`{}`", short(name)))
}
