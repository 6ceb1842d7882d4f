//! Refresh tokens.

use countersign_domain::audit::AuditContext;
use countersign_domain::ids::{ApplicationId, RefreshTokenId};
use countersign_domain::secret::Digest;
use countersign_domain::terms::Rules;
use countersign_domain::time::Timestamp;
use countersign_domain::user::User;
use std::sync::Arc;

/// The first refresh token of a sign-in.
#[derive(Clone, Debug)]
pub struct NewRefreshToken {
    pub digest: Digest,
    /// Shared by all tokens that follow from the same sign-in.
    pub family_id: RefreshTokenId,
    pub application_id: ApplicationId,
    pub second_factor_at: Option<Timestamp>,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct UseRefreshToken {
    pub digest: Digest,
    /// Digest of the token that takes its place.
    pub next: Digest,
    pub rules: Arc<Rules>,
    pub now: Timestamp,
    /// End of the next token, if the sign-in does not end before.
    pub expires_at: Timestamp,
    pub audit: AuditContext,
}

#[derive(Clone, Debug)]
pub enum RefreshTokenUsed {
    Rotated(Box<RefreshedSignIn>),
    /// It was used before; every token of the same sign-in has ended.
    Reused,
    Refused,
}

/// The sign-in that a refresh token goes back to.
#[derive(Clone, Debug)]
pub struct RefreshedSignIn {
    pub user: User,
    pub family_id: RefreshTokenId,
    pub application_id: ApplicationId,
    /// `None` also where the account has other second factors since.
    pub second_factor_at: Option<Timestamp>,
    pub signed_in_at: Timestamp,
    /// End of the next token.
    pub expires_at: Timestamp,
}
