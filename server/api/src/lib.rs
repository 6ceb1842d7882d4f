//! The dialects and the administration API on the wire: their types, and dropshot traits for each.
//!
//! The contracts in `openapi/` say what the dialects are. What is here is checked against them when the server
//! is built, so a type that prints something else does not compile into a server. Nothing here decides
//! anything: no store, no cryptography, no rules.
//!
//! | to see | look at |
//! |---|---|
//! | which dialects there are | [`dialects`] |
//! | the operations, requests and responses of the Better Auth dialect | [`better_auth`] |
//! | the same of the FusionAuth dialect | [`fusionauth`] |
//! | the same of the administration API | [`admin`] |
//! | how a request body gets in | [`body`] |
//! | what a body must look like, and the words for one that does not | [`validation`] |
//! | how query parameters get in | [`query`] |
//! | how a response gets out: several statuses, headers and cookies, all documented | [`reply`] |
//! | how times are written | [`time`] |
//! | what dropshot makes of the traits | [`published`] |
#![warn(missing_docs)]

pub mod admin;
pub mod better_auth;
pub mod body;
pub mod dialects;
pub mod fusionauth;
pub mod published;
pub mod query;
pub mod reply;
mod responses;
pub mod time;
pub mod validation;

pub use body::{
    CheckedBody, JsonBody, JsonOrFormBody, LenientBody, LenientOrNullBody, MergePatchBody, OptionalJsonBody, ParsedBody,
};
pub use dialects::DialectName;
pub use published::published_documents;
pub use query::{CheckedQuery, SingleQuery, TypedQuery};
pub use reply::{ErrorCause, Reply, capture_errors};
