//! Whether a password may be changed, and what ends with the old one.

use crate::account::Account;
use crate::terms::Terms;

/// How the caller shows that the password is theirs to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// The current password, which was right.
    CurrentPassword {
        /// Whether a ticket shows that a second factor was passed a moment ago.
        has_step_up: bool,
    },
    /// A ticket that a sign-in gave because the password has to be changed.
    Ticket,
}

/// What the caller wants to end with the old password. Trust in devices and open challenges always do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endings {
    /// Sessions and refresh tokens as well.
    Everything,
    Grants,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordChange {
    Allowed {
        /// A one-time password takes the place of the sign-in that was interrupted.
        gives_one_time_password: bool,
    },
    /// The account has no password to change.
    NoPassword,
    /// A second factor has to be passed first.
    SecondFactorDue,
}

#[must_use]
pub fn decide(account: &Account, authority: Authority, terms: &Terms) -> PasswordChange {
    match authority {
        Authority::Ticket => PasswordChange::Allowed { gives_one_time_password: true },
        Authority::CurrentPassword { .. } if account.password.is_none() => PasswordChange::NoPassword,
        Authority::CurrentPassword { has_step_up }
            if account.two_factor_enabled && terms.password_change_needs_second_factor && !has_step_up =>
        {
            PasswordChange::SecondFactorDue
        }
        Authority::CurrentPassword { .. } => PasswordChange::Allowed { gives_one_time_password: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::{account, account_with_password, challenge_terms, session_terms};

    #[test]
    fn every_authority_with_every_account() {
        const WITHOUT: Authority = Authority::CurrentPassword { has_step_up: false };
        const STEPPED_UP: Authority = Authority::CurrentPassword { has_step_up: true };
        let allowed = PasswordChange::Allowed { gives_one_time_password: false };
        let by_ticket = PasswordChange::Allowed { gives_one_time_password: true };
        for (authority, enabled, needed, not_needed) in [
            (WITHOUT, false, allowed, allowed),
            (WITHOUT, true, PasswordChange::SecondFactorDue, allowed),
            (STEPPED_UP, false, allowed, allowed),
            (STEPPED_UP, true, allowed, allowed),
            (Authority::Ticket, false, by_ticket, by_ticket),
            (Authority::Ticket, true, by_ticket, by_ticket),
        ] {
            let account = Account { two_factor_enabled: enabled, ..account_with_password() };
            assert_eq!(decide(&account, authority, &challenge_terms()), needed, "{authority:?} {enabled}");
            assert_eq!(decide(&account, authority, &session_terms()), not_needed, "{authority:?} {enabled}");
        }
        assert_eq!(decide(&account(), WITHOUT, &session_terms()), PasswordChange::NoPassword);
        assert_eq!(decide(&account(), Authority::Ticket, &session_terms()), by_ticket);
    }
}
