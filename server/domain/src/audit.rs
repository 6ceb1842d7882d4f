//! The names of what the audit trail records. A row is written in the transaction that makes the event true.

use crate::challenge::Factor;
use crate::ids::{AccountId, ApiKeyId, AuditId, SessionId};
use crate::time::Timestamp;
use rand_core::CryptoRng;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// An account was made.
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
    /// A spent code was presented again.
    SecondFactorReplayed,
    /// The account was locked after too many wrong second factors.
    AccountLocked,
    /// A code was sent.
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
    /// New backup codes replaced the old ones.
    BackupCodesReplaced,
    /// The password was changed.
    PasswordChanged,
    /// An account was made by a service.
    AccountCreated,
    /// An account was changed by a service.
    AccountChanged,
    /// An account was deactivated.
    AccountDeactivated,
    /// An account was made usable again.
    AccountReactivated,
    /// An account was removed.
    AccountDeleted,
    /// A person was registered for an application.
    Registered,
    /// A second factor was added to those that were on.
    MethodAdded,
    /// A second factor was taken away; others are left.
    MethodRemoved,
    /// A second factor was given a name.
    MethodRenamed,
    /// A service asked for a second factor outside of a sign-in.
    StepUpBegun,
    /// A sign-in ended in asking for a new password.
    PasswordChangeAsked,
    /// A refresh token gave a new access token.
    TokenRefreshed,
    /// A refresh token was presented again; all that followed from its sign-in are dead.
    RefreshTokenReused,
    /// A session was ended by its holder.
    SignedOut,
    /// A session was revoked from another one, or from itself.
    SessionsRevoked,
}

impl EventKind {
    /// The name that is stored.
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
            Self::AccountLocked => "account-locked",
            Self::CodeSent => "code-sent",
            Self::EnrolmentBegun => "enrolment-begun",
            Self::TwoFactorEnabled => "two-factor-enabled",
            Self::AuthenticatorReplaced => "authenticator-replaced",
            Self::TwoFactorDisabled => "two-factor-disabled",
            Self::SecretShown => "secret-shown",
            Self::BackupCodesReplaced => "backup-codes-replaced",
            Self::PasswordChanged => "password-changed",
            Self::AccountCreated => "account-created",
            Self::AccountChanged => "account-changed",
            Self::AccountDeactivated => "account-deactivated",
            Self::AccountReactivated => "account-reactivated",
            Self::AccountDeleted => "account-deleted",
            Self::Registered => "registered",
            Self::MethodAdded => "method-added",
            Self::MethodRemoved => "method-removed",
            Self::MethodRenamed => "method-renamed",
            Self::StepUpBegun => "step-up-begun",
            Self::PasswordChangeAsked => "password-change-asked",
            Self::TokenRefreshed => "token-refreshed",
            Self::RefreshTokenReused => "refresh-token-reused",
            Self::SignedOut => "signed-out",
            Self::SessionsRevoked => "sessions-revoked",
        }
    }
}

/// One line of the audit trail. It never holds a code, a token, a password or an address that was typed in.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    /// Its name.
    pub id: AuditId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// To whom; `None` for a wrong password of an unknown person.
    pub account_id: Option<AccountId>,
    /// In, or by, which session.
    pub session_id: Option<SessionId>,
    /// With which factor.
    pub factor: Option<Factor>,
    /// Through which dialect.
    pub dialect: &'static str,
    /// The client's address.
    pub ip_address: String,
    /// The key of the service that asked for it.
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

    #[must_use]
    pub fn with_factor(self, factor: Option<Factor>) -> Self {
        Self { factor, ..self }
    }

    /// The same context for one more event.
    #[must_use]
    pub fn again(&self, random: &mut dyn CryptoRng) -> Self {
        Self { id: AuditId::generate(self.at, random), ..self.clone() }
    }
}
