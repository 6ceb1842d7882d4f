//! Options of a comparison.

use countersign_contract_finding::Severities;

/// Options of a comparison.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Today as `2027-01-31`, to compare `x-sunset` dates with. Without it, they count as future dates.
    pub today: Option<String>,
    /// Fewest days between today and a new `x-sunset` date.
    pub notice_days: Option<u32>,
    /// Whether a further value in an enum of responses is compatible: clients were told to expect values that they do not
    /// know.
    pub enums_may_grow: bool,
    /// Stability levels (`x-stability-level`) of operations whose breaking changes are risky only.
    pub may_break: Vec<StabilityLevel>,
    /// Verdicts that differ from those of the rules.
    pub severities: Severities,
    /// How paths of the old document are rewritten before operations are matched.
    pub old_prefix: PathPrefix,
    /// How paths of the new document are rewritten before operations are matched.
    pub new_prefix: PathPrefix,
}

/// A stability level, from the least stable on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StabilityLevel {
    /// A proposal.
    Draft,
    /// For trials.
    Alpha,
    /// Nearly as it will be.
    Beta,
    /// Changes follow a deprecation. The level of operations that have none.
    Stable,
}

/// A prefix to remove from paths, and one to put before them. Both may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathPrefix {
    /// Removed from paths that begin with it, if a whole segment ends there.
    pub strip: String,
    /// Put before each path, after that.
    pub add: String,
}

impl PathPrefix {
    /// The path with the prefixes applied.
    pub(super) fn apply(&self, path: &str) -> String {
        let stripped = path.strip_prefix(self.strip.trim_end_matches('/'));
        let rest = stripped.filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(path);
        format!("{}{rest}", self.add.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::PathPrefix;

    #[test]
    fn prefixes_end_where_a_segment_ends() {
        for (strip, add, path, expected) in [
            ("", "", "/users", "/users"),
            ("/v1", "", "/v1/users", "/users"),
            ("/v1/", "", "/v1/users", "/users"),
            ("/v1", "", "/v10/users", "/v10/users"),
            ("/v1", "", "/v1", ""),
            ("/v1", "/v2", "/v1/users", "/v2/users"),
            ("", "/api/", "/users", "/api/users"),
            ("/v1", "/api", "/health", "/api/health"),
        ] {
            let prefix = PathPrefix { strip: strip.to_owned(), add: add.to_owned() };
            assert_eq!(prefix.apply(path), expected, "{prefix:?} {path}");
        }
    }
}
