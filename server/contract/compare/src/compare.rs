//! Compares the contract with the code, operation by operation.
//!
//! The whole canonical form is compared in both directions: what only the contract has, and what only the code has. The
//! only differences that are ignored are those of [`crate::tolerance`].

use crate::canonical::{CanonicalBody, CanonicalOperation, CanonicalParameter, CanonicalResponse, Key, canonical};
use crate::compare_schema::mismatches;
use crate::difference::Difference;
use crate::replies::expand;
use crate::tolerance::Presence;
use countersign_contract_document::Document;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Every difference between the contract and what the code publishes, by path and method. Empty if they agree.
///
/// `base_path` is prepended to the contract's paths; those of the code are complete. The code's document is expanded first
/// (`replies::expand`); if that fails, the error is the only difference.
#[must_use]
pub fn compare(contract: &Document, code: &Document, base_path: &str) -> Vec<Difference> {
    let code = match expand(code) {
        Ok(code) => code,
        Err(error) => {
            return vec![Difference {
                document: contract.name().to_owned(),
                operation: "every operation".to_owned(),
                place: Vec::new(),
                contract: Some("cannot be compared".to_owned()),
                code: Some(format!("generates an invalid document: {}", error.on_one_line())),
                hint: None,
            }];
        }
    };
    let (contract_operations, code_operations) = (canonical(contract, base_path), canonical(&code, ""));
    let mut found = Vec::new();
    for key in union(contract_operations.keys(), code_operations.keys()) {
        let (wanted, printed) = (contract_operations.get(key), code_operations.get(key));
        let operation_id = wanted.or(printed).and_then(|operation| operation.operation_id.as_deref());
        let operation = format!("{key} ({})", operation_id.unwrap_or("no operationId"));
        let mut report = Report { document: contract.name(), operation, found: &mut found };
        match (wanted, printed) {
            (Some(wanted), Some(printed)) => report.operation(wanted, printed),
            (Some(wanted), None) => {
                let hint = elsewhere(key, wanted, &code_operations, "the code");
                report.hinted(Some("has this operation"), None, hint);
            }
            (None, Some(printed)) => {
                let hint = elsewhere(key, printed, &contract_operations, "the contract");
                report.hinted(None, Some("has this operation"), hint);
            }
            (None, None) => {}
        }
    }
    found
}

fn union<'a, T: Ord>(one: impl Iterator<Item = &'a T>, other: impl Iterator<Item = &'a T>) -> BTreeSet<&'a T> {
    one.chain(other).collect()
}

/// A hint at a similar operation on the side that lacks one.
fn elsewhere(
    key: &Key,
    operation: &CanonicalOperation,
    others: &BTreeMap<Key, CanonicalOperation>,
    side: &str,
) -> Option<String> {
    let same_name =
        others.iter().find(|(_, other)| other.operation_id.is_some() && other.operation_id == operation.operation_id);
    if let Some((other, _)) = same_name {
        return Some(format!("{side} has an operation of this name at {other}"));
    }
    let methods: Vec<_> = others.keys().filter(|other| other.path == key.path).map(|key| key.method.as_str()).collect();
    (!methods.is_empty()).then(|| format!("{side} has {} on this path", methods.join(" and ")))
}

/// Collects the differences of one operation.
struct Report<'a> {
    document: &'a str,
    operation: String,
    found: &'a mut Vec<Difference>,
}

impl Report<'_> {
    fn push(&mut self, place: &[&str], contract: Option<&str>, code: Option<&str>) {
        let place = place.iter().map(|&part| part.to_owned()).collect();
        self.place(place, contract.map(str::to_owned), code.map(str::to_owned));
    }

    fn place(&mut self, place: Vec<String>, contract: Option<String>, code: Option<String>) {
        let (document, operation) = (self.document.to_owned(), self.operation.clone());
        self.found.push(Difference { document, operation, place, contract, code, hint: None });
    }

    fn hinted(&mut self, contract: Option<&str>, code: Option<&str>, hint: Option<String>) {
        self.push(&[], contract, code);
        if let Some(last) = self.found.last_mut() {
            last.hint = hint;
        }
    }

    /// Reports something that only one side has.
    fn one_sided(&mut self, place: &[&str], words: &str, in_contract: bool, in_code: bool) {
        if in_contract != in_code {
            self.push(place, in_contract.then_some(words), in_code.then_some(words));
        }
    }

    fn operation(&mut self, contract: &CanonicalOperation, code: &CanonicalOperation) {
        if contract.operation_id != code.operation_id {
            let says = |id: &Option<String>| id.as_ref().map(|id| format!("says `{id}`"));
            self.place(vec!["operationId".to_owned()], says(&contract.operation_id), says(&code.operation_id));
        }
        for tag in union(contract.tags.iter(), code.tags.iter()) {
            let words = format!("has the tag `{tag}`");
            self.one_sided(&["tags"], &words, contract.tags.contains(tag), code.tags.contains(tag));
        }
        for name in union(contract.parameters.keys(), code.parameters.keys()) {
            self.parameter(name, contract.parameters.get(name), code.parameters.get(name));
        }
        match (&contract.body, &code.body) {
            (Some(contract), Some(code)) => self.body(contract, code),
            (contract, code) => {
                self.one_sided(&["request body"], "takes a request body", contract.is_some(), code.is_some());
            }
        }
        for status in union(contract.responses.keys(), code.responses.keys()) {
            match (contract.responses.get(status), code.responses.get(status)) {
                (Some(contract), Some(code)) => self.response(status, contract, code),
                (contract, code) => {
                    let place = ["responses", status];
                    self.one_sided(&place, "documents this status", contract.is_some(), code.is_some());
                }
            }
        }
    }

    fn parameter(&mut self, name: &str, contract: Option<&CanonicalParameter>, code: Option<&CanonicalParameter>) {
        let place = ["parameters", name];
        let (Some(contract), Some(code)) = (contract, code) else {
            return self.one_sided(&place, "has this parameter", contract.is_some(), code.is_some());
        };
        self.one_sided(&place, "requires it", contract.is_required, code.is_required);
        let is_required = contract.is_required || code.is_required;
        let presence = if is_required { Presence::Required } else { Presence::Optional };
        self.schema(&place, &contract.schema, &code.schema, presence);
    }

    fn body(&mut self, contract: &CanonicalBody, code: &CanonicalBody) {
        self.one_sided(&["request body"], "requires it", contract.is_required, code.is_required);
        self.content(&["request body"], "accepts this media type", &contract.content, &code.content);
    }

    fn response(&mut self, status: &str, contract: &CanonicalResponse, code: &CanonicalResponse) {
        let place = ["responses", status];
        self.content(&place, "responds with this media type", &contract.content, &code.content);
        for name in union(contract.headers.iter(), code.headers.iter()) {
            let place = ["responses", status, "headers", name];
            let (in_contract, in_code) = (contract.headers.contains(name), code.headers.contains(name));
            self.one_sided(&place, "documents this header", in_contract, in_code);
        }
    }

    fn content(
        &mut self,
        place: &[&str],
        words: &str,
        contract: &BTreeMap<String, Value>,
        code: &BTreeMap<String, Value>,
    ) {
        for media_type in union(contract.keys(), code.keys()) {
            let place: Vec<&str> = place.iter().copied().chain([media_type.as_str()]).collect();
            match (contract.get(media_type), code.get(media_type)) {
                (Some(contract), Some(code)) => self.schema(&place, contract, code, Presence::Required),
                (contract, code) => self.one_sided(&place, words, contract.is_some(), code.is_some()),
            }
        }
    }

    fn schema(&mut self, place: &[&str], contract: &Value, code: &Value, presence: Presence) {
        for mismatch in mismatches(contract, code, presence) {
            let place = place.iter().map(|&part| part.to_owned()).chain(mismatch.place).collect();
            self.place(place, mismatch.contract, mismatch.code);
        }
    }
}
