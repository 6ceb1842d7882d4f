//! Whether a presented password may be judged.
//!
//! Wrong passwords are counted for what was typed and for the account, so that no further spelling of a login name brings
//! further guesses (attack 33). For a name that nobody has, what was typed stands for the account, too. A caller who reaches the limit
//! of the account by several of its names must not learn from that that they are one account's (attack 44).

use crate::ids::AccountId;
use crate::time::Timestamp;

/// Name of the quota of an account for passwords that come from no known network or device. `epoch` is
/// [`crate::account::Account::limits_epoch`].
#[must_use]
pub fn account_quota(account: AccountId, epoch: i64) -> String {
    format!("password:{account}:{epoch}")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Set if what was typed has used up a limit: until then.
    pub name_exhausted: Option<Timestamp>,
    /// The same for the account.
    pub account_exhausted: Option<Timestamp>,
    /// Whether the caller has shown whose account it is, by a session for example, so that nothing has to be hidden.
    pub knows_account: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordAttempt {
    /// It may, and counts as wrong until it turns out to be right.
    Judged,
    /// Not judged; the response is that of a wrong password.
    CountsAsWrong,
    /// Refused.
    TooMany { until: Timestamp },
}

#[must_use]
pub fn decide(facts: Facts) -> PasswordAttempt {
    let Facts { name_exhausted, account_exhausted, knows_account } = facts;
    match (name_exhausted, account_exhausted) {
        (None, None) => PasswordAttempt::Judged,
        (Some(until), None) => PasswordAttempt::TooMany { until },
        (name, Some(account)) if knows_account => {
            PasswordAttempt::TooMany { until: name.map_or(account, |until| until.max(account)) }
        }
        (None, Some(_)) => PasswordAttempt::CountsAsWrong,
        // The end of the account's limit may be another one, and is not shown.
        (Some(until), Some(_)) => PasswordAttempt::TooMany { until },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::NOW;
    use std::time::Duration;

    #[test]
    fn every_limit_for_callers_who_know_the_account_and_who_do_not_44() {
        let later = NOW + Duration::from_secs(1);
        let too_many = |until| PasswordAttempt::TooMany { until };
        for (name_exhausted, account_exhausted, knows_account, outcome) in [
            (None, None, false, PasswordAttempt::Judged),
            (None, None, true, PasswordAttempt::Judged),
            (Some(NOW), None, false, too_many(NOW)),
            (Some(NOW), None, true, too_many(NOW)),
            (None, Some(NOW), false, PasswordAttempt::CountsAsWrong),
            (None, Some(NOW), true, too_many(NOW)),
            (Some(NOW), Some(later), false, too_many(NOW)),
            (Some(NOW), Some(later), true, too_many(later)),
            (Some(later), Some(NOW), true, too_many(later)),
        ] {
            let facts = Facts { name_exhausted, account_exhausted, knows_account };
            assert_eq!(decide(facts), outcome, "{facts:?}");
        }
    }
}
