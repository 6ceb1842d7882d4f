//! The table of objects and their fields.

mod document;
mod operations;
mod schemas;
mod security;

use super::{Field, Grammar, Kind, Shape};
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

/// The table. Required fields with a lint rule of their own (`responses`, the description of a response, `items`) are
/// optional here.
pub const fn grammar(kind: Kind) -> &'static Grammar {
    match kind {
        Kind::Document => &document::DOCUMENT,
        Kind::Info => &document::INFO,
        Kind::Contact => &document::CONTACT,
        Kind::License => &document::LICENSE,
        Kind::Server => &document::SERVER,
        Kind::ServerVariable => &document::SERVER_VARIABLE,
        Kind::Components => &document::COMPONENTS,
        Kind::Paths => &operations::PATHS,
        Kind::PathItem => &operations::PATH_ITEM,
        Kind::Operation => &operations::OPERATION,
        Kind::Docs => &document::DOCS,
        Kind::Parameter => &operations::PARAMETER,
        Kind::Body => &operations::BODY,
        Kind::MediaType => &operations::MEDIA_TYPE,
        Kind::Encoding => &operations::ENCODING,
        Kind::Responses => &operations::RESPONSES,
        Kind::Response => &operations::RESPONSE,
        Kind::Callback => &operations::CALLBACK,
        Kind::Example => &operations::EXAMPLE,
        Kind::Link => &operations::LINK,
        Kind::Header => &operations::HEADER,
        Kind::Tag => &document::TAG,
        Kind::Schema => &schemas::SCHEMA,
        Kind::Discriminator => &schemas::DISCRIMINATOR,
        Kind::Xml => &schemas::XML,
        Kind::SecurityScheme => &security::SECURITY_SCHEME,
        Kind::Flows => &security::FLOWS,
        Kind::Flow => &security::FLOW,
        Kind::Requirement => &security::REQUIREMENT,
    }
}
