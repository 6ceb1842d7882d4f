//! What pages have in common.

/// What is wrong with a cursor.
pub(super) const NO_CURSOR: &str = "Expected the nextCursor of another page.";

/// How much a page has. The contract limits what is asked for before a handler runs.
pub(super) fn page_size(asked: Option<i64>, by_default: u32) -> u32 {
    asked.and_then(|asked| u32::try_from(asked).ok()).unwrap_or(by_default)
}
