//! Relates names in paths, parameters and values to each other.
//!
//! `userId`, `user_id`, the `id` of a `user`, and the `id` of one of the `users` are the same.

/// Names that say nothing without what they belong to.
const GENERAL: [&str; 14] = [
    "id", "uuid", "guid", "key", "name", "code", "type", "status", "value", "number", "slug", "title", "label",
    "version",
];

/// Names of objects that only wrap others.
const WRAPPERS: [&str; 9] = ["data", "item", "result", "content", "record", "entry", "object", "response", "value"];

/// Words of operations that end what other requests need.
const ENDS: [&str; 19] = [
    "ban",
    "cancel",
    "close",
    "deactivate",
    "delete",
    "destroy",
    "disable",
    "erase",
    "lock",
    "logoff",
    "logout",
    "purge",
    "remove",
    "reset",
    "revoke",
    "signoff",
    "signout",
    "suspend",
    "terminate",
];

/// The same with two words.
const ENDS_IN_TWO: [[&str; 2]; 4] = [["sign", "out"], ["log", "out"], ["change", "password"], ["set", "password"]];

/// Words of operations that end something of the caller, such as the session whose credentials are used.
const OF_THE_CALLER: [&str; 8] = ["account", "logoff", "logout", "me", "sessions", "signoff", "signout", "user"];

/// Letters and digits in lower case.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// ASCII text with its first letter as a capital.
pub(super) fn capitalize_first(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// The plain name of one of the things that a word names: `user` for `users`.
pub(super) fn singular(name: &str) -> String {
    let name = plain(name);
    if let Some(start) = name.strip_suffix("ies") {
        return format!("{start}y");
    }
    let has_long_ending = ["sses", "xes", "ches", "shes"].into_iter().any(|ending| name.ends_with(ending));
    let start = if has_long_ending {
        name.strip_suffix("es")
    } else {
        name.strip_suffix('s').filter(|start| start.len() > 1 && !start.ends_with('s'))
    };
    start.map(str::to_owned).unwrap_or(name)
}

/// The name of what a path is about: `user` for `/users/{id}`. Empty if it has no literal segments.
pub(super) fn of_resource(path: &str) -> String {
    let last = path.rsplit('/').find(|segment| !segment.is_empty() && !segment.contains('{'));
    last.map(singular).unwrap_or_default()
}

/// Names of the value of a path variable, the most specific one first.
pub(super) fn of_variable(path: &str, variable: &str) -> Vec<String> {
    let before = path.split(&format!("{{{variable}}}")).next().unwrap_or_default();
    let resource = of_resource(before);
    let name = plain(variable);
    let mut out = match name.as_str() {
        general if GENERAL.contains(&general) => vec![format!("{resource}{name}")],
        same if same == resource => vec![format!("{name}id"), name],
        _ if name.ends_with("id") => vec![name, format!("{resource}id")],
        _ => vec![name],
    };
    out.dedup();
    out
}

/// Names of the value of another parameter or a property.
pub(super) fn of_value(name: &str) -> Vec<String> {
    let name = plain(name);
    if GENERAL.contains(&name.as_str()) { Vec::new() } else { vec![name] }
}

/// The name under which a value in a message is known: a property of an object that belongs to `owner`.
pub(super) fn of_property(owner: &str, property: &str) -> String {
    let name = plain(property);
    if GENERAL.contains(&name.as_str()) { format!("{owner}{name}") } else { name }
}

/// The names under which the value of a property may be known, the most specific one first: `ownerUserId` is also a `userId`.
pub(super) fn of_member(owner: &str, property: &str) -> Vec<String> {
    // The user of the tool may give a value for a general name.
    let mut out = vec![of_property(owner, property), plain(property)];
    if let [_, .., kind, id] = words(property).as_slice()
        && id == "id"
    {
        out.push(format!("{kind}{id}"));
    }
    out.dedup();
    out
}

/// The number of segments at the beginning that two paths have in common.
pub(super) fn shared_segments(one: &str, other: &str) -> usize {
    one.split('/').zip(other.split('/')).take_while(|(one, other)| one == other).count()
}

/// What the values within a property belong to.
pub(super) fn of_owner(owner: &str, property: &str) -> String {
    let name = singular(property);
    if WRAPPERS.contains(&name.as_str()) { owner.to_owned() } else { name }
}

/// Whether the words of a path or an operationId are those of an operation that ends something.
pub(super) fn are_of_an_end(text: &str) -> bool {
    let words = words(text);
    words.iter().any(|word| ENDS.contains(&word.as_str()))
        || words.windows(2).any(|pair| ENDS_IN_TWO.iter().any(|two| pair == two))
}

/// How much an operation that ends something takes from the caller, by the words of its path: nothing, the password, or the
/// session or account.
pub(super) fn severity_of_end(path: &str) -> usize {
    let words = words(path);
    let has = |word: &str| words.iter().any(|given| given == word);
    let is_out = words.windows(2).any(|pair| pair == ["sign", "out"] || pair == ["log", "out"]);
    match (OF_THE_CALLER.iter().any(|word| has(word)) && !has("other") || is_out, has("password")) {
        (_, true) => 1,
        (true, false) => 2,
        (false, false) => 0,
    }
}

/// Words in lower case, of `kebab-case`, `snake_case` and `camelCase`.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut was_lower = false;
    for character in text.chars() {
        let starts_word = character.is_uppercase() && was_lower;
        if !character.is_alphanumeric() || starts_word {
            out.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(last) = out.last_mut()
        {
            last.extend(character.to_lowercase());
        }
        was_lower = character.is_lowercase();
    }
    out.retain(|word| !word.is_empty());
    out
}

#[cfg(test)]
mod tests {
    use super::{
        are_of_an_end, of_member, of_owner, of_property, of_resource, of_variable, severity_of_end, shared_segments,
        singular,
    };

    #[test]
    fn variables_have_the_names_of_what_responses_contain() {
        for (path, variable, expected) in [
            ("/users/{userId}", "userId", &["userid"][..]),
            ("/users/{id}", "id", &["userid"]),
            ("/users/{user}", "user", &["userid", "user"]),
            ("/users/{user_id}/sessions/{grantId}", "grantId", &["grantid", "sessionid"]),
            ("/categories/{name}", "name", &["categoryname"]),
            ("/{id}", "id", &["id"]),
            ("/reset/{token}", "token", &["token"]),
        ] {
            assert_eq!(of_variable(path, variable), expected, "{path}");
        }
        assert_eq!(of_member("task", "ownerUserId"), ["owneruserid", "userid"]);
        assert_eq!(of_member("task", "userId"), ["userid"]);
        assert_eq!(of_member("task", "name"), ["taskname", "name"]);
        assert_eq!(of_property("user", "id"), "userid");
        assert_eq!(of_property("user", "sessionToken"), "sessiontoken");
        assert_eq!((of_owner("user", "data"), of_owner("user", "grants")), ("user".to_owned(), "grant".to_owned()));
        assert_eq!(of_resource("/api/users/{id}"), "user");
    }

    #[test]
    fn paths_share_the_segments_at_their_beginning() {
        for (one, other, expected) in [("/a/b", "/a/b/{c}", 3), ("/a/{b}", "/a/c", 2), ("", "/a", 1), ("/a", "/b", 1)] {
            assert_eq!(shared_segments(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn plural_words_become_singular() {
        for (word, expected) in [
            ("users", "user"),
            ("categories", "category"),
            ("boxes", "box"),
            ("addresses", "address"),
            ("status", "statu"),
            ("class", "class"),
            ("s", "s"),
        ] {
            assert_eq!(singular(word), expected);
        }
    }

    #[test]
    fn operations_that_end_something_are_known_by_their_words() {
        for (text, expected) in [
            ("/sign-out", true),
            ("signOut", true),
            ("/users/{id}/unlock", false),
            ("deleteUser", true),
            ("/sign-in/email", false),
            ("setPassword", true),
            ("/undeleted", false),
        ] {
            assert_eq!(are_of_an_end(text), expected, "{text}");
        }
        for (path, expected) in [
            ("/two-factor/disable", 0),
            ("/revoke-other-sessions", 0),
            ("/change-password", 1),
            ("/revoke-sessions", 2),
            ("/sign-out", 2),
            ("/delete-user", 2),
        ] {
            assert_eq!(severity_of_end(path), expected, "{path}");
        }
    }
}
