//! Whether trust in a device counts.

use crate::ids::ApplicationId;
use crate::policy::Policy;
use crate::tenant::TrustPolicy;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Application in which the trust was given.
    pub given_in: Option<ApplicationId>,
    /// Application that the user signs in to.
    pub application: Option<ApplicationId>,
    /// That application's policy; [`TrustPolicy::Any`] where there is none.
    pub policy: TrustPolicy,
    /// Time at which a second factor was passed for it; a rotating token keeps it.
    pub given_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    Counts,
    Ignored,
    /// It does not count, because it was replaced a moment ago: another request of the same device has used it, and the device
    /// has its successor, or will have.
    Superseded,
}

#[must_use]
pub fn decide(facts: &Facts, limits: &Policy, now: Timestamp) -> Trust {
    let counts_here = match facts.policy {
        TrustPolicy::Any => true,
        TrustPolicy::This => facts.given_in == facts.application,
        TrustPolicy::None => false,
    };
    let is_live = now < facts.given_at + limits.trust_absolute_lifetime;
    if counts_here && is_live { Trust::Counts } else { Trust::Ignored }
}

/// Whether a rotating value that is no live trust was one a moment ago. `replaced_at` is the time at which its successor took its
/// place, if that one is live.
#[must_use]
pub fn decide_replaced(replaced_at: Option<Timestamp>, limits: &Policy, now: Timestamp) -> Trust {
    match replaced_at {
        Some(at) if now < at + limits.trust_rotation_grace => Trust::Superseded,
        _ => Trust::Ignored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::{NOW, application_id};
    use std::time::Duration;

    #[test]
    fn every_policy_with_every_origin_of_a_trust() {
        let (here, there) = (Some(application_id(1)), Some(application_id(2)));
        for (policy, given_in, application, trust) in [
            (TrustPolicy::Any, there, here, Trust::Counts),
            (TrustPolicy::Any, None, here, Trust::Counts),
            (TrustPolicy::Any, None, None, Trust::Counts),
            (TrustPolicy::This, here, here, Trust::Counts),
            (TrustPolicy::This, there, here, Trust::Ignored),
            (TrustPolicy::This, None, here, Trust::Ignored),
            (TrustPolicy::None, here, here, Trust::Ignored),
            (TrustPolicy::None, None, here, Trust::Ignored),
        ] {
            let facts = Facts { given_in, application, policy, given_at: NOW };
            let limits = Policy::default();
            assert_eq!(decide(&facts, &limits, NOW), trust, "{facts:?}");
            assert_eq!(decide(&facts, &limits, NOW + limits.trust_absolute_lifetime), Trust::Ignored, "{facts:?}");
        }
    }

    #[test]
    fn a_value_that_was_replaced_is_superseded_for_a_minute_and_never_counts() {
        let limits = Policy::default();
        let (grace, moment) = (limits.trust_rotation_grace, Duration::from_millis(1));
        assert_eq!(grace, Duration::from_secs(60));
        for (replaced_at, trust) in [
            (None, Trust::Ignored),
            (Some(NOW), Trust::Superseded),
            // A clock of another node that is ahead.
            (Some(NOW + moment), Trust::Superseded),
            (Some(NOW - (grace - moment)), Trust::Superseded),
            (Some(NOW - grace), Trust::Ignored),
            (Some(NOW - limits.trust_lifetime), Trust::Ignored),
        ] {
            assert_eq!(decide_replaced(replaced_at, &limits, NOW), trust, "{replaced_at:?}");
        }
    }
}
