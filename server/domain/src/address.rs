//! Kinds of second factors, and the addresses that one-time codes are sent to.

use crate::account::{EmailAddress, PhoneNumber};

/// Kind of a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MethodKind {
    Authenticator,
    /// One-time codes by e-mail.
    Email,
    /// One-time codes by SMS.
    Sms,
    /// A public key whose private half an authenticator holds.
    Passkey,
}

impl MethodKind {
    /// In the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Authenticator, Self::Email, Self::Sms, Self::Passkey];

    /// Name on the wire and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authenticator => "authenticator",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Passkey => "passkey",
        }
    }

    /// Whether an account without a second factor gets one by enrolling such a method. A passkey does not: it signs in, and becomes a
    /// second factor once there is one.
    #[must_use]
    pub const fn can_be_first(self) -> bool {
        !matches!(self, Self::Passkey)
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

/// Address that one-time codes are sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Email(EmailAddress),
    Sms(PhoneNumber),
}

impl Address {
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(address) => address.as_str(),
            Self::Sms(number) => number.as_str(),
        }
    }

    /// Reads the stored address of a method of this kind; `None` for an authenticator app or a passkey, which has none.
    #[must_use]
    pub fn read(kind: MethodKind, text: &str) -> Option<Self> {
        match kind {
            MethodKind::Authenticator | MethodKind::Passkey => None,
            MethodKind::Email => Some(Self::Email(EmailAddress::new(text))),
            MethodKind::Sms => PhoneNumber::new(text).map(Self::Sms),
        }
    }

    /// The kind of method that this address makes.
    #[must_use]
    pub fn kind(&self) -> MethodKind {
        match self {
            Self::Email(_) => MethodKind::Email,
            Self::Sms(_) => MethodKind::Sms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_their_names() {
        for kind in MethodKind::ALL {
            assert_eq!(MethodKind::parse(kind.name()), Some(kind));
        }
        assert_eq!(MethodKind::parse("voice"), None);
    }
}
