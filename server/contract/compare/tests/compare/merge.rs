//! Merging the documents that dropshot generates.

use countersign_contract_compare::merge;
use serde_json::{Value, json};

#[test]
fn merging_rejects_conflicts() {
    let one = json!({
        "openapi": "3.0.3", "info": {"title": "one"}, "tags": [{"name": "a"}],
        "paths": {"/a": {"get": {"operationId": "a"}}},
        "components": {"schemas": {"Error": {"type": "object"}}, "responses": {"Error": {"description": ""}}},
    });
    let two = json!({
        "openapi": "3.0.3", "info": {"title": "two"}, "tags": [{"name": "a"}, {"name": "b"}],
        "paths": {"/a": {"post": {"operationId": "b"}}, "/b": {"get": {"operationId": "c"}}},
        "components": {"schemas": {"Error": {"type": "object"}, "User": {"type": "string"}}},
    });
    let merged = merge(vec![one.clone(), two.clone()]).unwrap();
    assert_eq!(merged["info"]["title"], "one");
    assert_eq!(merged["tags"], json!([{"name": "a"}, {"name": "b"}]));
    assert_eq!(merged["paths"]["/a"], json!({"get": {"operationId": "a"}, "post": {"operationId": "b"}}));
    assert_eq!(merged["paths"]["/b"]["get"]["operationId"], "c");
    assert_eq!(merged["components"]["schemas"]["User"]["type"], "string");
    assert_eq!(merged["components"]["responses"]["Error"]["description"], "");
    for (pointer, place) in
        [("/components/schemas/Error/type", "components/schemas/Error"), ("/paths/~1a/post", "paths/a/get")]
    {
        let mut other = two.clone();
        match pointer {
            "/paths/~1a/post" => other["paths"]["/a"] = json!({"get": {"operationId": "z"}}),
            _ => *other.pointer_mut(pointer).unwrap() = "string".into(),
        }
        let error = merge(vec![one.clone(), other]).unwrap_err().to_string();
        assert_eq!(error, format!("cannot merge documents: both define `{place}`, with different content"));
    }
    assert_eq!(merge(vec![one.clone()]).unwrap(), one);
    assert_eq!(merge(Vec::new()).unwrap(), Value::Null);
}
