//! May a backup take the place of a database, and what ends by that?
//!
//! A restored database is one of the past. What was used up since the backup would be good again: codes, links, tokens that
//! have been followed by newer ones; what was revoked or signed out would live again. So everything that credentials have
//! opened ends, for all accounts. Versions of accounts move on to numbers that no account had after the backup, so that no access
//! token of that time becomes valid by chance, and no code of an app that may have been used counts again.
//!
//! What stays as it was at the backup, because nothing says what became of it: passwords, methods, backup codes, API keys, locks,
//! whether an account is active or there at all.

use super::endings::{Ending, Grant};
use crate::backup::Head;
use crate::time::Timestamp;
use crate::totp::STEP_SECONDS;

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What the backup says of itself; its MAC is right.
    pub head: &'a Head,
    /// What is there behind the head, in bytes.
    pub payload_bytes: u64,
    /// SHA-256 of that in hexadecimal digits, once it was read.
    pub payload_sha256: Option<&'a str>,
    /// Version of the newest migration that this program knows.
    pub newest_migration: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restore {
    Possible,
    Refused(Unusable),
}

/// Why a backup cannot take the place of a database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("it is incomplete: {found} of {expected} bytes follow its head")]
    Incomplete { expected: u64, found: u64 },
    #[error("it was altered: something was appended to it")]
    TooLong,
    #[error("it was altered: what follows its head has another SHA-256 than its head says")]
    Altered,
    #[error(
        "its tables are newer than this program: it has the migration {migration} and was written by version {program}; use that \
         version, or a newer one"
    )]
    NewerTables { migration: String, program: String },
}

#[must_use]
pub fn decide(facts: &Facts<'_>) -> Restore {
    let (expected, found) = (facts.head.payload_bytes, facts.payload_bytes);
    // Versions of migrations are numbers of one length.
    if facts.head.newest_migration.as_str() > facts.newest_migration {
        return Restore::Refused(Unusable::NewerTables {
            migration: facts.head.newest_migration.clone(),
            program: facts.head.program.clone(),
        });
    }
    match found.cmp(&expected) {
        std::cmp::Ordering::Less => Restore::Refused(Unusable::Incomplete { expected, found }),
        std::cmp::Ordering::Greater => Restore::Refused(Unusable::TooLong),
        std::cmp::Ordering::Equal => match facts.payload_sha256 {
            Some(found) if found != facts.head.payload_sha256 => Restore::Refused(Unusable::Altered),
            Some(_) | None => Restore::Possible,
        },
    }
}

/// What a grant of each kind comes to when all grants end.
#[must_use]
pub fn ending(grant: Grant) -> Ending {
    match grant {
        Grant::Session
        | Grant::RefreshToken
        | Grant::AccessToken
        | Grant::TrustedDevice
        | Grant::Challenge
        | Grant::Ticket
        | Grant::OneTimeCode => Ending::Ends,
        // Who has taken an account over must not be able to end it.
        Grant::FormerAddress => Ending::Survives,
    }
}

/// What is added to the versions of all accounts: the seconds since 1970. Versions count changes of an account, fewer than one in
/// a second, so that no account has had a version that it gets by this, in whatever became of it since the backup.
#[must_use]
pub fn raised_by(now: Timestamp) -> i64 {
    i64::try_from(now.as_unix_seconds()).unwrap_or(i64::MAX / 2)
}

/// The TOTP step up to which all codes count as used: the one after the current one, because a code may be one step early.
#[must_use]
pub fn used_up_to(now: Timestamp) -> i64 {
    i64::try_from(now.as_unix_seconds() / STEP_SECONDS + 1).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::NOW;
    use std::time::Duration;

    fn head(newest_migration: &str) -> Head {
        Head {
            program: "1.2.3".to_owned(),
            taken_at: String::new(),
            newest_migration: newest_migration.to_owned(),
            database_bytes: 1_000,
            payload_bytes: 100,
            payload_sha256: "ab".to_owned(),
            key_id: String::new(),
        }
    }

    #[test]
    fn every_length_and_every_age_of_the_tables() {
        let incomplete = |found| Restore::Refused(Unusable::Incomplete { expected: 100, found });
        let newer = |migration: &str| {
            let (migration, program) = (migration.to_owned(), "1.2.3".to_owned());
            Restore::Refused(Unusable::NewerTables { migration, program })
        };
        for (newest_of_backup, payload_bytes, expected) in [
            ("00000000000023", 100, Restore::Possible),
            ("00000000000022", 100, Restore::Possible),
            ("00000000000024", 100, newer("00000000000024")),
            ("00000000000100", 100, newer("00000000000100")),
            ("00000000000024", 99, newer("00000000000024")),
            ("00000000000023", 0, incomplete(0)),
            ("00000000000023", 99, incomplete(99)),
            ("00000000000023", 101, Restore::Refused(Unusable::TooLong)),
        ] {
            let head = head(newest_of_backup);
            for payload_sha256 in [None, Some("ab")] {
                let facts = Facts { head: &head, payload_bytes, payload_sha256, newest_migration: "00000000000023" };
                assert_eq!(decide(&facts), expected, "{newest_of_backup} {payload_bytes}");
            }
        }
        let head = head("00000000000023");
        let facts =
            Facts { head: &head, payload_bytes: 100, payload_sha256: Some("ac"), newest_migration: "00000000000023" };
        assert_eq!(decide(&facts), Restore::Refused(Unusable::Altered));
    }

    #[test]
    fn everything_ends_but_the_way_back_to_an_address() {
        for (grant, expected) in [
            (Grant::Session, Ending::Ends),
            (Grant::RefreshToken, Ending::Ends),
            (Grant::AccessToken, Ending::Ends),
            (Grant::TrustedDevice, Ending::Ends),
            (Grant::Challenge, Ending::Ends),
            (Grant::Ticket, Ending::Ends),
            (Grant::OneTimeCode, Ending::Ends),
            (Grant::FormerAddress, Ending::Survives),
        ] {
            assert_eq!(ending(grant), expected, "{grant:?}");
        }
    }

    /// Of the same backup, restored twice, and used in between.
    #[test]
    fn no_version_is_had_twice() {
        let first = raised_by(NOW);
        let second = raised_by(NOW + Duration::from_secs(60));
        assert!(first > 1_000_000_000);
        assert_eq!(second - first, 60, "fewer changes than that have happened in between");
    }

    #[test]
    fn codes_of_now_and_of_the_next_step_are_used() {
        assert_eq!(used_up_to(Timestamp::from_millis(0)), 1);
        assert_eq!(used_up_to(Timestamp::from_millis(29_999)), 1);
        assert_eq!(used_up_to(Timestamp::from_millis(30_000)), 2);
    }
}
