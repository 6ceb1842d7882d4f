//! Mailed links: forgotten passwords, addresses to be proved, signing in without a password. Paths have a literal in place of
//! `{userId}`.

use super::error::Error;
use super::tenant::TenantHeader;
use super::{replies, requests};
use crate::body::LenientBody;
use crate::query::CheckedQuery;
use crate::reply::Reply;
use dropshot::{Path, RequestContext};

/// Mailed links.
#[dropshot::api_description]
pub trait LinkApi {
    /// State shared by all handlers.
    type Context;

    /// Ask for an id that changes a forgotten password.
    #[endpoint {
        method = POST,
        path = "/api/user/forgot-password",
        operation_id = "forgotPassword",
        tags = ["Passwords"],
    }]
    async fn forgot_password(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::ForgotPassword>,
    ) -> Result<Reply<replies::ForgotPassword>, Error>;

    /// Ask for an id that verifies an e-mail address.
    #[endpoint {
        method = PUT,
        path = "/api/user/verify-email",
        operation_id = "resendEmailVerification",
        tags = ["Users"],
    }]
    async fn resend_email_verification(
        context: RequestContext<Self::Context>,
        query: CheckedQuery<requests::ResendVerificationQuery>,
        tenant: TenantHeader,
        body: LenientBody<requests::NoFields>,
    ) -> Result<Reply<replies::ResendEmailVerification>, Error>;

    /// Verify an e-mail address.
    #[endpoint {
        method = POST,
        path = "/api/user/verify-email",
        operation_id = "verifyEmailAddress",
        tags = ["Users"],
    }]
    async fn verify_email_address(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::VerifyEmail>,
    ) -> Result<Reply<replies::VerifyEmailAddress>, Error>;

    /// Verify an e-mail address by the id in the path.
    #[endpoint {
        method = POST,
        path = "/api/user/verify-email/{verificationId}",
        operation_id = "verifyEmail",
        tags = ["Users"],
    }]
    async fn verify_email(
        context: RequestContext<Self::Context>,
        path: Path<requests::VerificationPath>,
        tenant: TenantHeader,
        body: LenientBody<requests::NoFields>,
    ) -> Result<Reply<replies::VerifyEmail>, Error>;

    /// Make a code that logs in.
    #[endpoint {
        method = POST,
        path = "/api/passwordless/start",
        operation_id = "startPasswordlessLogin",
        tags = ["Passwordless"],
    }]
    async fn start_passwordless_login(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::PasswordlessStart>,
    ) -> Result<Reply<replies::StartPasswordlessLogin>, Error>;

    /// Mail a code that logs in.
    #[endpoint {
        method = POST,
        path = "/api/passwordless/send",
        operation_id = "sendPasswordlessCode",
        tags = ["Passwordless"],
    }]
    async fn send_passwordless_code(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::PasswordlessSend>,
    ) -> Result<Reply<replies::SendPasswordlessCode>, Error>;

    /// Log in with a code.
    #[endpoint {
        method = POST,
        path = "/api/passwordless/login",
        operation_id = "passwordlessLogin",
        tags = ["Passwordless"],
    }]
    async fn passwordless_login(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::PasswordlessLogin>,
    ) -> Result<Reply<replies::PasswordlessLogin>, Error>;
}
