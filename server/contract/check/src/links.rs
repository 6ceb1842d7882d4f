//! Follows the links of responses (OpenAPI 3.1.1, Link Object and Runtime Expressions).

use super::operation::Operation;
use super::probes::Probe;
use countersign_contract_document::Node;
use countersign_contract_validate as validate;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A request and its response.
pub(super) struct Exchange<'a> {
    pub(super) probe: &'a Probe,
    pub(super) status: u16,
    pub(super) headers: &'a [(&'a str, &'a str)],
    /// The body, if it is JSON.
    pub(super) body: Option<Value>,
}

impl Exchange<'_> {
    /// The body of the request, if it is JSON.
    pub(super) fn sent_body(&self) -> Option<Value> {
        serde_json::from_slice(&self.probe.body).ok()
    }

    /// The last segment of the header `Location`.
    pub(super) fn location(&self) -> Option<String> {
        let location = self.header("location")?.split(['?', '#']).next()?;
        let last = location.rsplit('/').next().filter(|last| !last.is_empty())?;
        percent_decode_str(last).decode_utf8().ok().map(String::from)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The value of a text that is, or contains, runtime expressions; other values unchanged. `None` for an expression without
    /// a value.
    fn evaluate(&self, value: &Value) -> Option<Value> {
        let Value::String(text) = value else { return Some(value.clone()) };
        if text.starts_with('$') {
            return self.expression(text);
        }
        let (mut out, mut rest) = (String::new(), text.as_str());
        while let Some((before, after)) = rest.split_once("{$") {
            let (expression, after) = after.split_once('}')?;
            out.push_str(before);
            out.push_str(&super::url::plain(&self.expression(&format!("${expression}"))?));
            rest = after;
        }
        out.push_str(rest);
        Some(out.into())
    }

    fn expression(&self, text: &str) -> Option<Value> {
        match text {
            "$url" => Some(self.probe.target.as_str().into()),
            "$method" => Some(self.probe.method.as_str().into()),
            "$statusCode" => Some(self.status.into()),
            _ => match text.strip_prefix("$request.") {
                Some(part) => self.of_request(part),
                None => self.of_response(text.strip_prefix("$response.")?),
            },
        }
    }

    fn of_request(&self, part: &str) -> Option<Value> {
        if let Some(pointer) = part.strip_prefix("body") {
            return self.sent_body()?.pointer(pointer.trim_start_matches('#')).cloned();
        }
        let (place, name) = part.split_once('.')?;
        let is_it = |given: &str| match place {
            "header" => given.eq_ignore_ascii_case(name),
            _ => given == name,
        };
        self.probe.sent.iter().find(|sent| sent.place == place && is_it(&sent.name)).map(|sent| sent.value.clone())
    }

    fn of_response(&self, part: &str) -> Option<Value> {
        match part.strip_prefix("body") {
            Some(pointer) => self.body.as_ref()?.pointer(pointer.trim_start_matches('#')).cloned(),
            None => self.header(part.strip_prefix("header.")?).map(Value::from),
        }
    }
}

/// A link with its values.
pub(super) struct Followed {
    /// Pointer of the operation that the link leads to.
    pub(super) target: String,
    /// By the name of the parameter, which may be qualified: `id` or `path.id`.
    pub(super) parameters: Vec<(String, Value)>,
    pub(super) body: Option<Value>,
}

/// The links of a response.
pub(super) fn follow(operation: &Operation<'_>, exchange: &Exchange<'_>) -> Vec<Followed> {
    let node = Node::at(operation.document, &operation.pointer);
    let links = validate::response(&node, exchange.status).and_then(|response| response.get("links"));
    let links = links.iter().flat_map(Node::entries).map(|(_, link)| link.resolved());
    links
        .filter_map(|link| {
            let value = |node: Node<'_>| exchange.evaluate(node.value);
            Some(Followed {
                target: target(&link)?,
                parameters: link
                    .entries_of("parameters")
                    .filter_map(|(name, parameter)| Some((name.to_owned(), value(parameter)?)))
                    .collect(),
                body: link.get("requestBody").and_then(value),
            })
        })
        .collect()
}

/// Pointer of the operation that a link names by its id or a reference within the document.
fn target(link: &Node<'_>) -> Option<String> {
    match (link.text("operationId"), link.text("operationRef")) {
        (Some(id), _) => {
            let found = link.document.located().find(|located| located.operation["operationId"] == id);
            found.map(|located| located.pointer())
        }
        (None, Some(reference)) => {
            let pointer = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
            Some(pointer.into_owned())
        }
        (None, None) => None,
    }
}
