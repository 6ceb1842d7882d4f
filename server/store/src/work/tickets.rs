//! Tickets, trusted devices and quotas.

use countersign_domain::account::{Account, EmailAddress, Versions};
use countersign_domain::decisions::mailed_link::Purpose;
use countersign_domain::decisions::password_attempt::PasswordAttempt;
use countersign_domain::ids::AccountId;
use countersign_domain::quota::QuotaUse;
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;

/// What a ticket authorises, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketKind {
    /// Shows that a second factor was passed a moment ago.
    StepUp,
    ChangePassword,
    /// Signing in without a password, right after changing it.
    OneTimePassword,
    /// Setting a new password, by a link that was mailed to the account's address.
    ResetPassword,
    /// Proving the account's address.
    VerifyAddress,
    /// Proving the address in its `state`, which takes the place of the account's.
    ChangeAddress,
    /// Deleting the account.
    DeleteAccount,
    /// Setting a new password, by an id that a dialect mails or hands to a service; a second factor is asked for besides.
    ForgottenPassword,
    /// Signing in without a password.
    SignIn,
}

impl From<Purpose> for TicketKind {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::ResetPassword => Self::ResetPassword,
            Purpose::VerifyAddress => Self::VerifyAddress,
            Purpose::ChangeAddress => Self::ChangeAddress,
            Purpose::DeleteAccount => Self::DeleteAccount,
            Purpose::SignIn => Self::SignIn,
        }
    }
}

impl TicketKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::StepUp => "step-up",
            Self::ChangePassword => "change-password",
            Self::OneTimePassword => "one-time-password",
            Self::ResetPassword => "reset-password",
            Self::VerifyAddress => "verify-address",
            Self::ChangeAddress => "change-address",
            Self::DeleteAccount => "delete-account",
            Self::ForgottenPassword => "forgotten-password",
            Self::SignIn => "sign-in",
        }
    }
}

#[derive(Clone, Debug)]
pub struct NewTicket {
    pub kind: TicketKind,
    pub digest: Digest,
    /// MAC of the caller-chosen secret (`trustChallenge`) that must accompany the ticket.
    pub trust_challenge: Option<Digest>,
    /// The caller's own state, returned when the ticket is used: JSON text.
    pub state: Option<String>,
    pub expires_at: Timestamp,
    /// The account's e-mail address, without which the ticket is good for nothing.
    pub address: Option<EmailAddress>,
}

/// A valid ticket.
#[derive(Clone, Debug)]
pub struct FoundTicket {
    pub account: Account,
    /// As of [`NewTicket`].
    pub state: Option<String>,
    pub address: Option<EmailAddress>,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct PresentedTicket {
    pub kind: TicketKind,
    pub digest: Digest,
    /// What the `trustChallenge` that came with it may be stored as, one for each key of the ring; empty if none came.
    pub trust_challenges: Vec<Digest>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    Granted,
    Exhausted {
        /// End of the window.
        until: Timestamp,
    },
}

/// Uses for what was typed and for the account.
#[derive(Clone, Debug)]
pub struct PasswordUses {
    pub by_name: QuotaUse,
    pub by_account: QuotaUse,
}

/// A password, before it is looked at.
#[derive(Clone, Debug)]
pub struct TakePasswordTry {
    /// The account; any unused id if there is none, so that both cost the same work.
    pub account_id: AccountId,
    /// Counts of the client's network, if the client has one.
    pub in_network: Option<PasswordUses>,
    /// The same where the account knows the network or trusts the device.
    pub in_known_network: Option<PasswordUses>,
    /// Counts of everything that does not come from a known network or device.
    pub anywhere: PasswordUses,
    /// The digests by which the account may know the client's network, one for each key of the ring, and the counts that then take
    /// the place of `anywhere`.
    pub network: Option<(Vec<[u8; 32]>, PasswordUses)>,
    /// What the trust that the client's device presents may be stored as, and the counts that then take the place of
    /// `anywhere`.
    pub device: Option<(Vec<Digest>, PasswordUses)>,
    /// Those of the account: a trust of older ones is none.
    pub versions: Versions,
    /// See [`countersign_domain::decisions::password_attempt::Facts`].
    pub knows_account: bool,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct PasswordTry {
    pub decision: PasswordAttempt,
    /// What a right password gives back.
    pub uses: Vec<QuotaUse>,
}

/// A network from which an account has completed a sign-in.
#[derive(Clone, Copy, Debug)]
pub struct KnownNetwork {
    /// Keyed MAC of account and network.
    pub digest: [u8; 32],
    /// If it is to be recorded.
    pub expires_at: Timestamp,
}
