//! Whether a password may be changed. What ends with the old one is in [`super::endings`].

use crate::account::Account;
use crate::assurance::{Manager, SecondFactorDue};
use crate::policy::Policy;
use crate::time::Timestamp;

/// How the caller shows that the password is theirs to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// The current password, in a session.
    InSession(Manager),
    /// The current password, without a session.
    CurrentPassword {
        /// Whether a ticket shows that a second factor was passed a moment ago.
        has_step_up: bool,
    },
    /// A ticket that a sign-in gave because the password has to be changed. A second factor was passed before, where there is one.
    Ticket,
    /// An id that was mailed to the account's address, or given to a service, at the wish of anybody.
    MailedId {
        /// Whether a ticket shows that a second factor was passed a moment ago.
        has_step_up: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordChange {
    Allowed {
        /// A one-time password takes the place of the sign-in that was interrupted.
        gives_one_time_password: bool,
    },
    /// The account has no password to change.
    NoPassword,
    /// A second factor has to be passed first, in whichever dialect: the password alone must not lead to a new one.
    SecondFactorDue(SecondFactorDue),
}

#[must_use]
pub fn decide(account: &Account, authority: Authority, policy: &Policy, now: Timestamp) -> PasswordChange {
    let due = match authority {
        Authority::Ticket => None,
        Authority::MailedId { has_step_up } => {
            (account.two_factor_enabled && !has_step_up).then_some(SecondFactorDue::Missing)
        }
        _ if account.password.is_none() => return PasswordChange::NoPassword,
        Authority::InSession(manager) => manager.check_assurance(account, policy, now).err(),
        Authority::CurrentPassword { has_step_up } => {
            (account.two_factor_enabled && !has_step_up).then_some(SecondFactorDue::Missing)
        }
    };
    match due {
        Some(due) => PasswordChange::SecondFactorDue(due),
        None => PasswordChange::Allowed {
            gives_one_time_password: matches!(authority, Authority::Ticket | Authority::MailedId { .. }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assurance::Assurance;
    use crate::decisions::fixtures::{NOW, account, account_with_password, assurance};

    #[test]
    fn every_authority_with_every_account_26() {
        const WITHOUT: Authority = Authority::CurrentPassword { has_step_up: false };
        const STEPPED_UP: Authority = Authority::CurrentPassword { has_step_up: true };
        let in_session =
            |second_factor_at| Authority::InSession(Manager::Owner(Assurance { second_factor_at, ..assurance() }));
        let policy = Policy::default();
        let allowed = PasswordChange::Allowed { gives_one_time_password: false };
        let by_ticket = PasswordChange::Allowed { gives_one_time_password: true };
        let missing = PasswordChange::SecondFactorDue(SecondFactorDue::Missing);
        let stale = PasswordChange::SecondFactorDue(SecondFactorDue::Stale);
        let late = NOW - policy.assurance_lifetime;
        for (authority, plain, enrolled) in [
            (WITHOUT, allowed, missing),
            (STEPPED_UP, allowed, allowed),
            (in_session(None), allowed, missing),
            (in_session(Some(NOW)), allowed, allowed),
            (in_session(Some(late)), allowed, stale),
            (Authority::Ticket, by_ticket, by_ticket),
            (Authority::MailedId { has_step_up: false }, by_ticket, missing),
            (Authority::MailedId { has_step_up: true }, by_ticket, by_ticket),
        ] {
            for (two_factor_enabled, outcome) in [(false, plain), (true, enrolled)] {
                let account = Account { two_factor_enabled, ..account_with_password() };
                assert_eq!(decide(&account, authority, &policy, NOW), outcome, "{authority:?} {two_factor_enabled}");
            }
        }
        assert_eq!(decide(&account(), WITHOUT, &policy, NOW), PasswordChange::NoPassword);
        assert_eq!(decide(&account(), in_session(Some(NOW)), &policy, NOW), PasswordChange::NoPassword);
        for authority in [Authority::Ticket, Authority::MailedId { has_step_up: false }] {
            assert_eq!(
                decide(&account(), authority, &policy, NOW),
                by_ticket,
                "an account without a password gets one"
            );
        }
    }
}
