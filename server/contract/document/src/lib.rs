//! OpenAPI documents (3.0, 3.1 and 3.2): loading, and what every tool that reads them needs.
//!
//! | task | modules |
//! |---|---|
//! | load a document, resolve a `$ref` | `document`, [`mod@source`], `position`, [`mod@pointer`], [`mod@reference`], [`mod@references`], `error` |
//! | read the schemas of all versions into one form | `version`, `identifiers`, `normalise`, `moved` |
//! | load a document of several files | `files`, `bundle` |
//! | walk a document along the OpenAPI grammar | [`mod@grammar`]; [`mod@tree`] to read it, `edit` to change it |
//! | a value with its place | `node` |
//! | rewrite a document as OpenAPI 3.0 | [`mod@convert`] |
//! | compare values, show text | `value`, `visible` |
#![warn(missing_docs)]

mod bundle;
pub mod convert;
mod document;
mod edit;
mod error;
mod files;
pub mod grammar;
mod identifiers;
mod moved;
mod node;
mod normalise;
pub mod pointer;
mod position;
pub mod reference;
pub mod references;
pub mod source;
pub mod tree;
mod value;
mod version;
mod visible;

pub use document::{Document, Located, METHODS, path_of_first_server};
pub use error::Error;
pub use files::{File, Files, Read};
pub use node::Node;
pub use position::{Position, SourceSpan};
pub use value::{is_same_value, plain_number};
pub use version::Version;
pub use visible::{is_hidden, visible};
