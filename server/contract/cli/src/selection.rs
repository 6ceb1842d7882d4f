//! Arguments that select operations.

use clap::Args;
use countersign_contract_profile::selection::{Regex, Selection};

/// Which operations are of interest. Conditions of one kind are alternatives; those of different kinds all have to hold.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct SelectionArguments {
    /// Only findings about operations whose path matches this regular expression, and about the document as a whole; can be
    /// repeated.
    #[arg(long = "match", value_name = "REGEX")]
    paths: Vec<Regex>,

    /// Only findings about operations with this tag, and about the document as a whole; can be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,

    /// Only findings about the operation with this operationId, and about the document as a whole; can be repeated.
    #[arg(long = "operation", value_name = "ID")]
    operation_ids: Vec<String>,
}

impl SelectionArguments {
    pub(super) fn selection(&self) -> Selection {
        Selection { paths: self.paths.clone(), tags: self.tags.clone(), operation_ids: self.operation_ids.clone() }
    }
}
