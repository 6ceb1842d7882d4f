//! Whether an owner may delete the account now.

use crate::account::Account;
use crate::assurance::{FactorsRefused, Manager};
use crate::policy::Policy;
use crate::time::Timestamp;

/// How the owner shows, besides the session, that the account is theirs to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The password, which was right.
    Password,
    /// A link that was mailed to the account's address.
    Link,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    Allowed,
    /// A link has to be mailed first.
    LinkDue,
    /// A second factor has to be passed first, or the account is locked.
    Refused(FactorsRefused),
    /// The operator lets no owner delete an account.
    SwitchedOff,
}

#[must_use]
pub fn decide(account: &Account, manager: &Manager, proof: Proof, policy: &Policy, now: Timestamp) -> Deletion {
    if !policy.owners_delete_accounts {
        return Deletion::SwitchedOff;
    }
    match (manager.may_change_factors(account, policy, now), proof) {
        (Err(refused), _) => Deletion::Refused(refused),
        (Ok(()), Proof::Password | Proof::Link) => Deletion::Allowed,
        (Ok(()), Proof::None) => Deletion::LinkDue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assurance::{Assurance, SecondFactorDue};
    use crate::decisions::fixtures::{NOW, account, assurance};
    use std::time::Duration;

    #[test]
    fn every_proof_with_every_account() {
        let policy = Policy::default();
        let off = Policy { owners_delete_accounts: false, ..Policy::default() };
        let until = NOW + Duration::from_secs(60);
        let enrolled = Account { two_factor_enabled: true, ..account() };
        let locked = Account { lock_ends_at: Some(until), ..account() };
        let (owner, fresh) = (assurance(), Assurance { second_factor_at: Some(NOW), ..assurance() });
        let missing = Deletion::Refused(FactorsRefused::SecondFactorDue(SecondFactorDue::Missing));
        let stopped = Deletion::Refused(FactorsRefused::Locked { until });
        let (allowed, due) = (Deletion::Allowed, Deletion::LinkDue);
        for (policy, account, assurance, outcomes) in [
            (&policy, account(), owner, [allowed, allowed, due]),
            (&policy, enrolled.clone(), owner, [missing; 3]),
            (&policy, enrolled, fresh, [allowed, allowed, due]),
            (&policy, locked, fresh, [stopped; 3]),
            (&off, account(), owner, [Deletion::SwitchedOff; 3]),
        ] {
            let proofs = [Proof::Password, Proof::Link, Proof::None];
            let decided = proofs.map(|proof| decide(&account, &Manager::Owner(assurance), proof, policy, NOW));
            assert_eq!(decided, outcomes, "{assurance:?}");
        }
    }
}
