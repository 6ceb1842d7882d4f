//! `server/packaging/countersign.toml`, which has every setting commented out, and the JSON Schema of the configuration file
//! beside it. Both are made from the table of settings and from what the readers of values refuse, so that a test finds them
//! stale. `UPDATE_GOLDEN=1 cargo test -p countersign --lib config::reference` writes them.

use super::keys::{FILE_VARIABLE, Scope};
use super::{Configuration, Inputs, Key};
use countersign_domain::webhook::EventType;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const PACKAGING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/server/packaging");
/// Columns of the file.
const WIDTH: usize = 110;

/// The settings that a file can give.
fn keys() -> impl Iterator<Item = Key> {
    Key::ALL.iter().copied().filter(|key| key.scope() == Scope::Everywhere)
}

/// The tables of the file, in the order of `--help`.
fn tables() -> Vec<&'static str> {
    let mut tables: Vec<&str> = Vec::new();
    for table in keys().filter_map(Key::table) {
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    tables
}

/// The name within its table.
fn short_name(key: Key) -> &'static str {
    key.name().split_once('.').map_or(key.name(), |(_, name)| name)
}

/// A value for the file, where the default is described in words, is none, or would change nothing that could be seen.
fn example(key: Key) -> Option<&'static str> {
    Some(match key {
        Key::BaseUrl => "\"https://id.example.com\"",
        Key::Outbox => "\"/var/lib/countersign/outbox.ndjson\"",
        Key::TrustedOrigins => "[\"https://app.example.com\"]",
        Key::TrustedProxies => "[\"127.0.0.1\", \"10.0.0.0/8\"]",
        Key::CookieDomain => "\"example.com\"",
        Key::DisabledPaths => "[\"/api/auth/sign-up/email\"]",
        Key::Tenants => {
            "[{ id = \"c0de0000-0000-4000-8000-000000000001\", name = \"Default\", login_policy = \"Required\" }]"
        }
        Key::Applications => {
            "[{ id = \"c0de0000-0000-4000-8000-000000000002\", name = \"Default\", roles = [\"admin\"] }]"
        }
        Key::Webhooks => {
            "[{ name = \"crm\", url = \"https://crm.example.com/events\", secret_file = \"/etc/countersign/crm-webhook\" }]"
        }
        Key::PasskeyRpId => "\"example.com\"",
        Key::PasskeyOrigins => "[\"https://app.example.com\"]",
        Key::Keyring => "\"/etc/countersign/keyring\"",
        Key::JwtRetiringAlgorithms => "[\"ES256\"]",
        Key::JwtIssuer => "\"https://id.example.com\"",
        Key::DatabaseUrl => "\"postgres://countersign@db.example.com/countersign?sslmode=verify-full\"",
        Key::SmtpUrl => "\"smtps://user:password@mail.example.com\"",
        Key::SmtpFrom => "\"Example <no-reply@example.com>\"",
        Key::SmtpHello => "\"id.example.com\"",
        Key::SmtpTls => "\"implicit\"",
        Key::SmtpCa => "\"/etc/countersign/mail-ca.pem\"",
        Key::SmsAccount => "\"AC00000000000000000000000000000000\"",
        Key::SmsFrom => "\"+15550100\"",
        Key::Notices => "true",
        Key::MessageTemplates => "\"/etc/countersign/templates\"",
        Key::ChangePasswordLink => "\"https://app.example.com/password/{id}\"",
        Key::VerifyEmailLink => "\"https://app.example.com/verify/{id}\"",
        Key::PasswordlessLink => "\"https://app.example.com/sign-in/{id}\"",
        Key::HashThreads => "2",
        Key::OperationsListen => "\"127.0.0.1:9464\"",
        Key::TracesEndpoint => "\"http://127.0.0.1:4318\"",
        _ => return None,
    })
}

/// The default as TOML, if its description is its value.
fn literal(key: Key) -> String {
    let default = key.default_in_words();
    match key.value_name() {
        "on|off" => (default == "on").to_string(),
        "COUNT" | "SECONDS" | "DAYS" | "BYTES" => default.to_owned(),
        name if name.ends_with(",...") => Value::from(default.split(',').collect::<Vec<_>>()).to_string(),
        _ => Value::from(default).to_string(),
    }
}

fn wrap(text: &str, page: &mut String) {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(page, "{line}").expect("writing to a string cannot fail");
            line = String::from("#");
        }
        write!(line, " {word}").expect("writing to a string cannot fail");
    }
    writeln!(page, "{line}").expect("writing to a string cannot fail");
}

fn commented_file() -> String {
    let mut page = String::from("#:schema ./countersign.schema.json\n");
    let secrets: Vec<_> = Key::ALL.iter().filter(|key| key.scope() == Scope::EnvironmentOnly).collect();
    let secrets: Vec<_> = secrets.iter().map(|key| key.variable()).collect();
    wrap(
        &format!(
            "Every setting of Countersign. Lines without a space behind # are settings, with their defaults or, where \
             that is described, an example; take the # away to set one. Flags and environment variables (see `countersign \
             --help`) come before this file, which is ./countersign.toml, or named by {FILE_VARIABLE} or --config. \
             `countersign check-config` shows every effective value and where it came from. Only the environment gives \
             {}.",
            secrets.join(", ")
        ),
        &mut page,
    );
    let root = [None].into_iter();
    for table in root.chain(tables().into_iter().map(Some)) {
        if let Some(table) = table {
            write!(page, "\n[{table}]\n").expect("writing to a string cannot fail");
        }
        for key in keys().filter(|key| key.table() == table) {
            page.push('\n');
            wrap(key.help(), &mut page);
            let value = match example(key) {
                Some(example) => {
                    wrap(&format!("Default: {}. For example:", key.default_in_words()), &mut page);
                    example.to_owned()
                }
                None => literal(key),
            };
            writeln!(page, "#{} = {value}", short_name(key)).expect("writing to a string cannot fail");
        }
    }
    page
}

/// The problems of a file with this text, whose relative paths lead to a directory that does not exist.
fn problems(toml: &str) -> Vec<String> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("c.toml");
    std::fs::write(&file, toml).expect("writable");
    // Some settings are of no use without the gateway for text messages, which only the environment gives.
    let environment =
        [(Key::SmsUrl, "https://sms.example.com"), (Key::SmsSecret, "a secret of at least 24 characters")];
    let environment = environment.map(|(key, value)| (key.variable().to_owned(), value.to_owned())).to_vec();
    let directory = PathBuf::from("/nonexistent");
    let inputs = Inputs { file: Some(file), environment, directory, ..Inputs::default() };
    let loaded = Configuration::load(&inputs, &["/api/auth/sign-up/email".to_owned()]);
    loaded.settings().err().map_or_else(Vec::new, |error| error.problems.iter().map(ToString::to_string).collect())
}

/// A setting as a line of the file, in its table.
fn line(key: Key, value: &str) -> String {
    let table = key.table().map_or_else(String::new, |table| format!("[{table}]\n"));
    format!("{table}{} = {value}\n", short_name(key))
}

/// What is wrong with `value`.
fn refusal(key: Key, value: &str) -> String {
    let problems = problems(&line(key, value));
    problems.first().unwrap_or_else(|| panic!("{} = {value} is accepted", key.name())).clone()
}

/// The least and the largest number, as the refusal of what is no number says them.
fn bounds(key: Key) -> (i64, i64) {
    let refusal = refusal(key, "\"x\"");
    let bounds = refusal.split_once(" from ").and_then(|(_, bounds)| bounds.split_once(" to "));
    let (least, most) = bounds.unwrap_or_else(|| panic!("no bounds in `{refusal}`"));
    (least.parse().expect("a number"), most.parse().expect("a number"))
}

/// The names of the fields of a table in `tenants`, `applications` or `webhooks`, as the refusal of another one says them.
fn fields(key: Key) -> Vec<String> {
    let refusal = refusal(key, "[{ nonesuch = 1 }]");
    let (_, expected) = refusal.split_once("expected one of ").unwrap_or_else(|| panic!("no names in `{refusal}`"));
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn event_types() -> Vec<&'static str> {
    EventType::ALL.iter().map(|event| event.name()).collect()
}

fn object(properties: Map<String, Value>) -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

/// A table of `tenants`, `applications` or `webhooks`. What its fields take is listed here; which there are, is not.
fn entry(key: Key) -> Value {
    let (text, switch, uuid) =
        (json!({"type": "string"}), json!({"type": "boolean"}), json!({"type": "string", "format": "uuid"}));
    let choice = |choices: &str| json!({"enum": choices.split('|').collect::<Vec<_>>()});
    let own = |key: Key| choice(key.value_name());
    let property = |field: &str| match field {
        "id" | "tenant" => uuid.clone(),
        "name" | "language" | "url" | "secret" | "secret_file" => text.clone(),
        "events" => json!({"type": "array", "items": {"enum": event_types()}, "uniqueItems": true}),
        "login_policy" => choice("Enabled|Disabled|Required"),
        "methods" => json!({"type": "array", "items": choice("authenticator|email|sms|passkey")}),
        "mailed_codes" => own(Key::MailedCodes),
        "roles" => json!({"type": "array", "items": text, "uniqueItems": true}),
        "trust_policy" => choice("Any|This|None"),
        "refresh_token_usage" => own(Key::RefreshTokenUsage),
        "sign_up"
        | "verified_email"
        | "refresh_tokens"
        | "manages_factors"
        | "allow_private_addresses"
        | "allow_http" => switch.clone(),
        "links" => object(
            keys()
                .filter(|key| key.table() == Some("links"))
                .map(|key| (short_name(key).to_owned(), text.clone()))
                .collect(),
        ),
        other => panic!("the schema does not describe `{other}` of `{}` yet: do so here", key.name()),
    };
    let mut entry = object(fields(key).iter().map(|field| (field.clone(), property(field))).collect());
    entry["required"] = if key == Key::Webhooks { json!(["name", "url"]) } else { json!(["id", "name"]) };
    entry
}

/// What a setting takes: its own type, and text where a variable could give it.
fn kind(key: Key) -> Value {
    match key.value_name() {
        "on|off" => json!({"enum": [true, false, "on", "off", "true", "false"]}),
        "COUNT" | "SECONDS" | "DAYS" | "BYTES" => {
            let (least, most) = bounds(key);
            json!({"type": ["integer", "string"], "minimum": least, "maximum": most, "pattern": "^[0-9]+$"})
        }
        "JSON" => json!({"type": ["array", "string"], "items": entry(key)}),
        name if name.ends_with(",...") => json!({"type": ["array", "string"], "items": {"type": "string"}}),
        name if name.contains('|') => json!({"enum": name.split('|').collect::<Vec<_>>()}),
        _ => json!({"type": "string"}),
    }
}

fn schema() -> Value {
    let property = |key: Key| {
        let mut property = kind(key);
        let default = match example(key) {
            Some(_) => format!(" Default: {}.", key.default_in_words()),
            None => {
                property["default"] = toml_to_json(&literal(key));
                String::new()
            }
        };
        property["description"] = format!("{}{default}", key.help()).into();
        (short_name(key).to_owned(), property)
    };
    let mut properties: Map<String, Value> = keys().filter(|key| key.table().is_none()).map(property).collect();
    for table in tables() {
        properties
            .insert(table.to_owned(), object(keys().filter(|key| key.table() == Some(table)).map(property).collect()));
    }
    let mut schema = object(properties);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "Configuration file of Countersign".into();
    schema
}

/// Numbers, booleans, texts and arrays of them are spelled alike in both.
fn toml_to_json(value: &str) -> Value {
    serde_json::from_str(value).expect("spelled alike in JSON")
}

/// Compares a file below `server/packaging`, or writes it if `UPDATE_GOLDEN` is set.
fn check_golden(name: &str, fresh: &str) {
    let path = Path::new(PACKAGING).join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, fresh).expect("the file is written");
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    let command = "UPDATE_GOLDEN=1 cargo test -p countersign --lib config::reference";
    assert!(stored == fresh, "server/packaging/{name} is stale; `{command}` rewrites it");
}

#[test]
fn the_commented_file_is_fresh() {
    check_golden("countersign.toml", &commented_file());
}

#[test]
fn the_schema_is_fresh() {
    let text = serde_json::to_string_pretty(&schema()).expect("JSON");
    check_golden("countersign.schema.json", &format!("{text}\n"));
}

#[test]
fn the_commented_file_sets_nothing_and_each_of_its_lines_is_accepted() {
    let page = commented_file();
    let set = page.lines().filter(|line| !line.starts_with(['#', '[']) && !line.is_empty());
    assert_eq!(set.count(), 0, "{page}");
    assert_eq!(problems(&page), [""; 0]);

    let mut table = String::new();
    let mut accepted = Vec::new();
    for line in page.lines() {
        if let Some(name) = line.strip_prefix('[') {
            table = name.replace(']', ".");
        }
        let Some(setting) = line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', ':'])) else { continue };
        let name = format!("{table}{}", setting.split(' ').next().unwrap_or_default());
        let found = problems(&format!("{}{table}{setting}\n", companions(&name)));
        // The file of its example is not there.
        let found: Vec<_> = found.iter().filter(|problem| !problem.contains("failed to read /etc/")).collect();
        assert!(found.is_empty(), "{table}{setting}: {found:?}");
        accepted.push(name);
    }
    assert_eq!(accepted.len(), keys().count(), "one line for each setting: {accepted:?}");
}

/// Lines that a setting is refused without.
fn companions(name: &str) -> String {
    let smtp = [("smtp.url", "smtps://mail.example.com"), ("smtp.from", "no-reply@example.com")];
    match name {
        "passkeys.rp_id" | "passkeys.origins" => "base_url = \"https://example.com\"\n".to_owned(),
        "cookies.domain" => "base_url = \"https://id.example.com\"\n".to_owned(),
        _ if name.starts_with("smtp.") => {
            let others = smtp.iter().filter(|(other, _)| *other != name);
            others.map(|(other, value)| format!("{other} = \"{value}\"\n")).collect()
        }
        _ => String::new(),
    }
}
