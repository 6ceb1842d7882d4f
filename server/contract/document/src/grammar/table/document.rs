//! The document itself, and what describes it.

use super::{may, must, object};
use crate::grammar::Shape::{List, Map, One, Text, Texts};
use crate::grammar::{Grammar, Kind};

pub(super) static DOCUMENT: Grammar = object(
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

pub(super) static INFO: Grammar = object(
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

pub(super) static CONTACT: Grammar = object("a contact", &[may("name", Text), may("url", Text), may("email", Text)]);

pub(super) static LICENSE: Grammar =
    object("a license", &[must("name", Text), may("identifier", Text).since_3_1(), may("url", Text)]);

pub(super) static SERVER: Grammar = object(
    "a server",
    &[
        must("url", Text),
        may("description", Text),
        may("name", Text).since_3_2(),
        may("variables", Map(Kind::ServerVariable)),
    ],
);

pub(super) static SERVER_VARIABLE: Grammar =
    object("a server variable", &[may("enum", Texts), must("default", Text), may("description", Text)]);

pub(super) static COMPONENTS: Grammar = object(
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

pub(super) static DOCS: Grammar = object("external documentation", &[may("description", Text), must("url", Text)]);

pub(super) static TAG: Grammar = object(
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
