//! Reads the schemas of OpenAPI 3.1 and 3.2 (JSON Schema 2020-12) into the form that the rest of the crate works on.
//!
//! That form is the one of OpenAPI 3.0 with the keywords that only JSON Schema has. Documents of different versions thus
//! compare by meaning, and no other module asks for a version, except for the fields that the grammar allows.
//!
//! | JSON Schema 2020-12 | here |
//! |---|---|
//! | `type: [T, "null"]`; `anyOf` or `oneOf` with `type: "null"` | `nullable: true` |
//! | `type` with several names | an `anyOf` with one alternative per type, each with the keywords that apply to it |
//! | `not: {type: T}` beside keywords for some types | the same with all other types |
//! | `const: v`, `type: "null"` | `enum: [v]`, `enum: [null]` |
//! | numeric `exclusiveMinimum`, `exclusiveMaximum` | `minimum`, `maximum` and the flag |
//! | `$ref` with siblings | the reference as the last part of `allOf` |
//! | `examples` with one value | `example` |
//! | `true`, `false` in place of a schema | `{}`, `{not: {}}` |
//!
//! Each rewriting keeps the set of valid values. Where a reference leads into a part that would move, the part is left as
//! it is. `nullable` and boolean exclusive limits have no meaning in JSON Schema: they are removed and listed for lint.

mod null;
mod types;

use crate::edit::Edit;
use crate::grammar::Kind;
use crate::moved::Moved;
use crate::pointer;
use crate::reference;
use crate::version::Version;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What reading the schemas of a document changed.
#[derive(Debug, Default)]
pub(crate) struct Normalised {
    pub(crate) moved: Moved,
    /// JSON pointers of keywords of OpenAPI 3.0 that have no meaning in this version and were removed.
    pub(crate) ignored: Vec<String>,
}

/// Rewrites the schemas of a document. Nothing changes in a document of OpenAPI 3.0.
pub(crate) fn normalise(document: &mut Value) -> Normalised {
    let Some(version) = Version::of(document).filter(|version| version.has_json_schema()) else {
        return Normalised::default();
    };
    if let Some(root) = document.as_object_mut() {
        root.entry("paths").or_insert_with(|| json!({}));
    }
    let mut targets = BTreeSet::new();
    collect_targets(document, &mut targets);
    let mut walk = Walk { version, targets, at: String::new(), out: Normalised::default() };
    walk.walk(document, Kind::Document);
    walk.out
}

/// JSON pointers that references lead to.
fn collect_targets(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            out.extend(reference::target(value).and_then(|target| target.strip_prefix('#')).map(str::to_owned));
            entries.values().for_each(|value| collect_targets(value, out));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_targets(item, out)),
        _ => {}
    }
}

struct Walk {
    version: Version,
    targets: BTreeSet<String>,
    /// JSON pointer of the value being read.
    at: String,
    out: Normalised,
}

impl Edit for Walk {
    fn version(&self) -> Version {
        self.version
    }

    fn at(&mut self) -> &mut String {
        &mut self.at
    }

    fn change(&mut self, value: &mut Value, kind: Kind) {
        match value {
            _ if kind != Kind::Schema => {}
            Value::Bool(true) => *value = json!({}),
            Value::Bool(false) => *value = json!({"not": {}}),
            Value::Object(schema) => {
                self.remove_keywords_of_3_0(schema);
                self.null_alternative(schema);
                self.constant(schema);
                self.excluded_types(schema);
                self.types(schema);
                self.limit(schema, "minimum", "exclusiveMinimum", |exclusive, limit| exclusive >= limit);
                self.limit(schema, "maximum", "exclusiveMaximum", |exclusive, limit| exclusive <= limit);
                self.only_example(schema);
                self.siblings_of_reference(schema);
            }
            _ => {}
        }
    }
}

impl Walk {
    /// Whether a reference leads to a keyword of the current schema or below it.
    fn is_target(&self, keyword: &str) -> bool {
        let place = format!("{}/{}", self.at, pointer::escape(keyword));
        let mut near = self.targets.range(place.clone()..);
        near.next().is_some_and(|target| *target == place || target.starts_with(&format!("{place}/")))
    }

    /// Records moves within the current schema, as relative pointers after and before.
    fn moves(&mut self, pairs: impl IntoIterator<Item = (String, String)>) {
        let at = &self.at;
        let pairs = pairs.into_iter().map(|(now, before)| (format!("{at}{now}"), format!("{at}{before}"))).collect();
        self.out.moved.record(pairs);
    }

    /// Adds a part to `allOf`. Returns its relative pointer.
    fn add_part(schema: &mut Map<String, Value>, part: Value) -> Option<String> {
        let parts = schema.entry("allOf").or_insert_with(|| json!([])).as_array_mut()?;
        parts.push(part);
        Some(format!("/allOf/{}", parts.len() - 1))
    }

    fn remove_keywords_of_3_0(&mut self, schema: &mut Map<String, Value>) {
        let flags = ["exclusiveMinimum", "exclusiveMaximum"];
        let flags = flags.into_iter().filter(|flag| schema.get(*flag).is_some_and(Value::is_boolean));
        for keyword in flags.chain(schema.contains_key("nullable").then_some("nullable")).collect::<Vec<_>>() {
            schema.remove(keyword);
            self.out.ignored.push(format!("{}/{keyword}", self.at));
        }
    }

    fn constant(&mut self, schema: &mut Map<String, Value>) {
        let Some(value) = schema.remove("const") else { return };
        if schema.contains_key("enum") {
            if let Some(part) = Self::add_part(schema, json!({"enum": [value]})) {
                self.moves([(part.clone(), "/const".to_owned()), (format!("{part}/enum/0"), "/const".to_owned())]);
            }
        } else {
            schema.insert("enum".to_owned(), vec![value].into());
            self.moves(["/enum", "/enum/0"].map(|now| (now.to_owned(), "/const".to_owned())));
        }
    }

    /// A numeric exclusive limit becomes the limit, if it is the tighter one.
    fn limit(
        &mut self,
        schema: &mut Map<String, Value>,
        limit: &str,
        exclusive: &str,
        is_tighter: impl Fn(f64, f64) -> bool,
    ) {
        let Some(value) = schema.get(exclusive).filter(|value| value.is_number()).cloned() else { return };
        let known = schema.get(limit).and_then(Value::as_f64);
        if known.is_none_or(|known| value.as_f64().is_some_and(|value| is_tighter(value, known))) {
            schema.insert(limit.to_owned(), value);
            schema.insert(exclusive.to_owned(), true.into());
            self.moves([(format!("/{limit}"), format!("/{exclusive}"))]);
        } else {
            schema.remove(exclusive);
        }
    }

    fn only_example(&mut self, schema: &mut Map<String, Value>) {
        let Some([only]) = schema.get("examples").and_then(Value::as_array).map(Vec::as_slice) else { return };
        if !schema.contains_key("example") {
            let only = only.clone();
            schema.remove("examples");
            schema.insert("example".to_owned(), only);
            self.moves([("/example".to_owned(), "/examples/0".to_owned())]);
        }
    }

    fn siblings_of_reference(&mut self, schema: &mut Map<String, Value>) {
        if schema.len() > 1
            && schema.get("$ref").is_some_and(Value::is_string)
            && let Some(reference) = schema.remove("$ref")
            && let Some(part) = Self::add_part(schema, json!({"$ref": reference}))
        {
            self.moves([(part, String::new())]);
        }
    }
}
