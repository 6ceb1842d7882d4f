//! What a team asks of its documents: the configuration file `contract.toml`.
//!
//! All keys are optional, unknown ones are errors. The flags of the command line win over the file.
//!
//! | section | module |
//! |---|---|
//! | `[diff]` | `diff` |
//! | `[lint]` | `lint` |
//! | `[[lint.assertions]]` | `assertions` |
//! | names of rules | `names` |

mod assertions;
mod diff;
mod lint;
mod names;
mod pattern;

use crate::settings::{self, SettingsError};
use serde::Deserialize;

pub use assertions::{ASSERTION, Assertion};
pub use diff::{DiffProfile, FailOn};
pub use lint::{LintFailOn, LintProfile};

/// A configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// For comparing two documents.
    pub diff: DiffProfile,
    /// For linting a document.
    pub lint: LintProfile,
}

impl Profile {
    /// Reads a configuration. `name` is how messages call the file.
    ///
    /// # Errors
    /// [`SettingsError`] for text that is not TOML, unknown keys and rules, and values of the wrong type.
    pub fn parse(name: &str, text: &str) -> Result<Self, SettingsError> {
        settings::read(name, text)
    }
}
