//! What a comparison needs to know besides the documents.

/// What a comparison needs to know beside the documents.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Today, as `2027-01-31`: tells whether the day of an operation's end has come. Without it, no day has.
    pub today: Option<String>,
}
