//! The table of objects and their fields.

use super::Shape::{
    Count, Data, Flag, FlagOrSchema, List, Map, Number, One, Text, TextMap, Texts, Types, Values, Word,
};
use super::{Field, Grammar, Kind, Shape, TYPES};
use crate::version::Version;

impl Field {
    const fn since_3_1(mut self) -> Self {
        self.versions.0 = Version::V3_1;
        self
    }

    const fn since_3_2(mut self) -> Self {
        self.versions.0 = Version::V3_2;
        self
    }

    const fn until_3_1(mut self) -> Self {
        self.versions.1 = Version::V3_1;
        self
    }

    const fn only_3_0(mut self) -> Self {
        self.versions.1 = Version::V3_0;
        self
    }
}

const ALL: (Version, Version) = (Version::V3_0, Version::V3_2);

const fn may(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, is_required: false, versions: ALL }
}

const fn must(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, is_required: true, versions: ALL }
}

const fn object(noun: &'static str, fields: &'static [Field]) -> Grammar {
    Grammar { noun, fields, others: None, referable: None }
}

const fn referable(noun: &'static str, fields: &'static [Field]) -> Grammar {
    Grammar { noun, fields, others: None, referable: Some(Version::V3_0) }
}

const fn names(noun: &'static str, fields: &'static [Field], others: Shape) -> Grammar {
    Grammar { noun, fields, others: Some(others), referable: None }
}

const STYLES: &[&str] = &["matrix", "label", "form", "simple", "spaceDelimited", "pipeDelimited", "deepObject"];

const STYLES_3_2: &[&str] =
    &["matrix", "label", "form", "simple", "spaceDelimited", "pipeDelimited", "deepObject", "cookie"];

/// The table. Required fields with a lint rule of their own (`responses`, the description of a response, `items`) are
/// optional here.
pub const fn grammar(kind: Kind) -> &'static Grammar {
    match kind {
        Kind::Document => &DOCUMENT,
        Kind::Info => &INFO,
        Kind::Contact => &CONTACT,
        Kind::License => &LICENSE,
        Kind::Server => &SERVER,
        Kind::ServerVariable => &SERVER_VARIABLE,
        Kind::Components => &COMPONENTS,
        Kind::Paths => &PATHS,
        Kind::PathItem => &PATH_ITEM,
        Kind::Operation => &OPERATION,
        Kind::Docs => &DOCS,
        Kind::Parameter => &PARAMETER,
        Kind::Body => &BODY,
        Kind::MediaType => &MEDIA_TYPE,
        Kind::Encoding => &ENCODING,
        Kind::Responses => &RESPONSES,
        Kind::Response => &RESPONSE,
        Kind::Callback => &CALLBACK,
        Kind::Example => &EXAMPLE,
        Kind::Link => &LINK,
        Kind::Header => &HEADER,
        Kind::Tag => &TAG,
        Kind::Schema => &SCHEMA,
        Kind::Discriminator => &DISCRIMINATOR,
        Kind::Xml => &XML,
        Kind::SecurityScheme => &SECURITY_SCHEME,
        Kind::Flows => &FLOWS,
        Kind::Flow => &FLOW,
        Kind::Requirement => &REQUIREMENT,
    }
}

static DOCUMENT: Grammar = object(
    "the document",
    &[
        must("openapi", Text),
        may("$self", Text).since_3_2(),
        must("info", One(Kind::Info)),
        may("jsonSchemaDialect", Text).since_3_1(),
        may("servers", List(Kind::Server)),
        must("paths", One(Kind::Paths)).only_3_0(),
        may("paths", One(Kind::Paths)).since_3_1(),
        may("webhooks", Map(Kind::PathItem)).since_3_1(),
        may("components", One(Kind::Components)),
        may("security", List(Kind::Requirement)),
        may("tags", List(Kind::Tag)),
        may("externalDocs", One(Kind::Docs)),
    ],
);

static INFO: Grammar = object(
    "the info object",
    &[
        must("title", Text),
        may("summary", Text).since_3_1(),
        may("description", Text),
        may("termsOfService", Text),
        may("contact", One(Kind::Contact)),
        may("license", One(Kind::License)),
        must("version", Text),
    ],
);

static CONTACT: Grammar = object("a contact", &[may("name", Text), may("url", Text), may("email", Text)]);

static LICENSE: Grammar =
    object("a license", &[must("name", Text), may("identifier", Text).since_3_1(), may("url", Text)]);

static SERVER: Grammar = object(
    "a server",
    &[
        must("url", Text),
        may("description", Text),
        may("name", Text).since_3_2(),
        may("variables", Map(Kind::ServerVariable)),
    ],
);

static SERVER_VARIABLE: Grammar =
    object("a server variable", &[may("enum", Texts), must("default", Text), may("description", Text)]);

static COMPONENTS: Grammar = object(
    "the components",
    &[
        may("schemas", Map(Kind::Schema)),
        may("responses", Map(Kind::Response)),
        may("parameters", Map(Kind::Parameter)),
        may("examples", Map(Kind::Example)),
        may("requestBodies", Map(Kind::Body)),
        may("headers", Map(Kind::Header)),
        may("securitySchemes", Map(Kind::SecurityScheme)),
        may("links", Map(Kind::Link)),
        may("callbacks", Map(Kind::Callback)),
        may("pathItems", Map(Kind::PathItem)).since_3_1(),
        may("mediaTypes", Map(Kind::MediaType)).since_3_2(),
    ],
);

static PATHS: Grammar = names("the paths", &[], One(Kind::PathItem));

static PATH_ITEM: Grammar = object(
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

static OPERATION: Grammar = object(
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

static DOCS: Grammar = object("external documentation", &[may("description", Text), must("url", Text)]);

static PARAMETER: Grammar = referable(
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

static BODY: Grammar = referable(
    "a request body",
    &[may("description", Text), must("content", Map(Kind::MediaType)), may("required", Flag)],
);

static MEDIA_TYPE: Grammar = Grammar {
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

static ENCODING: Grammar = object(
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

static RESPONSES: Grammar = names("the responses", &[may("default", One(Kind::Response))], One(Kind::Response));

static RESPONSE: Grammar = referable(
    "a response",
    &[
        may("summary", Text).since_3_2(),
        may("description", Text),
        may("headers", Map(Kind::Header)),
        may("content", Map(Kind::MediaType)),
        may("links", Map(Kind::Link)),
    ],
);

static CALLBACK: Grammar = Grammar { referable: Some(Version::V3_0), ..names("a callback", &[], One(Kind::PathItem)) };

static EXAMPLE: Grammar = referable(
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

static LINK: Grammar = referable(
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

static HEADER: Grammar = referable(
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

static TAG: Grammar = object(
    "a tag",
    &[
        must("name", Text),
        may("summary", Text).since_3_2(),
        may("description", Text),
        may("externalDocs", One(Kind::Docs)),
        may("parent", Text).since_3_2(),
        may("kind", Text).since_3_2(),
    ],
);

static SCHEMA: Grammar = referable(
    "a schema",
    &[
        may("title", Text),
        may("multipleOf", Number),
        may("maximum", Number),
        may("exclusiveMaximum", Flag),
        may("minimum", Number),
        may("exclusiveMinimum", Flag),
        may("maxLength", Count),
        may("minLength", Count),
        may("pattern", Text),
        may("maxItems", Count),
        may("minItems", Count),
        may("uniqueItems", Flag),
        may("maxProperties", Count),
        may("minProperties", Count),
        may("required", Texts),
        may("enum", Values),
        may("type", Word(TYPES)).only_3_0(),
        may("type", Types).since_3_1(),
        may("allOf", List(Kind::Schema)),
        may("oneOf", List(Kind::Schema)),
        may("anyOf", List(Kind::Schema)),
        may("not", One(Kind::Schema)),
        may("items", One(Kind::Schema)),
        may("properties", Map(Kind::Schema)),
        may("additionalProperties", FlagOrSchema),
        may("description", Text),
        may("format", Text),
        may("default", Data),
        may("nullable", Flag),
        may("discriminator", One(Kind::Discriminator)),
        may("readOnly", Flag),
        may("writeOnly", Flag),
        may("xml", One(Kind::Xml)),
        may("externalDocs", One(Kind::Docs)),
        may("example", Data),
        may("deprecated", Flag),
        may("examples", Values).since_3_1(),
        may("const", Data).since_3_1(),
        may("$id", Text).since_3_1(),
        may("$schema", Text).since_3_1(),
        may("$anchor", Text).since_3_1(),
        may("$dynamicAnchor", Text).since_3_1(),
        may("$dynamicRef", Text).since_3_1(),
        may("$comment", Text).since_3_1(),
        may("$vocabulary", Data).since_3_1(),
        may("$defs", Map(Kind::Schema)).since_3_1(),
        may("definitions", Map(Kind::Schema)).since_3_1(),
        may("prefixItems", List(Kind::Schema)).since_3_1(),
        may("contains", One(Kind::Schema)).since_3_1(),
        may("minContains", Count).since_3_1(),
        may("maxContains", Count).since_3_1(),
        may("dependentRequired", Data).since_3_1(),
        may("dependentSchemas", Map(Kind::Schema)).since_3_1(),
        may("if", One(Kind::Schema)).since_3_1(),
        may("then", One(Kind::Schema)).since_3_1(),
        may("else", One(Kind::Schema)).since_3_1(),
        may("patternProperties", Map(Kind::Schema)).since_3_1(),
        may("propertyNames", One(Kind::Schema)).since_3_1(),
        may("unevaluatedItems", One(Kind::Schema)).since_3_1(),
        may("unevaluatedProperties", FlagOrSchema).since_3_1(),
        may("contentEncoding", Text).since_3_1(),
        may("contentMediaType", Text).since_3_1(),
        may("contentSchema", One(Kind::Schema)).since_3_1(),
    ],
);

static DISCRIMINATOR: Grammar = object(
    "a discriminator",
    &[must("propertyName", Text), may("mapping", TextMap), may("defaultMapping", Text).since_3_2()],
);

static XML: Grammar = object(
    "an XML object",
    &[
        may("nodeType", Text).since_3_2(),
        may("name", Text),
        may("namespace", Text),
        may("prefix", Text),
        may("attribute", Flag),
        may("wrapped", Flag),
    ],
);

static SECURITY_SCHEME: Grammar = referable(
    "a security scheme",
    &[
        must("type", Word(&["apiKey", "http", "oauth2", "openIdConnect"])).only_3_0(),
        must("type", Word(&["apiKey", "http", "mutualTLS", "oauth2", "openIdConnect"])).since_3_1(),
        may("description", Text),
        may("name", Text),
        may("in", Word(&["query", "header", "cookie"])),
        may("scheme", Text),
        may("bearerFormat", Text),
        may("flows", One(Kind::Flows)),
        may("openIdConnectUrl", Text),
        may("oauth2MetadataUrl", Text).since_3_2(),
        may("deprecated", Flag).since_3_2(),
    ],
);

static FLOWS: Grammar = object(
    "the OAuth flows",
    &[
        may("implicit", One(Kind::Flow)),
        may("password", One(Kind::Flow)),
        may("clientCredentials", One(Kind::Flow)),
        may("authorizationCode", One(Kind::Flow)),
        may("deviceAuthorization", One(Kind::Flow)).since_3_2(),
    ],
);

static FLOW: Grammar = object(
    "an OAuth flow",
    &[
        may("authorizationUrl", Text),
        may("deviceAuthorizationUrl", Text).since_3_2(),
        may("tokenUrl", Text),
        may("refreshUrl", Text),
        must("scopes", TextMap),
    ],
);

static REQUIREMENT: Grammar = names("a security requirement", &[], Texts);
