//! Paths and their operations, with what these send and receive.

use super::{may, must, names, object, referable};
use crate::grammar::Shape::{Data, Flag, List, Map, One, Text, Texts, Word};
use crate::grammar::{Grammar, Kind};
use crate::version::Version;

const STYLES: &[&str] = &["matrix", "label", "form", "simple", "spaceDelimited", "pipeDelimited", "deepObject"];

const STYLES_3_2: &[&str] =
    &["matrix", "label", "form", "simple", "spaceDelimited", "pipeDelimited", "deepObject", "cookie"];

pub(super) static PATHS: Grammar = names("the paths", &[], One(Kind::PathItem));

pub(super) static PATH_ITEM: Grammar = object(
    "a path item",
    &[
        may("$ref", Text),
        may("summary", Text),
        may("description", Text),
        may("get", One(Kind::Operation)),
        may("put", One(Kind::Operation)),
        may("post", One(Kind::Operation)),
        may("delete", One(Kind::Operation)),
        may("options", One(Kind::Operation)),
        may("head", One(Kind::Operation)),
        may("patch", One(Kind::Operation)),
        may("trace", One(Kind::Operation)),
        may("query", One(Kind::Operation)).since_3_2(),
        may("additionalOperations", Map(Kind::Operation)).since_3_2(),
        may("servers", List(Kind::Server)),
        may("parameters", List(Kind::Parameter)),
    ],
);

pub(super) static OPERATION: Grammar = object(
    "an operation",
    &[
        may("tags", Texts),
        may("summary", Text),
        may("description", Text),
        may("externalDocs", One(Kind::Docs)),
        may("operationId", Text),
        may("parameters", List(Kind::Parameter)),
        may("requestBody", One(Kind::Body)),
        may("responses", One(Kind::Responses)),
        may("callbacks", Map(Kind::Callback)),
        may("deprecated", Flag),
        may("security", List(Kind::Requirement)),
        may("servers", List(Kind::Server)),
    ],
);

pub(super) static PARAMETER: Grammar = referable(
    "a parameter",
    &[
        must("name", Text),
        must("in", Word(&["query", "header", "path", "cookie"])).until_3_1(),
        must("in", Word(&["query", "header", "path", "cookie", "querystring"])).since_3_2(),
        may("description", Text),
        may("required", Flag),
        may("deprecated", Flag),
        may("allowEmptyValue", Flag),
        may("style", Word(STYLES)).until_3_1(),
        may("style", Word(STYLES_3_2)).since_3_2(),
        may("explode", Flag),
        may("allowReserved", Flag),
        may("schema", One(Kind::Schema)),
        may("example", Data),
        may("examples", Map(Kind::Example)),
        may("content", Map(Kind::MediaType)),
    ],
);

pub(super) static HEADER: Grammar = referable(
    "a header",
    &[
        may("description", Text),
        may("required", Flag),
        may("deprecated", Flag),
        may("allowEmptyValue", Flag),
        may("style", Word(STYLES)),
        may("explode", Flag),
        may("allowReserved", Flag),
        may("schema", One(Kind::Schema)),
        may("example", Data),
        may("examples", Map(Kind::Example)),
        may("content", Map(Kind::MediaType)),
    ],
);

pub(super) static BODY: Grammar = referable(
    "a request body",
    &[may("description", Text), must("content", Map(Kind::MediaType)), may("required", Flag)],
);

pub(super) static MEDIA_TYPE: Grammar = Grammar {
    referable: Some(Version::V3_2),
    ..object(
        "a media type",
        &[
            may("schema", One(Kind::Schema)),
            may("itemSchema", One(Kind::Schema)).since_3_2(),
            may("example", Data),
            may("examples", Map(Kind::Example)),
            may("encoding", Map(Kind::Encoding)),
            may("prefixEncoding", List(Kind::Encoding)).since_3_2(),
            may("itemEncoding", One(Kind::Encoding)).since_3_2(),
        ],
    )
};

pub(super) static ENCODING: Grammar = object(
    "an encoding",
    &[
        may("contentType", Text),
        may("headers", Map(Kind::Header)),
        may("style", Word(STYLES)),
        may("explode", Flag),
        may("allowReserved", Flag),
        may("encoding", Map(Kind::Encoding)).since_3_2(),
        may("prefixEncoding", List(Kind::Encoding)).since_3_2(),
        may("itemEncoding", One(Kind::Encoding)).since_3_2(),
    ],
);

pub(super) static RESPONSES: Grammar =
    names("the responses", &[may("default", One(Kind::Response))], One(Kind::Response));

pub(super) static RESPONSE: Grammar = referable(
    "a response",
    &[
        may("summary", Text).since_3_2(),
        may("description", Text),
        may("headers", Map(Kind::Header)),
        may("content", Map(Kind::MediaType)),
        may("links", Map(Kind::Link)),
    ],
);

pub(super) static CALLBACK: Grammar =
    Grammar { referable: Some(Version::V3_0), ..names("a callback", &[], One(Kind::PathItem)) };

pub(super) static EXAMPLE: Grammar = referable(
    "an example",
    &[
        may("summary", Text),
        may("description", Text),
        may("value", Data),
        may("dataValue", Data).since_3_2(),
        may("serializedValue", Text).since_3_2(),
        may("externalValue", Text),
    ],
);

pub(super) static LINK: Grammar = referable(
    "a link",
    &[
        may("operationRef", Text),
        may("operationId", Text),
        may("parameters", Data),
        may("requestBody", Data),
        may("description", Text),
        may("server", One(Kind::Server)),
    ],
);
