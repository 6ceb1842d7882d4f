//! Profile fields beyond the account, stored as JSON under the dialect's own names.

use super::values::{blank, body_value};
use super::wire;
use countersign_api::fusionauth::Errors;
use countersign_api::fusionauth::requests::UserFields;
use countersign_api::validation::is_mailbox;
use countersign_domain::account::{EmailAddress, PhoneNumber, Username, UsernameRefusal};
use countersign_domain::time::Timestamp;
use countersign_domain::user::{AccountProfile, User};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The part that is stored as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mobile_phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) middle_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) birth_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timezone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) preferred_languages: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Value>,
}

impl Profile {
    /// Reads the stored text; an empty profile if it cannot be read.
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// Checks the fields that a service sends. `before` is the user as stored: an e-mail address stays when none is given.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn account_profile(
    fields: &UserFields,
    skip_verification: bool,
    before: Option<&User>,
) -> Result<AccountProfile, Errors> {
    let mut errors = Errors::default();
    let email = body_value(fields.email.as_ref());
    if email.is_some_and(|email| !is_mailbox(email)) {
        errors.add("user.email", "notEmail", "The [user.email] property is not an e-mail address.");
    }
    let email = email.map(EmailAddress::new);
    let known = before.and_then(|user| user.account.email.clone());
    let is_same = known.is_some() && (email.is_none() || email == known);
    let email_verified = skip_verification || (is_same && before.is_some_and(|user| user.account.email_verified));
    let email = email.or(known);
    let username = fields.username.as_deref().and_then(Username::new);
    let has_name = |name: &Username| before.is_some_and(|user| user.account.username.as_ref() == Some(name));
    let phone_number = body_value(fields.phone_number.as_ref());
    let number = phone_number.and_then(PhoneNumber::new);
    let new_name = username.as_ref().filter(|name| !has_name(name));
    if let Some(refusal) = new_name.and_then(|name| name.refusal(email.as_ref(), number.as_ref())) {
        let why = match refusal {
            UsernameRefusal::MixedScripts => "mixes letters of several scripts",
            UsernameRefusal::OtherUsersName => "is an e-mail address or a telephone number, and not the user's own",
        };
        errors.add("user.username", "invalid", format!("The [user.username] property {why}."));
    }
    if phone_number.is_some() && number.is_none() {
        errors.add("user.phoneNumber", "invalid", "The [user.phoneNumber] property is not a telephone number.");
    }
    if email.is_none() && username.is_none() && number.is_none() && errors.is_empty() {
        blank(&mut errors, "user.email");
        blank(&mut errors, "user.username");
    }
    if !has_methods(before, fields.two_factor.as_ref()) {
        errors.add(
            "user.twoFactor.methods",
            "notEqual",
            "The [user.twoFactor.methods] are not the user's. Methods are changed at /api/user/two-factor.",
        );
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let text = |value: &Option<String>| body_value(value.as_ref()).map(str::to_owned);
    let profile = Profile {
        mobile_phone: text(&fields.mobile_phone),
        first_name: text(&fields.first_name),
        middle_name: text(&fields.middle_name),
        last_name: text(&fields.last_name),
        birth_date: text(&fields.birth_date),
        timezone: text(&fields.timezone),
        preferred_languages: fields.preferred_languages.clone(),
        data: fields.data.clone(),
    };
    let parts = [&profile.first_name, &profile.middle_name, &profile.last_name];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    Ok(AccountProfile {
        email,
        username,
        phone_number: number,
        name: text(&fields.full_name).unwrap_or_else(|| parts.join(" ")),
        image: text(&fields.image_url),
        email_verified,
        password_change_required: fields.password_change_required.unwrap_or(false),
        expires_at: fields.expiry.map(Timestamp::from_millis),
        profile: serde_json::to_string(&profile).unwrap_or_else(|_| "{}".to_owned()),
    })
}

/// A user as the request fields that would create it, for a patch to be applied to.
pub(super) fn fields_of(user: &User) -> UserFields {
    let account = &user.account;
    let profile = Profile::read(&user.profile);
    UserFields {
        email: account.email.as_ref().map(|email| email.as_str().to_owned()),
        username: account.username.as_ref().map(|name| name.as_str().to_owned()),
        phone_number: account.phone_number.as_ref().map(|number| number.as_str().to_owned()),
        mobile_phone: profile.mobile_phone,
        password: None,
        first_name: profile.first_name,
        middle_name: profile.middle_name,
        last_name: profile.last_name,
        full_name: Some(account.name.clone()).filter(|name| !name.is_empty()),
        birth_date: profile.birth_date,
        image_url: account.image.clone(),
        timezone: profile.timezone,
        preferred_languages: profile.preferred_languages,
        data: profile.data,
        expiry: account.expires_at.map(Timestamp::as_millis),
        password_change_required: Some(account.password_change_required),
        active: Some(account.is_active),
        two_factor: None,
    }
}

/// Whether `sent` holds the methods of `user`, or nothing about methods. A client may leave out properties of a method; when
/// it was used last can have changed since the client has read it.
pub(super) fn has_methods(user: Option<&User>, sent: Option<&Value>) -> bool {
    let Some(sent) = sent.and_then(|two_factor| two_factor.get("methods")).filter(|methods| !methods.is_null()) else {
        return sent.is_none_or(|two_factor| two_factor.is_object() || two_factor.is_null());
    };
    let shown = user.map(|user| wire::methods(&user.methods)).unwrap_or_default();
    let Some(sent) = sent.as_array().filter(|sent| sent.len() == shown.len()) else { return false };
    sent.iter().zip(shown).all(|(sent, shown)| {
        let shown = serde_json::to_value(shown).unwrap_or_default();
        sent.as_object()
            .is_some_and(|sent| sent.iter().all(|(key, value)| key == "lastUsed" || shown.get(key) == Some(value)))
    })
}
