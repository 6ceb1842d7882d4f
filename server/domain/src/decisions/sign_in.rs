//! What a right password opens, or what stands in its place.

use crate::account::{Account, Unusable};
use crate::audit::EventKind;
use crate::challenge::FirstFactor;
use crate::tenant::LoginPolicy;
use crate::terms::{EnrolmentPlace, Terms};
use crate::time::Timestamp;

/// What signing in demands besides the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    Nothing,
    SecondFactor,
    /// The tenant requires a second factor and the account has none.
    Enrolment,
}

/// What the tenant's policy demands of an account.
#[must_use]
pub fn demand(policy: LoginPolicy, is_enrolled: bool) -> Demand {
    match (policy, is_enrolled) {
        (LoginPolicy::Disabled, _) | (LoginPolicy::Enabled, false) => Demand::Nothing,
        (LoginPolicy::Enabled | LoginPolicy::Required, true) => Demand::SecondFactor,
        (LoginPolicy::Required, false) => Demand::Enrolment,
    }
}

/// What was proved before a sign-in is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proved {
    One(FirstFactor),
    /// Two factors at once, by a passkey.
    Both,
}

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub account: &'a Account,
    pub login_policy: LoginPolicy,
    pub requires_verified_email: bool,
    /// What was proved. A passkey that has verified its user is one that proves two factors.
    pub proved: Proved,
    /// Whether the device showed a trust that counts; looked up only if [`demand`] says `SecondFactor`.
    pub is_trusted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    Granted {
        /// Trust in the device stood in for the second factor. It proves none.
        by_trust: bool,
    },
    /// A session that can only enrol a second factor.
    GrantedForEnrolment,
    /// A challenge, to be answered by a second factor of the account.
    SecondFactorDue,
    /// A challenge, to be answered once a second factor is enrolled.
    EnrolmentDue,
    /// A ticket to change the password; nothing else is opened.
    PasswordChangeDue,
    /// The account's address has to be proved first; nothing is opened.
    VerificationDue,
    Refused(Unusable),
}

/// A second factor is asked for before a new password is: the password alone must not lead to a new one.
#[must_use]
pub fn decide(facts: &Facts<'_>, terms: &Terms, now: Timestamp) -> SignIn {
    let Facts { account, login_policy, requires_verified_email, proved, is_trusted } = *facts;
    if let Some(why) = account.unusable(now) {
        return SignIn::Refused(why);
    }
    if requires_verified_email && account.email.is_some() && !account.email_verified {
        return SignIn::VerificationDue;
    }
    let granted = match (demand(login_policy, account.two_factor_enabled), terms.enrolment) {
        (Demand::SecondFactor, _) if proved == Proved::Both => SignIn::Granted { by_trust: false },
        (Demand::SecondFactor, _) if !is_trusted => return SignIn::SecondFactorDue,
        (Demand::Enrolment, EnrolmentPlace::Challenge) => return SignIn::EnrolmentDue,
        (Demand::Enrolment, EnrolmentPlace::Session) => SignIn::GrantedForEnrolment,
        (Demand::SecondFactor, _) => SignIn::Granted { by_trust: true },
        (Demand::Nothing, _) => SignIn::Granted { by_trust: false },
    };
    if account.password_change_required { SignIn::PasswordChangeDue } else { granted }
}

impl SignIn {
    /// What the audit trail records; nothing for a refusal, which changes nothing.
    #[must_use]
    pub fn event(self, proved: Proved) -> Option<EventKind> {
        let is_by_passkey = matches!(proved, Proved::Both | Proved::One(FirstFactor::Passkey));
        match self {
            Self::Granted { by_trust: false } | Self::GrantedForEnrolment if is_by_passkey => {
                Some(EventKind::PasskeySignedIn)
            }
            Self::Granted { by_trust: false } | Self::GrantedForEnrolment => Some(EventKind::SignedIn),
            Self::Granted { by_trust: true } => Some(EventKind::SignedInFromTrustedDevice),
            Self::SecondFactorDue | Self::EnrolmentDue => Some(EventKind::ChallengeOpened),
            Self::PasswordChangeDue => Some(EventKind::PasswordChangeAsked),
            Self::VerificationDue | Self::Refused(_) => None,
        }
    }

    #[must_use]
    pub fn is_granted(self) -> bool {
        matches!(self, Self::Granted { .. } | Self::GrantedForEnrolment)
    }

    #[must_use]
    pub fn is_challenged(self) -> bool {
        matches!(self, Self::SecondFactorDue | Self::EnrolmentDue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::{NOW, account, challenge_terms, session_terms};
    use LoginPolicy::{Disabled, Enabled, Required};
    use SignIn::{
        EnrolmentDue, Granted, GrantedForEnrolment, PasswordChangeDue, Refused, SecondFactorDue, VerificationDue,
    };
    use std::time::Duration;

    const PASSWORD: Proved = Proved::One(FirstFactor::Password);

    #[test]
    fn every_policy_with_every_account_in_both_kinds_of_terms() {
        let plain = Granted { by_trust: false };
        // policy, enrolled, trusted → where enrolment happens in a session, where it happens in the challenge
        for (login_policy, is_enrolled, is_trusted, in_session, in_challenge) in [
            (Disabled, false, false, plain, plain),
            (Disabled, true, false, plain, plain),
            (Disabled, true, true, plain, plain),
            (Enabled, false, false, plain, plain),
            (Enabled, true, false, SecondFactorDue, SecondFactorDue),
            (Enabled, true, true, Granted { by_trust: true }, Granted { by_trust: true }),
            (Required, false, false, GrantedForEnrolment, EnrolmentDue),
            (Required, false, true, GrantedForEnrolment, EnrolmentDue),
            (Required, true, false, SecondFactorDue, SecondFactorDue),
            (Required, true, true, Granted { by_trust: true }, Granted { by_trust: true }),
        ] {
            let account = Account { two_factor_enabled: is_enrolled, ..account() };
            let facts =
                Facts { account: &account, login_policy, requires_verified_email: false, proved: PASSWORD, is_trusted };
            let row = format!("{login_policy:?} enrolled={is_enrolled} trusted={is_trusted}");
            assert_eq!(decide(&facts, &session_terms(), NOW), in_session, "{row}");
            assert_eq!(decide(&facts, &challenge_terms(), NOW), in_challenge, "{row}");
        }
    }

    #[test]
    fn a_new_password_is_asked_for_after_the_second_factor_and_before_anything_is_opened() {
        for (login_policy, is_enrolled, is_trusted, in_session, in_challenge) in [
            (Disabled, true, false, PasswordChangeDue, PasswordChangeDue),
            (Enabled, false, false, PasswordChangeDue, PasswordChangeDue),
            (Enabled, true, false, SecondFactorDue, SecondFactorDue),
            (Enabled, true, true, PasswordChangeDue, PasswordChangeDue),
            (Required, false, false, PasswordChangeDue, EnrolmentDue),
        ] {
            let account = Account { two_factor_enabled: is_enrolled, password_change_required: true, ..account() };
            let facts =
                Facts { account: &account, login_policy, requires_verified_email: false, proved: PASSWORD, is_trusted };
            assert_eq!(decide(&facts, &session_terms(), NOW), in_session, "{login_policy:?} {is_enrolled}");
            assert_eq!(decide(&facts, &challenge_terms(), NOW), in_challenge, "{login_policy:?} {is_enrolled}");
        }
    }

    #[test]
    fn an_unusable_account_opens_nothing_whatever_else_holds() {
        let inactive = Account { is_active: false, password_change_required: true, ..account() };
        let expired = Account { expires_at: Some(NOW), two_factor_enabled: true, ..account() };
        let until = NOW + Duration::from_millis(1);
        let suspended = Account { suspended_until: Some(until), password_change_required: true, ..account() };
        for (account, why) in
            [(inactive, Unusable::Inactive), (expired, Unusable::Expired), (suspended, Unusable::Suspended { until })]
        {
            for login_policy in [Disabled, Enabled, Required] {
                let facts = Facts {
                    account: &account,
                    login_policy,
                    requires_verified_email: true,
                    proved: PASSWORD,
                    is_trusted: true,
                };
                assert_eq!(decide(&facts, &session_terms(), NOW), Refused(why));
                assert_eq!(decide(&facts, &challenge_terms(), NOW), Refused(why));
            }
        }
    }

    #[test]
    fn a_suspension_that_is_over_keeps_nobody_out() {
        let account = Account { suspended_until: Some(NOW), ..account() };
        let facts = Facts {
            account: &account,
            login_policy: Enabled,
            requires_verified_email: false,
            proved: PASSWORD,
            is_trusted: false,
        };
        assert_eq!(decide(&facts, &session_terms(), NOW), Granted { by_trust: false });
    }

    #[test]
    fn an_address_that_has_to_be_proved_comes_before_a_second_factor_and_a_new_password() {
        let unproved = Account { two_factor_enabled: true, password_change_required: true, ..account() };
        let proved = Account { email_verified: true, ..unproved.clone() };
        let without = Account { email: None, ..unproved.clone() };
        for (account, requires_verified_email, outcome) in [
            (&unproved, true, VerificationDue),
            (&unproved, false, SecondFactorDue),
            (&proved, true, SecondFactorDue),
            (&without, true, SecondFactorDue),
        ] {
            let facts =
                Facts { account, login_policy: Enabled, requires_verified_email, proved: PASSWORD, is_trusted: false };
            assert_eq!(decide(&facts, &session_terms(), NOW), outcome, "{account:?}");
            assert_eq!(decide(&facts, &challenge_terms(), NOW), outcome, "{account:?}");
        }
    }

    #[test]
    fn each_outcome_has_its_event() {
        for (outcome, event) in [
            (Granted { by_trust: false }, Some(EventKind::SignedIn)),
            (Granted { by_trust: true }, Some(EventKind::SignedInFromTrustedDevice)),
            (GrantedForEnrolment, Some(EventKind::SignedIn)),
            (SecondFactorDue, Some(EventKind::ChallengeOpened)),
            (EnrolmentDue, Some(EventKind::ChallengeOpened)),
            (PasswordChangeDue, Some(EventKind::PasswordChangeAsked)),
            (VerificationDue, None),
            (Refused(Unusable::Inactive), None),
        ] {
            assert_eq!(outcome.event(PASSWORD), event, "{outcome:?}");
        }
        let passkey = Proved::One(FirstFactor::Passkey);
        for proved in [passkey, Proved::Both] {
            for outcome in [Granted { by_trust: false }, GrantedForEnrolment] {
                assert_eq!(outcome.event(proved), Some(EventKind::PasskeySignedIn), "{outcome:?}");
            }
        }
        assert_eq!(Granted { by_trust: true }.event(passkey), Some(EventKind::SignedInFromTrustedDevice));
        assert_eq!(SecondFactorDue.event(passkey), Some(EventKind::ChallengeOpened));
    }

    #[test]
    fn a_passkey_that_verified_its_user_is_two_factors_and_one_that_did_not_is_one_52() {
        let passkey = Proved::One(FirstFactor::Passkey);
        let plain = Granted { by_trust: false };
        for (login_policy, is_enrolled, proved, in_session, in_challenge) in [
            (Enabled, true, passkey, SecondFactorDue, SecondFactorDue),
            (Enabled, true, Proved::Both, plain, plain),
            (Required, true, Proved::Both, plain, plain),
            (Enabled, false, passkey, plain, plain),
            (Enabled, false, Proved::Both, plain, plain),
            (Disabled, true, passkey, plain, plain),
            // It enrols nothing.
            (Required, false, passkey, GrantedForEnrolment, EnrolmentDue),
            (Required, false, Proved::Both, GrantedForEnrolment, EnrolmentDue),
        ] {
            let account = Account { two_factor_enabled: is_enrolled, ..account() };
            let (requires_verified_email, is_trusted) = (false, false);
            let facts = Facts { account: &account, login_policy, requires_verified_email, proved, is_trusted };
            let row = format!("{login_policy:?} enrolled={is_enrolled} {proved:?}");
            assert_eq!(decide(&facts, &session_terms(), NOW), in_session, "{row}");
            assert_eq!(decide(&facts, &challenge_terms(), NOW), in_challenge, "{row}");
        }
    }
}
