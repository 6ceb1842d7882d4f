//! The file with the entries. It keeps its comments and order when entries are added.

use super::fingerprint;
use crate::settings::{self, SettingsError};
use countersign_contract_document::SourceSpan;
use countersign_contract_finding::{Finding, Side};
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;
use toml_edit::{ArrayOfTables, Datetime, DocumentMut, Item, Table, value};

/// What a new file begins with.
const HEAD: &str = "\
# Findings of `diff` and `lint` that are accepted. `--accept` adds entries; remove what is no longer wanted.
# Without `until`, an entry holds until the finding changes.
";

/// Key of the entries.
const KEY: &str = "accepted";

/// The entries of a file.
#[derive(Debug, Clone)]
pub struct Exceptions {
    name: String,
    document: DocumentMut,
    entries: Vec<Entry>,
}

/// An accepted finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// See [`fingerprint`].
    pub fingerprint: String,
    /// Id of the rule.
    pub rule: String,
    /// File name of the document.
    pub document: String,
    /// Where in the document, as human-readable text.
    pub place: String,
    /// Why the finding is accepted.
    pub reason: String,
    /// The last day on which it is accepted, as in `2027-01-31`.
    pub until: Option<String>,
    /// Position in the file with the entries.
    pub span: SourceSpan,
}

impl Entry {
    pub(super) fn is_expired(&self, today: &str) -> bool {
        self.until.as_deref().is_some_and(|until| until < today)
    }
}

/// Why findings are accepted, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// Why.
    pub reason: String,
    /// The last day, as in `2027-01-31`.
    pub until: Option<String>,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    accepted: Vec<EntryText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryText {
    fingerprint: String,
    rule: String,
    document: String,
    place: String,
    #[expect(dead_code, reason = "for readers of the file")]
    finding: String,
    reason: String,
    until: Option<Datetime>,
}

impl Exceptions {
    /// Without entries. `name` is how messages call the file.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let document = HEAD.parse().unwrap_or_default();
        Self { name: name.to_owned(), document, entries: Vec::new() }
    }

    /// Reads a file. `name` is how messages call it.
    ///
    /// # Errors
    /// [`SettingsError`] for text that is not TOML, unknown or missing keys, and values of the wrong type.
    pub fn parse(name: &str, text: &str) -> Result<Self, SettingsError> {
        let Text { accepted } = settings::read(name, text)?;
        let problem = |error: toml_edit::TomlError| settings::problem(name, text, error.span(), error.message());
        let document = toml_edit::Document::parse(text).map_err(problem)?;
        let tables = document.get(KEY).and_then(Item::as_array_of_tables);
        if tables.map_or(0, ArrayOfTables::len) != accepted.len() {
            let range = document.get(KEY).and_then(Item::span);
            return Err(settings::problem(name, text, range, "expected the entries as tables: [[accepted]]"));
        }
        let ranges: Vec<_> = tables.into_iter().flatten().map(Table::span).collect();
        let mut entries = Vec::with_capacity(accepted.len());
        for (entry, range) in accepted.into_iter().zip(ranges) {
            let until = match entry.until {
                Some(Datetime { date: Some(date), time: None, .. }) => Some(date.to_string()),
                None => None,
                Some(_) => return Err(settings::problem(name, text, range, "expected a day: until = 2027-01-31")),
            };
            let EntryText { fingerprint, rule, document, place, reason, .. } = entry;
            let span = settings::span(name, text, range);
            entries.push(Entry { fingerprint, rule, document, place, reason, until, span });
        }
        Ok(Self { name: name.to_owned(), document: document.into_mut(), entries })
    }

    /// The entries, in the order of the file.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds entries for findings, or renews the reason and date of those that they have. `document` is the file name of the
    /// document. Returns the number of findings.
    ///
    /// # Errors
    /// [`SettingsError`] for a date that TOML does not have.
    pub fn accept(
        &mut self,
        document: &str,
        findings: &[&Finding],
        acceptance: &Acceptance,
    ) -> Result<usize, SettingsError> {
        let until = acceptance.until.as_ref().map(|until| until.parse::<Datetime>());
        let until = until.transpose().map_err(|_| SettingsError {
            span: settings::span(&self.name, "", None),
            problem: format!(
                "expected a day such as 2027-01-31, found {}",
                acceptance.until.as_deref().unwrap_or_default()
            ),
        })?;
        for finding in findings {
            let known = self.entries.iter().position(|entry| entry.fingerprint == fingerprint(finding));
            let index = known.unwrap_or_else(|| self.add(document, finding));
            let entry = &mut self.entries[index];
            (entry.reason, entry.until) = (acceptance.reason.clone(), acceptance.until.clone());
            let tables = self.document.get_mut(KEY).and_then(Item::as_array_of_tables_mut);
            if let Some(table) = tables.and_then(|tables| tables.get_mut(index)) {
                table["reason"] = value(&acceptance.reason);
                match until {
                    Some(until) => table["until"] = value(until),
                    None => drop(table.remove("until")),
                }
            }
        }
        Ok(findings.len())
    }

    /// Adds an entry without a reason. Returns its index.
    fn add(&mut self, document: &str, finding: &Finding) -> usize {
        let entry = Entry {
            fingerprint: fingerprint(finding),
            rule: finding.rule.id.to_owned(),
            document: document.to_owned(),
            place: place(finding),
            reason: String::new(),
            until: None,
            span: settings::span(&self.name, "", None),
        };
        let mut table = Table::new();
        let texts = [
            ("fingerprint", entry.fingerprint.clone()),
            ("rule", entry.rule.clone()),
            ("document", entry.document.clone()),
            ("place", entry.place.clone()),
            ("finding", description(finding)),
        ];
        table.extend(texts.map(|(key, text)| (key, value(text))));
        if self.entries.is_empty() {
            // Comments of a file without entries are at its end, and would follow the first one.
            let comments = self.document.trailing().as_str().unwrap_or_default();
            table.decor_mut().set_prefix(format!("{comments}\n"));
            self.document.set_trailing("");
        }
        let tables = self.document.entry(KEY).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        if let Some(tables) = tables.as_array_of_tables_mut() {
            tables.push(table);
        }
        self.entries.push(entry);
        self.entries.len() - 1
    }
}

impl fmt::Display for Exceptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.document.fmt(formatter)
    }
}

/// Where a finding is, as human-readable text: its first operation, and the path within.
fn place(finding: &Finding) -> String {
    let operation = finding.operations.first().filter(|_| !finding.place.starts_with("schema "));
    let parts = operation.map(AsRef::as_ref).into_iter().chain([finding.place.as_str()]);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "the document".to_owned() } else { parts.join(" › ") }
}

/// What was found, as human-readable text: the message, and the values.
fn description(finding: &Finding) -> String {
    let value = |side: Option<&'_ Side>| side.and_then(Side::shown_value).map(Cow::into_owned);
    match (value(finding.old.as_ref()), value(finding.new.as_ref())) {
        (None, None) => finding.message.clone(),
        (Some(old), None) => format!("{}: {old}", finding.message),
        (None, Some(new)) => format!("{}: {new}", finding.message),
        (Some(old), Some(new)) => format!("{}: {old} → {new}", finding.message),
    }
}
