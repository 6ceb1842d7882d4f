//! JSON pointers (RFC 6901) as text.

use serde_json::{Map, Value};

/// The JSON pointer that consists of these unescaped tokens; empty without tokens.
#[must_use]
pub fn from_tokens<S: AsRef<str>>(tokens: impl IntoIterator<Item = S>) -> String {
    tokens.into_iter().map(|token| format!("/{}", escape(token.as_ref()))).collect()
}

/// The value at a JSON pointer, as [`Value::pointer`] finds it, but without a copy of each token.
pub(crate) fn find<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    let mut tokens = pointer.split('/');
    if !tokens.next()?.is_empty() {
        return None;
    }
    tokens.try_fold(value, |here, token| match here {
        Value::Object(entries) if token.contains('~') => entries.get(&unescape(token)),
        Value::Object(entries) => entries.get(token),
        // An index has neither a sign nor leading zeros (RFC 6901, section 4).
        Value::Array(items) if token == "0" || token.starts_with(|first: char| ('1'..='9').contains(&first)) => {
            items.get(token.parse::<usize>().ok()?)
        }
        _ => None,
    })
}

/// Inserts a value at a JSON pointer, creating missing objects; `false` if a value on the way is neither object nor array.
pub(crate) fn put(value: &mut Value, pointer: &str, new: Value) -> bool {
    let mut here = value;
    for token in tokens(pointer) {
        if here.is_null() {
            *here = Value::Object(Map::new());
        }
        here = match here {
            Value::Object(entries) => entries.entry(token).or_insert_with(|| Value::Object(Map::new())),
            Value::Array(items) => match token.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                Some(item) => item,
                None => return false,
            },
            _ => return false,
        };
    }
    *here = new;
    true
}

/// Appends an unescaped token to a JSON pointer.
pub(crate) fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    match token.contains(['~', '/']) {
        true => pointer.push_str(&escape(token)),
        false => pointer.push_str(token),
    }
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
    use super::{escape, find, from_tokens, last_token, tokens, unescape};
    use serde_json::json;

    #[test]
    fn values_are_found_as_serde_json_finds_them() {
        let value = json!({"a": [{"b/c": 1, "~1": 2, "": {"": 3}}, "text"], "0": null, "01": 4});
        for pointer in [
            "",
            "/",
            "/a",
            "a",
            "/a/0",
            "/a/1",
            "/a/01",
            "/a/+1",
            "/a/-",
            "/a/2",
            "/a/0/b~1c",
            "/a/0/~01",
            "/a/0//",
            "/a/1/0",
            "/0",
            "/01",
            "/0/a",
            "/a/",
            "//",
            "/a/0/b/c",
        ] {
            assert_eq!(find(&value, pointer), value.pointer(pointer), "{pointer}");
        }
    }

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
