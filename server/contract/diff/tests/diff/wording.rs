//! Content of findings: position, message, operations.

use countersign_contract_diff::{Options as DiffOptions, diff};
use countersign_contract_document::{Document, Position};

const BETTER_AUTH: &str = include_str!("../../../../../openapi/better-auth.yaml");

#[test]
fn a_contract_does_not_differ_from_itself() {
    let document = Document::load("openapi/better-auth.yaml", BETTER_AUTH).unwrap();
    assert_eq!(diff(&document, &document, &DiffOptions::default()), []);
}

#[test]
fn a_shared_schema_is_reported_once_with_all_its_operations() {
    let document = |name: &str, longest: u32| {
        let text = format!(
            "openapi: 3.0.3\n\
             paths:\n  \
               /a: {{post: {{requestBody: &body {{content: {{application/json: {{schema: {{$ref: '#/components/schemas/Name'}}}}}}}}}}}}\n  \
               /b: {{put: {{requestBody: *body}}}}\n\
             components:\n  schemas:\n    Name:\n      type: string\n      maxLength: {longest}\n"
        );
        Document::load(name, &text).unwrap()
    };
    let findings = diff(&document("old.yaml", 20), &document("new.yaml", 10), &DiffOptions::default());
    let [finding] = findings.as_slice() else { panic!("expected one finding: {findings:#?}") };
    assert_eq!(finding.rule.id, "request-max-length-decreased");
    assert_eq!(finding.operations.join(", "), "POST /a, PUT /b");
    assert_eq!(finding.place, "schema Name");
    assert_eq!(finding.message, "max length decreased");
    assert_eq!(finding.span.to_string(), "new.yaml:9:7");
    let old = finding.old.as_ref().unwrap();
    assert_eq!((old.value.as_deref(), old.span.position), (Some("20"), Position { line: 9, column: 7 }));
    assert_eq!(old.pointer, "/components/schemas/Name/maxLength");
}

#[test]
fn a_list_is_one_finding_however_many_values_and_operations() {
    let document = |name: &str, values: &str| {
        let text = format!(
            "openapi: 3.0.3\n\
             paths:\n  \
               /a: {{post: {{requestBody: &body {{content: {{application/json: {{schema: {{$ref: '#/components/schemas/Kind'}}}}}}}}}}}}\n  \
               /b: {{put: {{requestBody: *body}}}}\n\
             components:\n  schemas:\n    Kind: {{type: string, enum: [{values}]}}\n"
        );
        Document::load(name, &text).unwrap()
    };
    let messages = |old: &str, new: &str| {
        let findings = diff(&document("old.yaml", old), &document("new.yaml", new), &DiffOptions::default());
        let side = |finding: &countersign_contract_finding::Finding| {
            let side = finding.old.as_ref().filter(|side| side.value.is_some()).or(finding.new.as_ref());
            side.and_then(|side| side.value.clone()).unwrap()
        };
        findings.iter().map(|found| (found.operations.len(), found.message.clone(), side(found))).collect::<Vec<_>>()
    };
    assert_eq!(
        messages("a, b, c, d", "a, e"),
        [
            (2, r#"the values "b", "c" and "d" were removed"#.to_owned(), r#""b", "c" and "d""#.to_owned()),
            (2, r#"the value "e" was added"#.to_owned(), r#""e""#.to_owned()),
        ]
    );
    let many = messages("a", "a, b, c, d, e, f, g, h, i, j, k");
    assert_eq!(many.len(), 1);
    assert!(many[0].1.ends_with(r#""h", "i" and 2 more were added"#), "{}", many[0].1);
}

#[test]
fn a_value_of_a_shared_list_is_reported_once_whatever_stands_beside_the_reference() {
    let document = |values: &str| {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{title: T, version: 1.0.0}}\npaths:\n  \
             /a: {{get: {{responses: {{'200': {{description: d, content: {{application/json: {{schema: {{$ref: '#/components/schemas/One'}}}}}}}}}}}}}}\n  \
             /b: {{get: {{responses: {{'200': {{description: d, content: {{application/json: {{schema: {{$ref: '#/components/schemas/Two'}}}}}}}}}}}}}}\n\
             components:\n  schemas:\n    Kind: {{type: string, enum: [{values}]}}\n    \
             One: {{type: object, properties: {{kind: {{$ref: '#/components/schemas/Kind', default: a}}}}}}\n    \
             Two: {{type: object, properties: {{kind: {{$ref: '#/components/schemas/Kind'}}, \
             other: {{anyOf: [{{$ref: '#/components/schemas/Kind'}}, {{type: 'null'}}]}}, \
             more: {{type: array, items: {{$ref: '#/components/schemas/Kind', description: d}}}}}}}}\n"
        );
        Document::load("case.yaml", &text).unwrap()
    };
    let found = diff(&document("a"), &document("a, b, c"), &DiffOptions::default());
    let [finding] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!(finding.message, r#"the values "b" and "c" were added"#);
    assert_eq!((finding.place.as_str(), finding.operations.len()), ("schema Kind", 2));
    assert_eq!(finding.old.as_ref().map(|side| side.pointer.as_str()), Some("/components/schemas/Kind"));
}
