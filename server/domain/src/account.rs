//! People and what identifies them.

use crate::ids::{AccountId, TenantId};
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

/// A name to sign in with. It is shown as it was chosen; letter case does not tell two people apart (attack 33).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    /// Takes a name as chosen; `None` when it is blank.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The name as chosen.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is compared.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

/// A telephone number in the one form that is stored and compared: a plus sign, if there is one, and digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Takes a number as typed, with blanks, dots, dashes, slashes and brackets; `None` when it cannot be one (E.164 has at most 15
    /// digits).
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        const SHORTEST: usize = 3;
        const LONGEST: usize = 15;
        let kept: String = text.trim().chars().filter(|letter| !" .-/()\u{a0}".contains(*letter)).collect();
        let digits = kept.strip_prefix('+').unwrap_or(&kept);
        let is_number =
            (SHORTEST..=LONGEST).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| Self(kept.clone()))
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody who signs in says about who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginName {
    /// An e-mail address.
    Email(EmailAddress),
    /// A user name.
    Username(Username),
    /// A telephone number.
    PhoneNumber(PhoneNumber),
}

/// Why an account may not be used although the person proved to be its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It was deactivated.
    Inactive,
    /// Its time is over.
    Expired,
}

/// A person's account, the same in both dialects.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name.
    pub id: AccountId,
    /// Where the account is at home.
    pub tenant_id: TenantId,
    /// Where mail goes, and what the person signs in with. Once there is one, there stays one.
    pub email: Option<EmailAddress>,
    /// What else the person may sign in with.
    pub username: Option<Username>,
    /// The telephone number that the person may sign in with, too.
    pub phone_number: Option<PhoneNumber>,
    /// What the person is called; may be empty.
    pub name: String,
    /// Whether the address was proven to be the person's.
    pub email_verified: bool,
    /// Where a picture of the person is.
    pub image: Option<String>,
    /// The password's hash; `None` for an account that has no password.
    pub password: Option<PasswordHash>,
    /// When the password was last set.
    pub password_changed_at: Timestamp,
    /// Whether the password has to be changed before anything is opened by it.
    pub password_change_required: bool,
    /// Whether the account may be used; an administrator may say no.
    pub is_active: bool,
    /// From when on the account may not be used.
    pub expires_at: Option<Timestamp>,
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

impl Account {
    /// Why it may not be used now, if it may not.
    #[must_use]
    pub fn unusable(&self, now: Timestamp) -> Option<Unusable> {
        if !self.is_active {
            Some(Unusable::Inactive)
        } else if self.expires_at.is_some_and(|end| end <= now) {
            Some(Unusable::Expired)
        } else {
            None
        }
    }

    /// What the person signs in with, for an authenticator app to show.
    #[must_use]
    pub fn login_name(&self) -> &str {
        let email = self.email.as_ref().map(EmailAddress::as_str);
        email.or(self.username.as_ref().map(Username::as_str)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_differ_in_case_are_one_address_33() {
        assert_eq!(EmailAddress::new("Ada@Example.ORG"), EmailAddress::new("ada@example.org"));
        let key = |text| Username::new(text).expect("a name").key();
        assert_eq!(key("Ada "), key("ADA"));
        assert_eq!(Username::new(" "), None);
    }

    #[test]
    fn telephone_numbers_have_one_form() {
        let number = |text| PhoneNumber::new(text).map(|number| number.as_str().to_owned());
        assert_eq!(number("+1 (555) 010-9999").as_deref(), Some("+15550109999"));
        assert_eq!(number("555-555-5555").as_deref(), Some("5555555555"));
        for odd in ["", "+", "12", "+1555+2", "call me", "1234567890123456", "+１２３４"] {
            assert_eq!(number(odd), None, "{odd:?}");
        }
    }
}
