//! Versions of OpenAPI.

use serde_json::Value;

/// A version of OpenAPI that documents may be written in, without its patch number, which has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// OpenAPI 3.0, whose schemas are a dialect of their own.
    V3_0,
    /// OpenAPI 3.1, whose schemas are JSON Schema 2020-12.
    V3_1,
    /// OpenAPI 3.2, with the same schemas as 3.1.
    V3_2,
}

impl Version {
    /// The version that a document declares; `None` if it is not one of these.
    pub(crate) fn of(document: &Value) -> Option<Self> {
        let text = document["openapi"].as_str()?;
        [("3.0.", Self::V3_0), ("3.1.", Self::V3_1), ("3.2.", Self::V3_2)]
            .into_iter()
            .find_map(|(start, version)| text.starts_with(start).then_some(version))
    }

    /// Whether schemas are JSON Schema 2020-12.
    pub fn has_json_schema(self) -> bool {
        self >= Self::V3_1
    }
}
