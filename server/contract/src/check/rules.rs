//! The rules that a running server is held to.

use crate::finding::{Rule, Verdict};

macro_rules! rules {
    ($($id:literal $verdict:ident $what:literal $why:literal;)*) => {
        &[$(Rule { id: $id, verdict: Verdict::$verdict, what: $what, why: $why }),*]
    };
}

/// Every rule about responses.
pub const RULES: &[Rule] = rules! {
    "status-undocumented" Error "The response has a status that the operation does not document."
        "Generated clients have no type for it and throw. Document it, or return a documented one.";
    "content-type-missing" Error "The response has a body and does not say of which media type, or lacks the body's label."
        "Clients decide by it how to read the body.";
    "content-type-undocumented" Error "The response has a media type that is not documented for its status."
        "Generated clients do not read it.";
    "body-missing" Error "The response has no body where one is documented."
        "Generated clients try to read one.";
    "body-unexpected" Error "The response has a body where none is documented."
        "Nobody reads it; document it or leave it out.";
    "body-not-json" Error "The body is labelled as JSON and is none."
        "No client can read it.";
    "body-schema" Error "The body does not fit its schema."
        "Generated clients fail to read it, or read it wrong.";
    "property-undocumented" Error "The body has a property that the schema does not name."
        "It is a promise that nobody made: somebody will rely on it. Document it, or leave it out.";
    "header-missing" Error "A header that every such response has is missing."
        "Clients rely on it.";
    "header-undocumented" Error "The response has a header that means something and is not documented."
        "It is a promise that nobody made: somebody will rely on it. Document it, or leave it out.";
    "header-schema" Error "A header's value does not fit its schema."
        "Generated clients fail to read it, or read it wrong.";
    "schema-unusable" Error "A schema of the document cannot be used to validate anything."
        "Nothing can be said about responses that it describes. Mend the schema.";
    "server-error" Error "The server failed (5xx)."
        "No request should make a server fail, whatever is in it. If it was overloaded, try again with less.";
    "nothing-succeeded" Warning "No operation answered any request with success."
        "Refusals alone say little. The address may be the wrong one (it takes the base path of the document's first server), \
         credentials may be missing (`--header`), or a limit of the server may be in the way.";
    "no-answer" Error "The server did not answer."
        "It may be gone, or too slow for the time-out.";
    "forbidden-request-accepted" Error "A request that the document forbids succeeded."
        "The document is stricter than the server: clients are kept from what works, or a check is missing in the server.";
    "credentials-not-needed" Error "An operation that asks for credentials succeeded without any."
        "Anybody can call it.";
};

/// For a rule that is not in the list, which a test rules out.
pub(super) const UNKNOWN: Rule =
    Rule { id: "unknown", verdict: Verdict::Error, what: "Something is wrong.", why: "There is no more to say." };

/// The rule of that name.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    #[test]
    fn whatever_the_judge_says_is_explained() {
        for id in crate::validate::RULES {
            assert!(super::rule(id).is_some(), "{id}");
        }
    }
}
