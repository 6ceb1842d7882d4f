//! Resolves the identifiers of JSON Schema: `$id`, `$anchor`, `$dynamicAnchor` and, in OpenAPI 3.2, `$self`.
//!
//! References by identifier, and those relative to a schema with an `$id`, become JSON pointers within the document, so
//! that the rest of the crate knows one kind of reference. `$dynamicRef` is resolved as `$ref` (JSON Schema Core 2020-12,
//! section 8.2.3.2, without a dynamic scope).

use crate::edit::Edit;
use crate::grammar::Kind;
use crate::reference;
use crate::version::Version;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::collections::HashMap;

/// Replaces references by identifier. Nothing changes in a document of OpenAPI 3.0.
pub(crate) fn resolve(document: &mut Value) {
    let Some(version) = Version::of(document).filter(|version| version.has_json_schema()) else { return };
    let own = document["$self"].as_str().unwrap_or_default();
    let scope = Scope { base: without_fragment(own).to_owned(), root: String::new() };
    let mut known = Known::default();
    known.resources.insert(scope.base.clone(), String::new());
    visit(document, version, &scope, &mut |schema, scope, at| known.add(schema, scope, at));
    if known.resources.len() == 1 && known.anchors.is_empty() && !known.has_dynamic {
        return;
    }
    let copy = document.clone();
    visit(document, version, &scope, &mut |schema, scope, _| known.rewrite(schema, scope, &copy));
}

/// The base of relative references within a schema.
#[derive(Debug, Clone)]
struct Scope {
    base: String,
    /// JSON pointer of the schema that has the `$id`, or of the document.
    root: String,
}

/// JSON pointers by URI, and by URI with the name of an anchor.
#[derive(Debug, Default)]
struct Known {
    resources: HashMap<String, String>,
    anchors: HashMap<String, String>,
    has_dynamic: bool,
}

impl Known {
    fn add(&mut self, schema: &mut Value, scope: &Scope, at: &str) {
        if scope.root == at && !at.is_empty() {
            self.resources.entry(scope.base.clone()).or_insert_with(|| at.to_owned());
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if let Some(name) = schema[keyword].as_str() {
                self.anchors.entry(format!("{}#{name}", scope.base)).or_insert_with(|| at.to_owned());
            }
        }
        self.has_dynamic |= schema.get("$dynamicRef").is_some();
    }

    fn rewrite(&self, schema: &mut Value, scope: &Scope, document: &Value) {
        let Some(keywords) = schema.as_object_mut() else { return };
        if let Some(reference) = keywords.remove("$dynamicRef") {
            let other = keywords.insert("$ref".to_owned(), reference);
            if let Some(other) = other {
                let parts = keywords.entry("allOf").or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(parts) = parts {
                    let other = other
                        .as_str()
                        .and_then(|text| self.pointer(text, scope, document))
                        .unwrap_or(other.to_string());
                    parts.push(serde_json::json!({"$ref": other}));
                }
            }
        }
        if let Some(found) = reference::target(schema).and_then(|text| self.pointer(text, scope, document)) {
            schema["$ref"] = found.into();
        }
    }

    /// A reference as one within the document; `None` if it leads to no known schema, or is one already.
    fn pointer(&self, text: &str, scope: &Scope, document: &Value) -> Option<String> {
        let (path, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (base, root) = match path {
            "" => (scope.base.clone(), scope.root.clone()),
            path => {
                let base = join(&scope.base, path);
                let root = self.resources.get(&base)?.clone();
                (base, root)
            }
        };
        if fragment.is_empty() || fragment.starts_with('/') {
            let plain = format!("{root}{fragment}");
            let decoded = || Some(format!("{root}{}", percent_decode_str(fragment).decode_utf8().ok()?));
            let place = Some(plain.clone()).filter(|place| document.pointer(place).is_some()).or_else(decoded);
            return Some(format!("#{}", place.unwrap_or(plain)));
        }
        self.anchors.get(&format!("{base}#{fragment}")).map(|place| format!("#{place}"))
    }
}

/// What to do with a schema, given its scope and its JSON pointer.
type Work<'w> = &'w mut dyn FnMut(&mut Value, &Scope, &str);

fn visit(document: &mut Value, version: Version, scope: &Scope, work: Work<'_>) {
    Walk { version, at: String::new(), scopes: vec![scope.clone()], work }.walk(document, Kind::Document);
}

struct Walk<'w> {
    version: Version,
    at: String,
    /// Scopes that contain the current schema, from the document's on.
    scopes: Vec<Scope>,
    work: Work<'w>,
}

impl Edit for Walk<'_> {
    fn version(&self) -> Version {
        self.version
    }

    fn at(&mut self) -> &mut String {
        &mut self.at
    }

    fn change(&mut self, value: &mut Value, kind: Kind) {
        if kind != Kind::Schema || !value.is_object() {
            return;
        }
        let contains = |scope: &Scope| {
            let inner = self.at.strip_prefix(&scope.root);
            inner.is_some_and(|inner| inner.is_empty() || inner.starts_with('/'))
        };
        while self.scopes.pop_if(|scope| !contains(scope)).is_some() {}
        if let (Some(outer), Some(id)) = (self.scopes.last(), value["$id"].as_str()) {
            let base = join(&outer.base, without_fragment(id));
            self.scopes.push(Scope { base, root: self.at.clone() });
        }
        if let Some(scope) = self.scopes.last() {
            (self.work)(value, scope, &self.at);
        }
    }
}

fn without_fragment(uri: &str) -> &str {
    uri.split('#').next().unwrap_or_default()
}

/// Resolves a reference without a fragment against a base (RFC 3986, section 5.2).
fn join(base: &str, reference: &str) -> String {
    let has_scheme = |text: &str| {
        text.split_once(':').is_some_and(|(scheme, _)| {
            !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
        })
    };
    if reference.is_empty() {
        return base.to_owned();
    }
    if has_scheme(reference) {
        return reference.to_owned();
    }
    let authority_at = base.find("://").map_or(0, |at| at + 3);
    let path_at = base[authority_at..].find('/').map_or(base.len(), |at| authority_at + at);
    let path_at = if authority_at == 0 { 0 } else { path_at };
    let (start, path) = base.split_at(path_at);
    if let Some(scheme) = base.split("//").next().filter(|_| reference.starts_with("//")) {
        return format!("{scheme}{reference}");
    }
    let joined = match reference.strip_prefix('/') {
        Some(_) => reference.to_owned(),
        None => format!("{}{reference}", &path[..path.rfind('/').map_or(0, |slash| slash + 1)]),
    };
    let joined = if authority_at > 0 && !joined.starts_with('/') { format!("/{joined}") } else { joined };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "." => {}
            ".." if parts.len() > 1 => drop(parts.pop()),
            ".." => {}
            other => parts.push(other),
        }
    }
    format!("{start}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{join, resolve};
    use serde_json::json;

    #[test]
    fn references_are_joined_to_their_base() {
        for (base, reference, expected) in [
            ("", "item.json", "item.json"),
            ("http://h/a/b.json", "c.json", "http://h/a/c.json"),
            ("http://h/a/b.json", "/c.json", "http://h/c.json"),
            ("http://h/a/b.json", "../c.json", "http://h/c.json"),
            ("http://h", "c.json", "http://h/c.json"),
            ("http://h/a", "urn:x:y", "urn:x:y"),
            ("folder/", "c.json", "folder/c.json"),
            ("http://h/a", "", "http://h/a"),
            ("http://h/a", "//other/b", "http://other/b"),
        ] {
            assert_eq!(join(base, reference), expected, "{base} {reference}");
        }
    }

    #[test]
    fn identifiers_become_pointers() {
        let mut document = json!({
            "openapi": "3.1.0",
            "paths": {},
            "components": {"schemas": {
                "A": {"$id": "https://example.com/a", "$defs": {"x": {"$anchor": "here"}}, "properties": {
                    "one": {"$ref": "#/$defs/x"}, "two": {"$ref": "#here"}, "three": {"$ref": "b"},
                }},
                "B": {"$id": "https://example.com/b", "$ref": "a#here"},
                "C": {"$ref": "#/components/schemas/B"},
            }},
        });
        resolve(&mut document);
        let schemas = &document["components"]["schemas"];
        let properties = &schemas["A"]["properties"];
        for (schema, expected) in [
            (&properties["one"], "#/components/schemas/A/$defs/x"),
            (&properties["two"], "#/components/schemas/A/$defs/x"),
            (&properties["three"], "#/components/schemas/B"),
            (&schemas["B"], "#/components/schemas/A/$defs/x"),
            (&schemas["C"], "#/components/schemas/B"),
        ] {
            assert_eq!(schema["$ref"], expected);
        }
    }
}
