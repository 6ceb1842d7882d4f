//! Dependencies that the crates of the contract tool may have: on other crates, and file by file.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Source text of each file by its module path: `["schema", "view"]`, and `[]` for `lib.rs`.
type Modules = BTreeMap<Vec<String>, String>;

/// The directory of a crate.
fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// The crates that are not of this workspace and that a crate depends on, tests aside.
fn dependencies_of(name: &str) -> BTreeSet<String> {
    let manifest = std::fs::read_to_string(directory(name).join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names = dependencies.lines().filter_map(|line| line.split(['.', ' ']).next()).filter(|name| !name.is_empty());
    names.filter(|name| !name.starts_with("countersign-")).map(str::to_owned).collect()
}

#[test]
fn build_scripts_compile_little_more_than_a_parser() {
    let document = ["percent-encoding", "saphyr-parser", "serde", "serde_json", "thiserror"];
    assert_eq!(dependencies_of("document"), document.map(str::to_owned).into());
    assert_eq!(dependencies_of("compare"), ["serde_json".to_owned()].into());
}

#[test]
fn only_the_program_does_input_and_output() {
    let network = |name: &str| {
        dependencies_of(name).intersection(&["http", "hyper", "reqwest", "tokio"].map(str::to_owned).into()).count()
    };
    assert!(network("cli") > 0);
    for name in ["check", "compare", "diff", "document", "finding", "lint", "profile", "report", "validate"] {
        assert_eq!(network(name), 0, "{name}");
    }
}

/// The library is generic, and a crate that compiles schemas carries a copy of it of more than a megabyte.
#[test]
fn only_one_crate_compiles_json_schemas() {
    let compiles = |name: &str| {
        let mut modules = Modules::new();
        read(&directory(name).join("src"), &[], &mut modules);
        // All else of the library is a function that compiles, or leads to one; so are two functions of the type.
        let types = ["Validator", "ValidationError", "{ValidationError, Validator}", "error::"];
        let uses = modules.values().flat_map(|text| text.split("jsonschema::").skip(1));
        let uses_functions = uses.into_iter().any(|rest| !types.iter().any(|name| rest.starts_with(name)));
        let constructors = ["Validator::new(", "Validator::options("];
        let is_of_library = |text: &str, at: usize| !text[..at].ends_with(char::is_alphanumeric);
        let constructs = modules.values().any(|text| {
            constructors.iter().any(|call| text.match_indices(call).any(|(at, _)| is_of_library(text, at)))
        });
        uses_functions || constructs
    };
    let crates = ["check", "cli", "compare", "diff", "document", "finding", "lint", "profile", "report", "validate"];
    assert_eq!(crates.into_iter().filter(|name| compiles(name)).collect::<Vec<_>>(), ["validate"]);
}

#[test]
fn without_an_http_client_no_c_compiler_is_needed() {
    let compilers = |features: &[&str]| {
        let mut tree = Command::new(env!("CARGO"));
        tree.args(["tree", "--locked", "--offline", "--package", "countersign-contract-cli", "--prefix", "none"]);
        let output = tree.args(["--edges", "normal,build"]).args(features).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let names = text.lines().filter_map(|line| line.split(' ').next());
        names.filter(|name| ["bindgen", "cc", "cmake"].contains(name)).map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert_eq!(compilers(&["--no-default-features"]), BTreeSet::new());
    assert!(compilers(&[]).contains("cc"), "a C compiler is no longer needed at all");
}

/// The rule holds for the modules of a crate. Those of `schema` in `diff` count as one: schemas contain schemas, so comparing
/// them is recursive. `schema/parts.rs` is the exception, because the comparison, which those files use, needs it. The other
/// crates are one module each, whose files use what their `lib.rs` declares.
#[test]
fn no_module_depends_on_itself_through_others() {
    // With dependencies that are to be found in any case, in each form that the sources use.
    for (name, known) in [
        ("document", &[("document", "bundle")][..]),
        ("compare", &[("compare", "canonical")]),
        ("finding", &[("severity", "finding")]),
        ("validate", &[("validator", "json_schema")]),
        ("profile", &[("profile", "settings"), ("exceptions", "profile")]),
        ("diff", &[("operations", "bodies"), ("comparison", "schema::parts"), ("schema", "comparison")]),
    ] {
        let edges = edges(name);
        for (from, to) in known {
            assert!(
                edges.get(*from).is_some_and(|targets| targets.contains(*to)),
                "{name}: {from} → {to} was not found"
            );
        }
        for start in edges.keys() {
            if let Some(circle) = circle(start, &edges) {
                panic!("circle of modules in {name}: {}", circle.join(" → "));
            }
        }
    }
}

/// The units of a crate, each with those that it depends on.
fn edges(name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut modules = Modules::new();
    read(&directory(name).join("src"), &[], &mut modules);
    let mut edges = BTreeMap::<String, BTreeSet<String>>::new();
    for (module, text) in &modules {
        for target in dependencies(module, text, &modules) {
            // An item named through the crate's root would hide the module that it is in.
            assert!(
                !target.is_empty() || module.is_empty(),
                "{name}: {module:?} names an item of lib.rs instead of its module"
            );
            let (from, to) = (unit(module), unit(&target));
            if from != to && !module.is_empty() {
                edges.entry(from).or_default().insert(to);
            }
        }
    }
    edges
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
        ["schema", "parts", ..] => 2,
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
        .join("\n");
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
