//! Codes as users type and paste them. Both dialects hand codes on as the text of the request, and every comparison takes a
//! [`PresentedCode`]: [`crate::totp::TotpSecret::judge`], [`crate::backup_code::BackupCode::parse`] and `parse_typed`, and
//! [`crate::one_time_code::OneTimeCode::presented`]; a code that a service chooses is brought to the same form.

use crate::username::is_ignorable;
use std::fmt;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// The text that a client presented as a code, without what cannot be seen, which apps and messengers put into what is copied:
/// white space, what Unicode says to ignore in display (`Default_Ignorable_Code_Point`, such as a zero width space), and other
/// format characters (`General_Category` Cf, such as an interlinear annotation). No kind of code contains any.
pub struct PresentedCode(String);

impl PresentedCode {
    #[must_use]
    pub fn new(text: &str) -> Self {
        let is_seen = |letter: &char| {
            !letter.is_whitespace() && !is_ignorable(*letter) && letter.general_category() != GeneralCategory::Format
        };
        Self(text.chars().filter(is_seen).collect())
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
            ("\u{fff9}123\u{fffa}456\u{fffb}", "123456"),
            ("123\u{600}456\u{110bd}", "123456"),
            ("123-456", "123-456"),
            ("１２３456", "１２３456"),
            ("", ""),
        ] {
            assert_eq!(PresentedCode::new(text).as_str(), code, "{text:?}");
        }
    }
}
