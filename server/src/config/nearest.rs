//! Suggestions for mistyped names.

/// `; did you mean …?` with the nearest candidate as `show` writes it, or nothing if none is near.
pub(super) fn hint<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    show: impl FnOnce(&str) -> String,
) -> String {
    nearest(typed, candidates).map_or_else(String::new, |near| format!("; did you mean {}?", show(near)))
}

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
