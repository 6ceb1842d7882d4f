//! Parameters and headers.

use super::Lint;
use super::words::short;
use countersign_contract_document::grammar::Kind;
use countersign_contract_document::tree::{Id, Key};
use countersign_contract_finding::{Rule, Verdict};
use serde_json::Value;
use std::collections::HashSet;

pub(super) const DUPLICATE: Rule = Rule {
    id: "parameter-duplicate",
    verdict: Verdict::Error,
    what: "A list of parameters has a duplicate.",
    why: "Name and location identify a parameter (OpenAPI 3.0.3, Operation Object); generated clients do not compile. Remove \
          one of the two.",
};
pub(super) const RESERVED: Rule = Rule {
    id: "header-parameter-reserved",
    verdict: Verdict::Warning,
    what: "A header is described that OpenAPI defines elsewhere: `Accept`, `Content-Type` or `Authorization`.",
    why: "The description is ignored (OpenAPI 3.0.3, Parameter Object and Response Object). Use `content` for media \
          types and `security` for credentials.",
};
pub(super) const WITHOUT_SCHEMA: Rule = Rule {
    id: "parameter-without-schema",
    verdict: Verdict::Error,
    what: "A parameter or header has neither a `schema` nor one media type as `content`, or both.",
    why: "Its type is unknown, so that generators guess or fail. Add a `schema`.",
};
pub(super) const DESCRIPTION: Rule = Rule {
    id: "parameter-description-missing",
    verdict: Verdict::Warning,
    what: "A parameter or header has no description.",
    why: "Callers have to guess what to send. Describe it in a sentence.",
};

pub(super) fn check(lint: &Lint<'_>) {
    for kind in [Kind::PathItem, Kind::Operation] {
        lint.tree.of(kind).for_each(|(id, _)| check_duplicates(lint, id));
    }
    for (id, parameter) in lint.tree.of(Kind::Parameter) {
        let name = parameter["name"].as_str().unwrap_or_default();
        let is_reserved = ["accept", "content-type", "authorization"].contains(&name.to_ascii_lowercase().as_str());
        if parameter["in"] == "header" && is_reserved {
            lint.report(&RESERVED, id, &["name"], format!("the header parameter `{name}` is ignored"));
        }
        check_described(lint, id, parameter);
    }
    for (id, header) in lint.tree.of(Kind::Header) {
        let node = lint.tree.node(id);
        let is_of_response = node.parent.is_some_and(|parent| lint.tree.node(parent).kind == Kind::Response);
        if let Key::Name(name) = node.key
            && is_of_response
            && name.eq_ignore_ascii_case("content-type")
        {
            lint.report(&RESERVED, id, &[], format!("the header `{name}` of a response is ignored"));
        }
        check_described(lint, id, header);
    }
}

fn check_described(lint: &Lint<'_>, id: Id, described: &Value) {
    let problem = match (described.get("schema"), described.get("content")) {
        (None, None) => Some("it has neither `schema` nor `content`"),
        (Some(_), Some(_)) => Some("it has both `schema` and `content`"),
        (None, Some(Value::Object(content))) if content.len() != 1 => {
            Some("its `content` needs exactly one media type")
        }
        _ => None,
    };
    if let Some(problem) = problem {
        lint.report(&WITHOUT_SCHEMA, id, &[], problem);
    }
    let words = described["description"]
        .as_str()
        .or_else(|| lint.document.resolve(&described["schema"])["description"].as_str());
    if words.is_none_or(|words| words.trim().is_empty()) {
        lint.report(&DESCRIPTION, id, &[], "it has no description");
    }
}

fn check_duplicates(lint: &Lint<'_>, holder: Id) {
    let mut seen = HashSet::new();
    for id in lint.tree.field(holder, "parameters") {
        let parameter = lint.document.resolve(lint.tree.node(id).value);
        let (Some(place), Some(name)) = (parameter["in"].as_str(), parameter["name"].as_str()) else { continue };
        let name = if place == "header" { name.to_ascii_lowercase() } else { name.to_owned() };
        let message = format!("the {} parameter `{}` is listed twice", short(place), short(&name));
        if !seen.insert((place, name)) {
            lint.report(&DUPLICATE, id, &[], message);
        }
    }
}
