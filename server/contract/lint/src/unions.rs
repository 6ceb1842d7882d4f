//! Unnamed types, and discriminators.
//!
//! Generators name types after their key in `components/schemas` or after their `title`. For other objects with properties
//! and other unions (including those of scalars, because most languages have no type for "a boolean or a string"), they
//! derive a name from the position in the document.

use super::Lint;
use super::reach::{component_name, properties};
use super::words::short;
use countersign_contract_document::grammar::Kind;
use countersign_contract_document::pointer;
use countersign_contract_document::tree::{Id, Key};
use countersign_contract_finding::{Rule, Verdict};
use serde_json::Value;
use std::collections::HashSet;

pub(super) const UNION: Rule = Rule {
    id: "inline-union",
    verdict: Verdict::Warning,
    what: "A union of several types (`oneOf`, `anyOf`) is defined inline and has no name.",
    why: "Generators make up names such as `Foo200ResponseOneOf`, which change with their surroundings. Move it \
          to `components/schemas`, or add a `title`.",
};
pub(super) const OBJECT: Rule = Rule {
    id: "inline-object",
    verdict: Verdict::Warning,
    what: "An object with properties is defined inline and has no name.",
    why: "Generators make up names such as `Foo200ResponseUserInner`, which change with their surroundings. \
          Move it to `components/schemas`, or add a `title`.",
};
pub(super) const DISCRIMINATOR_MISSING: Rule = Rule {
    id: "discriminator-property-missing",
    verdict: Verdict::Error,
    what: "An alternative of a discriminator does not define the discriminator's property.",
    why: "Clients need the property to determine the type. Define it in each alternative.",
};
pub(super) const DISCRIMINATOR_OPTIONAL: Rule = Rule {
    id: "discriminator-property-not-required",
    verdict: Verdict::Error,
    what: "An alternative of a discriminator does not require the discriminator's property.",
    why: "A value without it is valid but cannot be parsed by clients. Add it to `required`.",
};
pub(super) const DISCRIMINATOR_INLINE: Rule = Rule {
    id: "discriminator-inline-alternative",
    verdict: Verdict::Error,
    what: "An alternative of a discriminator is defined inline.",
    why: "Discriminators choose by the names of schemas (OpenAPI 3.0.3, Discriminator Object); this one has none and is \
          never chosen. Move it to `components/schemas`.",
};
pub(super) const DISCRIMINATOR_MAPPING: Rule = Rule {
    id: "discriminator-mapping-undefined",
    verdict: Verdict::Error,
    what: "The mapping of a discriminator refers to a schema that does not exist.",
    why: "Values of that type cannot be parsed. Use the name of a schema of this document, or a reference to one.",
};

pub(super) fn check(lint: &Lint<'_>) {
    for (id, schema) in lint.tree.of(Kind::Schema) {
        if is_in_place(lint, id) && !schema["title"].is_string() {
            check_name(lint, id, schema);
        }
    }
    for (id, discriminator) in lint.tree.of(Kind::Discriminator) {
        if let (Some(property), Some(holder)) = (discriminator["propertyName"].as_str(), lint.tree.node(id).parent) {
            check_discriminator(lint, holder, property);
        }
        let mapping = discriminator["mapping"].as_object().into_iter().flatten();
        for (value, target) in mapping.filter_map(|(value, target)| Some((value, target.as_str()?))) {
            let is_elsewhere = target.contains('#') && !target.starts_with('#') || target.contains("://");
            let pointer = || lint.tree.pointer(id) + &pointer::from_tokens(["mapping", value]);
            if !is_elsewhere && !lint.broken.contains(&pointer()) && lint.reach.mapped(target).is_none() {
                let message = format!("there is no schema `{}`", short(target));
                lint.report(&DISCRIMINATOR_MAPPING, id, &["mapping", value], message);
            }
        }
    }
}

/// Whether the schema is defined inline and is a type of its own, which the parts of an `allOf` are not.
fn is_in_place(lint: &Lint<'_>, id: Id) -> bool {
    component_name(&lint.tree, id).is_none() && !["allOf", "not"].contains(&lint.tree.node(id).field)
}

fn check_name(lint: &Lint<'_>, id: Id, schema: &Value) {
    let lists = ["oneOf", "anyOf"].into_iter().filter(|list| schema[*list].is_array());
    let types = |list: &&str| schema[*list].as_array().into_iter().flatten().filter(|part| is_type(part)).count();
    if let Some(list) = lists.into_iter().find(|list| types(list) > 1) {
        lint.report(&UNION, id, &[list], format!("a union of {} types without a name", types(&list)));
        return;
    }
    let has_properties = schema["properties"].as_object().is_some_and(|properties| !properties.is_empty());
    let parts = schema["allOf"].as_array().map_or(0, Vec::len);
    if has_properties || parts > 1 {
        let inner = if has_properties { "properties" } else { "allOf" };
        lint.report(&OBJECT, id, &[inner], "an object without a name");
    }
}

/// Whether an alternative is a type of its own: neither just null nor a mere condition such as `required`.
fn is_type(part: &Value) -> bool {
    let is_null =
        part["type"] == "null" || part["enum"].as_array().is_some_and(|values| values.iter().all(Value::is_null));
    let speaks = ["$ref", "type", "properties", "enum", "allOf", "anyOf", "oneOf", "additionalProperties", "items"];
    !is_null && speaks.iter().any(|keyword| part.get(keyword).is_some())
}

fn check_discriminator(lint: &Lint<'_>, holder: Id, property: &str) {
    let alternatives: Vec<Id> = lint.tree.field(holder, "oneOf").chain(lint.tree.field(holder, "anyOf")).collect();
    if alternatives.is_empty() {
        check_alternative(lint, holder, &["discriminator", "propertyName"], property);
    }
    for id in alternatives {
        if lint.tree.node(id).reference.is_some() {
            check_alternative(lint, id, &[], property);
        } else {
            lint.report(
                &DISCRIMINATOR_INLINE,
                id,
                &[],
                format!("the alternative has no name for `{}`", short(property)),
            );
        }
    }
}

fn check_alternative(lint: &Lint<'_>, id: Id, inner: &[&str], property: &str) {
    let node = lint.tree.node(id);
    let name = match (node.reference, node.key) {
        (Some(reference), _) => pointer::last_token(reference),
        (None, Key::Name(name)) => name.to_owned(),
        _ => "the schema".to_owned(),
    };
    let (name, property) = (short(&name), short(property));
    if !properties(lint.document, node.value).contains_key(property.as_str()) {
        lint.report(&DISCRIMINATOR_MISSING, id, inner, format!("`{name}` has no property `{property}`"));
    } else if !requires(lint, node.value, &property, &mut HashSet::new()) {
        lint.report(&DISCRIMINATOR_OPTIONAL, id, inner, format!("`{name}` does not require `{property}`"));
    }
}

/// Whether the schema, a schema that it extends, or each of its alternatives requires the property.
fn requires<'a>(lint: &Lint<'a>, schema: &'a Value, property: &str, seen: &mut HashSet<*const Value>) -> bool {
    let schema = lint.document.resolve(schema);
    if !seen.insert(schema) {
        return false;
    }
    let list = |keyword: &str| schema[keyword].as_array().map_or(&[][..], Vec::as_slice);
    if list("required").iter().any(|name| name == property) {
        return true;
    }
    let mut any = |keyword: &str| list(keyword).iter().any(|part| requires(lint, part, property, seen));
    if any("allOf") {
        return true;
    }
    let mut all = |keyword: &str| {
        let parts = list(keyword);
        !parts.is_empty() && parts.iter().all(|part| requires(lint, part, property, seen))
    };
    all("oneOf") || all("anyOf")
}
