//! The known name that a mistyped one probably meant.

/// The candidate with the smallest edit distance to `typed`, unless even that one is too different to be meant.
pub(crate) fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(&typed.to_ascii_lowercase(), &candidate.to_ascii_lowercase()), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len().max(typed.len()) / 2)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance in characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let replaced = previous[column] + usize::from(letter != *other);
            current.push(replaced.min(previous[column + 1] + 1).min(current[column] + 1));
        }
        previous = current;
    }
    previous[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_edit_distances() {
        for (left, right, expected) in [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("listne", "listen", 2)]
        {
            assert_eq!(distance(left, right), expected);
        }
    }

    #[test]
    fn far_names_are_not_suggested() {
        assert_eq!(nearest("listne", ["listen", "outbox"]), Some("listen"));
        assert_eq!(nearest("zzzzzz", ["listen", "outbox"]), None);
        assert_eq!(nearest("x", []), None);
    }
}
