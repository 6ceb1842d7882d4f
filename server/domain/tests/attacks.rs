//! The codes that tests and comments cite are those of `server/attacks.toml`, and `server/README.md` shows who tests what.
//!
//! Two kinds of citation count, in every `.rs` file of the workspace:
//!
//! * The end of a test's name: numbers of one or two digits are attacks, `n` or `r` before them makes them requirements
//!   (`…_9_12`, `…_n5`), and so does `a` before three (`…_a_6_2_4`). Longer numbers (`…_rfc_6238`) are not codes, nor is a number after a word of [`COUNTED`].
//! * Comments and texts in quotes: `attack 44`, `attacks 2, 6 and 39`, `N9`, `R4`, `A 6.5.5`. They must stand on one line.
//!
//! A test is credited with the codes of its name, of its doc comment and of its body.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// After these words a number at the end of a name is a number, and not a code: exit status 2, signal 9.
const COUNTED: [&str; 3] = ["status", "kill", "with"];

/// This file quotes codes as examples.
const OWN_PATH: &str = "server/domain/tests/attacks.rs";

const README: &str = "server/README.md";
const BEGIN: &str = "<!-- attacks: generated from attacks.toml and the names of tests -->";
const END: &str = "<!-- end of attacks -->";

/// In the order of the table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Code {
    Attack(u32),
    /// A letter and the numbers after it: `A 6.5.5`, `N9`.
    Standard(char, Vec<u32>),
}

impl Code {
    /// Reads a key of the data file's `[standard]` table.
    fn standard(text: &str) -> Option<Self> {
        let (letter, rest) = text.split_at_checked(1)?;
        let letter = letter.chars().next().filter(|letter| "NAR".contains(*letter))?;
        let (rest, parts) = if letter == 'A' { (rest.strip_prefix(' ')?, 3) } else { (rest, 1) };
        let numbers: Option<Vec<u32>> = rest.split('.').map(number).collect();
        numbers.filter(|numbers| numbers.len() == parts).map(|numbers| Self::Standard(letter, numbers))
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Attack(number) => write!(formatter, "{number}"),
            Self::Standard(letter, numbers) => {
                let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
                write!(formatter, "{letter}{}{}", if *letter == 'A' { " " } else { "" }, numbers.join("."))
            }
        }
    }
}

/// A number of one or two digits without a zero in front.
fn number(text: &str) -> Option<u32> {
    let is_number = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !text.starts_with('0')).then(|| text.parse().ok()).flatten()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DataFile {
    attack: BTreeMap<String, Entry>,
    standard: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    what: String,
    source: String,
    /// Attacks whose tests show that a requirement holds.
    #[serde(default)]
    attacks: Vec<u32>,
    note: Option<String>,
}

impl Entry {
    /// How the note begins, for a row that needs no test.
    fn exemption(&self) -> Option<&'static str> {
        let note = self.note.as_deref()?;
        ["not met", "does not apply"]
            .into_iter()
            .find(|words| note.split_once(':').is_some_and(|(head, _)| head == *words))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("failed to read {}: {error}", path.display()))
}

fn entries() -> BTreeMap<Code, Entry> {
    let data: DataFile =
        toml::from_str(&read(&root().join("server/attacks.toml"))).expect("attacks.toml is well formed");
    let attacks = data.attack.into_iter().map(|(key, entry)| (number(&key).map(Code::Attack), key, entry));
    let standards = data.standard.into_iter().map(|(key, entry)| (Code::standard(&key), key, entry));
    attacks
        .chain(standards)
        .map(|(code, key, entry)| (code.unwrap_or_else(|| panic!("attacks.toml: `{key}` is not a code")), entry))
        .collect()
}

/// The codes at the end of a test's name.
fn codes_of_name(name: &str) -> BTreeSet<Code> {
    let mut words: Vec<&str> = name.split('_').collect();
    let mut codes = BTreeSet::new();
    loop {
        if let Some((rest, ["a", numbers @ ..])) = words.split_last_chunk::<4>()
            && let Some(numbers) = numbers.iter().map(|word| number(word)).collect()
        {
            codes.insert(Code::Standard('A', numbers));
            words.truncate(rest.len());
        } else if let Some(code) = words.last().and_then(|word| code_of_word(word)) {
            words.pop();
            codes.insert(code);
        } else {
            break;
        }
    }
    if words.last().is_some_and(|word| COUNTED.contains(word)) { BTreeSet::new() } else { codes }
}

fn code_of_word(word: &str) -> Option<Code> {
    match word.split_at_checked(1)? {
        ("n", rest) => number(rest).map(|number| Code::Standard('N', vec![number])),
        ("r", rest) => number(rest).map(|number| Code::Standard('R', vec![number])),
        _ => number(word).map(Code::Attack),
    }
}

/// What a line says in its comment and in quotes.
fn prose(line: &str) -> String {
    let (code, comment) = line.split_once("//").unwrap_or((line, ""));
    let mut prose: Vec<&str> = code.split('"').skip(1).step_by(2).collect();
    prose.push(comment);
    prose.join(" \n ")
}

/// The codes that a text cites. A list of attacks ends with its clause.
fn codes_of_text(text: &str) -> BTreeSet<Code> {
    text.split(['(', ')', '[', ']', ';', ':', '\n']).flat_map(codes_of_clause).collect()
}

fn codes_of_clause(clause: &str) -> BTreeSet<Code> {
    let mut codes = BTreeSet::new();
    let (mut is_list_of_attacks, mut is_after_a) = (false, false);
    for word in clause.split_whitespace() {
        let bare = word.trim_matches(|letter: char| ",.'`".contains(letter));
        if is_list_of_attacks && let Some(attack) = number(bare) {
            codes.insert(Code::Attack(attack));
            continue;
        }
        is_list_of_attacks =
            matches!(bare, "attack" | "attacks") || (is_list_of_attacks && matches!(bare, "and" | "or"));
        codes.extend(if is_after_a { Code::standard(&format!("A {bare}")) } else { Code::standard(bare) });
        is_after_a = word == "A";
    }
    codes
}

/// What the sources cite.
#[derive(Debug, Default)]
struct Citations {
    /// Tests by code.
    tests: BTreeMap<Code, BTreeSet<String>>,
    /// Each code with the place of one citation.
    places: BTreeMap<Code, String>,
}

impl Citations {
    fn of_workspace() -> Self {
        let mut citations = Self::default();
        for path in sources(&root()) {
            let name =
                path.strip_prefix(root()).expect("every source is below the root").to_string_lossy().into_owned();
            if name != OWN_PATH {
                citations.read_source(&name, &read(&path));
            }
        }
        citations
    }

    fn read_source(&mut self, path: &str, text: &str) {
        let mut is_test_code = path.split('/').any(|part| matches!(part, "tests" | "tests.rs"));
        let mut is_marked_as_test = false;
        // Codes of the doc comment above a function that has not begun.
        let mut documented = BTreeSet::new();
        let mut test: Option<String> = None;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            is_test_code |= line.starts_with("#[cfg(test)]") || line.starts_with("#![cfg(test)]");
            is_marked_as_test |= is_test_attribute(line);
            let mut codes = codes_of_text(&prose(line));
            if let Some(name) = function(line) {
                let of_name = if is_test_code { codes_of_name(name) } else { BTreeSet::new() };
                test = (is_marked_as_test || !of_name.is_empty()).then(|| name.to_owned());
                is_marked_as_test = false;
                codes.extend(of_name);
                codes.append(&mut documented);
            }
            for code in &codes {
                self.places.entry(code.clone()).or_insert_with(|| format!("{path}:{}", index + 1));
            }
            if line.starts_with("///") {
                documented.append(&mut codes);
            } else if let Some(test) = &test
                && is_test_code
                && !line.starts_with("//!")
            {
                for code in codes {
                    self.tests.entry(code).or_default().insert(test.clone());
                }
            }
        }
    }
}

/// `#[test]`, `#[tokio::test(…)]`, `#[on_each_database]` and their like.
fn is_test_attribute(line: &str) -> bool {
    let path = line.strip_prefix("#[").and_then(|rest| rest.split(['(', ']']).next());
    path.is_some_and(|path| path.contains("test") || path.ends_with("on_each_database"))
}

/// The name of the function that begins on this line.
fn function(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let is_declaration = before.split_whitespace().all(|word| {
        matches!(word, "pub" | "pub(crate)" | "pub(super)" | "async" | "const" | "unsafe") || word.starts_with("#[")
    });
    let end = after.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))?;
    (is_declaration && end > 0).then_some(&after[..end])
}

/// Every `.rs` file, in the order of paths.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("failed to list {}: {error}", folder.display()))
        .map(|entry| entry.expect("a listed file can be looked at").path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                found.extend(sources(&path));
            }
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    found
}

/// The tests of a row, in the words of the table.
fn tests_of(code: &Code, entry: &Entry, citations: &Citations) -> Vec<String> {
    let mut tests: Vec<String> =
        citations.tests.get(code).into_iter().flatten().map(|test| format!("`{test}`")).collect();
    if !entry.attacks.is_empty() {
        let attacks: Vec<String> = entry.attacks.iter().map(u32::to_string).collect();
        let noun = if attacks.len() == 1 { "attack" } else { "attacks" };
        tests.push(format!("{noun} {}", attacks.join(", ")));
    }
    tests
}

fn table(entries: &BTreeMap<Code, Entry>, citations: &Citations) -> String {
    let mut table = String::from("| code | what | source | tests |\n|---|---|---|---|\n");
    for (code, entry) in entries {
        let tests = tests_of(code, entry, citations);
        let tests =
            if tests.is_empty() { entry.exemption().unwrap_or("no test").to_owned() } else { tests.join("<br>") };
        let note = entry.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        writeln!(table, "| {code} | {}{note} | {} | {tests} |", entry.what, entry.source)
            .expect("a text can be written");
    }
    table
}

#[test]
fn every_code_that_is_cited_is_in_the_data_file() {
    let entries = entries();
    let unknown: Vec<String> = Citations::of_workspace()
        .places
        .into_iter()
        .filter(|(code, _)| !entries.contains_key(code))
        .map(|(code, place)| format!("{place}: {code}"))
        .collect();
    assert!(unknown.is_empty(), "server/attacks.toml lacks codes that are cited:\n{}", unknown.join("\n"));
}

#[test]
fn attacks_that_stand_for_a_requirement_have_tests() {
    let citations = Citations::of_workspace();
    for (code, entry) in entries() {
        for attack in entry.attacks {
            assert!(
                citations.tests.contains_key(&Code::Attack(attack)),
                "{code} refers to attack {attack}, which has no test"
            );
        }
    }
}

#[test]
fn every_row_that_applies_and_is_met_has_a_test() {
    let citations = Citations::of_workspace();
    let untested: Vec<String> = entries()
        .iter()
        .filter(|(code, entry)| entry.exemption().is_none() && tests_of(code, entry, &citations).is_empty())
        .map(|(code, entry)| format!("{code}: {}", entry.what))
        .collect();
    assert!(
        untested.is_empty(),
        "no test cites these codes, and no note begins with `not met:` or `does not apply:`\n{}",
        untested.join("\n")
    );
}

#[test]
fn the_table_in_the_readme_is_fresh() {
    let path = root().join(README);
    let readme = read(&path);
    let (before, rest) = readme.split_once(BEGIN).unwrap_or_else(|| panic!("{README} lacks {BEGIN}"));
    let (_, after) = rest.split_once(END).unwrap_or_else(|| panic!("{README} lacks {END}"));
    let fresh = format!("{before}{BEGIN}\n\n{}\n{END}{after}", table(&entries(), &Citations::of_workspace()));
    if fresh == readme {
        return;
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, fresh).expect("the page can be written");
        return;
    }
    let stale: Vec<&str> = readme.lines().filter(|line| !fresh.contains(line)).collect();
    let missing: Vec<&str> = fresh.lines().filter(|line| !readme.contains(line)).collect();
    panic!(
        "the table in {README} is stale; `UPDATE_GOLDEN=1 cargo test -p countersign-domain --test attacks` rewrites it\n\
         stale:\n{}\nmissing:\n{}",
        stale.join("\n"),
        missing.join("\n")
    );
}

#[test]
fn a_row_without_a_test_says_why() {
    let row = |note: Option<&str>| Entry {
        what: "What.".to_owned(),
        source: "Source".to_owned(),
        attacks: Vec::new(),
        note: note.map(str::to_owned),
    };
    for (note, shown) in [
        (Some("not met: why"), "not met"),
        (Some("does not apply: why"), "does not apply"),
        (Some("up to the tenant: when"), "no test"),
        (Some("not met"), "no test"),
        (None, "no test"),
    ] {
        let table = table(&BTreeMap::from([(Code::Attack(1), row(note))]), &Citations::default());
        assert!(table.ends_with(&format!("| Source | {shown} |\n")), "{table}");
    }
}

/// The codes as the table shows them.
fn shown(codes: BTreeSet<Code>) -> Vec<String> {
    codes.iter().map(ToString::to_string).collect()
}

#[test]
fn names_end_with_codes() {
    for (name, codes) in [
        ("ten_failures_lock_the_account_9_12_15", vec!["9", "12", "15"]),
        ("sending_again_gives_no_new_tries_n5", vec!["N5"]),
        ("codes_are_those_of_rfc_4226_appendix_d_r3", vec!["R3"]),
        ("roaming_in_a_64_is_one_client_31", vec!["31"]),
        ("no_new_password_n15_a_6_2_4", vec!["A 6.2.4", "N15"]),
        ("a_session_ends_28_a_7_2_4", vec!["28", "A 7.2.4"]),
        ("it_exits_with_2", vec![]),
        ("patterns_of_ecma_262", vec![]),
        ("instants_are_written_as_iso_8601", vec![]),
        ("nonsense_is_status_2", vec![]),
        ("kill_9", vec![]),
        ("a_code_with_a_zero_07", vec![]),
    ] {
        assert_eq!(shown(codes_of_name(name)), codes, "{name}");
    }
}

#[test]
fn texts_cite_codes() {
    for (text, codes) in [
        ("may (attacks 26 and 27, A 7.5.1).", vec!["26", "27", "A 7.5.1"]),
        ("accepted once (attacks 2, 6, 39); 44 others", vec!["2", "6", "39"]),
        ("A 6.6.2: a code works", vec!["A 6.6.2"]),
        ("as salted hashes (N9), `R4`", vec!["N9", "R4"]),
        ("an attack on 3 accounts, N64, version 6.5.5", vec!["N64"]),
        ("RFC 4226, at 10.0.0.1", vec![]),
    ] {
        assert_eq!(shown(codes_of_text(text)), codes, "{text}");
    }
}

#[test]
fn a_test_is_credited_with_its_name_its_comment_and_its_body() {
    let mut citations = Citations::default();
    let source = "\
        //! About attack 1.\n\
        /// Not a test (attack 2).\n\
        fn helper() {}\n\
        /// N6, and more.\n\
        #[test]\n\
        fn sends_7() {\n\
            let number = [8, 9]; // attack 10\n\
            assert!(number, \"A 6.5.5\");\n\
        }\n\
        async fn races_11() {}\n\
        /// R4.\n\
        #[on_each_database]\n\
        async fn knows_the_vectors() {}\n";
    citations.read_source("tests/example.rs", source);
    let of = |test: &str| {
        let codes = citations.tests.iter().filter(|(_, tests)| tests.contains(test));
        shown(codes.map(|(code, _)| code.clone()).collect())
    };
    assert_eq!(of("sends_7"), ["7", "10", "A 6.5.5", "N6"]);
    assert_eq!(of("races_11"), ["11"]);
    assert_eq!(of("knows_the_vectors"), ["R4"]);
    assert!(of("helper").is_empty());
    assert_eq!(citations.places[&Code::Attack(1)], "tests/example.rs:1");
    assert_eq!(citations.places[&Code::Attack(2)], "tests/example.rs:2");
}
