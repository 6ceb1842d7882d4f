//! Accounts and their login names.

use crate::guess::Guess;
use crate::ids::{AccountId, TenantId};
use crate::limits;
use crate::password::PasswordHash;
use crate::policy::Policy;
use crate::time::Timestamp;
use crate::username;

/// An e-mail address in the one form that is stored and compared: lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Takes an address whose grammar the caller has checked. Addresses that differ only in letter case are equal (attack 33).
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A user name. It is displayed as chosen; names that look the same are equal (attack 33): letter case, invisible characters
/// and different encodings of a letter do not count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    /// Takes a name as typed; `None` when nothing of it can be seen.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!username::normal_form(text).is_empty()).then(|| Self(text.to_owned()))
    }

    /// The name as chosen.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is compared and must be unique.
    #[must_use]
    pub fn key(&self) -> String {
        username::normal_form(&self.0)
    }

    /// The key under which versions before this form stored the name.
    #[must_use]
    pub fn earlier_key(&self) -> String {
        self.0.trim().to_lowercase()
    }

    /// Why a user with this e-mail address and telephone number may not choose this name.
    #[must_use]
    pub fn refusal(&self, email: Option<&EmailAddress>, number: Option<&PhoneNumber>) -> Option<UsernameRefusal> {
        if !username::is_single_script(&self.0) {
            return Some(UsernameRefusal::MixedScripts);
        }
        // Compared in the form that is looked up: a full-width `＠` is an `@` there.
        let form = self.key();
        let is_address = form.contains('@') && email.is_none_or(|own| EmailAddress::new(&form) != *own);
        let is_number = form.starts_with('+') && PhoneNumber::new(&form).is_some_and(|other| number != Some(&other));
        (is_address || is_number).then_some(UsernameRefusal::OtherUsersName)
    }
}

/// Why a name may not be chosen as a user name.
/// Its text continues a sentence of which the name is the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsernameRefusal {
    /// One letter may look like another.
    #[error("mixes letters of several scripts")]
    MixedScripts,
    /// Its owner signs in with it.
    #[error("is an e-mail address or a telephone number, and not the user's own")]
    OtherUsersName,
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

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name that a user signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginName {
    Email(EmailAddress),
    Username(Username),
    PhoneNumber(PhoneNumber),
}

impl LoginName {
    /// Of an e-mail address and a user name, in characters, as the contract of FusionAuth's API has it.
    pub const LONGEST: usize = 191;

    /// The form by which attempts at a typed name are counted, whether somebody has that name or not: names that are looked
    /// up as the same are counted as one (attack 33).
    #[must_use]
    pub fn typed_form(text: &str) -> String {
        let form = username::normal_form(text);
        if form.is_empty() { text.trim().to_lowercase() } else { form }
    }
}

/// Why an account may not be used, however its user has authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// An administrator has deactivated it.
    Inactive,
    /// It is past [`Account::expires_at`].
    Expired,
    /// A service has locked it for a time: [`crate::decisions::suspension`].
    Suspended { until: Timestamp },
}

/// A user's account, the same in both dialects.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: AccountId,
    /// Tenant that owns the account.
    pub tenant_id: TenantId,
    /// Address for mail, and a login name. It can be changed, but not removed.
    pub email: Option<EmailAddress>,
    /// A further login name.
    pub username: Option<Username>,
    /// A further login name.
    pub phone_number: Option<PhoneNumber>,
    /// Display name; may be empty.
    pub name: String,
    /// Whether the user has proven to receive mail at this address.
    pub email_verified: bool,
    /// URL of a picture.
    pub image: Option<String>,
    /// `None` for an account without a password.
    pub password: Option<PasswordHash>,
    pub password_changed_at: Timestamp,
    /// Whether the password has to be changed before a sign-in is granted.
    pub password_change_required: bool,
    /// `false` after an administrator has deactivated the account.
    pub is_active: bool,
    /// The account may not be used from this time on.
    pub expires_at: Option<Timestamp>,
    /// Whether the account has a second factor.
    pub two_factor_enabled: bool,
    /// Raised by each event that ends what the password has opened ([`crate::decisions::endings`]). A sign-in that began
    /// before such an event is not completed after it.
    pub credentials_version: i64,
    /// Counts how often an administrator has lifted the account's limits; names of its password quotas contain it.
    pub limits_epoch: i64,
    /// Raised by each event after which a second factor that was passed counts no more.
    pub factors_version: i64,
    /// End of the lock after consecutive wrong second factors; it may have passed.
    pub lock_ends_at: Option<Timestamp>,
    /// Level of [`Policy::account_guesses`].
    pub guess_level: Option<Timestamp>,
    /// The account may not be used before this time, because a service has locked it; it may have passed.
    pub suspended_until: Option<Timestamp>,
    /// The last second factor that was wrong.
    pub wrong_guess: Option<Guess>,
    pub created_at: Timestamp,
    /// Time of the last change to the account itself; changes to sessions and methods do not count.
    pub updated_at: Timestamp,
}

/// The versions of an account's credentials and second factors, or those that a grant was opened under.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    pub credentials: i64,
    pub factors: i64,
}

impl Account {
    #[must_use]
    pub fn versions(&self) -> Versions {
        Versions { credentials: self.credentials_version, factors: self.factors_version }
    }

    /// The same account under other versions.
    #[must_use]
    pub fn with_versions(self, versions: Versions) -> Self {
        Self { credentials_version: versions.credentials, factors_version: versions.factors, ..self }
    }

    /// Until when no second factor is accepted, because of any lock or of the long-term limit; `None` if one is.
    #[must_use]
    pub fn locked_until(&self, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
        limits::locked_until(self.lock_ends_at.max(self.suspended_until), self.guess_level, policy, now)
    }

    /// Why the account may not be used at `now`; `None` if it may.
    #[must_use]
    pub fn unusable(&self, now: Timestamp) -> Option<Unusable> {
        if !self.is_active {
            Some(Unusable::Inactive)
        } else if self.expires_at.is_some_and(|end| end <= now) {
            Some(Unusable::Expired)
        } else {
            self.suspended_until.filter(|until| *until > now).map(|until| Unusable::Suspended { until })
        }
    }

    /// The label that an authenticator app displays: e-mail address, else user name, else empty.
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
    fn the_address_or_number_of_somebody_else_is_no_user_name() {
        let (email, number) =
            (EmailAddress::new("ada@example.org"), PhoneNumber::new("+4915112345").expect("a number"));
        let refusal = |name: &str| Username::new(name).expect("a name").refusal(Some(&email), Some(&number));
        for name in
            ["ada", "ada@example.org", "Ada@Example.org", "+4915112345", "+49 151 12345", "12345", "c++", "ada+1"]
        {
            assert_eq!(refusal(name), None, "{name}");
        }
        for name in ["bob@example.org", "bob\u{ff20}example.org", "@", "+4915199999", "\u{ff0b}4915199999"] {
            assert_eq!(refusal(name), Some(UsernameRefusal::OtherUsersName), "{name}");
        }
        assert_eq!(refusal("\u{430}da"), Some(UsernameRefusal::MixedScripts));
        let own = Username::new("ada@example.org").expect("a name");
        assert_eq!(own.refusal(None, None), Some(UsernameRefusal::OtherUsersName));
    }

    #[test]
    fn spellings_of_one_name_are_counted_as_one_33() {
        for text in ["bob", " BOB ", "ｂｏｂ", "b\u{200b}ob", "b\u{ad}ob"] {
            assert_eq!(LoginName::typed_form(text), "bob", "{text:?}");
        }
        assert_eq!(
            LoginName::typed_form(" \u{200b} "),
            "\u{200b}",
            "nothing of it can be seen, and it is a name of its own"
        );
        assert_ne!(LoginName::typed_form("bob"), LoginName::typed_form("rob"));
    }

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
