//! Whether a text is a regular expression of ECMA 262.
//!
//! `regress` decides, in the reading that browsers use without the `u` flag (ECMA 262, appendix B): punctuation may be
//! escaped freely, and `{`, `}` and `]` may stand for themselves. Three things that it accepts are rejected here:
//! escaped letters without a meaning (`\A`, `\z` and `\h` belong to other dialects), repeated word boundaries, which
//! browsers reject, and flags within a pattern (`(?i:a)`), which engines from before ECMA 262 of 2025 reject.

use regress::Regex;

/// Checks a pattern. The error says what is wrong with it.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    Regex::new(pattern).map_err(|error| in_lower_case(&error.text))?;
    let mut rest = pattern;
    let mut is_in_class = false;
    while let Some(character) = rest.chars().next() {
        let behind = &rest[character.len_utf8()..];
        rest = match character {
            '\\' => check_escape(pattern, behind, is_in_class)?,
            '[' => {
                is_in_class = true;
                behind
            }
            ']' => {
                is_in_class = false;
                behind
            }
            '(' if !is_in_class => check_group(behind)?,
            _ => behind,
        };
    }
    Ok(())
}

/// Checks what follows a backslash. Returns the text behind the escape.
fn check_escape<'p>(pattern: &str, text: &'p str, is_in_class: bool) -> Result<&'p str, String> {
    let Some(character) = text.chars().next() else { return Ok(text) };
    let braces = || text[1..].starts_with('{').then(|| text.find('}')).flatten().map(|end| end + 1);
    let length = match character {
        'c' => 2,
        'x' => 3,
        'u' => braces().unwrap_or(5),
        'p' | 'P' => braces().unwrap_or(1),
        'k' if !is_in_class => text.find('>').map_or(1, |end| end + 1),
        other => other.len_utf8(),
    };
    let Some((escape, behind)) = text.split_at_checked(length) else {
        return Err(format!("`\\{character}` is incomplete"));
    };
    let is_known = match character {
        'k' if !is_in_class => escape.len() > 1 && pattern.contains(&format!("(?{}", &escape[1..])),
        // With the `u` flag, an escaped letter has to mean something.
        letter if letter.is_ascii_alphabetic() => {
            let alone = if is_in_class { format!("[\\{escape}]") } else { format!("\\{escape}") };
            Regex::with_flags(&alone, "u").is_ok()
        }
        _ => true,
    };
    if !is_known {
        return Err(format!("`\\{escape}` means nothing in ECMA 262"));
    }
    if !is_in_class && matches!(character, 'b' | 'B') && is_quantifier(behind) {
        return Err(format!("`\\{escape}` cannot be repeated"));
    }
    Ok(behind)
}

/// Whether the text begins with `*`, `+`, `?` or a count in braces.
fn is_quantifier(text: &str) -> bool {
    let count = text.strip_prefix('{').and_then(|text| text.split_once('}')).map(|(count, _)| count);
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    text.starts_with(['*', '+', '?'])
        || count.is_some_and(|count| {
            let (least, most) = count.split_once(',').unwrap_or((count, ""));
            !least.is_empty() && is_number(least) && is_number(most)
        })
}

/// Checks what follows an opening parenthesis. Returns the text behind it.
fn check_group(text: &str) -> Result<&str, String> {
    match text.strip_prefix('?') {
        Some(kind) if !kind.starts_with([':', '=', '!', '<']) => {
            Err("flags within a pattern are too new for most engines".to_owned())
        }
        _ => Ok(text),
    }
}

/// A message of `regress` in the manner of this crate's.
fn in_lower_case(message: &str) -> String {
    let mut characters = message.trim_end_matches('.').chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn valid_patterns_are_accepted() {
        for pattern in [
            "",
            "^",
            "a|b|",
            "^[A-Za-z0-9]{5}-[A-Za-z0-9]{5}$",
            "^otpauth://totp/",
            "^[^:]*$",
            r"^\S+$",
            r"\d{1,3}\.\d{2,}",
            "(?:a)(?=b)(?!c)(?<=d)(?<!e)(?<year>f)\\k<year>",
            "a*?b+?c??d{2}?",
            "(?=a)*",
            r"[\w.-]+",
            r"[\]\[\-]",
            "[]",
            "[^]",
            "a{,3}",
            "a{",
            "x{a}",
            "}",
            "]",
            r"\/\-\@\_",
            r"\x41\u0041\u{1F600}\cA\0\1",
            r"[\b]",
            r"\p{L}+\P{Script=Greek}",
            "[a-]",
            "[-a]",
            r"[\d-z]",
            "é😀",
            r"\ud83d\ude00",
            "[[:alpha:]]",
            r"[\b*]\b",
            r"\b{a}",
            "[(?]",
        ] {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn invalid_patterns_and_other_dialects_are_rejected() {
        for (pattern, problem) in [
            ("(", "unbalanced parenthesis"),
            ("a)", "unbalanced parenthesis"),
            ("[a", "unbalanced bracket"),
            ("[a-", "unbalanced bracket"),
            ("[z-a]", "range values reversed, start char code is greater than end char code"),
            ("*a", "invalid atom character"),
            ("a|+", "invalid atom character"),
            ("{2}", "invalid braced quantifier"),
            ("^*", "quantifier not allowed here"),
            (r"\b{2}", r"`\b` cannot be repeated"),
            (r"\B{2,}", r"`\B` cannot be repeated"),
            (r"\b*", r"`\b` cannot be repeated"),
            ("a**", "invalid atom character"),
            ("a++", "invalid atom character"),
            ("a{3,2}", "invalid quantifier"),
            ("(?i)a", "invalid group modifier"),
            ("(?i:a)", "flags within a pattern are too new for most engines"),
            ("(?P<a>b)", "invalid group modifier"),
            ("(?>a)", "invalid group modifier"),
            ("(?<>a)", "invalid token at named capture group identifier"),
            (r"\k<a>", r"`\k<a>` means nothing in ECMA 262"),
            (r"\ka", r"`\k` means nothing in ECMA 262"),
            (r"\Aa\z", r"`\A` means nothing in ECMA 262"),
            (r"a\z", r"`\z` means nothing in ECMA 262"),
            (r"[\h]", r"`\h` means nothing in ECMA 262"),
            (r"[\B]", r"`\B` means nothing in ECMA 262"),
            ("a\\", "incomplete escape"),
            (r"\xg1", r"`\xg1` means nothing in ECMA 262"),
            (r"\u12", r"`\u` is incomplete"),
            (r"\u{110000}", r"`\u{110000}` means nothing in ECMA 262"),
            (r"\pL", r"`\p` means nothing in ECMA 262"),
            (r"\p{Foo}", r"`\p{Foo}` means nothing in ECMA 262"),
            (r"\c1", r"`\c1` means nothing in ECMA 262"),
        ] {
            assert_eq!(check(pattern), Err(problem.to_owned()), "{pattern}");
        }
        assert_eq!(check(&"(".repeat(100_000)), Err("regular expression is too deeply nested".to_owned()));
    }
}
