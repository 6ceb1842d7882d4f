//! Addresses and names on the network that configuration, edge and dialects all need. Depends on no other module.

pub mod origin;
