//! Response bodies. An absent value is left out, never null; times (`…_instant`, `expiry`) are milliseconds since the epoch.
//!
//! `Debug` prints no values: many of them are secrets or personal data.

use crate::responses::{UUID, responses};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Opaque tokens and ids: 32 bytes in base64url.
const OPAQUE: &str = "^[A-Za-z0-9_-]{43}$";
/// Ids of methods.
const METHOD_ID: &str = "^[A-Z0-9]{4}$";
/// Access tokens.
const TOKEN: &str = "^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$";

responses! {
    /// Parameters of an authenticator app's codes.
    AuthenticatorConfiguration {
        /// Hash algorithm.
        algorithm: AuthenticatorAlgorithm,
        /// Number of digits of a code.
        code_length: i32,
        /// Length of a time step, in seconds.
        time_step: i32,
    }

    /// A second factor.
    TwoFactorMethod {
        /// Method id: four characters, to name the method in later requests.
        #[schemars(regex = "METHOD_ID")]
        id: String,
        /// Kind of method.
        method: TwoFactorMethodName,
        /// Only for an authenticator app.
        #[serde(skip_serializing_if = "Option::is_none")]
        authenticator: Option<AuthenticatorConfiguration>,
        /// E-mail address that codes are sent to.
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        /// Telephone number that codes are sent to.
        #[serde(skip_serializing_if = "Option::is_none")]
        mobile_phone: Option<String>,
        /// True for the method that was used last, absent for all others.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_used: Option<bool>,
        /// Name chosen by the user.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    }

    /// A user's second factors.
    UserTwoFactorConfiguration {
        /// Enrolled methods.
        methods: Vec<TwoFactorMethod>,
    }

    /// A user's registration for an application.
    UserRegistration {
        /// Registration id.
        #[schemars(regex = "UUID")]
        id: String,
        /// Id of the application.
        #[schemars(regex = "UUID")]
        application_id: String,
        /// The user's roles in the application.
        #[serde(skip_serializing_if = "Option::is_none")]
        roles: Option<Vec<String>>,
        /// The user's name in the application.
        #[serde(skip_serializing_if = "Option::is_none")]
        username: Option<String>,
        /// Any JSON that the service stores with the registration.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(schema_with = "any_json")]
        data: Option<Value>,
        /// Always true.
        verified: bool,
        /// Always `ACTIVE`.
        username_status: UsernameStatus,
        /// Time of creation.
        insert_instant: i64,
        /// Time of the last change.
        last_update_instant: i64,
        /// Time of the user's last login to the application.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_login_instant: Option<i64>,
    }

    /// A user, without anything secret.
    User {
        /// The user's id.
        #[schemars(regex = "UUID")]
        id: String,
        /// Id of the tenant that owns the account.
        #[schemars(regex = "UUID")]
        tenant_id: String,
        /// Whether the account may be used.
        active: bool,
        /// The e-mail address, in lower case.
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        /// The user name.
        #[serde(skip_serializing_if = "Option::is_none")]
        username: Option<String>,
        /// Telephone number that is a login id.
        #[serde(skip_serializing_if = "Option::is_none")]
        phone_number: Option<String>,
        /// Telephone number for contact; no login id.
        #[serde(skip_serializing_if = "Option::is_none")]
        mobile_phone: Option<String>,
        /// The first name.
        #[serde(skip_serializing_if = "Option::is_none")]
        first_name: Option<String>,
        /// The middle name.
        #[serde(skip_serializing_if = "Option::is_none")]
        middle_name: Option<String>,
        /// The last name.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_name: Option<String>,
        /// The full name.
        #[serde(skip_serializing_if = "Option::is_none")]
        full_name: Option<String>,
        /// The date of birth.
        #[serde(skip_serializing_if = "Option::is_none")]
        birth_date: Option<String>,
        /// URL of a picture.
        #[serde(skip_serializing_if = "Option::is_none")]
        image_url: Option<String>,
        /// The time zone.
        #[serde(skip_serializing_if = "Option::is_none")]
        timezone: Option<String>,
        /// Language tags, in order of preference.
        #[serde(skip_serializing_if = "Option::is_none")]
        preferred_languages: Option<Vec<String>>,
        /// Any JSON that the service stores with the user.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(schema_with = "any_json")]
        data: Option<Value>,
        /// Time from which the account cannot be used.
        #[serde(skip_serializing_if = "Option::is_none")]
        expiry: Option<i64>,
        /// Whether the e-mail address is verified.
        verified: bool,
        /// Always `ACTIVE`.
        username_status: UsernameStatus,
        /// Time of creation.
        insert_instant: i64,
        /// Time of the last change.
        last_update_instant: i64,
        /// Time of the last login.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_login_instant: Option<i64>,
        /// Time when the password was last set.
        password_last_update_instant: i64,
        /// Whether the password must be changed at the next login.
        password_change_required: bool,
        /// The user's registrations.
        #[serde(skip_serializing_if = "Option::is_none")]
        registrations: Option<Vec<UserRegistration>>,
        /// The second factors.
        #[serde(skip_serializing_if = "Option::is_none")]
        two_factor: Option<UserTwoFactorConfiguration>,
    }

    /// `createUser`, `retrieveUser` and their like.
    UserResponse {
        /// The user.
        user: User,
    }

    /// `register` and `registerUser`.
    RegistrationResponse {
        /// The user.
        user: User,
        /// The registration.
        registration: UserRegistration,
    }

    /// `login` and `twoFactorLogin`: tokens, a challenge, or a required password change.
    LoginResponse {
        /// The access token.
        #[schemars(regex = "TOKEN")]
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// Expiry of the access token.
        #[serde(skip_serializing_if = "Option::is_none")]
        token_expiration_instant: Option<i64>,
        /// The refresh token.
        #[schemars(regex = "OPAQUE")]
        #[serde(skip_serializing_if = "Option::is_none")]
        refresh_token: Option<String>,
        /// Id of the refresh token.
        #[schemars(regex = "UUID")]
        #[serde(skip_serializing_if = "Option::is_none")]
        refresh_token_id: Option<String>,
        /// The user.
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<User>,
        /// The caller's `state` from the start of the two-factor login.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(schema_with = "any_json")]
        state: Option<Value>,
        /// One-time proof that a second factor was passed.
        #[schemars(regex = "OPAQUE")]
        #[serde(skip_serializing_if = "Option::is_none")]
        trust_token: Option<String>,
        /// Id of the challenge.
        #[schemars(regex = "OPAQUE")]
        #[serde(skip_serializing_if = "Option::is_none")]
        two_factor_id: Option<String>,
        /// Trust token of this device.
        #[schemars(regex = "OPAQUE")]
        #[serde(skip_serializing_if = "Option::is_none")]
        two_factor_trust_id: Option<String>,
        /// Methods that can complete the challenge.
        #[serde(skip_serializing_if = "Option::is_none")]
        methods: Option<Vec<TwoFactorMethod>>,
        /// Methods that can be enrolled to complete the challenge.
        #[serde(skip_serializing_if = "Option::is_none")]
        configurable_methods: Option<Vec<TwoFactorMethodName>>,
        /// One-time permission to change the password.
        #[schemars(regex = "OPAQUE")]
        #[serde(skip_serializing_if = "Option::is_none")]
        change_password_id: Option<String>,
        /// Reason for the required change.
        #[serde(skip_serializing_if = "Option::is_none")]
        change_password_reason: Option<ChangePasswordReason>,
    }

    /// An action on the user that prevents logins.
    LoginPreventedResponse {
        /// Id of the action, a constant.
        #[schemars(regex = "UUID")]
        action_id: String,
        /// Name of the action.
        name: String,
        /// Name of the action, for display.
        localized_name: String,
        /// Time when it ends.
        expiry: i64,
    }

    /// The body of a 409.
    ActionsResponse {
        /// Actions that prevent the login.
        actions: Vec<LoginPreventedResponse>,
    }

    /// `startTwoFactorLogin`.
    TwoFactorStartResponse {
        /// The code, to be delivered by the caller.
        code: String,
        /// Id of the challenge.
        #[schemars(regex = "OPAQUE")]
        two_factor_id: String,
        /// Enrolled methods that can complete it too.
        #[serde(skip_serializing_if = "Option::is_none")]
        methods: Option<Vec<TwoFactorMethod>>,
    }

    /// The trust in a device.
    TwoFactorTrust {
        /// Id of the application that it is limited to.
        #[schemars(regex = "UUID")]
        #[serde(skip_serializing_if = "Option::is_none")]
        application_id: Option<String>,
        /// Start of the trust.
        start_instant: i64,
        /// End of the trust.
        expiration: i64,
        /// Whether it has ended.
        expired: bool,
    }

    /// `retrieveTwoFactorStatus`.
    TwoFactorStatusResponse {
        /// The trust that applies, if any.
        #[serde(skip_serializing_if = "Option::is_none")]
        trusts: Option<Vec<TwoFactorTrust>>,
        /// The trust as it was sent.
        #[serde(skip_serializing_if = "Option::is_none")]
        two_factor_trust_id: Option<String>,
    }

    /// `generateTwoFactorSecretUsingJWT`.
    SecretResponse {
        /// The secret.
        #[schemars(regex(pattern = "^[A-Za-z0-9]{32}$"))]
        secret: String,
        /// The secret's bytes in base32.
        #[schemars(regex(pattern = "^[A-Z2-7]+$"))]
        secret_base32_encoded: String,
    }

    /// `enableTwoFactor`.
    TwoFactorResponse {
        /// Ten recovery codes, if this is the user's first method.
        #[schemars(length(equal = 10), inner(regex(pattern = "^[A-Z0-9]{5}(-[A-Z0-9]{5}){1,2}$")))]
        #[serde(skip_serializing_if = "Option::is_none")]
        recovery_codes: Option<Vec<String>>,
        /// Code that completes the challenge that required the enrolment.
        #[schemars(regex(pattern = "^[0-9]{6}$"))]
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    }

    /// `generateTwoFactorRecoveryCodes`.
    TwoFactorRecoveryCodeResponse {
        /// The new codes. Empty when only read: a code is shown once.
        #[schemars(inner(regex(pattern = "^[A-Z0-9]{5}(-[A-Z0-9]{5}){1,2}$")))]
        recovery_codes: Vec<String>,
    }

    /// `retrieveUserLock`.
    UserLockResponse {
        /// When the next two-factor code is accepted; absent if the user is not locked.
        #[serde(skip_serializing_if = "Option::is_none")]
        locked_until: Option<i64>,
        /// Wrong two-factor codes in a row.
        failed_attempts: i64,
        /// Locks since the last right code.
        locks: i64,
        /// Wrong two-factor codes that count in the long run.
        guesses: i64,
        /// With so many of them the user is locked.
        guess_limit: i64,
        /// Wrong passwords that count, from networks and devices that the user has not signed in from.
        failed_passwords: i64,
        /// With so many of them, passwords from such networks and devices wait.
        failed_password_limit: i64,
        /// When the next of them is judged; absent if it may be now.
        #[serde(skip_serializing_if = "Option::is_none")]
        passwords_refused_until: Option<i64>,
        /// Further counts that are not zero: of single networks, devices and sessions, and of codes that are sent.
        limits: Vec<UserLimit>,
    }

    /// A further count against a user.
    UserLimit {
        /// What is counted.
        counts: String,
        /// How many count now.
        used: i64,
        /// With so many of them, more are refused.
        limit: i64,
        /// When the next one is let through; absent if it may be now.
        #[serde(skip_serializing_if = "Option::is_none")]
        refused_until: Option<i64>,
    }

    /// `changePassword`.
    ChangePasswordResponse {
        /// Password for one login.
        #[schemars(regex = "OPAQUE")]
        one_time_password: String,
        /// The caller's `state` from the start of the change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(schema_with = "any_json")]
        state: Option<Value>,
    }

    /// `exchangeRefreshTokenForJWT`.
    JWTRefreshResponse {
        /// The access token.
        #[schemars(regex = "TOKEN")]
        token: String,
        /// The next refresh token.
        #[schemars(regex = "OPAQUE")]
        refresh_token: String,
        /// Id of the refresh token.
        #[schemars(regex = "UUID")]
        refresh_token_id: String,
    }

    /// The refresh token of a login, without the token.
    RefreshToken {
        /// Its id, which stays when it is exchanged.
        #[schemars(regex = "UUID")]
        id: String,
        /// Id of the user.
        #[schemars(regex = "UUID")]
        user_id: String,
        /// Id of the application.
        #[schemars(regex = "UUID")]
        application_id: String,
        /// Id of the user's tenant.
        #[schemars(regex = "UUID")]
        tenant_id: String,
        /// Time of the login.
        insert_instant: i64,
        /// Time of its last use.
        start_instant: i64,
        /// The device that logged in.
        meta_data: RefreshTokenMetaData,
    }

    /// About a login.
    RefreshTokenMetaData {
        /// The device that logged in.
        device: RefreshTokenDevice,
    }

    /// The device of a login.
    RefreshTokenDevice {
        /// What it is called.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// More about it.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Its kind.
        #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
        /// The address that the user logged in from.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_accessed_address: Option<String>,
        /// Time of the last use of the token.
        last_accessed_instant: i64,
    }

    /// `retrieveRefreshTokens`.
    RefreshTokensResponse {
        /// One for each login.
        refresh_tokens: Vec<RefreshToken>,
    }

    /// `retrieveRefreshTokenById`.
    RefreshTokenResponse {
        /// The refresh token.
        refresh_token: RefreshToken,
    }

    /// `retrieveSystemStatus`.
    StatusResponse {
        /// Version of the server, only for callers with an API key.
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    }
}

pub use super::token_responses::*;

/// Any JSON.
fn any_json(_generator: &mut schemars::r#gen::SchemaGenerator) -> schemars::schema::Schema {
    schemars::schema::SchemaObject::default().into()
}

macro_rules! words {
    ($($(#[$attribute:meta])* $name:ident { $($(#[$word_attribute:meta])* $word:ident,)* })*) => { $(
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $( $(#[$word_attribute])* $word, )* }
    )* };
}

words! {
    /// Hash algorithm of an authenticator app.
    AuthenticatorAlgorithm {
        /// HMAC with SHA-1.
        HmacSHA1,
    }

    /// Kind of a method.
    TwoFactorMethodName {
        /// An authenticator app.
        #[serde(rename = "authenticator")]
        Authenticator,
        /// Codes by mail.
        #[serde(rename = "email")]
        Email,
        /// Codes by text message.
        #[serde(rename = "sms")]
        Sms,
        /// A passkey.
        #[serde(rename = "passkey")]
        Passkey,
    }

    /// The state of a user name.
    UsernameStatus {
        /// The name can be used.
        #[serde(rename = "ACTIVE")]
        Active,
    }

    /// Reason for a required password change.
    ChangePasswordReason {
        /// An administrator requires it.
        Administrative,
    }
}

mod links;
mod passkeys;

pub use links::*;
pub use passkeys::*;
