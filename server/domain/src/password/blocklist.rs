//! Passwords that an attacker tries first (NIST SP 800-63B-4 §3.1.1.2, N15; OWASP ASVS 5.0, 6.2.4): common ones, names, pieces
//! that are repeated, sequences, and the names of the user and of the service.
//!
//! The list holds about 15,000 entries that the length limit allows. Comparison ignores letter case. There is no rule of
//! composition: a password is refused for what it is, not for characters that it lacks.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The list, with its source and licence at its top.
const COMMON: &str = include_str!("common.txt");

/// The longest piece whose repetition is refused, in characters.
const LONGEST_PIECE: usize = 4;

static ENTRIES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| entries().collect());

fn entries() -> impl Iterator<Item = &'static str> {
    COMMON.lines().filter(|line| *line != "#" && !line.starts_with("# "))
}

/// Whether a password, in the form that is hashed, is one that an attacker tries first. `names` are those of the user and of
/// the service; of an e-mail address the part before the `@` counts as well.
pub(super) fn holds(password: &str, names: &[&str]) -> bool {
    let lower = password.to_lowercase();
    let (text, letters) = (lower.trim(), lower.chars().collect::<Vec<char>>());
    let is_name = |name: &&str| {
        let name = name.trim().to_lowercase();
        text == name || name.split_once('@').is_some_and(|(local, _)| text == local)
    };
    ENTRIES.contains(text) || is_repetition(&letters) || is_sequence(&letters) || names.iter().any(is_name)
}

fn is_repetition(letters: &[char]) -> bool {
    (1..=LONGEST_PIECE).any(|length| {
        letters.len() > length && letters.iter().zip(letters.iter().skip(length)).all(|(one, next)| one == next)
    })
}

fn is_sequence(letters: &[char]) -> bool {
    let steps = |by: i64| {
        let mut pairs = letters.windows(2);
        pairs.all(|pair| matches!(pair, [one, next] if i64::from(u32::from(*next)) - i64::from(u32::from(*one)) == by))
    };
    letters.len() > 1 && (steps(1) || steps(-1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::SHORTEST;

    #[test]
    fn the_list_has_more_than_three_thousand_entries_that_could_be_chosen_n15_a_6_2_4() {
        assert!(entries().count() > 3_000);
        for entry in entries() {
            assert!(entry.chars().count() >= SHORTEST && entry == entry.to_lowercase(), "{entry}");
        }
    }

    #[test]
    fn what_is_tried_first_is_refused_and_nothing_else() {
        let names = ["ada.lovelace@example.org", "grace_hopper", "Countersign"];
        for refused in [
            "password",
            "PassWord1",
            "12345678",
            "qwertyuiop",
            "iloveyou",
            "11111111",
            "elizabeth",
            " password ",
            "        ",
            "abcabcabcabc",
            "12341234123",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "abcdefghij",
            "987654321",
            "countersign",
            "ada.lovelace@example.org",
            "Ada.Lovelace",
            "grace_hopper",
        ] {
            assert!(holds(refused, &names), "{refused}");
        }
        for taken in [
            "correct horse battery staple",
            "x2ljq8-mmv",
            "abcdefgh1",
            "12345123456",
            "example.org",
            "ada.lovelace@example.com",
            "пароль и соль",
        ] {
            assert!(!holds(taken, &names), "{taken}");
        }
    }
}
