//! Generates text that matches a pattern.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A short text that matches the pattern; `None` for a pattern with syntax that only ECMA 262 has.
pub(super) fn matching(pattern: &str) -> Option<String> {
    let mut out = Vec::new();
    write(&regex_syntax::parse(pattern).ok()?, &mut out)?;
    String::from_utf8(out).ok()
}

fn write(part: &Hir, out: &mut Vec<u8>) -> Option<()> {
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
                write(&repetition.sub, out)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, out)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, out))?,
        HirKind::Alternation(parts) => write(parts.first()?, out)?,
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
}
