//! Holds answers against the contract, and remembers which were seen.
//!
//! An answer must be documented for its operation; its body must fit the strict schema, formats included; its
//! headers must be those that the contract promises and no others of those that mean something; an error's code must
//! be named in the description of its response; times must have exactly three fractional digits.

use super::answer::Answer;
use countersign_contract::{Document, OperationEntry, response_headers, strict_response_schema};
use jsonschema::Validator;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

/// Pairs of operation and status.
pub(crate) type Pairs = BTreeSet<(&'static str, u16)>;

/// Headers that mean something to clients, and may therefore stand only where the contract documents them.
const MEANINGFUL: [&str; 5] = ["set-cookie", "set-auth-token", "location", "retry-after", "x-retry-after"];

/// What was answered so far.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Pairs>);

impl Recorder {
    pub(super) fn record(&self, operation_id: &'static str, status: u16) {
        self.0.lock().unwrap().insert((operation_id, status));
    }

    /// What was answered so far.
    pub(crate) fn pairs(&self) -> Pairs {
        self.0.lock().unwrap().clone()
    }
}

/// A contract and the operations in it.
struct Contract {
    document: Document,
    operations: &'static [OperationEntry],
    /// Whether the description of each error names the codes that it can have.
    codes_are_named: bool,
}

impl Contract {
    /// What an operation is called where those of several contracts are.
    fn name(&self, entry: &'static OperationEntry) -> &'static str {
        static NAMES: LazyLock<Mutex<BTreeMap<&'static str, &'static str>>> = LazyLock::new(Mutex::default);
        if self.codes_are_named {
            return entry.operation_id;
        }
        let mut names = NAMES.lock().unwrap();
        names.entry(entry.operation_id).or_insert_with(|| format!("fusionauth {}", entry.operation_id).leak())
    }
}

static CONTRACTS: LazyLock<Vec<Contract>> = LazyLock::new(|| {
    let better_auth = include_str!("../../../openapi/better-auth.yaml");
    let fusionauth = include_str!("../../../openapi/fusionauth.yaml");
    let contract = |name, text, operations, codes_are_named| Contract {
        document: Document::load(name, text).unwrap(),
        operations,
        codes_are_named,
    };
    vec![
        contract("openapi/better-auth.yaml", better_auth, countersign::operations::BETTER_AUTH, true),
        contract("openapi/fusionauth.yaml", fusionauth, countersign::operations::FUSIONAUTH, false),
    ]
});

/// The operations of the Better Auth dialect.
pub(crate) fn better_auth() -> impl Iterator<Item = &'static OperationEntry> {
    countersign::operations::BETTER_AUTH.iter()
}

/// Every documented pair.
pub(crate) fn documented() -> Pairs {
    let all = CONTRACTS.iter().flat_map(|contract| contract.operations.iter().map(move |entry| (contract, entry)));
    let pairs = all.flat_map(|(contract, entry)| entry.statuses.iter().map(|status| (contract.name(entry), *status)));
    pairs.collect()
}

fn find(method: &str, path: &str) -> Option<(&'static Contract, &'static OperationEntry)> {
    let path = path.split('?').next().unwrap_or_default();
    let all = || CONTRACTS.iter().flat_map(|contract| contract.operations.iter().map(move |entry| (contract, entry)));
    let literal = all().find(|(_, entry)| entry.method == method && entry.path == path);
    literal.or_else(|| all().find(|(_, entry)| entry.method == method && fits(entry.path, path)))
}

fn fits(template: &str, path: &str) -> bool {
    let (wanted, given): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    wanted.len() == given.len()
        && wanted.iter().zip(&given).all(|(wanted, given)| wanted.starts_with('{') || wanted == given)
}

/// A body that the operation takes, made of the contract's examples; `None` for one that takes none.
pub(crate) fn example_body(operation_id: &str) -> Option<Value> {
    let (document, operation) =
        CONTRACTS.iter().find_map(|contract| Some((&contract.document, contract.document.find(operation_id)?)))?;
    let schema = document.resolve(operation.get("requestBody")?).pointer("/content/application~1json/schema")?;
    let schema = document.resolve(schema);
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let fields: Map<_, _> = required
        .map(|name| (name.to_owned(), document.resolve(&schema["properties"][name])["example"].clone()))
        .collect();
    Some(fields.into())
}

/// Asserts that the contract speaks of this answer, and says which operation it belongs to.
pub(super) fn check(method: &str, path: &str, answer: &Answer) -> &'static str {
    let Some((contract, entry)) = find(method, path) else {
        panic!("{method} {path} is in no contract: say `undocumented()` if that is on purpose\n{answer}")
    };
    let problems = problems(contract, entry, answer);
    assert!(
        problems.is_empty(),
        "{} breaks the contract:\n  - {}\n{answer}",
        entry.operation_id,
        problems.join("\n  - ")
    );
    contract.name(entry)
}

fn problems(contract: &Contract, entry: &OperationEntry, answer: &Answer) -> Vec<String> {
    let (operation_id, status) = (entry.operation_id, answer.status);
    if !entry.statuses.contains(&status) {
        return vec![format!("status {status} is not documented")];
    }
    let mut problems = header_problems(&response_headers(&contract.document, operation_id, status), answer);
    let opens_session = answer.set_cookie("session_token").is_some_and(|cookie| !cookie.is_deletion());
    if opens_session != answer.headers.contains_key("set-auth-token") {
        problems.push("the session cookie and set-auth-token must come together".to_owned());
    }
    let response =
        contract.document.resolve(&contract.document.find(operation_id).unwrap()["responses"][status.to_string()]);
    let media_types: Vec<&str> =
        response["content"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    match (answer.header("content-type"), media_types.as_slice()) {
        (None, []) if answer.raw.is_empty() => {}
        (Some(given), documented) if documented.contains(&given) => {}
        (given, documented) => problems.push(format!("content type {given:?}, documented {documented:?}")),
    }
    if let [media_type] = media_types.as_slice() {
        match serde_json::from_slice::<Value>(&answer.raw) {
            Err(error) => problems.push(format!("the body is not JSON: {error}")),
            Ok(body) => {
                let validator = validator(contract, operation_id, status, media_type);
                problems
                    .extend(validator.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())));
                time_problems("", &body, &mut problems);
            }
        }
    }
    let description = response["description"].as_str().unwrap_or_default();
    if contract.codes_are_named && status >= 400 && !description.contains(&format!("`{}`", answer.code())) {
        problems.push(format!("code {:?} is not named in the description: {description}", answer.code()));
    }
    problems
}

fn header_problems(documented: &[(String, bool)], answer: &Answer) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, is_required) in documented {
        if *is_required && !answer.headers.contains_key(name) {
            problems.push(format!("header {name} is missing"));
        }
    }
    for name in MEANINGFUL {
        if answer.headers.contains_key(name) && !documented.iter().any(|(documented, _)| documented == name) {
            problems.push(format!("header {name} is not documented"));
        }
    }
    for name in ["retry-after", "x-retry-after"] {
        let seconds = answer.header(name).map(|text| text.parse::<u64>());
        if seconds.is_some_and(|seconds| {
            seconds.is_ok_and(|seconds| seconds == 0) || answer.header(name) != answer.header("retry-after")
        }) {
            problems.push(format!(
                "{name} is {:?}, retry-after {:?}",
                answer.header(name),
                answer.header("retry-after")
            ));
        }
    }
    for (name, value) in [("cache-control", "no-store"), ("x-content-type-options", "nosniff")] {
        if answer.header(name) != Some(value) {
            problems.push(format!("{name} is {:?}", answer.header(name)));
        }
    }
    problems
}

/// Compiled schemas by operation and status.
type Validators = BTreeMap<(String, &'static str, u16), Arc<Validator>>;

fn validator(contract: &Contract, operation_id: &'static str, status: u16, media_type: &str) -> Arc<Validator> {
    static VALIDATORS: LazyLock<Mutex<Validators>> = LazyLock::new(Mutex::default);
    let mut validators = VALIDATORS.lock().unwrap();
    let compile = || {
        let schema = strict_response_schema(&contract.document, operation_id, status, media_type).unwrap();
        Arc::new(jsonschema::options().should_validate_formats(true).build(&schema).unwrap())
    };
    let document = contract.document.name().to_owned();
    Arc::clone(validators.entry((document, operation_id, status)).or_insert_with(compile))
}

/// Whatever looks like a time must be written in the one way that all clients read right.
fn time_problems(place: &str, value: &Value, problems: &mut Vec<String>) {
    match value {
        Value::String(text) if begins_like_a_time(text) && !is_exact_time(text) => {
            problems.push(format!("{place}: the time {text} has not exactly three fractional digits and Z"));
        }
        Value::Array(entries) => {
            entries.iter().for_each(|entry| time_problems(&format!("{place}/*"), entry, problems));
        }
        Value::Object(entries) => {
            entries.iter().for_each(|(key, entry)| time_problems(&format!("{place}/{key}"), entry, problems));
        }
        _ => {}
    }
}

fn shape(text: &str) -> String {
    text.chars().map(|character| if character.is_ascii_digit() { '0' } else { character }).collect()
}

fn begins_like_a_time(text: &str) -> bool {
    shape(text).starts_with("0000-00-00T")
}

fn is_exact_time(text: &str) -> bool {
    shape(text) == "0000-00-00T00:00:00.000Z"
}
