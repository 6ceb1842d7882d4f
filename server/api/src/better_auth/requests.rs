//! Request bodies and queries. Limits stated here are enforced before a handler runs ([`crate::validation`]); where the dialect has
//! an error code of its own for a case, the handler enforces the limit instead.
//!
//! `Debug` prints only what a log may hold.

use super::values::{BooleanOrText, QuerySwitch, TwoFactorMethod, debug_only};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Schema};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

/// The password as confirmation that the session is still in the user's hands: get-totp-uri, disable and
/// generate-backup-codes.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct Password {
    /// The user's password.
    pub password: String,
}

/// `twoFactorEnablePost`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct TwoFactorEnable {
    /// The user's password.
    pub password: String,
    /// Issuer for this URI, in place of the configured one. The Key URI format allows no colon.
    #[schemars(length(max = 128), regex(pattern = "^[^:]*$"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What to set up; absent for an authenticator app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<TwoFactorMethod>,
}

/// `twoFactorVerifyTotpPost`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TwoFactorVerifyTotp {
    /// The code, not trimmed.
    #[schemars(length(max = 128))]
    pub code: String,
    /// Whether to trust this browser from now on, if a challenge is completed.
    #[serde(default)]
    pub trust_device: BooleanOrText,
    /// Token of the challenge, for clients without its cookie.
    #[schemars(length(max = 128))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// `twoFactorSendOtpPost`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TwoFactorSendOtp {
    /// Has no effect; clients send it.
    #[serde(default)]
    pub trust_device: BooleanOrText,
}

/// `twoFactorVerifyOtpPost`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TwoFactorVerifyOtp {
    /// The code, not trimmed.
    #[schemars(length(max = 128))]
    pub code: String,
    /// Whether to trust this browser from now on, if a challenge is completed.
    #[serde(default)]
    pub trust_device: BooleanOrText,
    /// Token of the challenge, for clients without its cookie.
    #[schemars(length(max = 128))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// `twoFactorVerifyBackupCodePost`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TwoFactorVerifyBackupCode {
    /// The code, not trimmed.
    #[schemars(length(max = 128))]
    pub code: String,
    /// Whether to verify and spend the code without opening a session.
    #[serde(default)]
    pub disable_session: BooleanOrText,
    /// Whether to trust this browser from now on, if a challenge is completed.
    #[serde(default)]
    pub trust_device: BooleanOrText,
    /// Token of the challenge, for clients without its cookie.
    #[schemars(length(max = 128))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// `signUpWithEmailAndPassword`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignUpWithEmailAndPassword {
    /// The user's name; may be empty.
    #[schemars(length(max = 256))]
    pub name: String,
    /// The e-mail address ([`crate::validation::is_email`]), in any case.
    #[schemars(email, length(max = 320))]
    pub email: String,
    /// The password. The handler checks its length (`PASSWORD_TOO_SHORT`, `PASSWORD_TOO_LONG`).
    #[schemars(length(min = 1))]
    pub password: String,
    /// URL of a picture.
    #[schemars(length(max = 2048))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// URL to navigate to after success.
    #[schemars(length(max = 2048))]
    #[serde(rename = "callbackURL", skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// Whether the session outlives the browser.
    #[serde(default = "yes")]
    pub remember_me: bool,
}

/// `signInEmail`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignInEmail {
    /// The e-mail address. The handler rejects a malformed one (`INVALID_EMAIL`).
    pub email: String,
    /// The password.
    pub password: String,
    /// URL to navigate to after success.
    #[schemars(length(max = 2048))]
    #[serde(rename = "callbackURL", skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// Whether the session outlives the browser.
    #[serde(default = "yes")]
    pub remember_me: bool,
}

/// An object whose fields are ignored: sign-out, revoke-sessions and revoke-other-sessions.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
pub struct NoFields {}

/// `revokeSessionPost`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct RevokeSession {
    /// A session token, or the id that list-sessions shows in its place.
    #[schemars(length(max = 256))]
    pub token: String,
}

/// `renameTrustedDevice`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct RenameTrustedDevice {
    /// The id that listTrustedDevices shows.
    #[schemars(length(max = 64))]
    pub id: String,
    /// The name. The handler rejects one that cannot be shown (`INVALID_DEVICE_NAME`).
    #[schemars(length(max = 64))]
    pub name: String,
}

/// `revokeTrustedDevice`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct RevokeTrustedDevice {
    /// The id that listTrustedDevices shows.
    #[schemars(length(max = 64))]
    pub id: String,
}

/// `changePassword`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangePassword {
    /// The new password. The handler checks its length.
    pub new_password: String,
    /// The current password.
    pub current_password: String,
    /// Whether to end all sessions and open a new one for the caller.
    #[serde(default)]
    pub revoke_other_sessions: bool,
}

/// `requestPasswordReset` and `forgetPassword`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestPasswordReset {
    /// The e-mail address, in any case. The handler rejects what is no [`crate::validation::is_mailbox`].
    #[schemars(length(max = 320))]
    pub email: String,
    /// The page that the link leads to.
    #[schemars(length(max = 2048))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_to: Option<String>,
}

/// `resetPassword`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResetPassword {
    /// The new password. The handler checks its length.
    pub new_password: String,
    /// The token of the link.
    #[schemars(length(max = 256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// `sendVerificationEmail`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct SendVerificationEmail {
    /// The e-mail address, in any case. The handler rejects what is no [`crate::validation::is_mailbox`].
    #[schemars(length(max = 320))]
    pub email: String,
    /// The page that the link leads to.
    #[schemars(length(max = 2048))]
    #[serde(rename = "callbackURL", skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
}

/// `changeEmail`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct ChangeEmail {
    /// The new e-mail address ([`crate::validation::is_email`]), in any case.
    #[schemars(email, length(max = 320))]
    #[serde(rename = "newEmail")]
    pub new_email: String,
    /// The page that the link leads to.
    #[schemars(length(max = 2048))]
    #[serde(rename = "callbackURL", skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
}

/// `updateUser`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateUser {
    /// The new name.
    #[schemars(length(max = 256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// URL of a new picture, or `Some(None)` for none.
    #[schemars(schema_with = "nullable_url")]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub image: Option<Option<String>>,
    /// Refused, unless it counts as false in JavaScript.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Value>,
    /// Refused, unless it counts as false in JavaScript.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub two_factor_enabled: Option<Value>,
}

/// A value that is there, even if it is `null`.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// A text or `null`, in the words of OpenAPI, and of JSON Schema where requests are validated.
fn nullable_url(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = Option::<String>::json_schema(generator).into_object();
    if !generator.settings().option_nullable {
        schema.instance_type = Some(vec![InstanceType::String, InstanceType::Null].into());
    }
    schema.string().max_length = Some(2048);
    schema.into()
}

/// `deleteUser`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeleteUser {
    /// The password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The token of a mailed link.
    #[schemars(length(max = 256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The page that a mailed link leads to.
    #[schemars(length(max = 2048))]
    #[serde(rename = "callbackURL", skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
}

/// The path of `resetPasswordCallback`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct ResetPasswordPath {
    /// The token of the link.
    pub token: String,
}

/// Queries whose parameters are texts. None is rejected before the handler: of a repeated parameter the first counts, and one
/// that is required and missing is `None`.
macro_rules! queries {
    ($(
        $(#[$attribute:meta])*
        $name:ident { $($(#[$field_attribute:meta])* $field:ident = $parameter:literal,)* }
    )*) => { $(
        $(#[$attribute])*
        #[derive(Clone, Default, Serialize, JsonSchema)]
        pub struct $name {
            $(
                $(#[$field_attribute])*
                #[serde(rename = $parameter)]
                pub $field: Option<String>,
            )*
        }

        // Derived, a repeated parameter would be an error of another form.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Parameters;

                impl<'de> Visitor<'de> for Parameters {
                    type Value = $name;

                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        formatter.write_str("query parameters")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut parameters: A) -> Result<$name, A::Error> {
                        let mut query = $name::default();
                        while let Some(name) = parameters.next_key::<Cow<'_, str>>()? {
                            match name.as_ref() {
                                $($parameter => {
                                    let value = parameters.next_value::<String>()?;
                                    query.$field.get_or_insert(value);
                                })*
                                _ => {
                                    parameters.next_value::<IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(query)
                    }
                }

                deserializer.deserialize_map(Parameters)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )* };
}
pub(super) use queries;

queries! {
    /// The query of `resetPassword`.
    ResetPasswordQuery {
        /// The token, if the body has none.
        token = "token",
    }

    /// The query of `resetPasswordCallback`.
    ResetPasswordCallback {
        /// The page to redirect to.
        #[schemars(required)]
        callback_url = "callbackURL",
    }

    /// The query of `verifyEmail` and `deleteUserCallback`.
    MailedLink {
        /// The token of the link.
        #[schemars(required)]
        token = "token",
        /// The page to redirect to.
        callback_url = "callbackURL",
    }

    /// The query of `errorPage`.
    ErrorPage {
        /// The code.
        error = "error",
        /// What happened, in words.
        error_description = "error_description",
    }
}

/// The query of `getSession`. It is never rejected: unknown parameters are ignored, and of a repeated one the first
/// counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GetSession {
    /// Has no effect; clients send it.
    pub disable_cookie_cache: QuerySwitch,
    /// Whether not to extend the session.
    pub disable_refresh: QuerySwitch,
}

// Derived, a repeated parameter would be an error, and this operation has no status for one.
impl<'de> Deserialize<'de> for GetSession {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(GetSessionParameters)
    }
}

struct GetSessionParameters;

impl<'de> Visitor<'de> for GetSessionParameters {
    type Value = GetSession;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("query parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut parameters: A) -> Result<GetSession, A::Error> {
        let (mut disable_cookie_cache, mut disable_refresh) = (None, None);
        while let Some(name) = parameters.next_key::<Cow<'_, str>>()? {
            let switch = match name.as_ref() {
                "disableCookieCache" => &mut disable_cookie_cache,
                "disableRefresh" => &mut disable_refresh,
                _ => {
                    parameters.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let value = parameters.next_value::<QuerySwitch>()?;
            switch.get_or_insert(value);
        }
        Ok(GetSession {
            disable_cookie_cache: disable_cookie_cache.unwrap_or_default(),
            disable_refresh: disable_refresh.unwrap_or_default(),
        })
    }
}

debug_only! {
    RenameTrustedDevice { id }
    RevokeTrustedDevice { id }
    Password {}
    TwoFactorEnable { issuer, method }
    TwoFactorVerifyTotp { trust_device }
    TwoFactorVerifyOtp { trust_device }
    TwoFactorVerifyBackupCode { disable_session, trust_device }
    SignUpWithEmailAndPassword { remember_me }
    SignInEmail { remember_me }
    RevokeSession {}
    ChangePassword { revoke_other_sessions }
    RequestPasswordReset {}
    ResetPassword {}
    SendVerificationEmail {}
    ChangeEmail {}
    UpdateUser {}
    DeleteUser {}
    ResetPasswordPath {}
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::{
        ChangePassword, GetSession, QuerySwitch, SignInEmail, SignUpWithEmailAndPassword, TwoFactorEnable,
        TwoFactorVerifyBackupCode,
    };
    use crate::validation::{issues, join};
    use schemars::JsonSchema;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, from_value, json};

    fn told<T: JsonSchema + DeserializeOwned + 'static>(body: &Value) -> String {
        join(&issues::<T>(Some(body)))
    }

    #[test]
    fn sign_up_names_all_that_is_wrong_in_order() {
        assert_eq!(
            told::<SignUpWithEmailAndPassword>(&json!({"email": "nobody", "password": "", "rememberMe": "true"})),
            "[body.name] Invalid input: expected string, received undefined; \
             [body.email] Invalid email address; \
             [body.password] Too small: expected string to have >=1 characters; \
             [body.rememberMe] Invalid input: expected boolean, received string"
        );
        assert_eq!(told::<SignUpWithEmailAndPassword>(&json!({"name": "", "email": "a@b.io", "password": "x"})), "");
    }

    #[test]
    fn switches_take_booleans_and_their_texts() {
        for (value, issue) in [
            (json!(true), ""),
            (json!("false"), ""),
            (json!("yes"), "[body.trustDevice] Invalid input: expected boolean, received string"),
            (json!(1), "[body.trustDevice] Invalid input: expected boolean, received number"),
            (json!(null), "[body.trustDevice] Invalid input: expected boolean, received null"),
        ] {
            assert_eq!(told::<TwoFactorVerifyBackupCode>(&json!({"code": "", "trustDevice": value})), issue);
        }
    }

    #[test]
    fn what_a_handler_judges_is_no_issue() {
        assert_eq!(told::<SignInEmail>(&json!({"email": "nobody", "password": ""})), "");
        assert_eq!(told::<ChangePassword>(&json!({"newPassword": "", "currentPassword": ""})), "");
        assert_eq!(told::<TwoFactorEnable>(&json!({"password": "", "issuer": ""})), "");
    }

    #[test]
    fn absent_switches_have_their_defaults() {
        let sign_in: SignInEmail = from_value(json!({"email": "e", "password": "p"})).expect("complete");
        assert!(sign_in.remember_me);
        let verify: TwoFactorVerifyBackupCode = from_value(json!({"code": "c"})).expect("complete");
        assert!(!verify.trust_device.0 && !verify.disable_session.0);
    }

    #[test]
    fn no_query_is_refused() {
        let read = |pairs: Value| from_value::<GetSession>(pairs).expect("never refused");
        assert_eq!(read(json!({})), GetSession::default());
        assert_eq!(
            read(json!({"disableRefresh": "true", "other": "x"})),
            GetSession { disable_cookie_cache: QuerySwitch(false), disable_refresh: QuerySwitch(true) }
        );
        let twice = serde_json::from_str::<GetSession>(r#"{"disableRefresh":"1","disableRefresh":"0"}"#);
        assert!(twice.expect("never refused").disable_refresh.0);
    }

    #[test]
    fn debug_hides_what_is_secret() {
        let sign_in: SignInEmail = from_value(json!({"email": "ada@b.io", "password": "hunter2"})).expect("complete");
        assert_eq!(format!("{sign_in:?}"), "SignInEmail { remember_me: true, .. }");
    }
}
