//! Profile fields beyond the account, stored as JSON under the dialect's own names.

use super::values::{blank, body_value};
use super::wire;
use countersign_api::fusionauth::Errors;
use countersign_api::fusionauth::requests::UserFields;
use countersign_api::validation::is_mailbox;
use countersign_domain::account::{EmailAddress, PhoneNumber, Username};
use countersign_domain::ids::TenantId;
use countersign_domain::time::Timestamp;
use countersign_domain::user::{AccountProfile, User};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

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

/// Whose fields a service sends.
#[derive(Clone, Copy)]
pub(super) enum Owner<'a> {
    /// A user to be created in this tenant.
    New(TenantId),
    /// The user as stored.
    Known(&'a User),
}

impl<'a> Owner<'a> {
    fn user(self) -> Option<&'a User> {
        match self {
            Self::New(_) => None,
            Self::Known(user) => Some(user),
        }
    }

    /// The user as it is shown, or would be.
    fn shown(self) -> Value {
        match self {
            Self::New(tenant) => {
                json!({"active": true, "usernameStatus": "ACTIVE", "verified": false, "tenantId": tenant.to_hyphenated()})
            }
            Self::Known(user) => json!(wire::user(user)),
        }
    }
}

/// Checks the fields that a service sends. The e-mail address of a user who is known stays when none is given.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn account_profile(
    fields: &UserFields,
    skip_verification: bool,
    owner: Owner<'_>,
) -> Result<AccountProfile, Errors> {
    let before = owner.user();
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
    if let Some(why) = new_name.and_then(|name| name.refusal(email.as_ref(), number.as_ref())) {
        errors.add("user.username", "invalid", format!("The [user.username] property {why}."));
    }
    if phone_number.is_some() && number.is_none() {
        errors.add("user.phoneNumber", "invalid", "The [user.phoneNumber] property is not a telephone number.");
    }
    if email.is_none() && username.is_none() && number.is_none() && errors.is_empty() {
        blank(&mut errors, "user.email");
        blank(&mut errors, "user.username");
    }
    check_sent_back(fields, owner, email_verified, &mut errors);
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
        ..UserFields::default()
    }
}

/// Adds what is wrong with properties that decide how an account is protected and what it may do, and that are not set with the user.
/// What a response shows is taken, so that a user who was read can be sent back; everything else is refused, and never ignored.
fn check_sent_back(fields: &UserFields, owner: Owner<'_>, email_verified: bool, errors: &mut Errors) {
    let shown = owner.shown();
    let mut refuse = |field: &str, instead: &str| {
        errors.add(
            &format!("user.{field}"),
            "notEqual",
            format!("The [user.{field}] property is not the user's. {instead}"),
        );
    };
    for (field, sent, instead) in [
        ("verified", &fields.verified, "The skipVerification parameter makes an address verified."),
        ("tenantId", &fields.tenant_id, "A user stays in the tenant."),
        ("usernameStatus", &fields.username_status, "User names are not moderated."),
        ("registrations", &fields.registrations, "Registrations are changed at /api/user/registration."),
        ("memberships", &fields.memberships, "There are no groups."),
        ("encryptionScheme", &fields.encryption_scheme, "Passwords are hashed by the server."),
        ("factor", &fields.factor, "Passwords are hashed by the server."),
        ("salt", &fields.salt, "Passwords are hashed by the server."),
    ] {
        let Some(sent) = sent else { continue };
        let will_be = field == "verified" && *sent == json!(email_verified);
        if !will_be && !is_shown(sent, shown.get(field)) {
            refuse(field, instead);
        }
    }
    if matches!(owner, Owner::New(_)) && fields.active == Some(false) {
        refuse("active", "A user is deactivated once it is there.");
    }
    const AT: &str = "Methods and recovery codes are changed at /api/user/two-factor.";
    match &fields.two_factor {
        None | Some(Value::Null) => {}
        Some(Value::Object(sent)) => {
            let shown = shown.get("twoFactor").cloned().unwrap_or_else(|| json!({"methods": []}));
            for (name, _) in sent.iter().filter(|(name, value)| !is_shown(value, shown.get(name))) {
                refuse(&format!("twoFactor.{name}"), AT);
            }
        }
        Some(_) => refuse("twoFactor.methods", AT),
    }
}

/// Whether `sent` says nothing that is not `shown`. A client may leave out properties; times can have changed since it has read them.
pub(super) fn is_shown(sent: &Value, shown: Option<&Value>) -> bool {
    let is_time = |name: &str| name == "lastUsed" || name.ends_with("Instant");
    match (sent, shown) {
        (Value::Null, _) => true,
        (Value::Object(sent), Some(Value::Object(shown))) => {
            sent.iter().all(|(name, value)| is_time(name) || is_shown(value, shown.get(name)))
        }
        (Value::Array(sent), Some(Value::Array(shown))) => {
            sent.len() == shown.len() && sent.iter().zip(shown).all(|(sent, shown)| is_shown(sent, Some(shown)))
        }
        (sent, Some(shown)) => sent == shown,
        (Value::Object(sent), None) => sent.is_empty(),
        (Value::Array(sent), None) => sent.is_empty(),
        (_, None) => false,
    }
}
