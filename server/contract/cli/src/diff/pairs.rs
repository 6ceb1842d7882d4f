//! Which document of one side is compared with which of the other.

use crate::ContractError;
use crate::input::Documents;
use std::collections::BTreeSet;

/// A document as the two sides have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pair<'a> {
    /// Both sides have it, by these names. `path` is the one within directories.
    Both { path: Option<&'a str>, old: &'a str, new: &'a str },
    /// Only the new side has it.
    Added { path: &'a str, name: &'a str },
    /// Only the old side has it.
    Removed { path: &'a str, name: &'a str },
}

/// Pairs two documents, or those of two directories or patterns by their paths within them.
pub(super) fn pairs<'a>(old: &'a Documents, new: &'a Documents) -> Result<Vec<Pair<'a>>, ContractError> {
    match (old, new) {
        (Documents::One(old), Documents::One(new)) => Ok(vec![Pair::Both { path: None, old, new }]),
        (Documents::Several { names: old, .. }, Documents::Several { names: new, .. }) => {
            let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            let pair = |path: &'a String| match (old.get(path), new.get(path)) {
                (Some(old), Some(new)) => Some(Pair::Both { path: Some(path), old, new }),
                (None, Some(name)) => Some(Pair::Added { path, name }),
                (Some(name), None) => Some(Pair::Removed { path, name }),
                (None, None) => None,
            };
            Ok(paths.into_iter().filter_map(pair).collect())
        }
        (one, other) => {
            let is_one = |side: &Documents| matches!(side, Documents::One(_));
            let (one, several) = if is_one(one) { (one, other) } else { (other, one) };
            Err(ContractError::OneAndSeveral { one: one.place().to_owned(), several: several.place().to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pair, pairs};
    use crate::input::Documents;

    fn several(directory: &str, paths: &[&str]) -> Documents {
        let names = paths.iter().map(|path| ((*path).to_owned(), format!("{directory}/{path}"))).collect();
        Documents::Several { directory: directory.to_owned(), names }
    }

    #[test]
    fn documents_are_paired_by_their_paths() {
        let (old, new) = (several("v1", &["a.yaml", "b/c.yaml"]), several("v2", &["b/c.yaml", "d.yaml"]));
        assert_eq!(
            pairs(&old, &new).expect("pairs"),
            [
                Pair::Removed { path: "a.yaml", name: "v1/a.yaml" },
                Pair::Both { path: Some("b/c.yaml"), old: "v1/b/c.yaml", new: "v2/b/c.yaml" },
                Pair::Added { path: "d.yaml", name: "v2/d.yaml" },
            ]
        );
        let one = Documents::One("x.yaml".to_owned());
        let both = Pair::Both { path: None, old: "x.yaml", new: "x.yaml" };
        assert_eq!(pairs(&one, &one).expect("a pair"), [both]);
        for (old, new) in [(&one, &new), (&old, &one)] {
            assert!(pairs(old, new).is_err());
        }
    }
}
