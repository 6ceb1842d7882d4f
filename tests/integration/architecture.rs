//! Which module may use which. Between crates the compiler keeps the arrows; within the server this table does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each module of `server/src`, the modules of it that it may use, and the workspace crates that it may use. The generated
/// table `operations` counts as a module that uses nothing.
const ALLOWED: [(&str, &[&str], &[&str]); 15] = [
    ("net", &[], &[]),
    ("process", &[], &[]),
    ("terminal", &[], &[]),
    ("clock", &[], &["domain"]),
    ("random", &[], &["flows"]),
    ("config", &["net"], &["api", "domain"]),
    ("delivery", &["clock", "net"], &["domain", "flows"]),
    ("edge", &["clock", "net"], &["api", "contract", "domain"]),
    ("http", &["app", "edge", "net", "operations"], &["api", "contract", "domain", "flows"]),
    ("housekeeping", &["clock", "config"], &["domain", "store"]),
    ("app", &["clock", "config", "delivery", "edge", "http", "net", "random"], &["domain", "flows", "store"]),
    ("first_run", &["config"], &["domain"]),
    (
        "server",
        &["app", "clock", "config", "edge", "first_run", "housekeeping", "http", "random", "terminal"],
        &["store"],
    ),
    (
        "cli",
        &["app", "clock", "config", "first_run", "operations", "random", "server", "terminal"],
        &["contract", "domain", "store"],
    ),
    ("main", &["cli", "process", "terminal"], &[]),
];

/// Each crate of the server, and the workspace crates that it may depend on, tests aside.
const CRATES: [(&str, &[&str]); 5] =
    [("domain", &[]), ("contract", &[]), ("store", &["domain"]), ("flows", &["domain", "store"]), ("api", &[])];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The words that follow `prefix` anywhere in the code, comments and unit tests aside. Of `prefix{a::b, c}`, all heads.
fn heads(code: &str, prefix: &str) -> BTreeSet<String> {
    let code = code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = lines.collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        // `some_crate::` is no `crate::`.
        if code[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let list = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default(),
            None => rest,
        };
        let items = if rest.starts_with('{') { list.split(',').collect() } else { vec![list] };
        found.extend(items.into_iter().map(|item| {
            item.trim().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect::<String>()
        }));
    }
    found.remove("");
    found
}

#[test]
fn modules_of_the_server_use_only_what_the_table_allows() {
    let source = root().join("server/src");
    let table: BTreeMap<_, _> =
        ALLOWED.iter().map(|(module, modules, crates)| (*module, (*modules, *crates))).collect();
    let mut problems = Vec::new();
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    for file in rust_files(&source) {
        let relative = file.strip_prefix(&source).unwrap();
        let module = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if module == "lib" || relative.ends_with("tests.rs") || relative.iter().any(|part| part == "tests") {
            continue;
        }
        let Some((modules, crates)) = table.get(module.as_str()) else {
            problems.push(format!("{}: `{module}` is not in the table", relative.display()));
            continue;
        };
        let code = std::fs::read_to_string(&file).unwrap();
        let prefix = if module == "main" { "countersign::" } else { "crate::" };
        for name in heads(&code, prefix).into_iter().filter(|name| *name != module) {
            if !modules.contains(&name.as_str()) {
                problems.push(format!("{}: `{module}` may not use the module `{name}`", relative.display()));
            }
            used.insert((module.clone(), name));
        }
        for name in heads(&code, "countersign_") {
            if !crates.contains(&name.as_str()) {
                problems.push(format!("{}: `{module}` may not use the crate `{name}`", relative.display()));
            }
            used.insert((module.clone(), name));
        }
    }
    let unused = table.iter().flat_map(|(module, (modules, crates))| {
        let names = modules.iter().chain(crates.iter());
        names
            .filter(|name| !used.contains(&((*module).to_owned(), (**name).to_owned())))
            .map(move |name| (module, name))
    });
    problems
        .extend(unused.map(|(module, name)| format!("the table allows `{module}` to use `{name}`, which it does not")));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn crates_of_the_server_depend_only_on_what_the_table_allows() {
    for (name, allowed) in CRATES {
        let manifest = std::fs::read_to_string(root().join(format!("server/{name}/Cargo.toml"))).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
        let found: BTreeSet<_> = dependencies
            .lines()
            .filter_map(|line| line.strip_prefix("countersign-")?.split(['.', ' ']).next())
            .collect();
        assert_eq!(found, allowed.iter().copied().collect(), "{name}");
    }
}

/// The table is one of arrows: no module can reach itself through others. `app` and `http` are the exception, because a
/// handler is given the state that names the cookies of its dialect.
#[test]
fn the_table_has_no_circle() {
    let table: BTreeMap<_, _> = ALLOWED.iter().map(|(module, modules, _)| (*module, *modules)).collect();
    for start in table.keys() {
        let (mut reached, mut ahead) = (BTreeSet::new(), table[start].to_vec());
        while let Some(module) = ahead.pop() {
            let is_exception = ["app", "http"].contains(start) && ["app", "http"].contains(&module);
            assert!(module != *start || is_exception, "`{start}` reaches itself");
            if reached.insert(module) {
                ahead.extend(table.get(module).into_iter().flat_map(|modules| modules.iter()));
            }
        }
    }
}

/// Within the crates below the server, no module reaches itself through the modules that it imports.
#[test]
fn modules_of_the_crates_below_have_no_circle() {
    for name in ["domain", "store", "flows"] {
        let source = root().join(format!("server/{name}/src"));
        let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for file in rust_files(&source) {
            let relative = file.strip_prefix(&source).unwrap();
            let module = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
            let code = std::fs::read_to_string(&file).unwrap();
            let mut found = heads(&code, "crate::");
            if relative.iter().count() == 1 {
                found.extend(heads(&code, "super::"));
            }
            imports.entry(module).or_default().extend(found);
        }
        for start in imports.keys().filter(|module| *module != "lib") {
            let (mut reached, mut ahead) = (BTreeSet::new(), imports[start].iter().cloned().collect::<Vec<_>>());
            ahead.retain(|module| module != start);
            while let Some(module) = ahead.pop() {
                assert!(module != *start, "{name}: `{start}` reaches itself");
                if reached.insert(module.clone()) {
                    ahead.extend(imports.get(&module).into_iter().flatten().filter(|next| **next != module).cloned());
                }
            }
        }
    }
}
