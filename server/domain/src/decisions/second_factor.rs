//! What a right second factor opens.

use super::endings::Event;
use super::enrolment::{self, SwitchOn};
use super::sign_in::{Demand, demand};
use crate::account::{Account, Unusable};
use crate::attempt::{Claimant, Proof};
use crate::audit::EventKind;
use crate::challenge::Factor;
use crate::tenant::Tenant;
use crate::terms::Terms;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub account: &'a Account,
    pub tenant: &'a Tenant,
    pub claimant: &'a Claimant,
    pub proof: &'a Proof,
    /// Whether the claimant is a session whose last second factor counts for managing factors as it is.
    pub is_assured: bool,
}

/// What the client asks for besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The device is to skip the second factor from now on; counts in a challenge only.
    pub trusts_device: bool,
    /// The challenge is to be consumed without a grant.
    pub without_grant: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactor {
    /// The challenge ends in what the terms grant.
    SignedIn { trusts_device: bool },
    /// The challenge is consumed and nothing is granted, as asked.
    Confirmed,
    /// The challenge ends in a ticket to change the password.
    PasswordChangeDue,
    /// The challenge goes on: the tenant requires a second factor, and the account has none that the code could be of.
    EnrolmentDue,
    /// The challenge is consumed; the account may not be used.
    Refused(Unusable),
    /// The account's first second factor is confirmed; a new session takes the place of this one.
    Enabled(SwitchOn),
    /// A new authenticator app took the place of the oldest one.
    Replaced,
    /// The session has passed a second factor.
    Passed {
        /// It may do more than before.
        is_step_up: bool,
    },
}

/// What becomes of the session in which a second factor was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionChange {
    /// It goes on under a new token: what was known before the second factor must not gain by it (A 7.2.4).
    NewToken,
    /// It goes on under its token, which could do as much before; clients that keep one bearer token rely on that.
    Renewed,
    /// A new session takes its place.
    Replaced,
    Kept,
}

#[must_use]
pub fn decide(facts: &Facts<'_>, request: Request, terms: &Terms, now: Timestamp) -> SecondFactor {
    let Facts { account, tenant, claimant, proof, is_assured } = *facts;
    let in_session = matches!(claimant, Claimant::Session { .. });
    if let Some(why) = account.unusable(now) {
        return SecondFactor::Refused(why);
    }
    if in_session {
        let is_new_app = matches!(proof, Proof::Totp { confirms: true, .. });
        return match (account.two_factor_enabled, proof.factor(), is_new_app) {
            (true, _, true) => SecondFactor::Replaced,
            // A backup code, or a passkey, proves nothing about the factor that is being enrolled.
            (true, _, false) | (false, Factor::BackupCode | Factor::Passkey, _) => {
                SecondFactor::Passed { is_step_up: !is_assured }
            }
            (false, factor @ (Factor::Totp | Factor::OneTimeCode), _) => {
                let proves_email = factor == Factor::OneTimeCode;
                SecondFactor::Enabled(enrolment::switch_on(account, tenant, terms, proves_email))
            }
        };
    }
    if demand(tenant.login_policy, account.two_factor_enabled) == Demand::Enrolment {
        SecondFactor::EnrolmentDue
    } else if account.password_change_required {
        SecondFactor::PasswordChangeDue
    } else if request.without_grant {
        SecondFactor::Confirmed
    } else {
        SecondFactor::SignedIn { trusts_device: request.trusts_device }
    }
}

impl SecondFactor {
    #[must_use]
    pub fn event(self) -> EventKind {
        match self {
            Self::SignedIn { .. } => EventKind::SecondFactorSignedIn,
            Self::Confirmed | Self::PasswordChangeDue | Self::Refused(_) => EventKind::SecondFactorConfirmed,
            Self::EnrolmentDue => EventKind::SecondFactorRejected,
            Self::Enabled(_) => EventKind::TwoFactorEnabled,
            Self::Replaced => EventKind::AuthenticatorReplaced,
            Self::Passed { .. } => EventKind::SecondFactorPassed,
        }
    }

    /// What the audit trail records besides.
    #[must_use]
    pub fn further_events(self, factor: Factor) -> Vec<EventKind> {
        let used = (factor == Factor::BackupCode && self != Self::EnrolmentDue).then_some(EventKind::BackupCodeUsed);
        let trusted = matches!(self, Self::SignedIn { trusts_device: true }).then_some(EventKind::DeviceTrusted);
        used.into_iter().chain(trusted).collect()
    }

    /// What ends with it.
    #[must_use]
    pub fn ends(self) -> Option<Event> {
        match self {
            Self::Enabled(switch) => Some(switch.event),
            Self::Replaced => Some(Event::AppReplaced),
            Self::SignedIn { .. }
            | Self::Confirmed
            | Self::PasswordChangeDue
            | Self::EnrolmentDue
            | Self::Refused(_)
            | Self::Passed { .. } => None,
        }
    }

    #[must_use]
    pub fn session_change(self) -> SessionChange {
        match self {
            Self::Enabled(_) => SessionChange::Replaced,
            Self::Replaced | Self::Passed { is_step_up: true } => SessionChange::NewToken,
            Self::Passed { is_step_up: false } => SessionChange::Renewed,
            Self::SignedIn { .. }
            | Self::Confirmed
            | Self::PasswordChangeDue
            | Self::EnrolmentDue
            | Self::Refused(_) => SessionChange::Kept,
        }
    }

    /// Whether a new session or tokens are granted.
    #[must_use]
    pub fn grants(self) -> bool {
        matches!(self, Self::SignedIn { .. } | Self::Enabled(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::MethodKind;
    use crate::decisions::fixtures::{
        NOW, account, backup_code_proof, challenge, code_proof, passkey_proof, session, session_terms, tenant,
        totp_proof,
    };
    use crate::tenant::LoginPolicy;

    const ASKS_NOTHING: Request = Request { trusts_device: false, without_grant: false };

    fn decided(account: &Account, claimant: &Claimant, proof: &Proof, request: Request) -> SecondFactor {
        let tenant = tenant(&MethodKind::ALL);
        decide(&Facts { account, tenant: &tenant, claimant, proof, is_assured: false }, request, &session_terms(), NOW)
    }

    #[test]
    fn in_a_session_a_code_enables_replaces_or_passes() {
        let on = SecondFactor::Enabled(SwitchOn { adds_email: true, event: Event::SecondFactorOn });
        for (enabled, proof, outcome) in [
            (false, totp_proof(true), on),
            (false, totp_proof(false), on),
            (false, code_proof(), on),
            (false, backup_code_proof(), SecondFactor::Passed { is_step_up: true }),
            (false, passkey_proof(), SecondFactor::Passed { is_step_up: true }),
            (true, passkey_proof(), SecondFactor::Passed { is_step_up: true }),
            (true, totp_proof(true), SecondFactor::Replaced),
            (true, totp_proof(false), SecondFactor::Passed { is_step_up: true }),
            (true, code_proof(), SecondFactor::Passed { is_step_up: true }),
            (true, backup_code_proof(), SecondFactor::Passed { is_step_up: true }),
        ] {
            let account = Account { two_factor_enabled: enabled, ..account() };
            let asks_all = Request { trusts_device: true, without_grant: true };
            for request in [ASKS_NOTHING, asks_all] {
                assert_eq!(decided(&account, &session(), &proof, request), outcome, "{enabled} {proof:?}");
            }
        }
    }

    #[test]
    fn a_challenge_ends_in_what_was_asked_for_and_in_nothing_before_a_due_password_change() {
        let enrolled = Account { two_factor_enabled: true, ..account() };
        let due = Account { password_change_required: true, ..enrolled.clone() };
        let trusting = Request { trusts_device: true, ..ASKS_NOTHING };
        let without = Request { without_grant: true, ..trusting };
        for proof in [totp_proof(false), code_proof(), backup_code_proof(), passkey_proof()] {
            for (account, request, outcome) in [
                (&enrolled, ASKS_NOTHING, SecondFactor::SignedIn { trusts_device: false }),
                (&enrolled, trusting, SecondFactor::SignedIn { trusts_device: true }),
                (&enrolled, without, SecondFactor::Confirmed),
                (&due, ASKS_NOTHING, SecondFactor::PasswordChangeDue),
                (&due, without, SecondFactor::PasswordChangeDue),
            ] {
                assert_eq!(decided(account, &challenge(), &proof, request), outcome, "{request:?}");
            }
        }
    }

    #[test]
    fn where_a_second_factor_is_required_a_code_without_one_completes_no_challenge() {
        let enrolled = Account { two_factor_enabled: true, ..account() };
        let due = Account { password_change_required: true, ..account() };
        for (account, login_policy, outcome) in [
            (&account(), LoginPolicy::Required, SecondFactor::EnrolmentDue),
            (&due, LoginPolicy::Required, SecondFactor::EnrolmentDue),
            (&enrolled, LoginPolicy::Required, SecondFactor::SignedIn { trusts_device: false }),
            (&account(), LoginPolicy::Enabled, SecondFactor::SignedIn { trusts_device: false }),
            (&account(), LoginPolicy::Disabled, SecondFactor::SignedIn { trusts_device: false }),
        ] {
            let tenant = Tenant { login_policy, ..Tenant::default() };
            for proof in [totp_proof(false), code_proof(), backup_code_proof()] {
                let facts =
                    Facts { account, tenant: &tenant, claimant: &challenge(), proof: &proof, is_assured: false };
                assert_eq!(decide(&facts, ASKS_NOTHING, &session_terms(), NOW), outcome, "{login_policy:?} {proof:?}");
            }
        }
    }

    #[test]
    fn an_unusable_account_gets_nothing_in_challenge_or_session() {
        let inactive = Account { is_active: false, two_factor_enabled: true, ..account() };
        for claimant in [challenge(), session()] {
            let outcome = decided(&inactive, &claimant, &totp_proof(false), ASKS_NOTHING);
            assert_eq!(outcome, SecondFactor::Refused(Unusable::Inactive));
        }
    }

    #[test]
    fn used_backup_codes_and_trusted_devices_have_events_of_their_own() {
        let (used, trusted) = (EventKind::BackupCodeUsed, EventKind::DeviceTrusted);
        let signed_in = |trusts_device| SecondFactor::SignedIn { trusts_device };
        for (outcome, factor, events) in [
            (signed_in(false), Factor::Totp, vec![]),
            (signed_in(true), Factor::Totp, vec![trusted]),
            (signed_in(true), Factor::BackupCode, vec![used, trusted]),
            (SecondFactor::Passed { is_step_up: true }, Factor::BackupCode, vec![used]),
            (SecondFactor::Passed { is_step_up: false }, Factor::OneTimeCode, vec![]),
            (SecondFactor::Refused(Unusable::Inactive), Factor::BackupCode, vec![used]),
            (SecondFactor::EnrolmentDue, Factor::BackupCode, vec![]),
        ] {
            assert_eq!(outcome.further_events(factor), events, "{outcome:?} {factor:?}");
        }
    }

    #[test]
    fn each_outcome_has_its_event() {
        let on = SwitchOn { adds_email: true, event: Event::SecondFactorOn };
        for (outcome, event, grants) in [
            (SecondFactor::SignedIn { trusts_device: true }, EventKind::SecondFactorSignedIn, true),
            (SecondFactor::Confirmed, EventKind::SecondFactorConfirmed, false),
            (SecondFactor::PasswordChangeDue, EventKind::SecondFactorConfirmed, false),
            (SecondFactor::Refused(Unusable::Expired), EventKind::SecondFactorConfirmed, false),
            (SecondFactor::EnrolmentDue, EventKind::SecondFactorRejected, false),
            (SecondFactor::Enabled(on), EventKind::TwoFactorEnabled, true),
            (SecondFactor::Replaced, EventKind::AuthenticatorReplaced, false),
            (SecondFactor::Passed { is_step_up: true }, EventKind::SecondFactorPassed, false),
        ] {
            assert_eq!((outcome.event(), outcome.grants()), (event, grants), "{outcome:?}");
        }
        assert_eq!(SecondFactor::Enabled(on).ends(), Some(Event::SecondFactorOn));
        assert_eq!(SecondFactor::Replaced.ends(), Some(Event::AppReplaced));
        assert_eq!((SecondFactor::Passed { is_step_up: true }.ends(), SecondFactor::Confirmed.ends()), (None, None));
    }

    /// A 7.2.4.
    #[test]
    fn a_session_that_steps_up_gets_a_new_token() {
        let on = SwitchOn { adds_email: true, event: Event::SecondFactorOn };
        for (outcome, change) in [
            (SecondFactor::Passed { is_step_up: true }, SessionChange::NewToken),
            (SecondFactor::Passed { is_step_up: false }, SessionChange::Renewed),
            (SecondFactor::Replaced, SessionChange::NewToken),
            (SecondFactor::Enabled(on), SessionChange::Replaced),
            (SecondFactor::Refused(Unusable::Inactive), SessionChange::Kept),
        ] {
            assert_eq!(outcome.session_change(), change, "{outcome:?}");
        }
        let (enrolled, tenant) = (Account { two_factor_enabled: true, ..account() }, tenant(&MethodKind::ALL));
        for is_assured in [true, false] {
            let (claimant, proof) = (&session(), &totp_proof(false));
            let facts = Facts { account: &enrolled, tenant: &tenant, claimant, proof, is_assured };
            let outcome = decide(&facts, ASKS_NOTHING, &session_terms(), NOW);
            assert_eq!(outcome, SecondFactor::Passed { is_step_up: !is_assured });
        }
    }
}
