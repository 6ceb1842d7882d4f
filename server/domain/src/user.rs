//! A user: the account together with its profile, methods and registrations.

use crate::account::{Account, EmailAddress, LoginName, PhoneNumber, Username};
use crate::ids::{AccountId, ApplicationId, RegistrationId, TenantId};
use crate::method::Method;
use crate::time::Timestamp;

/// Profile fields beyond the account: JSON text, in the FusionAuth dialect's field names.
pub type Profile = String;

/// The mobile number in a profile, if it has one that can be called.
#[must_use]
pub fn mobile_phone(profile: &str) -> Option<PhoneNumber> {
    let profile: serde_json::Value = serde_json::from_str(profile).ok()?;
    PhoneNumber::new(profile["mobilePhone"].as_str()?)
}

/// Everything known about a user.
#[derive(Clone, Debug)]
pub struct User {
    pub account: Account,
    pub profile: Profile,
    pub last_sign_in_at: Option<Timestamp>,
    /// Confirmed second factors, the oldest first.
    pub methods: Vec<Method>,
    pub registrations: Vec<Registration>,
}

impl User {
    /// Whether the user is registered for this application; always true where none is named.
    #[must_use]
    pub fn is_registered_for(&self, application: Option<ApplicationId>) -> bool {
        application.is_none_or(|id| self.registration(id).is_some())
    }

    #[must_use]
    pub fn registration(&self, application: ApplicationId) -> Option<&Registration> {
        self.registrations.iter().find(|registration| registration.application_id == application)
    }
}

/// How an account is looked up.
#[derive(Clone, Debug)]
pub enum AccountLookup {
    Id(AccountId),
    /// The account with this id, if the tenant has it.
    IdIn(TenantId, AccountId),
    /// The first of these login names that an account of the tenant has.
    Login(TenantId, Vec<LoginName>),
}

/// A user's registration for an application.
#[derive(Clone, Debug)]
pub struct Registration {
    pub id: RegistrationId,
    pub application_id: ApplicationId,
    pub roles: Vec<String>,
    pub username: Option<String>,
    /// JSON text.
    pub data: Option<String>,
    pub last_sign_in_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The fields of an account that a sign-up or a service sets.
#[derive(Clone, Debug)]
pub struct AccountProfile {
    pub email: Option<EmailAddress>,
    pub username: Option<Username>,
    pub phone_number: Option<PhoneNumber>,
    pub name: String,
    pub image: Option<String>,
    pub email_verified: bool,
    pub password_change_required: bool,
    pub expires_at: Option<Timestamp>,
    pub profile: Profile,
}
