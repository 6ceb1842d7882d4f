//! Files and references that cannot be used, and what messages about them show.

use super::{api_with_responses, load};
use countersign_contract_document::Document;
use countersign_contract_lint::lint;

#[test]
fn an_unusable_file_is_reported_at_the_reference_to_it() {
    let api = |reference: &str| {
        format!("openapi: 3.0.3\npaths: {{}}\ncomponents:\n  schemas:\n    A: {{$ref: '{reference}'}}\n")
    };
    let files = [
        ("user.yaml", "name: {type: string}\nbroken: {$ref: '#/nope'}\nlost: {items: {$ref: 'lost.yaml'}}\n"),
        ("self.yaml", "$ref: self.yaml\n"),
        ("bad.yaml", "a: [\n"),
    ];
    let own = "openapi/api.yaml:5:9: /components/schemas/A: $ref";
    for (reference, expected) in [
        ("none.yaml", format!("{own} `none.yaml` leads to a file that cannot be read: there is no such file")),
        ("user.yaml#/nobody", format!("{own} `user.yaml#/nobody` cannot be resolved")),
        ("user.yaml#name", format!("{own} `user.yaml#name` cannot be resolved: what follows `#` is no JSON pointer, which begins with `/`")),
        ("user.yaml#/", format!("{own} `user.yaml#/` cannot be resolved: `#/` leads to an entry with an empty name; leave out the `/` to refer to the whole file")),
        ("user.yaml#/broken", "openapi/user.yaml:2:10: /broken: $ref `#/nope` cannot be resolved".to_owned()),
        ("user.yaml#/lost", "openapi/user.yaml:3:16: /lost/items: $ref `lost.yaml` leads to a file that cannot be read: there is no such file".to_owned()),
        ("https://example.com/a.yaml", format!("{own} `https://example.com/a.yaml` is a URL: copy the file and refer to it by its path")),
        ("/a.yaml", format!("{own} `/a.yaml` is an absolute path: use a path relative to this file")),
        ("api.yaml#/components/schemas/A", format!("{own} `#/components/schemas/A` leads back to itself")),
    ] {
        let found = load(&api(reference), &files).unwrap_err().on_one_line();
        assert_eq!(found, expected);
    }
    let found = load(&api("bad.yaml"), &files).unwrap_err().on_one_line();
    assert!(found.starts_with("openapi/bad.yaml:2:1: not readable as YAML or JSON"), "{found}");
    let found = load(&api("self.yaml"), &files).unwrap_err().on_one_line();
    assert!(found.contains("leads back to itself"), "{found}");
    let found = load("openapi: 4.0.0\npaths: {/a: {$ref: none.yaml}}\n", &[]).unwrap_err().on_one_line();
    assert_eq!(found, "openapi/api.yaml:1:1: /openapi: expected OpenAPI 3.0, 3.1 or 3.2, found version 4.0.0");
}

#[test]
fn recursive_path_items_are_rejected() {
    let item =
        "post:\n  callbacks:\n    again:\n      '{$url}': {$ref: item.yaml}\n      '{$other}': {$ref: item.yaml}\n";
    for item in [item, "$ref: item.yaml\n", "$ref: '#'\n"] {
        let api = "openapi: 3.0.3\npaths: {/a: {$ref: item.yaml}}\n";
        let found = load(api, &[("item.yaml", item)]).unwrap_err().on_one_line();
        assert!(found.contains("leads back to itself"), "{found}");
    }
}

#[test]
fn components_must_be_an_object() {
    let api = api_with_responses(&[("/a", "{$ref: a.yaml}")]) + "components: {schemas: }\n";
    assert!(load(&api, &[("a.yaml", "type: string\n")]).is_ok());
    for components in ["1", "{schemas: []}"] {
        let api = format!(
            "openapi: 3.0.3\npaths: {{/a: {{get: {{parameters: [{{schema: {{$ref: a.yaml}}}}]}}}}}}\ncomponents: {components}\n"
        );
        let found = load(&api, &[("a.yaml", "type: string\n")]).unwrap_err().on_one_line();
        assert!(
            found.ends_with("`a.yaml` cannot be resolved: `components` or a section of it is not an object"),
            "{found}"
        );
    }
}

#[test]
fn misplaced_references_are_rejected() {
    for (text, place) in [
        ("paths: {/a: {get: {responses: {$ref: r.yaml}}}}\n", "/paths/~1a/get/responses"),
        ("paths: {/a: {get: {$ref: r.yaml}}}\n", "/paths/~1a/get"),
        ("paths: {/a: {get: {parameters: {$ref: r.yaml}}}}\n", "/paths/~1a/get/parameters"),
        ("paths: {}\ncomponents: {schemas: {$ref: r.yaml}}\n", "/components/schemas"),
        ("paths: {}\ncomponents: {$ref: '#/x'}\n", "/components"),
        ("paths: {}\ncomponents: {schemas: {A: {properties: {$ref: '#/x'}}}}\n", "/components/schemas/A/properties"),
    ] {
        for found in
            [load(&format!("openapi: 3.0.3\n{text}"), &[]), Document::load("d", &format!("openapi: 3.0.3\n{text}"))]
        {
            let found = found.unwrap_err().on_one_line();
            assert!(found.contains(&format!(": {place}: $ref")) && found.ends_with(reference_misplaced()), "{found}");
        }
    }
}

fn reference_misplaced() -> &'static str {
    "is where OpenAPI allows no reference"
}

#[test]
fn messages_show_nothing_of_files_that_are_no_contracts() {
    const SECRET: &str = "hunter2";
    for text in [
        "root:x:0:0:hunter2:/root:/bin/sh\n",
        "hunter2 line\n  another: [hunter2\n",
        "hunter2_key: a\nhunter2_key: b\n",
        "apiVersion: v1\nkind: hunter2\nmetadata: {name: hunter2}\ndata: {hunter2: hunter2}\ntype: hunter2\n",
        "{\"hunter2\": hunter2}",
        "{\"a\": {\"hunter2\": \"hunter2\"}}",
        "- hunter2\n",
        "hunter2: !hunter2 hunter2\n",
        "*hunter2\n",
        "@hunter2\n",
        "%hunter2\n",
        "? [hunter2]\n: hunter2\n",
        "hunter2: .inf\n",
        "'hunter2\n",
    ] {
        let found = load(&api_with_responses(&[("/a", "{$ref: secret.yaml}")]), &[("secret.yaml", text)]);
        let found = found.expect_err(text).on_one_line();
        assert!(!found.contains(SECRET) && found.contains("secret.yaml"), "{text}\n{found}");
        let found = Document::load("secret.yaml", text).expect_err(text).on_one_line();
        assert!(!found.contains(SECRET) && found.contains("secret.yaml"), "{text}\n{found}");
    }
    for (part, text) in
        [("a", "a: hunter2\n"), ("b/0", "b: [hunter2]\n"), ("c", "c: {hunter2: hunter2, d: 1, type: e}\n")]
    {
        let reference = format!("{{$ref: 'secret.yaml#/{part}'}}");
        let found = load(&api_with_responses(&[("/a", &reference)]), &[("secret.yaml", text)]).unwrap_err();
        assert!(!found.on_one_line().contains(SECRET), "{}", found.on_one_line());
    }
    let typo = "type: string\nmaxLenght: 3\n";
    let found = lint(&load(&api_with_responses(&[("/a", "{$ref: user.yaml}")]), &[("user.yaml", typo)]).unwrap());
    assert!(found.iter().any(|finding| finding.message.contains("maxLenght")), "a contract's own words are shown");
}

#[test]
fn control_characters_in_messages_are_escaped() {
    for api in [
        api_with_responses(&[("/a", "{$ref: \"a\\n::error::b\\e[2J.yaml\"}")]),
        "openapi: 3.0.3\npaths: {\"/a\\n::error::b\\e[2J\": 1}\n".to_owned(),
        "openapi: \"3\\n::error::b\\e[2J\"\npaths: {}\n".to_owned(),
    ] {
        let found = load(&api, &[]).unwrap_err().to_string();
        assert!(found.contains("::error::b") && !found.contains(char::is_control), "{found:?}");
    }
}

#[test]
fn bundling_is_limited_in_size() {
    let many: Vec<(String, String)> = (0..30)
        .map(|index| {
            let next = format!("{{$ref: p{}.yaml}}", index + 1);
            (format!("p{index}.yaml"), format!("post: {{callbacks: {{c: {{a: {next}, b: {next}}}}}}}\n"))
        })
        .chain([("p30.yaml".to_owned(), "post: {}\n".to_owned())])
        .collect();
    let files: Vec<(&str, &str)> = many.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let found = load("openapi: 3.0.3\npaths: {/a: {$ref: p0.yaml}}\n", &files).unwrap_err().on_one_line();
    assert!(found.ends_with("makes the document too large, or leads back to itself"), "{found}");

    let mut laugh = "a0: &a0 [0,0,0,0,0,0,0,0,0,0]\n".to_owned();
    (1..6).for_each(|level| {
        let alias = format!("*a{}", level - 1);
        laugh.push_str(&format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(",")));
    });
    laugh.push_str("s: {type: string}\n");
    let paths: Vec<String> = (0..10).map(|index| format!("l{index}.yaml")).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), laugh.as_str())).collect();
    let schemas: Vec<String> = paths.iter().map(|path| format!("{{$ref: '{path}#/s'}}")).collect();
    let text = api_with_responses(&[("/a", &format!("{{anyOf: [{}]}}", schemas.join(",")))]);
    let found = load(&text, &files).unwrap_err().on_one_line();
    assert!(found.contains("the document expands to too many values"), "{found}");
}
