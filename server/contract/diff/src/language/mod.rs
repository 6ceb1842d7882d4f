//! Decides which of two sets of texts contains the other: those that patterns and limits of length accept.
//!
//! A pattern is decided by its automaton, so it has to be regular: one with look-around, back-references or `\B` is
//! not decided, and neither is one whose automaton is too large. Every text that is found is confirmed by another
//! implementation of patterns.

mod automaton;
mod ecma;

use automaton::{Automaton, search};
use regress::Regex;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Most searches of one comparison. Beyond that, nothing is decided.
const MOST_SEARCHES: usize = 2_000;

/// Greatest length for which there is an automaton, in characters.
const LONGEST: usize = 256;

/// The texts that match all of some patterns, and have a length within limits, in characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Texts {
    pub(super) patterns: Vec<String>,
    pub(super) least: usize,
    pub(super) most: Option<usize>,
}

impl Texts {
    /// Listed texts.
    pub(super) fn listed<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let escaped = |text: &str| text.chars().map(|one| format!("\\u{{{:x}}}", u32::from(one))).collect::<String>();
        let all = texts.into_iter().map(escaped).collect::<Vec<_>>().join("|");
        Self { patterns: vec![format!("^(?:{all})$")], ..Self::default() }
    }

    /// The texts that are also among others.
    pub(super) fn and(mut self, others: Self) -> Self {
        self.patterns.extend(others.patterns);
        self.least = self.least.max(others.least);
        self.most = self.most.into_iter().chain(others.most).min();
        self
    }

    /// Whether a text is one of them, as the crate `regress` decides it.
    fn contains(&self, text: &str) -> bool {
        let length = text.chars().count();
        let matches =
            |pattern: &String| Regex::with_flags(pattern, "u").is_ok_and(|pattern| pattern.find(text).is_some());
        self.least <= length && self.most.is_none_or(|most| length <= most) && self.patterns.iter().all(matches)
    }

    /// Whether the limits of length exclude nothing that those of the others allow.
    fn is_as_long_as(&self, others: &Self) -> bool {
        self.least <= others.least && self.most.is_none_or(|most| others.most.is_some_and(|other| other <= most))
    }
}

/// What one set of texts has and another one lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    /// Nothing.
    None,
    /// The shortest such text, or one of them.
    Text(String),
    Undecided,
}

/// The automata of a comparison.
#[derive(Debug)]
pub(super) struct Languages {
    patterns: RefCell<HashMap<String, Option<Rc<Automaton>>>>,
    searches_left: Cell<usize>,
}

impl Default for Languages {
    fn default() -> Self {
        Self { patterns: RefCell::default(), searches_left: Cell::new(MOST_SEARCHES) }
    }
}

impl Languages {
    /// What `these` have and `those` lack.
    pub(super) fn difference(&self, these: &Texts, those: &Texts) -> Difference {
        let others = those.patterns.iter().filter(|pattern| !these.patterns.contains(pattern));
        let mut rejecting: Vec<Option<Rc<Automaton>>> = others.map(|pattern| self.automaton(pattern)).collect();
        if !those.is_as_long_as(these) {
            rejecting.push(length(those));
        }
        match rejecting.into_iter().collect::<Option<Vec<_>>>() {
            None => Difference::Undecided,
            Some(rejecting) if rejecting.is_empty() => Difference::None,
            Some(rejecting) => self.find(these, &rejecting, |text| !those.contains(text)),
        }
    }

    /// Whether there are none of these texts, as far as that is decided.
    pub(super) fn is_empty(&self, texts: &Texts) -> bool {
        self.find(texts, &[], |_| true) == Difference::None
    }

    /// The shortest of these texts.
    pub(super) fn shortest(&self, texts: &Texts) -> Option<String> {
        match self.find(texts, &[], |_| true) {
            Difference::Text(text) => Some(text),
            Difference::None | Difference::Undecided => None,
        }
    }

    /// Searches a text that one of `rejecting` does not accept.
    fn find(&self, texts: &Texts, rejecting: &[Rc<Automaton>], suits: impl Fn(&str) -> bool) -> Difference {
        // Without patterns that have no automaton there are more texts: nothing is missed, and each text that is found is
        // confirmed.
        let patterns: Vec<_> = texts.patterns.iter().filter_map(|pattern| self.automaton(pattern)).collect();
        // Limits of length multiply the states, so the search goes without them first.
        let limited = Some(texts).filter(|texts| texts.least > 0 || texts.most.is_some());
        for limits in std::iter::once(&Texts::default()).chain(limited) {
            let Some(left) = self.searches_left.get().checked_sub(1) else { break };
            self.searches_left.set(left);
            let Some(length) = length(limits) else { break };
            let accepting: Vec<&Automaton> = patterns.iter().chain([&length]).map(Rc::as_ref).collect();
            let rejecting: Vec<&Automaton> = rejecting.iter().map(Rc::as_ref).collect();
            match search(&accepting, &rejecting) {
                Ok(None) => return Difference::None,
                Ok(Some(text)) if texts.contains(&text) && suits(&text) => return Difference::Text(text),
                Ok(Some(_)) | Err(_) => {}
            }
        }
        Difference::Undecided
    }

    fn automaton(&self, pattern: &str) -> Option<Rc<Automaton>> {
        if let Some(known) = self.patterns.borrow().get(pattern) {
            return known.clone();
        }
        let automaton = Automaton::of(pattern).map(Rc::new);
        self.patterns.borrow_mut().insert(pattern.to_owned(), automaton.clone());
        automaton
    }
}

/// The automaton of the limits of length.
fn length(texts: &Texts) -> Option<Rc<Automaton>> {
    let is_short = texts.least.max(texts.most.unwrap_or(0)) <= LONGEST;
    is_short.then(|| Automaton::of_length(texts.least, texts.most)).flatten().map(Rc::new)
}

#[cfg(test)]
mod tests {
    use super::automaton::{Automaton, search};
    use super::{Difference, Languages, Texts};
    use regress::Regex;

    /// Patterns whose automata are held against `regress`.
    const PATTERNS: [&str; 44] = [
        "",
        "a",
        "^a",
        "a$",
        "^a$",
        "^$",
        "^(a|b)*$",
        "a|^b|c$",
        "^.$",
        "^..$",
        r"^\d+$",
        r"^\D$",
        r"\w",
        r"^\W$",
        r"^\s$",
        r"^\S+$",
        r"\ba",
        r"a\b",
        "^[^]$",
        "[]",
        "^[^a]$",
        "^[a-c]{2}$",
        "^[a-c]{2,}$",
        "^a{1,2}b?$",
        "^(?:ab|c)+$",
        "^(?<first>a)b",
        "a*?b+?",
        r"^\x61\u0062$",
        r"^\u{1F600}$",
        r"^\ud83d\ude00$",
        r"^[\ud83d\ude00]$",
        r"^[\d-]$",
        "^[-a]$",
        "^[a-]$",
        "^[&&a]$",
        "^[a~~b]$",
        r"^[\]\[]$",
        r"^[\b]$",
        r"^\cJ$",
        r"^\p{L}$",
        r"^\P{Lu}$",
        r"^\.\/$",
        r"^[a\-z]$",
        r"^[\s\d]$",
    ];

    /// Texts up to a length of three, of characters that the patterns treat differently.
    fn texts() -> Vec<String> {
        let characters = [
            "a", "b", "c", "0", "-", "&", "~", "]", ".", "/", " ", "\n", "\u{2028}", "\u{85}", "\u{8}", "é", "Σ", "😀",
            "\u{feff}",
        ];
        let mut out = vec![String::new()];
        let mut last = out.clone();
        for _ in 0..3 {
            last = last.iter().flat_map(|text| characters.map(|next| format!("{text}{next}"))).collect();
            out.extend(last.iter().cloned());
        }
        out
    }

    #[test]
    fn automata_accept_what_another_implementation_of_patterns_does() {
        let texts = texts();
        for pattern in PATTERNS {
            let automaton = Automaton::of(pattern).expect(pattern);
            let regex = Regex::with_flags(pattern, "u").expect(pattern);
            for text in &texts {
                assert_eq!(automaton.matches(text), regex.find(text).is_some(), "{pattern} {text:?}");
            }
        }
    }

    #[test]
    fn patterns_without_a_regular_language_have_no_automaton() {
        for pattern in ["(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", r"(a)\1", r"(?<a>b)\k<a>", r"\Ba", "(", "(?i:a)", r"\A"]
        {
            assert!(Automaton::of(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn the_shortest_text_between_two_patterns_is_found() {
        let any = Texts::default();
        let all = |patterns: &[&str]| Texts {
            patterns: patterns.iter().map(|one| (*one).to_owned()).collect(),
            ..any.clone()
        };
        let text = |text: &str| Difference::Text(text.to_owned());
        for (these, those, expected) in [
            (any.clone(), all(&[]), Difference::None),
            (any.clone(), all(&["a*"]), Difference::None),
            (any.clone(), all(&["^a"]), text("")),
            (any.clone(), all(&["^.*$"]), text("\n")),
            (all(&["^a"]), all(&["^[ab]"]), Difference::None),
            (all(&["^[ab]"]), all(&["^a"]), text("b")),
            (all(&["^[a-z]+$"]), all(&["^[a-z]{1,3}$"]), text("aaaa")),
            (all(&["^a", "b$"]), all(&["^a.*b$"]), text("a\nb")),
            (all(&["^a[^]*b$"]), all(&["^a", "b$"]), Difference::None),
            (all(&["^(?!x)", "^a"]), all(&["^[ab]"]), Difference::None),
            (all(&["^(?!x)", "^[ab]"]), all(&["^a"]), text("b")),
            (all(&["^(?!x)a"]), all(&["^a"]), Difference::Undecided),
            (all(&["^a"]), all(&["^(?!x)a"]), Difference::Undecided),
            (all(&["^(?!a)[ab]"]), all(&["^b"]), Difference::Undecided),
            (Texts { most: Some(3), ..all(&["^[a-z]+$"]) }, all(&["^[a-z]{1,3}$"]), Difference::None),
            (Texts { least: 2, ..all(&["^[a-z]+$"]) }, all(&["^[b-z]"]), text("aa")),
            (all(&["^[0-9]{4}$"]), Texts { least: 4, most: Some(4), ..any.clone() }, Difference::None),
            (Texts { most: Some(1), ..any.clone() }, Texts { most: Some(100_000), ..any.clone() }, Difference::None),
            (all(&["^a+$"]), Texts { most: Some(100_000), ..any.clone() }, Difference::Undecided),
            (all(&["^(a|bc)$"]), Texts::listed(["bc", "a", "."]), Difference::None),
            (Texts::listed(["a", "b."]), all(&["^.$"]), text("b.")),
        ] {
            assert_eq!(Languages::default().difference(&these, &those), expected, "{these:?} {those:?}");
        }
    }

    #[test]
    fn the_number_of_searches_is_limited() {
        let languages = Languages::default();
        languages.searches_left.set(1);
        let pattern = Texts { patterns: vec!["^a".to_owned()], ..Texts::default() };
        assert_eq!(languages.difference(&Texts::default(), &pattern), Difference::Text(String::new()));
        assert_eq!(languages.difference(&Texts::default(), &pattern), Difference::Undecided);
    }

    #[test]
    fn a_search_with_too_many_states_ends() {
        let [one, other] =
            ["^(?:.{8})*a.{9}$", "^(?:.{7})*b.{9}$"].map(|pattern| Automaton::of(pattern).expect(pattern));
        assert!(search(&[&one], &[&other]).is_ok());
        assert!(Automaton::of("a.{200}b").is_none());
    }
}
