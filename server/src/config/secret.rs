//! Values that must not appear in logs, panics or `check-config`.

use std::fmt;

/// Text that `Debug` does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For the one call that needs the secret.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// Redacts user and password, which a URL carries between `://` and `@` or as the parameter `password`.
pub(crate) fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    if rest.to_ascii_lowercase().contains("password=") {
        return format!("{scheme}://[redacted]");
    }
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..authority_end].rfind('@') {
        // A password with an unescaped slash ends the authority too early; an `@` further on gives it away.
        None if rest.contains('@') => format!("{scheme}://[redacted]"),
        None => url.to_owned(),
        Some(at) => format!("{scheme}://[redacted]{}", &rest[at..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", SecretText::new("hunter2")), "[redacted]");
    }

    #[test]
    fn credentials_leave_the_url() {
        for (url, shown) in [
            ("postgres://ann:pw@db:5432/two", "postgres://[redacted]@db:5432/two"),
            ("postgres://ann:p@w@db/two", "postgres://[redacted]@db/two"),
            ("postgres://ann:p/w@db/two", "postgres://[redacted]"),
            ("postgres://db/two?user=x", "postgres://db/two?user=x"),
            ("postgres://db/two?user=x&password=y", "postgres://[redacted]"),
            ("sqlite:./a.db", "sqlite:./a.db"),
        ] {
            assert_eq!(without_credentials(url), shown);
        }
    }
}
