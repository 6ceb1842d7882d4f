//! Whether an authenticator app may be enrolled, and what confirming it changes.

use super::usable::own_address_counts_if;
use crate::account::Account;
use crate::address::MethodKind;
use crate::assurance::Manager;
use crate::audit::EventKind;
use crate::tenant::{LoginPolicy, Tenant};
use crate::terms::Terms;

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub account: &'a Account,
    pub tenant: &'a Tenant,
    pub manager: &'a Manager,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrolment {
    /// The account has no second factor yet: new backup codes take the place of old ones at once.
    First,
    /// The old app and the old backup codes stay good until the new app is confirmed (attack 29).
    Replacement,
    /// The caller has to pass the second factor that the account has.
    SecondFactorDue,
    /// The tenant does not allow authenticator apps.
    NotAllowed,
}

#[must_use]
pub fn decide(facts: &Facts<'_>) -> Enrolment {
    let Facts { account, tenant, manager } = *facts;
    if !tenant.allows(MethodKind::Authenticator) {
        Enrolment::NotAllowed
    } else if !manager.may_manage_factors(account) {
        Enrolment::SecondFactorDue
    } else if account.two_factor_enabled {
        Enrolment::Replacement
    } else {
        Enrolment::First
    }
}

impl Enrolment {
    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::First | Self::Replacement => Some(EventKind::EnrolmentBegun),
            Self::SecondFactorDue | Self::NotAllowed => None,
        }
    }
}

/// What changes when an account gets its first second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchOn {
    /// One-time codes by e-mail become a method as well.
    pub adds_email: bool,
    /// Sessions and refresh tokens that were opened when the account had no second factor end: where one is required they
    /// were good for enrolment only, and must not gain because somebody else has enrolled.
    pub ends_other_sessions: bool,
}

/// `proves_email`: whether the code that confirms the factor was sent to the account's own e-mail address, and so proves it.
#[must_use]
pub fn switch_on(account: &Account, tenant: &Tenant, terms: &Terms, proves_email: bool) -> SwitchOn {
    let is_proved = account.email_verified || proves_email;
    SwitchOn {
        adds_email: terms.email_with_app && own_address_counts_if(is_proved, account, tenant),
        ends_other_sessions: tenant.login_policy == LoginPolicy::Required,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assurance::Assurance;
    use crate::decisions::fixtures::{NOW, account, challenge_terms, session_terms, tenant};

    #[test]
    fn every_account_with_every_caller_26_29() {
        let owner = |second_factor_at| Manager::Owner(Assurance { account_id: account().id, second_factor_at });
        for (two_factor_enabled, manager, outcome) in [
            (false, owner(None), Enrolment::First),
            (false, owner(Some(NOW)), Enrolment::First),
            (true, owner(None), Enrolment::SecondFactorDue),
            (true, owner(Some(NOW)), Enrolment::Replacement),
            (true, Manager::Service, Enrolment::Replacement),
        ] {
            let account = Account { two_factor_enabled, ..account() };
            let allowed = Facts { account: &account, tenant: &tenant(&MethodKind::ALL), manager: &manager };
            assert_eq!(decide(&allowed), outcome, "{two_factor_enabled} {manager:?}");
            let email_only = tenant(&[MethodKind::Email]);
            let refused = Facts { tenant: &email_only, ..allowed };
            assert_eq!(decide(&refused), Enrolment::NotAllowed, "{two_factor_enabled} {manager:?}");
        }
    }

    #[test]
    fn email_comes_along_where_dialect_tenant_and_account_have_it() {
        let (all, app_only) = (tenant(&MethodKind::ALL), tenant(&[MethodKind::Authenticator]));
        let nameless = Account { email: None, ..account() };
        for (account, tenant, terms, adds_email) in [
            (&account(), &all, session_terms(), true),
            (&account(), &all, challenge_terms(), false),
            (&account(), &app_only, session_terms(), false),
            (&nameless, &all, session_terms(), false),
        ] {
            assert_eq!(switch_on(account, tenant, &terms, false).adds_email, adds_email);
        }
    }

    #[test]
    fn email_comes_along_where_it_counts_n7() {
        use crate::tenant::MailedCodes::{Always, Never, Verified};
        // verified account, confirmed by a code that was mailed → always, verified, never
        for (email_verified, proves_email, expected) in [
            (false, false, [true, false, false]),
            (false, true, [true, true, false]),
            (true, false, [true, true, false]),
        ] {
            let account = Account { email_verified, ..account() };
            let adds = [Always, Verified, Never].map(|mailed_codes| {
                let tenant = Tenant { mailed_codes, ..Tenant::default() };
                switch_on(&account, &tenant, &session_terms(), proves_email).adds_email
            });
            assert_eq!(adds, expected, "{email_verified} {proves_email}");
        }
    }

    #[test]
    fn other_sessions_end_where_a_second_factor_is_required() {
        for (login_policy, ends) in
            [(LoginPolicy::Enabled, false), (LoginPolicy::Disabled, false), (LoginPolicy::Required, true)]
        {
            let tenant = Tenant { login_policy, ..Tenant::default() };
            assert_eq!(
                switch_on(&account(), &tenant, &session_terms(), false).ends_other_sessions,
                ends,
                "{login_policy:?}"
            );
        }
    }
}
