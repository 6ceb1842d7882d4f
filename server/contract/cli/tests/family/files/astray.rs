//! References to files and places that do not exist.

use super::{load, load_by};
use countersign_contract_document::Document;
use countersign_contract_lint::lint;

/// References of all kinds to places that do not exist, at a line each.
const ASTRAY: &str = "\
openapi: 3.1.0
info: {title: Pets, version: 1.0.0}
paths:
  /a: {$ref: items.yaml#/none}
  /b: {$ref: items.yaml#/item}
components:
  schemas:
    Dog: {type: object, required: [kind], properties: {kind: {type: string}}}
    Pet:
      oneOf: [{$ref: '#/components/schemas/Dog'}]
      discriminator:
        propertyName: kind
        mapping:
          dog: Dog
          cat: cats.yaml#/Cat
    Url: {$ref: https://example.com/a.yaml}
    Broken: {$ref: broken.yaml, description: d}
";

const ASTRAY_ITEMS: &str = "\
item:
  get:
    responses:
      '200':
        description: d
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Pet'}
            examples:
              one: {$ref: '../one.json'}
";

#[test]
fn references_astray_are_findings_of_lint_beside_all_others() {
    let files = [("items.yaml", ASTRAY_ITEMS), ("broken.yaml", "a: [\n")];
    let document = load_by(Document::load_for_lint, ASTRAY, &files).unwrap();
    let found = lint(&document);
    let is_broken = |rule: &str| ["reference-broken", "discriminator-mapping-undefined"].contains(&rule);
    let broken = found.iter().filter(|finding| is_broken(finding.rule.id));
    let mut broken: Vec<String> = broken.map(|finding| format!("{} {}", finding.span, finding.message)).collect();
    broken.sort();
    let no_file = "leads to a file that cannot be read: there is no such file";
    assert_eq!(
        broken,
        [
            "openapi/api.yaml:15:11 the reference `cats.yaml#/Cat` LEADS".replace("LEADS", no_file),
            "openapi/api.yaml:16:11 the reference `https://example.com/a.yaml` is a URL: copy the file and refer to it by its path".to_owned(),
            "openapi/api.yaml:17:14 the reference `broken.yaml` leads to a file that cannot be used: openapi/broken.yaml:2:1: not readable as YAML or JSON: it has a syntax error at this position".to_owned(),
            "openapi/api.yaml:4:8 the reference `items.yaml#/none` cannot be resolved".to_owned(),
            "openapi/items.yaml:10:21 the reference `../one.json` LEADS".replace("LEADS", no_file),
            // The document has a component of this name, which its file does not mean.
            "openapi/items.yaml:8:22 the reference `#/components/schemas/Pet` cannot be resolved".to_owned(),
        ]
    );
    assert!(found.iter().any(|finding| finding.rule.id == "operation-id-missing"), "{found:?}");
}

#[test]
fn references_astray_stop_a_comparison_only_where_they_are_used() {
    let api = |schema: &str| {
        format!(
            "openapi: 3.0.3\npaths: {{/a: {{get: {{responses: {{'200': {{description: d, content: {{application/json: {{schema: {schema}}}}}}}}}}}}}}}\n\
             components:\n  schemas:\n    Good: {{type: string}}\n    Bad: {{items: {{$ref: none.yaml}}}}\n    Lost: {{$ref: '#/nope'}}\n\
             \x20   Sub: {{allOf: [{{$ref: '#/components/schemas/Base'}}], properties: {{a: {{$ref: '#/nope'}}}}}}\n\
             \x20   Base: {{type: object, discriminator: {{propertyName: a}}}}\n\
             \x20   Named: {{discriminator: {{propertyName: a, mapping: {{b: Bad}}}}}}\n"
        )
    };
    let refer = |name: &str| format!("{{$ref: '#/components/schemas/{name}'}}");
    for (schema, error) in [
        (refer("Good"), None),
        (refer("Bad"), Some("$ref `none.yaml` leads to a file that cannot be read")),
        (format!("{{items: {}}}", refer("Lost")), Some("$ref `#/nope` cannot be resolved")),
        (refer("Base"), Some("/components/schemas/Sub/properties/a: $ref `#/nope` cannot be resolved")),
        (refer("Named"), Some("$ref `none.yaml` leads to a file that cannot be read")),
    ] {
        let found = load_by(Document::load_used, &api(&schema), &[]).map_err(|error| error.on_one_line());
        match (found, error) {
            (Ok(_), None) => {}
            (Err(found), Some(error)) if found.contains(error) => {}
            (found, error) => panic!("{schema}: {:?}, expected {error:?}", found.err()),
        }
        assert!(load(&api(&schema), &[]).is_err(), "for other purposes, all references have to be right");
    }
}
