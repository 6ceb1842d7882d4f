//! Which methods a right code removes, and whether the second factor is off then.

use crate::audit::EventKind;
use crate::challenge::Factor;
use crate::ids::MethodId;

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The factor whose code was presented.
    pub factor: Factor,
    /// The method to remove, if the caller names one.
    pub named: Option<MethodId>,
    /// The account's confirmed methods.
    pub confirmed: &'a [MethodId],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// One method; others are left.
    One(MethodId),
    /// Every method, the backup codes, trust in devices and open challenges: signing in asks for the password alone.
    SwitchOff,
    /// The code does not say which method it is for.
    NotNamed,
    /// The named method is gone.
    NoMethod,
}

/// A backup code stands in for all methods, so it removes all of them.
#[must_use]
pub fn decide(facts: &Facts<'_>) -> Removal {
    match (facts.factor, facts.named) {
        (Factor::BackupCode, _) => Removal::SwitchOff,
        (Factor::Totp | Factor::OneTimeCode, None) => Removal::NotNamed,
        (Factor::Totp | Factor::OneTimeCode, Some(id)) => match facts.confirmed {
            confirmed if !confirmed.contains(&id) => Removal::NoMethod,
            [_] => Removal::SwitchOff,
            _ => Removal::One(id),
        },
    }
}

impl Removal {
    /// What the audit trail records besides.
    #[must_use]
    pub fn further_event(self, factor: Factor) -> Option<EventKind> {
        let is_used = factor == Factor::BackupCode && self.event().is_some();
        is_used.then_some(EventKind::BackupCodeUsed)
    }

    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::One(_) => Some(EventKind::MethodRemoved),
            Self::SwitchOff => Some(EventKind::TwoFactorDisabled),
            Self::NotNamed | Self::NoMethod => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::method_id;

    #[test]
    fn every_factor_with_and_without_a_name() {
        let (one, two) = (method_id(1), method_id(2));
        for (factor, named, confirmed, removal) in [
            (Factor::Totp, Some(one), &[one, two][..], Removal::One(one)),
            (Factor::Totp, Some(one), &[one], Removal::SwitchOff),
            (Factor::OneTimeCode, Some(two), &[one, two], Removal::One(two)),
            (Factor::OneTimeCode, Some(two), &[two], Removal::SwitchOff),
            (Factor::Totp, Some(two), &[one], Removal::NoMethod),
            (Factor::Totp, Some(one), &[], Removal::NoMethod),
            (Factor::Totp, None, &[one], Removal::NotNamed),
            (Factor::OneTimeCode, None, &[one, two], Removal::NotNamed),
            (Factor::BackupCode, None, &[one, two], Removal::SwitchOff),
            (Factor::BackupCode, Some(one), &[one, two], Removal::SwitchOff),
        ] {
            assert_eq!(decide(&Facts { factor, named, confirmed }), removal, "{factor:?} {named:?} {confirmed:?}");
        }
        assert_eq!(Removal::SwitchOff.further_event(Factor::BackupCode), Some(EventKind::BackupCodeUsed));
        assert_eq!(Removal::SwitchOff.further_event(Factor::Totp), None);
        assert_eq!(Removal::NoMethod.further_event(Factor::BackupCode), None);
        let event = |removal: Removal| removal.event();
        assert_eq!(event(Removal::One(one)), Some(EventKind::MethodRemoved));
        assert_eq!(event(Removal::SwitchOff), Some(EventKind::TwoFactorDisabled));
        assert_eq!((event(Removal::NotNamed), event(Removal::NoMethod)), (None, None));
    }
}
