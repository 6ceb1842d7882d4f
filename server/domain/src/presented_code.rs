//! Codes as users type and paste them.

use crate::username::is_ignorable;
use std::fmt;

/// The text that a client presented as a code, without what cannot be seen: white space and code points such as a zero width
/// space, which apps and messengers put into what is copied. No kind of code contains any.
pub struct PresentedCode(String);

impl PresentedCode {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.chars().filter(|letter| !letter.is_whitespace() && !is_ignorable(*letter)).collect())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PresentedCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PresentedCode([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_left_out_and_all_else_is_kept() {
        for (text, code) in [
            ("123456", "123456"),
            ("123 456", "123456"),
            ("\t123\u{a0}456\r\n", "123456"),
            ("123\u{200b}456\u{feff}", "123456"),
            ("\u{2066}123\u{202f}456\u{2069}", "123456"),
            ("ABCDE-\u{3000}12345", "ABCDE-12345"),
            ("123-456", "123-456"),
            ("１２３456", "１２３456"),
            ("", ""),
        ] {
            assert_eq!(PresentedCode::new(text).as_str(), code, "{text:?}");
        }
    }
}
