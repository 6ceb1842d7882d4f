//! Refresh tokens.

use countersign_domain::account::Account;
use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{ApplicationId, RefreshTokenId};
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;

/// The first of the refresh tokens that follow from a sign-in.
#[derive(Clone, Debug)]
pub struct NewRefreshToken {
    /// What it is found by.
    pub digest: Digest,
    /// The name of all that follow from it.
    pub family_id: RefreshTokenId,
    /// The application that was signed in to.
    pub application_id: ApplicationId,
    /// When a second factor was passed, if one was.
    pub second_factor_at: Option<Timestamp>,
    /// Until when it may be used.
    pub expires_at: Timestamp,
}

/// A refresh token that is used.
#[derive(Clone, Debug)]
pub struct UseRefreshToken {
    /// The one that is presented.
    pub digest: Digest,
    /// The one that takes its place.
    pub next: Digest,
    /// When.
    pub now: Timestamp,
    /// Until when the next one may be used.
    pub expires_at: Timestamp,
    /// What is recorded; the kind is chosen by how it ends.
    pub event: AuditEvent,
}

/// How using a refresh token ends.
#[derive(Clone, Debug)]
pub enum RefreshTokenUsed {
    /// The next one is stored.
    Done(Box<SignedInFor>),
    /// It was used before; all that followed from the same sign-in are dead now.
    Reused,
    /// There is no such token, or its time is over.
    Unknown,
}

/// The sign-in that a refresh token goes back to.
#[derive(Clone, Debug)]
pub struct SignedInFor {
    /// Whose it is.
    pub account: Account,
    /// The name of the tokens that follow from it.
    pub family_id: RefreshTokenId,
    /// The application that was signed in to.
    pub application_id: ApplicationId,
    /// When a second factor was passed, if one was.
    pub second_factor_at: Option<Timestamp>,
    /// When it was.
    pub signed_in_at: Timestamp,
}
