//! Generates text that matches a pattern, and text that does not.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A short text that matches the pattern; `None` for a pattern with syntax that only ECMA 262 has.
pub fn matching(pattern: &str) -> Option<String> {
    matching_of_length(pattern, 0)
}

/// A text that matches the pattern and has this number of characters, if possible; otherwise a shorter or longer one.
pub fn matching_of_length(pattern: &str, length: usize) -> Option<String> {
    let pattern = regex_syntax::parse(pattern).ok()?;
    let text = |mut spare: usize| {
        let mut out = Vec::new();
        write(&pattern, &mut spare, &mut out)?;
        String::from_utf8(out).ok()
    };
    let shortest = text(0)?;
    match length.saturating_sub(shortest.chars().count()) {
        0 => Some(shortest),
        spare => text(spare),
    }
}

/// A text that does not match the pattern; `None` if none of a few candidates does not.
pub fn not_matching(pattern: &str) -> Option<&'static str> {
    let compiled = regress::Regex::with_flags(pattern, "u").ok()?;
    ["!", "x y", "0", "é"].into_iter().find(|text| compiled.find(text).is_none())
}

/// Writes a match. Repetitions are repeated more often than necessary until they have used up the spare characters.
fn write(part: &Hir, spare: &mut usize, out: &mut Vec<u8>) -> Option<()> {
    match part.kind() {
        // Assertions are taken to hold, because most are anchors at both ends.
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(Class::Unicode(class)) => {
            // A letter or digit if the class contains one.
            let plain = ('a'..='z').chain('0'..='9').chain('A'..='Z');
            let fits = |wanted: &char| class.iter().any(|range| range.start() <= *wanted && *wanted <= range.end());
            let character = plain.into_iter().find(fits).or_else(|| class.iter().next().map(|range| range.start()))?;
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        HirKind::Class(Class::Bytes(class)) => out.push(class.iter().next()?.start()),
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min.min(4096) {
                write(&repetition.sub, &mut 0, out)?;
            }
            let mut one = Vec::new();
            write(&repetition.sub, &mut 0, &mut one)?;
            let length = std::str::from_utf8(&one).ok()?.chars().count();
            let most = repetition.max.map_or(usize::MAX, |max| usize::try_from(max - repetition.min).unwrap_or(0));
            let times = spare.checked_div(length).unwrap_or(0).min(most);
            *spare -= times * length;
            (0..times).for_each(|_| out.extend_from_slice(&one));
        }
        HirKind::Capture(capture) => write(&capture.sub, spare, out)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, spare, out))?,
        HirKind::Alternation(parts) => write(parts.first()?, spare, out)?,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_match_their_pattern() {
        for (pattern, expected) in [
            ("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", Some("0000-00-00")),
            ("^(ab|cd)+x?$", Some("ab")),
            (r"^\d{3}[^a]$", Some("000b")),
            ("(?=lookahead)", None),
        ] {
            assert_eq!(super::matching(pattern).as_deref(), expected, "{pattern}");
        }
    }

    #[test]
    fn texts_are_made_longer_by_repetitions() {
        for (pattern, length, expected) in [
            ("^[a-z]+$", 5, "aaaaa"),
            ("^x[0-9]{1,3}$", 9, "x000"),
            ("^(ab)*c?$", 5, "ababc"),
            ("^[a-z]{3}$", 1, "aaa"),
        ] {
            assert_eq!(super::matching_of_length(pattern, length).as_deref(), Some(expected), "{pattern}");
        }
    }

    #[test]
    fn other_texts_do_not_match() {
        for (pattern, expected) in [("^[0-9]+$", Some("!")), ("^.$", Some("x y")), ("^[^0-9]*$", Some("0")), ("", None)]
        {
            assert_eq!(super::not_matching(pattern), expected, "{pattern}");
        }
    }
}
