//! Files in TOML that steer the tools: the configuration and the exceptions.

use countersign_contract_document::{Position, SourceSpan, visible};
use countersign_contract_lint::nearest;
use serde::de::DeserializeOwned;
use std::ops::Range;

/// A file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", visible(&format!("{span}: {problem}")))]
pub struct SettingsError {
    /// Where the problem is.
    pub span: SourceSpan,
    /// What was found, and what is expected.
    pub problem: String,
}

/// Reads a file. `name` is how messages call it.
pub(crate) fn read<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, SettingsError> {
    toml_edit::de::from_str(text).map_err(|error| problem(name, text, error.span(), error.message()))
}

/// An error at a range of bytes of the text.
pub(crate) fn problem(name: &str, text: &str, range: Option<Range<usize>>, message: &str) -> SettingsError {
    let problem = match hint(message) {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message.to_owned(),
    };
    SettingsError { span: span(name, text, range), problem }
}

/// The position of a range of bytes of the text; the first line without one.
pub(crate) fn span(name: &str, text: &str, range: Option<Range<usize>>) -> SourceSpan {
    let before = range.and_then(|range| text.get(..range.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    SourceSpan { document: name.to_owned(), position: Position { line: number(line), column: number(column) } }
}

/// The known word that was probably meant. Messages of serde quote the unknown word first, and all known ones after it.
fn hint(message: &str) -> Option<&str> {
    let mut words = message.strip_prefix("unknown ")?.split('`').skip(1).step_by(2);
    let unknown = words.next()?;
    nearest(unknown, words)
}

#[cfg(test)]
mod tests {
    use super::{read, span};
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    #[expect(dead_code, reason = "only what cannot be read is looked at")]
    struct Example {
        notice_days: u32,
        level: Option<Level>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Level {
        Stable,
        Beta,
    }

    #[test]
    fn problems_have_a_position_and_a_hint() {
        for (text, expected) in [
            (
                "notice-days = 1\nnotice-day = 2",
                "a.toml:2:1: unknown field `notice-day`, expected `notice-days` or `level`; did you mean `notice-days`?",
            ),
            (
                "notice-days = 1\nlevel = 'betta'",
                "a.toml:2:9: unknown variant `betta`, expected `stable` or `beta`; did you mean `beta`?",
            ),
            ("notice-days = 1\nx = 2", "a.toml:2:1: unknown field `x`, expected `notice-days` or `level`"),
        ] {
            assert_eq!(read::<Example>("a.toml", text).expect_err(text).to_string(), expected);
        }
        let error = read::<Example>("a.toml", "notice-days = \"x\"").expect_err("a text is no number");
        assert!(error.to_string().starts_with("a.toml:1:15: invalid type"), "{error}");
    }

    #[test]
    fn positions_count_characters_from_one() {
        let text = "é = 1\nüb = 2\n";
        let at = |start: usize| span("a", text, Some(start..start)).to_string();
        assert_eq!((at(0), at(7), at(9)), ("a:1:1".to_owned(), "a:2:1".to_owned(), "a:2:2".to_owned()));
    }
}
