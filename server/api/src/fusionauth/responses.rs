//! What goes out. What is not there is left out, never null; times are milliseconds since the epoch.
//!
//! No `Debug` shows a value: many of them are secrets or a person's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// UUIDs, in lower case with hyphens.
const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";
/// Opaque texts that stand for something.
const OPAQUE: &str = "^[A-Za-z0-9_-]{43}$";
/// Names of methods.
const METHOD_ID: &str = "^[A-Z0-9]{4}$";
/// Access tokens.
const TOKEN: &str = "^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$";

macro_rules! responses {
    ($($(#[$attribute:meta])* $name:ident { $($(#[$field_attribute:meta])* $field:ident: $type:ty,)* })*) => { $(
        $(#[$attribute])*
        #[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $( $(#[$field_attribute])* pub $field: $type, )* }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )* };
}

responses! {
    /// How an authenticator app makes codes.
    AuthenticatorConfiguration {
        /// The hash.
        algorithm: AuthenticatorAlgorithm,
        /// Digits of a code.
        code_length: i32,
        /// Seconds of a time step.
        time_step: i32,
    }

    /// A second factor.
    TwoFactorMethod {
        /// Its name for clients.
        #[schemars(regex = "METHOD_ID")]
        id: String,
        /// What it is.
        method: TwoFactorMethodName,
        /// How an authenticator app makes codes.
        #[serde(skip_serializing_if = "Option::is_none")]
        authenticator: Option<AuthenticatorConfiguration>,
        /// Where mails go.
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        /// Where text messages go.
        #[serde(skip_serializing_if = "Option::is_none")]
        mobile_phone: Option<String>,
        /// Whether it is the one that was used last.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_used: Option<bool>,
        /// What the person calls it.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    }

    /// The methods of a user.
    UserTwoFactorConfiguration {
        /// They.
        methods: Vec<TwoFactorMethod>,
    }

    /// A user's registration for an application.
    UserRegistration {
        /// Its id.
        #[schemars(regex = "UUID")]
        id: String,
        /// The application.
        #[schemars(regex = "UUID")]
        application_id: String,
        /// What the user may do there.
        #[serde(skip_serializing_if = "Option::is_none")]
        roles: Option<Vec<String>>,
        /// What the user is called there.
        #[serde(skip_serializing_if = "Option::is_none")]
        username: Option<String>,
        /// Whatever the service keeps with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(schema_with = "any_json")]
        data: Option<Value>,
        /// Always true.
        verified: bool,
        /// Always `ACTIVE`.
        username_status: UsernameStatus,
        /// When it was made.
        insert_instant: i64,
        /// When it was last changed.
        last_update_instant: i64,
        /// When the user last logged in there.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_login_instant: Option<i64>,
    }

    /// A user, without anything secret.
    User {
        /// The user's id.
        #[schemars(regex = "UUID")]
        id: String,
        /// Where the user is at home.
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
        /// A telephone number to log in with.
        #[serde(skip_serializing_if = "Option::is_none")]
        phone_number: Option<String>,
        /// A telephone number to call.
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
        /// The whole name.
        #[serde(skip_serializing_if = "Option::is_none")]
        full_name: Option<String>,
        /// The date of birth.
        #[serde(skip_serializing_if = "Option::is_none")]
        birth_date: Option<String>,
        /// Where a picture is.
        #[serde(skip_serializing_if = "Option::is_none")]
        image_url: Option<String>,
        /// The time zone.
        #[serde(skip_serializing_if = "Option::is_none")]
        timezone: Option<String>,
        /// The languages, the best first.
        #[serde(skip_serializing_if = "Option::is_none")]
        preferred_languages: Option<Vec<String>>,
        /// Whatever the service keeps with the user.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(schema_with = "any_json")]
        data: Option<Value>,
        /// From when on the account may not be used.
        #[serde(skip_serializing_if = "Option::is_none")]
        expiry: Option<i64>,
        /// Whether the e-mail address is known to be the user's.
        verified: bool,
        /// Always `ACTIVE`.
        username_status: UsernameStatus,
        /// When the account was made.
        insert_instant: i64,
        /// When it was last changed.
        last_update_instant: i64,
        /// When the user last logged in.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_login_instant: Option<i64>,
        /// When the password was last set.
        password_last_update_instant: i64,
        /// Whether the password has to be changed at the next log-in.
        password_change_required: bool,
        /// Where the user is registered.
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

    /// How logging in goes on.
    LoginResponse {
        /// The access token.
        #[schemars(regex = "TOKEN")]
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// Its end.
        #[serde(skip_serializing_if = "Option::is_none")]
        token_expiration_instant: Option<i64>,
        /// The refresh token.
        #[schemars(regex = "OPAQUE")]
        #[serde(skip_serializing_if = "Option::is_none")]
        refresh_token: Option<String>,
        /// Its id.
        #[schemars(regex = "UUID")]
        #[serde(skip_serializing_if = "Option::is_none")]
        refresh_token_id: Option<String>,
        /// The user.
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<User>,
        /// What was given when the two-factor login was begun.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(schema_with = "any_json")]
        state: Option<Value>,
        /// Shows that a second factor was passed.
        #[schemars(regex = "OPAQUE")]
        #[serde(skip_serializing_if = "Option::is_none")]
        trust_token: Option<String>,
        /// The challenge.
        #[schemars(regex = "OPAQUE")]
        #[serde(skip_serializing_if = "Option::is_none")]
        two_factor_id: Option<String>,
        /// The trust of this device.
        #[schemars(regex = "OPAQUE")]
        #[serde(skip_serializing_if = "Option::is_none")]
        two_factor_trust_id: Option<String>,
        /// What can answer the challenge.
        #[serde(skip_serializing_if = "Option::is_none")]
        methods: Option<Vec<TwoFactorMethod>>,
        /// What can be enabled to answer it.
        #[serde(skip_serializing_if = "Option::is_none")]
        configurable_methods: Option<Vec<TwoFactorMethodName>>,
        /// Leave to change the password.
        #[schemars(regex = "OPAQUE")]
        #[serde(skip_serializing_if = "Option::is_none")]
        change_password_id: Option<String>,
        /// Why it has to be changed.
        #[serde(skip_serializing_if = "Option::is_none")]
        change_password_reason: Option<ChangePasswordReason>,
    }

    /// What keeps a user from logging in.
    LoginPreventedResponse {
        /// What it is, always the same.
        #[schemars(regex = "UUID")]
        action_id: String,
        /// Its name.
        name: String,
        /// Its name for people.
        localized_name: String,
        /// When it ends.
        expiry: i64,
    }

    /// The body of a 409.
    ActionsResponse {
        /// What keeps the user from logging in.
        actions: Vec<LoginPreventedResponse>,
    }

    /// `startTwoFactorLogin`.
    TwoFactorStartResponse {
        /// The code, to be delivered by the caller.
        code: String,
        /// The challenge.
        #[schemars(regex = "OPAQUE")]
        two_factor_id: String,
        /// What else can answer it.
        #[serde(skip_serializing_if = "Option::is_none")]
        methods: Option<Vec<TwoFactorMethod>>,
    }

    /// A trust in a device.
    TwoFactorTrust {
        /// The application that it is for.
        #[schemars(regex = "UUID")]
        #[serde(skip_serializing_if = "Option::is_none")]
        application_id: Option<String>,
        /// Since when.
        start_instant: i64,
        /// Until when.
        expiration: i64,
        /// Whether it has ended.
        expired: bool,
    }

    /// `retrieveTwoFactorStatus`.
    TwoFactorStatusResponse {
        /// The trust that counts.
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
        /// Its bytes in base32.
        #[schemars(regex(pattern = "^[A-Z2-7]+$"))]
        secret_base32_encoded: String,
    }

    /// `enableTwoFactor`.
    TwoFactorResponse {
        /// Ten new codes, when this is the user's first method.
        #[schemars(length(equal = 10), inner(regex(pattern = "^[A-Z0-9]{5}-[A-Z0-9]{5}$")))]
        #[serde(skip_serializing_if = "Option::is_none")]
        recovery_codes: Option<Vec<String>>,
        /// What answers the challenge that waited for this.
        #[schemars(regex(pattern = "^[0-9]{6}$"))]
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    }

    /// `generateTwoFactorRecoveryCodes`.
    TwoFactorRecoveryCodeResponse {
        /// The codes; none when they are only read.
        #[schemars(inner(regex(pattern = "^[A-Z0-9]{5}-[A-Z0-9]{5}$")))]
        recovery_codes: Vec<String>,
    }

    /// `changePassword`.
    ChangePasswordResponse {
        /// What logs in once in the place of the password.
        #[schemars(regex = "OPAQUE")]
        one_time_password: String,
        /// What was given when the change was asked for.
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
        /// Its id.
        #[schemars(regex = "UUID")]
        refresh_token_id: String,
    }

    /// `validateJWT`.
    ValidateResponse {
        /// What the token says.
        jwt: JWT,
    }

    /// What an access token says. Times are seconds.
    JWT {
        /// The application that it is for.
        #[schemars(regex = "UUID")]
        #[serde(skip_serializing_if = "Option::is_none")]
        aud: Option<String>,
        /// When it ends.
        exp: i64,
        /// When it was made.
        iat: i64,
        /// Who made it.
        iss: String,
        /// Whose it is.
        #[schemars(regex = "UUID")]
        sub: String,
        /// Its name.
        #[schemars(regex = "UUID")]
        jti: String,
        /// How the user logged in.
        authentication_type: String,
        /// The user's address.
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        /// Whether the address is known to be the user's.
        #[serde(rename = "email_verified")]
        email_verified: bool,
        /// The user name.
        #[serde(rename = "preferred_username", skip_serializing_if = "Option::is_none")]
        preferred_username: Option<String>,
        /// The application that the user is registered for.
        #[schemars(regex = "UUID")]
        #[serde(skip_serializing_if = "Option::is_none")]
        application_id: Option<String>,
        /// What the user may do there.
        #[serde(skip_serializing_if = "Option::is_none")]
        roles: Option<Vec<String>>,
        /// The id of the refresh token that came with it.
        #[schemars(regex = "UUID")]
        #[serde(skip_serializing_if = "Option::is_none")]
        sid: Option<String>,
        /// When the user logged in.
        #[serde(rename = "auth_time")]
        auth_time: i64,
        /// Where the user is at home.
        #[schemars(regex = "UUID")]
        tid: String,
        /// What was asked for: `pwd` or `mfa`.
        amr: Vec<String>,
    }

    /// `retrieveJsonWebKeySet`.
    JWKSResponse {
        /// The keys.
        keys: Vec<JSONWebKey>,
    }

    /// A public key.
    JSONWebKey {
        /// The kind of key.
        kty: String,
        /// What it is for: `sig`.
        #[serde(rename = "use")]
        key_use: String,
        /// The algorithm.
        alg: String,
        /// Its name in tokens.
        kid: String,
        /// The curve.
        #[serde(skip_serializing_if = "Option::is_none")]
        crv: Option<String>,
        /// A point's first coordinate, or all of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        x: Option<String>,
        /// A point's second coordinate.
        #[serde(skip_serializing_if = "Option::is_none")]
        y: Option<String>,
        /// The modulus.
        #[serde(skip_serializing_if = "Option::is_none")]
        n: Option<String>,
        /// The exponent.
        #[serde(skip_serializing_if = "Option::is_none")]
        e: Option<String>,
    }

    /// `retrieveSystemStatus`.
    StatusResponse {
        /// The version, for those who show a key.
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    }
}

/// Any JSON at all.
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
    /// The hash of an authenticator app.
    AuthenticatorAlgorithm {
        /// HMAC with SHA-1.
        HmacSHA1,
    }

    /// What a method is.
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
    }

    /// The state of a user name.
    UsernameStatus {
        /// It may be used.
        #[serde(rename = "ACTIVE")]
        Active,
    }

    /// Why a password has to be changed.
    ChangePasswordReason {
        /// An administrator asks for it.
        Administrative,
    }
}
