//! Responses about mailed links.

use super::OPAQUE;
use crate::responses::responses;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

responses! {
    /// `forgotPassword`.
    ForgotPasswordResponse {
        /// Id that grants the change, for a service.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(regex = "OPAQUE")]
        change_password_id: Option<String>,
    }

    /// `resendEmailVerification`.
    VerifyEmailResponse {
        /// Id that proves the address, for a service.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(regex = "OPAQUE")]
        verification_id: Option<String>,
    }

    /// `startPasswordlessLogin`.
    PasswordlessStartResponse {
        /// Code that logs in.
        #[schemars(regex = "OPAQUE")]
        code: String,
    }
}
