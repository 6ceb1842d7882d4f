//! Validates the body of a response: its presence, media type and schema.

use super::schema::Schemas;
use super::{ActualResponse, Deviation, media_type};
use countersign_contract_document::Node;
use serde_json::Value;

pub(super) fn deviations(schemas: &Schemas, response: &Node<'_>, actual: &ActualResponse<'_>) -> Vec<Deviation> {
    let one = |rule, at: &Node<'_>, message: String| vec![Deviation::new(rule, at, message)];
    let is_empty = actual.body.is_empty();
    let Some(content) = response.get("content").filter(|content| content.entries().next().is_some()) else {
        let unexpected =
            || one("body-unexpected", response, "the response has a body, and none is documented".to_owned());
        return if is_empty { Vec::new() } else { unexpected() };
    };
    let Some(given) = actual.header("content-type") else {
        return match (is_empty, actual.has_no_body) {
            (true, true) => Vec::new(),
            (true, false) => one("body-missing", &content, "the response has no body".to_owned()),
            (false, _) => one("content-type-missing", &content, "the response has no content type".to_owned()),
        };
    };
    let Some(media_type) = media_type::find(&content, given) else {
        let documented: Vec<&str> = content.entries().map(|(name, _)| name).collect();
        let message = format!("the content type is none of those documented: {}", documented.join(", "));
        return one("content-type-undocumented", &content, message);
    };
    let is_encoded =
        actual.header("content-encoding").is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity"));
    if is_encoded || !media_type::is_json(given) || is_empty && actual.has_no_body {
        return Vec::new();
    }
    match serde_json::from_slice::<Value>(actual.body) {
        Err(_) if is_empty => one("body-not-json", &media_type, "the body is empty, not JSON".to_owned()),
        Err(error) => one("body-not-json", &media_type, format!("the body is not JSON: {error}")),
        Ok(body) => {
            let schema = media_type.get("schema");
            schema.map(|schema| schemas.deviations(&schema, "body-schema", &body)).unwrap_or_default()
        }
    }
}
