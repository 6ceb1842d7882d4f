//! The statuses of each operation, with their bodies and headers.

use super::super::replies::{
    ALWAYS, FORBIDDEN, PAYLOAD_TOO_LARGE, POSTED, SESSION, SET_AUTH_TOKEN, SET_COOKIE, UNAUTHORIZED,
    UNSUPPORTED_MEDIA_TYPE, VERIFY_BAD_REQUEST, VERIFY_FORBIDDEN, error,
};
use super::super::responses::Revoked;
use super::responses;
use crate::reply::Documented;

const NO_SUCH_PASSKEY: Documented = error(401, "There is no such passkey.", &[SET_COOKIE]);

crate::replies! {
    /// `generatePasskeyRegistrationOptions`.
    pub enum RegistrationOptions {
        200 "The options." => responses::CreationOptions, headers [SET_COOKIE];
        errors [ALWAYS, SESSION, &[FORBIDDEN]];
    }

    /// `passkeyVerifyRegistration`.
    pub enum VerifyRegistration {
        200 "The passkey is registered." => responses::VerifyRegistration, headers [SET_COOKIE];
        errors [ALWAYS, &[
            VERIFY_BAD_REQUEST, UNAUTHORIZED, VERIFY_FORBIDDEN, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE,
        ]];
    }

    /// `passkeyGenerateAuthenticateOptions`.
    pub enum AuthenticationOptions {
        200 "The options." => responses::RequestOptions, headers [SET_COOKIE];
        errors [ALWAYS];
    }

    /// `passkeyVerifyAuthentication`.
    pub enum VerifyAuthentication {
        200 "A session or a challenge." => responses::VerifyAuthentication, headers [SET_COOKIE, SET_AUTH_TOKEN];
        errors [ALWAYS, &[
            VERIFY_BAD_REQUEST, NO_SUCH_PASSKEY, VERIFY_FORBIDDEN, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE,
        ]];
    }

    /// `passkeyListUserPasskeys`.
    pub enum ListUserPasskeys {
        200 "The passkeys." => Vec<responses::Passkey>, headers [];
        errors [ALWAYS, &[UNAUTHORIZED, FORBIDDEN]];
    }

    /// `passkeyDeletePasskey`.
    pub enum DeletePasskey {
        200 "The user has no such passkey any more." => Revoked, headers [];
        errors [ALWAYS, POSTED, SESSION];
    }

    /// `passkeyUpdatePasskey`.
    pub enum UpdatePasskey {
        200 "The passkey under its new name." => responses::UpdatePasskey, headers [];
        errors [ALWAYS, POSTED, SESSION];
    }
}
