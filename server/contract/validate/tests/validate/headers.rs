//! Validation of the headers of responses.

use super::validate::{GET_200, deviations_of, places, thing};
use serde_json::json;

#[test]
fn headers() {
    let full = json!({"id": "ab"});
    let headers = format!("{GET_200}/headers");
    let at = |key: &str| format!("{headers}/{key}");
    for (header, rule, pointer, message) in [
        (("x-count", "(none)"), "header-missing", at("X-Count"), "the header X-Count is missing"),
        (
            ("x-count", "0"),
            "header-schema",
            "/components/schemas/Count/minimum".to_owned(),
            "the header X-Count: the value is less than the minimum of 1",
        ),
        (
            ("x-count", "s3cret"),
            "header-schema",
            "/components/schemas/Count/type".to_owned(),
            "the header X-Count: the value is not of type \"integer\"",
        ),
        (
            ("x-flag", "yes"),
            "header-schema",
            at("X-Flag/schema/type"),
            "the header X-Flag: the value is not of type \"boolean\"",
        ),
        (
            ("x-list", "1,2,3"),
            "header-schema",
            at("X-List/schema/maxItems"),
            "the header X-List: the value has more than 2 items",
        ),
        (
            ("x-list", "1,b"),
            "header-schema",
            at("X-List/schema/items/type"),
            "the header X-List: the value is not of type \"integer\"",
        ),
        (
            ("x-pair", "level,x"),
            "header-schema",
            at("X-Pair/schema/properties/level/type"),
            "the header X-Pair: the value is not of type \"integer\"",
        ),
        (
            ("x-exploded", "other=1"),
            "header-schema",
            at("X-Exploded/schema/required"),
            "the header X-Exploded: \"level\" is a required property",
        ),
        (
            ("x-json", "{}"),
            "header-schema",
            at("X-Json/content/application~1json/schema/required"),
            "the header X-Json: \"a\" is a required property",
        ),
        (
            ("x-json", "{"),
            "header-schema",
            at("X-Json/content/application~1json/schema"),
            "the header X-Json is not JSON",
        ),
        (
            ("x-any", "2"),
            "header-schema",
            at("X-Any/schema/enum"),
            "the header X-Any: the value is not one of 1 or \"yes\"",
        ),
        (
            ("set-cookie", "A=1"),
            "header-schema",
            at("Set-Cookie/schema/pattern"),
            "the header Set-Cookie: the value does not match \"^[a-z]+=[a-z]*$\"",
        ),
        (
            ("vary", "too long"),
            "header-schema",
            at("Vary/schema/maxLength"),
            "the header Vary: the value is longer than 6 characters",
        ),
        (("location", "/"), "header-undocumented", headers.clone(), "the header location is not documented"),
        (("X-Other", "1"), "header-undocumented", headers.clone(), "the header x-other is not documented"),
    ] {
        let found = thing(&[header], &full);
        assert_eq!(places(&found), [(rule, &*pointer, "")], "{header:?}");
        assert_eq!(found[0].message, message);
    }
    // Lines with one name form a list, except for cookies.
    assert_eq!(thing(&[("x-list", "1"), ("x-list", "2")], &full), []);
    assert_eq!(places(&thing(&[("x-count", "1"), ("x-count", "2")], &full))[0].0, "header-schema");
    assert_eq!(thing(&[("set-cookie", "a=b"), ("set-cookie", "A=1")], &full).len(), 1);
    let failed = deviations_of("getThing", 400, &[("content-type", "application/json")], b"{\"code\": \"A\"}");
    assert_eq!(places(&failed), [("header-missing", "/components/responses/Failed/headers/Retry-After", "")]);
    assert_eq!(deviations_of("getLatest", 200, &[("retry-after", "1")], b"")[0].rule, "header-undocumented");
}
