//! Which module may use which. Between crates the compiler keeps the arrows; within the server this table does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each module of `server/src`, the modules of it that it may use, and the workspace crates that it may use. The generated
/// table `operations` counts as a module that uses nothing.
const ALLOWED: [(&str, &[&str], &[&str]); 24] = [
    ("net", &[], &[]),
    ("process", &[], &[]),
    ("terminal", &[], &[]),
    ("clock", &[], &["domain"]),
    ("random", &[], &["flows"]),
    ("config", &["net"], &["api", "domain"]),
    ("delivery", &["clock", "net"], &["domain", "flows"]),
    ("listener", &[], &[]),
    ("edge", &["clock", "listener", "net", "random", "traces"], &["api", "contract_validate", "domain"]),
    ("metrics", &["clock"], &["api", "domain"]),
    ("traces", &["clock", "net"], &["domain"]),
    ("observers", &["metrics", "traces"], &["domain"]),
    ("administration", &[], &["api", "domain", "flows"]),
    (
        "http",
        &["administration", "app", "edge", "metrics", "net", "operations"],
        &["api", "contract_compare", "contract_document", "contract_validate", "domain", "flows"],
    ),
    ("housekeeping", &["clock", "config"], &["domain", "store"]),
    ("webhooks", &["clock", "config", "net", "random"], &["domain", "store"]),
    ("audit_seal", &["clock"], &["domain", "flows", "store"]),
    ("key_watch", &["clock"], &["domain", "flows", "store"]),
    (
        "app",
        &["clock", "config", "delivery", "edge", "http", "metrics", "net", "random"],
        &["domain", "flows", "store"],
    ),
    ("first_run", &["config"], &["domain"]),
    ("backup", &["app", "clock", "config", "first_run"], &["domain", "flows", "store"]),
    (
        "server",
        &[
            "app",
            "audit_seal",
            "clock",
            "config",
            "edge",
            "first_run",
            "housekeeping",
            "http",
            "key_watch",
            "listener",
            "metrics",
            "observers",
            "random",
            "terminal",
            "traces",
            "webhooks",
        ],
        &["domain", "flows", "store"],
    ),
    (
        "cli",
        &[
            "administration",
            "app",
            "backup",
            "clock",
            "config",
            "delivery",
            "first_run",
            "operations",
            "random",
            "server",
            "terminal",
        ],
        &["api", "contract_cli", "domain", "flows", "store"],
    ),
    ("main", &["cli", "process", "terminal"], &[]),
];

/// Each crate of the server, and the workspace crates that it may depend on, tests aside.
const CRATES: [(&str, &[&str]); 14] = [
    ("domain", &[]),
    ("contract/document", &[]),
    ("contract/compare", &["contract-document"]),
    ("contract/finding", &["contract-document"]),
    ("contract/validate", &["contract-document"]),
    ("contract/diff", &["contract-document", "contract-finding", "contract-validate"]),
    ("contract/lint", &["contract-document", "contract-finding", "contract-validate"]),
    ("contract/check", &["contract-document", "contract-finding", "contract-validate"]),
    ("contract/report", &["contract-document", "contract-finding"]),
    ("contract/profile", &["contract-diff", "contract-document", "contract-finding", "contract-lint"]),
    (
        "contract/cli",
        &[
            "contract-check",
            "contract-diff",
            "contract-document",
            "contract-finding",
            "contract-lint",
            "contract-profile",
            "contract-report",
        ],
    ),
    ("store", &["domain"]),
    ("flows", &["domain", "store"]),
    ("api", &[]),
];

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

/// Code without comments and unit tests.
fn without_tests(code: &str) -> String {
    let code = code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The words that follow `prefix` anywhere in the code, comments and unit tests aside. Of `prefix{a::b, c}`, all heads.
fn heads(code: &str, prefix: &str) -> BTreeSet<String> {
    let code = without_tests(code);
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

/// What clients send in an odd form is read in one place each: header values by `edge::headers`, which takes any byte, and bodies by
/// `edge::body`, which skips a byte order mark. `HeaderValue::to_str` and a parser elsewhere would not.
#[test]
fn headers_and_bodies_of_requests_are_read_in_one_place() {
    const PLACES: [(&str, &[&str]); 3] =
        [("to_str", &[]), ("serde_json::from_slice", &["server/src/edge/body.rs"]), ("serde_json::from_reader", &[])];
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let directories = ["server/src/edge", "server/src/http", "server/api/src"];
    for file in directories.iter().flat_map(|directory| rust_files(&root().join(directory))) {
        let name = file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        if name.ends_with("/tests.rs") || name.contains("/tests/") {
            continue;
        }
        let code = without_tests(&std::fs::read_to_string(&file).unwrap());
        for (word, _) in PLACES {
            let is_word = |at: usize| !code[at + word.len()..].starts_with(|next: char| next.is_alphanumeric());
            if code.match_indices(word).any(|(at, _)| is_word(at)) {
                found.entry(word).or_default().insert(name.clone());
            }
        }
    }
    for (word, allowed) in PLACES {
        let found = found.remove(word).unwrap_or_default();
        assert_eq!(found, allowed.iter().map(|&name| name.to_owned()).collect(), "{word}");
    }
}

/// Types that hold a secret, as their `Debug` hides it, and have an `==`, which stops at the first difference; each with the reason
/// why a timing difference reveals nothing. All others can be compared with `ct_eq` only.
const COMPARABLE: [(&str, &str); 5] = [
    ("Digest", "a row is found by it, and it is made of a secret with 128 random bits or by a key"),
    ("Guess", "it is made by a key, of a code that was wrong"),
    ("Link", "what is mailed is compared in tests; no request contains one"),
    ("PasswordHash", "no request contains one; a password is compared with it by `matches`"),
    ("SecretFingerprint", "a row is found by it, and it is made by a key"),
];

/// Where the code of the server is.
const SERVER: [&str; 5] = ["server/src", "server/domain/src", "server/store/src", "server/flows/src", "server/api/src"];

#[test]
fn secrets_are_compared_in_constant_time_a_11_2_4() {
    let (mut secrets, mut comparable) = (BTreeSet::new(), BTreeSet::new());
    for file in rust_files(&root().join("server/domain/src")) {
        let code = without_tests(&std::fs::read_to_string(&file).unwrap());
        for part in code.split("impl fmt::Debug for ").skip(1) {
            let (name, rest) = part.split_once(' ').unwrap();
            let body = rest.split("impl ").next().unwrap();
            if !body.contains("[redacted]") {
                continue;
            }
            secrets.insert(name.to_owned());
            let (before, _) = code.split_once(&format!("struct {name}")).unwrap();
            let attributes = before.rsplit("\n\n").next().unwrap();
            if attributes.contains("PartialEq") || code.contains(&format!("PartialEq for {name}")) {
                comparable.insert(name.to_owned());
            }
        }
    }
    // The text of a secret has an `==`.
    for file in SERVER.iter().flat_map(|directory| rust_files(&root().join(directory))) {
        let code = without_tests(&std::fs::read_to_string(&file).unwrap());
        let compared =
            code.lines().find(|line| line.contains("expose()") && (line.contains("==") || line.contains("!=")));
        assert_eq!(compared, None, "{}", file.display());
    }
    // `$name` is all bearer secrets.
    for name in ["$name", "BackupCode", "OneTimeCode", "Password", "TotpSecret"] {
        assert!(secrets.contains(name), "{name} is not among {secrets:?}");
    }
    assert_eq!(comparable, COMPARABLE.iter().map(|(name, _)| (*name).to_owned()).collect());
}

/// Codes and secrets are drawn from the generator that `random` lends, which the operating system seeds. What else names a
/// generator says why.
#[test]
fn randomness_comes_from_one_place_a_6_5_3() {
    const GENERATORS: [&str; 8] =
        ["rand::", "rand_chacha", "ChaCha", "StdRng", "SmallRng", "OsRng", "fastrand", "getrandom"];
    const PLACES: [(&str, &str); 4] = [
        ("server/domain/src/decisions/fixtures.rs", "ids of unit tests"),
        (
            "server/domain/src/jwt.rs",
            "signatures take the generator of their library, which is cryptographically secure",
        ),
        ("server/src/first_run.rs", "names the trait of generators that are cryptographically secure"),
        ("server/src/random.rs", "lends the system's"),
    ];
    let mut found = BTreeSet::new();
    for directory in SERVER {
        for file in rust_files(&root().join(directory)) {
            let name = file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            if name.ends_with("/tests.rs") || name.contains("/tests/") {
                continue;
            }
            let code = without_tests(&std::fs::read_to_string(&file).unwrap());
            let is_word = |at: usize| !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
            if GENERATORS.iter().any(|word| code.match_indices(word).any(|(at, _)| is_word(at))) {
                found.insert(name);
            }
        }
    }
    assert_eq!(found, PLACES.iter().map(|(name, _)| (*name).to_owned()).collect());
    let source = std::fs::read_to_string(root().join("server/src/random.rs")).unwrap();
    assert!(source.contains("let mut random = rand::rng();"), "{source}");
}
