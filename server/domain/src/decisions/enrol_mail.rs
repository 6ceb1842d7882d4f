//! Whether codes by e-mail become a second factor because the owner asks for it with the password, and what that changes.

use super::endings::Event;
use super::usable::{is_usable, own_address_counts};
use crate::account::Account;
use crate::address::{Address, MethodKind};
use crate::assurance::{FactorsRefused, Manager};
use crate::audit::EventKind;
use crate::method::Method;
use crate::policy::Policy;
use crate::tenant::{LoginPolicy, Tenant};
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub account: &'a Account,
    pub tenant: &'a Tenant,
    pub manager: &'a Manager,
    /// The account's confirmed methods.
    pub methods: &'a [Method],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolMail {
    /// The account's first second factor, from now on. Backup codes come with it, since nothing shows that mail arrives.
    First,
    /// New backup codes, and the second factor is on once a code is presented that was sent to the address: the address counts
    /// only then, or the tenant requires a second factor, and a session that has shown none may not do more.
    Begun,
    /// A method beside others.
    Further,
    /// The account has a method for its address.
    Already,
    /// The caller may not change factors now.
    Refused(FactorsRefused),
    /// The tenant does not allow codes by e-mail, or not at this address; the account has no address, or no room for a method.
    NotAllowed,
}

#[must_use]
pub fn decide(facts: &Facts<'_>, policy: &Policy, now: Timestamp) -> EnrolMail {
    let Facts { account, tenant, manager, methods } = *facts;
    let Some(own) = account.email.as_ref().filter(|_| tenant.allows(MethodKind::Email)) else {
        return EnrolMail::NotAllowed;
    };
    if let Err(refused) = manager.may_change_factors(account, policy, now) {
        return EnrolMail::Refused(refused);
    }
    let counts = own_address_counts(account, tenant);
    if !account.two_factor_enabled {
        let is_shown_first = tenant.login_policy == LoginPolicy::Required;
        return if counts && !is_shown_first { EnrolMail::First } else { EnrolMail::Begun };
    }
    let is_own = |method: &Method| matches!(&method.address, Some(Address::Email(address)) if address == own);
    if methods.iter().any(|method| is_own(method) && is_usable(method, account, tenant)) {
        EnrolMail::Already
    } else if counts && methods.len() < policy.methods_per_account {
        EnrolMail::Further
    } else {
        EnrolMail::NotAllowed
    }
}

impl EnrolMail {
    /// Whether new backup codes are given.
    #[must_use]
    pub fn gives_codes(self) -> bool {
        matches!(self, Self::First | Self::Begun)
    }

    /// What ends with it.
    #[must_use]
    pub fn ends(self) -> Option<Event> {
        match self {
            Self::First => Some(Event::SecondFactorOn),
            Self::Further => Some(Event::MethodAdded),
            Self::Begun | Self::Already | Self::Refused(_) | Self::NotAllowed => None,
        }
    }

    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::First => Some(EventKind::TwoFactorEnabled),
            Self::Begun => Some(EventKind::EnrolmentBegun),
            Self::Further => Some(EventKind::MethodAdded),
            Self::Already | Self::Refused(_) | Self::NotAllowed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assurance::{Assurance, SecondFactorDue};
    use crate::decisions::fixtures::{NOW, account, assurance, email, method, sms};
    use crate::tenant::MailedCodes::{self, Always, Never, Verified};
    use EnrolMail::{Already, Begun, First, Further, NotAllowed, Refused};

    fn tenant(login_policy: LoginPolicy, mailed_codes: MailedCodes) -> Tenant {
        Tenant { login_policy, mailed_codes, ..Tenant::default() }
    }

    fn due(due: SecondFactorDue) -> EnrolMail {
        Refused(FactorsRefused::SecondFactorDue(due))
    }

    fn owner(second_factor_at: Option<Timestamp>) -> Manager {
        Manager::Owner(Assurance { second_factor_at, ..assurance() })
    }

    #[test]
    fn an_account_without_a_second_factor_in_every_tenant_n7() {
        let policy = Policy::default();
        // proved address, login policy → always, verified, never
        for (email_verified, login_policy, expected) in [
            (false, LoginPolicy::Enabled, [First, Begun, NotAllowed]),
            (true, LoginPolicy::Enabled, [First, First, NotAllowed]),
            (false, LoginPolicy::Disabled, [First, Begun, NotAllowed]),
            (true, LoginPolicy::Disabled, [First, First, NotAllowed]),
            (false, LoginPolicy::Required, [Begun, Begun, NotAllowed]),
            (true, LoginPolicy::Required, [Begun, Begun, NotAllowed]),
        ] {
            let account = Account { email_verified, ..account() };
            let decided = [Always, Verified, Never].map(|mailed_codes| {
                let (tenant, manager) = (tenant(login_policy, mailed_codes), owner(None));
                let facts = Facts { account: &account, tenant: &tenant, manager: &manager, methods: &[] };
                decide(&facts, &policy, NOW)
            });
            assert_eq!(decided, expected, "{email_verified} {login_policy:?}");
        }
    }

    #[test]
    fn an_account_with_a_second_factor_adds_mail_once_it_has_passed_it_26() {
        let policy = Policy::default();
        let late = NOW - policy.assurance_lifetime;
        let (app, own) = (method(1, None), method(2, Some(email())));
        let full: Vec<_> = (0..policy.methods_per_account as u64).map(|seed| method(seed, Some(sms()))).collect();
        for (name, email_verified, mailed_codes, passed_at, methods, outcome) in [
            ("beside an app", false, Always, Some(NOW), vec![app.clone()], Further),
            ("again", false, Always, Some(NOW), vec![app.clone(), own.clone()], Already),
            ("nothing passed", false, Always, None, vec![app.clone()], due(SecondFactorDue::Missing)),
            ("passed long ago", false, Always, Some(late), vec![app.clone()], due(SecondFactorDue::Stale)),
            ("nothing passed, again", false, Always, None, vec![own.clone()], due(SecondFactorDue::Missing)),
            ("unproved address", false, Verified, Some(NOW), vec![app.clone()], NotAllowed),
            ("a method that does not count", false, Verified, Some(NOW), vec![app.clone(), own.clone()], NotAllowed),
            ("proved address", true, Verified, Some(NOW), vec![app.clone()], Further),
            ("proved address, again", true, Verified, Some(NOW), vec![own], Already),
            ("not allowed, nothing passed", true, Never, None, vec![app], NotAllowed),
            ("no room", false, Always, Some(NOW), full, NotAllowed),
        ] {
            let account = Account { two_factor_enabled: true, email_verified, ..account() };
            for login_policy in [LoginPolicy::Enabled, LoginPolicy::Required] {
                let (tenant, manager) = (tenant(login_policy, mailed_codes), owner(passed_at));
                let facts = Facts { account: &account, tenant: &tenant, manager: &manager, methods: &methods };
                assert_eq!(decide(&facts, &policy, NOW), outcome, "{name} {login_policy:?}");
                let until = NOW + policy.account_lock;
                let account = Account { lock_ends_at: Some(until), ..account.clone() };
                let outcome = match outcome {
                    _ if mailed_codes == Never => NotAllowed,
                    Refused(_) => outcome,
                    _ => Refused(FactorsRefused::Locked { until }),
                };
                let locked = Facts { account: &account, ..facts };
                assert_eq!(decide(&locked, &policy, NOW), outcome, "{name} {login_policy:?}, locked");
            }
        }
    }

    #[test]
    fn tenant_and_account_need_mail() {
        let (manager, policy) = (owner(None), Policy::default());
        let app_only = Tenant { methods: [MethodKind::Authenticator].into(), ..Tenant::default() };
        let mail_only = Tenant { methods: [MethodKind::Email].into(), ..Tenant::default() };
        let nameless = Account { email: None, ..account() };
        for (account, tenant, outcome) in
            [(&account(), &app_only, NotAllowed), (&account(), &mail_only, First), (&nameless, &mail_only, NotAllowed)]
        {
            let facts = Facts { account, tenant, manager: &manager, methods: &[] };
            assert_eq!(decide(&facts, &policy, NOW), outcome, "{tenant:?}");
        }
    }

    #[test]
    fn each_outcome_has_its_event_and_what_ends() {
        for (outcome, event, ends, gives_codes) in [
            (First, Some(EventKind::TwoFactorEnabled), Some(Event::SecondFactorOn), true),
            (Begun, Some(EventKind::EnrolmentBegun), None, true),
            (Further, Some(EventKind::MethodAdded), Some(Event::MethodAdded), false),
            (Already, None, None, false),
            (due(SecondFactorDue::Missing), None, None, false),
            (NotAllowed, None, None, false),
        ] {
            assert_eq!((outcome.event(), outcome.ends(), outcome.gives_codes()), (event, ends, gives_codes));
        }
    }
}
