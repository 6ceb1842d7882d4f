//! Challenges: sign-ins that wait for a second factor.

use crate::address::MethodKind;
use crate::ids::{AccountId, ApplicationId};
use crate::network::NetworkDigests;
use crate::secret::Digest;
use crate::time::Timestamp;

/// What was proved before a challenge was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstFactor {
    /// The password or what stands in its place; or a service vouches for the user.
    Password,
    /// Access to the mail of the account's address. Another message to a mailbox would prove the same once more.
    Mailbox,
    /// A passkey that has not verified its user. What the user holds is proved by that, and another passkey proves no more.
    Passkey,
}

impl FirstFactor {
    pub const ALL: [Self; 3] = [Self::Password, Self::Mailbox, Self::Passkey];

    /// Stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Mailbox => "mailbox",
            Self::Passkey => "passkey",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.name() == name)
    }

    /// The kind of code, or the passkey, that proved it, for the audit trail; a password is none.
    #[must_use]
    pub const fn code(self) -> Option<Factor> {
        match self {
            Self::Password => None,
            Self::Mailbox => Some(Factor::OneTimeCode),
            Self::Passkey => Some(Factor::Passkey),
        }
    }

    /// Whether a method of this kind is another factor. Any mailbox is taken for the same one: addresses are forwarded.
    #[must_use]
    pub const fn is_complemented_by(self, kind: MethodKind) -> bool {
        match self {
            Self::Password => true,
            Self::Mailbox => !matches!(kind, MethodKind::Email),
            Self::Passkey => !matches!(kind, MethodKind::Passkey),
        }
    }
}

/// A sign-in that waits for its second factor.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// Digest of the token that continues the sign-in.
    pub digest: Digest,
    pub account_id: AccountId,
    pub first_factor: FirstFactor,
    /// Whether the session is to outlive the browser session.
    pub is_remembered: bool,
    /// Application that the user signs in to.
    pub application_id: Option<ApplicationId>,
    /// The caller's own state, returned when the challenge is completed: JSON text.
    pub state: Option<String>,
    /// Digest of the caller-chosen secret (`trustChallenge`) that must accompany the tickets this challenge leads to.
    pub trust_challenge: Option<Digest>,
    /// The network of the password step. It is the client of what the challenge leads to: text messages count for it, and the account
    /// knows it once the sign-in is completed. The requests that follow may come from a service, whose network is that of all its
    /// users. `None` if a service opened the challenge and named no network.
    pub network: Option<NetworkDigests>,
    pub created_at: Timestamp,
    /// Not valid from this time on.
    pub expires_at: Timestamp,
}

/// A kind of code, or a passkey, as a second factor or in the place of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    Totp,
    /// A one-time code sent by mail or SMS.
    OneTimeCode,
    BackupCode,
    Passkey,
}

impl Factor {
    /// Name in the audit trail.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::OneTimeCode => "mailed-code",
            Self::BackupCode => "backup-code",
            Self::Passkey => "passkey",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_or_a_passkey_is_one_factor_however_often_it_is_proved_53() {
        let kinds = MethodKind::ALL;
        assert_eq!(FirstFactor::ALL.map(FirstFactor::code), [None, Some(Factor::OneTimeCode), Some(Factor::Passkey)]);
        assert_eq!(kinds.map(|kind| FirstFactor::Password.is_complemented_by(kind)), [true; 4]);
        for kind in kinds {
            assert_eq!(FirstFactor::Mailbox.is_complemented_by(kind), kind != MethodKind::Email, "{kind:?}");
            assert_eq!(FirstFactor::Passkey.is_complemented_by(kind), kind != MethodKind::Passkey, "{kind:?}");
        }
        for factor in FirstFactor::ALL {
            assert_eq!(FirstFactor::parse(factor.name()), Some(factor));
        }
    }
}
