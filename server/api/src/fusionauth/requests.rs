//! What comes in. Nothing is required here: what is missing is answered in the dialect's own words, by a handler. `null`
//! counts as missing, unknown properties are ignored, ids are texts until a handler reads them.
//!
//! No `Debug` shows a value: any of them may be a secret or a person's.

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
    /// Nothing.
    NoFields {}

    /// `login`.
    Login {
        /// E-mail address, user name or telephone number.
        #[schemars(length(max = 256))]
        login_id: String,
        /// What the login id may be.
        login_id_types: Vec<LoginIdType>,
        /// The password.
        #[schemars(length(max = 4096))]
        password: String,
        /// What changing the password gave, in the place of login id and password.
        #[schemars(length(max = 256))]
        one_time_password: String,
        /// The application to log in to.
        #[schemars(length(max = 256))]
        application_id: String,
        /// The trust of this device.
        #[schemars(length(max = 256))]
        two_factor_trust_id: String,
        /// Whether no tokens are wanted.
        #[serde(rename = "noJWT")]
        no_jwt: bool,
        /// The address of the person's device, if a service logs them in.
        #[schemars(length(max = 256))]
        ip_address: String,
    }

    /// `twoFactorLogin`.
    TwoFactorLogin {
        /// The challenge.
        #[schemars(length(max = 256))]
        two_factor_id: String,
        /// The code, of whatever kind.
        #[schemars(length(max = 256))]
        code: String,
        /// The application to log in to, if it was not named before.
        #[schemars(length(max = 256))]
        application_id: String,
        /// Whether this device skips the second factor from now on.
        trust_computer: bool,
        /// Whether no tokens are wanted.
        #[serde(rename = "noJWT")]
        no_jwt: bool,
        /// The address of the person's device, if a service logs them in.
        #[schemars(length(max = 256))]
        ip_address: String,
    }

    /// `sendTwoFactorCodeForEnableDisable` and `sendTwoFactorCodeForLoginUsingMethod`.
    TwoFactorSend {
        /// Whose method it is.
        #[schemars(length(max = 256))]
        user_id: String,
        /// The kind of method that is to be enabled.
        #[schemars(length(max = 256))]
        method: String,
        /// The method that sends.
        #[schemars(length(max = 256))]
        method_id: String,
        /// The address that is to be enabled.
        #[schemars(length(max = 256))]
        email: String,
        /// The telephone number that is to be enabled.
        #[schemars(length(max = 256))]
        mobile_phone: String,
        /// The application whose words are used.
        #[schemars(length(max = 256))]
        application_id: String,
    }

    /// `startTwoFactorLogin`.
    TwoFactorStart {
        /// Who is asked.
        #[schemars(length(max = 256))]
        user_id: String,
        /// The same, by what they log in with.
        #[schemars(length(max = 256))]
        login_id: String,
        /// What the login id may be.
        login_id_types: Vec<LoginIdType>,
        /// The application.
        #[schemars(length(max = 256))]
        application_id: String,
        /// The code that is to answer.
        #[schemars(length(max = 256))]
        code: String,
        /// What comes back at the end.
        state: Value,
        /// A text that whoever uses the trust token has to know.
        #[schemars(length(max = 4096))]
        trust_challenge: String,
    }

    /// `retrieveTwoFactorStatusWithRequest`.
    TwoFactorStatus {
        /// Whose status.
        #[schemars(length(max = 256))]
        user_id: String,
        /// Where.
        #[schemars(length(max = 256))]
        application_id: String,
        /// The trust of a device.
        #[schemars(length(max = 256))]
        two_factor_trust_id: String,
        /// For what.
        action: StatusAction,
    }

    /// `enableTwoFactor`.
    TwoFactor {
        /// The code that proves the method.
        #[schemars(length(max = 256))]
        code: String,
        /// The kind of method.
        #[schemars(length(max = 256))]
        method: String,
        /// The secret of an authenticator app.
        #[schemars(length(max = 256))]
        secret: String,
        /// The same in base32.
        #[schemars(length(max = 512))]
        secret_base32_encoded: String,
        /// The address.
        #[schemars(length(max = 256))]
        email: String,
        /// The telephone number.
        #[schemars(length(max = 256))]
        mobile_phone: String,
        /// What the person calls it.
        #[schemars(length(max = 256))]
        name: String,
        /// The application whose words are used.
        #[schemars(length(max = 256))]
        application_id: String,
        /// The challenge that waits for a method.
        #[schemars(length(max = 256))]
        two_factor_id: String,
    }

    /// `disableTwoFactor`.
    TwoFactorDisable {
        /// A code of any second factor.
        #[schemars(length(max = 256))]
        code: String,
        /// The method.
        #[schemars(length(max = 256))]
        method_id: String,
        /// The application.
        #[schemars(length(max = 256))]
        application_id: String,
    }

    /// `updateTwoFactor`.
    TwoFactorUpdate {
        /// The method.
        #[schemars(length(max = 256))]
        method_id: String,
        /// What it is called from now on; nothing takes the name away.
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

    /// What is known of a user.
    UserFields {
        /// The e-mail address.
        #[schemars(length(max = 191))]
        email: String,
        /// The user name.
        #[schemars(length(max = 191))]
        username: String,
        /// A telephone number to log in with.
        #[schemars(length(max = 64))]
        phone_number: String,
        /// A telephone number to call.
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
        /// The whole name.
        #[schemars(length(max = 256))]
        full_name: String,
        /// The date of birth.
        #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
        birth_date: String,
        /// Where a picture is.
        #[schemars(length(max = 2048))]
        image_url: String,
        /// The time zone.
        #[schemars(length(max = 256))]
        timezone: String,
        /// The languages, the best first.
        #[schemars(length(max = 64))]
        preferred_languages: Vec<String>,
        /// Whatever the service keeps with the user.
        data: Value,
        /// From when on the account may not be used.
        expiry: i64,
        /// Whether the password has to be changed at the next log-in.
        password_change_required: bool,
        /// Whether the account may be used; only `updateUser` and `patchUser` look at it.
        active: bool,
    }

    /// `register` and `registerUser`.
    Registration {
        /// The user to make.
        user: UserFields,
        /// The registration.
        registration: RegistrationFields,
        /// Whether the e-mail address counts as verified.
        skip_verification: bool,
    }

    /// What is known of a registration.
    RegistrationFields {
        /// Where.
        #[schemars(length(max = 256))]
        application_id: String,
        /// What the user may do there.
        #[schemars(length(max = 64))]
        roles: Vec<String>,
        /// What the user is called there.
        #[schemars(length(max = 191))]
        username: String,
        /// Whatever the service keeps with the registration.
        data: Value,
    }

    /// `changePasswordByIdentity` and `changePassword`.
    ChangePassword {
        /// Whose password, by what they log in with.
        #[schemars(length(max = 256))]
        login_id: String,
        /// What the login id may be.
        login_id_types: Vec<LoginIdType>,
        /// The old password.
        #[schemars(length(max = 4096))]
        current_password: String,
        /// The new password.
        #[schemars(length(max = 4096))]
        password: String,
        /// What a two-factor login gave.
        #[schemars(length(max = 256))]
        trust_token: String,
        /// The text that was given when it was begun.
        #[schemars(length(max = 4096))]
        trust_challenge: String,
    }

    /// `exchangeRefreshTokenForJWT`.
    Refresh {
        /// The refresh token.
        #[schemars(length(max = 256))]
        refresh_token: String,
        /// The access token that it came with; not looked at.
        #[schemars(length(max = 8192))]
        token: String,
    }

    /// `retrieveTwoFactorStatus`.
    TwoFactorStatusQuery {
        /// Whose status.
        user_id: String,
        /// Where.
        application_id: String,
    }

    /// `disableTwoFactor`.
    TwoFactorDisableQuery {
        /// A code of any second factor.
        code: String,
        /// The method.
        method_id: String,
        /// The application.
        application_id: String,
    }

    /// `updateTwoFactor`.
    TwoFactorUpdateQuery {
        /// The method.
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
        /// Any of them.
        login_id: String,
        /// What the login id may be.
        login_id_types: String,
    }

    /// `updateUser`.
    UpdateUserQuery {
        /// Whether a deactivated user is made usable again, and nothing else.
        reactivate: String,
    }

    /// `deleteUser`.
    DeleteUserQuery {
        /// Whether nothing is to be left of the user.
        hard_delete: String,
    }

    /// `checkChangePasswordByIdentity`.
    CheckChangePasswordQuery {
        /// Whose password, by what they log in with.
        login_id: String,
        /// What the login id may be.
        login_id_types: String,
    }
}

/// What a login id may be.
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

/// What a status is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StatusAction {
    /// Logging in.
    Login,
    /// Changing the password.
    ChangePassword,
    /// Anything else that asks for a second factor.
    StepUp,
}

macro_rules! paths {
    ($($(#[$attribute:meta])* $name:ident { $(#[$field_attribute:meta])* $field:ident })*) => { $(
        $(#[$attribute])*
        #[derive(Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $(#[$field_attribute])*
            pub $field: String,
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

    /// A path that names a challenge.
    TwoFactorIdPath {
        /// The challenge.
        two_factor_id
    }

    /// A path that names a trust.
    TrustPath {
        /// The trust.
        two_factor_trust_id
    }

    /// A path that names leave to change a password.
    ChangePasswordPath {
        /// The leave.
        change_password_id
    }
}
