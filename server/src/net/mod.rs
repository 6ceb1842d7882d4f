//! Network addresses that configuration, edge, delivery and dialects share. Depends on no other module of the server.

pub mod origin;
pub mod smtp;
