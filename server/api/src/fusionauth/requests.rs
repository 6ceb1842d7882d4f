//! Request bodies, queries and paths. Nothing is required here, because the dialect reports missing values with errors of its own,
//! made by handlers. `null` counts as missing, unknown properties are ignored, ids are texts until a handler reads them.
//!
//! `Debug` prints no values: any of them may be a secret or personal data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

macro_rules! requests {
    ($($(#[$attribute:meta])* $name:ident { $($(#[$field_attribute:meta])* $field:ident: $type:ty,)* })*) => { $(
        $(#[$attribute])*
        #[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $(
            $(#[$field_attribute])*
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub $field: Option<$type>,
        )* }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )* };
}

requests! {
    /// An object whose properties are ignored.
    NoFields {}

    /// `login`.
    Login {
        /// E-mail address, user name or telephone number.
        #[schemars(length(max = 256))]
        login_id: String,
        /// Kinds of login id to look up.
        login_id_types: Vec<LoginIdType>,
        /// The password.
        #[schemars(length(max = 4096))]
        password: String,
        /// Result of a password change, in place of login id and password.
        #[schemars(length(max = 256))]
        one_time_password: String,
        /// Id of the application to log in to.
        #[schemars(length(max = 256))]
        application_id: String,
        /// Trust token of this device.
        #[schemars(length(max = 256))]
        two_factor_trust_id: String,
        /// True to get no tokens.
        #[serde(rename = "noJWT")]
        no_jwt: bool,
        /// IP address of the user's device, for calls with an API key.
        #[schemars(length(max = 256))]
        ip_address: String,
        /// The user's device.
        meta_data: MetaData,
    }

    /// `twoFactorLogin`.
    TwoFactorLogin {
        /// Id of the challenge.
        #[schemars(length(max = 256))]
        two_factor_id: String,
        /// Code of any second factor, or a recovery code.
        #[schemars(length(max = 256))]
        code: String,
        /// What the browser returned for a passkey, in place of a code.
        credential: PasskeyAssertion,
        /// Id of the application to log in to, if `login` did not name it.
        #[schemars(length(max = 256))]
        application_id: String,
        /// Whether to trust this device, so that it skips the second factor from now on.
        trust_computer: bool,
        /// True to get no tokens.
        #[serde(rename = "noJWT")]
        no_jwt: bool,
        /// IP address of the user's device, for calls with an API key.
        #[schemars(length(max = 256))]
        ip_address: String,
        /// The user's device.
        meta_data: MetaData,
    }

    /// About a login.
    MetaData {
        /// The user's device.
        device: DeviceInfo,
    }

    /// The device of a user.
    DeviceInfo {
        /// What it is called.
        name: String,
        /// More about it.
        description: String,
        /// Its kind.
        #[serde(rename = "type")]
        kind: String,
    }

    /// `sendTwoFactorCodeForEnableDisable` and `sendTwoFactorCodeForLoginUsingMethod`.
    TwoFactorSend {
        /// Id of the method's user.
        #[schemars(length(max = 256))]
        user_id: String,
        /// Kind of method to enable.
        #[schemars(length(max = 256))]
        method: String,
        /// Id of the method to send the code by.
        #[schemars(length(max = 256))]
        method_id: String,
        /// E-mail address to enable.
        #[schemars(length(max = 256))]
        email: String,
        /// Telephone number to enable.
        #[schemars(length(max = 256))]
        mobile_phone: String,
        /// Id of the application whose message texts are used.
        #[schemars(length(max = 256))]
        application_id: String,
    }

    /// `startTwoFactorLogin`.
    TwoFactorStart {
        /// Id of the user to challenge.
        #[schemars(length(max = 256))]
        user_id: String,
        /// Login id of the user to challenge.
        #[schemars(length(max = 256))]
        login_id: String,
        /// Kinds of login id to look up.
        login_id_types: Vec<LoginIdType>,
        /// Id of the application.
        #[schemars(length(max = 256))]
        application_id: String,
        /// Code that completes the challenge, chosen by the caller.
        #[schemars(length(max = 256))]
        code: String,
        /// Any JSON, returned when the challenge is completed.
        state: Value,
        /// Caller-chosen secret that must accompany the trust token.
        #[schemars(length(max = 4096))]
        trust_challenge: String,
    }

    /// `retrieveTwoFactorStatusWithRequest`.
    TwoFactorStatus {
        /// Id of the user.
        #[schemars(length(max = 256))]
        user_id: String,
        /// Id of the application.
        #[schemars(length(max = 256))]
        application_id: String,
        /// Trust token of a device.
        #[schemars(length(max = 256))]
        two_factor_trust_id: String,
        /// What the user is about to do.
        action: StatusAction,
    }

    /// `enableTwoFactor`.
    TwoFactor {
        /// The code that proves the method.
        #[schemars(length(max = 256))]
        code: String,
        /// Kind of method.
        #[schemars(length(max = 256))]
        method: String,
        /// The secret of an authenticator app.
        #[schemars(length(max = 256))]
        secret: String,
        /// The same secret in base32.
        #[schemars(length(max = 512))]
        secret_base32_encoded: String,
        /// E-mail address to send codes to.
        #[schemars(length(max = 256))]
        email: String,
        /// The telephone number.
        #[schemars(length(max = 256))]
        mobile_phone: String,
        /// Name chosen by the user.
        #[schemars(length(max = 256))]
        name: String,
        /// Id of the application whose message texts are used.
        #[schemars(length(max = 256))]
        application_id: String,
        /// Id of the challenge that requires the enrolment.
        #[schemars(length(max = 256))]
        two_factor_id: String,
        /// The user's password, for a first method by an access token.
        #[schemars(length(max = 256))]
        password: String,
        /// Token that passing a second factor gave.
        #[schemars(length(max = 256))]
        trust_token: String,
        /// Secret that was given when that second factor was started.
        #[schemars(length(max = 256))]
        trust_challenge: String,
    }

    /// `disableTwoFactor`.
    TwoFactorDisable {
        /// A code of any second factor.
        #[schemars(length(max = 256))]
        code: String,
        /// Id of the method.
        #[schemars(length(max = 256))]
        method_id: String,
        /// Id of the application.
        #[schemars(length(max = 256))]
        application_id: String,
    }

    /// `updateTwoFactor`.
    TwoFactorUpdate {
        /// Id of the method.
        #[schemars(length(max = 256))]
        method_id: String,
        /// New name; if absent, the name stays.
        #[schemars(length(max = 256))]
        name: String,
    }

    /// `createUser`, `createUserWithId`, `updateUser` and `patchUser`.
    User {
        /// The user.
        user: UserFields,
        /// Whether the e-mail address counts as verified.
        skip_verification: bool,
    }

    /// A user's properties.
    UserFields {
        /// The e-mail address.
        #[schemars(length(max = 191))]
        email: String,
        /// The user name.
        #[schemars(length(max = 191))]
        username: String,
        /// Telephone number that is a login id.
        #[schemars(length(max = 64))]
        phone_number: String,
        /// Telephone number for contact; no login id.
        #[schemars(length(max = 64))]
        mobile_phone: String,
        /// The password.
        #[schemars(length(max = 4096))]
        password: String,
        /// The first name.
        #[schemars(length(max = 256))]
        first_name: String,
        /// The middle name.
        #[schemars(length(max = 256))]
        middle_name: String,
        /// The last name.
        #[schemars(length(max = 256))]
        last_name: String,
        /// The full name.
        #[schemars(length(max = 256))]
        full_name: String,
        /// The date of birth.
        #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
        birth_date: String,
        /// URL of a picture.
        #[schemars(length(max = 2048))]
        image_url: String,
        /// The time zone.
        #[schemars(length(max = 256))]
        timezone: String,
        /// Language tags, in order of preference.
        #[schemars(length(max = 64))]
        preferred_languages: Vec<String>,
        /// Any JSON that the service stores with the user.
        data: Value,
        /// Time from which the account cannot be used, in milliseconds since the epoch.
        expiry: i64,
        /// Whether the password must be changed at the next login.
        password_change_required: bool,
        /// Whether the account can be used; read by `updateUser` and `patchUser` only.
        active: bool,
        /// The two-factor methods as a response shows them; others are refused.
        two_factor: Value,
        /// Whether the e-mail address is verified, as a response shows it; another value is refused.
        verified: Value,
        /// The tenant, as a response shows it; another one is refused.
        tenant_id: Value,
        /// The state of the user name, as a response shows it; another one is refused.
        username_status: Value,
        /// The registrations as a response shows them; others are refused.
        registrations: Value,
        /// Groups are not served; any is refused.
        memberships: Value,
        /// Passwords are hashed by this server; any value is refused.
        encryption_scheme: Value,
        /// As `encryptionScheme`.
        factor: Value,
        /// As `encryptionScheme`.
        salt: Value,
    }

    /// `register` and `registerUser`.
    Registration {
        /// The user to create.
        user: UserFields,
        /// The registration.
        registration: RegistrationFields,
        /// Whether the e-mail address counts as verified.
        skip_verification: bool,
    }

    /// A registration's properties.
    RegistrationFields {
        /// Id of the application.
        #[schemars(length(max = 256))]
        application_id: String,
        /// The user's roles in the application.
        #[schemars(length(max = 64))]
        roles: Vec<String>,
        /// The user's name in the application.
        #[schemars(length(max = 191))]
        username: String,
        /// Any JSON that the service stores with the registration.
        data: Value,
        /// The registration's id, as a response shows it; another one is refused.
        id: Value,
        /// `true`, as a response shows it; another value is refused.
        verified: Value,
        /// The state of the user name, as a response shows it; another one is refused.
        username_status: Value,
        /// There are no tokens of this kind; any is refused.
        authentication_token: Value,
        /// As `authenticationToken`.
        tokens: Value,
        /// A property of the user here; any value is refused.
        preferred_languages: Value,
        /// As `preferredLanguages`.
        timezone: Value,
        /// User names are not moderated; any value is refused.
        clean_speak_id: Value,
    }

    /// `changePasswordByIdentity` and `changePassword`.
    ChangePassword {
        /// Login id of the user.
        #[schemars(length(max = 256))]
        login_id: String,
        /// Kinds of login id to look up.
        login_id_types: Vec<LoginIdType>,
        /// The current password.
        #[schemars(length(max = 4096))]
        current_password: String,
        /// The new password.
        #[schemars(length(max = 4096))]
        password: String,
        /// Proof of a second factor, from a two-factor login.
        #[schemars(length(max = 256))]
        trust_token: String,
        /// The `trustChallenge` from the start of that two-factor login.
        #[schemars(length(max = 4096))]
        trust_challenge: String,
    }

    /// `exchangeRefreshTokenForJWT`.
    Refresh {
        /// The refresh token.
        #[schemars(length(max = 256))]
        refresh_token: String,
        /// Access token issued with it; ignored.
        #[schemars(length(max = 8192))]
        token: String,
    }

    /// `revokeRefreshToken`.
    RevokeRefreshToken {
        /// The refresh token.
        #[schemars(length(max = 256))]
        token: String,
        /// Id of the user.
        #[schemars(length(max = 256))]
        user_id: String,
        /// Id of the application.
        #[schemars(length(max = 256))]
        application_id: String,
    }

    /// `logout`.
    Logout {
        /// Whether all refresh tokens of the user end.
        global: bool,
        /// The refresh token.
        #[schemars(length(max = 256))]
        refresh_token: String,
    }

    /// `logout`.
    LogoutQuery {
        /// `true` to end all refresh tokens of the user.
        global: String,
        /// The refresh token.
        refresh_token: String,
    }

    /// `retrieveRefreshTokens`.
    RefreshTokensQuery {
        /// Id of the user.
        user_id: String,
    }

    /// `revokeRefreshToken`.
    RevokeRefreshTokenQuery {
        /// The refresh token.
        token: String,
        /// Id of the user.
        user_id: String,
        /// Id of the application.
        application_id: String,
    }

    /// `retrieveTwoFactorStatus`.
    TwoFactorStatusQuery {
        /// Id of the user.
        user_id: String,
        /// Id of the application.
        application_id: String,
    }

    /// `disableTwoFactor`.
    TwoFactorDisableQuery {
        /// A code of any second factor.
        code: String,
        /// Id of the method.
        method_id: String,
        /// Id of the application.
        application_id: String,
    }

    /// `updateTwoFactor`.
    TwoFactorUpdateQuery {
        /// Id of the method.
        method_id: String,
    }

    /// `retrieveUserByLoginId`.
    UserQuery {
        /// The e-mail address.
        email: String,
        /// The user name.
        username: String,
        /// The telephone number.
        phone_number: String,
        /// A login id of any kind.
        login_id: String,
        /// Kinds of login id to look up.
        login_id_types: String,
    }

    /// `updateUser`.
    UpdateUserQuery {
        /// `true` to reactivate the user and change nothing else.
        reactivate: String,
    }

    /// `deleteUser`.
    DeleteUserQuery {
        /// `true` to delete the user instead of deactivating them.
        hard_delete: String,
    }

    /// `checkChangePasswordByIdentity`.
    CheckChangePasswordQuery {
        /// Login id of the user.
        login_id: String,
        /// Kinds of login id to look up.
        login_id_types: String,
        /// Id that grants the change, in place of the login id.
        change_password_id: String,
    }
}

pub(super) use requests;

/// Kind of a login id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LoginIdType {
    /// An e-mail address.
    Email,
    /// A telephone number.
    PhoneNumber,
    /// A user name.
    Username,
}

/// Occasion of a status request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StatusAction {
    /// Logging in.
    Login,
    /// Changing the password.
    ChangePassword,
    /// Any other action that requires a second factor.
    StepUp,
}

macro_rules! paths {
    ($($(#[$attribute:meta])* $name:ident { $($(#[$field_attribute:meta])* $field:ident),+ })*) => { $(
        $(#[$attribute])*
        #[derive(Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $(
                $(#[$field_attribute])*
                pub $field: String,
            )+
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )* };
}

paths! {
    /// A path that names a user.
    UserPath {
        /// The user's id.
        user_id
    }

    /// A path that names a registration.
    RegistrationPath {
        /// The user's id.
        user_id,
        /// Id of the application.
        application_id
    }

    /// A path that names the refresh token of a login.
    RefreshTokenPath {
        /// Id of the refresh token.
        token_id
    }

    /// A path that names a challenge.
    TwoFactorIdPath {
        /// Id of the challenge.
        two_factor_id
    }

    /// A path that names a trust.
    TrustPath {
        /// The trust token.
        two_factor_trust_id
    }

    /// A path that names a permission to change a password.
    ChangePasswordPath {
        /// Id of the permission.
        change_password_id
    }
}

mod links;
mod passkeys;

pub use links::*;
pub use passkeys::*;
