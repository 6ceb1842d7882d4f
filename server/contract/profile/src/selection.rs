//! Selects findings by the operations that they are about.

use countersign_contract_document::Document;
use countersign_contract_finding::Finding;
use std::collections::HashSet;

pub use regex::Regex;

/// Which operations are of interest: those that match each kind of condition that is given.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Patterns of which the path has to match one, without the base path.
    pub paths: Vec<Regex>,
    /// Tags of which the operation has to have one.
    pub tags: Vec<String>,
    /// Names (`operationId`) of which the operation has to have one.
    pub operation_ids: Vec<String>,
}

impl Selection {
    /// Whether all operations are of interest.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.paths.is_empty() && self.tags.is_empty() && self.operation_ids.is_empty()
    }

    /// Removes findings about operations that are in none of the documents' selected operations, and the other operations
    /// from findings about several. Findings about a document as a whole concern all operations and stay.
    pub fn apply(&self, documents: &[&Document], findings: &mut Vec<Finding>) {
        if self.is_everything() {
            return;
        }
        let selected: HashSet<String> = documents.iter().flat_map(|document| self.operations(document)).collect();
        findings.retain_mut(|finding| {
            let is_general = finding.operations.is_empty();
            if !finding.operations.iter().all(|operation| selected.contains(&**operation)) {
                let kept = finding.operations.iter().filter(|operation| selected.contains(&***operation));
                finding.operations = kept.cloned().collect();
            }
            is_general || !finding.operations.is_empty()
        });
    }

    /// Names of the selected operations, as findings have them.
    fn operations(&self, document: &Document) -> Vec<String> {
        let is_selected = |located: &countersign_contract_document::Located<'_>| {
            let tags = located.operation["tags"].as_array();
            let id = located.operation["operationId"].as_str();
            let has = |tag: &String| tags.is_some_and(|tags| tags.iter().any(|own| own == tag));
            (self.paths.is_empty() || self.paths.iter().any(|pattern| pattern.is_match(located.path)))
                && (self.tags.is_empty() || self.tags.iter().any(has))
                && (self.operation_ids.is_empty() || self.operation_ids.iter().any(|own| id == Some(own)))
        };
        let selected = document.located().filter(is_selected);
        selected.map(|located| format!("{} {}", located.method.to_uppercase(), located.path)).collect()
    }
}
