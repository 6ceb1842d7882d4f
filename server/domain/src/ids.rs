//! Typed identifiers: UUIDs of version 7 (RFC 9562 §5.7), so that new rows are neighbours in an index.
//!
//! An identifier is not a credential. Credentials are in [`crate::secret`].

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
    /// Id of an account, the same in both dialects.
    AccountId,
    /// Id of a session.
    SessionId,
    /// Id of a second factor that is enrolled or being enrolled.
    MethodId,
    /// Id of a backup code.
    BackupCodeId,
    /// Id of an audit event.
    AuditId,
    /// Id of a tenant.
    TenantId,
    /// Id of an application.
    ApplicationId,
    /// Id of a user's registration for an application.
    RegistrationId,
    /// Id shared by the refresh tokens that follow from one sign-in.
    RefreshTokenId,
    /// Id of an API key.
    ApiKeyId,
    /// Id of a message to a user.
    MessageId,
    /// Id of a trusted device, the same after its token was replaced.
    TrustedDeviceId,
    /// Id of an event that is sent to receivers of webhooks.
    WebhookEventId,
}

impl AuditId {
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl From<AuditId> for MessageId {
    /// The id of the message that goes with an audit event.
    fn from(AuditId(id): AuditId) -> Self {
        Self(id)
    }
}

impl TrustedDeviceId {
    /// The id with these bytes, as a UUID of version 8 (RFC 9562 §5.8).
    pub(crate) fn of_bytes(bytes: [u8; 16]) -> Self {
        Self(Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl WebhookEventId {
    /// The id with these bytes, as a UUID of version 8 (RFC 9562 §5.8).
    pub(crate) fn of_bytes(bytes: [u8; 16]) -> Self {
        Self(Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl TenantId {
    /// The tenant that exists if none is configured.
    pub const DEFAULT: Self = Self(Uuid::from_u128(0xc0de_0000_0000_4000_8000_0000_0000_0001));
}

impl ApplicationId {
    /// The application that exists if none is configured.
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
