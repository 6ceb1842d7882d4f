//! Domain values as the dialect's response types.

use super::profile::Profile;
use countersign_api::fusionauth::responses::{
    AuthenticatorAlgorithm, AuthenticatorConfiguration, TwoFactorMethod, TwoFactorMethodName, User, UserRegistration,
    UserResponse, UserTwoFactorConfiguration, UsernameStatus,
};
use countersign_domain::address::{Address, MethodKind};
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::method::Method;
use countersign_domain::time::Timestamp;
use countersign_domain::totp;
use countersign_domain::user::{self, Registration};

/// The name of a kind of method.
pub(super) fn method_name(kind: MethodKind) -> TwoFactorMethodName {
    match kind {
        MethodKind::Authenticator => TwoFactorMethodName::Authenticator,
        MethodKind::Email => TwoFactorMethodName::Email,
        MethodKind::Sms => TwoFactorMethodName::Sms,
        MethodKind::Passkey => TwoFactorMethodName::Passkey,
    }
}

/// The methods of a user; the one used last is marked.
pub(super) fn methods(methods: &[Method]) -> Vec<TwoFactorMethod> {
    let last = methods.iter().filter(|method| method.last_used_at.is_some()).max_by_key(|method| method.last_used_at);
    let last = last.map(|method| method.id);
    let shown = methods.iter().map(|method| TwoFactorMethod {
        id: method.handle.as_str().to_owned(),
        method: method_name(method.kind),
        authenticator: (method.kind == MethodKind::Authenticator).then_some(AuthenticatorConfiguration {
            algorithm: AuthenticatorAlgorithm::HmacSHA1,
            code_length: i32::from(totp::DIGITS),
            time_step: i32::try_from(totp::STEP_SECONDS).unwrap_or(i32::MAX),
        }),
        email: match &method.address {
            Some(Address::Email(address)) => Some(address.as_str().to_owned()),
            _ => None,
        },
        mobile_phone: match &method.address {
            Some(Address::Sms(number)) => Some(number.as_str().to_owned()),
            _ => None,
        },
        last_used: (last == Some(method.id)).then_some(true),
        name: method.name.clone(),
    });
    shown.collect()
}

/// A registration.
pub(super) fn registration(registration: &Registration) -> UserRegistration {
    UserRegistration {
        id: registration.id.to_hyphenated(),
        application_id: registration.application_id.to_hyphenated(),
        roles: Some(registration.roles.clone()).filter(|roles| !roles.is_empty()),
        username: registration.username.clone(),
        data: registration.data.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        verified: true,
        username_status: UsernameStatus::Active,
        insert_instant: registration.created_at.as_millis(),
        last_update_instant: registration.updated_at.as_millis(),
        last_login_instant: registration.last_sign_in_at.map(Timestamp::as_millis),
    }
}

/// A user.
pub(super) fn user(user: &user::User) -> User {
    let account = &user.account;
    let profile = Profile::read(&user.profile);
    User {
        id: AccountId::to_hyphenated(account.id),
        tenant_id: TenantId::to_hyphenated(account.tenant_id),
        active: account.is_active,
        email: account.email.as_ref().map(|email| email.as_str().to_owned()),
        username: account.username.as_ref().map(|name| name.as_str().to_owned()),
        phone_number: account.phone_number.as_ref().map(|number| number.as_str().to_owned()),
        mobile_phone: profile.mobile_phone,
        first_name: profile.first_name,
        middle_name: profile.middle_name,
        last_name: profile.last_name,
        full_name: Some(account.name.clone()).filter(|name| !name.is_empty()),
        birth_date: profile.birth_date,
        image_url: account.image.clone(),
        timezone: profile.timezone,
        preferred_languages: profile.preferred_languages.filter(|languages| !languages.is_empty()),
        data: profile.data,
        expiry: account.expires_at.map(Timestamp::as_millis),
        verified: account.email_verified,
        username_status: UsernameStatus::Active,
        insert_instant: account.created_at.as_millis(),
        last_update_instant: account.updated_at.as_millis(),
        last_login_instant: user.last_sign_in_at.map(Timestamp::as_millis),
        password_last_update_instant: account.password_changed_at.as_millis(),
        password_change_required: account.password_change_required,
        registrations: Some(user.registrations.iter().map(registration).collect::<Vec<_>>())
            .filter(|registrations| !registrations.is_empty()),
        two_factor: Some(UserTwoFactorConfiguration { methods: methods(&user.methods) })
            .filter(|configuration| !configuration.methods.is_empty()),
    }
}

/// The response that is a user.
pub(super) fn user_response(user: &user::User) -> UserResponse {
    UserResponse { user: self::user(user) }
}
