//! Requests about mailed links: forgotten passwords, addresses to be proved, signing in without a password.

use super::LoginIdType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

requests! {
    /// `forgotPassword`.
    ForgotPassword {
        /// Login id of the user.
        #[schemars(length(max = 256))]
        login_id: String,
        /// Kinds of login id to look up.
        login_id_types: Vec<LoginIdType>,
        /// E-mail address of the user, in place of the login id.
        #[schemars(length(max = 256))]
        email: String,
        /// User name of the user, in place of the login id.
        #[schemars(length(max = 256))]
        username: String,
        /// Id of the application that the link is mailed for.
        #[schemars(length(max = 256))]
        application_id: String,
        /// Refused: the server chooses ids.
        #[schemars(length(max = 256))]
        change_password_id: String,
        /// False to mail nothing.
        send_forgot_password_email: bool,
        /// The caller's own state.
        state: Value,
    }

    /// `resendEmailVerification`.
    ResendVerificationQuery {
        /// E-mail address of the user.
        email: String,
        /// Id of the application that the link is mailed for.
        application_id: String,
        /// `false` to mail nothing.
        send_verify_email: String,
    }

    /// `verifyEmailAddress`.
    VerifyEmail {
        /// Id that was mailed.
        #[schemars(length(max = 256))]
        verification_id: String,
        /// Refused: the id is all it takes.
        #[schemars(length(max = 256))]
        one_time_code: String,
        /// Id of a user whose address a service vouches for.
        #[schemars(length(max = 256))]
        user_id: String,
    }

    /// `startPasswordlessLogin`.
    PasswordlessStart {
        /// Id of the application to log in to.
        #[schemars(length(max = 256))]
        application_id: String,
        /// Login id of the user.
        #[schemars(length(max = 256))]
        login_id: String,
        /// Kinds of login id to look up.
        login_id_types: Vec<LoginIdType>,
        /// `ClickableLink`.
        #[schemars(length(max = 256))]
        login_strategy: String,
        /// The caller's own state.
        state: Value,
    }

    /// `sendPasswordlessCode`.
    PasswordlessSend {
        /// Code from the start.
        #[schemars(length(max = 256))]
        code: String,
        /// Without a code, id of the application to log in to.
        #[schemars(length(max = 256))]
        application_id: String,
        /// Without a code, login id of the user.
        #[schemars(length(max = 256))]
        login_id: String,
        /// Kinds of login id to look up.
        login_id_types: Vec<LoginIdType>,
        /// Without a code, the caller's own state.
        state: Value,
    }

    /// `passwordlessLogin`.
    PasswordlessLogin {
        /// Code that was mailed, or that the start gave.
        #[schemars(length(max = 256))]
        code: String,
        /// Refused: the code is all it takes.
        #[schemars(length(max = 256))]
        one_time_code: String,
        /// Trust token of this device.
        #[schemars(length(max = 256))]
        two_factor_trust_id: String,
        /// True to get no tokens.
        #[serde(rename = "noJWT")]
        no_jwt: bool,
        /// IP address of the user's device, for calls with an API key.
        #[schemars(length(max = 256))]
        ip_address: String,
    }
}

paths! {
    /// A path that names a proof of an address.
    VerificationPath {
        /// Id that was mailed.
        verification_id
    }
}
