//! The readable path to a position, as findings show it.

use std::rc::Rc;

/// A path. Deferred comparisons keep theirs, so that paths share their beginnings: schemas may contain each other thousands of
/// levels deep.
#[derive(Debug, Clone, Default)]
pub(super) struct Place(Option<Rc<Last>>);

#[derive(Debug)]
struct Last {
    part: String,
    outer: Place,
    length: usize,
}

impl Place {
    /// The path with a further part.
    pub(super) fn with(&self, part: String) -> Self {
        Self(Some(Rc::new(Last { part, outer: self.clone(), length: self.length() + 1 })))
    }

    /// Number of parts.
    pub(super) fn length(&self) -> usize {
        self.0.as_ref().map_or(0, |last| last.length)
    }

    /// The innermost part.
    pub(super) fn last(&self) -> Option<&str> {
        self.0.as_ref().map(|last| last.part.as_str())
    }

    /// The parts after the first `length` ones.
    pub(super) fn after(&self, length: usize) -> Vec<&str> {
        let mut parts = Vec::new();
        let mut here = self;
        while let Some(last) = here.0.as_ref().filter(|last| last.length > length) {
            parts.push(last.part.as_str());
            here = &last.outer;
        }
        parts.reverse();
        parts
    }
}

impl Drop for Place {
    /// Without recursion, which a long path would make too deep.
    fn drop(&mut self) {
        let mut last = self.0.take().and_then(Rc::into_inner);
        while let Some(mut inner) = last {
            last = inner.outer.0.take().and_then(Rc::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn paths_share_their_beginnings() {
        let outer = Place::default().with("a".to_owned()).with("b".to_owned());
        let (one, other) = (outer.with("c".to_owned()), outer.with("d".to_owned()));
        assert_eq!((one.after(0), other.after(1)), (vec!["a", "b", "c"], vec!["b", "d"]));
        assert_eq!((outer.last(), outer.length(), outer.after(2).len()), (Some("b"), 2, 0));
    }

    #[test]
    fn a_path_of_any_length_can_be_dropped() {
        let long = (0..200_000).fold(Place::default(), |place, number| place.with(number.to_string()));
        assert_eq!(long.length(), 200_000);
    }
}
