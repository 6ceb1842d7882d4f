//! Comparison and abbreviation of names.

/// The name without case and separators: equal for `getUser`, `get_user` and `GetUser`.
pub(super) fn folded(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The candidate that was probably meant: equal but for case and separators, or with one or two typos.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // Longer names are no typos of a known one, and the time of a comparison is the product of both lengths.
    const LONGEST: usize = 40;
    let name = folded(name);
    let length = name.chars().count();
    if length > LONGEST {
        return None;
    }
    let distances = candidates.into_iter().map(|candidate| {
        let folded = folded(candidate);
        (strsim::levenshtein(&name, &folded), folded.chars().count(), candidate)
    });
    let near = distances.filter(|(distance, other, _)| *distance <= length.min(*other) / 3);
    near.min_by_key(|(distance, ..)| *distance).map(|(_, _, candidate)| candidate)
}

/// The first few names and the number of others, for a message.
pub(super) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    const MOST: usize = 4;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{}`", name.as_ref())).collect();
    match names.len() {
        0..=MOST => shown.join(", "),
        many => format!("{} and {} more", shown.join(", "), many - MOST),
    }
}

/// A text or its beginning, for a message.
pub(super) fn short(text: &str) -> String {
    const LONGEST: usize = 160;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::{folded, listed, nearest, short};

    #[test]
    fn names() {
        assert_eq!(folded("get_User-ByID"), "getuserbyid");
        let known = ["description", "summary", "operationId", "tags", "in"];
        for (name, expected) in [
            ("desciption", Some("description")),
            ("operation_id", Some("operationId")),
            ("operationID", Some("operationId")),
            ("tag", Some("tags")),
            ("on", None),
            ("produces", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
        assert_eq!(nearest(&"x".repeat(5_000), known), None);
        assert_eq!(listed(&["a", "b"]), "`a`, `b`");
        assert_eq!(listed(&["a", "b", "c", "d", "e"]), "`a`, `b`, `c`, `d` and 1 more");
        assert_eq!(short(&"é".repeat(200)).chars().count(), 161);
    }
}
