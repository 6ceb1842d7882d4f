//! Languages that a message may be written in, in the order in which its reader wants them.

use serde::{Deserialize, Serialize};

/// The longest name of a language (RFC 5646 §4.4.1 wants 35 characters to be taken).
const LONGEST: usize = 35;

/// How many are kept: browsers send two to six.
const MOST: usize = 8;

/// The name of a language, such as `en` or `pt-br`, in lower case (RFC 5646 §2.1.1: case does not count).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Language(String);

impl Language {
    /// Reads a name, with `-` or `_` between its parts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replace('_', "-").to_ascii_lowercase();
        let is_name = text.len() <= LONGEST
            && text
                .split('-')
                .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        (is_name && text.starts_with(|letter: char| letter.is_ascii_alphabetic())).then_some(Self(text))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language itself, and what is left of it without its last parts: `pt-br`, `pt` (lookup of RFC 4647 §3.4).
    fn ranges(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.as_str()), |range| range.rsplit_once('-').map(|(rest, _)| rest))
    }
}

/// Languages, the one that is wanted most first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Languages(Vec<Language>);

impl Languages {
    /// Those of an `Accept-Language` header (RFC 9110 §12.5.4), without `*` and what is not wanted.
    #[must_use]
    pub fn accepted(header: &str) -> Self {
        let mut weighted: Vec<(Language, f32)> = header.split(',').take(4 * MOST).filter_map(weighted).collect();
        weighted.retain(|(_, weight)| *weight > 0.0);
        weighted.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        weighted.into_iter().map(|(language, _)| language).collect()
    }

    /// Those that a user prefers (`preferredLanguages` of a profile).
    #[must_use]
    pub fn preferred(profile: &str) -> Self {
        let profile: serde_json::Value = serde_json::from_str(profile).unwrap_or_default();
        let listed = profile["preferredLanguages"].as_array().map(Vec::as_slice).unwrap_or_default();
        listed.iter().filter_map(|language| Language::parse(language.as_str()?)).collect()
    }

    /// Those of a message: what its reader prefers, then what the request asks for that causes it, then that of the tenant. A request
    /// of a service asks for none, because it is not made by the reader.
    #[must_use]
    pub fn of_message(preferred: Self, requested: Self, of_tenant: Option<&Language>) -> Self {
        preferred.then(requested).then(of_tenant.cloned())
    }

    /// These, and then others.
    fn then(self, others: impl IntoIterator<Item = Language>) -> Self {
        self.0.into_iter().chain(others).collect()
    }

    /// The first of them that there is, as `find` says of a name in lower case.
    pub fn choose<T>(&self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.0.iter().flat_map(Language::ranges).find_map(find)
    }
}

impl FromIterator<Language> for Languages {
    fn from_iter<I: IntoIterator<Item = Language>>(languages: I) -> Self {
        Self(languages.into_iter().take(MOST).collect())
    }
}

impl IntoIterator for Languages {
    type Item = Language;
    type IntoIter = std::vec::IntoIter<Language>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// An element of the header with its weight; one that cannot be read is none.
fn weighted(element: &str) -> Option<(Language, f32)> {
    let (name, weight) = element.split_once(';').unwrap_or((element, "q=1"));
    let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
    Some((Language::parse(name)?, weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_in_the_language_of_its_reader_then_of_the_request_then_of_the_tenant() {
        let languages = Languages::accepted;
        let of_tenant = Language::parse("it");
        for (preferred, requested, of_tenant, expected) in [
            ("de", "fr", of_tenant.as_ref(), vec!["de", "fr", "it"]),
            ("", "fr", of_tenant.as_ref(), vec!["fr", "it"]),
            ("", "", of_tenant.as_ref(), vec!["it"]),
            ("de", "", None, vec!["de"]),
            ("", "", None, vec![]),
        ] {
            let found = Languages::of_message(languages(preferred), languages(requested), of_tenant);
            assert_eq!(names(&found), expected, "{preferred} {requested} {of_tenant:?}");
        }
    }

    fn names(languages: &Languages) -> Vec<&str> {
        languages.0.iter().map(Language::as_str).collect()
    }

    #[test]
    fn a_header_names_languages_by_weight() {
        for (header, expected) in [
            ("de", vec!["de"]),
            ("en-US,en;q=0.5", vec!["en-us", "en"]),
            ("fr;q=0.3, de-AT, de;q=0.9", vec!["de-at", "de", "fr"]),
            ("de;q=0, en", vec!["en"]),
            ("*;q=0.5, fr", vec!["fr"]),
            ("", vec![]),
            (",;q=1,-,x;q=y,../../etc;q=1,a\u{0}b", vec![]),
            ("123, toolongforapart, de", vec!["de"]),
            ("de;q=NaN, en;q=9", vec!["en"]),
        ] {
            assert_eq!(names(&Languages::accepted(header)), expected, "{header:?}");
        }
        let many = (0..100).map(|number| format!("a{number}")).collect::<Vec<_>>().join(",");
        assert_eq!(names(&Languages::accepted(&many)).len(), MOST);
    }

    #[test]
    fn a_profile_names_languages_in_order() {
        for (profile, expected) in [
            (r#"{"preferredLanguages": ["de_CH", "fr"]}"#, vec!["de-ch", "fr"]),
            (r#"{"preferredLanguages": ["", 1, "../x"]}"#, vec![]),
            (r#"{"preferredLanguages": "de"}"#, vec![]),
            ("{}", vec![]),
            ("no JSON", vec![]),
        ] {
            assert_eq!(names(&Languages::preferred(profile)), expected, "{profile}");
        }
    }

    #[test]
    fn the_first_that_there_is_is_chosen_with_or_without_its_region() {
        let has = |available: &'static [&'static str]| {
            move |name: &str| available.iter().find(|known| **known == name).copied()
        };
        for (wanted, available, chosen) in [
            ("de-AT, fr", &["de", "fr"][..], Some("de")),
            ("de-AT, fr", &["de-at", "de"], Some("de-at")),
            ("de, fr", &["fr", "en"], Some("fr")),
            ("de", &["de-at"], None),
            ("", &["en"], None),
        ] {
            assert_eq!(Languages::accepted(wanted).choose(has(available)), chosen, "{wanted}");
        }
        let both = Languages::accepted("de").then(Languages::accepted("fr, en"));
        assert_eq!(names(&both), ["de", "fr", "en"]);
    }
}
