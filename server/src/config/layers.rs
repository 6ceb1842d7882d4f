//! Collects values: flags take precedence over the environment, the environment over the file.
//!
//! Values are checked later. Unknown names are refused here, because a mistyped setting that is silently ignored leaves
//! a limit or a proxy unconfigured.

use super::file::read_file;
use super::keys::{FILE_VARIABLE, Key, PREFIX};
use super::nearest::hint;
use super::problem::Problem;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::Value;

/// Read if it exists and no other file is named.
pub const DEFAULT_FILE: &str = "countersign.toml";

/// Names the directory of the credentials that systemd hands to a service (systemd.exec(5)).
const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";
/// The credential that is the keyring, if the service has it.
const KEYRING_CREDENTIAL: &str = "keyring";

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Flag,
    Environment,
    File(PathBuf),
    /// A credential that systemd hands to the service.
    Credential,
    /// The default of the strict profile.
    Profile,
    Default,
}

impl Source {
    /// Whether the operator chose the value.
    #[must_use]
    pub fn is_explicit(&self) -> bool {
        !matches!(self, Self::Profile | Self::Default)
    }

    /// Names the flag, variable or file that gives `key` its value.
    #[must_use]
    pub fn describe(&self, key: Key) -> String {
        match self {
            Self::Flag => format!("flag --{}", key.flag()),
            Self::Environment => format!("environment {}", key.variable()),
            Self::File(path) => format!("file {}", path.display()),
            Self::Credential => format!("systemd credential {KEYRING_CREDENTIAL}"),
            Self::Profile => "profile strict".to_owned(),
            Self::Default => "default".to_owned(),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, PartialEq)]
pub struct Entry {
    /// Text if it comes from a flag or a variable; any TOML type if it comes from the file.
    pub value: Value,
    pub source: Source,
}

impl Entry {
    /// The value as a flag would give it: lists separated by commas, switches as `on` and `off`.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            Value::Boolean(true) => "on".to_owned(),
            Value::Boolean(false) => "off".to_owned(),
            Value::Array(items) if items.iter().all(Value::is_str) => {
                items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
            }
            value => serde_json::to_string(value).unwrap_or_default(),
        }
    }
}

impl fmt::Debug for Entry {
    /// Leaves out the value: it may be a secret, and this type does not know.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Entry").field("source", &self.source).finish_non_exhaustive()
    }
}

/// Everything that settings are read from, as it was when the program started.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    pub flags: BTreeMap<Key, String>,
    /// The file named by `--config`.
    pub file: Option<PathBuf>,
    /// All variables, including those that are not settings.
    pub environment: Vec<(String, String)>,
    /// The working directory, where the default file is looked for.
    pub directory: PathBuf,
}

/// The values of the operator, without defaults.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    pub(super) entries: BTreeMap<Key, Entry>,
    pub(super) file: Option<PathBuf>,
    pub(super) problems: Vec<Problem>,
}

impl Layers {
    /// Names that do not exist become problems.
    #[must_use]
    pub fn collect(inputs: &Inputs) -> Self {
        let mut layers = Self::default();
        layers.add_file(inputs);
        layers.add_credential(&inputs.environment);
        layers.add_environment(&inputs.environment);
        for (key, text) in &inputs.flags {
            layers.set(*key, text.as_str().into(), Source::Flag);
        }
        layers
    }

    fn set(&mut self, key: Key, value: Value, source: Source) {
        self.entries.insert(key, Entry { value, source });
    }

    fn add_file(&mut self, inputs: &Inputs) {
        let from_environment = || {
            let named = inputs.environment.iter().find(|(name, _)| name == FILE_VARIABLE)?;
            (!named.1.is_empty()).then(|| PathBuf::from(&named.1))
        };
        let path = match inputs.file.clone().or_else(from_environment) {
            Some(named) => named,
            None if inputs.directory.join(DEFAULT_FILE).is_file() => PathBuf::from(DEFAULT_FILE),
            None => return,
        };
        let (values, problems) = read_file(&inputs.directory.join(&path), &path);
        self.problems.extend(problems);
        for (key, value) in values {
            self.set(key, value, Source::File(path.clone()));
        }
        self.file = Some(path);
    }

    fn add_credential(&mut self, environment: &[(String, String)]) {
        let directory = environment.iter().find(|(name, _)| name == CREDENTIALS_VARIABLE);
        let keyring = directory.map(|(_, directory)| Path::new(directory).join(KEYRING_CREDENTIAL));
        if let Some(path) = keyring.filter(|path| path.is_file()) {
            self.set(Key::Keyring, path.to_string_lossy().as_ref().into(), Source::Credential);
        }
    }

    fn add_environment(&mut self, environment: &[(String, String)]) {
        for (name, value) in environment {
            if !name.starts_with(PREFIX) || name == FILE_VARIABLE || is_foreign(name, value) {
                continue;
            }
            match Key::ALL.iter().find(|key| key.variable() == name) {
                // Compose files and unit files cannot leave a variable out, only set it to nothing.
                Some(_) if value.is_empty() => {}
                Some(key) => self.set(*key, value.as_str().into(), Source::Environment),
                None => self.problems.push(unknown_variable(name)),
            }
        }
    }
}

/// Whether a variable is none of ours although it has our prefix.
///
/// Kubernetes describes each service of a namespace in every pod of it, by the service's name, as Docker's links did: for
/// `countersign-database`, `COUNTERSIGN_DATABASE_PORT=tcp://10.96.0.7:5432` and more. `COUNTERSIGN_TEST_…` belongs to the tests
/// of this project.
fn is_foreign(name: &str, value: &str) -> bool {
    const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
    // Before an ending stands the service's name, which may be the prefix alone.
    let name = name.strip_prefix(PREFIX.trim_end_matches('_')).unwrap_or(name);
    let has_url = || PROTOCOLS.iter().any(|protocol| value.to_ascii_uppercase().starts_with(&format!("{protocol}://")));
    // `_PORT_<number>_<protocol>`, alone or with one of the endings.
    let is_of_port = |rest: &str| {
        let Some((number, rest)) = rest.split_once('_') else { return false };
        let (protocol, ending) = rest.split_once('_').unwrap_or((rest, "ADDR"));
        number.parse::<u16>().is_ok() && PROTOCOLS.contains(&protocol) && ["PROTO", "PORT", "ADDR"].contains(&ending)
    };
    name.starts_with("_TEST_")
        || name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        // With the name of the port.
        || name.contains("_SERVICE_PORT_")
        // A mistyped setting has a number.
        || (name.ends_with("_PORT") && has_url())
        || name.char_indices().filter_map(|(at, _)| name[at..].strip_prefix("_PORT_")).any(is_of_port)
}

fn unknown_variable(name: &str) -> Problem {
    let known = Key::ALL.iter().map(|key| key.variable()).chain([FILE_VARIABLE]);
    // Without the prefix that all names share, because it would make every name seem near.
    let known = known.map(|variable| variable.trim_start_matches(PREFIX));
    let hint = hint(name.trim_start_matches(PREFIX), known, |near| format!("{PREFIX}{near}"));
    Problem::new(format!("unknown environment variable {name}{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(environment: &[(&str, &str)]) -> Inputs {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Inputs { environment, directory: PathBuf::from("/nonexistent"), ..Inputs::default() }
    }

    #[test]
    fn flags_win_over_environment_and_environment_over_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let toml = "listen = \"127.0.0.1:1\"\napp_name = \"File\"\noutbox = \"file\"\n[limits]\nhash_queue = 7\n";
        std::fs::write(directory.path().join(DEFAULT_FILE), toml).expect("writable");
        let mut inputs = inputs(&[("COUNTERSIGN_LISTEN", "127.0.0.1:2"), ("COUNTERSIGN_APP_NAME", "Environment")]);
        directory.path().clone_into(&mut inputs.directory);
        inputs.flags.insert(Key::Listen, "127.0.0.1:3".to_owned());

        let layers = Layers::collect(&inputs);

        assert_eq!(layers.problems, []);
        let text = |key| layers.entries[&key].text();
        assert_eq!((text(Key::Listen).as_str(), &layers.entries[&Key::Listen].source), ("127.0.0.1:3", &Source::Flag));
        assert_eq!(
            (text(Key::AppName).as_str(), &layers.entries[&Key::AppName].source),
            ("Environment", &Source::Environment)
        );
        assert_eq!(text(Key::Outbox), "file");
        assert_eq!(text(Key::HashQueue), "7");
    }

    #[test]
    fn unknown_variables_name_the_nearest_known_one() {
        let layers = Layers::collect(&inputs(&[("COUNTERSIGN_LISTN", "x"), ("COUNTERSIGN_QQQQQQ", "x")]));
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
    fn foreign_and_empty_variables_are_ignored() {
        let layers = Layers::collect(&inputs(&[
            ("COUNTERSIGN_LISTEN", ""),
            ("COUNTERSIGN_TEST_POSTGRES", "postgres://u@h/d"),
            ("HOME", "/root"),
        ]));
        assert!(layers.problems.is_empty() && layers.entries.is_empty());
    }

    #[test]
    fn variables_of_kubernetes_services_are_ignored_whatever_the_service_is_called() {
        for service in ["", "_DATABASE", "_SMTP", "_REDIS_MASTER", "_2", "_PORT", "_SERVICE"] {
            for (ending, value) in [
                ("SERVICE_HOST", "10.96.0.7"),
                ("SERVICE_PORT", "5432"),
                ("SERVICE_PORT_POSTGRES", "5432"),
                ("SERVICE_PORT_HTTP_METRICS", "9000"),
                ("PORT", "tcp://10.96.0.7:5432"),
                ("PORT", "udp://[fd00::7]:53"),
                ("PORT", "sctp://10.96.0.7:5432"),
                ("PORT_5432_TCP", "tcp://10.96.0.7:5432"),
                ("PORT_5432_TCP_PROTO", "tcp"),
                ("PORT_5432_TCP_PORT", "5432"),
                ("PORT_5432_TCP_ADDR", "10.96.0.7"),
                ("PORT_53_UDP", "udp://10.96.0.7:53"),
                ("PORT_53_UDP_ADDR", "10.96.0.7"),
                ("PORT_9_SCTP_PROTO", "sctp"),
            ] {
                let name = format!("COUNTERSIGN{service}_{ending}");
                let layers = Layers::collect(&inputs(&[(&name, value)]));
                assert!(layers.problems.is_empty() && layers.entries.is_empty(), "{name}={value}");
            }
        }
    }

    #[test]
    fn no_setting_is_taken_for_a_variable_of_a_service_and_what_is_mistyped_is_not() {
        for key in Key::ALL {
            assert!(!is_foreign(key.variable(), "tcp://10.96.0.7:5432"), "{}", key.variable());
        }
        for (name, value) in [
            ("COUNTERSIGN_PORT", "3000"),
            ("COUNTERSIGN_SMTP_PORT", "587"),
            ("COUNTERSIGN_LISTEN_PORT", "3000"),
            ("COUNTERSIGN_PORT_3000", "x"),
            ("COUNTERSIGN_PORT_HTTP_TCP", "x"),
            ("COUNTERSIGN_PORT_3000_TCP_NAME", "x"),
            ("COUNTERSIGN_PORT_3000_HTTP_ADDR", "x"),
            ("COUNTERSIGN_SERVICE_NAME", "x"),
            ("COUNTERSIGN_SERVICE_HOSTS", "x"),
        ] {
            assert_eq!(Layers::collect(&inputs(&[(name, value)])).problems.len(), 1, "{name}");
        }
    }

    #[test]
    fn a_named_file_that_is_missing_is_a_problem() {
        let layers = Layers::collect(&inputs(&[(FILE_VARIABLE, "missing.toml")]));
        assert!(layers.problems[0].to_string().starts_with("cannot read missing.toml: "), "{:?}", layers.problems);
    }
}
