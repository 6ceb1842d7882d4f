//! What a service looks for among the users of a tenant, and which part of the result it gets.
//!
//! Names are compared in the form in which they are stored, by ranges that an index serves. Results are in the order of the ids.

use crate::account::{EmailAddress, Username};
use crate::ids::AccountId;
use crate::policy::{REACHABLE_USERS, USERS_AT_ONCE};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserSearch {
    /// The existing users among these ids.
    Ids(Vec<AccountId>),
    All,
    Email(NameRange),
    Username(NameRange),
    /// By the e-mail address or by the user name.
    EmailOrUsername {
        email: NameRange,
        username: NameRange,
    },
}

/// Stored forms of names, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameRange {
    pub first: String,
    pub last: String,
}

/// A name to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamePattern<'a> {
    Exactly(&'a str),
    StartsWith(&'a str),
}

/// Comes after every character of a name: it is a noncharacter, and the last one.
const LAST: char = char::MAX;

impl NamePattern<'_> {
    fn range(self, form: impl FnOnce(&str) -> String) -> NameRange {
        match self {
            Self::Exactly(text) => {
                let form = form(text);
                NameRange { first: form.clone(), last: form }
            }
            Self::StartsWith(text) => {
                let first = form(text);
                NameRange { last: format!("{first}{LAST}"), first }
            }
        }
    }

    /// The e-mail addresses that it matches.
    #[must_use]
    pub fn emails(self) -> NameRange {
        self.range(|text| EmailAddress::new(text).as_str().to_owned())
    }

    /// The user names that it matches; every one has the empty beginning, and none a text of which nothing can be seen.
    #[must_use]
    pub fn usernames(self) -> NameRange {
        // No name has the empty form.
        let none = NameRange { first: String::new(), last: String::new() };
        match (self, self.text()) {
            (Self::StartsWith(""), _) => NameRange { first: String::new(), last: LAST.into() },
            (_, text) if Username::new(text).is_none() => none,
            (pattern, _) => pattern.range(|text| Username::new(text).map(|name| name.key()).unwrap_or_default()),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Exactly(text) | Self::StartsWith(text) => text,
        }
    }
}

/// A part of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many users come before it.
    pub start: u32,
    /// At most so many users are in it.
    pub count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageRefused {
    /// It starts before the first user.
    Start,
    /// It has less than no users, or more than [`USERS_AT_ONCE`].
    Count,
    /// It ends after [`REACHABLE_USERS`].
    OutOfReach,
}

impl Page {
    /// # Errors
    /// When the numbers are out of their bounds.
    pub fn new(start: i64, count: i64) -> Result<Self, PageRefused> {
        let start =
            u32::try_from(start).map_err(|_| if start < 0 { PageRefused::Start } else { PageRefused::OutOfReach })?;
        let count = u32::try_from(count).ok().filter(|count| *count <= USERS_AT_ONCE).ok_or(PageRefused::Count)?;
        let is_in_reach = start.checked_add(count).is_some_and(|end| end <= REACHABLE_USERS);
        if is_in_reach { Ok(Self { start, count }) } else { Err(PageRefused::OutOfReach) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_bounded() {
        let page = |start, count| Ok(Page { start, count });
        for (start, count, expected) in [
            (0, 0, page(0, 0)),
            (0, 500, page(0, 500)),
            (9_500, 500, page(9_500, 500)),
            (10_000, 0, page(10_000, 0)),
            (-1, 1, Err(PageRefused::Start)),
            (0, -1, Err(PageRefused::Count)),
            (0, 501, Err(PageRefused::Count)),
            (9_501, 500, Err(PageRefused::OutOfReach)),
            (i64::MAX, 1, Err(PageRefused::OutOfReach)),
            (i64::from(u32::MAX), 500, Err(PageRefused::OutOfReach)),
            (0, i64::MAX, Err(PageRefused::Count)),
        ] {
            assert_eq!(Page::new(start, count), expected, "{start} {count}");
        }
    }

    #[test]
    fn names_are_compared_in_their_stored_forms() {
        let contains = |range: &NameRange, name: &str| (range.first.as_str()..=range.last.as_str()).contains(&name);
        let exact = NamePattern::Exactly("Ada@Example.org").emails();
        assert!(contains(&exact, "ada@example.org") && !contains(&exact, "ada@example.org.uk"));
        let prefix = NamePattern::StartsWith("ADA@").emails();
        for (name, is_found) in
            [("ada@", true), ("ada@\u{10fffd}x", true), ("ada", false), ("adb", false), ("ad", false)]
        {
            assert_eq!(contains(&prefix, name), is_found, "{name}");
        }
        let prefix = NamePattern::StartsWith("ＡＤＡ").usernames();
        assert!(contains(&prefix, "ada") && contains(&prefix, "adaé") && !contains(&prefix, "adé"));
        let all = NamePattern::StartsWith("");
        assert!(contains(&all.usernames(), "ada") && contains(&all.emails(), "ada@example.org"));
        for invisible in [NamePattern::StartsWith("\u{200b}"), NamePattern::Exactly(" ")] {
            let range = invisible.usernames();
            assert!(!contains(&range, "ada") && range.first.is_empty());
        }
    }
}
