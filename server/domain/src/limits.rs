//! What is counted against an account, as an administrator sees it.

use crate::ids::AccountId;
use crate::policy::Policy;
use crate::quota::{AccountQuota, QuotaLimit};
use crate::time::Timestamp;

/// Until when no second factor is accepted, because of a lock that ends then or of the long-term limit at this level; `None` if
/// one is.
#[must_use]
pub fn locked_until(
    lock_ends_at: Option<Timestamp>,
    guess_level: Option<Timestamp>,
    policy: &Policy,
    now: Timestamp,
) -> Option<Timestamp> {
    let next_guess = guess_level.map(|level| policy.account_guesses.next_use_at(level));
    lock_ends_at.max(next_guess).filter(|until| *until > now)
}

/// What is stored. Expired locks and decayed counts may still be in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredLimits {
    /// Consecutive wrong second factors since the last success or lock.
    pub failures: u32,
    /// Locks since the last success.
    pub locks: u32,
    pub locked_until: Option<Timestamp>,
    /// Level of [`Policy::account_guesses`].
    pub guess_level: Option<Timestamp>,
    /// Level of [`Policy::password_guesses`], for requests that do not come from a known network or device.
    pub password_level: Option<Timestamp>,
    pub quotas: Vec<StoredQuota>,
    pub suspension: Option<Suspension>,
}

/// A lock that a service has set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    pub until: Timestamp,
    pub since: Timestamp,
    /// The user on whose behalf the service says to have set it; nobody has checked that.
    pub by: Option<AccountId>,
    pub comment: Option<String>,
}

/// A further quota of the account, as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredQuota {
    pub counts: AccountQuota,
    /// Of a window.
    pub uses: u32,
    /// End of a window, or level of a limit that refills.
    pub expires_at: Timestamp,
}

/// What is counted at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLimits {
    /// Consecutive wrong second factors.
    pub failures: u32,
    /// Locks since the last success.
    pub locks: u32,
    /// No second factor is accepted before then, because of a lock or of the long-term limit.
    pub locked_until: Option<Timestamp>,
    /// Guesses at the second factor that still count towards the long-term limit.
    pub guesses: u32,
    pub guess_limit: u32,
    /// Wrong passwords that still count, from networks and devices that are not known.
    pub passwords: u32,
    pub password_limit: u32,
    /// No password from such a network or device is judged before then.
    pub passwords_refused_until: Option<Timestamp>,
    /// Further quotas that something counts in.
    pub quotas: Vec<QuotaCount>,
    /// The account may not be used.
    pub suspension: Option<Suspension>,
}

impl AccountLimits {
    /// When the user can sign in again after any lock; `None` if it is not locked.
    #[must_use]
    pub fn kept_out_until(&self) -> Option<Timestamp> {
        self.locked_until.max(self.suspension.as_ref().map(|suspension| suspension.until))
    }
}

/// What counts in a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuotaCount {
    pub counts: AccountQuota,
    pub used: u32,
    pub limit: u32,
    /// Nothing more is let through before then.
    pub refused_until: Option<Timestamp>,
}

impl StoredQuota {
    /// `None` if nothing counts any more.
    fn at(&self, policy: &Policy, now: Timestamp) -> Option<QuotaCount> {
        let (used, limit, until) = match self.counts.limit(policy) {
            QuotaLimit::Window { uses, .. } => {
                let is_used_up = self.uses >= uses;
                (self.uses.min(uses), uses, is_used_up.then_some(self.expires_at))
            }
            QuotaLimit::Refilling(rate) => {
                (rate.counted(Some(self.expires_at), now), rate.burst, Some(rate.next_use_at(self.expires_at)))
            }
        };
        let refused_until = until.filter(|until| *until > now);
        let counts = self.counts;
        (self.expires_at > now && used > 0).then_some(QuotaCount { counts, used, limit, refused_until })
    }
}

impl StoredLimits {
    #[must_use]
    pub fn at(&self, policy: &Policy, now: Timestamp) -> AccountLimits {
        let mut quotas: Vec<QuotaCount> = self.quotas.iter().filter_map(|quota| quota.at(policy, now)).collect();
        quotas.sort_unstable();
        let (guesses, passwords) = (policy.account_guesses, policy.password_guesses);
        let is_ahead = |until: &Timestamp| *until > now;
        let has_lock_ended = self.locked_until.is_some_and(|until| until <= now);
        AccountLimits {
            // The first failure after a lock starts the count anew.
            failures: if has_lock_ended { 0 } else { self.failures },
            locks: self.locks,
            locked_until: locked_until(self.locked_until, self.guess_level, policy, now),
            guesses: guesses.counted(self.guess_level, now),
            guess_limit: guesses.burst,
            passwords: passwords.counted(self.password_level, now),
            password_limit: passwords.burst,
            passwords_refused_until: self.password_level.map(|level| passwords.next_use_at(level)).filter(is_ahead),
            quotas,
            suspension: self.suspension.clone().filter(|suspension| suspension.until > now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::NOW;
    use std::time::Duration;

    #[test]
    fn what_is_over_does_not_show() {
        let policy = Policy::default();
        let (guesses, passwords) = (policy.account_guesses, policy.password_guesses);
        let nothing = StoredLimits::default().at(&policy, NOW);
        assert_eq!((nothing.locked_until, nothing.guesses, nothing.passwords), (None, 0, 0));
        let second = Duration::from_secs(1);
        let stored = StoredLimits {
            failures: 10,
            locks: 2,
            locked_until: Some(NOW + second),
            guess_level: Some(NOW + guesses.cost(10)),
            password_level: Some(NOW + passwords.cost(50)),
            ..StoredLimits::default()
        };
        let limits = stored.at(&policy, NOW);
        assert_eq!((limits.failures, limits.locks, limits.locked_until), (10, 2, Some(NOW + second)));
        assert_eq!((limits.guesses, limits.passwords), (10, 50));
        assert_eq!(limits.passwords_refused_until, Some(NOW + passwords.interval));
        let later = stored.at(&policy, NOW + second);
        assert_eq!((later.failures, later.locks, later.locked_until), (0, 2, None));
        // The long-term limit locks longer.
        let full = StoredLimits { guess_level: Some(NOW + guesses.capacity()), ..stored };
        assert_eq!(full.at(&policy, NOW).locked_until, Some(NOW + guesses.interval));
    }

    #[test]
    fn a_lock_by_a_service_shows_until_it_ends_and_the_later_lock_counts() {
        let policy = Policy::default();
        let (soon, later) = (NOW + Duration::from_secs(1), NOW + Duration::from_secs(2));
        for (locked_until, suspended_until, kept_out_until) in [
            (None, None, None),
            (Some(soon), None, Some(soon)),
            (None, Some(soon), Some(soon)),
            (Some(soon), Some(later), Some(later)),
            (Some(later), Some(soon), Some(later)),
            (None, Some(NOW), None),
        ] {
            let suspension = suspended_until.map(|until| Suspension { until, since: NOW, by: None, comment: None });
            let limits = StoredLimits { locked_until, suspension, ..StoredLimits::default() }.at(&policy, NOW);
            assert_eq!(limits.kept_out_until(), kept_out_until, "{locked_until:?} {suspended_until:?}");
            assert_eq!(limits.locked_until, locked_until, "it is about second factors");
        }
    }

    #[test]
    fn a_quota_shows_while_something_counts_in_it() {
        use AccountQuota::{AddressProofs, NetworkPasswords, SentCodes};
        let policy = Policy::default();
        let second = Duration::from_secs(1);
        let proofs = policy.address_proofs;
        let soon = NOW + second;
        for (counts, uses, expires_at, expected) in [
            (NetworkPasswords, 3, soon, Some((3, 10, None))),
            (NetworkPasswords, 10, soon, Some((10, 10, Some(soon)))),
            // One that came after the limit counts as wrong, and is not let through.
            (NetworkPasswords, 12, soon, Some((10, 10, Some(soon)))),
            (NetworkPasswords, 10, NOW, None),
            (SentCodes, 9, soon, Some((9, 10, None))),
            (AddressProofs, 1, NOW + proofs.cost(4), Some((4, 10, None))),
            (AddressProofs, 0, NOW + proofs.cost(10), Some((10, 10, Some(NOW + proofs.interval)))),
            (AddressProofs, 1, NOW, None),
        ] {
            let stored =
                StoredLimits { quotas: vec![StoredQuota { counts, uses, expires_at }], ..StoredLimits::default() };
            let found: Vec<_> = stored.at(&policy, NOW).quotas;
            let expected: Vec<_> = expected
                .map(|(used, limit, refused_until)| QuotaCount { counts, used, limit, refused_until })
                .into_iter()
                .collect();
            assert_eq!(found, expected, "{counts:?} {uses}");
        }
    }
}
