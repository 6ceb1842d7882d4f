//! Kinds of second factors, and the addresses that one-time codes are sent to.

use crate::account::{EmailAddress, PhoneNumber};

/// Kind of a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MethodKind {
    /// An authenticator app.
    Authenticator,
    /// Codes sent by mail.
    Email,
    /// Codes sent by SMS.
    Sms,
}

impl MethodKind {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Authenticator, Self::Email, Self::Sms];

    /// Its name, on the wire and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authenticator => "authenticator",
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

/// Address that one-time codes are sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// By mail.
    Email(EmailAddress),
    /// By SMS.
    Sms(PhoneNumber),
}

impl Address {
    /// The address alone.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(address) => address.as_str(),
            Self::Sms(number) => number.as_str(),
        }
    }

    /// The address of a method of `kind`, from its stored form.
    #[must_use]
    pub fn read(kind: MethodKind, text: &str) -> Option<Self> {
        match kind {
            MethodKind::Authenticator => None,
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
