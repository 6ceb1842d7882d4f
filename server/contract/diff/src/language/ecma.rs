//! Rewrites patterns of ECMA 262 as regular expressions of Rust with the same meaning.
//!
//! Patterns are read with the `u` flag, and as browsers read them where that is an error (ECMA 262, appendix B). What the
//! two dialects write alike is passed on; classes, escapes and the dot are written out, because Rust gives them a Unicode
//! meaning. Look-around, back-references and `\B` have no equivalent.

use regress::Regex;
use std::iter::Peekable;
use std::str::Chars;

/// The members of `\d`, `\s` and `\w` (ECMA 262, section 22.2.2.9).
const DIGITS: &str = "0-9";
const SPACES: &str = r"\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}";
const WORD: &str = "0-9A-Z_a-z";

/// The characters that the dot does not match (ECMA 262, section 12.3).
const LINE_ENDS: &str = r"\n\r\x{2028}\x{2029}";

/// A part of a pattern that stands for one character.
enum Atom {
    Character(char),
    /// A class of Rust.
    Class(String),
}

/// The pattern in the dialect of Rust; `None` if it is invalid or has no equivalent.
pub(super) fn translate(pattern: &str) -> Option<String> {
    Regex::with_flags(pattern, "u").or_else(|_| Regex::new(pattern)).ok()?;
    let mut rest = pattern.chars().peekable();
    let mut out = String::new();
    while let Some(character) = rest.next() {
        match character {
            '\\' if rest.next_if_eq(&'b').is_some() => out.push_str(r"(?-u:\b)"),
            '\\' => escape(&mut rest)?.write(&mut out),
            '.' => out.push_str(&format!("[^{LINE_ENDS}]")),
            '[' => class(&mut rest, &mut out)?,
            '(' => group(&mut rest, &mut out)?,
            '{' if is_count(rest.clone()) => out.push('{'),
            '}' if is_in_count(&out) => out.push('}'),
            '^' | '$' | '*' | '+' | '?' | '|' | ')' => out.push(character),
            other => Atom::Character(other).write(&mut out),
        }
    }
    Some(out)
}

impl Atom {
    fn write(&self, out: &mut String) {
        match self {
            Self::Character(character) if character.is_ascii_alphanumeric() || *character == ',' => {
                out.push(*character)
            }
            Self::Character(character) => out.push_str(&format!("\\x{{{:x}}}", u32::from(*character))),
            Self::Class(class) => out.push_str(class),
        }
    }
}

/// Whether the text behind an opening brace is the count of a quantifier.
fn is_count(mut rest: Peekable<Chars<'_>>) -> bool {
    let digits = |rest: &mut Peekable<Chars<'_>>| std::iter::from_fn(|| rest.next_if(char::is_ascii_digit)).count();
    if digits(&mut rest) == 0 {
        return false;
    }
    if rest.next_if_eq(&',').is_some() {
        digits(&mut rest);
    }
    rest.next() == Some('}')
}

/// Whether a closing brace behind this text ends the count of a quantifier.
fn is_in_count(out: &str) -> bool {
    out.trim_end_matches(|character: char| character.is_ascii_digit() || character == ',').ends_with('{')
        && !out.ends_with('{')
}

/// Reads what follows an opening parenthesis.
fn group(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<()> {
    out.push_str("(?:");
    if rest.next_if_eq(&'?').is_none() {
        return Some(());
    }
    match rest.next()? {
        ':' => Some(()),
        // The name of a group, unless it is a look-behind.
        '<' if !matches!(rest.peek(), Some('=' | '!')) => rest.find(|character| *character == '>').map(|_| ()),
        _ => None,
    }
}

/// Reads what follows a backslash.
fn escape(rest: &mut Peekable<Chars<'_>>) -> Option<Atom> {
    let class = |members: &str| Some(Atom::Class(format!("[{members}]")));
    let character = match rest.next()? {
        'd' => return class(DIGITS),
        'D' => return class(&format!("^{DIGITS}")),
        's' => return class(SPACES),
        'S' => return class(&format!("^{SPACES}")),
        'w' => return class(WORD),
        'W' => return class(&format!("^{WORD}")),
        letter @ ('p' | 'P') => {
            rest.next_if_eq(&'{')?;
            let property: String = rest.by_ref().take_while(|character| *character != '}').collect();
            return Some(Atom::Class(format!("\\{letter}{{{property}}}")));
        }
        't' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        '0' if !rest.peek().is_some_and(char::is_ascii_digit) => '\0',
        'c' => char::from(u8::try_from(rest.next_if(char::is_ascii_alphabetic)?).ok()? % 32),
        'x' => char::from_u32(hexadecimal(rest, 2)?)?,
        'u' => code_point(rest)?,
        letter if letter.is_ascii_alphanumeric() => return None,
        other => other,
    };
    Some(Atom::Character(character))
}

/// Reads what follows `\u`: four digits, two such escapes for the halves of a character, or digits in braces.
fn code_point(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    if rest.next_if_eq(&'{').is_some() {
        let digits: String = rest.by_ref().take_while(|character| *character != '}').collect();
        return char::from_u32(u32::from_str_radix(&digits, 16).ok()?);
    }
    let first = u16::try_from(hexadecimal(rest, 4)?).ok()?;
    let mut halves = vec![first];
    if (0xd800..0xdc00).contains(&first) {
        rest.next_if_eq(&'\\')?;
        rest.next_if_eq(&'u')?;
        halves.push(u16::try_from(hexadecimal(rest, 4)?).ok()?);
    }
    char::decode_utf16(halves).next()?.ok()
}

fn hexadecimal(rest: &mut Peekable<Chars<'_>>, length: usize) -> Option<u32> {
    let digits: String = rest.by_ref().take(length).collect();
    u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == length)
}

/// Reads what follows an opening bracket.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<()> {
    let is_negated = rest.next_if_eq(&'^').is_some();
    let mut members = String::new();
    while rest.next_if_eq(&']').is_none() {
        let first = member(rest)?;
        let mut behind = rest.clone();
        let is_range = behind.next() == Some('-') && behind.next().is_some_and(|next| next != ']');
        first.write(&mut members);
        if !is_range {
            continue;
        }
        rest.next();
        let last = member(rest)?;
        // Next to a class, a hyphen is no range.
        match (&first, &last) {
            (Atom::Character(_), Atom::Character(_)) => members.push('-'),
            _ => Atom::Character('-').write(&mut members),
        }
        last.write(&mut members);
    }
    out.push_str(&match (is_negated, members.is_empty()) {
        (true, true) => r"[\x{0}-\x{10ffff}]".to_owned(),
        (false, true) => r"[^\x{0}-\x{10ffff}]".to_owned(),
        (true, false) => format!("[^{members}]"),
        (false, false) => format!("[{members}]"),
    });
    Some(())
}

fn member(rest: &mut Peekable<Chars<'_>>) -> Option<Atom> {
    match rest.next()? {
        // In a class, it is a backspace.
        '\\' if rest.next_if_eq(&'b').is_some() => Some(Atom::Character('\u{8}')),
        '\\' => escape(rest),
        other => Some(Atom::Character(other)),
    }
}
