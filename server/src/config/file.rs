//! The configuration file: TOML, whose tables are the part of a setting's name before the dot.

use super::keys::{Key, Scope};
use super::layers::unknown_name;
use super::problem::Problem;
use std::path::Path;
use toml::{Table, Value};

/// Reads the file at `path` and reports about it as `shown`. What can be read is returned beside what cannot.
pub(super) fn read_file(path: &Path, shown: &Path) -> (Vec<(Key, String)>, Vec<Problem>) {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return (Vec::new(), vec![Problem::new(format!("cannot read {}: {error}", shown.display()))]),
    };
    match text.parse::<Table>() {
        Ok(table) => {
            let mut reader = Reader { shown, entries: Vec::new(), problems: Vec::new() };
            reader.read_table("", &table);
            (reader.entries, reader.problems)
        }
        // Not the whole error: it quotes the line, and the line may hold a password.
        Err(error) => {
            let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let problem = format!("{} is not TOML: line {line}: {}", shown.display(), error.message());
            (Vec::new(), vec![Problem::new(problem)])
        }
    }
}

struct Reader<'a> {
    shown: &'a Path,
    entries: Vec<(Key, String)>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn read_table(&mut self, prefix: &str, table: &Table) {
        for (name, value) in table {
            let name = format!("{prefix}{name}");
            let key = Key::ALL.iter().find(|key| key.name() == name);
            let is_group = Key::ALL.iter().any(|key| key.name().starts_with(&format!("{name}.")));
            match (key, value) {
                (Some(key), _) if key.scope() == Scope::EnvironmentOnly => self.problems.push(Problem::new(format!(
                    "`{name}` cannot be given in {}, only in the environment as {}",
                    self.shown.display(),
                    key.variable()
                ))),
                (Some(key), value) => match text_of(value) {
                    Some(text) => self.entries.push((*key, text)),
                    None => self.problems.push(Problem::new(format!(
                        "`{name}` in {} is a {}; expected {}",
                        self.shown.display(),
                        value.type_str(),
                        key.value_name()
                    ))),
                },
                (None, Value::Table(group)) if is_group => self.read_table(&format!("{name}."), group),
                (None, _) => self.problems.push(unknown_name(&name, self.shown)),
            }
        }
    }
}

/// A value as the other places would give it: lists separated by commas, switches as `on` and `off`.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(true) => Some("on".to_owned()),
        Value::Boolean(false) => Some("off".to_owned()),
        Value::Array(items) if items.iter().any(Value::is_table) => serde_json::to_string(items).ok(),
        Value::Array(items) => {
            let texts: Option<Vec<&str>> =
                items.iter().map(|item| item.as_str().filter(|text| !text.contains(','))).collect();
            texts.map(|texts| texts.join(","))
        }
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> (Vec<(Key, String)>, Vec<String>) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("c.toml");
        std::fs::write(&path, toml).expect("writable");
        let (entries, problems) = read_file(&path, Path::new("c.toml"));
        (entries, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn lists_switches_numbers_and_tables_become_text() {
        let (entries, problems) = read(
            "rate_limits = false\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n[database]\ntimeout = 3\n[smtp]\nfrom = \"a@b.example\"\n",
        );
        assert_eq!(problems, Vec::<String>::new());
        assert!(entries.contains(&(Key::RateLimits, "off".to_owned())));
        assert!(entries.contains(&(Key::TrustedProxies, "10.0.0.0/8,::1".to_owned())));
        assert!(entries.contains(&(Key::DatabaseTimeout, "3".to_owned())));
        assert!(entries.contains(&(Key::SmtpFrom, "a@b.example".to_owned())));
    }

    #[test]
    fn unknown_keys_name_the_nearest_known_one() {
        let (_, problems) = read("listne = \"x\"\n[limits]\nhash_que = 3\n[database.url]\nx = 1\n[zzzzzzzz]\ny = 1\n");
        assert_eq!(
            problems,
            [
                "`database.url` in c.toml is a table; expected URL",
                "unknown key `limits.hash_que` in c.toml; did you mean `limits.hash_queue`?",
                "unknown key `listne` in c.toml; did you mean `listen`?",
                "unknown key `zzzzzzzz` in c.toml",
            ]
        );
    }

    #[test]
    fn keys_do_not_belong_into_a_file() {
        let (entries, problems) = read("keys = \"secret\"\n");
        assert!(entries.is_empty());
        assert_eq!(problems, ["`keys` cannot be given in c.toml, only in the environment as COUNTERSIGN_KEYS"]);
    }

    #[test]
    fn broken_toml_is_reported_by_line_without_quoting_it() {
        let (_, problems) = read("listen = \"127.0.0.1:1\"\n[smtp]\nurl = hunter2\n");
        assert!(problems[0].starts_with("c.toml is not TOML: line 3: "), "{problems:?}");
        assert!(!problems[0].contains("hunter2"));
    }
}
