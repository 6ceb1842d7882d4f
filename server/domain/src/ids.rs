//! Typed identifiers: UUIDs of version 7 (RFC 9562 §5.7), so that new rows land beside each other in an index.
//!
//! An identifier names a row; it opens nothing. What opens something is in [`crate::secret`].

use crate::time::Timestamp;
use rand_core::CryptoRng;
use std::fmt;
use uuid::{Builder, Uuid};

macro_rules! identifier {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier whose time part is `now`.
            #[must_use]
            pub fn generate(now: Timestamp, random: &mut dyn CryptoRng) -> Self {
                let mut bytes = [0; 10];
                random.fill_bytes(&mut bytes);
                let millis = u64::try_from(now.as_millis()).unwrap_or(0);
                Self(Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
            }

            /// Reads an identifier with or without hyphens.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Uuid::try_parse(text).ok().map(Self)
            }

            /// The form of the FusionAuth dialect: lower-case hexadecimal digits in five groups.
            #[must_use]
            pub fn to_hyphenated(self) -> String {
                self.0.hyphenated().to_string()
            }

            /// The form of the Better Auth dialect and of the database: 32 lower-case hexadecimal digits.
            #[must_use]
            pub fn to_text(self) -> String {
                self.0.simple().to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}", self.0.simple())
            }
        }
    )* };
}

identifier! {
    /// Names a person's account, the same one in both dialects.
    AccountId,
    /// Names a signed-in session.
    SessionId,
    /// Names one second factor enrolled, or being enrolled, by an account.
    MethodId,
    /// Names one backup code.
    BackupCodeId,
    /// Names one line of the audit trail.
    AuditId,
    /// Names a tenant: a set of people that has nothing to do with other sets.
    TenantId,
    /// Names an application that people sign in to.
    ApplicationId,
    /// Names a person's registration for an application.
    RegistrationId,
    /// Names the refresh tokens that follow from one sign-in.
    RefreshTokenId,
    /// Names a key of a service.
    ApiKeyId,
}

impl TenantId {
    /// The tenant that is there when none is configured; everybody who signs up in the Better Auth dialect belongs to
    /// the first tenant.
    pub const DEFAULT: Self = Self(Uuid::from_u128(0xc0de_0000_0000_4000_8000_0000_0000_0001));
}

impl ApplicationId {
    /// The application that is there when none is configured.
    pub const DEFAULT: Self = Self(Uuid::from_u128(0xc0de_0000_0000_4000_8000_0000_0000_0002));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn later_identifiers_sort_after_earlier_ones_and_survive_their_text() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let first = AccountId::generate(Timestamp::from_millis(1_700_000_000_000), &mut random);
        let second = AccountId::generate(Timestamp::from_millis(1_700_000_000_001), &mut random);
        assert!(first.to_text() < second.to_text());
        assert_eq!(first.to_text().len(), 32);
        assert_eq!(AccountId::parse(&first.to_text()), Some(first));
        assert_eq!(AccountId::parse("not an id"), None);
    }
}
