//! Files depend on each other in one direction only.
//!
//! The rule holds for the modules of the crate, and file by file within `diff`, the largest of them. The files of
//! `diff/schema` count as one: schemas contain schemas, so comparing them is recursive. `diff/schema/parts.rs` is the
//! exception, because the comparison, which those files use, needs it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

/// Source text of each file by its module path: `["diff", "schema", "view"]`, and `[]` for `lib.rs`.
type Modules = BTreeMap<Vec<String>, String>;

#[test]
fn no_file_depends_on_itself_through_others() {
    let mut modules = Modules::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut modules);

    let mut edges = BTreeMap::<String, BTreeSet<String>>::new();
    for (module, text) in &modules {
        for target in dependencies(module, text, &modules) {
            // An item named through the crate's root would hide the module that it is in.
            assert!(
                !target.is_empty() || module.is_empty(),
                "{module:?} names an item of lib.rs instead of its module"
            );
            let (from, to) = (unit(module), unit(&target));
            if from != to && !module.is_empty() {
                edges.entry(from).or_default().insert(to);
            }
        }
    }

    // What is to be found in any case, in each form that the sources use.
    for (from, to) in [
        ("compare", "canonical"),
        ("document", "bundle"),
        ("diff", "diff::operations"),
        ("diff::operations", "diff::bodies"),
        ("diff::comparison", "diff::schema::parts"),
        ("diff::schema", "diff::comparison"),
    ] {
        assert!(edges.get(from).is_some_and(|targets| targets.contains(to)), "{from} → {to} was not found");
    }
    for start in edges.keys() {
        if let Some(circle) = circle(start, &edges) {
            panic!("circle of modules: {}", circle.join(" → "));
        }
    }
}

/// Reads the modules in a folder, without files of unit tests.
fn read(folder: &Path, parent: &[String], modules: &mut Modules) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = match stem.as_str() {
            "lib" | "mod" => parent.to_vec(),
            _ => [parent, std::slice::from_ref(&stem)].concat(),
        };
        if path.is_dir() {
            read(&path, &module, modules);
        } else if stem != "tests" {
            modules.insert(module, std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The unit of the rule that a module belongs to.
fn unit(module: &[String]) -> String {
    let length = match module.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["diff", "schema", "parts", ..] => 3,
        ["diff", ..] => 2,
        _ => 1,
    };
    module.iter().take(length).cloned().collect::<Vec<_>>().join("::")
}

/// The modules that a file declares or names by a path from `crate` or `super`.
fn dependencies(module: &[String], text: &str, modules: &Modules) -> BTreeSet<Vec<String>> {
    let code: String = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap()
        .lines()
        .map(|line| line.split("//").next().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
        .replace("pub(in crate::diff)", "pub");
    let mut found = BTreeSet::new();
    for line in code.lines() {
        let name = line.trim_start_matches("pub(super) ").trim_start_matches("pub ").strip_prefix("mod ");
        if let Some(name) = name.and_then(|name| name.strip_suffix(';')).filter(|name| *name != "tests") {
            found.insert([module, &[name.to_owned()]].concat());
        }
    }
    let mut rest = code.as_str();
    while let Some(at) = rest.find("crate::").into_iter().chain(rest.find("super::")).min() {
        let is_whole_word = !rest[..at].ends_with(|before: char| before.is_alphanumeric() || "_$:".contains(before));
        let (mut base, mut path) = match rest[at..].strip_prefix("crate::") {
            Some(path) => (Vec::new(), path),
            None => (module[..module.len().saturating_sub(1)].to_vec(), &rest[at + "super::".len()..]),
        };
        while let Some(above) = path.strip_prefix("super::") {
            base.pop();
            path = above;
        }
        rest = path;
        if is_whole_word {
            names(path, &base, &mut |full| {
                let length = (0..=full.len()).rev().find(|length| modules.contains_key(&full[..*length]));
                found.insert(full[..length.unwrap_or(0)].to_vec());
            });
        }
    }
    found
}

/// Calls `each` with every path that a (possibly grouped) path stands for; returns what follows it.
fn names<'t>(text: &'t str, base: &[String], each: &mut dyn FnMut(&[String])) -> &'t str {
    let text = text.trim_start();
    if let Some(mut inner) = text.strip_prefix('{') {
        loop {
            inner = inner.trim_start_matches(|next: char| next.is_whitespace() || next == ',');
            match inner.strip_prefix('}') {
                Some(behind) => return behind,
                None if inner.is_empty() => return inner,
                None => inner = names(inner, base, each),
            }
        }
    }
    let end = text.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(text.len());
    let (name, behind) = (&text[..end], &text[end..]);
    let full = if name == "self" || name.is_empty() { base.to_vec() } else { [base, &[name.to_owned()]].concat() };
    match behind.strip_prefix("::") {
        Some(below) => names(below, &full, each),
        None => {
            each(&full);
            // A glob stands for its module, and an alias changes nothing.
            let behind = behind.strip_prefix('*').unwrap_or(behind);
            behind
                .strip_prefix(" as ")
                .map_or(behind, |alias| alias.trim_start_matches(|next: char| next.is_alphanumeric() || next == '_'))
        }
    }
}

/// A shortest way from a unit back to itself.
fn circle(start: &str, edges: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let (mut seen, mut open) = (BTreeSet::new(), VecDeque::from([vec![start.to_owned()]]));
    while let Some(way) = open.pop_front() {
        for next in edges.get(way.last()?).into_iter().flatten() {
            let longer = [way.as_slice(), std::slice::from_ref(next)].concat();
            if next == start {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                open.push_back(longer);
            }
        }
    }
    None
}
