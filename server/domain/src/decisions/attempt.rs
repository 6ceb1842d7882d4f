//! Whether a presented code may be looked at, and with what it is compared.
//!
//! The claim itself, which counts the attempt before the code is looked at, is a conditional update in the store: it is a
//! lock. What the counted facts mean is decided here.

use super::usable::code_counts;
use crate::account::Account;
use crate::address::MethodKind;
use crate::attempt::{Claimant, Expected, Material, StoredCode};
use crate::challenge::{Factor, FirstFactor};
use crate::guess::Guess;
use crate::method::Method;
use crate::policy::Policy;
use crate::presentation::Presentation;
use crate::tenant::Tenant;
use crate::time::Timestamp;

/// State of the one-time code that the claimant was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SentCode {
    /// One try of it was taken.
    Waiting(StoredCode),
    /// All its tries have failed.
    Exhausted,
    None,
}

#[derive(Debug)]
pub struct Facts<'a> {
    pub account: &'a Account,
    pub tenant: &'a Tenant,
    pub claimant: &'a Claimant,
    /// That of the challenge, if the claimant has one.
    pub first_factor: FirstFactor,
    pub expected: Expected,
    pub presentation: Presentation,
    /// Everything stored that the code may be compared with, but for the one-time code.
    pub stored: Material,
    pub sent_code: SentCode,
    /// The account's confirmed methods, if a one-time code is expected.
    pub methods: &'a [Method],
    /// Whether the account has backup codes, if a one-time code is expected in a session. They are made with the password, so
    /// that without a second factor they say that an enrolment was begun.
    pub has_backup_codes: bool,
    /// Consecutive failures of the account, this attempt included.
    pub failures: u32,
    /// Locks without a success in between.
    pub earlier_locks: u32,
    /// Level of [`Policy::account_guesses`], with one guess of this attempt counted; it is within the limit.
    pub guess_level: Timestamp,
}

#[derive(Debug)]
pub enum Admission {
    Granted {
        material: Box<Material>,
        /// Stored if the code is wrong.
        guess: Guess,
        /// How many guesses it counts as, at least one: a code is compared with each secret.
        guesses: u32,
        /// This attempt was the last of the account's quota: the account is locked until then.
        locks_until: Option<Timestamp>,
        /// The long-term limit has no room for another guess: no code is accepted until one has decayed.
        fills_limit: bool,
    },
    /// The account's last wrong code was presented again: it is as wrong as it was, and counts once.
    Repeated,
    /// The tenant does not allow this factor.
    NotAllowed,
    NotEnrolled,
    /// No one-time code is waiting, or no response of a passkey is waited for.
    NoCode,
    /// The one-time code has no tries left and is deleted; the account is not charged.
    CodeExhausted,
    /// The account's long-term limit has no room for as many guesses before then.
    GuessesExhausted {
        until: Timestamp,
    },
}

#[must_use]
pub fn decide(facts: Facts<'_>, policy: &Policy, now: Timestamp) -> Admission {
    let Facts {
        account,
        tenant,
        claimant,
        first_factor,
        expected,
        presentation,
        stored,
        sent_code,
        methods,
        has_backup_codes,
        failures,
        earlier_locks,
        guess_level,
    } = facts;
    let allows_codes = tenant.allows(MethodKind::Email) || tenant.allows(MethodKind::Sms);
    let sent_code = match sent_code {
        SentCode::Waiting(code) if !code_counts(&code, claimant, first_factor, methods, account, tenant) => {
            SentCode::None
        }
        other => other,
    };
    let mut material = stored;
    let is_begun = material.pending.is_some() || has_backup_codes;
    let in_session = matches!(claimant, Claimant::Session { .. });
    let removes = matches!(claimant, Claimant::Holder { .. });
    // A method that the tenant no longer allows can still be removed, by its own code.
    if !tenant.allows(MethodKind::Authenticator) && !removes {
        material.authenticators.clear();
        material.pending = None;
    }
    if !in_session {
        material.pending = None;
        // Backup codes of an enrolment that was only begun prove nothing: the password alone gives them.
        if !account.two_factor_enabled {
            material.backup_codes.clear();
        }
    }
    match expected {
        Expected::One(Factor::Totp) if !tenant.allows(MethodKind::Authenticator) => return Admission::NotAllowed,
        Expected::One(Factor::Totp) if material.authenticators.is_empty() && material.pending.is_none() => {
            return Admission::NotEnrolled;
        }
        Expected::One(Factor::BackupCode) if material.backup_codes.is_empty() => return Admission::NotEnrolled,
        Expected::One(Factor::OneTimeCode) => {
            // In a session without a second factor only an enrolment that was begun, with the password, can be confirmed
            // by e-mail.
            let confirms = in_session && !account.two_factor_enabled;
            if !allows_codes || (confirms && !tenant.allows(MethodKind::Email)) {
                return Admission::NotAllowed;
            }
            if sent_code == SentCode::Exhausted {
                return Admission::CodeExhausted;
            }
            if confirms && !is_begun {
                return Admission::NotEnrolled;
            }
            if sent_code == SentCode::None {
                return Admission::NoCode;
            }
        }
        // A passkey that has opened the challenge proves nothing more.
        Expected::One(Factor::Passkey)
            if !tenant.allows(MethodKind::Passkey) || !first_factor.is_complemented_by(MethodKind::Passkey) =>
        {
            return Admission::NotAllowed;
        }
        Expected::One(Factor::Passkey) if material.passkey.is_none() => return Admission::NoCode,
        Expected::One(Factor::Totp | Factor::BackupCode | Factor::Passkey) | Expected::Any { .. } => {}
    }
    if let SentCode::Waiting(code) = sent_code {
        material.one_time_code = Some(code);
    }
    let guess = presentation.guess(&material);
    if account.wrong_guess == Some(guess) {
        return Admission::Repeated;
    }
    let guesses = guesses(expected, &material).min(policy.account_guesses.burst).max(1);
    let level = guess_level + policy.account_guesses.cost(guesses - 1);
    let until = policy.account_guesses.allowed_at(level);
    if until > now {
        return Admission::GuessesExhausted { until };
    }
    let fills_limit = policy.account_guesses.next_use_at(level) > now;
    let locks_until = (failures >= policy.account_failures).then(|| now + policy.lock_after(earlier_locks));
    Admission::Granted { material: Box::new(material), guess, guesses, locks_until, fills_limit }
}

/// With how many secrets a code is compared. Backup codes are found by a keyed tag and have 50 bits or more, so they do not
/// add to the chance of a guess.
fn guesses(expected: Expected, material: &Material) -> u32 {
    let apps = material.authenticators.len() + usize::from(material.pending.is_some());
    let apps = if expected.includes(Factor::Totp) { apps } else { 0 };
    let has_code = expected.includes(Factor::OneTimeCode) && material.one_time_code.is_some();
    u32::try_from(apps + usize::from(has_code)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::{
        NOW, account, authenticator, awaited_passkey, challenge, holder, presentation, session, stored_backup_code,
        stored_code, tenant,
    };
    use std::time::Duration;

    /// The outcome in one word, so that a table row stays a line.
    fn word(admission: &Admission) -> String {
        match admission {
            Admission::Granted { material, guess: _, guesses, locks_until, fills_limit } => format!(
                "granted{}{}{}{}{}{}{}",
                if material.authenticators.is_empty() { "" } else { " apps" },
                if material.pending.is_some() { " pending" } else { "" },
                if material.one_time_code.is_some() { " code" } else { "" },
                if material.backup_codes.is_empty() { "" } else { " backup" },
                if locks_until.is_some() { " locks" } else { "" },
                if *fills_limit { " last" } else { "" },
                if *guesses == 1 { String::new() } else { format!(" x{guesses}") },
            ),
            Admission::Repeated => "repeated".to_owned(),
            Admission::NotAllowed => "not allowed".to_owned(),
            Admission::NotEnrolled => "not enrolled".to_owned(),
            Admission::NoCode => "no code".to_owned(),
            Admission::CodeExhausted => "code exhausted".to_owned(),
            Admission::GuessesExhausted { .. } => "guesses exhausted".to_owned(),
        }
    }

    fn everything() -> Material {
        Material {
            authenticators: vec![authenticator()],
            pending: Some(authenticator()),
            one_time_code: None,
            backup_codes: vec![stored_backup_code()],
            passkey: None,
        }
    }

    #[test]
    fn every_expectation_in_every_state() {
        const TOTP: Expected = Expected::One(Factor::Totp);
        const CODE: Expected = Expected::One(Factor::OneTimeCode);
        const BACKUP: Expected = Expected::One(Factor::BackupCode);
        const ANY: Expected = Expected::Any { backup_code: true };
        let waiting = || SentCode::Waiting(stored_code());
        let all = &MethodKind::ALL[..];
        let (app, email) = (&[MethodKind::Authenticator][..], &[MethodKind::Email][..]);
        let only_pending = || Material { authenticators: Vec::new(), ..everything() };
        let nothing = Material::default;
        for (name, methods, claimant, enabled, expected, stored, sent_code, outcome) in [
            ("app", all, challenge(), true, TOTP, everything(), SentCode::None, "granted apps backup"),
            (
                "app in a session",
                all,
                session(),
                true,
                TOTP,
                everything(),
                SentCode::None,
                "granted apps pending backup x2",
            ),
            ("enrolment", all, session(), false, TOTP, only_pending(), SentCode::None, "granted pending backup"),
            (
                "pending counts in sessions only",
                all,
                challenge(),
                true,
                TOTP,
                only_pending(),
                SentCode::None,
                "not enrolled",
            ),
            ("no app", all, session(), true, TOTP, nothing(), SentCode::None, "not enrolled"),
            ("app not allowed", email, challenge(), true, TOTP, everything(), SentCode::None, "not allowed"),
            ("backup code", all, challenge(), true, BACKUP, everything(), SentCode::None, "granted apps backup"),
            ("no backup code", all, challenge(), true, BACKUP, nothing(), SentCode::None, "not enrolled"),
            ("code", all, challenge(), true, CODE, nothing(), waiting(), "granted code"),
            ("no code", all, challenge(), true, CODE, nothing(), SentCode::None, "no code"),
            ("spent tries", all, challenge(), true, CODE, nothing(), SentCode::Exhausted, "code exhausted"),
            ("code not allowed", app, challenge(), true, CODE, nothing(), waiting(), "not allowed"),
            ("code in a session", all, session(), true, CODE, nothing(), waiting(), "granted code"),
            (
                "code confirms an enrolment",
                all,
                session(),
                false,
                CODE,
                only_pending(),
                waiting(),
                "granted pending code backup",
            ),
            ("code without an enrolment", all, session(), false, CODE, nothing(), waiting(), "not enrolled"),
            ("code would enrol e-mail", app, session(), false, CODE, only_pending(), waiting(), "not allowed"),
            ("any", all, challenge(), true, ANY, everything(), waiting(), "granted apps code backup x2"),
            ("any, app not allowed", email, challenge(), true, ANY, everything(), waiting(), "granted code backup"),
            (
                "backup code of a begun enrolment",
                all,
                challenge(),
                false,
                BACKUP,
                everything(),
                SentCode::None,
                "not enrolled",
            ),
            ("any, of a begun enrolment", all, challenge(), false, ANY, everything(), SentCode::None, "granted apps"),
            (
                "removal by an app not allowed",
                email,
                holder(),
                true,
                ANY,
                everything(),
                SentCode::None,
                "granted apps backup",
            ),
            ("any, for a holder", all, holder(), true, ANY, everything(), SentCode::None, "granted apps backup"),
            ("any, nothing there", all, challenge(), true, ANY, nothing(), SentCode::None, "granted"),
        ] {
            let account = Account { two_factor_enabled: enabled, ..account() };
            let tenant = tenant(methods);
            let facts = Facts {
                account: &account,
                tenant: &tenant,
                claimant: &claimant,
                first_factor: FirstFactor::Password,
                expected,
                presentation: presentation("000000"),
                stored,
                sent_code,
                methods: &[],
                has_backup_codes: false,
                failures: 1,
                earlier_locks: 0,
                guess_level: NOW,
            };
            assert_eq!(word(&decide(facts, &Policy::default(), NOW)), outcome, "{name}");
        }
    }

    #[test]
    fn a_passkey_is_looked_at_where_its_ceremony_waits_and_never_opened_the_challenge_53() {
        let all = &MethodKind::ALL[..];
        let apps = &[MethodKind::Authenticator][..];
        let waits = || Material { passkey: Some(awaited_passkey()), ..Material::default() };
        for (methods, claimant, first_factor, stored, outcome) in [
            (all, challenge(), FirstFactor::Password, waits(), "granted"),
            (all, challenge(), FirstFactor::Mailbox, waits(), "granted"),
            (all, challenge(), FirstFactor::Passkey, waits(), "not allowed"),
            (all, session(), FirstFactor::Password, waits(), "granted"),
            (all, challenge(), FirstFactor::Password, Material::default(), "no code"),
            (apps, challenge(), FirstFactor::Password, waits(), "not allowed"),
        ] {
            let facts = Facts {
                account: &Account { two_factor_enabled: true, ..account() },
                tenant: &tenant(methods),
                claimant: &claimant,
                first_factor,
                expected: Expected::One(Factor::Passkey),
                presentation: presentation("000000"),
                stored,
                sent_code: SentCode::None,
                methods: &[],
                has_backup_codes: false,
                failures: 1,
                earlier_locks: 0,
                guess_level: NOW,
            };
            assert_eq!(word(&decide(facts, &Policy::default(), NOW)), outcome, "{methods:?} {first_factor:?}");
        }
    }

    /// The backup codes that an enrolment begins with say that it was begun, with the password.
    #[test]
    fn a_sent_code_confirms_an_enrolment_that_was_begun() {
        let email = &[MethodKind::Email][..];
        for (name, methods, claimant, has_backup_codes, sent_code, outcome) in [
            ("begun", email, session(), true, SentCode::Waiting(stored_code()), "granted code"),
            ("begun, nothing sent", email, session(), true, SentCode::None, "no code"),
            ("not begun", email, session(), false, SentCode::Waiting(stored_code()), "not enrolled"),
            ("not allowed", &[MethodKind::Sms][..], session(), true, SentCode::Waiting(stored_code()), "not allowed"),
        ] {
            let facts = Facts {
                account: &account(),
                tenant: &tenant(methods),
                claimant: &claimant,
                first_factor: FirstFactor::Password,
                expected: Expected::One(Factor::OneTimeCode),
                presentation: presentation("000000"),
                stored: Material::default(),
                sent_code,
                methods: &[],
                has_backup_codes,
                failures: 1,
                earlier_locks: 0,
                guess_level: NOW,
            };
            assert_eq!(word(&decide(facts, &Policy::default(), NOW)), outcome, "{name}");
        }
    }

    #[test]
    fn the_last_wrong_code_counts_once_and_what_is_refused_otherwise_is_refused_as_before() {
        let apps = || Material { authenticators: vec![authenticator()], ..Material::default() };
        let wrong = |code: &str| Some(presentation(code).guess(&apps()));
        let both = &[MethodKind::Authenticator, MethodKind::Email][..];
        for (name, methods, wrong_guess, stored, outcome) in [
            ("the first", both, None, apps(), "granted apps"),
            ("the last wrong one again", both, wrong("000000"), apps(), "repeated"),
            ("another", both, wrong("000001"), apps(), "granted apps"),
            (
                "for another app",
                both,
                wrong("000000"),
                Material { pending: Some(authenticator()), ..apps() },
                "granted apps pending x2",
            ),
            ("no app any more", both, wrong("000000"), Material::default(), "not enrolled"),
            ("not allowed any more", &[MethodKind::Email][..], wrong("000000"), apps(), "not allowed"),
        ] {
            let facts = Facts {
                account: &Account { two_factor_enabled: true, wrong_guess, ..account() },
                tenant: &tenant(methods),
                claimant: &session(),
                first_factor: FirstFactor::Password,
                expected: Expected::One(Factor::Totp),
                presentation: presentation("000000"),
                stored,
                sent_code: SentCode::None,
                methods: &[],
                has_backup_codes: false,
                failures: 1,
                earlier_locks: 0,
                guess_level: NOW,
            };
            assert_eq!(word(&decide(facts, &Policy::default(), NOW)), outcome, "{name}");
        }
    }

    #[test]
    fn the_last_attempt_of_the_quota_locks_and_each_lock_is_longer_11() {
        let policy = Policy::default();
        for (failures, earlier_locks, expected) in [
            (policy.account_failures - 1, 0, None),
            (policy.account_failures, 0, Some(policy.account_lock)),
            (policy.account_failures, 1, Some(2 * policy.account_lock)),
            (policy.account_failures + 1, 0, Some(policy.account_lock)),
        ] {
            let facts = Facts {
                account: &account(),
                tenant: &tenant(&MethodKind::ALL),
                claimant: &challenge(),
                first_factor: FirstFactor::Password,
                expected: Expected::One(Factor::Totp),
                presentation: presentation("000000"),
                stored: everything(),
                sent_code: SentCode::None,
                methods: &[],
                has_backup_codes: false,
                failures,
                earlier_locks,
                guess_level: NOW,
            };
            let Admission::Granted { locks_until, .. } = decide(facts, &policy, NOW) else { panic!("granted") };
            assert_eq!(locks_until.map(|until| until - NOW), expected as Option<Duration>);
        }
    }
    #[test]
    fn a_guess_counts_once_for_each_secret_and_the_limit_is_exact_n4() {
        let policy = Policy::default();
        let rate = policy.account_guesses;
        let apps = |count| Material { authenticators: vec![authenticator(); count], ..Material::default() };
        let any = Expected::Any { backup_code: false };
        for (stored, sent_code, expected, counted_before, outcome) in [
            (apps(1), SentCode::None, Expected::One(Factor::Totp), 98, "granted apps"),
            (apps(1), SentCode::None, Expected::One(Factor::Totp), 99, "granted apps last"),
            (apps(3), SentCode::None, Expected::One(Factor::Totp), 97, "granted apps last x3"),
            (apps(3), SentCode::None, Expected::One(Factor::Totp), 98, "guesses exhausted"),
            (apps(5), SentCode::Waiting(stored_code()), any, 94, "granted apps code last x6"),
            (apps(5), SentCode::Waiting(stored_code()), any, 95, "guesses exhausted"),
            (apps(0), SentCode::Waiting(stored_code()), any, 99, "granted code last"),
            (apps(0), SentCode::None, any, 99, "granted last"),
        ] {
            let facts = Facts {
                account: &Account { two_factor_enabled: true, ..account() },
                tenant: &tenant(&MethodKind::ALL),
                claimant: &challenge(),
                first_factor: FirstFactor::Password,
                expected,
                presentation: presentation("000000"),
                stored,
                sent_code,
                methods: &[],
                has_backup_codes: false,
                failures: 1,
                earlier_locks: 0,
                guess_level: NOW + rate.cost(counted_before + 1),
            };
            assert_eq!(word(&decide(facts, &policy, NOW)), outcome, "after {counted_before}");
        }
    }
}
