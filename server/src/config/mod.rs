//! The configuration: flags before environment before one TOML file before defaults.
//!
//! | module | what it holds |
//! |---|---|
//! | [`keys`] | the table of settings, one row each |
//! | [`layers`], [`file`] | what was given where; refuses names that do not exist |
//! | [`defaults`], [`resolve`] | from text to [`Settings`]; refuses values that make no sense together |
//! | [`report`] | what `check-config` prints |
//! | [`values`], [`secret`] | types of single settings |
//!
//! Secrets are never printed: not by `check-config`, not by `Debug`, not in a problem's text.

mod defaults;
mod directory;
mod file;
pub mod keys;
pub mod layers;
pub(crate) mod nearest;
pub mod problem;
pub mod report;
mod resolve;
pub mod secret;
pub mod settings;
pub mod values;

pub use keys::Key;
pub use layers::Places;
pub use problem::ConfigError;
pub use settings::Settings;

use layers::{Given, Layers};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Every effective value, where it came from, and what it amounts to.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Each setting's text and source, defaults filled in.
    pub effective: BTreeMap<Key, Given>,
    /// The file that was read.
    pub file: Option<PathBuf>,
    outcome: Result<Settings, Vec<problem::Problem>>,
}

impl Configuration {
    /// Collects, completes and checks. `operation_paths` are the paths that can be disabled, as clients request them.
    #[must_use]
    pub fn load(places: &Places, operation_paths: &[String]) -> Self {
        let Layers { mut given, file, mut problems } = Layers::collect(places);
        defaults::complete(&mut given);
        let settings = resolve::resolve(&given, operation_paths, &mut problems);
        let outcome = if problems.is_empty() { Ok(settings) } else { Err(problems) };
        Self { effective: given, file, outcome }
    }

    /// The settings, ready for use.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        self.outcome.clone().map_err(|problems| ConfigError { problems })
    }
}
