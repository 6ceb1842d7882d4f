//! Matches requests with path templates.

use serde_json::Value;

/// A path template with its base path.
pub(super) struct Template {
    text: String,
    segments: Vec<Segment>,
}

/// The literals around the variables of a segment: `{id}.json` has an empty one and `.json`. A segment without variables
/// has one literal.
struct Segment(Vec<String>);

/// How much of a segment is variable, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Openness {
    Literal,
    Mixed,
    Variable,
}

impl Template {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), segments: text.split('/').map(Segment::new).collect() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Sort key by which the most literal template comes first.
    pub(super) fn openness(&self) -> Vec<Openness> {
        self.segments.iter().map(Segment::openness).collect()
    }

    /// Whether the path of a request matches.
    pub(super) fn fits(&self, path: &str) -> bool {
        let mut given = path.split('/');
        self.segments.iter().all(|segment| given.next().is_some_and(|given| segment.fits(given)))
            && given.next().is_none()
    }
}

impl Segment {
    fn new(text: &str) -> Self {
        let (mut literals, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{')
            && let Some((_, after)) = after.split_once('}')
        {
            literals.push(before.to_owned());
            rest = after;
        }
        literals.push(rest.to_owned());
        Self(literals)
    }

    fn openness(&self) -> Openness {
        match self.0.as_slice() {
            [_] => Openness::Literal,
            literals if literals.iter().all(String::is_empty) => Openness::Variable,
            _ => Openness::Mixed,
        }
    }

    /// Whether a segment of a path matches. Each variable matches at least one character.
    fn fits(&self, given: &str) -> bool {
        let [first, between @ .., last] = self.0.as_slice() else {
            return self.0.iter().any(|literal| literal == given);
        };
        let Some(mut rest) = given.strip_prefix(first.as_str()) else { return false };
        for literal in between {
            // The shortest match for a variable leaves the most text for those that follow.
            let Some(after) = after_one(rest).and_then(|rest| Some(rest.split_once(literal.as_str())?.1)) else {
                return false;
            };
            rest = after;
        }
        after_one(rest).is_some_and(|rest| rest.ends_with(last.as_str()))
    }
}

/// The text without its first character.
fn after_one(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next().map(|_| characters.as_str())
}

/// The path of the first server without a trailing slash: `/v1` for `https://host/v1/`. Variables are replaced by their
/// defaults.
pub(super) fn base_path(servers: &Value) -> String {
    let server = &servers[0];
    let mut url = server["url"].as_str().unwrap_or_default().to_owned();
    for (name, variable) in server["variables"].as_object().into_iter().flatten() {
        url = url.replace(&format!("{{{name}}}"), variable["default"].as_str().unwrap_or_default());
    }
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |slash| &rest[slash..]),
        // `//host/v1` is a URL without a scheme.
        None if url.starts_with("//") => url[2..].find('/').map_or("", |slash| &url[2 + slash..]),
        None => &url,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    if path.is_empty() || path == "." { String::new() } else { format!("/{}", path.trim_start_matches("./")) }
}
