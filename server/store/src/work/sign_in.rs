//! Signing in with the first factor.

use super::{KnownNetwork, NewRefreshToken, NewSession, NewTicket, NewTrust, PresentedTicket, Seen, UsedPasskey};
use countersign_domain::account::{Account, EmailAddress};
use countersign_domain::audit::{AuditContext, AuditEvent};
use countersign_domain::challenge::Challenge;
use countersign_domain::decisions::passkey_use::PasskeyUse;
use countersign_domain::decisions::sign_in::SignIn;
use countersign_domain::decisions::trust::Trust;
use countersign_domain::ids::{AccountId, ApplicationId};
use countersign_domain::method::Method;
use countersign_domain::password::PasswordHash;
use countersign_domain::quota::QuotaUse;
use countersign_domain::secret::Digest;
use countersign_domain::terms::{Rules, Terms};
use countersign_domain::user::User;
use std::sync::Arc;

/// A sign-in whose password, or one-time password, was right. What it opens is decided in the transaction; the rest of
/// this is prepared for each case.
#[derive(Clone, Debug)]
pub struct CompleteSignIn {
    pub account_id: AccountId,
    /// Version of the credentials that the password was checked against.
    pub credentials_version: i64,
    /// The same password hashed at the current cost, if the stored hash is outdated.
    pub rehashed: Option<PasswordHash>,
    /// Uses of password quotas to give back.
    pub password_uses: Vec<QuotaUse>,
    /// The client's network, recorded if the sign-in is completed.
    pub network: Option<KnownNetwork>,
    /// The ticket that stood in for the password; it is used up.
    pub ticket: Option<PresentedTicket>,
    /// The passkey that stood in for the password; its ceremony is used up.
    pub passkey: Option<UsedPasskey>,
    /// The address that the ticket was mailed to, which it proves, and the event that records that.
    pub proved: Option<(EmailAddress, AuditEvent)>,
    pub rules: Arc<Rules>,
    pub terms: Terms,
    pub application_id: Option<ApplicationId>,
    /// The trust that the device presents.
    pub trust: Option<PresentedTrust>,
    /// The device, as the list of trusted ones shows it.
    pub seen: Seen,
    pub session: Option<NewSession>,
    pub refresh_token: Option<NewRefreshToken>,
    pub challenge: Challenge,
    /// The ticket to change the password, where the dialect can use it.
    pub change_password: Option<NewTicket>,
    pub audit: AuditContext,
    /// For the event besides the sign-in, if it comes after a long absence.
    pub absence_audit: AuditContext,
}

/// A trust that a device presents.
#[derive(Clone, Debug)]
pub struct PresentedTrust {
    pub digests: Vec<Digest>,
    /// Takes its place; `None` for a trust that stays valid until it expires.
    pub next: Option<NewTrust>,
}

#[derive(Clone, Debug)]
pub enum SignInCompleted {
    Decided(Box<SignInDecided>),
    /// The passkey's signature was right, and does not count; nothing is opened.
    PasskeyRefused(PasskeyUse),
    /// The credentials changed while the password was checked, or the ticket is not valid, or the ceremony was spent.
    Stale,
}

#[derive(Clone, Debug)]
pub struct SignInDecided {
    pub decision: SignIn,
    pub account: Account,
    /// What the trust that was presented was worth.
    pub trust: Trust,
    /// The methods that can complete it, if a challenge was opened.
    pub methods: Vec<Method>,
    /// The user, if tokens were granted.
    pub user: Option<User>,
}
