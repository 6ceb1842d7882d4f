//! What was given where: flags before environment before file.
//!
//! Collecting does not judge values; it only refuses names that do not exist, because a mistyped setting that is
//! silently ignored is how a limit or a proxy stays unconfigured.

use super::file::read_file;
use super::keys::{FILE_VARIABLE, Key, PREFIX, Scope};
use super::nearest::nearest;
use super::problem::Problem;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The file that is read when no other is named and it exists.
pub const DEFAULT_FILE: &str = "countersign.toml";

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A command-line flag.
    Flag,
    /// An environment variable.
    Environment,
    /// The configuration file.
    File(PathBuf),
    /// Nobody gave one.
    Default,
}

impl Source {
    /// Whether somebody chose the value.
    #[must_use]
    pub fn is_explicit(&self) -> bool {
        *self != Self::Default
    }

    /// The source in words, naming what to change for `key`.
    #[must_use]
    pub fn describe(&self, key: Key) -> String {
        match self {
            Self::Flag => format!("flag --{}", key.flag()),
            Self::Environment => format!("environment {}", key.variable()),
            Self::File(path) => format!("file {}", path.display()),
            Self::Default => "default".to_owned(),
        }
    }
}

/// A setting's text and where it came from.
#[derive(Clone, PartialEq, Eq)]
pub struct Given {
    /// The text as given.
    pub text: String,
    /// Where it was given.
    pub source: Source,
}

impl fmt::Debug for Given {
    /// The text may be a secret, and this type does not know.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Given").field("source", &self.source).finish_non_exhaustive()
    }
}

/// The three places, as they were when the program started.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Values of flags.
    pub flags: BTreeMap<Key, String>,
    /// The file named by `--config`.
    pub file: Option<PathBuf>,
    /// The environment; variables that are not ours may be among them.
    pub environment: Vec<(String, String)>,
    /// The working directory, where the default file is looked for.
    pub directory: PathBuf,
}

/// Everything that was given.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    pub(super) given: BTreeMap<Key, Given>,
    pub(super) file: Option<PathBuf>,
    pub(super) problems: Vec<Problem>,
}

impl Layers {
    /// Reads all three places; names that do not exist become problems.
    #[must_use]
    pub fn collect(places: &Places) -> Self {
        let mut layers = Self::default();
        layers.add_file(places);
        layers.add_environment(&places.environment);
        for (key, text) in &places.flags {
            layers.set(*key, text.clone(), Source::Flag);
        }
        layers
    }

    fn set(&mut self, key: Key, text: String, source: Source) {
        self.given.insert(key, Given { text, source });
    }

    fn add_file(&mut self, places: &Places) {
        let from_environment = || {
            let named = places.environment.iter().find(|(name, _)| name == FILE_VARIABLE)?;
            (!named.1.is_empty()).then(|| PathBuf::from(&named.1))
        };
        let path = match places.file.clone().or_else(from_environment) {
            Some(named) => named,
            None if places.directory.join(DEFAULT_FILE).is_file() => PathBuf::from(DEFAULT_FILE),
            None => return,
        };
        let (entries, problems) = read_file(&places.directory.join(&path), &path);
        self.problems.extend(problems);
        for (key, text) in entries {
            self.set(key, text, Source::File(path.clone()));
        }
        self.file = Some(path);
    }

    fn add_environment(&mut self, environment: &[(String, String)]) {
        for (name, value) in environment {
            if !name.starts_with(PREFIX) || name == FILE_VARIABLE || is_somebody_elses(name) {
                continue;
            }
            match Key::ALL.iter().find(|key| key.variable() == name) {
                // Compose files and unit files cannot leave a variable out, only empty: that means "not set".
                Some(_) if value.is_empty() => {}
                Some(key) => self.set(*key, value.clone(), Source::Environment),
                None => self.problems.push(unknown_variable(name)),
            }
        }
    }
}

/// Kubernetes puts `<SERVICE>_PORT…` and `<SERVICE>_SERVICE_…` into every pod, so a service that is called like us
/// would stop us; and the tests of this project have variables of their own.
fn is_somebody_elses(name: &str) -> bool {
    let rest = name.trim_start_matches(PREFIX);
    rest == "PORT" || ["PORT_", "SERVICE_", "TEST_"].iter().any(|prefix| rest.starts_with(prefix))
}

fn unknown_variable(name: &str) -> Problem {
    let known = Key::ALL.iter().map(|key| key.variable()).chain([FILE_VARIABLE]);
    // All names share the prefix; compared with it, everything would seem near.
    let near = nearest(name.trim_start_matches(PREFIX), known.map(|variable| variable.trim_start_matches(PREFIX)));
    let hint = near.map_or_else(String::new, |near| format!("; did you mean {PREFIX}{near}?"));
    Problem::new(format!("unknown environment variable {name}{hint}"))
}

/// The problem of a name in the file at `path` that is no setting's.
pub(super) fn unknown_name(name: &str, path: &Path) -> Problem {
    let in_file = Key::ALL.iter().filter(|key| key.scope() == Scope::Everywhere);
    let hint = match nearest(name, in_file.map(|key| key.name())) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    };
    Problem::new(format!("unknown key `{name}` in {}{hint}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(environment: &[(&str, &str)]) -> Places {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Places { environment, directory: PathBuf::from("/nonexistent"), ..Places::default() }
    }

    #[test]
    fn flags_win_over_environment_and_environment_over_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let toml = "listen = \"127.0.0.1:1\"\napp_name = \"File\"\noutbox = \"file\"\n[limits]\nhash_queue = 7\n";
        std::fs::write(directory.path().join(DEFAULT_FILE), toml).expect("writable");
        let mut places = places(&[("COUNTERSIGN_LISTEN", "127.0.0.1:2"), ("COUNTERSIGN_APP_NAME", "Environment")]);
        directory.path().clone_into(&mut places.directory);
        places.flags.insert(Key::Listen, "127.0.0.1:3".to_owned());

        let layers = Layers::collect(&places);

        assert_eq!(layers.problems, []);
        let text = |key| layers.given[&key].text.as_str();
        assert_eq!((text(Key::Listen), &layers.given[&Key::Listen].source), ("127.0.0.1:3", &Source::Flag));
        assert_eq!((text(Key::AppName), &layers.given[&Key::AppName].source), ("Environment", &Source::Environment));
        assert_eq!(text(Key::Outbox), "file");
        assert_eq!(text(Key::HashQueue), "7");
    }

    #[test]
    fn unknown_variables_name_the_nearest_known_one() {
        let layers = Layers::collect(&places(&[("COUNTERSIGN_LISTN", "x"), ("COUNTERSIGN_QQQQQQ", "x")]));
        let texts: Vec<_> = layers.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "unknown environment variable COUNTERSIGN_LISTN; did you mean COUNTERSIGN_LISTEN?",
                "unknown environment variable COUNTERSIGN_QQQQQQ",
            ]
        );
    }

    #[test]
    fn other_peoples_variables_and_empty_ones_are_passed_over() {
        let layers = Layers::collect(&places(&[
            ("COUNTERSIGN_PORT_3000_TCP_ADDR", "10.0.0.1"),
            ("COUNTERSIGN_SERVICE_HOST", "10.0.0.1"),
            ("COUNTERSIGN_LISTEN", ""),
            ("HOME", "/root"),
        ]));
        assert!(layers.problems.is_empty() && layers.given.is_empty());
    }

    #[test]
    fn a_named_file_that_is_missing_is_a_problem() {
        let layers = Layers::collect(&places(&[(FILE_VARIABLE, "missing.toml")]));
        assert!(layers.problems[0].to_string().starts_with("cannot read missing.toml: "), "{:?}", layers.problems);
    }
}
