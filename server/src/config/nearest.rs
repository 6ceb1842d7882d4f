//! The known name that a mistyped one probably meant.

/// The candidate with the smallest edit distance to `typed`, unless even that one is too different to be meant.
pub(crate) fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::levenshtein(&typed.to_ascii_lowercase(), &candidate.to_ascii_lowercase()), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len().max(typed.len()) / 2)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_names_are_not_suggested() {
        assert_eq!(nearest("listne", ["listen", "outbox"]), Some("listen"));
        assert_eq!(nearest("zzzzzz", ["listen", "outbox"]), None);
        assert_eq!(nearest("x", []), None);
    }
}
