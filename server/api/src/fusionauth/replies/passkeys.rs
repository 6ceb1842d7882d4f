//! Statuses of the operations about passkeys.

use super::{ALWAYS, ASKED, CONFLICT, GUARDED, LOGGED_IN, NoBody, POSTED, SET_COOKIE, responses};

crate::replies! {
    /// `retrieveWebAuthnCredentialsForUser`.
    pub enum RetrievePasskeys {
        200 "The passkeys." => responses::PasskeysResponse, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `retrieveWebAuthnCredential`.
    pub enum RetrievePasskey {
        200 "The passkey." => responses::PasskeyResponse, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `deleteWebAuthnCredentialsForUser` and `deleteWebAuthnCredential`.
    pub enum DeletePasskeys {
        200 "They are removed." => NoBody, headers [];
        errors [ALWAYS, ASKED, GUARDED];
    }

    /// `startWebAuthnRegistration`.
    pub enum StartPasskeyRegistration {
        200 "The options." => responses::PasskeyRegisterStartResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `completeWebAuthnRegistration`.
    pub enum CompletePasskeyRegistration {
        200 "The passkey is registered." => responses::PasskeyResponse, headers [];
        errors [ALWAYS, ASKED, POSTED];
    }

    /// `importWebAuthnCredential`.
    pub enum ImportPasskeys {
        200 "The users have them." => NoBody, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `startWebAuthnLogin`.
    pub enum StartPasskeyLogin {
        200 "The options." => responses::PasskeyStartResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `completeWebAuthnLogin`.
    pub enum CompletePasskeyLogin {
        200 "The user is logged in." => responses::LoginResponse, headers [SET_COOKIE];
        202 "The same, but the user is not registered for the application." => responses::LoginResponse,
            headers [SET_COOKIE];
        203 "The password has to be changed first." => responses::LoginResponse, headers [];
        242 "A second factor is needed." => responses::LoginResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, &[CONFLICT], LOGGED_IN];
    }

    /// `completeWebAuthnAssertion`.
    pub enum AssertPasskey {
        200 "The passkey." => responses::PasskeyResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, &[CONFLICT], LOGGED_IN];
    }
}
