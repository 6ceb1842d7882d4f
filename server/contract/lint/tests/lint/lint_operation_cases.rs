//! Cases of the rules about paths and operations, in the order of the rules.

use super::{Case, case, operation, parameters, paths, responses};

pub(super) fn path_items() -> Vec<Case> {
    let parameter = |name: &str| {
        format!(
            "\n      parameters: [{{name: {name}, in: path, required: true, description: d, schema: {{type: string}}}}]"
        )
    };
    let (x, y) = (parameter("x"), parameter("y"));
    vec![
        case(
            "path-slash-missing",
            paths(&[("a", "")]),
            &["7:3 the path does not begin with a slash"],
            paths(&[("/", "")]),
        ),
        case("path-slash-trailing", paths(&[("/a/", "")]), &["7:3 the path ends with a slash"], paths(&[("/a", "")])),
        case(
            "path-template-invalid",
            paths(&[("'/a/{x'", ""), ("'/a/x}'", ""), ("'/a?b={}'", "")]),
            &[
                "7:3 a brace is not closed",
                "13:3 a closing brace has no opening one",
                "19:3 the path contains a query or a fragment",
            ],
            paths(&[("'/a/{x}.{y}'", &format!("{}, {}", x.trim_end_matches(']'), y.split_once('[').unwrap().1))]),
        ),
        case(
            "path-template-invalid",
            paths(&[("'/a/{x}/{x}'", x.as_str())]),
            &["7:3 the variable `x` occurs twice"],
            paths(&[("'/a/{x}'", x.as_str())]),
        ),
        case(
            "path-template-duplicate",
            paths(&[("'/a/{y}'", y.as_str()), ("'/a/{x}'", x.as_str())]),
            &["14:3 the path is the same as `/a/{y}`"],
            paths(&[("'/a/{y}'", y.as_str()), ("'/b/{x}'", x.as_str()), ("/a/c", "")]),
        ),
        case(
            "path-parameter-undeclared",
            paths(&[("'/a/{y}/{x}'", x.as_str())]),
            &["8:5 the variable `y` of the path is not declared as a parameter"],
            paths(&[("'/a/{x}'", x.as_str())]),
        ),
        case(
            "path-parameter-not-in-path",
            paths(&[("'/a/{x}'", y.as_str())]),
            &["12:20 `y` is not a variable of the path"],
            paths(&[("'/a/{y}'", y.as_str())]),
        ),
        case(
            "path-parameter-not-required",
            paths(&[("'/a/{x}'", &x.replace("required: true, ", "")), ("'/b/{y}'", &y.replace("true", "false"))]),
            &["12:20 `x` is not required", "19:40 `y` is not required"],
            paths(&[("'/a/{x}'", x.as_str())]),
        ),
    ]
}

pub(super) fn parameter_objects() -> Vec<Case> {
    let good = "{name: q, in: query, description: d, schema: {type: string}}";
    let header = "{name: Q, in: header, description: d, schema: {type: string}}";
    vec![
        case(
            "parameter-duplicate",
            parameters(&format!("{good}, {header}, {good}, {}", header.replace('Q', "q"))),
            &["12:145 the query parameter `q` is listed twice", "12:207 the header parameter `q` is listed twice"],
            parameters(&format!("{good}, {header}")),
        ),
        case(
            "header-parameter-reserved",
            parameters(&header.replace('Q', "authorization")),
            &["12:21 the header parameter `authorization` is ignored"],
            parameters(&good.replace('q', "authorization").replace("authorizationuery", "query")),
        ),
        case(
            "header-parameter-reserved",
            responses("200: {description: d, headers: {content-type: {description: d, schema: {type: string}}}}"),
            &["13:41 the header `content-type` of a response is ignored"],
            responses("200: {description: d, headers: {ETag: {description: d, schema: {type: string}}}}"),
        ),
        case(
            "parameter-without-schema",
            parameters(
                "{name: q, in: query, description: d}, {name: r, in: query, description: d, schema: {}, content: {}}, {name: s, in: query, description: d, content: {}}",
            ),
            &[
                "12:20 it has neither `schema` nor `content`",
                "12:58 it has both `schema` and `content`",
                "12:121 its `content` needs exactly one media type",
            ],
            parameters("{name: q, in: query, description: d, content: {application/json: {schema: {type: string}}}}"),
        ),
        case(
            "parameter-description-missing",
            parameters("{name: q, in: query, schema: {type: string}}"),
            &["12:20 it has no description"],
            parameters("{name: q, in: query, schema: {type: string, description: d}}"),
        ),
    ]
}

pub(super) fn operation_objects() -> Vec<Case> {
    let named = |one: &str, two: &str| {
        let text = paths(&[("/a", ""), ("/b", "")]);
        text.replace("operationId: one", &format!("operationId: {one}"))
            .replace("operationId: two", &format!("operationId: {two}"))
    };
    let body = "requestBody: {content: {application/json: {schema: {type: string}}}}";
    vec![
        case(
            "operation-id-missing",
            operation("").replace("      operationId: a\n", ""),
            &["8:5 it has no `operationId`"],
            operation("operationId: a"),
        ),
        case(
            "operation-id-duplicate",
            named("one", "one"),
            &["17:7 two operations have the `operationId` `one`"],
            named("one", "two"),
        ),
        case(
            "operation-id-collision",
            named("getUser", "get_user"),
            &["17:7 `getUser` and `get_user` are the same name to generators"],
            named("getUser", "getUsers"),
        ),
        case(
            "operation-id-invalid",
            named("2fa", "'get user'"),
            &[
                "11:7 `2fa` is not a valid identifier in programming languages",
                "17:7 `get user` is not a valid identifier in programming languages",
            ],
            named("get_user.v2", "get-me"),
        ),
        case("tag-missing", operation("tags: []"), &["8:5 it has no tag"], operation("tags: [a]")),
        case(
            "operation-description-missing",
            operation("summary: ' '"),
            &["8:5 it has neither `summary` nor `description`"],
            operation("summary: s"),
        ),
        case(
            "request-body-on-get",
            operation(body),
            &["12:7 GET has a request body"],
            operation(body).replace("    get:", "    post:"),
        ),
    ]
}

pub(super) fn response_objects() -> Vec<Case> {
    let json = |schema: &str| format!("description: d, content: {{application/json: {{{schema}}}, text/plain: {{}}}}");
    let (typed, untyped) = (json("schema: {type: string}"), json(""));
    vec![
        case(
            "responses-missing",
            operation("responses: {}"),
            &["12:7 it has no response"],
            responses("204: {description: d}"),
        ),
        case(
            "responses-missing",
            operation("").replace("      responses: {200: {description: d}}\n", ""),
            &["8:5 it has no response"],
            responses("default: {description: d}"),
        ),
        case(
            "success-missing",
            responses("404: {description: d}"),
            &["12:7 it has no success"],
            responses("302: {description: d}"),
        ),
        case(
            "response-status-invalid",
            responses("{200: {description: d}, 20: {description: d}, 4xx: {description: d}, 600: {description: d}}"),
            &["13:33 `20` is not a status", "13:55 `4xx` is not a status", "13:78 `600` is not a status"],
            responses("{2XX: {description: d}, 242: {description: d}, default: {description: d}, x-note: 1}"),
        ),
        case(
            "response-description-missing",
            responses("200: {}"),
            &["13:9 it has no description"],
            responses("200: {description: ''}"),
        ),
        case(
            "success-without-schema",
            responses(&format!("200: {{{untyped}}}")),
            &["13:41 `application/json` has no schema"],
            responses(&format!("200: {{{typed}}}")),
        ),
        case(
            "error-without-schema",
            responses(&format!(
                "{{200: {{description: d}}, 404: {{$ref: '#/components/responses/R'}}, default: {{{untyped}}}}}"
            )) + &format!("components: {{responses: {{R: {{{untyped}}}}}}}\n"),
            &["13:110 `application/json` has no schema", "14:56 `application/json` has no schema"],
            responses(&format!("{{200: {{description: d}}, 404: {{description: d}}, default: {{{typed}}}}}")),
        ),
        case(
            "request-without-schema",
            paths(&[
                ("/a", "\n      requestBody: {content: {application/json: {}}}"),
                ("/b", "\n      requestBody: {content: {}}"),
            ])
            .replace("get:", "post:"),
            &["12:31 `application/json` has no schema", "19:21 it has no media type"],
            paths(&[("/a", "\n      requestBody: {content: {application/octet-stream: {}}}")]).replace("get:", "post:"),
        ),
        case(
            "media-type-invalid",
            responses("200: {description: d, content: {json: {}, 'text/': {}}}"),
            &["13:41 `json` is not a media type", "13:51 `text/` is not a media type"],
            responses("200: {description: d, content: {'text/plain; charset=utf-8': {}, image/*: {}, '*/*': {}}}"),
        ),
    ]
}
