//! Cases of the rules about schemas and values with a schema.

use super::{Case, case, parameters, responses, schemas};

pub(super) fn all() -> Vec<Case> {
    [schema_objects(), property_objects(), types(), values()].into_iter().flatten().collect()
}

fn schema_objects() -> Vec<Case> {
    vec![
        case(
            "array-without-items",
            schemas("S: {type: array}"),
            &["16:9 the array has no `items`"],
            schemas("S: {type: array, items: {}}"),
        ),
        case(
            "bounds-contradict",
            schemas(
                "S: {minimum: 2, maximum: 1, minLength: 2, maxLength: 1, minItems: 2, maxItems: 1, minProperties: 2, maxProperties: 1}",
            ),
            &[
                "16:9 minimum 2 is above maximum 1",
                "16:33 minLength 2 is above maxLength 1",
                "16:61 minItems 2 is above maxItems 1",
                "16:87 minProperties 2 is above maxProperties 1",
            ],
            schemas("S: {minimum: 1, maximum: 1, minLength: 1, maxLength: 1, minItems: 0, maxProperties: 0}"),
        ),
        case(
            "bounds-contradict",
            schemas("S: {minimum: 1, maximum: 1, exclusiveMinimum: true}"),
            &["16:9 minimum and maximum are 1, and one of them is exclusive"],
            schemas("S: {minimum: 1, maximum: 2, exclusiveMinimum: true, exclusiveMaximum: true}"),
        ),
        case(
            "pattern-invalid",
            schemas("S: {type: string, pattern: '(?i)a'}"),
            &["16:23 `(?i)a`: invalid group modifier"],
            schemas("S: {type: string, pattern: '^(?=a)[a-z]+$'}"),
        ),
        case(
            "date-time-with-pattern",
            schemas("S: {type: string, format: date-time, pattern: 'Z$'}"),
            &["16:42 it has a pattern and the format `date-time`"],
            schemas("S: {type: string, format: uuid, pattern: '^0'}"),
        ),
        case(
            "nullable-without-type",
            schemas("S: {nullable: true, allOf: [{$ref: '#/components/schemas/T'}]}\n    T: {type: string}"),
            &["16:9 it is `nullable` but has no `type`"],
            schemas("S: {nullable: true, type: string}"),
        ),
    ]
}

fn property_objects() -> Vec<Case> {
    vec![
        case(
            "property-names-collide",
            schemas("S: {properties: {userId: {description: d}, user_id: {description: d}, 'user-ID': {description: d}}}"),
            &["16:48 `userId` and `user_id` are the same name to generators", "16:75 `userId` and `user-ID` are the same name to generators"],
            schemas("S: {properties: {userId: {description: d}, userIds: {description: d}, $: {description: d}, _: {description: d}}}"),
        ),
        case(
            "required-property-undefined",
            schemas("S: {required: [name, nam], properties: {name: {description: d}}}"),
            &["16:26 `nam` is required and not defined, did you mean `name`?"],
            schemas(
                "S: {allOf: [{$ref: '#/components/schemas/T'}, {required: [name, age], properties: {age: {description: d}}}]}
    T: {properties: {name: {description: d}}, anyOf: [{required: [name]}]}",
            ),
        ),
        case(
            "read-only-and-write-only",
            schemas("S: {properties: {a: {description: d, readOnly: true, writeOnly: true}}}"),
            &["16:58 it can be neither read nor written"],
            schemas("S: {properties: {a: {description: d, readOnly: true, writeOnly: false}}}"),
        ),
        case(
            "property-description-missing",
            schemas("S: {properties: {b: {}, a: {}, c: {description: d}}}"),
            &["16:22 no description of `b`, `a`"],
            schemas(
                "S: {properties: {b: {title: t}, a: {$ref: '#/components/schemas/S'}, l: {type: array, items: {$ref: '#/components/schemas/S'}}}}",
            ),
        ),
    ]
}

fn types() -> Vec<Case> {
    let choice = |alternatives: &str, more: &str| {
        schemas(&format!(
            "S: {{discriminator: {{propertyName: kind}}, oneOf: [{alternatives}]}}
    A: {{required: [kind], properties: {{kind: {{description: d}}}}}}
    B: {{allOf: [{{$ref: '#/components/schemas/A'}}]}}
    C: {{properties: {{kind: {{description: d}}}}}}
    D: {{description: {{$ref: '#/components/schemas/A'}}}}{more}"
        ))
        .replace("    D: {description: {$ref: '#/components/schemas/A'}}", "")
    };
    let reference = |name: &str| format!("{{$ref: '#/components/schemas/{name}'}}");
    let uses = format!("\n    E: {{anyOf: [{}, {}, {}]}}", reference("A"), reference("B"), reference("C"));
    let good = choice(&format!("{}, {}", reference("A"), reference("B")), "")
        .replace("    C: {properties: {kind: {description: d}}}\n", "");
    vec![
        case(
            "inline-union",
            schemas("S: {properties: {a: {description: d, anyOf: [{type: boolean}, {type: string}]}}}"),
            &["16:42 a union of 2 types without a name"],
            schemas(
                "S: {properties: {a: {description: d, title: Flag, anyOf: [{type: boolean}, {type: string}]}, b: {description: d, oneOf: [{type: string}, {enum: [null]}]}}}",
            ),
        ),
        case(
            "inline-union",
            responses(
                "200: {description: d, content: {application/json: {schema: {oneOf: [{type: boolean}, {type: string}]}}}}",
            ),
            &["13:69 a union of 2 types without a name"],
            schemas("S: {oneOf: [{type: boolean}, {type: string}]}"),
        ),
        case(
            "inline-object",
            schemas("S: {type: array, items: {properties: {a: {description: d}}}}"),
            &["16:30 an object without a name"],
            schemas("S: {type: array, items: {title: Item, properties: {a: {description: d}}}}"),
        ),
        case(
            "inline-object",
            schemas("S: {properties: {a: {description: d, allOf: [{}, {}]}}}"),
            &["16:42 an object without a name"],
            schemas("S: {properties: {a: {description: d, allOf: [{}]}}, additionalProperties: {type: object}}"),
        ),
        case(
            "discriminator-property-missing",
            schemas(
                "S: {discriminator: {propertyName: kind}, oneOf: [{$ref: '#/components/schemas/T'}]}\n    T: {type: object}",
            ),
            &["16:54 `T` has no property `kind`"],
            good.clone(),
        ),
        case(
            "discriminator-property-missing",
            schemas("S: {discriminator: {propertyName: kind}}"),
            &["16:25 `S` has no property `kind`"],
            schemas("S: {discriminator: {propertyName: kind}, required: [kind], properties: {kind: {description: d}}}"),
        ),
        case(
            "discriminator-property-not-required",
            choice(&format!("{}, {}", reference("A"), reference("C")), &uses),
            &["16:88 `C` does not require `kind`"],
            good.clone(),
        ),
        case(
            "discriminator-inline-alternative",
            schemas("S: {discriminator: {propertyName: kind}, anyOf: [{title: T, type: object}]}"),
            &["16:54 the alternative has no name for `kind`"],
            good.clone(),
        ),
        case(
            "discriminator-mapping-undefined",
            good.replace(
                "propertyName: kind}",
                "propertyName: kind, mapping: {a: A, b: '#/components/schemas/Z', c: Z}}",
            ),
            &["16:61 there is no schema `#/components/schemas/Z`", "16:90 there is no schema `Z`"],
            good.replace("propertyName: kind}", "propertyName: kind, mapping: {a: A, b: '#/components/schemas/B'}}"),
        ),
    ]
}

fn values() -> Vec<Case> {
    let media = |rest: &str| {
        responses(&format!(
            "200: {{description: d, content: {{application/json: {{schema: {{type: integer}}, {rest}}}}}}}"
        ))
    };
    vec![
        case(
            "example-invalid",
            schemas(
                "S: {type: object, example: {at: [1]}, properties: {at: {type: array, items: {type: string, format: date-time}, description: d, example: [now]}}}",
            ),
            &["16:38 1 is not of type \"string\"", "16:142 \"now\" is not a \"date-time\""],
            schemas(
                "S: {type: object, example: {at: ['2026-11-20T09:30:00Z']}, properties: {at: {type: array, items: {type: string, format: date-time}, description: d, nullable: true, example: null}}}",
            ),
        ),
        case(
            "example-invalid",
            media("example: one"),
            &["13:85 \"one\" is not of type \"integer\""],
            media("example: 1"),
        ),
        case(
            "example-invalid",
            media("examples: {a: {value: 1}, b: {value: one}}"),
            &["13:115 \"one\" is not of type \"integer\""],
            media("examples: {a: {value: 1}}"),
        ),
        case(
            "example-invalid",
            media("examples: {a: {$ref: '#/components/examples/E'}}") + "components: {examples: {E: {value: one}}}\n",
            &["14:29 \"one\" is not of type \"integer\""],
            media("examples: {a: {$ref: '#/components/examples/E'}}") + "components: {examples: {E: {value: 1}}}\n",
        ),
        case(
            "example-invalid",
            parameters("{name: q, in: query, description: d, example: a, schema: {type: string, minLength: 2}}"),
            &["12:57 \"a\" is shorter than 2 characters"],
            schemas(
                "S: {type: object, example: {}, required: [id], properties: {id: {readOnly: true, description: d}}}",
            ),
        ),
        case(
            "default-invalid",
            schemas("S: {type: string, format: email, default: nobody}"),
            &["16:38 \"nobody\" is not a \"email\""],
            schemas("S: {type: string, format: email, default: a@example.com}"),
        ),
        case(
            "enum-value-invalid",
            schemas("S: {type: string, enum: [on, true, 1, null]}"),
            &[
                "16:34 true is not of type \"string\"",
                "16:40 1 is not of type \"string\"",
                "16:43 null is not of type \"string\"",
            ],
            schemas("S: {type: string, nullable: true, enum: ['on', 'true', '1', null]}"),
        ),
        case(
            "enum-value-shared",
            schemas("S: {type: object, properties: {a: {description: d, allOf: [{$ref: '#/components/schemas/T'}]}, b: {description: d, allOf: [{$ref: '#/components/schemas/U'}]}}}
    T: {type: string, enum: [email, '*']}
    U: {type: string, enum: [sms, Email, '*', '+']}"),
            &["18:35 `Email` is a value of `T`, too", "18:42 `*` is a value of `T`, too"],
            schemas("S: {type: object, properties: {a: {description: d, allOf: [{$ref: '#/components/schemas/T'}]}, b: {description: d, type: string, enum: [email]}}}
    T: {type: string, enum: [email, sms]}"),
        ),
        case(
            "enum-duplicate",
            schemas("S: {enum: [a, 1, b, a, 1]}"),
            &["16:25 \"a\" is listed twice", "16:28 1 is listed twice"],
            schemas("S: {enum: [a, '1', 1, b]}"),
        ),
        case(
            "example-and-examples",
            media("example: 1, examples: {a: {value: 1}}"),
            &["13:85 there is `examples` as well"],
            media("examples: {a: {value: 1}}"),
        ),
        case(
            "value-not-checked",
            schemas("S: {description: d, allOf: [{$ref: '#/components/schemas/S'}], example: 1}"),
            &["16:68 its schema refers to itself for the same value"],
            schemas("S: {type: integer, example: 1}"),
        ),
        case("value-not-checked", chain(300), &["16:53 its schema refers to too many others"], chain(30)),
    ]
}

/// A schema with an example and a chain of this many references.
fn chain(length: usize) -> String {
    let links = (1..length)
        .map(|index| format!("\n    S{index}: {{allOf: [{{$ref: '#/components/schemas/S{}'}}]}}", index + 1));
    let first = "S: {allOf: [{$ref: '#/components/schemas/S1'}], example: 1}";
    schemas(&format!("{first}{}\n    S{length}: {{type: integer}}", links.collect::<String>()))
}
