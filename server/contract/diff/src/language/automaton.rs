//! Automata of patterns, and the search for a text that tells two lists of them apart.

use super::ecma;
use regex_automata::dfa::{Automaton as _, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};
use std::collections::HashSet;

/// Largest automaton, and most memory to build one, in bytes.
const LARGEST: usize = 1 << 20;

/// Most combinations of states that a search visits.
const MOST_STATES: usize = 10_000;

/// Bytes in the order in which they are tried: plausible characters first.
const PLAUSIBLE: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.,:;/@# ";

/// Accepts the texts in which a pattern matches somewhere.
#[derive(Debug)]
pub(super) struct Automaton(dense::DFA<Vec<u32>>);

/// Where an automaton is in a text; `None` once the text is accepted, whatever follows.
type Place = Option<StateID>;

impl Automaton {
    /// The automaton of a pattern of ECMA 262; `None` if it is too large or has no regular language.
    pub(super) fn of(pattern: &str) -> Option<Self> {
        Self::build(&ecma::translate(pattern)?)
    }

    /// The automaton of all texts with a number of characters.
    pub(super) fn of_length(least: usize, most: Option<usize>) -> Option<Self> {
        let most = most.map(|most| most.to_string()).unwrap_or_default();
        Self::build(&format!(r"^(?s:.){{{least},{most}}}$"))
    }

    fn build(pattern: &str) -> Option<Self> {
        let limit = Some(LARGEST);
        let config = dense::Config::new()
            .match_kind(MatchKind::LeftmostFirst)
            .dfa_size_limit(limit)
            .determinize_size_limit(limit);
        let nfa = thompson::Config::new().nfa_size_limit(limit).which_captures(thompson::WhichCaptures::None);
        dense::Builder::new().configure(config).thompson(nfa).build(pattern).ok().map(Self)
    }

    fn start(&self) -> Option<Place> {
        let start = self.0.start_state(&start::Config::new().anchored(Anchored::No)).ok()?;
        Some(self.place(start))
    }

    fn place(&self, state: StateID) -> Place {
        (!self.0.is_match_state(state)).then_some(state)
    }

    fn next(&self, place: Place, byte: u8) -> Place {
        self.place(self.0.next_state(place?, byte))
    }

    fn accepts(&self, place: Place) -> bool {
        place.is_none_or(|state| self.0.is_match_state(self.0.next_eoi_state(state)))
    }

    /// Whether it accepts a text.
    #[cfg(test)]
    pub(super) fn matches(&self, text: &str) -> bool {
        let start = self.start().expect("a search begins anywhere");
        self.accepts(text.bytes().fold(start, |place, byte| self.next(place, byte)))
    }

    /// Whether no longer text is accepted.
    fn is_dead(&self, place: Place) -> bool {
        place.is_some_and(|state| self.0.is_dead_state(state))
    }
}

/// Searches a text that all of `accepting` accept, and one of `rejecting` does not; without `rejecting`, one that
/// `accepting` accept. The result is the shortest one, `Ok(None)` if there is none, or an error after too many steps. One of
/// `accepting` has to accept nothing but UTF-8.
pub(super) fn search(accepting: &[&Automaton], rejecting: &[&Automaton]) -> Result<Option<String>, TooLarge> {
    let all: Vec<&Automaton> = accepting.iter().chain(rejecting).copied().collect();
    let is_wanted = |places: &[Place]| {
        let mut decided = all.iter().zip(places).map(|(automaton, place)| automaton.accepts(*place));
        decided.by_ref().take(accepting.len()).all(|accepts| accepts)
            && (rejecting.is_empty() || decided.any(|accepts| !accepts))
    };
    let is_hopeless = |places: &[Place]| {
        let (wanted, unwanted) = places.split_at(accepting.len());
        accepting.iter().zip(wanted).any(|(automaton, place)| automaton.is_dead(*place))
            || !rejecting.is_empty() && unwanted.iter().all(Option::is_none)
    };
    let bytes = representatives(&all);
    let start = all.iter().map(|automaton| automaton.start()).collect::<Option<Vec<Place>>>().ok_or(TooLarge)?;
    let mut visited: Vec<Visited> = vec![(start.clone(), None)];
    let mut known = HashSet::from([start]);
    let mut at = 0;
    while let Some((places, _)) = visited.get(at) {
        if is_wanted(places) {
            return String::from_utf8(path(&visited, at)).map(Some).map_err(|_| TooLarge);
        }
        let places = places.clone();
        for byte in &bytes {
            let next: Vec<Place> =
                all.iter().zip(&places).map(|(automaton, place)| automaton.next(*place, *byte)).collect();
            if is_hopeless(&next) {
                continue;
            }
            if known.insert(next.clone()) {
                visited.push((next, Some((at, *byte))));
            }
            if visited.len() > MOST_STATES {
                return Err(TooLarge);
            }
        }
        at += 1;
    }
    Ok(None)
}

/// An automaton or a search is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge;

/// A byte of each class that the automata do not distinguish.
fn representatives(all: &[&Automaton]) -> Vec<u8> {
    let mut known = HashSet::new();
    let classes = |byte: u8| all.iter().map(|automaton| automaton.0.byte_classes().get(byte)).collect::<Vec<_>>();
    PLAUSIBLE.iter().copied().chain(0..=u8::MAX).filter(|byte| known.insert(classes(*byte))).collect()
}

/// A combination of states, and the index of the one before it with the byte that led here.
type Visited = (Vec<Place>, Option<(usize, u8)>);

/// The bytes that lead to a combination of states.
fn path(visited: &[Visited], mut at: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some((before, byte)) = visited[at].1 {
        out.push(byte);
        at = before;
    }
    out.reverse();
    out
}
