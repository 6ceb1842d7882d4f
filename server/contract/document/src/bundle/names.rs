//! Names of the components that the targets of references become.

use crate::grammar::Kind;
use crate::pointer;

/// The last token of a pointer, or else the stem of the file, as a valid name of a component.
pub(super) fn natural_name(path: &str, pointer: &str) -> String {
    let stem = path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
    let last = Some(pointer::last_token(pointer)).filter(|last| !last.is_empty());
    last.as_deref().unwrap_or(stem).chars().map(word_character).collect()
}

/// A name with the path of the file, without its extension, as a prefix.
pub(super) fn long_name(path: &str, pointer: &str, natural: &str) -> String {
    let long = format!("{path}/{}", if pointer.is_empty() { "" } else { natural });
    long.trim_matches(['.', '/']).chars().map(word_character).collect()
}

/// Whether the component at a place has the natural name of the target that it refers to, ignoring case.
pub(super) fn is_namesake(place: &str, reference: &str) -> bool {
    let (path, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    natural_name(path, pointer).eq_ignore_ascii_case(&pointer::last_token(place))
}

/// The section of `components` for objects of a kind.
pub(super) fn section(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Schema => Some("schemas"),
        Kind::Response => Some("responses"),
        Kind::Parameter => Some("parameters"),
        Kind::Example => Some("examples"),
        Kind::Body => Some("requestBodies"),
        Kind::Header => Some("headers"),
        Kind::SecurityScheme => Some("securitySchemes"),
        Kind::Link => Some("links"),
        Kind::Callback => Some("callbacks"),
        Kind::MediaType => Some("mediaTypes"),
        _ => None,
    }
}

/// Replaces a character that names of components cannot contain (OpenAPI 3.0.3, Components Object).
fn word_character(character: char) -> char {
    if character.is_ascii_alphanumeric() || "._-".contains(character) { character } else { '_' }
}
