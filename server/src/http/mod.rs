//! The dialects: each parses a request, calls one flow and builds the response. [`ops`] and [`docs`] are part of no
//! contract.
//!
//! | module | content |
//! |---|---|
//! | [`dialects`] | the registry: which dialects there are, and what serves them |
//! | [`better_auth`], [`fusionauth`] | one dialect each |
//! | [`admin`] | the administration API |
//! | [`shared`] | what both need: caller, credentials in headers, cookies, failures |
//! | [`docs`], [`ops`] | contracts and their reference page; health |

pub mod admin;
pub mod better_auth;
pub mod dialects;
pub mod docs;
pub mod fusionauth;
pub mod ops;
pub mod shared;
