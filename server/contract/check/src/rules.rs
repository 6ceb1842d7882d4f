//! Rules for running servers, with their texts for users.

use countersign_contract_finding::{Rule, Verdict};

macro_rules! rules {
    ($($id:literal $verdict:ident $what:literal $why:literal;)*) => {
        &[$(Rule { id: $id, verdict: Verdict::$verdict, what: $what, why: $why }),*]
    };
}

/// All rules for responses, and for the requests of others.
pub const RULES: &[Rule] = rules! {
    "status-undocumented" Error "The response has a status that the operation does not document."
        "Generated clients have no type for it and fail. Document it, or return a documented one.";
    "content-type-missing" Error "The response has a body and no `Content-Type`."
        "Clients need it to parse the body.";
    "content-type-undocumented" Error "The response has a media type that is not documented for its status."
        "Generated clients cannot parse it.";
    "body-missing" Error "The response has no body where one is documented."
        "Generated clients try to parse one and fail.";
    "body-unexpected" Error "The response has a body where none is documented."
        "Clients ignore it. Document or remove it.";
    "body-not-json" Error "The body has a JSON media type but is not JSON."
        "No client can parse it.";
    "body-too-long" Warning "The body of a response has more than 16 MiB."
        "It was not validated. Clients that read it into memory may fail: add pagination or limits.";
    "body-schema" Error "The body does not fit its schema."
        "Generated clients fail to parse it or misread it.";
    "property-undocumented" Error "The body has a property that the schema does not name."
        "Clients may come to rely on it although it is not part of the contract. Document or remove it.";
    "header-missing" Error "A required header is missing."
        "Clients rely on it.";
    "header-undocumented" Error "The response has an undocumented header that is not a standard one."
        "Clients may come to rely on it although it is not part of the contract. Document or remove it.";
    "header-schema" Error "A header's value does not fit its schema."
        "Generated clients fail to parse it or misread it.";
    "schema-unusable" Error "A schema of the document cannot be used to validate anything."
        "Responses that it describes cannot be validated. Fix the schema.";
    "server-error" Error "The server failed (5xx)."
        "No request should cause a server error, whatever it contains. If the server was overloaded, send fewer requests.";
    "nothing-succeeded" Warning "No request succeeded."
        "Failures alone prove little. The URL may be wrong (it must include the base path of the document's first server), \
         credentials may be missing (`--header`), or a rate limit may reject the requests.";
    "operation-undocumented" Warning "A recorded request with a JSON response is of no operation of the document."
        "Clients use what the document does not have. Document it, or let them stop.";
    "request-parameter-missing" Error "A recorded request lacks a required parameter, and the server did not reject it."
        "The document is stricter than the server, or the server lacks a check.";
    "request-parameter-schema" Error "A parameter of a recorded request does not fit its schema, and the server did not reject it."
        "The document is stricter than the server, or the server lacks a check.";
    "request-parameter-undocumented" Warning "A recorded request has a query parameter that is not documented, and the server did not reject it."
        "The server ignores it, or clients use what the document does not have. Document it, or let them stop.";
    "request-body-missing" Error "A recorded request lacks the required body, and the server did not reject it."
        "The document is stricter than the server, or the server lacks a check.";
    "request-body-unexpected" Warning "A recorded request has a body where none is documented, and the server did not reject it."
        "The server ignores it, or clients use what the document does not have. Document it, or let them stop.";
    "request-content-type-undocumented" Error "The body of a recorded request has a media type that is not documented, and the server did not reject it."
        "The document is stricter than the server, or the server lacks a check.";
    "request-body-not-json" Error "The body of a recorded request has a JSON media type but is not JSON, and the server did not reject it."
        "The document is stricter than the server, or the server lacks a check.";
    "request-body-schema" Error "The body of a recorded request does not fit its schema, and the server did not reject it."
        "The document is stricter than the server, or the server lacks a check.";
    "request-property-undocumented" Warning "The body of a recorded request has a property that the schema does not name, and the server did not reject it."
        "The server ignores it, or clients use what the document does not have. Document it, or let them stop.";
    "operations-recorded" Documentation "These operations are in the recording."
        "Their recorded responses were validated.";
    "operations-not-recorded" Documentation "These operations are not in the recording."
        "Nothing is known about their responses. Record more, or let `check` send requests.";
    "no-answer" Error "The server did not respond."
        "It may be down, slower than the timeout, or close the connection on this request: a second one was sent on a new connection.";
    "forbidden-request-accepted" Error "A request that the document forbids succeeded."
        "The document is stricter than the server: either it forbids valid requests, or the server lacks a check.";
    "credentials-not-needed" Error "An operation that requires credentials succeeded without any."
        "Anyone can call it.";
};

/// Fallback for a missing rule, which a test rules out.
pub(super) const UNKNOWN: Rule = Rule {
    id: "unknown",
    verdict: Verdict::Error,
    what: "An unknown rule was violated.",
    why: "The rule has no description.",
};

/// The rule with this id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_rule_of_validation_is_explained() {
        for id in countersign_contract_validate::RULES.into_iter().chain(countersign_contract_validate::REQUEST_RULES) {
            assert!(super::rule(id).is_some(), "{id}");
        }
    }
}
