//! The FusionAuth dialect beside the Better Auth dialect: the same users, factors, quotas and locks; and one-time
//! things that stay one-time in it.

mod cross_dialect;
mod one_time;
mod requests;
mod rust_client;
mod typed;
mod user_paths;
