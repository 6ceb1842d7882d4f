//! What is counted against an account, as an administrator sees it.

use crate::policy::Policy;
use crate::time::Timestamp;

/// What is stored. Expired locks and decayed counts may still be in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
}

/// What is counted at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

impl StoredLimits {
    #[must_use]
    pub fn at(&self, policy: &Policy, now: Timestamp) -> AccountLimits {
        let (guesses, passwords) = (policy.account_guesses, policy.password_guesses);
        let is_ahead = |until: &Timestamp| *until > now;
        let next_guess = self.guess_level.map(|level| guesses.next_use_at(level));
        let has_lock_ended = self.locked_until.is_some_and(|until| until <= now);
        AccountLimits {
            // The first failure after a lock starts the count anew.
            failures: if has_lock_ended { 0 } else { self.failures },
            locks: self.locks,
            locked_until: self.locked_until.max(next_guess).filter(is_ahead),
            guesses: guesses.counted(self.guess_level, now),
            guess_limit: guesses.burst,
            passwords: passwords.counted(self.password_level, now),
            password_limit: passwords.burst,
            passwords_refused_until: self.password_level.map(|level| passwords.next_use_at(level)).filter(is_ahead),
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
}
