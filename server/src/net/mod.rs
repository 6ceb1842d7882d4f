//! Network addresses, and the reach of cookies, that configuration, edge, delivery and dialects share. Depends on no other
//! module of the server.

pub mod client;
pub mod cookie_scope;
pub mod origin;
pub mod otlp;
pub mod public;
pub mod sms;
pub mod smtp;
pub mod webhook;
