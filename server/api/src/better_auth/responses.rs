//! Response bodies. An absent field is left out, never `null`, except those whose `null` the contract documents: a user's
//! `image`, the `secondFactorAt` of a session, and the `token` of change-password.
//!
//! `Debug` prints only what a log may hold: ids and switches.

use super::values::{
    ID, SESSION_OR_CHALLENGE_TOKEN, SESSION_TOKEN, SESSION_TOKEN_OR_EMPTY, WireTime, always_null_text, debug_only,
    nullable_session_token, nullable_text, nullable_time,
};

pub use super::values::{ChallengeMethod, DeletionMessage, Provider, TwoFactorMethod};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A user, without anything secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The user's id.
    #[schemars(regex = "ID")]
    pub id: String,
    /// Display name.
    pub name: String,
    /// The e-mail address, in lower case.
    #[schemars(email)]
    pub email: String,
    /// Whether the address is verified.
    pub email_verified: bool,
    /// URL of a picture.
    #[schemars(schema_with = "nullable_text")]
    pub image: Option<String>,
    /// Time of creation.
    pub created_at: WireTime,
    /// Time of the last change.
    pub updated_at: WireTime,
    /// Whether a sign-in requires a second factor.
    pub two_factor_enabled: bool,
}

/// A session, as get-session and list-sessions show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The session's id.
    #[schemars(regex = "ID")]
    pub id: String,
    /// The raw token; in list-sessions, for sessions other than the caller's, an id that only revoke-session accepts.
    #[schemars(regex = "SESSION_TOKEN")]
    pub token: String,
    /// The id of the session's user.
    #[schemars(regex = "ID")]
    pub user_id: String,
    /// Expiry, unless the session is extended.
    pub expires_at: WireTime,
    /// Time at which the session was opened.
    pub created_at: WireTime,
    /// Time of the last extension.
    pub updated_at: WireTime,
    /// The client address at sign-in; empty if unknown.
    pub ip_address: String,
    /// The client's `User-Agent` at sign-in; empty if unknown.
    pub user_agent: String,
    /// What the client is called in a list.
    pub device_name: String,
    /// Time of the last use, as of some minutes ago.
    pub last_used_at: WireTime,
    /// Time of the sign-in that the session goes back to.
    pub signed_in_at: WireTime,
    /// Time of the last second factor passed in it.
    #[schemars(schema_with = "nullable_time")]
    pub second_factor_at: Option<WireTime>,
}

/// Success of disable and send-otp (`status` alone) and of verify-totp (all three).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatusAndSession {
    /// Always true.
    pub status: bool,
    /// The raw session token.
    #[schemars(regex = "SESSION_TOKEN")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
}

/// Success of enable.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TwoFactorEnable {
    /// What is set up.
    pub method: TwoFactorMethod,
    /// The new secret as an `otpauth:` URI, of an authenticator app.
    #[schemars(regex(pattern = "^otpauth://totp/"))]
    #[serde(rename = "totpURI", skip_serializing_if = "Option::is_none")]
    pub totp_uri: Option<String>,
    /// Ten new codes; absent if mail was added to an account that has a second factor.
    #[schemars(length(equal = 10), inner(regex(pattern = "^[A-Za-z0-9]{5}(-[A-Za-z0-9]{5}){1,2}$")))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_codes: Option<Vec<String>>,
}

/// Success of verify-otp, and of sign-up.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenAndUser {
    /// The raw session token.
    #[schemars(regex = "SESSION_TOKEN")]
    pub token: String,
    /// The user.
    pub user: User,
}

/// Success of get-totp-uri.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TwoFactorGetTotpUri {
    /// The secret as an `otpauth:` URI.
    #[schemars(regex(pattern = "^otpauth://totp/"))]
    #[serde(rename = "totpURI")]
    pub totp_uri: String,
}

/// Success of verify-backup-code. Where `disableSession` asked for no session, the token is absent, and the session an empty
/// one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TwoFactorVerifyBackupCode {
    /// The raw session token.
    #[schemars(regex = "SESSION_TOKEN")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The user.
    pub user: User,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionInShort>,
}

/// The session in the response of verify-backup-code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionInShort {
    /// The raw session token; empty if no session was opened.
    #[schemars(regex = "SESSION_TOKEN_OR_EMPTY")]
    pub token: String,
    /// The id of the session's user.
    #[schemars(regex = "ID")]
    pub user_id: String,
    /// Time of the sign-in.
    pub created_at: WireTime,
    /// Expiry, unless the session is extended.
    pub expires_at: WireTime,
}

/// Success of generate-backup-codes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TwoFactorGenerateBackupCodes {
    /// Always true.
    pub status: bool,
    /// Ten new codes.
    #[schemars(length(equal = 10), inner(regex(pattern = "^[A-Za-z0-9]{5}(-[A-Za-z0-9]{5}){1,2}$")))]
    pub backup_codes: Vec<String>,
}

/// The user in the response of sign-in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignInUser {
    /// The user's id; absent in a challenge, by which clients tell that nobody has signed in.
    #[schemars(regex = "ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Display name.
    pub name: String,
    /// The e-mail address, in lower case.
    #[schemars(email)]
    pub email: String,
    /// Whether the address is verified.
    pub email_verified: bool,
    /// URL of a picture.
    #[schemars(schema_with = "nullable_text")]
    pub image: Option<String>,
    /// Time of creation.
    pub created_at: WireTime,
    /// Time of the last change.
    pub updated_at: WireTime,
    /// Whether a sign-in requires a second factor.
    pub two_factor_enabled: bool,
}

impl From<User> for SignInUser {
    fn from(user: User) -> Self {
        Self {
            id: Some(user.id),
            name: user.name,
            email: user.email,
            email_verified: user.email_verified,
            image: user.image,
            created_at: user.created_at,
            updated_at: user.updated_at,
            two_factor_enabled: user.two_factor_enabled,
        }
    }
}

impl SignInUser {
    /// The user of a challenge: the address that was typed, in lower case, and the same as for every account besides. Nothing
    /// of an account is shown to the holder of its password alone.
    #[must_use]
    pub fn as_typed(email: String, now: WireTime) -> Self {
        Self {
            id: None,
            name: String::new(),
            email,
            email_verified: false,
            image: None,
            created_at: now,
            updated_at: now,
            two_factor_enabled: true,
        }
    }
}

/// Success of sign-in: a session or a challenge. Made by [`SignInEmail::session`] and [`SignInEmail::challenge`]. A challenge
/// has `redirect`, `token` and `user` too, because types of published clients require them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignInEmail {
    /// Whether the client shall navigate to `url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<bool>,
    /// The raw session token, or that of the challenge.
    #[schemars(regex = "SESSION_OR_CHALLENGE_TOKEN")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The request's `callbackURL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<SignInUser>,
    /// True if a second factor is required, else absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub two_factor_redirect: Option<bool>,
    /// Factors that can complete the challenge, besides backup codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub two_factor_methods: Option<Vec<ChallengeMethod>>,
    /// Token of the challenge, for clients without cookies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub two_factor_token: Option<String>,
}

impl SignInEmail {
    /// A session; `url` is the request's `callbackURL`.
    #[must_use]
    pub fn session(token: String, user: User, url: Option<String>) -> Self {
        Self {
            redirect: Some(url.is_some()),
            token: Some(token),
            url,
            user: Some(user.into()),
            two_factor_redirect: None,
            two_factor_methods: None,
            two_factor_token: None,
        }
    }

    /// A challenge.
    #[must_use]
    pub fn challenge(methods: Vec<ChallengeMethod>, token: String, user: SignInUser) -> Self {
        Self {
            redirect: Some(false),
            token: Some(token.clone()),
            url: None,
            user: Some(user),
            two_factor_redirect: Some(true),
            two_factor_methods: Some(methods),
            two_factor_token: Some(token),
        }
    }
}

/// Success of sign-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignOut {
    /// Always true.
    pub success: bool,
}

/// Success of get-session for a live session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionAndUser {
    /// The session.
    pub session: Session,
    /// Its user.
    pub user: User,
}

/// Success of revoke-session, revoke-sessions and revoke-other-sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revoked {
    /// Always true.
    pub status: bool,
}

/// A trusted device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrustedDevice {
    /// The id of the device, which opens nothing.
    #[schemars(regex = "ID")]
    pub id: String,
    /// The name that the user gave it, else what the client is called.
    pub name: String,
    /// The client's `User-Agent` when it was last used; empty if unknown.
    pub user_agent: String,
    /// The client address when it was last used; empty if unknown.
    pub ip_address: String,
    /// Time at which a second factor was passed on it.
    pub created_at: WireTime,
    /// Time of the last sign-in by it.
    pub last_used_at: WireTime,
    /// End of the trust, unless it is used.
    pub expires_at: WireTime,
    /// Whether it is the device that asks.
    pub is_current: bool,
}

/// Success of change-password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangePassword {
    /// The new raw session token, if the sessions were ended.
    #[schemars(schema_with = "nullable_session_token")]
    pub token: Option<String>,
    /// The user.
    pub user: User,
}

/// Success of request-password-reset and forget-password, whether there is such an account or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestPasswordReset {
    /// Always true.
    pub status: bool,
    /// Text for a user.
    pub message: String,
}

/// A sign-up whose address has to be verified first.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignUpUnverified {
    /// Always `null`.
    #[schemars(schema_with = "always_null_text")]
    pub token: Option<String>,
    /// The user.
    pub user: User,
}

/// Success of verify-email.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyEmail {
    /// Always true.
    pub status: bool,
    /// The user; in a challenge, the address that the link was mailed to.
    pub user: SignInUser,
    /// True if a second factor is required to be signed in, else absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub two_factor_redirect: Option<bool>,
}

/// Success of update-session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpdateSession {
    /// The session.
    pub session: Session,
}

/// Success of delete-user and its callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeleteUser {
    /// Always true.
    pub success: bool,
    /// What was done.
    pub message: DeletionMessage,
}

/// A way to sign in, as list-accounts shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    /// The user's id.
    #[schemars(regex = "ID")]
    pub id: String,
    /// Always the password.
    pub provider_id: Provider,
    /// The user's id.
    #[schemars(regex = "ID")]
    pub account_id: String,
    /// The user's id.
    #[schemars(regex = "ID")]
    pub user_id: String,
    /// Always empty.
    #[schemars(length(max = 0))]
    pub scopes: Vec<String>,
    /// Time of creation.
    pub created_at: WireTime,
    /// Time of the last change.
    pub updated_at: WireTime,
}

/// Success of ok.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OkGet {
    /// Always true.
    pub ok: bool,
}

debug_only! {
    User { id, two_factor_enabled }
    Session { id, user_id, expires_at }
    TrustedDevice { id, expires_at, is_current }
    StatusAndSession { status, user }
    TwoFactorEnable { method }
    TokenAndUser { user }
    TwoFactorGetTotpUri {}
    TwoFactorVerifyBackupCode { user, session }
    SessionInShort { user_id, expires_at }
    TwoFactorGenerateBackupCodes { status }
    SignInUser { id, two_factor_enabled }
    SignInEmail { redirect, user, two_factor_redirect, two_factor_methods }
    ChangePassword { user }
    SignUpUnverified { user }
    VerifyEmail { user, two_factor_redirect }
}

#[cfg(test)]
mod tests {
    use super::{ChallengeMethod, ChangePassword, SignInEmail, SignInUser, StatusAndSession, User, WireTime};
    use serde_json::{json, to_value};

    fn user() -> User {
        User {
            id: "0192f3a46b7c7d8e9fa0b1c2d3e4f506".to_owned(),
            name: "Ada".to_owned(),
            email: "ada@example.com".to_owned(),
            email_verified: false,
            image: None,
            created_at: WireTime::from_millis(0),
            updated_at: WireTime::from_millis(1),
            two_factor_enabled: true,
        }
    }

    #[test]
    fn absent_is_left_out_and_documented_nulls_are_null() {
        let status = StatusAndSession { status: true, token: None, user: None };
        assert_eq!(to_value(status).expect("plain"), json!({"status": true}));
        let changed = to_value(ChangePassword { token: None, user: user() }).expect("plain");
        assert_eq!((&changed["token"], &changed["user"]["image"]), (&json!(null), &json!(null)));
        assert_eq!(changed["user"].as_object().map(serde_json::Map::len), Some(8));
    }

    #[test]
    fn a_sign_in_is_a_session_or_a_challenge() {
        let session = to_value(SignInEmail::session("t".to_owned(), user(), None)).expect("plain");
        assert_eq!(session, json!({"redirect": false, "token": "t", "user": user()}));
        let typed = SignInUser::as_typed("ada@example.com".to_owned(), WireTime::from_millis(0));
        let methods = vec![ChallengeMethod::Totp, ChallengeMethod::Otp];
        let challenge = SignInEmail::challenge(methods, "2fa".to_owned(), typed);
        let now = "1970-01-01T00:00:00.000Z";
        assert_eq!(
            to_value(challenge).expect("plain"),
            json!({
                "twoFactorRedirect": true, "twoFactorMethods": ["totp", "otp"], "twoFactorToken": "2fa",
                "redirect": false, "token": "2fa",
                "user": {
                    "name": "", "email": "ada@example.com", "emailVerified": false, "image": null, "createdAt": now,
                    "updatedAt": now, "twoFactorEnabled": true,
                },
            })
        );
    }

    #[test]
    fn debug_hides_what_is_secret() {
        let shown = format!("{:?}", SignInEmail::session("Zb3kP9".to_owned(), user(), None));
        assert!(!shown.contains("Zb3kP9") && !shown.contains("ada@"), "{shown}");
    }
}
