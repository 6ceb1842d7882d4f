//! Security schemes and what requires them.

use super::{may, must, names, object, referable};
use crate::grammar::Shape::{Flag, One, Text, TextMap, Texts, Word};
use crate::grammar::{Grammar, Kind};

pub(super) static SECURITY_SCHEME: Grammar = referable(
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

pub(super) static FLOWS: Grammar = object(
    "the OAuth flows",
    &[
        may("implicit", One(Kind::Flow)),
        may("password", One(Kind::Flow)),
        may("clientCredentials", One(Kind::Flow)),
        may("authorizationCode", One(Kind::Flow)),
        may("deviceAuthorization", One(Kind::Flow)).since_3_2(),
    ],
);

pub(super) static FLOW: Grammar = object(
    "an OAuth flow",
    &[
        may("authorizationUrl", Text),
        may("deviceAuthorizationUrl", Text).since_3_2(),
        may("tokenUrl", Text),
        may("refreshUrl", Text),
        must("scopes", TextMap),
    ],
);

pub(super) static REQUIREMENT: Grammar = names("a security requirement", &[], Texts);
