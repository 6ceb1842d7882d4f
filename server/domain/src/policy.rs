//! Lifetimes, quotas and limits that a deployment may set, with the reason for each default.
//!
//! Sizes that stored or shown values depend on (password length, code length, hashing cost) are constants beside their
//! types.

use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Lifetimes, quotas and limits. The defaults are those of the dialects' own servers, within what OWASP ASVS 5.0 allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a session lives after sign-in or refresh: 7 days.
    pub session_lifetime: Duration,
    /// Lifetime of a session that is not remembered: 1 day.
    pub brief_session_lifetime: Duration,
    /// Age since the last refresh from which a session is extended when it is read: 1 day.
    pub session_refresh_age: Duration,
    /// Age up to which a session counts as fresh, which listing sessions asks for: 1 day.
    pub session_fresh_age: Duration,
    /// How long a challenge may be answered: 10 minutes (NIST SP 800-63B-4 §3.1.3.2 allows no more).
    pub challenge_lifetime: Duration,
    /// The same for a challenge of the FusionAuth dialect, and for the codes sent for it: 5 minutes, as documented there.
    pub two_factor_id_lifetime: Duration,
    /// Attempts per challenge, over all factors: 5.
    pub challenge_tries: u32,
    /// How many consecutive wrong second factors lock an account, over all factors, challenges, sessions and
    /// dialects: 10 (NIST allows 100).
    pub account_failures: u32,
    /// How long the first lock holds: 15 minutes. Each further one without a success in between holds twice as
    /// long, up to [`Policy::longest_account_lock`].
    pub account_lock: Duration,
    /// The longest a lock holds: 1 day, so that the owner of an account under attack can still sign in once a day.
    pub longest_account_lock: Duration,
    /// How long a device stays trusted since it was last used: 30 days.
    pub trust_lifetime: Duration,
    /// Lifetime of a one-time code: 3 minutes (OWASP ASVS 5.0, 6.5.5 allows 10).
    pub one_time_code_lifetime: Duration,
    /// Lifetime of a one-time code that proves an address or removes a method: 1 minute, as the FusionAuth dialect
    /// documents.
    pub method_code_lifetime: Duration,
    /// Attempts per one-time code: 5.
    pub one_time_code_tries: u32,
    /// How many codes are sent for one account within [`Policy::one_time_code_window`]: 10 (attack 45).
    pub one_time_codes: u32,
    /// The window of [`Policy::one_time_codes`]: 1 hour.
    pub one_time_code_window: Duration,
    /// How many wrong passwords one client address may give for one login name within
    /// [`Policy::password_window`]: 10. Counted per pair of name and address, so that an attacker
    /// elsewhere cannot lock the user out.
    pub password_failures: u32,
    /// The window of [`Policy::password_failures`]: 15 minutes.
    pub password_window: Duration,
    /// Whether new passwords are compared with a list of common ones and with the user's names: yes (NIST SP 800-63B-4
    /// §3.1.1.2).
    pub password_blocklist: bool,
    /// How long an access token lives: 1 hour.
    pub access_token_lifetime: Duration,
    /// How long a refresh token lives, from the sign-in or from its last use: 30 days.
    pub refresh_token_lifetime: Duration,
    /// Lifetime of the ticket that shows that a second factor was passed: 3 minutes.
    pub trust_token_lifetime: Duration,
    /// Lifetime of a ticket to change the password: 10 minutes.
    pub change_password_lifetime: Duration,
    /// Lifetime of the one-time password that signs in after a password change: 1 minute.
    pub one_time_password_lifetime: Duration,
    /// Groups of five characters in a new backup code: 2, the form that the dialects' clients show, of 51 bits or more. 3 have
    /// 77 bits or more, where NIST SP 800-63B-4 §4.2.1.1 asks for 64 (N10).
    pub backup_code_groups: usize,
    /// How many methods one account may have: 16.
    pub methods_per_account: usize,
    /// Steps before and after the current one that a TOTP code may be from: 1, for clocks that drift
    /// (RFC 6238 §5.2).
    pub totp_skew: u16,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            session_lifetime: 7 * DAY,
            brief_session_lifetime: DAY,
            session_refresh_age: DAY,
            session_fresh_age: DAY,
            challenge_lifetime: 10 * MINUTE,
            two_factor_id_lifetime: 5 * MINUTE,
            challenge_tries: 5,
            account_failures: 10,
            account_lock: 15 * MINUTE,
            longest_account_lock: DAY,
            trust_lifetime: 30 * DAY,
            one_time_code_lifetime: 3 * MINUTE,
            method_code_lifetime: MINUTE,
            one_time_code_tries: 5,
            one_time_codes: 10,
            one_time_code_window: 60 * MINUTE,
            password_failures: 10,
            password_window: 15 * MINUTE,
            password_blocklist: true,
            access_token_lifetime: 60 * MINUTE,
            refresh_token_lifetime: 30 * DAY,
            trust_token_lifetime: 3 * MINUTE,
            change_password_lifetime: 10 * MINUTE,
            one_time_password_lifetime: MINUTE,
            backup_code_groups: 2,
            methods_per_account: 16,
            totp_skew: 1,
        }
    }
}

impl Policy {
    /// Duration of a lock that follows `earlier` locks without a success in between.
    #[must_use]
    pub fn lock_after(&self, earlier: u32) -> Duration {
        let doubled = 2_u32.checked_pow(earlier).and_then(|factor| self.account_lock.checked_mul(factor));
        doubled.unwrap_or(self.longest_account_lock).min(self.longest_account_lock.max(self.account_lock))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_double_until_a_day() {
        let policy = Policy::default();
        assert_eq!(policy.lock_after(0), 15 * MINUTE);
        assert_eq!(policy.lock_after(1), 30 * MINUTE);
        assert_eq!(policy.lock_after(6), 16 * 60 * MINUTE);
        for locks in [7, 31, 32, u32::MAX] {
            assert_eq!(policy.lock_after(locks), DAY);
        }
    }

    /// RFC 4226 §6: each try of a guesser succeeds with the size of the window over 10^6. Once the locks are a day
    /// long there are as many tries a day as the quota has; half a chance of success then takes decades.
    #[test]
    fn guessing_a_code_takes_decades_under_the_default_quota_11() {
        let policy = Policy::default();
        let chance_per_try = f64::from(2 * policy.totp_skew + 1) / 1e6;
        let tries_per_year =
            f64::from(policy.account_failures) * 365.0 * DAY.as_secs_f64() / policy.lock_after(u32::MAX).as_secs_f64();
        let years_to_half_a_chance = (0.5_f64.ln() / (1.0 - chance_per_try).ln()) / tries_per_year;
        assert!(years_to_half_a_chance > 60.0, "{years_to_half_a_chance} years");
        assert!(policy.account_failures <= 100, "N4");
        assert!(policy.one_time_code_lifetime <= 10 * MINUTE, "A 6.5.5");
    }
}
