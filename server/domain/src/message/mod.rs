//! Messages to users: what they say, and the sealed form in which they wait to be delivered (see [`Sealer`]).

mod sealed;

use crate::address::Address;
use crate::one_time_code::{OneTimeCode, Subject};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use zeroize::{Zeroize, ZeroizeOnDrop};

pub use sealed::{Draft, NewMessage, Notices, OpenMessageError, Opened, Sealer, StoredMessage, TakenUse};

/// What carries a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    Email,
    Sms,
}

impl Channel {
    pub const ALL: [Self; 2] = [Self::Email, Self::Sms];

    /// Stored name, and name in the outbox file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == text)
    }
}

impl From<&Address> for Channel {
    fn from(address: &Address) -> Self {
        match address {
            Address::Email(_) => Self::Email,
            Address::Sms(_) => Self::Sms,
        }
    }
}

/// A URL that does what its message says, for any holder of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Link(String);

impl Link {
    #[must_use]
    pub fn new(url: String) -> Self {
        Self(url)
    }

    /// The URL, for the message that carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Link([redacted])")
    }
}

/// What a code is asked for, in the words of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodePurpose {
    /// A sign-in waits for it.
    SignIn,
    /// An address is to become a second factor.
    Enrolment,
    /// A signed-in user proves the second factor again.
    StepUp,
    /// A method is to be removed.
    Removal,
}

impl CodePurpose {
    /// `has_second_factor`: without one, a code in a session enrols the account's own address.
    #[must_use]
    pub fn of(subject: &Subject, has_second_factor: bool) -> Self {
        match subject {
            Subject::Challenge(_) => Self::SignIn,
            Subject::Session(_) if has_second_factor => Self::StepUp,
            Subject::Session(_) | Subject::Enable { .. } => Self::Enrolment,
            Subject::Disable { .. } => Self::Removal,
        }
    }
}

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkPurpose {
    /// Sets a new password.
    PasswordReset,
    /// Proves the account's address.
    AddressVerification,
    /// Sent to a new address: makes it the account's.
    AddressChange,
    /// Sent to the old address: makes it the account's again.
    AddressChangeUndo,
    /// Deletes the account.
    AccountDeletion,
    /// Signs in without a password.
    SignIn,
}

/// Something that happened to an account and that somebody else than its user may have done (N11, OWASP ASVS 5.0, 6.3.5, 6.3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notice {
    FactorAdded,
    FactorRemoved,
    TwoFactorDisabled,
    SecretShown,
    RecoveryCodeUsed {
        /// How many can still be used.
        left: u32,
    },
    RecoveryCodesReplaced,
    PasswordChanged,
    DeviceTrusted,
    /// Goes to the address before the change.
    AddressChanged,
    AccountLocked,
    AccountUnlocked,
    AccountSuspended,
    RefreshTokenReused,
    SignInAfterLongAbsence,
    PasskeyMisused,
}

/// What a message says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    Code {
        purpose: CodePurpose,
        #[serde(with = "code_text")]
        code: OneTimeCode,
        /// How long the code is valid from when the message was stored.
        valid_for: Duration,
    },
    Link {
        purpose: LinkPurpose,
        link: Link,
        /// How long the link works from when the message was stored.
        valid_for: Duration,
    },
    Notice(Notice),
}

/// Kind of a message: its stored name, and the name of its template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageKind {
    SignInCode,
    EnrolmentCode,
    StepUpCode,
    RemovalCode,
    PasswordResetLink,
    AddressVerificationLink,
    AddressChangeLink,
    AddressChangeUndoLink,
    AccountDeletionLink,
    SignInLink,
    FactorAdded,
    FactorRemoved,
    TwoFactorDisabled,
    SecretShown,
    RecoveryCodeUsed,
    RecoveryCodesReplaced,
    PasswordChanged,
    DeviceTrusted,
    AddressChanged,
    AccountLocked,
    AccountUnlocked,
    AccountSuspended,
    RefreshTokenReused,
    SignInAfterLongAbsence,
    PasskeyMisused,
}

impl MessageKind {
    pub const ALL: [Self; 25] = [
        Self::SignInCode,
        Self::EnrolmentCode,
        Self::StepUpCode,
        Self::RemovalCode,
        Self::PasswordResetLink,
        Self::AddressVerificationLink,
        Self::AddressChangeLink,
        Self::AddressChangeUndoLink,
        Self::AccountDeletionLink,
        Self::SignInLink,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::TwoFactorDisabled,
        Self::SecretShown,
        Self::RecoveryCodeUsed,
        Self::RecoveryCodesReplaced,
        Self::PasswordChanged,
        Self::DeviceTrusted,
        Self::AddressChanged,
        Self::AccountLocked,
        Self::AccountUnlocked,
        Self::AccountSuspended,
        Self::RefreshTokenReused,
        Self::SignInAfterLongAbsence,
        Self::PasskeyMisused,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignInCode => "sign-in-code",
            Self::EnrolmentCode => "enrolment-code",
            Self::StepUpCode => "step-up-code",
            Self::RemovalCode => "removal-code",
            Self::PasswordResetLink => "password-reset-link",
            Self::AddressVerificationLink => "address-verification-link",
            Self::AddressChangeLink => "address-change-link",
            Self::AddressChangeUndoLink => "address-change-undo-link",
            Self::AccountDeletionLink => "account-deletion-link",
            Self::SignInLink => "sign-in-link",
            Self::FactorAdded => "factor-added",
            Self::FactorRemoved => "factor-removed",
            Self::TwoFactorDisabled => "two-factor-disabled",
            Self::SecretShown => "secret-shown",
            Self::RecoveryCodeUsed => "recovery-code-used",
            Self::RecoveryCodesReplaced => "recovery-codes-replaced",
            Self::PasswordChanged => "password-changed",
            Self::DeviceTrusted => "device-trusted",
            Self::AddressChanged => "address-changed",
            Self::AccountLocked => "account-locked",
            Self::AccountUnlocked => "account-unlocked",
            Self::AccountSuspended => "account-suspended",
            Self::RefreshTokenReused => "refresh-token-reused",
            Self::SignInAfterLongAbsence => "sign-in-after-long-absence",
            Self::PasskeyMisused => "passkey-misused",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }

    /// Whether it is about something that has happened, and holds neither a code nor a link.
    #[must_use]
    pub fn is_notice(self) -> bool {
        self >= Self::FactorAdded
    }
}

impl Message {
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        match self {
            Self::Code { purpose, .. } => match purpose {
                CodePurpose::SignIn => MessageKind::SignInCode,
                CodePurpose::Enrolment => MessageKind::EnrolmentCode,
                CodePurpose::StepUp => MessageKind::StepUpCode,
                CodePurpose::Removal => MessageKind::RemovalCode,
            },
            Self::Link { purpose, .. } => match purpose {
                LinkPurpose::PasswordReset => MessageKind::PasswordResetLink,
                LinkPurpose::AddressVerification => MessageKind::AddressVerificationLink,
                LinkPurpose::AddressChange => MessageKind::AddressChangeLink,
                LinkPurpose::AddressChangeUndo => MessageKind::AddressChangeUndoLink,
                LinkPurpose::AccountDeletion => MessageKind::AccountDeletionLink,
                LinkPurpose::SignIn => MessageKind::SignInLink,
            },
            Self::Notice(notice) => match notice {
                Notice::FactorAdded => MessageKind::FactorAdded,
                Notice::FactorRemoved => MessageKind::FactorRemoved,
                Notice::TwoFactorDisabled => MessageKind::TwoFactorDisabled,
                Notice::SecretShown => MessageKind::SecretShown,
                Notice::RecoveryCodeUsed { .. } => MessageKind::RecoveryCodeUsed,
                Notice::RecoveryCodesReplaced => MessageKind::RecoveryCodesReplaced,
                Notice::PasswordChanged => MessageKind::PasswordChanged,
                Notice::DeviceTrusted => MessageKind::DeviceTrusted,
                Notice::AddressChanged => MessageKind::AddressChanged,
                Notice::AccountLocked => MessageKind::AccountLocked,
                Notice::AccountUnlocked => MessageKind::AccountUnlocked,
                Notice::AccountSuspended => MessageKind::AccountSuspended,
                Notice::RefreshTokenReused => MessageKind::RefreshTokenReused,
                Notice::SignInAfterLongAbsence => MessageKind::SignInAfterLongAbsence,
                Notice::PasskeyMisused => MessageKind::PasskeyMisused,
            },
        }
    }
}

/// The code in what is sealed.
mod code_text {
    use crate::one_time_code::OneTimeCode;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(code: &OneTimeCode, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(code.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OneTimeCode, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        OneTimeCode::chosen(&text).ok_or_else(|| D::Error::custom("no code"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_their_names() {
        for kind in MessageKind::ALL {
            assert_eq!(MessageKind::parse(kind.name()), Some(kind));
        }
        assert!(!MessageKind::SignInLink.is_notice() && MessageKind::RefreshTokenReused.is_notice());
        for channel in Channel::ALL {
            assert_eq!(Channel::parse(channel.name()), Some(channel));
        }
    }
}
