//! Statuses of the operations about mailed links.

use super::{
    ALWAYS, ASKED, CONFLICT, Documented, GUARDED, LOGGED_IN, NoBody, POSTED, SET_COOKIE, UNREACHABLE_USER, responses,
};

/// Further errors of operations that mail something.
const MAILED: &[Documented] = &[UNREACHABLE_USER];

crate::replies! {
    /// `forgotPassword`.
    pub enum ForgotPassword {
        200 "The id, for a service." => responses::ForgotPasswordResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED, MAILED];
    }

    /// `resendEmailVerification`.
    pub enum ResendEmailVerification {
        200 "The id, for a service." => responses::VerifyEmailResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `verifyEmailAddress`.
    pub enum VerifyEmailAddress {
        200 "The address is verified." => NoBody, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `verifyEmail`.
    pub enum VerifyEmail {
        200 "The address is verified." => NoBody, headers [];
        errors [ALWAYS, ASKED, POSTED];
    }

    /// `startPasswordlessLogin`.
    pub enum StartPasswordlessLogin {
        200 "The code." => responses::PasswordlessStartResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED];
    }

    /// `sendPasswordlessCode`.
    pub enum SendPasswordlessCode {
        200 "The code is on its way." => NoBody, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED, MAILED];
    }

    /// `passwordlessLogin`.
    pub enum PasswordlessLogin {
        200 "The user is logged in." => responses::LoginResponse, headers [SET_COOKIE];
        202 "The same, but the user is not registered for the application." => responses::LoginResponse,
            headers [SET_COOKIE];
        203 "The password has to be changed first." => responses::LoginResponse, headers [];
        242 "A second factor is needed." => responses::LoginResponse, headers [];
        errors [ALWAYS, ASKED, POSTED, GUARDED, &[CONFLICT], LOGGED_IN];
    }
}
