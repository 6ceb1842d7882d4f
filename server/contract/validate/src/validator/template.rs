//! Matches requests with path templates.

use serde_json::Value;

/// A path template with its base path.
pub(super) struct Template {
    text: String,
    segments: Vec<Segment>,
}

/// The variables of a segment, and the literals around them: `{id}.json` has an empty one and `.json`. A segment without
/// variables has one literal.
struct Segment {
    literals: Vec<String>,
    variables: Vec<String>,
}

/// Names of variables, and the texts in their place.
pub(super) type Variables<'t, 'p> = Vec<(&'t str, &'p str)>;

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
        self.variables(path).is_some()
    }

    /// The variables in the path of a request, with their percent-encoding; `None` for a path that does not match.
    pub(super) fn variables<'p>(&self, path: &'p str) -> Option<Variables<'_, 'p>> {
        let mut given = path.split('/');
        let mut out = Vec::new();
        for segment in &self.segments {
            segment.read(given.next()?, &mut out)?;
        }
        given.next().is_none().then_some(out)
    }
}

impl Segment {
    fn new(text: &str) -> Self {
        let (mut literals, mut variables, mut rest) = (Vec::new(), Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{')
            && let Some((name, after)) = after.split_once('}')
        {
            literals.push(before.to_owned());
            variables.push(name.to_owned());
            rest = after;
        }
        literals.push(rest.to_owned());
        Self { literals, variables }
    }

    fn openness(&self) -> Openness {
        match self.literals.as_slice() {
            [_] => Openness::Literal,
            literals if literals.iter().all(String::is_empty) => Openness::Variable,
            _ => Openness::Mixed,
        }
    }

    /// Adds the variables in a segment of a path, each of at least one character; `None` for a segment that does not match.
    fn read<'t, 'p>(&'t self, given: &'p str, out: &mut Variables<'t, 'p>) -> Option<()> {
        let [first, between @ .., last] = self.literals.as_slice() else {
            return self.literals.iter().any(|literal| literal == given).then_some(());
        };
        let mut names = self.variables.iter().map(String::as_str);
        let mut rest = given.strip_prefix(first.as_str())?;
        for literal in between {
            // The shortest match for a variable leaves the most text for those that follow.
            let start = rest.chars().next()?.len_utf8();
            let end = start + rest[start..].find(literal.as_str())?;
            out.push((names.next()?, &rest[..end]));
            rest = &rest[end + literal.len()..];
        }
        let value = rest.strip_suffix(last.as_str()).filter(|value| !value.is_empty())?;
        out.push((names.next()?, value));
        Some(())
    }
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
