//! Lifetimes, quotas and limits that a deployment may set, with the reason for each default.
//!
//! Sizes that stored or shown values depend on (password length, code length, hashing cost) are constants beside their
//! types.

use crate::password;
use crate::rate::Rate;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The most users that one search returns: 500, some 500 kB of JSON.
pub const USERS_AT_ONCE: u32 = 500;

/// How many users a search returns that does not say how many: 25, as FusionAuth's API has it.
pub const USERS_BY_DEFAULT: u32 = 25;

/// The last user of a search that can be reached by paging: the 10,000th, as in FusionAuth's API. Users before a page are read to
/// be passed over, so that the number bounds what a page costs. Totals are exact up to it, unless more is asked for.
pub const REACHABLE_USERS: u32 = 10_000;

/// Lifetimes, quotas and limits. The defaults are those of the dialects' own servers, within what OWASP ASVS 5.0 allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a session lives after sign-in or its last extension: 7 days, as on the dialect's own server.
    pub session_lifetime: Duration,
    /// How long a session lives after sign-in however it is used: 30 days (NIST SP 800-63B-4 §2.1.3 for one factor; N12).
    pub session_absolute_lifetime: Duration,
    /// The same for a session that is not remembered: 1 day.
    pub brief_session_lifetime: Duration,
    /// How often the last use of a session is written, at most: each 5 minutes. A list is exact enough with that, and requests in a
    /// session write no more often.
    pub session_use_interval: Duration,
    /// How long a request waits for that write, or for the one that extends its session, and goes on without: 1 s. Neither is what
    /// the request is for.
    pub session_write_wait: Duration,
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
    /// How many guesses at the second factor of one account are judged in the long run, whatever succeeds in between: 100 for
    /// each 30 days. A guess that is compared with several secrets counts once for each, so this bounds the chance of a guesser who
    /// has the password; `guessing.rs` computes it. A right code is no guess. NIST SP 800-63B-4 §3.2.2
    /// allows as many failures in a row.
    pub account_guesses: Rate,
    /// How long a device stays trusted since it was last used: 30 days.
    pub trust_lifetime: Duration,
    /// How long a device stays trusted however it is used: 90 days, so that a second factor is asked for four times a year
    /// on a device that is used each day.
    pub trust_absolute_lifetime: Duration,
    /// How long a rotating trust that was just replaced is known as such: 1 minute. A browser that sends a sign-in twice gets
    /// the second response after the first one; it must not lose the new cookie by it. The old value opens nothing meanwhile.
    pub trust_rotation_grace: Duration,
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
    /// How many wrong codes one account may give for addresses that are to become its methods: 10 for each day, whatever code
    /// they are for. A code proves an address, and a new code brings no new guesses (N5).
    pub address_proofs: Rate,
    /// How many text messages are sent within [`Policy::text_message_window`] to numbers that begin alike: 50. Ranges of
    /// premium-rate numbers are requested in bulk (attack 45). Codes for confirmed methods and codes to numbers
    /// that are yet to be proved are counted apart, here and in the next two, so that a stranger's requests leave sign-ins alone.
    pub text_messages_per_prefix: u32,
    /// How many text messages are sent within [`Policy::text_message_window`] at the request of one client network: 20.
    /// Requests of a service are not counted, because it asks for all its users.
    pub text_messages_per_network: u32,
    /// How many text messages are sent within [`Policy::text_message_window`] for one account, and to one number: 15. Who signs
    /// in with each message needs a few a day. An account with a proved number may be a stranger's: with
    /// [`Policy::one_time_codes`] alone it could take 240, and so all that its prefix has and a quarter of those in all.
    pub text_messages_per_account: u32,
    /// How many text messages are sent within [`Policy::text_message_window`] in all: 1,000.
    pub text_messages: u32,
    /// The window of the limits of text messages: 1 day.
    pub text_message_window: Duration,
    /// How many wrong passwords one client network may give for one login name, and for one account, within
    /// [`Policy::password_window`]: 10.
    pub password_failures: u32,
    /// The window of [`Policy::password_failures`]: 15 minutes.
    pub password_window: Duration,
    /// How many wrong passwords are judged for one login name, and for one account, from wherever they come: 50 at once, then
    /// one every 20 minutes. NIST SP 800-63B-4 §3.2.2 (N4) wants fewer than 100 in a row for each authenticator, and a password is one;
    /// it names waiting times as a means. It slows and does not lock, because anybody can use it up. Requests of known devices and
    /// from known networks have a limit of this size for themselves, so that its owner gets in meanwhile.
    pub password_guesses: Rate,
    /// How long a network counts as known to an account since the last sign-in from there: 30 days, as a trusted device.
    pub known_network_lifetime: Duration,
    /// Whether new passwords are compared with a list of common ones and with the user's names: yes (NIST SP 800-63B-4
    /// §3.1.1.2).
    pub password_blocklist: bool,
    /// Code points of a new password, at least.
    pub shortest_password: usize,
    /// How long an access token lives: 1 hour.
    pub access_token_lifetime: Duration,
    /// How long a refresh token lives, from the sign-in or from its last use: 30 days.
    pub refresh_token_lifetime: Duration,
    /// How long after a sign-in the last of its refresh tokens ends, however they are used: 90 days (A 7.3.2).
    pub refresh_token_absolute_lifetime: Duration,
    /// How long a one-time refresh token that was used still leads to the one that took its place: 10 seconds. Tabs, retries and
    /// nodes of one client send a token several times at once; a presentation that comes later than a request can take is another party's.
    pub refresh_token_grace: Duration,
    /// How long ago a second factor may have been passed when factors, recovery codes or the password are changed: 1 hour
    /// (A 7.5.1). A session renews it by passing a second factor, a holder of an access token by signing in.
    pub assurance_lifetime: Duration,
    /// Lifetime of the ticket that shows that a second factor was passed: 3 minutes.
    pub trust_token_lifetime: Duration,
    /// Lifetime of a ticket to change the password: 10 minutes.
    pub change_password_lifetime: Duration,
    /// Lifetime of a mailed link that sets a new password: 1 hour, as on Better Auth's own server (the OWASP Forgot Password Cheat
    /// Sheet asks for an appropriate period).
    pub reset_link_lifetime: Duration,
    /// Lifetime of a mailed link that proves an address: 1 hour, as on the dialect's own server.
    pub verification_link_lifetime: Duration,
    /// Lifetime of a mailed link, or of a code, that signs in without a password: 10 minutes, the longest that A 6.5.5 lets a mailed
    /// code live. FusionAuth's own 3 minutes leave little for the mail to arrive.
    pub sign_in_link_lifetime: Duration,
    /// Whether mailed links sign in without a password: yes. Not with the strict profile (N7, A 6.3.6).
    pub signs_in_by_mail: bool,
    /// Lifetime of a mailed link that deletes the account: 1 day, as on the dialect's own server.
    pub deletion_link_lifetime: Duration,
    /// How long the link in the notice to a former address gives it back: 7 days, so that an owner who is away for some days
    /// does not come too late.
    pub restoration_lifetime: Duration,
    /// Least time that a request for a mailed link takes, whether there is such an account or not: 200 ms. Sealing and storing the
    /// message takes a few.
    pub link_request_time: Duration,
    /// Whether following a link that proves an address signs in, in a browser without a session: no, as on the dialect's own server.
    pub signs_in_after_verification: bool,
    /// Whether owners may delete their accounts: yes.
    pub owners_delete_accounts: bool,
    /// Lifetime of the one-time password that signs in after a password change: 1 minute.
    pub one_time_password_lifetime: Duration,
    /// Groups of five characters in a new backup code: 2, the form that the dialects' clients show, of 51 bits or more. The
    /// strict profile has 3, of 77 bits or more: NIST SP 800-63B-4 §4.2.1.1 asks for 64 (N10).
    pub backup_code_groups: usize,
    /// How long it is tried to deliver a notice: 3 days, so that it outlives a weekend without a mail server.
    pub notice_lifetime: Duration,
    /// How many notices an account gets in a day at an address that nobody has verified: 5. It may be a stranger's; at a
    /// verified one there is no limit, because a thief could use it up.
    pub unverified_notices_per_day: u32,
    /// How long ago the last sign-in of an account may lie without a notice about the next one: 90 days, as long as a refresh token
    /// lives by default. Misuse of an account that is not used goes unnoticed (N11).
    pub long_absence: Duration,
    /// How many devices an account trusts at most: 100. The one that was used longest ago gives way, because each sign-in can add one.
    pub trusted_devices_per_account: u32,
    /// How many methods one account may have: 16.
    pub methods_per_account: usize,
    /// How many of them may be authenticator apps: 5. A guess without the method's name is compared with each of them.
    pub authenticators_per_account: usize,
    /// How many passkeys one account may have, apart from its other methods: 20. They are what a browser is sent with each ceremony.
    pub passkeys_per_account: u32,
    /// How long a browser has to respond to a request for a passkey: 5 minutes, as long as the dialect's own server keeps it.
    pub passkey_ceremony_lifetime: Duration,
    /// The same where the challenge itself finds the ceremony: 3 minutes, the default of the dialect's own server.
    pub passkey_challenge_lifetime: Duration,
    /// How many ceremonies of one account may wait for their responses, for each purpose and, as a second factor, for each challenge: 16.
    /// The oldest one is deleted. Those of sign-ins are not limited, because anybody can begin one who knows a user's name.
    pub passkey_ceremonies: u32,
    /// Steps before and after the current one that a TOTP code may be from: 1, for clocks that drift
    /// (RFC 6238 §5.2).
    pub totp_skew: u16,
    /// How many requests of one client are served, by operation. They protect the server; accounts have quotas of their own.
    pub request_rates: RequestRates,
}

/// How many requests of one client to one operation are served within a window that begins with the last one served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestRates {
    /// 10 seconds, as on Better Auth's own server.
    pub window: Duration,
    /// For operations of the Better Auth dialect in which a secret can be guessed: 3, as on its own server.
    pub guessable: u32,
    /// For its other operations, as on its own server, and in the FusionAuth dialect where a credential is needed and was not
    /// yet found to be valid: 100.
    pub general: u32,
    /// For operations of the FusionAuth dialect without a credential, which services call for all their users from one address,
    /// and for each access token: 1,000. Valid API keys have no such limit.
    pub service: u32,
}

impl Default for RequestRates {
    fn default() -> Self {
        Self { window: Duration::from_secs(10), guessable: 3, general: 100, service: 1_000 }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            session_lifetime: 7 * DAY,
            session_absolute_lifetime: 30 * DAY,
            brief_session_lifetime: DAY,
            session_use_interval: 5 * MINUTE,
            session_write_wait: Duration::from_secs(1),
            session_fresh_age: DAY,
            challenge_lifetime: 10 * MINUTE,
            two_factor_id_lifetime: 5 * MINUTE,
            challenge_tries: 5,
            account_failures: 10,
            account_lock: 15 * MINUTE,
            longest_account_lock: DAY,
            account_guesses: Rate::per(100, 30 * DAY),
            trust_lifetime: 30 * DAY,
            trust_absolute_lifetime: 90 * DAY,
            trust_rotation_grace: MINUTE,
            one_time_code_lifetime: 3 * MINUTE,
            method_code_lifetime: MINUTE,
            one_time_code_tries: 5,
            one_time_codes: 10,
            one_time_code_window: 60 * MINUTE,
            address_proofs: Rate::per(10, DAY),
            text_messages_per_prefix: 50,
            text_messages_per_network: 20,
            text_messages_per_account: 15,
            text_messages: 1000,
            text_message_window: DAY,
            password_failures: 10,
            password_window: 15 * MINUTE,
            password_guesses: Rate { burst: 50, interval: 20 * MINUTE },
            known_network_lifetime: 30 * DAY,
            password_blocklist: true,
            shortest_password: password::SHORTEST,
            access_token_lifetime: 60 * MINUTE,
            refresh_token_lifetime: 30 * DAY,
            refresh_token_absolute_lifetime: 90 * DAY,
            refresh_token_grace: Duration::from_secs(10),
            assurance_lifetime: HOUR,
            trust_token_lifetime: 3 * MINUTE,
            change_password_lifetime: 10 * MINUTE,
            reset_link_lifetime: HOUR,
            verification_link_lifetime: HOUR,
            sign_in_link_lifetime: 10 * MINUTE,
            signs_in_by_mail: true,
            deletion_link_lifetime: DAY,
            restoration_lifetime: 7 * DAY,
            link_request_time: Duration::from_millis(200),
            signs_in_after_verification: false,
            owners_delete_accounts: true,
            one_time_password_lifetime: MINUTE,
            backup_code_groups: 2,
            notice_lifetime: 3 * DAY,
            unverified_notices_per_day: 5,
            long_absence: 90 * DAY,
            trusted_devices_per_account: 100,
            methods_per_account: 16,
            authenticators_per_account: 5,
            passkeys_per_account: 20,
            passkey_ceremony_lifetime: 5 * MINUTE,
            passkey_challenge_lifetime: 3 * MINUTE,
            passkey_ceremonies: 16,
            totp_skew: 1,
            request_rates: RequestRates::default(),
        }
    }
}

impl Policy {
    /// The strict profile: what NIST SP 800-63B-4 §2.2.3 asks of the second assurance level (a new sign-in after 24 hours, and
    /// after an hour without use, N12) and OWASP ASVS 5.0 of level 3, where the defaults follow the dialects' own servers. A
    /// trusted device stands in for the second factor (N14) for no longer than a session may last. What manages factors was
    /// proven within 15 minutes.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            session_lifetime: HOUR,
            session_absolute_lifetime: DAY,
            trust_lifetime: DAY,
            trust_absolute_lifetime: DAY,
            access_token_lifetime: 15 * MINUTE,
            refresh_token_lifetime: HOUR,
            refresh_token_absolute_lifetime: DAY,
            assurance_lifetime: 15 * MINUTE,
            session_fresh_age: 15 * MINUTE,
            brief_session_lifetime: HOUR,
            // A TOTP code is good for 30 seconds (A 6.5.5).
            totp_skew: 0,
            backup_code_groups: 3,
            signs_in_by_mail: false,
            ..Self::default()
        }
    }

    /// Age since its last extension from which a session is extended when it is read: a seventh of its lifetime, at most a
    /// day. With the default that is a day, as on the dialect's own server; a row is written no more often than that.
    #[must_use]
    pub fn session_refresh_age(&self) -> Duration {
        (self.session_lifetime / 7).min(DAY)
    }

    /// How long a session lives after its sign-in however it is used.
    #[must_use]
    pub fn session_end(&self, is_remembered: bool) -> Duration {
        match is_remembered {
            true => self.session_absolute_lifetime,
            false => self.session_absolute_lifetime.min(self.brief_session_lifetime),
        }
    }

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
    fn the_strict_profile_keeps_the_numbers_of_the_standards_n12() {
        let strict = Policy::strict();
        for lifetime in [strict.session_lifetime, strict.brief_session_lifetime, strict.refresh_token_lifetime] {
            assert!(lifetime <= 60 * MINUTE, "N12: an hour without use");
        }
        assert!(strict.session_refresh_age() < strict.session_lifetime, "use has to extend a session");
        assert!(strict.trust_lifetime <= DAY && strict.access_token_lifetime <= 60 * MINUTE);
        assert_eq!(strict.totp_skew, 0, "A 6.5.5");
        assert!(strict.one_time_code_lifetime <= 10 * MINUTE, "A 6.5.5");
        assert!(!strict.signs_in_by_mail, "A 6.3.6");
        assert!(Policy::default().sign_in_link_lifetime <= 10 * MINUTE, "A 6.5.5");
    }

    #[test]
    fn one_account_takes_a_small_part_of_the_text_messages_45() {
        let policy = Policy::default();
        assert!(policy.text_messages_per_account <= policy.text_messages_per_network);
        assert!(policy.text_messages_per_account * 3 <= policy.text_messages_per_prefix);
        assert!(policy.text_messages_per_account > policy.one_time_codes, "an hour is no day");
    }

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

    #[test]
    fn strict_lifetimes_are_those_of_n12_and_shorter_than_the_defaults_n12() {
        let (strict, default) = (Policy::strict(), Policy::default());
        assert_eq!((strict.session_lifetime, strict.session_absolute_lifetime), (HOUR, DAY));
        assert_eq!((strict.refresh_token_lifetime, strict.refresh_token_absolute_lifetime), (HOUR, DAY));
        assert!(strict.trust_absolute_lifetime <= DAY && strict.trust_lifetime <= DAY);
        assert!(strict.assurance_lifetime <= 15 * MINUTE && default.assurance_lifetime <= HOUR);
        for policy in [strict, default] {
            assert!(policy.session_lifetime <= policy.session_absolute_lifetime);
            assert!(policy.refresh_token_lifetime <= policy.refresh_token_absolute_lifetime);
            assert!(policy.trust_lifetime <= policy.trust_absolute_lifetime);
            assert!(policy.session_refresh_age() < policy.session_lifetime);
        }
        assert_eq!(Policy::default().session_refresh_age(), DAY);
    }
}
