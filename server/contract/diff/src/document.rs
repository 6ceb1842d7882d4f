//! Compares the parts of a document outside of operations: info, servers, tags, named schemas, security schemes.

use super::change::ChangeSide;
use super::comparison::Comparison;
use super::{annotations, callbacks, security, servers};

use countersign_contract_document::Node;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn compare(comparison: &mut Comparison<'_>) {
    let (old, new) = (Node::at(comparison.old, ""), Node::at(comparison.new, ""));
    annotations::report_if_changed(comparison, "openapi-version-changed", "openapi", &old, &new);
    information(comparison, &old, &new);
    comparison.inside("servers", |comparison| servers::compare(comparison, &old, &new));
    tags(comparison, &old, &new);
    annotations::extensions(comparison, &old, &new);
    annotations::report_if_changed(comparison, "documentation-changed", "externalDocs", &old, &new);
    for (key, place) in [("paths", "paths"), ("components", "components")] {
        if let (Some(old), Some(new)) = (old.get(key), new.get(key)) {
            comparison.inside(place, |comparison| annotations::extensions(comparison, &old, &new));
        }
    }
    annotations::report_if_changed(comparison, "schema-dialect-changed", "jsonSchemaDialect", &old, &new);
    callbacks::webhooks(comparison, &old, &new);
    named_schemas(comparison, &old, &new);
    security::schemes(comparison);
}

fn information(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    let (Some(old), Some(new)) = (old.get("info"), new.get("info")) else { return };
    comparison.inside("info", |comparison| {
        annotations::report_if_changed(comparison, "info-version-changed", "version", &old, &new);
        for key in ["title", "description", "summary", "termsOfService", "contact", "license"] {
            annotations::report_if_changed(comparison, "documentation-changed", key, &old, &new);
        }
        annotations::extensions(comparison, &old, &new);
    });
}

fn tags(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    fn list<'d>(at: &Node<'d>) -> BTreeMap<&'d str, Node<'d>> {
        at.items_of("tags").filter_map(|tag| Some((tag.text("name")?, tag))).collect()
    }
    let (before, after) = (list(old), list(new));
    comparison.inside("tags", |comparison| {
        for (name, tag) in &before {
            match after.get(name) {
                None => {
                    comparison.report("tag-removed", format!("the tag {name} was removed"), ChangeSide::at(tag), None)
                }
                Some(other) => comparison.inside(*name, |comparison| {
                    annotations::documentation(comparison, tag, other);
                    for key in ["parent", "kind"] {
                        annotations::report_if_changed(comparison, "tag-hierarchy-changed", key, tag, other);
                    }
                    annotations::extensions(comparison, tag, other);
                }),
            }
        }
        for (name, tag) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
            comparison.report("tag-added", format!("the tag {name} was added"), None, ChangeSide::at(tag));
        }
    });
}

fn named_schemas(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    let names = |at: &Node<'_>| -> BTreeMap<String, String> {
        let schemas = at.get("components").into_iter().flat_map(|components| components.entries_of("schemas"));
        schemas.map(|(name, at)| (name.to_owned(), at.pointer)).collect()
    };
    let (before, after) = (names(old), names(new));
    // Renames are reported by `schema-renamed`.
    let (gone, come): (BTreeSet<String>, BTreeSet<String>) = comparison.renamed_schemas.iter().cloned().unzip();
    let before: BTreeMap<_, _> = before.into_iter().filter(|(name, _)| !gone.contains(name)).collect();
    let is_news = |name: &str| !before.contains_key(name) && !come.contains(name);
    comparison.inside("schemas", |comparison| {
        for (name, pointer) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
            comparison.report(
                "schema-removed",
                format!("the schema {name} was removed"),
                ChangeSide::at_pointer(pointer),
                None,
            );
        }
        for (name, pointer) in after.iter().filter(|(name, _)| is_news(name)) {
            comparison.report(
                "schema-added",
                format!("the schema {name} was added"),
                None,
                ChangeSide::at_pointer(pointer),
            );
        }
    });
}
