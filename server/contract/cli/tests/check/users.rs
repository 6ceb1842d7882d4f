//! A server of users that follows its document, or deviates from it in one way.

use super::server::{Request, Response, serve};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Mutex;

pub(crate) const CREDENTIALS: &str = "Bearer 5ecret";

pub(crate) const DOCUMENT: &str = include_str!("fixtures/users.yaml");

/// Serves users, with one deviation from the document; see `answer` for the names.
pub(crate) fn serve_users(deviation: &'static str) -> SocketAddr {
    let users = Mutex::new(BTreeMap::new());
    serve(move |request| {
        let mut server = Server { deviation, users: &mut users.lock().unwrap() };
        server.answer(request)
    })
}

struct Server<'s> {
    deviation: &'static str,
    users: &'s mut BTreeMap<i64, Value>,
}

fn problem(status: u16, title: &str) -> Response {
    Response::new(status, "application/problem+json", &json!({"title": title}).to_string())
}

/// The text of a segment; `None` if it is not UTF-8 in percent-encoding.
fn decoded(segment: &str) -> Option<String> {
    let (mut out, mut bytes) = (Vec::new(), segment.bytes());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

impl Server<'_> {
    fn is(&self, deviation: &str) -> bool {
        self.deviation == deviation
    }

    fn answer(&mut self, request: &Request) -> Option<Response> {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let segments: Option<Vec<String>> = path.split('/').skip(2).map(decoded).collect();
        let Some(segments) = segments else {
            return Some(if self.is("fails on malformed paths") { Response::empty(500) } else { problem(400, "path") });
        };
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let is_known = request.header("authorization") == CREDENTIALS || self.is("needs no credentials");
        if segments != ["status"] && !is_known {
            return Some(problem(401, "credentials"));
        }
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["status"]) => Some(self.status()),
            ("POST", ["users"]) => self.create(request),
            ("GET", ["users"]) => Some(self.list(query)),
            (method, ["users", id, rest @ ..]) => match id.parse::<i64>().ok().filter(|id| *id > 0) {
                None if self.is("fails on paths of another type") => Some(Response::empty(500)),
                None => Some(problem(400, "id")),
                Some(id) => self.of_one(method, id, rest),
            },
            _ => Some(problem(404, "path")),
        }
    }

    fn status(&self) -> Response {
        match self.deviation {
            "text for boolean" => Response::json(200, &json!({"ok": "yes"})),
            "beyond the maximum" => Response::json(200, &json!({"ok": true, "load": 1.5})),
            "undocumented property" => Response::json(200, &json!({"ok": true, "host": "a"})),
            "empty body" => Response::empty(200),
            "cut JSON" => Response::new(200, "application/json", "{\"ok\": tr"),
            "no content type" => Response { headers: Vec::new(), ..Response::json(200, &json!({"ok": true})) },
            "undocumented header" => Response::json(200, &json!({"ok": true})).with("x-debug", "1"),
            _ => Response::json(200, &json!({"ok": true})),
        }
    }

    fn create(&mut self, request: &Request) -> Option<Response> {
        let is_json = request.header("content-type") == "application/json";
        if !is_json && !self.is("takes any media type") {
            return Some(problem(415, "media type"));
        }
        let body = match serde_json::from_slice(&request.body) {
            Ok(Value::Object(body)) => body,
            _ if self.is("takes what is not JSON") => json!({"name": "a", "role": "member"}).as_object()?.clone(),
            _ => return Some(problem(400, "body")),
        };
        let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
        match self.deviation {
            "fails beyond the Basic Multilingual Plane" if name.chars().any(|character| character > '\u{ffff}') => {
                return Some(Response::empty(500));
            }
            "closes on NUL" if name.contains('\0') => return None,
            "fails on zero" if body.get("age") == Some(&json!(0)) => return Some(Response::empty(503)),
            "fails on the longest name" if name.chars().count() == 40 => return Some(Response::empty(500)),
            _ => {}
        }
        if !self.is_allowed(&body) {
            return Some(problem(400, "user"));
        }
        let id = self.users.len() + 1;
        let mut user = json!({
            "id": id, "name": "a", "role": "member", "tags": ["a", "b"], "createdAt": "2026-01-31T12:00:00Z", "age": 3,
        });
        self.users.insert(i64::try_from(id).ok()?, user.clone());
        self.alter(&mut user);
        let status = if self.is("200 for 201") { 200 } else { 201 };
        let created = Response::json(status, &user);
        Some(if self.is("no location") { created } else { created.with("location", &format!("/v1/users/{id}")) })
    }

    fn is_allowed(&self, body: &Map<String, Value>) -> bool {
        let is_short = |value: &Value, most: usize| value.as_str().is_some_and(|text| text.chars().count() <= most);
        body.iter().all(|(key, value)| match key.as_str() {
            "name" => {
                value.as_str().is_some_and(|name| !name.is_empty()) && is_short(value, 40)
                    || self.is("takes long names")
            }
            "role" => {
                ["admin", "member"].iter().any(|role| value == role) || self.is("takes any role") && value.is_string()
            }
            "age" => {
                value.as_i64().is_some_and(|age| (0..=150).contains(&age))
                    || self.is("takes texts for numbers") && value.is_string()
            }
            "tags" => value.as_array().is_some_and(|tags| {
                let different: BTreeSet<String> = tags.iter().map(Value::to_string).collect();
                let is_set = different.len() == tags.len() && tags.len() <= 5 || self.is("takes long lists");
                is_set && tags.iter().all(|tag| is_short(tag, 20))
            }),
            _ => self.is("takes undocumented properties"),
        }) && ["name", "role"].iter().all(|key| body.contains_key(*key) || self.is("takes users without role"))
    }

    /// Deviations of the user in responses.
    fn alter(&self, user: &mut Value) {
        match self.deviation {
            "text for number" => user["age"] = json!("3"),
            "null for text" => user["name"] = Value::Null,
            "undocumented property of a closed object" => user["admin"] = json!(true),
            "unlisted value" => user["role"] = json!("root"),
            "no date" => user["createdAt"] = json!("yesterday"),
            "too many items" => user["tags"] = json!(["a", "b", "c", "d", "e", "f"]),
            "number in a list of texts" => user["tags"] = json!([1, 2]),
            _ => {}
        }
        if self.is("no id") {
            user.as_object_mut().unwrap().remove("id");
        }
    }

    fn list(&self, query: &str) -> Response {
        let field = |name: &str| query.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        let is_role = field("role").map_or(self.is("takes no role"), |role| ["admin", "member"].contains(&role));
        let limit = field("limit").map(|limit| limit.parse::<i64>().ok().filter(|limit| (1..=100).contains(limit)));
        if !is_role || limit == Some(None) && !self.is("takes any limit") {
            return problem(400, "query");
        }
        let users: Vec<Value> = self
            .users
            .values()
            .take(3)
            .cloned()
            .map(|mut user| {
                if self.is("no createdAt in lists") {
                    user.as_object_mut().unwrap().remove("createdAt");
                }
                user
            })
            .collect();
        let total = if self.is("text in a header") { "many".to_owned() } else { users.len().to_string() };
        let body = json!({"items": users});
        match self.deviation {
            "another media type" => Response::new(200, "text/plain", &body.to_string()).with("x-total", &total),
            _ => Response::json(200, &body).with("x-total", &total),
        }
    }

    fn of_one(&mut self, method: &str, id: i64, rest: &[&str]) -> Option<Response> {
        let Some(user) = self.users.get(&id) else {
            return Some(problem(if self.is("410 for 404") { 410 } else { 404 }, "user"));
        };
        match (method, rest) {
            ("GET", []) => {
                let mut user = user.clone();
                if self.is("other id when read") {
                    user["id"] = json!(id.to_string());
                }
                Some(Response::json(200, &user))
            }
            ("DELETE", []) => {
                self.users.remove(&id);
                Some(if self.is("fails on deletion") { Response::empty(500) } else { Response::empty(204) })
            }
            ("POST", ["archive"]) => {
                let archived = Response::empty(202);
                Some(if self.is("body for none") { Response::json(202, &json!({})) } else { archived })
            }
            _ => Some(problem(404, "path")),
        }
    }
}
