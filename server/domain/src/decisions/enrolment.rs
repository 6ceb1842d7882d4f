//! Whether an authenticator app may be enrolled, and what confirming it changes.

use super::usable::own_address_counts_if;
use crate::account::Account;
use crate::address::MethodKind;
use crate::assurance::{FactorsRefused, Manager};
use crate::audit::EventKind;
use crate::decisions::endings::Event;
use crate::policy::Policy;
use crate::tenant::Tenant;
use crate::terms::Terms;
use crate::time::Timestamp;

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
    Refused(FactorsRefused),
    /// The tenant does not allow authenticator apps.
    NotAllowed,
}

#[must_use]
pub fn decide(facts: &Facts<'_>, policy: &Policy, now: Timestamp) -> Enrolment {
    let Facts { account, tenant, manager } = *facts;
    if !tenant.allows(MethodKind::Authenticator) {
        Enrolment::NotAllowed
    } else if let Err(refused) = manager.may_change_factors(account, policy, now) {
        Enrolment::Refused(refused)
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
            Self::Refused(_) | Self::NotAllowed => None,
        }
    }
}

/// What changes when an account gets its first second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchOn {
    /// One-time codes by e-mail become a method as well.
    pub adds_email: bool,
    /// Says what becomes of everything that was opened when the account had no second factor: where one is required it was
    /// good for enrolment only, and must not gain because somebody else has enrolled.
    pub event: Event,
}

/// `proves_email`: whether the code that confirms the factor was sent to the account's own e-mail address, and so proves it.
#[must_use]
pub fn switch_on(account: &Account, tenant: &Tenant, terms: &Terms, proves_email: bool) -> SwitchOn {
    let is_proved = account.email_verified || proves_email;
    SwitchOn {
        adds_email: terms.email_with_app && own_address_counts_if(is_proved, account, tenant),
        event: Event::second_factor_on(tenant.login_policy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assurance::{Assurance, SecondFactorDue};
    use crate::decisions::fixtures::{NOW, account, assurance, challenge_terms, session_terms, tenant};
    use crate::tenant::LoginPolicy;

    #[test]
    fn every_account_with_every_caller_26_29() {
        let owner = |second_factor_at| Manager::Owner(Assurance { second_factor_at, ..assurance() });
        let policy = Policy::default();
        let late = NOW - policy.assurance_lifetime;
        let due = |due| Enrolment::Refused(FactorsRefused::SecondFactorDue(due));
        for (two_factor_enabled, manager, outcome) in [
            (false, owner(None), Enrolment::First),
            (false, owner(Some(NOW)), Enrolment::First),
            (true, owner(None), due(SecondFactorDue::Missing)),
            (true, owner(Some(late)), due(SecondFactorDue::Stale)),
            (true, owner(Some(NOW)), Enrolment::Replacement),
            (true, Manager::Service, Enrolment::Replacement),
        ] {
            let account = Account { two_factor_enabled, ..account() };
            let all = tenant(&MethodKind::ALL);
            let allowed = Facts { account: &account, tenant: &all, manager: &manager };
            assert_eq!(decide(&allowed, &policy, NOW), outcome, "{two_factor_enabled} {manager:?}");
            let email_only = tenant(&[MethodKind::Email]);
            let refused = Facts { tenant: &email_only, ..allowed };
            assert_eq!(decide(&refused, &policy, NOW), Enrolment::NotAllowed, "{two_factor_enabled} {manager:?}");
            let until = NOW + policy.account_lock;
            let locked = Account { lock_ends_at: Some(until), ..account.clone() };
            let outcome = match outcome {
                Enrolment::First | Enrolment::Replacement if !manager.is_service() => {
                    Enrolment::Refused(FactorsRefused::Locked { until })
                }
                outcome => outcome,
            };
            let locked = Facts { account: &locked, ..allowed };
            assert_eq!(decide(&locked, &policy, NOW), outcome, "{two_factor_enabled} {manager:?}, locked");
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
    fn what_ends_follows_from_the_tenant() {
        for login_policy in [LoginPolicy::Enabled, LoginPolicy::Disabled, LoginPolicy::Required] {
            let tenant = Tenant { login_policy, ..Tenant::default() };
            let event = Event::second_factor_on(login_policy);
            assert_eq!(switch_on(&account(), &tenant, &session_terms(), false).event, event, "{login_policy:?}");
        }
    }
}
