//! What a value has to show.

use crate::comparison::Origin;
use serde_json::Value;

/// Beginnings of changes, and the keywords that reject the values that show them.
const KEYWORDS: [(&str, &[&str]); 17] = [
    ("min-length", &["minLength"]),
    ("max-length", &["maxLength"]),
    ("minimum", &["minimum", "exclusiveMinimum"]),
    ("maximum", &["maximum", "exclusiveMaximum"]),
    ("multiple-of", &["multipleOf"]),
    ("min-items", &["minItems", "contains"]),
    ("max-items", &["maxItems", "maxContains", "contains"]),
    ("min-properties", &["minProperties"]),
    ("max-properties", &["maxProperties"]),
    ("unique-items", &["uniqueItems"]),
    ("format", &["format", "minimum", "maximum"]),
    ("pattern-added", &["pattern"]),
    ("pattern-removed", &["pattern"]),
    ("pattern-narrowed", &["pattern"]),
    ("pattern-widened", &["pattern"]),
    ("pattern-replaced", &["pattern"]),
    ("enum", &["enum"]),
];

/// Beginnings of changes that an object without the property shows.
const PRESENCE: [&str; 4] =
    ["property-added-required", "property-became-required", "property-became-optional", "property-removed"];

/// What a value has to show so that it is an example of one change and not of another one of the same schemas.
pub(super) enum Subject {
    /// One of these keywords rejects it.
    Keywords(&'static [&'static str]),
    /// It is or contains this value.
    Contains(Value),
    /// It is rejected for the lack of this property.
    Lacks(String),
    /// It has this property.
    Has(String),
    /// Nothing in particular.
    Any,
}

impl Subject {
    pub(super) fn of(change: &str, origin: &Origin<'_>) -> Self {
        let value = || origin.accepting.as_ref().and_then(|side| serde_json::from_str(side.value.as_deref()?).ok());
        let keywords = || KEYWORDS.iter().find(|(start, _)| change.starts_with(start)).map(|(_, keywords)| *keywords);
        match (change, &origin.name) {
            ("enum-value-added" | "enum-value-removed", _) => value().map_or(Self::Keywords(&["enum"]), Self::Contains),
            ("became-nullable" | "became-not-nullable", _) => Self::Contains(Value::Null),
            ("property-removed-from-closed-object", Some(name)) => Self::Has(name.clone()),
            (change, Some(name)) if PRESENCE.iter().any(|start| change.starts_with(start)) => Self::Lacks(name.clone()),
            _ => keywords().map_or(Self::Any, Self::Keywords),
        }
    }

    /// Whether the value itself is suitable.
    pub(super) fn suits(&self, value: &Value) -> bool {
        match self {
            Self::Contains(wanted) => contains(value, &|inner| inner == wanted),
            Self::Has(name) => contains(value, &|inner| inner.get(name).is_some()),
            Self::Keywords(_) | Self::Lacks(_) | Self::Any => true,
        }
    }

    /// Whether an error is the one to show.
    pub(super) fn is_shown_by(&self, keyword: &str, missing: Option<&str>) -> bool {
        match self {
            Self::Keywords(keywords) => keywords.contains(&keyword),
            Self::Lacks(name) => missing == Some(name),
            Self::Contains(_) | Self::Has(_) | Self::Any => true,
        }
    }
}

fn contains(value: &Value, is_wanted: &impl Fn(&Value) -> bool) -> bool {
    is_wanted(value)
        || match value {
            Value::Array(items) => items.iter().any(|item| contains(item, is_wanted)),
            Value::Object(entries) => entries.values().any(|entry| contains(entry, is_wanted)),
            _ => false,
        }
}
