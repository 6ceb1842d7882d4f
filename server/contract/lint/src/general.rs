//! The document as a whole: its version, servers, tags, and links between operations.

use super::Lint;
use super::words::{nearest, short};
use countersign_contract_document::grammar::Kind;
use countersign_contract_document::tree::{Id, Key};
use countersign_contract_finding::{Rule, Verdict};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

pub(super) const VERSION: Rule = Rule {
    id: "info-version-not-semver",
    verdict: Verdict::Warning,
    what: "`info.version` is not a semantic version.",
    why: "Users cannot see from the version whether an update breaks clients. Write `MAJOR.MINOR.PATCH`.",
};
pub(super) const SERVER_MISSING: Rule = Rule {
    id: "server-missing",
    verdict: Verdict::Warning,
    what: "The document has no server.",
    why: "Clients then use `/` on the host that they got the document from. Add `servers`, at least with a path.",
};
pub(super) const SERVER_VARIABLE: Rule = Rule {
    id: "server-variable-undefined",
    verdict: Verdict::Error,
    what: "The URL of a server has a variable that is not defined, or whose default is not one of its values.",
    why: "Clients cannot build the URL. Define the variable under `variables`, with a default from its `enum`.",
};
pub(super) const TAG_UNDECLARED: Rule = Rule {
    id: "tag-undeclared",
    verdict: Verdict::Warning,
    what: "An operation has a tag that the document does not declare.",
    why: "The tag has no description and no defined order; often it is a typo, for which generators create a separate class. \
          Add it to `tags`.",
};
pub(super) const TAG_DUPLICATE: Rule = Rule {
    id: "tag-duplicate",
    verdict: Verdict::Error,
    what: "A tag is declared or assigned twice.",
    why: "Names of tags are unique (OpenAPI 3.0.3, Tag Object). Remove one of the two.",
};
pub(super) const TAG_PARENT: Rule = Rule {
    id: "tag-parent-undefined",
    verdict: Verdict::Error,
    what: "The parent of a tag is not declared, or is the tag itself, directly or through others.",
    why: "Documentation cannot show the tag in its place (OpenAPI 3.2, Tag Object). Declare the parent, or end the circle.",
};
pub(super) const DIALECT: Rule = Rule {
    id: "schema-dialect-unknown",
    verdict: Verdict::Warning,
    what: "The schemas are written in another dialect than that of OpenAPI or JSON Schema 2020-12.",
    why: "This tool and most others read schemas as JSON Schema 2020-12; keywords of the dialect may mean something else.",
};
pub(super) const LINK: Rule = Rule {
    id: "link-operation-undefined",
    verdict: Verdict::Error,
    what: "A link refers to an operation that does not exist.",
    why: "Clients cannot follow it. Use an `operationId` of this document.",
};

pub(super) fn check(lint: &Lint<'_>) {
    check_info(lint);
    check_servers(lint);
    check_tags(lint);
    check_dialect(lint);
    check_links(lint);
}

fn check_info(lint: &Lint<'_>) {
    for (id, info) in lint.tree.of(Kind::Info) {
        if let Some(version) = info["version"].as_str().filter(|version| semver::Version::parse(version).is_err()) {
            lint.report(&VERSION, id, &["version"], format!("`{}` is not a semantic version", short(version)));
        }
    }
}

fn check_servers(lint: &Lint<'_>) {
    if lint.tree.field(0, "servers").next().is_none() {
        let key: &[&str] = if lint.document.value().get("servers").is_some() { &["servers"] } else { &[] };
        lint.report(&SERVER_MISSING, 0, key, "the document has no server");
    }
    for (id, server) in lint.tree.of(Kind::Server) {
        let defined = &server["variables"];
        for name in variables(server["url"].as_str().unwrap_or_default()) {
            if defined.get(name).is_none() {
                let message = format!("the variable `{}` is not defined", short(name));
                lint.report(&SERVER_VARIABLE, id, &["url"], message);
            }
        }
    }
    for (id, variable) in lint.tree.of(Kind::ServerVariable) {
        let values = variable["enum"].as_array();
        if let (Some(values), Some(default)) = (values, variable["default"].as_str())
            && !values.iter().any(|value| value == default)
        {
            let message = format!("the default `{}` is not one of the values", short(default));
            lint.report(&SERVER_VARIABLE, id, &["default"], message);
        }
    }
}

fn variables(url: &str) -> impl Iterator<Item = &str> {
    url.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

fn check_tags(lint: &Lint<'_>) {
    let mut declared = HashSet::new();
    for id in lint.tree.field(0, "tags") {
        let Some(name) = lint.tree.node(id).value["name"].as_str() else { continue };
        if !declared.insert(name) {
            lint.report(&TAG_DUPLICATE, id, &["name"], format!("`{}` is declared twice", short(name)));
        }
    }
    check_parents(lint);
    let mut undeclared: BTreeMap<&str, Vec<(Id, usize)>> = BTreeMap::new();
    for id in lint.reach.in_order() {
        let tags = lint.tree.node(id).value["tags"].as_array().into_iter().flatten().enumerate();
        let mut given = HashSet::new();
        for (index, tag) in tags.filter_map(|(index, tag)| Some((index, tag.as_str()?))) {
            if !given.insert(tag) {
                let message = format!("the operation has `{}` twice", short(tag));
                lint.report(&TAG_DUPLICATE, id, &["tags", &index.to_string()], message);
            } else if !declared.contains(tag) {
                undeclared.entry(tag).or_default().push((id, index));
            }
        }
    }
    for (tag, uses) in undeclared {
        let hint = nearest(tag, declared.iter().copied()).map(|name| format!(", did you mean `{name}`?"));
        let message = format!("the tag `{}` is not declared{}", short(tag), hint.unwrap_or_default());
        let operations = uses.iter().flat_map(|(id, _)| lint.operations(*id).to_vec()).collect();
        let (first, index) = uses[0];
        lint.report_for(&TAG_UNDECLARED, first, &["tags", &index.to_string()], message, operations);
    }
}

fn check_parents(lint: &Lint<'_>) {
    let text = |id: Id, key: &str| lint.tree.node(id).value[key].as_str();
    let parents: BTreeMap<&str, Option<&str>> =
        lint.tree.field(0, "tags").filter_map(|id| Some((text(id, "name")?, text(id, "parent")))).collect();
    for id in lint.tree.field(0, "tags") {
        let (Some(name), Some(parent)) = (text(id, "name"), text(id, "parent")) else { continue };
        let mut above = Some(parent);
        let mut steps = 0;
        while let Some(next) = above.filter(|next| *next != name && steps <= parents.len()) {
            above = parents.get(next).copied().flatten();
            steps += 1;
        }
        let problem = match () {
            () if !parents.contains_key(parent) => format!("the tag `{}` is not declared", short(parent)),
            () if above == Some(name) => format!("`{}` is above itself", short(name)),
            () => continue,
        };
        lint.report(&TAG_PARENT, id, &["parent"], problem);
    }
}

/// Checks that schemas are in a dialect that this crate reads.
fn check_dialect(lint: &Lint<'_>) {
    let is_known = |dialect: &str| {
        let dialect = dialect.trim_end_matches('#');
        dialect == "https://json-schema.org/draft/2020-12/schema"
            || dialect.starts_with("https://spec.openapis.org/oas/3.")
    };
    let of_document =
        lint.document.value()["jsonSchemaDialect"].as_str().map(|dialect| (0, "jsonSchemaDialect", dialect));
    let of_schemas =
        lint.tree.of(Kind::Schema).filter_map(|(id, schema)| Some((id, "$schema", schema["$schema"].as_str()?)));
    for (id, key, dialect) in of_document.into_iter().chain(of_schemas).filter(|(.., dialect)| !is_known(dialect)) {
        lint.report(&DIALECT, id, &[key], format!("`{}` is not a dialect that this tool reads", short(dialect)));
    }
}

fn check_links(lint: &Lint<'_>) {
    let ids: HashSet<&str> = lint.tree.of(Kind::Operation).filter_map(|(_, it)| it["operationId"].as_str()).collect();
    for (id, link) in lint.tree.of(Kind::Link) {
        match (&link["operationId"], &link["operationRef"]) {
            (Value::String(name), Value::Null) if !ids.contains(name.as_str()) => {
                let hint = nearest(name, ids.iter().copied()).map(|name| format!(", did you mean `{name}`?"));
                let message = format!("there is no operation `{}`{}", short(name), hint.unwrap_or_default());
                lint.report(&LINK, id, &["operationId"], message);
            }
            (Value::Null, Value::String(reference)) => {
                let is_broken =
                    reference.strip_prefix('#').is_some_and(|pointer| lint.document.value().pointer(pointer).is_none());
                if is_broken {
                    let message = format!("`{}` cannot be resolved", short(reference));
                    lint.report(&LINK, id, &["operationRef"], message);
                }
            }
            (Value::Null, Value::Null) => {
                let name = match lint.tree.node(id).key {
                    Key::Name(name) => format!("`{}`", short(name)),
                    _ => "it".to_owned(),
                };
                let message = format!("{name} has neither `operationId` nor `operationRef`");
                lint.report(&LINK, id, &[], message);
            }
            _ => {}
        }
    }
}
