//! Documents of several files.

mod astray;
mod pets;
mod problems;

use countersign_contract_diff::{Options as DiffOptions, diff};
use countersign_contract_document::{Document, Error, File, Files};
use countersign_contract_lint::lint;
use pets::{API, FILES};
use serde_json::{Value, json};

fn load(api: &str, files: &[(&str, &str)]) -> Result<Document, Error> {
    load_by(Document::load_with, api, files)
}

/// How a document is loaded.
type Loading = fn(&str, &str, Files<'_>) -> Result<Document, Error>;

fn load_by(loading: Loading, api: &str, files: &[(&str, &str)]) -> Result<Document, Error> {
    let read = |path: &str| {
        let (_, text) =
            files.iter().find(|(name, _)| format!("openapi/{name}") == path).ok_or("there is no such file")?;
        Ok(File { name: path.to_owned(), text: (*text).to_owned() })
    };
    loading("openapi/api.yaml", api, Files { own: "openapi/api.yaml", read: &read })
}

/// The files with a replacement in one of them.
fn with(path: &str, from: &str, to: &str) -> Document {
    let texts = FILES.map(|(name, text)| match name == path {
        true => {
            assert!(text.contains(from), "{from} is not in {path}");
            (name, text.replace(from, to))
        }
        false => (name, text.to_owned()),
    });
    let files: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    load(API, &files).unwrap()
}

fn differences(old: &Document, new: &Document) -> Vec<String> {
    let found = diff(old, new, &DiffOptions::default());
    found.iter().map(|finding| format!("{} {} {}", finding.rule.id, finding.span, finding.message)).collect()
}

#[test]
fn several_files_are_one_document() {
    let document = load(API, &FILES).unwrap();
    let schema = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let expected = json!({
        "schemas": {
            "Pet": {
                "oneOf": [schema("dog"), schema("Cat_and_more")],
                "discriminator": {
                    "propertyName": "kind",
                    "mapping": {"dog": "#/components/schemas/dog", "cat": "#/components/schemas/Cat_and_more"},
                },
            },
            "Name": {"type": "string"},
            "common_Name": {"type": "string", "minLength": 1},
            "dog": {
                "type": "object",
                "required": ["kind", "name"],
                "properties": {
                    "kind": {"type": "string"},
                    "name": schema("Name"),
                    "puppies": {"type": "array", "items": schema("Pet")},
                    "default": schema("common_Name"),
                },
            },
            "Cat_and_more": {
                "type": "object",
                "required": ["kind"],
                "properties": {"kind": {"type": "string"}},
                "example": {"$ref": "nothing.yaml"},
                "x-shown-by": {"$ref": "nothing.yaml"},
            },
            "id": {"type": "string", "maxLength": 20},
        },
        "headers": {"Next": {"schema": {"type": "string"}}},
        "parameters": {"Page": {"name": "page", "in": "query", "schema": {"type": "integer"}}},
        "responses": {
            "Problem": {"description": "It did not work.", "content": {"application/json": {"schema": schema("common_Name")}}},
        },
        "requestBodies": {"body": {"content": {"application/json": {"schema": schema("Pet")}}}},
        "examples": {"one": {"summary": "One", "value": [{"kind": "cat"}]}},
    });
    let found = &document.value()["components"];
    for (section, expected) in expected.as_object().unwrap() {
        assert_eq!(found[section], *expected, "{section}");
    }
    let operations: Vec<_> = document.located().map(|found| (found.path, found.method)).collect();
    assert_eq!(operations, [("/pets", "get"), ("/pets/{id}", "put")]);
    let list = &document.value()["paths"]["/pets"]["get"];
    assert_eq!(list["responses"]["200"]["headers"]["Next"], json!({"$ref": "#/components/headers/Next"}));

    let one_file = Document::from_value("api.yaml", document.value().clone()).unwrap();
    assert_eq!(differences(&document, &one_file), [""; 0]);
}

#[test]
fn findings_name_the_file_and_the_position_in_it() {
    let old = load(API, &FILES).unwrap();
    let new = with("schemas/dog.yaml", "required: [kind, name]", "required: [kind, name, puppies]");
    let found = diff(&old, &new, &DiffOptions::default());
    let finding = found.iter().find(|finding| finding.rule.id == "request-property-became-required").unwrap();
    assert_eq!(finding.span.to_string(), "openapi/schemas/dog.yaml:2:24");
    assert_eq!(finding.operations.join(", "), "PUT /pets/{id}");
    assert_eq!(finding.new.as_ref().unwrap().pointer, "/required/2");

    let new = with("paths/pet.yaml", "maxLength: 20", "maxLength: 10");
    assert_eq!(
        differences(&old, &new),
        ["request-max-length-decreased openapi/paths/pet.yaml:9:20 max length decreased"]
    );
    let new = with("paths/pets.yaml", "listPets", "getPets");
    assert_eq!(
        document_of(&new, "/paths/~1pets/get/operationId"),
        ("openapi/paths/pets.yaml:2:3".to_owned(), "/get/operationId".to_owned())
    );

    let new = with("common.yaml", "type: integer", "type: integer, minimum: 5, maximum: 1");
    let found: Vec<_> = lint(&new).into_iter().filter(|finding| finding.rule.id == "bounds-contradict").collect();
    assert_eq!(found.iter().map(|finding| finding.span.to_string()).collect::<Vec<_>>(), ["openapi/common.yaml:3:59"]);
    assert_eq!(found[0].operations.join(", "), "GET /pets");
}

fn document_of(document: &Document, pointer: &str) -> (String, String) {
    (document.span(pointer).to_string(), document.pointer_in_file(pointer))
}

#[test]
fn pointers_may_be_percent_encoded() {
    let text = "openapi: 3.0.3\npaths:\n  /a/{id}: {get: {operationId: a}}\n  /b: {$ref: '#/paths/~1a~1%7Bid%7D'}\n";
    let document = load(text, &[]).unwrap();
    assert_eq!(document.located().count(), 2);
    let text = "openapi: 3.0.3\npaths: {}\nx-shared: {a%20b: {type: string}}\ncomponents: {schemas: {A: {$ref: '#/x-shared/a%20b'}}}\n";
    let document = load(text, &[]).unwrap();
    assert_eq!(document.resolve(&document.value()["components"]["schemas"]["A"]), &json!({"type": "string"}));
}

#[test]
fn referenced_extensions_are_checked() {
    let text = |schema: &str| {
        format!(
            "openapi: 3.0.3\npaths: {{}}\nx-shared: {{a: {schema}, b: {{$ref: nothing}}}}\ncomponents: {{schemas: {{A: {{$ref: '#/x-shared/a'}}}}}}\n"
        )
    };
    let document = load(&text("{items: {$ref: item.yaml}}"), &[("item.yaml", "type: string\n")]).unwrap();
    let items: &Value = &document.value()["x-shared"]["a"]["items"];
    assert_eq!(
        (items, document.resolve(items)),
        (&json!({"$ref": "#/components/schemas/item"}), &json!({"type": "string"}))
    );
    let found = Document::load("d", &text("{items: {$ref: '#/nope'}}")).unwrap_err().on_one_line();
    assert_eq!(found, "d:3:24: /x-shared/a/items: $ref `#/nope` cannot be resolved");
}

/// The contracts of this project, split into a file for each component and path, are equal to the originals.
#[test]
fn a_split_contract_is_bundled_to_the_original() {
    for text in [
        include_str!("../../../../../openapi/better-auth.yaml"),
        include_str!("../../../../../openapi/fusionauth.yaml"),
    ] {
        let whole = Document::load("api.yaml", text).unwrap();
        let mut root = whole.value().clone();
        let mut files = Vec::new();
        let sections = root["components"].as_object_mut().unwrap();
        for (section, components) in sections.iter_mut().filter(|(section, _)| *section != "securitySchemes") {
            for (name, component) in std::mem::take(components.as_object_mut().unwrap()) {
                files.push((format!("components/{section}/{name}.json"), to_files(component, "../..")));
            }
        }
        for (index, (_, item)) in root["paths"].as_object_mut().unwrap().iter_mut().enumerate() {
            let path = format!("paths/{index}.json");
            let reference = json!({"$ref": path});
            files.push((path, to_files(std::mem::replace(item, reference), "..")));
        }
        let texts: Vec<_> = files.iter().map(|(path, value)| (path.clone(), value.to_string())).collect();
        let files: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let found = load(&root.to_string(), &files).unwrap();
        assert!(files.len() > 40 && found.value() == whole.value(), "{}", found.value());
        assert_eq!(differences(&whole, &found), [""; 0]);
        assert_eq!(lint(&found), []);
    }
}

/// Replaces references to components by references to their files.
fn to_files(value: Value, root: &str) -> Value {
    match value {
        Value::Object(entries) => entries
            .into_iter()
            .map(|(key, value)| (key, to_files(value, root)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(|item| to_files(item, root)).collect::<Vec<_>>().into(),
        Value::String(text) => match text.strip_prefix("#/components/") {
            Some(path) => format!("{root}/components/{path}.json").into(),
            None => text.into(),
        },
        other => other,
    }
}

/// A document with a schema for the response of each path.
fn api_with_responses(schemas: &[(&str, &str)]) -> String {
    let paths = schemas.iter().map(|(path, schema)| {
        format!(
            "  {path}:\n    get:\n      operationId: get{}\n      responses: {{200: {{description: d, content: {{application/json: {{schema: {schema}}}}}}}}}\n",
            &path[1..]
        )
    });
    format!("openapi: 3.0.3\ninfo: {{title: t, version: '1'}}\npaths:\n{}", paths.collect::<String>())
}

#[test]
fn data_is_left_unchanged() {
    let user = "type: object\nproperties: {address: {$ref: '#/definitions/Address'}}\npatternProperties: {a: {$ref: b.yaml}}\n\
                definitions:\n  Country: {type: string}\n  Address: {properties: {country: {$ref: '#/definitions/Country'}}}\n";
    let document = load(&api_with_responses(&[("/a", "{$ref: user.yaml}")]), &[("user.yaml", user)]).unwrap();
    let address = &document.value()["components"]["schemas"]["Address"];
    assert_eq!(document.resolve(&address["properties"]["country"]), &json!({"type": "string"}));
    let inner = api_with_responses(&[("/a", "{$ref: '#/components/x-shared/A'}")])
        + "components: {x-shared: {A: {items: {$ref: b.yaml}}, B: {$ref: nothing.yaml}}}\n";
    let document = load(&inner, &[("b.yaml", "type: string\n")]).unwrap();
    assert_eq!(document.value()["components"]["x-shared"]["A"], json!({"items": {"$ref": "#/components/schemas/b"}}));
    let monster = "{oneOf: [{$ref: dog.yaml}], discriminator: {propertyName: kind, mapping: {dog: dog.yaml, m: 'https://example.com/m.json'}}}";
    let document = load(&api_with_responses(&[("/a", monster)]), &[("dog.yaml", "type: object\n")]).unwrap();
    let schema = document.value().pointer("/paths/~1a/get/responses/200/content/application~1json/schema").unwrap();
    let expected = json!({"dog": "#/components/schemas/dog", "m": "https://example.com/m.json"});
    assert_eq!(schema["discriminator"]["mapping"], expected);
}

#[test]
fn references_within_the_document_do_not_use_bundled_components() {
    let text = api_with_responses(&[("/a", "{$ref: '#/components/schemas/User'}"), ("/b", "{$ref: User.yaml}")]);
    let found = load(&text, &[("User.yaml", "type: string\n")]).unwrap_err().on_one_line();
    assert!(found.ends_with("$ref `#/components/schemas/User` cannot be resolved"), "{found}");
    let text = api_with_responses(&[("/a", "{$ref: User.yaml}")]);
    let found =
        load(&text, &[("User.yaml", "items: {$ref: 'api.yaml#/components/schemas/A'}\n")]).unwrap_err().on_one_line();
    assert!(found.ends_with("/items: $ref `api.yaml#/components/schemas/A` cannot be resolved"), "{found}");
}

#[test]
fn generated_names_do_not_depend_on_the_order_of_references() {
    let pet = "oneOf: [{$ref: Dog.yaml}, {$ref: Cat.yaml}]\ndiscriminator: {propertyName: kind}\n";
    let files = [
        ("a/Pet.yaml", pet),
        ("a/Dog.yaml", "type: object\nproperties: {kind: {type: string}}\n"),
        ("a/Cat.yaml", "type: object\nproperties: {kind: {type: string}, lives: {type: integer}}\n"),
        ("b/Pet.yaml", "type: integer\n"),
    ];
    let old = load(&api_with_responses(&[("/m", "{$ref: a/Pet.yaml}")]), &files).unwrap();
    let new = load(&api_with_responses(&[("/b", "{$ref: b/Pet.yaml}"), ("/m", "{$ref: a/Pet.yaml}")]), &files).unwrap();
    let found = differences(&old, &new);
    assert!(
        !found.iter().any(|finding| finding.starts_with("response") || finding.starts_with("schema-renamed")),
        "{found:?}"
    );

    let aliases = |more: &str| {
        let components =
            format!("components: {{schemas: {{Dog: {{$ref: a/Dog.yaml}}, Cat: {{$ref: a/Cat.yaml}}{more}}}}}\n");
        load(&(api_with_responses(&[("/m", "{$ref: a/Pet.yaml}")]) + &components), &files).unwrap()
    };
    let found = differences(&aliases(""), &aliases(", Best: {$ref: a/Dog.yaml}"));
    assert_eq!(found.iter().map(|finding| finding.split(' ').next().unwrap()).collect::<Vec<_>>(), ["schema-added"]);
}

#[test]
fn siblings_of_a_path_items_reference_are_kept() {
    let api = "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n  /a/{id}:\n    $ref: item.yaml\n    summary: s\n    parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n";
    let document = load(api, &[("item.yaml", "summary: theirs\nget: {operationId: a}\n")]).unwrap();
    let item = &document.value()["paths"]["/a/{id}"];
    assert_eq!((item["summary"].as_str(), item["parameters"][0]["name"].as_str()), (Some("theirs"), Some("id")));
    let place = |pointer: &str| document_of(&document, &format!("/paths/~1a~1{{id}}{pointer}"));
    assert_eq!(place("/get"), ("openapi/item.yaml:2:1".to_owned(), "/get".to_owned()));
    assert_eq!(place("/parameters/0").0, "openapi/api.yaml:7:18");
    let found = load(&api.replace("schema: {type: string}", "schema: {$ref: id.yaml}"), &[("item.yaml", "get: {}\n")]);
    let found = found.unwrap_err().on_one_line();
    assert!(
        found.ends_with("`item.yaml` has siblings with references: move them into the file that it names"),
        "{found}"
    );

    let local = api.replace("item.yaml", "'#/paths/~1b'") + "  /b: {summary: theirs, get: {operationId: b}}\n";
    let item = Document::load("d", &local).unwrap().value()["paths"]["/a/{id}"].clone();
    assert_eq!((item["summary"].as_str(), item["parameters"][0]["name"].as_str()), (Some("theirs"), Some("id")));
}

#[test]
fn a_component_with_siblings_keeps_its_reference_for_lint() {
    let api = api_with_responses(&[("/a", "{$ref: '#/components/schemas/U'}")])
        + "components: {schemas: {U: {$ref: v.yaml, nullable: true}}}\n";
    let found = lint(&load(&api, &[("v.yaml", "type: string\n")]).unwrap());
    assert!(found.iter().any(|finding| finding.rule.id == "ref-with-siblings"), "{found:?}");
}
