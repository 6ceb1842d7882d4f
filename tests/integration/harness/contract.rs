//! Holds responses against the contract, and remembers which were seen.
//!
//! What the contract says is validated by [`ResponseValidator`]. The rules of this house come on top: one spelling of a
//! media type, and none without a body; an error's code is named in the description of its response; times have exactly
//! three fractional digits; a session's cookie and `set-auth-token` come together; nothing may be cached.

use super::response::Response;
use countersign_contract_compare::OperationEntry;
use countersign_contract_document::Document;
use countersign_contract_validate::ResponseValidator;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex};

/// Pairs of operation and status.
pub(crate) type Pairs = BTreeSet<(&'static str, u16)>;

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
    judge: ResponseValidator,
    operations: &'static [OperationEntry],
    /// Whether the description of each error names the codes that it can have.
    codes_are_named: bool,
    /// What its operations are called by, where those of several contracts are; empty for the first contract.
    prefix: &'static str,
}

impl Contract {
    /// What an operation is called where those of several contracts are.
    fn name(&self, entry: &'static OperationEntry) -> &'static str {
        static NAMES: LazyLock<Mutex<BTreeMap<(&'static str, &'static str), &'static str>>> =
            LazyLock::new(Mutex::default);
        if self.prefix.is_empty() {
            return entry.operation_id;
        }
        let mut names = NAMES.lock().unwrap();
        let name = (self.prefix, entry.operation_id);
        names.entry(name).or_insert_with(|| format!("{} {}", name.0, name.1).leak())
    }
}

static CONTRACTS: LazyLock<Vec<Contract>> = LazyLock::new(|| {
    let better_auth = include_str!("../../../openapi/better-auth.yaml");
    let fusionauth = include_str!("../../../openapi/fusionauth.yaml");
    let admin = include_str!("../../../openapi/admin.yaml");
    let contract = |text, operations, codes_are_named, prefix| {
        let document = Document::load(prefix, text).unwrap();
        Contract { judge: ResponseValidator::new(&document), document, operations, codes_are_named, prefix }
    };
    vec![
        contract(better_auth, countersign::operations::BETTER_AUTH, true, ""),
        contract(fusionauth, countersign::operations::FUSIONAUTH, false, "fusionauth"),
        contract(admin, countersign::operations::ADMIN, true, "admin"),
    ]
});

/// The operations of the Better Auth dialect.
pub(crate) fn better_auth() -> impl Iterator<Item = &'static OperationEntry> {
    countersign::operations::BETTER_AUTH.iter()
}

/// The operations of the FusionAuth dialect.
pub(crate) fn fusionauth() -> impl Iterator<Item = &'static OperationEntry> {
    countersign::operations::FUSIONAUTH.iter()
}

/// Every documented pair.
pub(crate) fn documented() -> Pairs {
    let all = CONTRACTS.iter().flat_map(|contract| contract.operations.iter().map(move |entry| (contract, entry)));
    let pairs = all.flat_map(|(contract, entry)| entry.statuses.iter().map(|status| (contract.name(entry), *status)));
    pairs.collect()
}

/// A path of the operation, with the contract's examples of its variables and parameters.
pub(crate) fn example_path(entry: &OperationEntry) -> String {
    let operation =
        CONTRACTS.iter().find_map(|contract| contract.document.find(entry.operation_id)).expect("it is in a contract");
    let (mut path, mut query) = (entry.path.to_owned(), String::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let [name, example] = ["name", "example"].map(|field| parameter[field].as_str().unwrap_or_default());
        if parameter["in"] == "path" {
            path = path.replace(&format!("{{{name}}}"), example);
        } else if parameter["in"] == "query" && !example.is_empty() {
            let separator = if query.is_empty() { '?' } else { '&' };
            query.push_str(&format!("{separator}{name}={example}"));
        }
    }
    path + &query
}

fn find(method: &str, path: &str) -> Option<(&'static Contract, &'static OperationEntry)> {
    CONTRACTS.iter().find_map(|contract| {
        let operation_id = contract.judge.find(method, path)?.id()?;
        Some((contract, contract.operations.iter().find(|entry| entry.operation_id == operation_id)?))
    })
}

/// A body that the operation takes, made of the contract's examples; `None` for one that takes none.
pub(crate) fn example_body(operation_id: &str) -> Option<Value> {
    let (document, operation) =
        CONTRACTS.iter().find_map(|contract| Some((&contract.document, contract.document.find(operation_id)?)))?;
    let schema = document.resolve(operation.get("requestBody")?).pointer("/content/application~1json/schema")?;
    let schema = document.resolve(schema);
    Some(example_object(document, schema))
}

/// The required fields of an object, with the examples of the contract.
fn example_object(document: &Document, schema: &Value) -> Value {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let example = |name: &str| {
        let field = document.resolve(&schema["properties"][name]);
        if field["type"] == "object" { example_object(document, field) } else { field["example"].clone() }
    };
    let fields: Map<_, _> = required.map(|name| (name.to_owned(), example(name))).collect();
    fields.into()
}

/// Asserts that a server noted no response that broke the contract. A test that fails already keeps its own reason.
#[track_caller]
pub(super) fn assert_kept(deviations: &[String]) {
    assert!(
        deviations.is_empty() || std::thread::panicking(),
        "the server's responses broke the contract:\n  - {}",
        deviations.join("\n  - ")
    );
}

/// Asserts that the contract speaks of this response, and says which operation it belongs to.
pub(super) fn check(method: &str, path: &str, response: &Response) -> &'static str {
    let Some((contract, entry)) = find(method, path) else {
        panic!("{method} {path} is in no contract: say `undocumented()` if that is on purpose\n{response}")
    };
    let problems = problems(contract, entry, response);
    assert!(
        problems.is_empty(),
        "{} breaks the contract:\n  - {}\n{response}",
        entry.operation_id,
        problems.join("\n  - ")
    );
    contract.name(entry)
}

fn problems(contract: &Contract, entry: &OperationEntry, response: &Response) -> Vec<String> {
    let operation = contract.judge.operation(entry.operation_id).unwrap();
    let headers = response.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let deviations = contract.judge.validate(operation, response.status, headers, &response.raw);
    let mut problems: Vec<String> = deviations.iter().map(ToString::to_string).collect();
    if !entry.statuses.contains(&response.status) {
        return problems;
    }
    header_problems(response, &mut problems);
    time_problems("", &response.body, &mut problems);
    let operation = contract.document.find(entry.operation_id).unwrap();
    let documented = contract.document.resolve(&operation["responses"][response.status.to_string()]);
    let media_types: Vec<&str> =
        documented["content"].as_object().into_iter().flatten().map(|(name, _)| &**name).collect();
    let given: Vec<&str> = response.header("content-type").into_iter().collect();
    if given != media_types {
        problems.push(format!("content type {given:?}, documented {media_types:?}"));
    }
    let description = documented["description"].as_str().unwrap_or_default();
    if contract.codes_are_named && response.status >= 400 && !description.contains(&format!("`{}`", response.code())) {
        problems.push(format!("code {:?} is not named in the description: {description}", response.code()));
    }
    problems
}

fn header_problems(response: &Response, problems: &mut Vec<String>) {
    let opens_session = response.set_cookie("session_token").is_some_and(|cookie| !cookie.is_deletion());
    if opens_session != response.headers.contains_key("set-auth-token") {
        problems.push("the session cookie and set-auth-token must come together".to_owned());
    }
    let (wait, other) = (response.header("retry-after"), response.header("x-retry-after"));
    if wait == Some("0") || other.is_some() && wait != other {
        problems.push(format!("retry-after is {wait:?}, x-retry-after {other:?}"));
    }
    for (name, value) in [("cache-control", "no-store"), ("x-content-type-options", "nosniff")] {
        if response.header(name) != Some(value) {
            problems.push(format!("{name} is {:?}", response.header(name)));
        }
    }
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
