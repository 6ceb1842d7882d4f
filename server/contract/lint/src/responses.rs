//! Responses and bodies: statuses, descriptions, media types.

use super::Lint;
use super::words::short;
use countersign_contract_document::grammar::Kind;
use countersign_contract_document::tree::{Id, Key};
use countersign_contract_finding::{Rule, Verdict};

pub(super) const MISSING: Rule = Rule {
    id: "responses-missing",
    verdict: Verdict::Error,
    what: "An operation documents no response.",
    why: "OpenAPI requires at least one (Responses Object), and clients do not know what is returned.",
};
pub(super) const SUCCESS_MISSING: Rule = Rule {
    id: "success-missing",
    verdict: Verdict::Warning,
    what: "An operation documents no success status.",
    why: "Generated clients return nothing on success. Document a status from 200 to 399.",
};
pub(super) const STATUS: Rule = Rule {
    id: "response-status-invalid",
    verdict: Verdict::Error,
    what: "A response has a key that is not a status, a range such as `4XX`, or `default`.",
    why: "Tools ignore it or reject the document. Statuses have three digits and begin with 1 to 5.",
};
pub(super) const DESCRIPTION: Rule = Rule {
    id: "response-description-missing",
    verdict: Verdict::Error,
    what: "A response has no description.",
    why: "OpenAPI requires one (Response Object). Describe when it is sent.",
};
pub(super) const SUCCESS_WITHOUT_SCHEMA: Rule = Rule {
    id: "success-without-schema",
    verdict: Verdict::Warning,
    what: "A success has a media type without a schema.",
    why: "Generated clients return an untyped value. Add a schema to the media type, or remove `content` if there is no body.",
};
pub(super) const ERROR_WITHOUT_SCHEMA: Rule = Rule {
    id: "error-without-schema",
    verdict: Verdict::Warning,
    what: "An error has a media type without a schema.",
    why: "Clients cannot read the error. Add a schema to the media type, or remove `content` if there is no body.",
};
pub(super) const REQUEST_WITHOUT_SCHEMA: Rule = Rule {
    id: "request-without-schema",
    verdict: Verdict::Warning,
    what: "A request body has a media type without a schema, or no media type.",
    why: "Generated clients accept anything, and callers do not know what to send. Add a schema to the media type.",
};
pub(super) const MEDIA_TYPE: Rule = Rule {
    id: "media-type-invalid",
    verdict: Verdict::Error,
    what: "A key of `content` is not a media type.",
    why: "No `Accept` or `Content-Type` header matches it. Media types have a type and a subtype: `application/json`.",
};

pub(super) fn check(lint: &Lint<'_>) {
    for (id, operation) in lint.tree.of(Kind::Operation) {
        let statuses = operation["responses"].as_object().into_iter().flatten();
        let statuses: Vec<&str> =
            statuses.map(|(status, _)| status.as_str()).filter(|key| !key.starts_with("x-")).collect();
        if statuses.is_empty() {
            let inner: &[&str] = if operation.get("responses").is_some() { &["responses"] } else { &[] };
            lint.report(&MISSING, id, inner, "it has no response");
        } else if !statuses.iter().any(|status| status.starts_with(['1', '2', '3']) || *status == "default") {
            lint.report(&SUCCESS_MISSING, id, &["responses"], "it has no success");
        }
    }
    for (id, _) in lint.tree.of(Kind::Responses) {
        lint.tree.children(id).for_each(|response| check_status(lint, response));
    }
    for (id, response) in lint.tree.of(Kind::Response) {
        if !response["description"].is_string() {
            lint.report(&DESCRIPTION, id, &[], "it has no description");
        }
    }
    for (id, body) in lint.tree.of(Kind::Body) {
        if body["content"].as_object().is_some_and(serde_json::Map::is_empty) {
            lint.report(&REQUEST_WITHOUT_SCHEMA, id, &["content"], "it has no media type");
        }
        check_content(lint, id, &REQUEST_WITHOUT_SCHEMA);
    }
    for (id, _) in lint.tree.of(Kind::MediaType) {
        if let Key::Name(name) = lint.tree.node(id).key
            && !is_media_type(name)
        {
            lint.report(&MEDIA_TYPE, id, &[], format!("`{}` is not a media type", short(name)));
        }
    }
}

fn check_status(lint: &Lint<'_>, response: Id) {
    let node = lint.tree.node(response);
    let status = match node.key {
        Key::Name(status) => status,
        _ => "default",
    };
    let is_known = match status.as_bytes() {
        [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9'] | [b'1'..=b'5', b'X', b'X'] => true,
        _ => status == "default",
    };
    if !is_known {
        lint.report(&STATUS, response, &[], format!("`{}` is not a status", short(status)));
    }
    let rule = if status.starts_with(['4', '5']) || status == "default" {
        &ERROR_WITHOUT_SCHEMA
    } else {
        &SUCCESS_WITHOUT_SCHEMA
    };
    let written = match node.reference {
        None => Some(response),
        Some(reference) => lint.reach.component(reference).filter(|id| lint.tree.node(*id).kind == Kind::Response),
    };
    if let Some(written) = written {
        check_content(lint, written, rule);
    }
}

/// Checks media types with structured content for a schema.
fn check_content(lint: &Lint<'_>, holder: Id, rule: &'static Rule) {
    for id in lint.tree.field(holder, "content") {
        let node = lint.tree.node(id);
        let Key::Name(name) = node.key else { continue };
        if node.value.get("schema").is_none() && has_structure(name) {
            lint.report(rule, id, &[], format!("`{}` has no schema", short(name)));
        }
    }
}

fn has_structure(media_type: &str) -> bool {
    let name = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (kind, subtype) = name.split_once('/').unwrap_or_default();
    kind == "multipart"
        || ["json", "xml", "x-www-form-urlencoded"].contains(&subtype)
        || subtype.ends_with("+json")
        || subtype.ends_with("+xml")
}

/// Type and subtype of RFC 9110 or ranges of them, with or without parameters.
fn is_media_type(name: &str) -> bool {
    let name = name.split(';').next().unwrap_or_default().trim();
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    name.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}
