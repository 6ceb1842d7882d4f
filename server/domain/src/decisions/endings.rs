//! What ends with a change to an account's credentials.
//!
//! Each grant carries the [`Versions`] of its account as of when it was opened. An event raises one of them or both, so that a
//! grant of older credentials is dead wherever it is kept: in a row that no `DELETE` reached, or in a token that a client
//! holds. Rows that end are deleted as well; those that survive are moved on to the new versions, in the same transaction.

use crate::account::Versions;
use crate::tenant::LoginPolicy;

/// A change that ends grants, or is asked about because it might.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The owner has changed the password and keeps the sessions.
    PasswordChanged,
    /// The owner has changed the password and ends what it opened; a new session may take the place of the old ones.
    PasswordChangedEndingSessions,
    /// A ticket has set the password.
    PasswordSetByTicket,
    /// A service or an operator has set the password.
    PasswordSetByService,
    /// A link that was mailed to the account's address has set the password.
    PasswordReset,
    /// The owner has proved another e-mail address, which takes the place of the one before.
    AddressChanged,
    /// A service has changed the e-mail address.
    AddressChangedByService,
    /// A link that was mailed to the former address has given it back to the account, which has no password from then on:
    /// somebody else may know it.
    AddressRestored,
    /// A service or an operator has deactivated the account.
    Deactivated,
    /// A service or an operator has made a deactivated account usable again.
    Reactivated,
    /// The account got its first second factor.
    SecondFactorOn,
    /// The same in a tenant that requires one: what was opened before was good for enrolment only.
    RequiredSecondFactorOn,
    /// The account has no second factor any more.
    SecondFactorOff,
    /// A further method, or a passkey, was added.
    MethodAdded,
    /// One of several methods was removed.
    MethodRemoved,
    /// A passkey was removed. Which sessions it has opened is not recorded, and one of them may be a thief's, who could register
    /// another passkey in it.
    PasskeyRemoved,
    /// An authenticator app took the place of another one.
    AppReplaced,
    BackupCodesReplaced,
    /// The owner has ended all sessions, or all but the one that asks; or an operator has ended all.
    SessionsRevoked,
    /// The owner has ended trust in all devices.
    TrustRevoked,
}

/// Something that credentials have opened, or lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A session other than the one that asks.
    Session,
    RefreshToken,
    /// It is kept by clients only, so that it ends by its versions alone.
    AccessToken,
    TrustedDevice,
    Challenge,
    /// Of any kind, those of mailed links included.
    Ticket,
    /// The way back to a former address. Who has taken an account over must not be able to end it.
    FormerAddress,
    /// A code that was sent and not yet presented.
    OneTimeCode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Ends,
    /// It goes on, and counts as opened by the password alone.
    LosesSecondFactor,
    Survives,
}

/// Which versions an event raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raises {
    pub credentials: bool,
    pub factors: bool,
}

impl Event {
    pub const ALL: [Self; 20] = [
        Self::PasswordChanged,
        Self::PasswordChangedEndingSessions,
        Self::PasswordSetByTicket,
        Self::PasswordSetByService,
        Self::PasswordReset,
        Self::AddressChanged,
        Self::AddressChangedByService,
        Self::AddressRestored,
        Self::Deactivated,
        Self::Reactivated,
        Self::SecondFactorOn,
        Self::RequiredSecondFactorOn,
        Self::SecondFactorOff,
        Self::MethodAdded,
        Self::MethodRemoved,
        Self::PasskeyRemoved,
        Self::AppReplaced,
        Self::BackupCodesReplaced,
        Self::SessionsRevoked,
        Self::TrustRevoked,
    ];

    /// The event of switching the second factor on.
    #[must_use]
    pub fn second_factor_on(login_policy: LoginPolicy) -> Self {
        match login_policy {
            LoginPolicy::Required => Self::RequiredSecondFactorOn,
            LoginPolicy::Enabled | LoginPolicy::Disabled => Self::SecondFactorOn,
        }
    }

    /// The event of a change that a service makes to an account, if it is one.
    #[must_use]
    pub fn of_service(sets_password: bool, was_active: bool, is_active: bool) -> Option<Self> {
        match (sets_password, was_active, is_active) {
            (true, _, _) => Some(Self::PasswordSetByService),
            (false, true, false) => Some(Self::Deactivated),
            (false, false, true) => Some(Self::Reactivated),
            (false, true, true) | (false, false, false) => None,
        }
    }

    #[must_use]
    pub fn raises(self) -> Raises {
        let (credentials, factors) = match self {
            Self::PasswordChanged
            | Self::PasswordChangedEndingSessions
            | Self::PasswordSetByTicket
            | Self::PasswordSetByService
            | Self::PasswordReset
            | Self::AddressRestored
            | Self::Deactivated
            | Self::Reactivated
            | Self::SessionsRevoked => (true, false),
            Self::RequiredSecondFactorOn | Self::PasskeyRemoved => (true, true),
            Self::SecondFactorOn | Self::SecondFactorOff | Self::MethodRemoved | Self::AppReplaced => (false, true),
            Self::AddressChanged
            | Self::AddressChangedByService
            | Self::MethodAdded
            | Self::BackupCodesReplaced
            | Self::TrustRevoked => (false, false),
        };
        Raises { credentials, factors }
    }
}

impl Raises {
    /// The versions after the event.
    #[must_use]
    pub fn after(self, before: Versions) -> Versions {
        Versions {
            credentials: before.credentials + i64::from(self.credentials),
            factors: before.factors + i64::from(self.factors),
        }
    }

    /// The versions before the event.
    #[must_use]
    pub fn before(self, after: Versions) -> Versions {
        Versions {
            credentials: after.credentials - i64::from(self.credentials),
            factors: after.factors - i64::from(self.factors),
        }
    }
}

/// What a grant of each kind comes to.
#[must_use]
pub fn decide(event: Event, grant: Grant) -> Ending {
    use Ending::{Ends, LosesSecondFactor, Survives};
    match (event, grant) {
        // A service knows which address is the owner's.
        (Event::AddressChangedByService, Grant::FormerAddress) => Ends,
        // What leads to an earlier address goes on, the rest ends with its row: `store/src/queries/addresses.rs`.
        (_, Grant::FormerAddress) => Survives,
        (Event::MethodAdded | Event::BackupCodesReplaced, _) => Survives,
        // What was sent to the old address is dead.
        (Event::AddressChanged | Event::AddressChangedByService, Grant::Ticket | Grant::OneTimeCode) => Ends,
        (Event::AddressChanged | Event::AddressChangedByService, _) => Survives,
        (Event::TrustRevoked, Grant::TrustedDevice) => Ends,
        (Event::TrustRevoked, _) => Survives,
        // Sessions outlive a new password unless their owner says otherwise (wire reference of Better Auth).
        (Event::PasswordChanged, Grant::Session) => Survives,
        // A challenge that meets a deactivated account is refused with the reason; reactivating the account ends it.
        (Event::Deactivated, Grant::Challenge) => Survives,
        // An enrolment completes the challenge that waits for it, and a code that was sent may be what confirms it.
        (Event::SecondFactorOn | Event::RequiredSecondFactorOn, Grant::Challenge | Grant::OneTimeCode) => Survives,
        // Opened by a password that is still the password; what was passed is not the factor that the account has now.
        (
            Event::SecondFactorOn | Event::SecondFactorOff | Event::MethodRemoved | Event::AppReplaced,
            Grant::Session | Grant::RefreshToken | Grant::AccessToken,
        ) => LosesSecondFactor,
        (
            Event::PasswordChanged
            | Event::PasswordChangedEndingSessions
            | Event::PasswordSetByTicket
            | Event::PasswordSetByService
            | Event::PasswordReset
            | Event::AddressRestored
            | Event::Deactivated
            | Event::Reactivated
            | Event::SecondFactorOn
            | Event::RequiredSecondFactorOn
            | Event::SecondFactorOff
            | Event::MethodRemoved
            | Event::PasskeyRemoved
            | Event::AppReplaced
            | Event::SessionsRevoked,
            _,
        ) => Ends,
    }
}

/// What becomes of a grant for an application when the registration of its user for that application is deleted. Grants that are
/// for another application, or for none, survive, and no version is raised.
#[must_use]
pub fn with_registration(grant: Grant) -> Ending {
    match grant {
        // Both say what the user may do in the application.
        Grant::RefreshToken | Grant::AccessToken => Ending::Ends,
        // They are the account's. A challenge or a ticket opens what the user is registered for when it is used.
        Grant::Session
        | Grant::TrustedDevice
        | Grant::Challenge
        | Grant::Ticket
        | Grant::FormerAddress
        | Grant::OneTimeCode => Ending::Survives,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Ending::{Ends, LosesSecondFactor as Loses, Survives};

    const GRANTS: [Grant; 8] = [
        Grant::Session,
        Grant::RefreshToken,
        Grant::AccessToken,
        Grant::TrustedDevice,
        Grant::Challenge,
        Grant::Ticket,
        Grant::OneTimeCode,
        Grant::FormerAddress,
    ];

    #[test]
    fn every_event_with_every_grant_28() {
        // session, refresh token, access token, trust, challenge, ticket, one-time code, former address; credentials, factors
        let all = [Ends, Ends, Ends, Ends, Ends, Ends, Ends, Survives];
        let none = [Survives; 8];
        let loses = [Loses, Loses, Loses, Ends, Ends, Ends, Ends, Survives];
        let sent = [Survives, Survives, Survives, Survives, Survives, Ends, Ends, Survives];
        let all_sent = [Survives, Survives, Survives, Survives, Survives, Ends, Ends, Ends];
        let trust = [Survives, Survives, Survives, Ends, Survives, Survives, Survives, Survives];
        let rows = [
            (Event::PasswordChanged, [Survives, Ends, Ends, Ends, Ends, Ends, Ends, Survives], (true, false)),
            (Event::PasswordChangedEndingSessions, all, (true, false)),
            (Event::PasswordSetByTicket, all, (true, false)),
            (Event::PasswordSetByService, all, (true, false)),
            (Event::PasswordReset, all, (true, false)),
            (Event::AddressChanged, sent, (false, false)),
            (Event::AddressChangedByService, all_sent, (false, false)),
            (Event::AddressRestored, all, (true, false)),
            (Event::Deactivated, [Ends, Ends, Ends, Ends, Survives, Ends, Ends, Survives], (true, false)),
            (Event::Reactivated, all, (true, false)),
            (Event::SecondFactorOn, [Loses, Loses, Loses, Ends, Survives, Ends, Survives, Survives], (false, true)),
            (Event::RequiredSecondFactorOn, [Ends, Ends, Ends, Ends, Survives, Ends, Survives, Survives], (true, true)),
            (Event::SecondFactorOff, loses, (false, true)),
            (Event::MethodAdded, none, (false, false)),
            (Event::MethodRemoved, loses, (false, true)),
            (Event::PasskeyRemoved, all, (true, true)),
            (Event::AppReplaced, loses, (false, true)),
            (Event::BackupCodesReplaced, none, (false, false)),
            (Event::SessionsRevoked, all, (true, false)),
            (Event::TrustRevoked, trust, (false, false)),
        ];
        assert_eq!(rows.map(|(event, ..)| event), Event::ALL);
        for (event, endings, (credentials, factors)) in rows {
            assert_eq!(GRANTS.map(|grant| decide(event, grant)), endings, "{event:?}");
            assert_eq!(event.raises(), Raises { credentials, factors }, "{event:?}");
        }
    }

    #[test]
    fn tokens_of_an_application_end_with_the_registration_for_it() {
        // As above: session, refresh token, access token, trust, challenge, ticket, one-time code, former address.
        let endings = [Survives, Ends, Ends, Survives, Survives, Survives, Survives, Survives];
        assert_eq!(GRANTS.map(with_registration), endings);
    }

    /// An access token has no row, so that the versions alone say what becomes of it.
    #[test]
    fn versions_say_the_same_of_an_access_token() {
        for event in Event::ALL {
            let by_versions = match event.raises() {
                Raises { credentials: true, .. } => Ends,
                Raises { factors: true, .. } => Loses,
                Raises { .. } => Survives,
            };
            assert_eq!(decide(event, Grant::AccessToken), by_versions, "{event:?}");
        }
    }

    #[test]
    fn an_event_leads_from_the_versions_before_it_to_those_after_it() {
        let before = Versions { credentials: 3, factors: 5 };
        for event in Event::ALL {
            assert_eq!(event.raises().before(event.raises().after(before)), before, "{event:?}");
        }
        assert_eq!(Event::Deactivated.raises().after(before), Versions { credentials: 4, factors: 5 });
        assert_eq!(Event::AppReplaced.raises().after(before), Versions { credentials: 3, factors: 6 });
    }

    #[test]
    fn a_service_changes_a_password_or_whether_an_account_is_active() {
        for (sets_password, was_active, is_active, event) in [
            (true, true, true, Some(Event::PasswordSetByService)),
            (true, true, false, Some(Event::PasswordSetByService)),
            (true, false, true, Some(Event::PasswordSetByService)),
            (true, false, false, Some(Event::PasswordSetByService)),
            (false, true, false, Some(Event::Deactivated)),
            (false, false, true, Some(Event::Reactivated)),
            (false, true, true, None),
            (false, false, false, None),
        ] {
            assert_eq!(Event::of_service(sets_password, was_active, is_active), event);
        }
    }

    #[test]
    fn switching_on_is_another_event_where_a_second_factor_is_required() {
        for (login_policy, event) in [
            (LoginPolicy::Enabled, Event::SecondFactorOn),
            (LoginPolicy::Disabled, Event::SecondFactorOn),
            (LoginPolicy::Required, Event::RequiredSecondFactorOn),
        ] {
            assert_eq!(Event::second_factor_on(login_policy), event);
        }
    }
}
