//! Builds requests from values.

use super::advice::Advice;
use super::broken::Way;
use super::known::Known;
use super::operation::{Body, Operation, Parameter};
use super::probes::{Probe, Purpose, Sent};
use super::sample::{Choice, Random, Samples};
use super::url;
use countersign_contract_validate::is_json;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where values of earlier responses are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// For path variables, and for required parameters without an example.
    Needed,
    /// For all that they fit.
    Everywhere,
    Nowhere,
}

/// The values of a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    /// By the number of the parameter.
    parameters: BTreeMap<usize, Value>,
    body: Option<Value>,
}

/// What values are taken from.
pub(super) struct Sources<'s> {
    pub(super) known: &'s Known,
    pub(super) advice: &'s Advice,
    pub(super) random: &'s mut Random,
}

impl Operation<'_> {
    /// Values of a valid request.
    pub(super) fn values(&self, choice: Choice, usage: Use, sources: &mut Sources<'_>) -> Values {
        let parameters = self.parameters.iter().enumerate().filter_map(|(index, parameter)| {
            let known = self.known(parameter, usage, sources);
            let is_wanted = match (choice, sources.advice.parameter(self, parameter.place, parameter.name)) {
                (Choice::Examples | Choice::All, Some(is_wanted)) => is_wanted,
                (Choice::Least, _) => false,
                // A value that is made up for an optional parameter often selects nothing.
                (Choice::Examples, None) => parameter.example.is_some() || known.is_some(),
                _ => true,
            };
            let value = |random| known.unwrap_or_else(|| self.made_up(parameter, choice, random));
            (parameter.is_required || is_wanted).then(|| (index, value(sources.random)))
        });
        let parameters = parameters.collect();
        let body = self.body.as_ref().and_then(|body| self.body_of(body, choice, usage, sources));
        Values { parameters, body }
    }

    fn body_of(&self, body: &Body<'_>, choice: Choice, usage: Use, sources: &mut Sources<'_>) -> Option<Value> {
        let linked = sources.known.linked_body(self).filter(|_| usage == Use::Everywhere);
        let example = linked.or_else(|| body.example.filter(|_| choice == Choice::Examples)).cloned();
        let value = example.unwrap_or_else(|| {
            Samples { document: self.document, choice, random: sources.random }.value(body.schema.value, "")
        });
        match (usage, choice) {
            (_, Choice::Least) => {
                let value = sources.known.fill_given(self, value);
                sources.known.add_given(self, &value).or_else(|| Some(value).filter(|_| body.is_required))
            }
            (Use::Everywhere, Choice::Examples) => {
                let value = sources.advice.adapt(self, value, sources.random);
                Some(sources.known.fill(self, value))
            }
            (_, Choice::Examples) => {
                let value = sources.known.fill_given(self, value);
                Some(sources.advice.adapt(self, value, sources.random))
            }
            _ => Some(value),
        }
    }

    /// The value of an earlier response for a parameter.
    fn known(&self, parameter: &Parameter<'_>, usage: Use, sources: &Sources<'_>) -> Option<Value> {
        let is_needed = parameter.place == "path" || parameter.is_required && parameter.example.is_none();
        // A request that makes what the end of its path names needs a new name.
        let is_new = self.method == "post" && self.path.ends_with(&format!("/{{{}}}", parameter.name));
        let is_usable = usage == Use::Everywhere || usage == Use::Needed && is_needed && !is_new;
        let is_refused = |value: &Value| sources.advice.is_refused(self, parameter.place, parameter.name, value);
        is_usable.then(|| sources.known.parameter(self, parameter, &is_refused)).flatten()
    }

    fn made_up(&self, parameter: &Parameter<'_>, choice: Choice, random: &mut Random) -> Value {
        let example = parameter.example.filter(|_| choice == Choice::Examples).cloned();
        example.unwrap_or_else(|| {
            Samples { document: self.document, choice, random }.value(parameter.schema.value, parameter.name)
        })
    }

    /// A request that is invalid in one way; `None` if the document allows it nevertheless.
    pub(super) fn broken(&self, way: &Way, sources: &mut Sources<'_>) -> Option<Probe> {
        let mut values = self.values(Choice::Examples, Use::Needed, sources);
        values.parameters.retain(|index, _| self.parameters[*index].is_required);
        let body_pointer = self.body.as_ref().map_or(&self.pointer, |body| &body.pointer);
        let forbidden = |what: String, pointer: &str| Purpose::Forbidden { what, pointer: pointer.to_owned() };
        let about_body = |what: &str| forbidden(what.to_owned(), body_pointer);
        Some(match way {
            Way::WithoutParameter(index) => {
                values.parameters.remove(index);
                let Parameter { place, name, pointer, .. } = &self.parameters[*index];
                self.probe(&values, forbidden(format!("the required {place} parameter {name} is missing"), pointer))
            }
            Way::ParameterOf(index, value, why) => {
                values.parameters.insert(*index, value.clone());
                let Parameter { place, name, pointer, .. } = &self.parameters[*index];
                self.probe(&values, forbidden(format!("the {place} parameter {name} is wrong: {why}"), pointer))
            }
            Way::PathWith(index, text) => {
                let name = self.parameters[*index].name;
                let what = format!("the path parameter {name} is {text}, which is not UTF-8 in percent-encoding");
                let mark = "countersignMalformedVariable";
                values.parameters.insert(*index, mark.into());
                let probe = self.probe(&values, Purpose::Malformed { what });
                Probe { target: probe.target.replace(mark, text), ..probe }
            }
            Way::WithoutBody => {
                values.body = None;
                self.probe(&values, about_body("the required body is missing"))
            }
            Way::BodyIsNoJson => {
                Probe { body: b"{\"".to_vec(), ..self.probe(&values, about_body("the body is not JSON")) }
            }
            Way::OtherMediaType => {
                let what = "the body is of a media type that is not documented";
                let mut probe = self.probe(&values, about_body(what));
                probe.headers.retain(|(name, _)| name != "content-type");
                probe.headers.push(("content-type".to_owned(), "application/x-undocumented".to_owned()));
                probe
            }
            Way::BodyWith(change) => {
                let schema = &self.body.as_ref()?.schema;
                let all = self.values(Choice::All, Use::Nowhere, sources).body;
                let changed = [values.body.take(), all].into_iter().flatten().filter(|body| !schema.rejects(body));
                let mut changed = changed.filter_map(|body| change.apply(&body)).filter(|body| schema.rejects(body));
                values.body = Some(changed.next()?);
                self.probe(&values, about_body(&change.what))
            }
        })
    }

    /// The request without all headers that contain credentials.
    pub(super) fn without_credentials(&self, probe: Probe) -> Probe {
        let schemes = self.document.value().pointer("/components/securitySchemes");
        let schemes = schemes.and_then(Value::as_object).into_iter().flatten();
        let names: Vec<String> = schemes
            .filter(|(_, scheme)| scheme["in"] == "header")
            .filter_map(|(_, scheme)| scheme["name"].as_str().map(str::to_ascii_lowercase))
            .collect();
        let headers = probe.headers.into_iter().filter(|(name, _)| name != "cookie" && !names.contains(name)).collect();
        Probe { headers, purpose: Purpose::WithoutCredentials, ..probe }
    }

    /// The request with these values.
    pub(super) fn probe(&self, values: &Values, purpose: Purpose) -> Probe {
        let mut path = self.path.to_owned();
        let (mut query, mut headers, mut cookies, mut sent) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (index, value) in &values.parameters {
            let Parameter { place, name, .. } = self.parameters[*index];
            sent.push(Sent { place: place.to_owned(), name: name.to_owned(), value: value.clone() });
            match place {
                "path" => path = path.replace(&format!("{{{name}}}"), &url::segment(value)),
                "query" => query.extend(url::fields(name, value)),
                "header" => headers.push((name.to_ascii_lowercase(), url::for_header(&url::plain(value)))),
                "cookie" => cookies.push(format!("{name}={}", url::encoded(&url::plain(value)))),
                _ => {}
            }
        }
        if !cookies.is_empty() {
            headers.push(("cookie".to_owned(), cookies.join("; ")));
        }
        let body = match (&self.body, &values.body) {
            (Some(described), Some(value)) => {
                headers.push(("content-type".to_owned(), described.media_type.to_owned()));
                written(described.media_type, value)
            }
            _ => Vec::new(),
        };
        Probe {
            operation: self.name.clone(),
            pointer: self.pointer.clone(),
            method: self.method.to_uppercase(),
            documented_path: format!("{}{path}", self.document.base_path()),
            target: if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) },
            headers,
            body,
            purpose,
            sent,
        }
    }
}

fn written(media_type: &str, value: &Value) -> Vec<u8> {
    if media_type.starts_with("application/x-www-form-urlencoded") {
        let fields = value.as_object().into_iter().flatten();
        return fields.flat_map(|(name, value)| url::fields(name, value)).collect::<Vec<_>>().join("&").into_bytes();
    }
    match (is_json(media_type), value) {
        (false, Value::String(text)) => text.clone().into_bytes(),
        _ => value.to_string().into_bytes(),
    }
}
