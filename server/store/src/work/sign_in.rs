//! Signing in with the first factor.

use super::{NewRefreshToken, NewSession, NewTicket, PresentedTicket, ShownTrust};
use countersign_domain::account::Unusable;
use countersign_domain::audit::AuditEvent;
use countersign_domain::challenge::Challenge;
use countersign_domain::ids::AccountId;
use countersign_domain::method::Method;
use countersign_domain::password::PasswordHash;

/// A sign-in whose password was right.
#[derive(Clone, Debug)]
pub struct CompleteSignIn {
    /// Whose it is.
    pub account_id: AccountId,
    /// The version of the credentials the password was checked against.
    pub credentials_version: i64,
    /// The same password hashed at today's cost, when the stored hash is outdated.
    pub rehashed: Option<PasswordHash>,
    /// The password budget to give back.
    pub budget: Option<String>,
    /// The ticket that stands for the password, to be used up.
    pub ticket: Option<PresentedTicket>,
    /// When a second factor is asked for.
    pub asks: Asks,
    /// The session to open, if the account needs no second factor now.
    pub session: Option<NewSession>,
    /// The refresh token to give in the same case.
    pub refresh_token: Option<NewRefreshToken>,
    /// The challenge to open otherwise.
    pub challenge: Challenge,
    /// The trust that the device shows.
    pub trust: Option<ShownTrust>,
    /// The leave to change the password, when that has to come first.
    pub change_password: NewTicket,
    /// What is recorded; the kind is chosen by how it ends.
    pub event: AuditEvent,
}

/// When signing in asks for a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Asks {
    /// Never.
    Never,
    /// If the account has one.
    #[default]
    IfEnabled,
    /// Always; whoever has none has to enrol one first.
    Always,
}

/// How a sign-in with a right password ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// The session is open.
    SignedIn,
    /// The session is open because the device is trusted; its trust was replaced.
    Trusted,
    /// The challenge is open.
    Challenged {
        /// What can answer it.
        methods: Vec<Method>,
    },
    /// Nothing is open but the leave to change the password.
    PasswordChangeRequired,
    /// The account may not be used.
    Unusable(Unusable),
    /// The credentials changed while the password was checked, or the ticket is not good.
    Stale,
}
