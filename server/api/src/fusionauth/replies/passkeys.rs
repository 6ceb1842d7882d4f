//! Statuses of the operations about passkeys.

use super::{ALWAYS, ASKED, GUARDED, NoBody, POSTED, responses};

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
}
