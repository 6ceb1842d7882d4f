//! Passkeys: wire types of the operations under `/passkey`, in the forms of WebAuthn Level 3 (section 5.1.7 and following).

pub mod replies;
pub mod requests;
pub mod responses;
