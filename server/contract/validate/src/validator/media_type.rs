//! Finds the documented media type of a response, and recognises JSON.

use countersign_contract_document::Node;

/// A parsed media type or range. All but the values of parameters is in lower case.
struct MediaType {
    kind: String,
    subtype: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    fn parse(text: &str) -> Self {
        let mut parts = text.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/').unwrap_or((&essence, ""));
        let parameter = |part: &str| {
            let (name, value) = part.split_once('=')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_owned()))
        };
        Self { kind: kind.to_owned(), subtype: subtype.to_owned(), parameters: parts.filter_map(parameter).collect() }
    }

    /// How specifically this documented type or range matches `given`: the number of its parts that are not wildcards.
    /// `None` if it does not match. Parameters that it does not have are ignored.
    fn exactness(&self, given: &Self) -> Option<usize> {
        let part = |wanted: &str, given: &str| match wanted {
            "*" => Some(0),
            _ => (wanted == given).then_some(1),
        };
        let has = |(name, value): &(String, String)| {
            given.parameters.iter().any(|(other, given)| other == name && given.eq_ignore_ascii_case(value))
        };
        let named = part(&self.kind, &given.kind)? + part(&self.subtype, &given.subtype)?;
        self.parameters.iter().all(has).then_some(named + self.parameters.len())
    }
}

/// The documented media type that matches `given` most specifically.
pub(super) fn find<'a>(content: &Node<'a>, given: &str) -> Option<Node<'a>> {
    let given = MediaType::parse(given);
    let exactness = |(name, node): (&str, Node<'a>)| Some((MediaType::parse(name).exactness(&given)?, node));
    content.entries().filter_map(exactness).max_by_key(|(exactness, _)| *exactness).map(|(_, node)| node)
}

/// Whether a media type is JSON (RFC 8259, RFC 6839).
#[must_use]
pub fn is_json(text: &str) -> bool {
    let subtype = MediaType::parse(text).subtype;
    subtype == "json" || subtype.ends_with("+json")
}
