//! Text of documents, as it may be shown.

use std::borrow::Cow;

/// Escapes everything that a terminal or a log would interpret: control characters and line breaks, bidirectional
/// formatting, characters that XML does not allow, and GitHub's older command prefix (`##[`).
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) && !text.contains("##[") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match is_hidden(character) {
            true => out.extend(character.escape_default()),
            false => out.push(character),
        }
    }
    Cow::Owned(out.replace("##[", "#\\u{23}["))
}

/// Whether a terminal, an editor or an XML reader would do anything but display the character.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        )
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn control_characters_are_escaped() {
        for (text, expected) in [
            ("plain › ütf-8 😀", "plain › ütf-8 😀"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[31mred\u{9b}0m\0", "\\u{1b}[31mred\\u{9b}0m\\u{0}"),
            ("\u{202e}txt\u{2028}", "\\u{202e}txt\\u{2028}"),
            ("\u{feff}\u{ffff}", "\\u{feff}\\u{ffff}"),
            ("##[error]x ###[y", "#\\u{23}[error]x ##\\u{23}[y"),
        ] {
            assert_eq!(visible(text), expected);
        }
    }
}
