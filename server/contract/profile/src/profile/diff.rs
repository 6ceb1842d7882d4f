//! The section `[diff]`.

use super::names;
use countersign_contract_diff::{Options, StabilityLevel};
use countersign_contract_finding::{Severities, Severity, Verdict};
use serde::Deserialize;

/// What is asked of a change.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DiffProfile {
    /// The mildest verdict that fails.
    pub fail_on: Option<FailOn>,
    /// Verdicts in place of those of the rules.
    #[serde(deserialize_with = "names::of_diff")]
    pub severity: Severities,
    /// See [`Options::enums_may_grow`].
    pub enums_may_grow: bool,
    /// See [`Options::notice_days`].
    pub notice_days: Option<u32>,
    /// See [`Options::may_break`].
    pub may_break: Vec<StabilityLevel>,
    /// Whether the version of the new document has to be as high as the changes ask for.
    pub check_version: bool,
}

/// The mildest verdict that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Clients that follow the document stop working.
    Breaking,
    /// Some clients may stop working.
    Risky,
    /// Any change, including documentation.
    Any,
    /// Never.
    Nothing,
}

/// The severity of a rule of the comparison.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Off,
    Documentation,
    Compatible,
    Risky,
    Breaking,
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::Off,
            Level::Documentation => Self::As(Verdict::Documentation),
            Level::Compatible => Self::As(Verdict::Compatible),
            Level::Risky => Self::As(Verdict::Risky),
            Level::Breaking => Self::As(Verdict::Breaking),
        }
    }
}

impl DiffProfile {
    /// The options of a comparison on a day.
    #[must_use]
    pub fn options(&self, today: &str) -> Options {
        Options {
            today: Some(today.to_owned()),
            notice_days: self.notice_days,
            enums_may_grow: self.enums_may_grow,
            may_break: self.may_break.clone(),
            severities: self.severity.clone(),
            ..Options::default()
        }
    }
}
