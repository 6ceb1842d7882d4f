//! What a session may do.

use super::sign_in::{Demand, demand};
use crate::account::Account;
use crate::tenant::LoginPolicy;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionScope {
    Full,
    /// Enrol a second factor, read itself, sign out.
    EnrolmentOnly,
}

/// A session of an account that still has to enrol can do nothing else. This is read from the account each time, so that
/// it holds for sessions that were opened before the tenant's policy changed.
#[must_use]
pub fn decide(account: &Account, login_policy: LoginPolicy) -> SessionScope {
    match demand(login_policy, account.two_factor_enabled) {
        Demand::Enrolment => SessionScope::EnrolmentOnly,
        Demand::Nothing | Demand::SecondFactor => SessionScope::Full,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::account;

    #[test]
    fn only_a_required_enrolment_narrows_a_session() {
        for (login_policy, two_factor_enabled, scope) in [
            (LoginPolicy::Disabled, false, SessionScope::Full),
            (LoginPolicy::Disabled, true, SessionScope::Full),
            (LoginPolicy::Enabled, false, SessionScope::Full),
            (LoginPolicy::Enabled, true, SessionScope::Full),
            (LoginPolicy::Required, false, SessionScope::EnrolmentOnly),
            (LoginPolicy::Required, true, SessionScope::Full),
        ] {
            let account = Account { two_factor_enabled, ..account() };
            assert_eq!(decide(&account, login_policy), scope, "{login_policy:?} {two_factor_enabled}");
        }
    }
}
