//! JSON pointers (RFC 6901) as text.

/// The JSON pointer that consists of these unescaped tokens; empty without tokens.
#[must_use]
pub fn from_tokens<S: AsRef<str>>(tokens: impl IntoIterator<Item = S>) -> String {
    tokens.into_iter().map(|token| format!("/{}", escape(token.as_ref()))).collect()
}

/// The unescaped tokens of a JSON pointer.
pub fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(unescape)
}

/// The last unescaped token of a JSON pointer; empty for the pointer to the whole document.
#[must_use]
pub fn last_token(pointer: &str) -> String {
    pointer.rsplit('/').next().map(unescape).unwrap_or_default()
}

/// Escapes one token: `~` becomes `~0` and `/` becomes `~1`.
#[must_use]
pub fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// Undoes [`escape`].
#[must_use]
pub fn unescape(token: &str) -> String {
    // In this order, so that `~01` becomes `~1` and not `/` (RFC 6901, section 4).
    token.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::{escape, from_tokens, last_token, tokens, unescape};

    #[test]
    fn tokens_survive_the_way_through_a_pointer() {
        for token in ["", "a", "/", "~", "~1", "~01", "a/b~c", "~0/~1"] {
            assert_eq!(unescape(&escape(token)), token);
        }
        assert_eq!(from_tokens(["paths", "/users/{id}", "a~b"]), "/paths/~1users~1{id}/a~0b");
        assert!(tokens("/paths/~1users~1{id}/a~0b").eq(["paths", "/users/{id}", "a~b"]));
        assert_eq!(tokens("").count(), 0);
        assert_eq!((last_token("/a/b~1c").as_str(), last_token("").as_str()), ("b/c", ""));
    }
}
