//! Where values were written that reading the schemas moved.

use std::borrow::Cow;
use std::collections::HashMap;

/// JSON pointers in the text by JSON pointers in the document as it is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moved(HashMap<String, String>);

impl Moved {
    /// The pointer in the text to the value at a pointer in the document.
    pub(crate) fn written<'p>(&self, pointer: &'p str) -> Cow<'p, str> {
        if self.0.is_empty() {
            return pointer.into();
        }
        let ends = pointer.rmatch_indices('/').map(|(end, _)| end);
        let moved =
            std::iter::once(pointer.len()).chain(ends).find_map(|end| Some((self.0.get(&pointer[..end])?, end)));
        moved.map_or(pointer.into(), |(from, end)| format!("{from}{}", &pointer[end..]).into())
    }

    /// Records values that moved together. Each pair is the new pointer and the one before this move.
    pub(crate) fn record(&mut self, pairs: Vec<(String, String)>) {
        let pairs: Vec<_> = pairs.into_iter().map(|(now, before)| (now, self.written(&before).into_owned())).collect();
        self.0.extend(pairs);
    }
}

#[cfg(test)]
mod tests {
    use super::Moved;

    #[test]
    fn moves_are_traced_back_to_the_text() {
        let mut moved = Moved::default();
        moved.record(vec![("/a/0".to_owned(), "/a/1".to_owned()), ("/a/1".to_owned(), "/a/2".to_owned())]);
        moved.record(vec![("/b".to_owned(), "/a/0/x".to_owned())]);
        for (pointer, written) in [("/a/0", "/a/1"), ("/a/1/y", "/a/2/y"), ("/b/z", "/a/1/x/z"), ("/c", "/c"), ("", "")]
        {
            assert_eq!(moved.written(pointer), written);
        }
    }
}
