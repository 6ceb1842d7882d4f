//! People and what identifies them.

use crate::ids::AccountId;
use crate::password::PasswordHash;
use crate::time::Timestamp;

/// An e-mail address in the one form that is stored and compared: lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Takes an address whose grammar the caller has checked; letter case does not tell two people apart (attack 33).
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A person's account, the same in both dialects.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name.
    pub id: AccountId,
    /// Where mail goes, and what the person signs in with.
    pub email: EmailAddress,
    /// What the person is called; may be empty.
    pub name: String,
    /// Whether the address was proven to be the person's.
    pub email_verified: bool,
    /// Where a picture of the person is.
    pub image: Option<String>,
    /// The password's hash; `None` for an account that has no password.
    pub password: Option<PasswordHash>,
    /// Whether signing in asks for a second factor.
    pub two_factor_enabled: bool,
    /// Counts changes of the password and of the second factor. A sign-in that began before such a change is not
    /// completed after it.
    pub credentials_version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its own fields last changed.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_differ_in_case_are_one_address_33() {
        assert_eq!(EmailAddress::new("Ada@Example.ORG"), EmailAddress::new("ada@example.org"));
    }
}
