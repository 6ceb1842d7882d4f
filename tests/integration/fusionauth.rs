//! The FusionAuth dialect beside the Better Auth dialect: the same users, factors, quotas and locks; and one-time
//! things that stay one-time in it.

pub(crate) mod actions;
mod challenges;
mod cross_dialect;
mod foreign_pages;
pub(crate) mod forgotten_passwords;
mod one_time;
pub(crate) mod passwordless;
mod refresh_tokens;
mod registrations;
mod requests;
mod rust_client;
mod search;
mod typed;
mod user_paths;
pub(crate) mod verified_addresses;
