//! Passkeys: registering, managing, and signing in with them.
//!
//! | intent | module |
//! |---|---|
//! | register a passkey | [`register`] |
//! | list, rename, remove passkeys | [`manage`] |
//! | sign in with a passkey | [`authenticate`] |
//!
//! Each ceremony is begun by one request and completed by another. What a browser signs in between is verified here, outside of the
//! database; that it counts once is for the store.

pub mod authenticate;
pub mod manage;
pub mod register;

pub use authenticate::{Asker, BegunAuthentication, PasskeyAuthentication, PresentedPasskey};
pub use manage::PasskeyNotRemoved;
pub use register::{BegunRegistration, NotRegistered};
