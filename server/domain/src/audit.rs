//! Audit events. An event is written in the transaction of the change that it records.
//!
//! Some are notices: what the user of the account should be notified about, because somebody else may have done it (N11, OWASP ASVS
//! 5.0, 6.3.5 and 6.3.7). None is sent yet; each has a kind of its own, so that delivery can send it.
//!
//! | what happened | kinds |
//! |---|---|
//! | the account was locked | `account-locked` |
//! | a factor was added or replaced | `two-factor-enabled`, `method-added`, `authenticator-replaced` |
//! | a factor was removed | `method-removed`, `two-factor-disabled` |
//! | the secret of an app was shown | `secret-shown` |
//! | a backup code was used, or new ones were made | `backup-code-used`, `backup-codes-replaced` |
//! | the password was changed | `password-changed` |
//! | a device is trusted | `device-trusted` |
//! | the e-mail address or the telephone number was changed | `address-changed` |
//! | a refresh token was stolen | `refresh-token-reused` |

use crate::challenge::Factor;
use crate::ids::{AccountId, ApiKeyId, AuditId, SessionId};
use crate::time::Timestamp;
use rand_core::CryptoRng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A user created an account.
    SignedUp,
    /// A session was opened by password alone, because the account has no second factor.
    SignedIn,
    /// A session was opened by password from a trusted device.
    SignedInFromTrustedDevice,
    /// A right password led to a challenge.
    ChallengeOpened,
    /// A password was wrong, or no such account exists.
    PasswordRejected,
    /// A second factor opened a session.
    SecondFactorSignedIn,
    /// A second factor was right, and the client asked for no session.
    SecondFactorConfirmed,
    /// A second factor was passed on a live session.
    SecondFactorPassed,
    /// A second factor was judged and was wrong.
    SecondFactorRejected,
    /// A used code was presented again.
    SecondFactorReplayed,
    /// A second factor was not judged, or a right one was not made to count, by a failure of the server or because the operation
    /// was not possible any more; the attempt does not count.
    SecondFactorNotJudged,
    /// The account was locked after too many wrong second factors.
    AccountLocked,
    /// An administrator lifted the account's locks and limits.
    AccountUnlocked,
    CodeSent,
    /// Enrolment of an authenticator app began.
    EnrolmentBegun,
    /// The second factor was switched on.
    TwoFactorEnabled,
    /// Another authenticator app took the place of the old one.
    AuthenticatorReplaced,
    /// The second factor was switched off.
    TwoFactorDisabled,
    /// The secret of an authenticator app was shown again.
    SecretShown,
    /// A backup code was used up.
    BackupCodeUsed,
    /// New backup codes replaced the old ones.
    BackupCodesReplaced,
    /// A backup code was used, and fewer than three are left.
    BackupCodesFew,
    PasswordChanged,
    /// A service created an account.
    AccountCreated,
    /// A service changed an account.
    AccountChanged,
    /// A service changed the e-mail address or the telephone number of an account.
    AddressChanged,
    /// An account was deactivated.
    AccountDeactivated,
    /// A deactivated account was activated again.
    AccountReactivated,
    /// An account was deleted.
    AccountDeleted,
    /// A user was registered for an application.
    Registered,
    /// A method was added to an account that has a second factor.
    MethodAdded,
    /// A method was removed; others are left.
    MethodRemoved,
    /// The label of a method was set.
    MethodRenamed,
    /// A device may skip the second factor from now on.
    DeviceTrusted,
    /// A service began a challenge outside of a sign-in.
    StepUpBegun,
    /// A sign-in ended in a ticket to change the password.
    PasswordChangeAsked,
    /// A refresh token was exchanged for a new access token.
    TokenRefreshed,
    /// A refresh token was presented again; all tokens of its sign-in were revoked.
    RefreshTokenReused,
    /// A user signed out.
    SignedOut,
    /// Sessions were revoked from a session of the same account.
    SessionsRevoked,
    /// Trust in all devices was ended from a session of the same account.
    TrustRevoked,
}

impl EventKind {
    /// Stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedUp => "signed-up",
            Self::SignedIn => "signed-in",
            Self::SignedInFromTrustedDevice => "signed-in-from-trusted-device",
            Self::ChallengeOpened => "challenge-opened",
            Self::PasswordRejected => "password-rejected",
            Self::SecondFactorSignedIn => "second-factor-signed-in",
            Self::SecondFactorConfirmed => "second-factor-confirmed",
            Self::SecondFactorPassed => "second-factor-passed",
            Self::SecondFactorRejected => "second-factor-rejected",
            Self::SecondFactorReplayed => "second-factor-replayed",
            Self::SecondFactorNotJudged => "second-factor-not-judged",
            Self::AccountLocked => "account-locked",
            Self::AccountUnlocked => "account-unlocked",
            Self::CodeSent => "code-sent",
            Self::EnrolmentBegun => "enrolment-begun",
            Self::TwoFactorEnabled => "two-factor-enabled",
            Self::AuthenticatorReplaced => "authenticator-replaced",
            Self::TwoFactorDisabled => "two-factor-disabled",
            Self::SecretShown => "secret-shown",
            Self::BackupCodeUsed => "backup-code-used",
            Self::BackupCodesReplaced => "backup-codes-replaced",
            Self::BackupCodesFew => "backup-codes-few",
            Self::PasswordChanged => "password-changed",
            Self::AccountCreated => "account-created",
            Self::AccountChanged => "account-changed",
            Self::AddressChanged => "address-changed",
            Self::AccountDeactivated => "account-deactivated",
            Self::AccountReactivated => "account-reactivated",
            Self::AccountDeleted => "account-deleted",
            Self::Registered => "registered",
            Self::MethodAdded => "method-added",
            Self::MethodRemoved => "method-removed",
            Self::MethodRenamed => "method-renamed",
            Self::DeviceTrusted => "device-trusted",
            Self::StepUpBegun => "step-up-begun",
            Self::PasswordChangeAsked => "password-change-asked",
            Self::TokenRefreshed => "token-refreshed",
            Self::RefreshTokenReused => "refresh-token-reused",
            Self::SignedOut => "signed-out",
            Self::SessionsRevoked => "sessions-revoked",
            Self::TrustRevoked => "trust-revoked",
        }
    }

    /// Whether the user of the account should be told.
    #[must_use]
    pub const fn is_notice(self) -> bool {
        match self {
            Self::AccountLocked
            | Self::TwoFactorEnabled
            | Self::MethodAdded
            | Self::AuthenticatorReplaced
            | Self::MethodRemoved
            | Self::TwoFactorDisabled
            | Self::SecretShown
            | Self::BackupCodeUsed
            | Self::BackupCodesFew
            | Self::BackupCodesReplaced
            | Self::PasswordChanged
            | Self::DeviceTrusted
            | Self::AddressChanged
            | Self::AccountUnlocked
            | Self::RefreshTokenReused => true,
            Self::SignedUp
            | Self::SignedIn
            | Self::SignedInFromTrustedDevice
            | Self::ChallengeOpened
            | Self::PasswordRejected
            | Self::SecondFactorSignedIn
            | Self::SecondFactorConfirmed
            | Self::SecondFactorPassed
            | Self::SecondFactorRejected
            | Self::SecondFactorReplayed
            | Self::SecondFactorNotJudged
            | Self::CodeSent
            | Self::EnrolmentBegun
            | Self::AccountCreated
            | Self::AccountChanged
            | Self::AccountDeactivated
            | Self::AccountReactivated
            | Self::AccountDeleted
            | Self::Registered
            | Self::MethodRenamed
            | Self::StepUpBegun
            | Self::PasswordChangeAsked
            | Self::TokenRefreshed
            | Self::SignedOut
            | Self::SessionsRevoked
            | Self::TrustRevoked => false,
        }
    }
}

/// A row of the audit trail. It never holds a code, a token, a password or a login name that was typed in.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    pub id: AuditId,
    pub at: Timestamp,
    pub kind: EventKind,
    /// `None` after a wrong password for an unknown login name.
    pub account_id: Option<AccountId>,
    pub session_id: Option<SessionId>,
    pub factor: Option<Factor>,
    pub dialect: &'static str,
    pub ip_address: String,
    /// API key of the calling service.
    pub api_key_id: Option<ApiKeyId>,
}

/// Who asked for something, and when: an [`AuditEvent`] whose kind a decision still has to name.
#[derive(Clone, Debug)]
pub struct AuditContext {
    pub id: AuditId,
    pub at: Timestamp,
    pub account_id: Option<AccountId>,
    pub session_id: Option<SessionId>,
    pub factor: Option<Factor>,
    pub dialect: &'static str,
    pub ip_address: String,
    pub api_key_id: Option<ApiKeyId>,
}

impl AuditContext {
    #[must_use]
    pub fn event(&self, kind: EventKind) -> AuditEvent {
        let Self { id, at, account_id, session_id, factor, dialect, api_key_id, .. } = *self;
        let ip_address = self.ip_address.clone();
        AuditEvent { id, at, kind, account_id, session_id, factor, dialect, ip_address, api_key_id }
    }

    #[must_use]
    pub fn about(self, account_id: AccountId) -> Self {
        Self { account_id: Some(account_id), ..self }
    }

    #[must_use]
    pub fn in_session(self, session_id: SessionId) -> Self {
        Self { session_id: Some(session_id), ..self }
    }

    /// The same context for one more event.
    #[must_use]
    pub fn again(&self, random: &mut dyn CryptoRng) -> Self {
        Self { id: AuditId::generate(self.at, random), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_notices_is_complete() {
        let notices = [
            EventKind::AccountLocked,
            EventKind::TwoFactorEnabled,
            EventKind::MethodAdded,
            EventKind::AuthenticatorReplaced,
            EventKind::MethodRemoved,
            EventKind::TwoFactorDisabled,
            EventKind::SecretShown,
            EventKind::BackupCodeUsed,
            EventKind::BackupCodesReplaced,
            EventKind::PasswordChanged,
            EventKind::DeviceTrusted,
            EventKind::AddressChanged,
            EventKind::RefreshTokenReused,
        ];
        let table: Vec<&str> = include_str!("audit.rs")
            .lines()
            .filter(|line| line.starts_with("//! | ") && line.contains('`'))
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .collect();
        assert_eq!(notices.map(EventKind::name).to_vec(), table);
        assert!(notices.iter().all(|kind| kind.is_notice()));
        for kind in [EventKind::SignedIn, EventKind::SecondFactorRejected, EventKind::CodeSent] {
            assert!(!kind.is_notice(), "{kind:?}");
        }
    }
}
