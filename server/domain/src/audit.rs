//! Audit events. An event is written in the transaction of the change that it records.
//!
//! Some are notices: the user of the account is notified, because somebody else may have done it (N11, OWASP ASVS 5.0, 6.3.5 and
//! 6.3.7). The message is stored in the same transaction ([`crate::message::Notices`]), and so is what receivers of webhooks get
//! ([`crate::webhook_event`]).
//!
//! | what happened | kinds |
//! |---|---|
//! | the account was locked | `account-locked`, `account-suspended` |
//! | a factor was added or replaced | `two-factor-enabled`, `method-added`, `authenticator-replaced`, `passkey-added` |
//! | a factor was removed | `method-removed`, `two-factor-disabled`, `passkey-removed` |
//! | a passkey may have been copied | `passkey-counter-fell` |
//! | the secret of an app was shown | `secret-shown` |
//! | a backup code was used, or new ones were made | `backup-code-used`, `backup-codes-replaced` |
//! | the password was changed | `password-changed` |
//! | a device is trusted | `device-trusted` |
//! | the password was set by a mailed link | `password-reset` |
//! | the e-mail address or the telephone number was changed | `address-changed`, `address-restored` |
//! | a refresh token was stolen | `refresh-token-reused` |
//! | somebody signed in after a long time | `signed-in-after-long-absence` |

use crate::actor::Actor;
use crate::audit_chain::TrailKeys;
use crate::challenge::Factor;
use crate::ids::{AccountId, AuditId, SessionId};
use crate::message::{Notice, Notices};
use crate::time::Timestamp;
use crate::webhook::Webhooks;
use rand_core::CryptoRng;

macro_rules! event_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EventKind {
            $($(#[$doc])* $kind,)*
        }

        impl EventKind {
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Stored name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

event_kinds! {
    /// A user created an account.
    SignedUp = "signed-up",
    /// A session was opened by the first factor alone, because the account has no second one.
    SignedIn = "signed-in",
    /// A session was opened by password from a trusted device.
    SignedInFromTrustedDevice = "signed-in-from-trusted-device",
    /// A right password led to a challenge.
    ChallengeOpened = "challenge-opened",
    /// A password was wrong, or no such account exists.
    PasswordRejected = "password-rejected",
    /// A passkey opened a session.
    PasskeySignedIn = "passkey-signed-in",
    /// A passkey's response was right, and the client asked for no session.
    PasskeyConfirmed = "passkey-confirmed",
    /// A passkey's response was refused, in a sign-in or at registration.
    PasskeyRejected = "passkey-rejected",
    /// A response to a registration was refused.
    PasskeyRegistrationRejected = "passkey-registration-rejected",
    /// The signature counter of a passkey fell: there may be a copy of its key. It was refused.
    PasskeyCounterFell = "passkey-counter-fell",
    PasskeyAdded = "passkey-added",
    PasskeyRemoved = "passkey-removed",
    /// The label of a passkey was set.
    PasskeyRenamed = "passkey-renamed",
    /// A second factor opened a session.
    SecondFactorSignedIn = "second-factor-signed-in",
    /// A second factor was right, and the client asked for no session.
    SecondFactorConfirmed = "second-factor-confirmed",
    /// A second factor was passed on a live session.
    SecondFactorPassed = "second-factor-passed",
    /// A second factor was judged and was wrong.
    SecondFactorRejected = "second-factor-rejected",
    /// A used code was presented again.
    SecondFactorReplayed = "second-factor-replayed",
    /// A second factor was not judged, or a right one was not made to count, by a failure of the server or because the operation
    /// was not possible any more; the attempt does not count.
    SecondFactorNotJudged = "second-factor-not-judged",
    /// The account was locked after too many wrong second factors.
    AccountLocked = "account-locked",
    /// A service locked the account until some time, or changed that time.
    AccountSuspended = "account-suspended",
    /// An administrator lifted the account's locks and limits.
    AccountUnlocked = "account-unlocked",
    CodeSent = "code-sent",
    /// Enrolment of an authenticator app began.
    EnrolmentBegun = "enrolment-begun",
    /// The second factor was switched on.
    TwoFactorEnabled = "two-factor-enabled",
    /// Another authenticator app took the place of the old one.
    AuthenticatorReplaced = "authenticator-replaced",
    /// The second factor was switched off.
    TwoFactorDisabled = "two-factor-disabled",
    /// The secret of an authenticator app was shown again.
    SecretShown = "secret-shown",
    /// A backup code was used up.
    BackupCodeUsed = "backup-code-used",
    /// New backup codes replaced the old ones.
    BackupCodesReplaced = "backup-codes-replaced",
    /// A backup code was used, and fewer than three are left.
    BackupCodesFew = "backup-codes-few",
    PasswordChanged = "password-changed",
    /// A mailed link has set a new password.
    PasswordReset = "password-reset",
    /// A link to set a new password was asked for.
    PasswordResetAsked = "password-reset-asked",
    /// A link to prove an address was asked for.
    VerificationAsked = "verification-asked",
    /// A mailed link has proved the account's e-mail address.
    AddressVerified = "address-verified",
    /// The owner wants another e-mail address; a link was sent there.
    AddressChangeAsked = "address-change-asked",
    /// The account has its former e-mail address back.
    AddressRestored = "address-restored",
    /// A link to delete the account was asked for.
    DeletionAsked = "deletion-asked",
    /// A link or a code to sign in without a password was asked for.
    SignInLinkAsked = "sign-in-link-asked",
    /// A service created an account.
    AccountCreated = "account-created",
    /// A service changed an account, or its owner the name or the picture.
    AccountChanged = "account-changed",
    /// The e-mail address or the telephone number of an account was changed.
    AddressChanged = "address-changed",
    /// An account was deactivated.
    AccountDeactivated = "account-deactivated",
    /// A deactivated account was activated again.
    AccountReactivated = "account-reactivated",
    /// An account was deleted.
    AccountDeleted = "account-deleted",
    /// A user was registered for an application.
    Registered = "registered",
    /// A registration was changed.
    RegistrationChanged = "registration-changed",
    /// A registration was deleted, and the refresh tokens of its application with it.
    RegistrationDeleted = "registration-deleted",
    /// A method was added to an account that has a second factor.
    MethodAdded = "method-added",
    /// A method was removed; others are left.
    MethodRemoved = "method-removed",
    /// The label of a method was set.
    MethodRenamed = "method-renamed",
    /// A device may skip the second factor from now on.
    DeviceTrusted = "device-trusted",
    /// A service began a challenge outside of a sign-in.
    StepUpBegun = "step-up-begun",
    /// A sign-in ended in a ticket to change the password.
    PasswordChangeAsked = "password-change-asked",
    /// A refresh token was exchanged for a new access token.
    TokenRefreshed = "token-refreshed",
    /// A refresh token was presented again; all tokens of its sign-in were revoked.
    RefreshTokenReused = "refresh-token-reused",
    /// Refresh tokens were revoked by a service, or by their holder who logs out.
    RefreshTokensRevoked = "refresh-tokens-revoked",
    /// A user signed out.
    SignedOut = "signed-out",
    /// Sessions were revoked from a session of the same account.
    SessionsRevoked = "sessions-revoked",
    /// Trust in all devices was ended from a session of the same account.
    TrustRevoked = "trust-revoked",
    /// Trust in one device was ended from a session of the same account.
    DeviceRevoked = "device-revoked",
    /// The name of a trusted device was set.
    DeviceRenamed = "device-renamed",
    /// The sign-in before this one was a long time ago; recorded besides the sign-in.
    SignedInAfterLongAbsence = "signed-in-after-long-absence",
    /// A backup has taken the place of the database; what happened since the backup is not in this trail.
    DatabaseRestored = "database-restored",
    /// Everything that the credentials of all accounts had opened was ended, because the database is one of the past.
    AllGrantsEnded = "all-grants-ended",
}

impl EventKind {
    /// The kind with this stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// What the user of the account is notified of; `codes_left` counts recovery codes.
    #[must_use]
    pub const fn notice(self, codes_left: u32) -> Option<Notice> {
        match self {
            Self::TwoFactorEnabled | Self::MethodAdded | Self::AuthenticatorReplaced | Self::PasskeyAdded => {
                Some(Notice::FactorAdded)
            }
            Self::MethodRemoved | Self::PasskeyRemoved => Some(Notice::FactorRemoved),
            Self::PasskeyCounterFell => Some(Notice::PasskeyMisused),
            Self::TwoFactorDisabled => Some(Notice::TwoFactorDisabled),
            Self::SecretShown => Some(Notice::SecretShown),
            Self::BackupCodeUsed => Some(Notice::RecoveryCodeUsed { left: codes_left }),
            Self::BackupCodesReplaced => Some(Notice::RecoveryCodesReplaced),
            Self::PasswordChanged | Self::PasswordReset => Some(Notice::PasswordChanged),
            Self::DeviceTrusted => Some(Notice::DeviceTrusted),
            Self::AddressChanged | Self::AddressRestored => Some(Notice::AddressChanged),
            Self::AccountLocked => Some(Notice::AccountLocked),
            Self::AccountSuspended => Some(Notice::AccountSuspended),
            Self::AccountUnlocked => Some(Notice::AccountUnlocked),
            Self::RefreshTokenReused => Some(Notice::RefreshTokenReused),
            Self::SignedInAfterLongAbsence => Some(Notice::SignInAfterLongAbsence),
            // The notice of the code that was used says how many are left.
            Self::BackupCodesFew
            | Self::SignedUp
            | Self::SignedIn
            | Self::SignedInFromTrustedDevice
            | Self::ChallengeOpened
            | Self::PasswordRejected
            | Self::PasskeySignedIn
            | Self::PasskeyConfirmed
            | Self::PasskeyRejected
            | Self::PasskeyRegistrationRejected
            | Self::PasskeyRenamed
            | Self::SecondFactorSignedIn
            | Self::SecondFactorConfirmed
            | Self::SecondFactorPassed
            | Self::SecondFactorRejected
            | Self::SecondFactorReplayed
            | Self::SecondFactorNotJudged
            | Self::CodeSent
            | Self::PasswordResetAsked
            | Self::VerificationAsked
            | Self::AddressVerified
            | Self::AddressChangeAsked
            | Self::DeletionAsked
            | Self::SignInLinkAsked
            | Self::EnrolmentBegun
            | Self::AccountCreated
            | Self::AccountChanged
            | Self::AccountDeactivated
            | Self::AccountReactivated
            | Self::AccountDeleted
            | Self::Registered
            | Self::RegistrationChanged
            | Self::RegistrationDeleted
            | Self::MethodRenamed
            | Self::StepUpBegun
            | Self::PasswordChangeAsked
            | Self::TokenRefreshed
            | Self::RefreshTokensRevoked
            | Self::SignedOut
            | Self::SessionsRevoked
            | Self::TrustRevoked
            | Self::DeviceRevoked
            | Self::DeviceRenamed
            | Self::DatabaseRestored
            | Self::AllGrantsEnded => None,
        }
    }

    /// Whether the user of the account is notified.
    #[must_use]
    pub const fn is_notice(self) -> bool {
        self.notice(0).is_some()
    }
}

/// Value of the `dialect` column for events that are caused on the command line.
pub const COMMAND_LINE: &str = "operator";

/// What joins an event with the lines of the log, and with what other programs note of the same request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestIds {
    /// This server's own id of the request; `None` outside of requests.
    pub request_id: Option<String>,
    /// Id of the trace that the client names, in 32 hexadecimal digits.
    pub trace_id: Option<String>,
}

/// The id of the trace in a `traceparent` header (W3C Trace Context, 3.2): `00-TRACE-PARENT-FLAGS`, to which later versions may
/// add. `None` for whatever the specification has a receiver ignore.
#[must_use]
pub fn trace_id(traceparent: &str) -> Option<&str> {
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |part: &str, length: usize| is_hex(part, length) && part.bytes().any(|byte| byte != b'0');
    let mut parts = traceparent.trim().split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_complete = version != "00" || parts.next().is_none();
    let is_valid = is_hex(version, 2) && version != "ff" && is_id(parent, 16) && is_hex(flags, 2) && is_complete;
    (is_valid && is_id(trace, 32)).then_some(trace)
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
    /// The kind of code that was presented; `None` for a password, and for a wrong code of which the request does not say the kind.
    pub factor: Option<Factor>,
    /// Name of the dialect, or of what else an actor uses: see [`COMMAND_LINE`].
    pub dialect: &'static str,
    /// Of the client; empty if there is none.
    pub ip_address: String,
    pub actor: Actor,
    pub request: RequestIds,
    /// Authenticates the event until it is sealed in a block. The server refuses to seal an event of its own that has none.
    pub keys: Option<TrailKeys>,
    /// `None` where notices are off.
    pub notices: Option<Notices>,
    /// `None` where there is no receiver of events.
    pub webhooks: Option<Webhooks>,
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
    pub actor: Actor,
    pub request: RequestIds,
    pub keys: Option<TrailKeys>,
    pub notices: Option<Notices>,
    pub webhooks: Option<Webhooks>,
}

impl AuditContext {
    #[must_use]
    pub fn event(&self, kind: EventKind) -> AuditEvent {
        let Self {
            id,
            at,
            account_id,
            session_id,
            factor,
            dialect,
            ip_address,
            actor,
            request,
            keys,
            notices,
            webhooks,
        } = self.clone();
        AuditEvent {
            id,
            at,
            kind,
            account_id,
            session_id,
            factor,
            dialect,
            ip_address,
            actor,
            request,
            keys,
            notices,
            webhooks,
        }
    }

    #[must_use]
    pub fn about(self, account_id: AccountId) -> Self {
        Self { account_id: Some(account_id), ..self }
    }

    /// The same context with the server as actor, for an event that a rule of the server causes.
    #[must_use]
    pub fn by_server(self) -> Self {
        Self { actor: Actor::Server, ..self }
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
    fn a_trace_is_named_as_the_specification_has_it() {
        const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
        for (header, expected) in [
            (format!("00-{TRACE}-b7ad6b7169203331-01"), Some(TRACE)),
            (format!(" 00-{TRACE}-b7ad6b7169203331-00 "), Some(TRACE)),
            (format!("cc-{TRACE}-b7ad6b7169203331-01-what-the-future-adds"), Some(TRACE)),
            (format!("00-{TRACE}-b7ad6b7169203331-01-x"), None),
            (format!("ff-{TRACE}-b7ad6b7169203331-01"), None),
            (format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase()), None),
            (format!("00-{TRACE}-0000000000000000-01"), None),
            (format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)), None),
            (format!("00-{TRACE}-b7ad6b7169203331"), None),
            (format!("00-{TRACE}\u{9b}-b7ad6b7169203331-01"), None),
            (String::new(), None),
        ] {
            assert_eq!(trace_id(&header), expected, "{header}");
        }
    }

    #[test]
    fn the_table_of_notices_is_complete() {
        let notices = [
            EventKind::AccountLocked,
            EventKind::AccountSuspended,
            EventKind::TwoFactorEnabled,
            EventKind::MethodAdded,
            EventKind::AuthenticatorReplaced,
            EventKind::PasskeyAdded,
            EventKind::MethodRemoved,
            EventKind::TwoFactorDisabled,
            EventKind::PasskeyRemoved,
            EventKind::PasskeyCounterFell,
            EventKind::SecretShown,
            EventKind::BackupCodeUsed,
            EventKind::BackupCodesReplaced,
            EventKind::PasswordChanged,
            EventKind::DeviceTrusted,
            EventKind::PasswordReset,
            EventKind::AddressChanged,
            EventKind::AddressRestored,
            EventKind::RefreshTokenReused,
            EventKind::SignedInAfterLongAbsence,
        ];
        let table: Vec<&str> = include_str!("audit.rs")
            .lines()
            .filter(|line| line.starts_with("//! | ") && line.contains('`'))
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .collect();
        assert_eq!(notices.map(EventKind::name).to_vec(), table);
        assert!(notices.iter().all(|kind| kind.is_notice()));
        for (at, kind) in EventKind::ALL.iter().enumerate() {
            assert_eq!(EventKind::parse(kind.name()), Some(*kind));
            assert!(!EventKind::ALL[..at].contains(kind));
        }
        assert_eq!(EventKind::parse("signed"), None);
        for kind in [EventKind::SignedIn, EventKind::SecondFactorRejected, EventKind::CodeSent] {
            assert!(!kind.is_notice(), "{kind:?}");
        }
    }
}
