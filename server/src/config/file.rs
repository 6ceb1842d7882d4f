//! The configuration file: TOML, with a table for the part of a key before the dot.

use super::keys::{Key, Scope};
use super::nearest::hint;
use super::problem::Problem;
use std::path::Path;
use toml::{Table, Value};

/// Reads the file at `path`, which problems call `shown`. Returns the usable values together with the problems.
pub(super) fn read_file(path: &Path, shown: &Path) -> (Vec<(Key, Value)>, Vec<Problem>) {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return (Vec::new(), vec![Problem::new(format!("cannot read {}: {error}", shown.display()))]),
    };
    match text.parse::<Table>() {
        Ok(table) => {
            let mut reader = Reader { shown, values: Vec::new(), problems: Vec::new() };
            reader.read_table("", table);
            (reader.values, reader.problems)
        }
        // Not the error's `Display`: it quotes the line, which may hold a password.
        Err(error) => {
            let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let problem = format!("{} is not TOML: line {line}: {}", shown.display(), error.message());
            (Vec::new(), vec![Problem::new(problem)])
        }
    }
}

struct Reader<'a> {
    shown: &'a Path,
    values: Vec<(Key, Value)>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn read_table(&mut self, prefix: &str, table: Table) {
        let file = self.shown.display();
        for (name, value) in table {
            let name = format!("{prefix}{name}");
            let problem = match (Key::named(&name), value) {
                (Some(key), _) if key.scope() == Scope::EnvironmentOnly => {
                    let variable = key.variable();
                    format!("`{name}` cannot be given in {file}, only in the environment as {variable}")
                }
                (Some(key), value) if key.takes(&value) => {
                    self.values.push((key, value));
                    continue;
                }
                (Some(key), value) => {
                    let article = if value.type_str().starts_with(['a', 'i']) { "an" } else { "a" };
                    format!("`{name}` in {file} is {article} {}; expected {}", value.type_str(), key.value_name())
                }
                (None, Value::Table(table)) if Key::ALL.iter().any(|key| key.table() == Some(&name)) => {
                    self.read_table(&format!("{name}."), table);
                    continue;
                }
                (None, _) => {
                    let known = Key::ALL.iter().filter(|key| key.scope() == Scope::Everywhere);
                    let hint = hint(&name, known.map(|key| key.name()), |near| format!("`{near}`"));
                    format!("unknown key `{name}` in {file}{hint}")
                }
            };
            self.problems.push(Problem::new(problem));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> (Vec<(Key, Value)>, Vec<String>) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("c.toml");
        std::fs::write(&path, toml).expect("writable");
        let (entries, problems) = read_file(&path, Path::new("c.toml"));
        (entries, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn lists_switches_numbers_and_tables_keep_their_types() {
        let (entries, problems) = read(
            "rate_limits = false\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n[database]\ntimeout = 3\n[smtp]\nfrom = \"a@b.example\"\n",
        );
        assert_eq!(problems, Vec::<String>::new());
        assert!(entries.contains(&(Key::RateLimits, false.into())));
        assert!(entries.contains(&(Key::TrustedProxies, vec!["10.0.0.0/8", "::1"].into())));
        assert!(entries.contains(&(Key::DatabaseTimeout, 3.into())));
        assert!(entries.contains(&(Key::SmtpFrom, "a@b.example".into())));
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
    fn values_of_another_type_are_refused() {
        let (values, problems) = read(
            "app_name = 5\nlisten = [\"127.0.0.1:1\"]\nrate_limits = 1\ntrusted_origins = [1]\ndocs = 1.5\ntenants = [\"x\"]\n",
        );
        assert_eq!(values, []);
        assert_eq!(
            problems,
            [
                "`app_name` in c.toml is an integer; expected TEXT",
                "`docs` in c.toml is a float; expected on|off",
                "`listen` in c.toml is an array; expected ADDRESS:PORT",
                "`rate_limits` in c.toml is an integer; expected on|off",
                "`tenants` in c.toml is an array; expected JSON",
                "`trusted_origins` in c.toml is an array; expected ORIGIN,...",
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
