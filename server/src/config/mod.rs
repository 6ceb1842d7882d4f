//! The configuration: flags, then environment, then one TOML file, then defaults.
//!
//! | module | contents |
//! |---|---|
//! | [`keys`] | the table of settings, one row each |
//! | [`file`], [`layers`] | given values and their sources; refuse unknown names |
//! | `defaults` | values for all other settings |
//! | `read`, `sections`, `directory` | typed values; refuse values that make no sense |
//! | `resolve`, [`settings`] | the result; refuses values that make no sense together |
//! | [`report`] | the output of `check-config` |
//! | [`passkeys`], [`webhooks`] | sections with rules of their own |
//! | [`values`], [`secret`] | types of single settings |
//!
//! No secret appears in the output of `check-config`, in `Debug` or in the text of a problem.

mod defaults;
mod directory;
mod file;
mod gateways;
pub mod keys;
pub mod layers;
pub(crate) mod nearest;
pub mod passkeys;
pub mod problem;
mod read;
#[cfg(test)]
mod reference;
pub mod report;
mod resolve;
pub mod secret;
mod sections;
pub mod settings;
pub mod values;
pub mod webhooks;

pub use keys::Key;
pub use layers::Inputs;
pub use problem::ConfigError;
pub use settings::Settings;

use layers::{Entry, Layers};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Every effective value with its source, and the settings or problems that follow.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// One entry per key, defaults included.
    pub effective: BTreeMap<Key, Entry>,
    pub file: Option<PathBuf>,
    outcome: Result<Settings, Vec<problem::Problem>>,
}

impl Configuration {
    /// `operation_paths` are the paths that can be disabled, as clients request them.
    #[must_use]
    pub fn load(inputs: &Inputs, operation_paths: &[String]) -> Self {
        let Layers { mut entries, file, mut problems } = Layers::collect(inputs);
        defaults::add(&mut entries);
        let settings = resolve::resolve(&entries, operation_paths, &mut problems);
        let outcome = if problems.is_empty() { Ok(settings) } else { Err(problems) };
        Self { effective: entries, file, outcome }
    }

    /// # Errors
    /// Lists every problem of the configuration.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        self.outcome.clone().map_err(|problems| ConfigError { problems })
    }

    /// The settings that have another value in `other`.
    #[must_use]
    pub fn changed_in(&self, other: &Self) -> Vec<Key> {
        let value = |configuration: &Self, key| configuration.effective.get(key).map(Entry::text);
        Key::ALL.iter().filter(|key| value(self, key) != value(other, key)).copied().collect()
    }
}
