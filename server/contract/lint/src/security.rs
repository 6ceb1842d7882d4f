//! Security: requirements, schemes and scopes.

use super::Lint;
use super::fields;
use super::reach::component_name;
use super::words::{nearest, short};
use countersign_contract_document::grammar::Kind;
use countersign_contract_document::tree::Id;
use countersign_contract_finding::{Rule, Verdict};
use serde_json::Value;
use std::collections::HashSet;

pub(super) const MISSING: Rule = Rule {
    id: "security-missing",
    verdict: Verdict::Warning,
    what: "Neither an operation nor the document has `security`.",
    why: "Readers cannot distinguish a public operation from an oversight. Add `security`, or `security: []` for a public operation.",
};
pub(super) const UNDEFINED: Rule = Rule {
    id: "security-scheme-undefined",
    verdict: Verdict::Error,
    what: "`security` refers to a scheme that the document does not define.",
    why: "Generated clients send no credentials. Define it under `components/securitySchemes`.",
};
pub(super) const UNUSED: Rule = Rule {
    id: "security-scheme-unused",
    verdict: Verdict::Warning,
    what: "A security scheme is defined but not used by any operation.",
    why: "Clients are asked for credentials that no operation accepts, or an operation lacks the requirement. Use it or remove it.",
};
pub(super) const SCOPE: Rule = Rule {
    id: "scope-undefined",
    verdict: Verdict::Error,
    what: "`security` requires a scope that its scheme does not define.",
    why: "No token can have the scope. Define it in the scheme's flows; schemes other than OAuth and OpenID Connect have no \
          scopes (OpenAPI 3.0.3, Security Requirement Object).",
};

pub(super) fn check(lint: &Lint<'_>) {
    let schemes = &lint.document.value()["components"]["securitySchemes"];
    if lint.document.value().get("security").is_none() {
        check_operations(lint);
    }
    let mut used = HashSet::new();
    for (id, requirement) in lint.tree.of(Kind::Requirement) {
        for (name, scopes) in requirement.as_object().into_iter().flatten() {
            used.insert(name.as_str());
            match schemes.get(name) {
                None => {
                    let known = schemes.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
                    let hint = nearest(name, known).map(|name| format!(", did you mean `{name}`?"));
                    let message = format!("`{}` is not defined{}", short(name), hint.unwrap_or_default());
                    lint.report(&UNDEFINED, id, &[name], message);
                }
                Some(scheme) => check_scopes(lint, id, name, scopes, lint.document.resolve(scheme)),
            }
        }
    }
    for (id, scheme) in lint.tree.of(Kind::SecurityScheme) {
        check_fields(lint, id, scheme);
        let unused = component_name(&lint.tree, id).filter(|(_, name)| !used.contains(name));
        if let Some((_, name)) = unused {
            lint.report(&UNUSED, id, &[], format!("no operation uses `{}`", short(name)));
        }
    }
    for (id, flow) in lint.tree.of(Kind::Flow) {
        let needed: &[&str] = match lint.tree.node(id).field {
            "implicit" => &["authorizationUrl"],
            "authorizationCode" => &["authorizationUrl", "tokenUrl"],
            "deviceAuthorization" => &["deviceAuthorizationUrl", "tokenUrl"],
            _ => &["tokenUrl"],
        };
        check_needed(lint, id, flow, needed, "an OAuth flow of this kind");
    }
}

/// Checks the operations of a document without `security`. If they all lack it, that is one finding.
fn check_operations(lint: &Lint<'_>) {
    let operations = || lint.tree.of(Kind::Operation).filter(|(id, _)| lint.tree.is_operation(*id));
    let silent: Vec<Id> =
        operations().filter(|(_, operation)| operation.get("security").is_none()).map(|(id, _)| id).collect();
    if silent.len() > 1 && silent.len() == operations().count() {
        return lint.report(&MISSING, 0, &[], "neither the document nor any of its operations has `security`");
    }
    for id in silent {
        lint.report(&MISSING, id, &[], "it has no `security`, and neither has the document");
    }
}

fn check_scopes(lint: &Lint<'_>, id: Id, name: &str, scopes: &Value, scheme: &Value) {
    let scopes = scopes.as_array().into_iter().flatten().enumerate();
    for (index, scope) in scopes.filter_map(|(index, scope)| Some((index, scope.as_str()?))) {
        let kind = scheme["type"].as_str().unwrap_or_default();
        let problem = match kind {
            // The provider's discovery document defines its scopes.
            "openIdConnect" => continue,
            "oauth2" => {
                let flows = scheme["flows"].as_object().into_iter().flatten();
                let known: Vec<&str> = flows
                    .filter_map(|(_, flow)| flow["scopes"].as_object())
                    .flatten()
                    .map(|(scope, _)| scope.as_str())
                    .collect();
                if known.contains(&scope) {
                    continue;
                }
                let hint = nearest(scope, known).map(|scope| format!(", did you mean `{scope}`?"));
                format!("`{}` has no scope `{}`{}", short(name), short(scope), hint.unwrap_or_default())
            }
            _ => format!("`{}` is not a scheme with scopes, but `{}` is required", short(name), short(scope)),
        };
        lint.report(&SCOPE, id, &[name, &index.to_string()], problem);
    }
}

/// Checks the fields that a scheme needs because of its type.
fn check_fields(lint: &Lint<'_>, id: Id, scheme: &Value) {
    let (needed, noun): (&[&str], _) = match scheme["type"].as_str() {
        Some("apiKey") => (&["name", "in"], "an API key"),
        Some("http") => (&["scheme"], "a scheme of type `http`"),
        Some("oauth2") => (&["flows"], "a scheme of type `oauth2`"),
        Some("openIdConnect") => (&["openIdConnectUrl"], "a scheme of type `openIdConnect`"),
        _ => return,
    };
    check_needed(lint, id, scheme, needed, noun);
}

fn check_needed(lint: &Lint<'_>, id: Id, value: &Value, needed: &[&str], noun: &str) {
    for field in needed.iter().filter(|field| value.get(field).is_none()) {
        lint.report(&fields::MISSING, id, &[], format!("{noun} needs `{field}`"));
    }
}
