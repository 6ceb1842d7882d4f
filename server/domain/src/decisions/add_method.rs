//! Whether a method may be added to an account.

use super::endings::Event;
use super::enrolment::{self, SwitchOn};
use crate::account::Account;
use crate::address::MethodKind;
use crate::assurance::{Manager, SecondFactorDue};
use crate::audit::EventKind;
use crate::policy::Policy;
use crate::tenant::Tenant;
use crate::terms::Terms;
use crate::time::Timestamp;

/// The challenge that waits for the account to have a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitingChallenge {
    NotNamed,
    Live,
    /// Unknown, expired or another account's.
    Gone,
}

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub account: &'a Account,
    pub tenant: &'a Tenant,
    pub manager: &'a Manager,
    /// Whether the request holds the password, or a ticket that shows that a second factor was passed a moment ago.
    pub has_fresh_proof: bool,
    pub kind: MethodKind,
    /// Number of confirmed methods.
    pub confirmed: usize,
    pub challenge: WaitingChallenge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddMethod {
    /// The account's first: signing in asks for it from now on, and backup codes come with it.
    First(SwitchOn),
    Further,
    /// The tenant does not allow this kind.
    NotAllowed,
    /// The caller has to pass a second factor that the account has.
    SecondFactorDue(SecondFactorDue),
    /// An owner's first method asks for the password or a ticket: a token alone does not bind a factor to an account, because
    /// it is handed to others.
    ProofDue,
    /// The account has [`Policy::methods_per_account`].
    TooMany,
    NoChallenge,
}

#[must_use]
pub fn decide(facts: &Facts<'_>, terms: &Terms, policy: &Policy, now: Timestamp) -> AddMethod {
    let Facts { account, tenant, manager, has_fresh_proof, kind, confirmed, challenge } = *facts;
    if !tenant.allows(kind) {
        AddMethod::NotAllowed
    } else if let Err(due) = manager.may_manage_factors(account, policy, now) {
        AddMethod::SecondFactorDue(due)
    } else if !account.two_factor_enabled && !manager.is_service() && !has_fresh_proof {
        AddMethod::ProofDue
    } else if confirmed >= policy.methods_per_account {
        AddMethod::TooMany
    } else if challenge == WaitingChallenge::Gone {
        AddMethod::NoChallenge
    } else if account.two_factor_enabled {
        AddMethod::Further
    } else {
        AddMethod::First(enrolment::switch_on(account, tenant, terms))
    }
}

impl AddMethod {
    /// What ends with it.
    #[must_use]
    pub fn ends(self) -> Option<Event> {
        match self {
            Self::First(switch) => Some(switch.event),
            Self::Further => Some(Event::MethodAdded),
            Self::NotAllowed | Self::SecondFactorDue(_) | Self::ProofDue | Self::TooMany | Self::NoChallenge => None,
        }
    }

    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::First(_) => Some(EventKind::TwoFactorEnabled),
            Self::Further => Some(EventKind::MethodAdded),
            Self::NotAllowed | Self::SecondFactorDue(_) | Self::ProofDue | Self::TooMany | Self::NoChallenge => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assurance::Assurance;
    use crate::decisions::fixtures::{NOW, account, assurance, challenge_terms, tenant};

    #[test]
    fn every_refusal_and_both_successes_26() {
        use WaitingChallenge::{Gone, Live, NotNamed};
        let owner = |second_factor_at| Manager::Owner(Assurance { second_factor_at, ..assurance() });
        let due = AddMethod::SecondFactorDue;
        let late = NOW - Policy::default().assurance_lifetime;
        let first = AddMethod::First(SwitchOn { adds_email: false, event: Event::SecondFactorOn });
        let most = Policy::default().methods_per_account;
        let (app, email) = (MethodKind::Authenticator, MethodKind::Email);
        for (kind, enabled, manager, confirmed, challenge, outcome) in [
            (app, false, Manager::Service, 0, NotNamed, first),
            (app, false, owner(None), 0, NotNamed, first),
            (app, false, Manager::Service, 0, Live, first),
            (app, true, Manager::Service, 1, NotNamed, AddMethod::Further),
            (app, true, owner(Some(NOW)), 1, Live, AddMethod::Further),
            (app, true, owner(None), 1, NotNamed, due(SecondFactorDue::Missing)),
            (app, true, owner(Some(late)), 1, NotNamed, due(SecondFactorDue::Stale)),
            (app, true, Manager::Service, most, NotNamed, AddMethod::TooMany),
            (app, true, Manager::Service, most - 1, NotNamed, AddMethod::Further),
            (app, false, Manager::Service, 0, Gone, AddMethod::NoChallenge),
            (email, false, Manager::Service, 0, NotNamed, AddMethod::NotAllowed),
            (email, true, owner(None), most, Gone, AddMethod::NotAllowed),
        ] {
            let account = Account { two_factor_enabled: enabled, ..account() };
            let tenant = tenant(&[app]);
            let facts = Facts {
                account: &account,
                tenant: &tenant,
                manager: &manager,
                has_fresh_proof: true,
                kind,
                confirmed,
                challenge,
            };
            let decided = |facts: &Facts<'_>| decide(facts, &challenge_terms(), &Policy::default(), NOW);
            assert_eq!(decided(&facts), outcome, "{facts:?}");
            // Without the password or a ticket an owner binds no first method; nothing else asks for them.
            let bare = Facts { has_fresh_proof: false, ..facts };
            let is_bound_by_owner =
                matches!(outcome, AddMethod::First(_) | AddMethod::NoChallenge) && !manager.is_service();
            let bare_outcome = if is_bound_by_owner { AddMethod::ProofDue } else { outcome };
            assert_eq!(decided(&bare), bare_outcome, "{bare:?}");
        }
    }

    #[test]
    fn only_a_success_is_recorded() {
        let on = SwitchOn { adds_email: false, event: Event::RequiredSecondFactorOn };
        assert_eq!(AddMethod::First(on).event(), Some(EventKind::TwoFactorEnabled));
        assert_eq!(AddMethod::Further.event(), Some(EventKind::MethodAdded));
        assert_eq!(AddMethod::First(on).ends(), Some(Event::RequiredSecondFactorOn));
        assert_eq!(AddMethod::Further.ends(), Some(Event::MethodAdded));
        for refused in [
            AddMethod::NotAllowed,
            AddMethod::SecondFactorDue(SecondFactorDue::Missing),
            AddMethod::ProofDue,
            AddMethod::TooMany,
            AddMethod::NoChallenge,
        ] {
            assert_eq!((refused.event(), refused.ends()), (None, None), "{refused:?}");
        }
    }
}
