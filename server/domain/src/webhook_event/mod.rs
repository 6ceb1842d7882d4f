//! What an event of the audit trail is sent as to receivers of webhooks: which events of FusionAuth it is, and their bodies.

mod body;

pub use body::{Facts, LOCK_ACTION, LOCK_ACTION_NAME, WebhookBody};

use crate::audit::EventKind;
use crate::webhook::{EventType, Webhooks};

/// What an audit event is sent as, if a receiver may want it.
pub fn wanted(webhooks: &Webhooks, kind: EventKind) -> impl Iterator<Item = EventType> {
    let wants = |event: &EventType| webhooks.subscriptions.iter().any(|one| one.events.contains(event));
    event_types(kind).iter().copied().filter(wants)
}

/// What an event of the audit trail is sent as; nothing for kinds that FusionAuth has no event for, or one whose documented
/// fields are not known here.
#[must_use]
pub const fn event_types(kind: EventKind) -> &'static [EventType] {
    use EventType::{
        Action, Challenge, EmailVerified, FailedAttempt, LoginFailed, LoginSuccess, MethodAdd, MethodRemove,
        PasswordResetStart, PasswordResetSuccess, PasswordUpdate, TwoFactorSuccess, UserCreate, UserDeactivate,
        UserDelete, UserReactivate,
    };
    match kind {
        EventKind::SignedUp | EventKind::AccountCreated => &[UserCreate],
        EventKind::SignedIn | EventKind::SignedInFromTrustedDevice | EventKind::PasskeySignedIn => &[LoginSuccess],
        EventKind::PasswordRejected | EventKind::PasskeyRejected | EventKind::PasskeyCounterFell => &[LoginFailed],
        EventKind::ChallengeOpened | EventKind::StepUpBegun => &[Challenge],
        EventKind::SecondFactorSignedIn => &[TwoFactorSuccess, LoginSuccess],
        EventKind::SecondFactorConfirmed | EventKind::SecondFactorPassed => &[TwoFactorSuccess],
        EventKind::SecondFactorRejected | EventKind::SecondFactorReplayed | EventKind::SecondFactorCounterFell => {
            &[FailedAttempt]
        }
        EventKind::AccountLocked | EventKind::AccountSuspended | EventKind::AccountUnlocked => &[Action],
        EventKind::TwoFactorEnabled | EventKind::MethodAdded | EventKind::AuthenticatorReplaced => &[MethodAdd],
        EventKind::MethodRemoved | EventKind::TwoFactorDisabled => &[MethodRemove],
        EventKind::PasswordChanged => &[PasswordUpdate],
        EventKind::PasswordReset => &[PasswordResetSuccess, PasswordUpdate],
        EventKind::PasswordResetAsked => &[PasswordResetStart],
        EventKind::AddressVerified => &[EmailVerified],
        EventKind::AccountDeactivated => &[UserDeactivate],
        EventKind::AccountReactivated => &[UserReactivate],
        EventKind::AccountDeleted => &[UserDelete],
        // Its event has the user before and after the change, of which the trail keeps neither.
        EventKind::AccountChanged
        | EventKind::AddressChanged
        | EventKind::AddressRestored
        // Its event has the registration.
        | EventKind::Registered
        | EventKind::RegistrationChanged
        | EventKind::RegistrationDeleted
        // Its event has tokens, or lifetimes of applications.
        | EventKind::TokenRefreshed
        | EventKind::RefreshTokenReused
        | EventKind::RefreshTokensRevoked
        // FusionAuth has no event for the rest.
        | EventKind::SecondFactorNotJudged
        | EventKind::PasskeyRegistrationRejected
        | EventKind::CodeSent
        | EventKind::EnrolmentBegun
        | EventKind::SecretShown
        | EventKind::BackupCodeUsed
        | EventKind::BackupCodesReplaced
        | EventKind::BackupCodesFew
        | EventKind::VerificationAsked
        | EventKind::AddressChangeAsked
        | EventKind::DeletionAsked
        | EventKind::SignInLinkAsked
        | EventKind::MethodRenamed
        | EventKind::PasskeyAdded
        | EventKind::PasskeyRemoved
        | EventKind::PasskeyRenamed
        | EventKind::PasskeyConfirmed
        | EventKind::DeviceTrusted
        | EventKind::PasswordChangeAsked
        | EventKind::SignedOut
        | EventKind::SessionsRevoked
        | EventKind::TrustRevoked
        | EventKind::DeviceRevoked
        | EventKind::DeviceRenamed
        | EventKind::SignedInAfterLongAbsence
        | EventKind::DatabaseRestored
        | EventKind::AllGrantsEnded => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::Subscription;

    const TABLE: &[(&str, &str)] = &[
        ("signed-up", "user.create"),
        ("signed-in", "user.login.success"),
        ("signed-in-from-trusted-device", "user.login.success"),
        ("challenge-opened", "user.two-factor.challenge"),
        ("password-rejected", "user.login.failed"),
        ("passkey-signed-in", "user.login.success"),
        ("passkey-rejected", "user.login.failed"),
        ("passkey-counter-fell", "user.login.failed"),
        ("second-factor-signed-in", "user.two-factor.success user.login.success"),
        ("second-factor-confirmed", "user.two-factor.success"),
        ("second-factor-passed", "user.two-factor.success"),
        ("second-factor-rejected", "user.two-factor.failed.attempt"),
        ("second-factor-replayed", "user.two-factor.failed.attempt"),
        ("second-factor-counter-fell", "user.two-factor.failed.attempt"),
        ("account-locked", "user.action"),
        ("account-suspended", "user.action"),
        ("account-unlocked", "user.action"),
        ("two-factor-enabled", "user.two-factor.method.add"),
        ("authenticator-replaced", "user.two-factor.method.add"),
        ("two-factor-disabled", "user.two-factor.method.remove"),
        ("password-changed", "user.password.update"),
        ("password-reset", "user.password.reset.success user.password.update"),
        ("password-reset-asked", "user.password.reset.start"),
        ("address-verified", "user.email.verified"),
        ("account-created", "user.create"),
        ("account-deactivated", "user.deactivate"),
        ("account-reactivated", "user.reactivate"),
        ("account-deleted", "user.delete"),
        ("method-added", "user.two-factor.method.add"),
        ("method-removed", "user.two-factor.method.remove"),
        ("step-up-begun", "user.two-factor.challenge"),
    ];

    /// Kinds that are sent to no receiver.
    const NOT_SENT: &[&str] = &[
        "second-factor-not-judged",
        "code-sent",
        "enrolment-begun",
        "secret-shown",
        "backup-code-used",
        "backup-codes-replaced",
        "backup-codes-few",
        "verification-asked",
        "address-change-asked",
        "address-restored",
        "deletion-asked",
        "sign-in-link-asked",
        "account-changed",
        "address-changed",
        "registered",
        "registration-changed",
        "registration-deleted",
        "method-renamed",
        "passkey-added",
        "passkey-confirmed",
        "passkey-registration-rejected",
        "passkey-removed",
        "passkey-renamed",
        "device-trusted",
        "password-change-asked",
        "token-refreshed",
        "refresh-token-reused",
        "refresh-tokens-revoked",
        "signed-out",
        "sessions-revoked",
        "trust-revoked",
        "device-revoked",
        "device-renamed",
        "signed-in-after-long-absence",
        "database-restored",
        "all-grants-ended",
    ];

    #[test]
    fn each_kind_of_event_is_sent_as_the_table_says() {
        for kind in EventKind::ALL {
            let names: Vec<&str> = event_types(*kind).iter().map(|event| event.name()).collect();
            let row = TABLE.iter().find(|(name, _)| *name == kind.name());
            let is_not_sent = NOT_SENT.contains(&kind.name());
            assert_ne!(row.is_some(), is_not_sent, "{} is in one of the two lists", kind.name());
            assert_eq!(names.join(" "), row.map_or("", |(_, events)| events), "{}", kind.name());
        }
        assert_eq!(TABLE.len() + NOT_SENT.len(), EventKind::ALL.len());
    }

    #[test]
    fn each_type_is_sent() {
        for event in EventType::ALL {
            assert!(EventKind::ALL.iter().any(|kind| event_types(*kind).contains(event)), "{}", event.name());
        }
    }

    #[test]
    fn a_kind_is_wanted_as_what_a_receiver_asked_for() {
        let subscription = |events: &[EventType]| Subscription {
            receiver: "crm".to_owned(),
            events: events.iter().copied().collect(),
            tenant_id: None,
        };
        let both = [EventType::LoginSuccess, EventType::TwoFactorSuccess];
        for (subscriptions, expected) in [
            (vec![], vec![]),
            (vec![subscription(&[EventType::MethodAdd])], vec![]),
            (vec![subscription(&both[..1])], vec![EventType::LoginSuccess]),
            (vec![subscription(&both[..1]), subscription(&both[1..])], vec![both[1], both[0]]),
        ] {
            let webhooks = Webhooks { subscriptions: subscriptions.into(), user_agent: String::new() };
            let found: Vec<EventType> = wanted(&webhooks, EventKind::SecondFactorSignedIn).collect();
            assert_eq!(found, expected, "{webhooks:?}");
        }
    }
}
