//! Text for terminals: what a client or a document says must not move the cursor, set colours, hide or reorder text.

use std::borrow::Cow;

/// `text` with control characters, line breaks and bidirectional formatting escaped.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    escape(text, is_hidden)
}

/// The same, with line breaks kept.
#[must_use]
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escape(text, |character| character != '\n' && is_hidden(character))
}

fn escape(text: &str, is_hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match is_hidden(character) {
            true => out.extend(character.escape_default()),
            false => out.push(character),
        }
    }
    Cow::Owned(out)
}

/// C0 and C1 controls, and the characters of Unicode that format, join or reorder others.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_interpret_is_escaped() {
        for (text, expected) in [
            ("plain › ütf-8 😀", "plain › ütf-8 😀"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}]0;title\u{7}\u{9b}31m\0", "\\u{1b}]0;title\\u{7}\\u{9b}31m\\u{0}"),
            ("\u{202e}txt\u{2066}\u{feff}", "\\u{202e}txt\\u{2066}\\u{feff}"),
        ] {
            assert_eq!(printable(text), expected);
        }
        assert_eq!(printable_lines("a\nb\r\u{1b}"), "a\nb\\r\\u{1b}");
    }
}
