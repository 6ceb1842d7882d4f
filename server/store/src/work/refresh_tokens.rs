//! Refresh tokens.

use countersign_domain::audit::{AuditContext, AuditEvent};
use countersign_domain::device::Device;
use countersign_domain::ids::{AccountId, ApplicationId, RefreshTokenId};
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
    /// The device that logs in, and its address; empty if unknown.
    pub device: Device,
    pub ip_address: String,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct UseRefreshToken {
    pub digest: Digest,
    /// Digests of the tokens that can take its place; the first one does, if it is good for one use.
    pub successors: Vec<Digest>,
    pub rules: Arc<Rules>,
    pub now: Timestamp,
    /// End of the token that is given, if the sign-in does not end before.
    pub expires_at: Timestamp,
    pub audit: AuditContext,
}

#[derive(Clone, Debug)]
pub enum RefreshTokenUsed {
    /// It stays good.
    Renewed(Box<RefreshedSignIn>),
    /// This token has taken its place, now or a moment ago.
    Replaced(Digest, Box<RefreshedSignIn>),
    /// This token took its place a moment ago, and was used meanwhile, too: present it in the place of this one.
    Superseded(Digest),
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
    /// End of the token that is given.
    pub expires_at: Timestamp,
}

/// Refresh tokens to read: at most one for each sign-in, which is good at this time.
#[derive(Clone, Debug)]
pub struct FindRefreshTokens {
    pub which: RefreshTokenSelector,
    pub now: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub enum RefreshTokenSelector {
    OfAccount(AccountId),
    /// Those of one sign-in.
    WithId(RefreshTokenId),
}

/// A refresh token without the token.
#[derive(Clone, Debug)]
pub struct StoredRefreshToken {
    pub id: RefreshTokenId,
    pub account_id: AccountId,
    pub application_id: ApplicationId,
    pub signed_in_at: Timestamp,
    /// Time of its last use.
    pub used_at: Timestamp,
    /// The device that logged in, and its address; empty if unknown.
    pub device: Device,
    pub ip_address: String,
}

/// Accounts that have refresh tokens of an application, in the order of their ids.
#[derive(Clone, Debug)]
pub struct FindTokenHolders {
    pub application_id: ApplicationId,
    /// Only those after this one.
    pub after: Option<AccountId>,
    pub batch: u32,
}

#[derive(Clone, Debug)]
pub struct RevokeRefreshTokens {
    pub account_id: AccountId,
    pub which: RevokedTokens,
    /// Recorded if anything ended.
    pub event: AuditEvent,
}

/// Refresh tokens of one account.
#[derive(Clone, Copy, Debug)]
pub enum RevokedTokens {
    All,
    OfApplication(ApplicationId),
    /// Those of one sign-in.
    WithId(RefreshTokenId),
}
