//! Documents that only one side of a comparison of several documents has.

use countersign_contract_document::{Position, SourceSpan};
use countersign_contract_finding::{Finding, Operations, Rule, Side, Verdict};

/// A document without an old version.
pub static DOCUMENT_ADDED: Rule = Rule {
    id: "document-added",
    verdict: Verdict::Compatible,
    what: "A document was added to those that are compared.",
    why: "No client knows it yet.",
};
/// A document without a new version.
pub static DOCUMENT_REMOVED: Rule = Rule {
    id: "document-removed",
    verdict: Verdict::Breaking,
    what: "A document was removed from those that are compared, or has another path.",
    why: "Clients of its operations stop working, unless another document has them now. To compare a document that was moved, name \
          both files.",
};
/// The rules about whole documents.
pub static RULES: [&Rule; 2] = [&DOCUMENT_ADDED, &DOCUMENT_REMOVED];

/// The finding about a document that was added. `path` is what documents are matched by, and `name` how messages call it.
#[must_use]
pub fn added(path: &str, name: &str) -> Finding {
    Finding { new: Some(side(name)), ..finding(&DOCUMENT_ADDED, path, name, "the document was added") }
}

/// The finding about a document that was removed.
#[must_use]
pub fn removed(path: &str, name: &str) -> Finding {
    Finding { old: Some(side(name)), ..finding(&DOCUMENT_REMOVED, path, name, "the document was removed") }
}

fn finding(rule: &'static Rule, path: &str, name: &str, message: &str) -> Finding {
    Finding {
        rule,
        verdict: rule.verdict,
        operations: Operations::default(),
        place: path.to_owned(),
        message: message.to_owned(),
        span: span(name),
        old: None,
        new: None,
        example: None,
        request: None,
    }
}

fn side(name: &str) -> Side {
    Side { span: span(name), pointer: String::new(), value: None }
}

fn span(name: &str) -> SourceSpan {
    SourceSpan { document: name.to_owned(), position: Position::default() }
}
