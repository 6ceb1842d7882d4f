//! Cases of the rules not about schemas, in the order of the rules.

use super::operation_cases::{operation_objects, parameter_objects, path_items, response_objects};
use super::{Case, case, document, operation, parameters, paths, responses, schemas};

pub(super) fn all() -> Vec<Case> {
    let groups = [
        fields(),
        general(),
        path_items(),
        parameter_objects(),
        operation_objects(),
        response_objects(),
        security(),
        components(),
    ];
    groups.into_iter().flatten().collect()
}

fn fields() -> Vec<Case> {
    vec![
        case(
            "unknown-field",
            operation("desciption: d\n      deprecatd: true\n      consumes: []"),
            &[
                "12:7 an operation has no field `desciption`, did you mean `description`?",
                "13:7 an operation has no field `deprecatd`, did you mean `deprecated`?",
                "14:7 an operation has no field `consumes`: media types are the keys of `content`",
            ],
            operation("description: d\n      x-desciption: d"),
        ),
        case(
            "unknown-field",
            schemas("S: {type: string, const: a, x-const: a}"),
            &["16:23 a schema has no field `const`: use an `enum` of one value"],
            schemas("S: {type: string, enum: [a]}"),
        ),
        case(
            "unknown-field",
            in_3_1(&schemas(
                "S: {type: string, nullable: true, maximum: 5, exclusiveMaximum: true, dependencies: {}, maxLenght: 5}",
            )),
            &[
                "16:23 `nullable` has no meaning in this version of OpenAPI: add `\"null\"` to `type`",
                "16:51 `exclusiveMaximum` has no meaning in this version of OpenAPI: it is a number of its own, in place of the limit",
                "16:75 a schema has no field `dependencies`: use `dependentRequired` or `dependentSchemas`",
                "16:93 a schema has no field `maxLenght`, did you mean `maxLength`?",
            ],
            in_3_1(&schemas(
                "S: {type: [string, 'null'], const: a, $comment: c, widget: w, if: {const: b}, then: false}",
            )),
        ),
        case(
            "field-value",
            in_3_1(&schemas("S: {type: strin}")),
            &["16:9 `strin` is unknown here, did you mean `string`?"],
            in_3_1(&schemas("S: {type: [string, integer]}")),
        ),
        case(
            "unknown-field",
            document("paths: {}\nwebhooks: {}"),
            &["7:1 the document has no field `webhooks`: OpenAPI has it since 3.1; OpenAPI 3.0 has `callbacks`"],
            document("paths: {}\nx-webhooks: {}"),
        ),
        case(
            "field-missing",
            "openapi: 3.0.3\ninfo: {title: t}\nservers: [{description: d}]\npaths: {}\n",
            &["2:1 the info object needs `version`", "3:11 a server needs `url`"],
            document("paths: {}"),
        ),
        case(
            "field-type",
            operation("tags: a\n      deprecated: 'yes'\n      description: 1"),
            &[
                "11:7 expected a list of strings, found the string `a`",
                "12:7 expected `true` or `false`, found the string `yes`",
                "13:7 expected a string, found `1`",
            ],
            operation("tags: [a]\n      deprecated: true\n      description: '1'"),
        ),
        case(
            "field-type",
            schemas("S: {type: object, required: true, properties: [], items: [], maxLength: -1}"),
            &[
                "16:23 expected a list of strings, found `true`",
                "16:39 expected a map, each entry a schema, found a list",
                "16:55 expected a schema, found a list",
                "16:66 expected a non-negative integer, found `-1`",
            ],
            schemas("S: {type: object, required: [a], properties: {a: {description: d}}, additionalProperties: false}"),
        ),
        case(
            "field-value",
            parameters(
                "{name: q, in: body, description: d, schema: {type: text}}, {name: r, in: Query, schema: {type: strin}}",
            ),
            &[
                "12:30 `body` is unknown here; it is one of `query`, `header`, `path`, `cookie`",
                "12:65 `text` is unknown here; it is one of `array`, `boolean`, `integer`, `number`, `object`, `string`",
                "12:89 `Query` is unknown here, did you mean `query`?",
                "12:109 `strin` is unknown here, did you mean `string`?",
            ],
            parameters("{name: q, in: query, description: d, schema: {type: string}}"),
        ),
        case(
            "ref-with-siblings",
            schemas("S: {$ref: '#/components/schemas/T', description: d, nullable: true}\n    T: {type: string}"),
            &["16:9 siblings of a `$ref` are ignored: `description`, `nullable`"],
            schemas("S: {description: d, allOf: [{$ref: '#/components/schemas/T'}]}\n    T: {type: string}"),
        ),
        case(
            "reference-broken",
            responses(
                "200: {description: d, content: {text/plain: {schema: {type: string}, examples: {a: {$ref: '#/components/examples/B'}}}}}",
            ),
            &["13:93 `#/components/examples/B` leads to no example"],
            format!(
                "{}components: {{examples: {{B: {{value: b}}}}}}\n",
                responses(
                    "200: {description: d, content: {text/plain: {schema: {type: string}, examples: {a: {$ref: '#/components/examples/B'}}}}}"
                )
            ),
        ),
    ]
}

fn in_3_1(document: &str) -> String {
    document.replace("openapi: 3.0.3", "openapi: 3.1.0")
}

/// The document of [`document`] in OpenAPI 3.2, with other tags.
fn in_3_2(body: &str, tags: &str) -> String {
    document(body).replace("openapi: 3.0.3", "openapi: 3.2.0").replace("[{name: a}]", tags)
}

fn general() -> Vec<Case> {
    let with_info = |version: &str| document("paths: {}").replace("1.0.0", version);
    vec![
        case(
            "info-version-not-semver",
            with_info("v1"),
            &["2:18 `v1` is not a semantic version"],
            with_info("1.0.0-rc.1+build.5"),
        ),
        case(
            "server-missing",
            "openapi: 3.0.3\ninfo: {title: t, version: 1.0.0}\npaths: {}\n",
            &["1:1 the document has no server"],
            document("paths: {}"),
        ),
        case(
            "server-missing",
            "openapi: 3.0.3\ninfo: {title: t, version: 1.0.0}\nservers: []\npaths: {}\n",
            &["3:1 the document has no server"],
            document("paths: {}"),
        ),
        case(
            "server-variable-undefined",
            document("paths: {}")
                .replace("{url: /}", "{url: 'https://{host}/{base}', variables: {base: {default: c, enum: [a, b]}}}"),
            &["3:12 the variable `host` is not defined", "3:61 the default `c` is not one of the values"],
            document("paths: {}")
                .replace("{url: /}", "{url: '/{base}', variables: {base: {default: a, enum: [a, b]}}}"),
        ),
        case(
            "tag-undeclared",
            paths(&[("/a", "\n      tags: [A]"), ("/b", "\n      tags: [a, A, other]")]),
            &["11:14 the tag `A` is not declared, did you mean `a`?", "17:20 the tag `other` is not declared"],
            paths(&[("/a", ""), ("/b", "")]),
        ),
        case(
            "tag-duplicate",
            operation("tags: [a, a]").replace("[{name: a}]", "[{name: a}, {name: a}]"),
            &["5:20 `a` is declared twice", "11:17 the operation has `a` twice"],
            operation("tags: [a, b]").replace("[{name: a}]", "[{name: a}, {name: b}]"),
        ),
        case(
            "tag-parent-undefined",
            in_3_2("paths: {}", "[{name: a, parent: b}, {name: c, parent: d}, {name: d, parent: c}]"),
            &["5:18 the tag `b` is not declared", "5:40 `c` is above itself", "5:62 `d` is above itself"],
            in_3_2("paths: {}", "[{name: a}, {name: b, parent: a, kind: nav}, {name: c, parent: b}]"),
        ),
        case(
            "schema-dialect-unknown",
            in_3_2("paths: {}\njsonSchemaDialect: https://example.com/mine", "[]"),
            &["7:1 `https://example.com/mine` is not a dialect that this tool reads"],
            in_3_2("paths: {}\njsonSchemaDialect: https://spec.openapis.org/oas/3.1/dialect/base", "[]"),
        ),
        case(
            "link-operation-undefined",
            responses(
                "200: {description: d, links: {l: {operationId: b}, m: {operationRef: '#/paths/~1b/get'}, n: {description: d}}}",
            ),
            &[
                "13:43 there is no operation `b`",
                "13:64 `#/paths/~1b/get` cannot be resolved",
                "13:98 `n` has neither `operationId` nor `operationRef`",
            ],
            responses("200: {description: d, links: {l: {operationId: a}, m: {operationRef: '#/paths/~1a/get'}}}"),
        ),
    ]
}

fn security() -> Vec<Case> {
    let schemes = |requirement: &str| {
        format!(
            "{}components:
  securitySchemes:
    key: {{type: apiKey, in: header, name: K}}
    oauth: {{type: oauth2, flows: {{clientCredentials: {{tokenUrl: /t, scopes: {{read: r}}}}}}}}
",
            operation(&format!("security: [{requirement}]"))
        )
    };
    let silent = |text: String| text.replacen("\nsecurity: []\n", "\n", 1);
    vec![
        case(
            "security-missing",
            silent(operation("")),
            &["7:5 it has no `security`, and neither has the document"],
            silent(operation("security: []")),
        ),
        case(
            "security-missing",
            silent(paths(&[("/a", ""), ("/b", "")])),
            &["1:1 neither the document nor any of its operations has `security`"],
            paths(&[("/a", ""), ("/b", "")]),
        ),
        case(
            "security-scheme-undefined",
            schemes("{keys: []}"),
            &["12:19 `keys` is not defined, did you mean `key`?"],
            schemes("{key: []}, {oauth: [read]}"),
        ),
        case(
            "security-scheme-unused",
            schemes("{key: []}"),
            &["17:5 no operation uses `oauth`"],
            schemes("{key: [], oauth: []}"),
        ),
        case(
            "scope-undefined",
            schemes("{key: [read], oauth: [read, raed]}"),
            &["12:25 `key` is not a scheme with scopes, but `read` is required", "12:46 `oauth` has no scope `raed`"],
            schemes("{key: [], oauth: [read]}"),
        ),
    ]
}

fn components() -> Vec<Case> {
    vec![
        case(
            "component-name-invalid",
            schemas("S: {$ref: '#/components/schemas/Tree of Life'}\n    Tree of Life: {}"),
            &["17:5 `Tree of Life` is not a name for a component"],
            schemas("S: {$ref: '#/components/schemas/Tree-of_Life.v1'}\n    Tree-of_Life.v1: {}"),
        ),
        case(
            "component-unused",
            schemas(
                "S: {}\n    T: {items: {$ref: '#/components/schemas/U'}}\n    U: {}\n  headers:\n    H: {description: d, schema: {}}",
            ),
            &[
                "17:5 no operation uses `T` of `components/schemas`",
                "18:5 no operation uses `U` of `components/schemas`",
                "20:5 no operation uses `H` of `components/headers`",
            ],
            schemas(
                "S: {discriminator: {propertyName: k}, required: [k], properties: {k: {description: d}}}
    T: {allOf: [{$ref: '#/components/schemas/S'}]}",
            ),
        ),
    ]
}
