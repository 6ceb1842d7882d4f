//! Whose a user name is that somebody typed.

use crate::account::Username;

/// Index of the account that a typed name means, among the accounts whose names may have its form. Usually that is one. Where
/// versions before the form have stored several, none of them has it: an account is found by its exact spelling only, so that
/// no name finds the account of somebody else.
#[must_use]
pub fn decide(typed: &Username, stored: &[Option<Username>]) -> Option<usize> {
    let form = typed.key();
    let names = stored.iter().enumerate().filter_map(|(index, name)| Some((index, name.as_ref()?)));
    let same: Vec<(usize, &Username)> = names.filter(|(_, name)| name.key() == form).collect();
    match same.as_slice() {
        [] => None,
        [(only, _)] => Some(*only),
        several => several.iter().find(|(_, name)| *name == typed).map(|(index, _)| *index),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_one_account_or_of_the_one_that_spells_it_so_33() {
        let name = |text: &str| Username::new(text).expect("a name");
        for (typed, stored, owner) in [
            ("ada", &[][..], None),
            ("ada", &["ada"], Some(0)),
            ("ADA", &["ada"], Some(0)),
            ("ad\u{ad}a", &["Ada"], Some(0)),
            // Found by a key of an earlier version or a form that is out of date.
            ("ada", &["bob"], None),
            ("ada", &["bob", "Ada"], Some(1)),
            // Contested.
            ("ada", &["ada", "ad\u{ad}a"], Some(0)),
            ("ad\u{ad}a", &["ada", "ad\u{ad}a"], Some(1)),
            (" ada ", &["ada", "ad\u{ad}a"], Some(0)),
            ("Ada", &["ada", "ad\u{ad}a"], None),
            ("ada", &["Ada", "ad\u{ad}a"], None),
            ("ad\u{200b}a", &["ada", "ad\u{ad}a", "bob"], None),
        ] {
            let names: Vec<_> = stored.iter().map(|text| Some(name(text))).chain([None]).collect();
            assert_eq!(decide(&name(typed), &names), owner, "{typed:?} among {stored:?}");
        }
    }
}
