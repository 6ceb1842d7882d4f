//! What every dialect needs to read a request and to report that the server failed. Names, texts and encodings that
//! belong to one dialect stay in its own module.

pub mod authorization;
pub mod caller;
pub mod cookies;
pub mod failure;
pub mod service;

pub use authorization::Authorization;
pub use caller::caller;
pub use failure::Failure;
pub use service::{KeyCheck, check_key};
