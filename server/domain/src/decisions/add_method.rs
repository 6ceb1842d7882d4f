//! Whether a method may be added to an account.

use super::endings::Event;
use super::enrolment::{self, SwitchOn};
use crate::account::Account;
use crate::address::MethodKind;
use crate::assurance::{FactorsRefused, Manager};
use crate::audit::EventKind;
use crate::challenge::FirstFactor;
use crate::policy::Policy;
use crate::tenant::Tenant;
use crate::terms::Terms;
use crate::time::Timestamp;

/// The challenge that waits for the account to have a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitingChallenge {
    NotNamed,
    Live(FirstFactor),
    /// Unknown, expired or another account's.
    Gone,
}

/// What is known about the secret of the authenticator app that is added, and about the step of the code that proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownSecret {
    /// The account does not have it, or the method is no authenticator app.
    New,
    /// A confirmed app of the account has it.
    Enrolled {
        /// Whether the step, or a later one, was used.
        is_replay: bool,
    },
    /// An app that was removed had it, and had used the step or a later one.
    Used,
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
    /// Number of authenticator apps among them.
    pub authenticators: usize,
    pub challenge: WaitingChallenge,
    pub secret: KnownSecret,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddMethod {
    /// The account's first: signing in asks for it from now on, and backup codes come with it.
    First(SwitchOn),
    Further,
    /// The account has the secret: a request that was sent again. Nothing is added, no code is given, and a code that was not
    /// used before is used now.
    AlreadyAdded {
        is_replay: bool,
    },
    /// The code was used by an app with this secret that was removed since.
    Replayed,
    /// The tenant does not allow this kind, or the challenge that waits for it was opened by the same factor.
    NotAllowed,
    Refused(FactorsRefused),
    /// An owner's first method asks for the password or a ticket: a token alone does not bind a factor to an account, because
    /// it is handed to others.
    ProofDue,
    /// The account has [`Policy::methods_per_account`], or for an app [`Policy::authenticators_per_account`].
    TooMany,
    NoChallenge,
}

#[must_use]
pub fn decide(facts: &Facts<'_>, terms: &Terms, policy: &Policy, now: Timestamp) -> AddMethod {
    let Facts { account, tenant, manager, has_fresh_proof, kind, confirmed, authenticators, challenge, secret } =
        *facts;
    let is_one_app_too_many = kind == MethodKind::Authenticator && authenticators >= policy.authenticators_per_account;
    let is_same_factor =
        matches!(challenge, WaitingChallenge::Live(first_factor) if !first_factor.is_complemented_by(kind));
    if !tenant.allows(kind) || is_same_factor {
        AddMethod::NotAllowed
    } else if let KnownSecret::Enrolled { is_replay } = secret {
        // Before everything that the first request changed.
        AddMethod::AlreadyAdded { is_replay }
    } else if let Err(refused) = manager.may_change_factors(account, policy, now) {
        AddMethod::Refused(refused)
    } else if !account.two_factor_enabled && !manager.is_service() && !has_fresh_proof {
        AddMethod::ProofDue
    } else if confirmed >= policy.methods_per_account || is_one_app_too_many {
        AddMethod::TooMany
    } else if secret == KnownSecret::Used {
        AddMethod::Replayed
    } else if challenge == WaitingChallenge::Gone {
        AddMethod::NoChallenge
    } else if account.two_factor_enabled {
        AddMethod::Further
    } else {
        AddMethod::First(enrolment::switch_on(account, tenant, terms, false))
    }
}

impl AddMethod {
    /// What ends with it.
    #[must_use]
    pub fn ends(self) -> Option<Event> {
        match self {
            Self::First(switch) => Some(switch.event),
            Self::Further => Some(Event::MethodAdded),
            Self::AlreadyAdded { .. }
            | Self::Replayed
            | Self::NotAllowed
            | Self::Refused(_)
            | Self::ProofDue
            | Self::TooMany
            | Self::NoChallenge => None,
        }
    }

    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::First(_) => Some(EventKind::TwoFactorEnabled),
            Self::Further => Some(EventKind::MethodAdded),
            Self::AlreadyAdded { is_replay: false } => Some(EventKind::SecondFactorConfirmed),
            Self::AlreadyAdded { is_replay: true } | Self::Replayed => Some(EventKind::SecondFactorReplayed),
            Self::NotAllowed | Self::Refused(_) | Self::ProofDue | Self::TooMany | Self::NoChallenge => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assurance::{Assurance, SecondFactorDue};
    use crate::decisions::fixtures::{NOW, account, assurance, challenge_terms, tenant};

    #[test]
    fn an_address_that_is_enrolled_in_a_challenge_completes_none_that_mail_has_opened() {
        let tenant = Tenant::default();
        for (first_factor, is_allowed) in [(FirstFactor::Password, true), (FirstFactor::Mailbox, false)] {
            let facts = Facts {
                account: &account(),
                tenant: &tenant,
                manager: &Manager::Service,
                has_fresh_proof: false,
                kind: MethodKind::Email,
                confirmed: 0,
                authenticators: 0,
                challenge: WaitingChallenge::Live(first_factor),
                secret: KnownSecret::New,
            };
            let outcome = decide(&facts, &challenge_terms(), &Policy::default(), NOW);
            assert_eq!(outcome != AddMethod::NotAllowed, is_allowed, "{first_factor:?}");
        }
    }

    #[test]
    fn every_refusal_and_both_successes_26() {
        use WaitingChallenge::{Gone, Live, NotNamed};
        let owner = |second_factor_at| Manager::Owner(Assurance { second_factor_at, ..assurance() });
        let due = |due| AddMethod::Refused(FactorsRefused::SecondFactorDue(due));
        let late = NOW - Policy::default().assurance_lifetime;
        let first = AddMethod::First(SwitchOn { adds_email: false, event: Event::SecondFactorOn });
        let most = Policy::default().methods_per_account;
        let (app, email, sms) = (MethodKind::Authenticator, MethodKind::Email, MethodKind::Sms);
        let most_apps = Policy::default().authenticators_per_account;
        for (kind, enabled, manager, confirmed, challenge, outcome) in [
            (app, false, Manager::Service, 0, NotNamed, first),
            (app, false, owner(None), 0, NotNamed, first),
            (app, false, Manager::Service, 0, Live(FirstFactor::Password), first),
            (app, true, Manager::Service, 1, NotNamed, AddMethod::Further),
            (app, true, owner(Some(NOW)), 1, Live(FirstFactor::Password), AddMethod::Further),
            (app, false, Manager::Service, 0, Live(FirstFactor::Mailbox), first),
            (app, true, owner(None), 1, NotNamed, due(SecondFactorDue::Missing)),
            (app, true, owner(Some(late)), 1, NotNamed, due(SecondFactorDue::Stale)),
            (app, true, Manager::Service, most_apps, NotNamed, AddMethod::TooMany),
            (app, true, Manager::Service, most_apps - 1, NotNamed, AddMethod::Further),
            (sms, true, Manager::Service, most, NotNamed, AddMethod::TooMany),
            (sms, true, Manager::Service, most - 1, NotNamed, AddMethod::Further),
            (app, false, Manager::Service, 0, Gone, AddMethod::NoChallenge),
            (email, false, Manager::Service, 0, NotNamed, AddMethod::NotAllowed),
            (email, true, owner(None), most, Gone, AddMethod::NotAllowed),
        ] {
            let account = Account { two_factor_enabled: enabled, ..account() };
            let tenant = tenant(&[app, sms]);
            let facts = Facts {
                account: &account,
                tenant: &tenant,
                manager: &manager,
                has_fresh_proof: true,
                kind,
                confirmed,
                authenticators: if kind == app { confirmed } else { 0 },
                challenge,
                secret: KnownSecret::New,
            };
            let decided = |facts: &Facts<'_>| decide(facts, &challenge_terms(), &Policy::default(), NOW);
            assert_eq!(decided(&facts), outcome, "{facts:?}");
            // Without the password or a ticket an owner binds no first method; nothing else asks for them.
            let bare = Facts { has_fresh_proof: false, ..facts };
            let is_bound_by_owner =
                matches!(outcome, AddMethod::First(_) | AddMethod::NoChallenge) && !manager.is_service();
            let bare_outcome = if is_bound_by_owner { AddMethod::ProofDue } else { outcome };
            assert_eq!(decided(&bare), bare_outcome, "{bare:?}");
            let until = NOW + Policy::default().account_lock;
            let locked = Account { lock_ends_at: Some(until), ..account.clone() };
            let is_stopped = !manager.is_service()
                && matches!(outcome, AddMethod::First(_) | AddMethod::Further | AddMethod::NoChallenge);
            let locked_outcome =
                if is_stopped { AddMethod::Refused(FactorsRefused::Locked { until }) } else { outcome };
            assert_eq!(decided(&Facts { account: &locked, ..facts }), locked_outcome, "{facts:?}, locked");
        }
    }

    #[test]
    fn a_secret_that_the_account_has_or_had_gives_nothing_new_1() {
        use WaitingChallenge::{Gone, Live, NotNamed};
        let owner = Manager::Owner(Assurance { second_factor_at: None, ..assurance() });
        let most = Policy::default().methods_per_account;
        let again = |is_replay| (KnownSecret::Enrolled { is_replay }, AddMethod::AlreadyAdded { is_replay });
        let used = (KnownSecret::Used, AddMethod::Replayed);
        let (app, email) = (MethodKind::Authenticator, MethodKind::Email);
        for (allowed, manager, confirmed, challenge, (secret, outcome)) in [
            (app, Manager::Service, 1, NotNamed, again(true)),
            (app, Manager::Service, 1, Live(FirstFactor::Password), again(false)),
            (app, Manager::Service, most, Gone, again(true)),
            (app, owner, 1, NotNamed, again(true)),
            (email, Manager::Service, 1, NotNamed, (again(true).0, AddMethod::NotAllowed)),
            (app, Manager::Service, 1, NotNamed, used),
            (app, Manager::Service, 1, Gone, used),
            (
                app,
                owner,
                1,
                NotNamed,
                (used.0, AddMethod::Refused(FactorsRefused::SecondFactorDue(SecondFactorDue::Missing))),
            ),
            (app, Manager::Service, most, NotNamed, (used.0, AddMethod::TooMany)),
        ] {
            let account = Account { two_factor_enabled: true, ..account() };
            let tenant = tenant(&[allowed]);
            let facts = Facts {
                account: &account,
                tenant: &tenant,
                manager: &manager,
                has_fresh_proof: true,
                kind: app,
                confirmed,
                authenticators: confirmed,
                challenge,
                secret,
            };
            assert_eq!(decide(&facts, &challenge_terms(), &Policy::default(), NOW), outcome, "{facts:?}");
        }
    }

    #[test]
    fn successes_and_replays_are_recorded() {
        let on = SwitchOn { adds_email: false, event: Event::RequiredSecondFactorOn };
        assert_eq!(AddMethod::First(on).event(), Some(EventKind::TwoFactorEnabled));
        assert_eq!(AddMethod::Further.event(), Some(EventKind::MethodAdded));
        let again = |is_replay| AddMethod::AlreadyAdded { is_replay }.event();
        assert_eq!(again(false), Some(EventKind::SecondFactorConfirmed));
        assert_eq!(again(true), Some(EventKind::SecondFactorReplayed));
        assert_eq!(AddMethod::Replayed.event(), Some(EventKind::SecondFactorReplayed));
        assert_eq!(AddMethod::First(on).ends(), Some(Event::RequiredSecondFactorOn));
        assert_eq!(AddMethod::Further.ends(), Some(Event::MethodAdded));
        for refused in [
            AddMethod::NotAllowed,
            AddMethod::Refused(FactorsRefused::SecondFactorDue(SecondFactorDue::Missing)),
            AddMethod::ProofDue,
            AddMethod::TooMany,
            AddMethod::NoChallenge,
        ] {
            assert_eq!((refused.event(), refused.ends()), (None, None), "{refused:?}");
        }
    }
}
