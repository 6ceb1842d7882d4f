//! Passkeys: `/api/webauthn`.

use super::error::Error;
use super::tenant::TenantHeader;
use super::{replies, requests};
use crate::body::LenientBody;
use crate::query::CheckedQuery;
use crate::reply::Reply;
use dropshot::{Path, RequestContext};

/// Passkeys: paths with a literal in place of `{id}`.
#[dropshot::api_description]
pub trait PasskeyApi {
    /// State shared by all handlers.
    type Context;

    /// List a user's passkeys.
    #[endpoint {
        method = GET,
        path = "/api/webauthn",
        operation_id = "retrieveWebAuthnCredentialsForUser",
        tags = ["Passkeys"],
    }]
    async fn retrieve_web_authn_credentials_for_user(
        context: RequestContext<Self::Context>,
        query: CheckedQuery<requests::PasskeysQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrievePasskeys>, Error>;

    /// Remove all passkeys of a user.
    #[endpoint {
        method = DELETE,
        path = "/api/webauthn",
        operation_id = "deleteWebAuthnCredentialsForUser",
        tags = ["Passkeys"],
    }]
    async fn delete_web_authn_credentials_for_user(
        context: RequestContext<Self::Context>,
        query: CheckedQuery<requests::PasskeysQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::DeletePasskeys>, Error>;

    /// Begin to register a passkey.
    #[endpoint {
        method = POST,
        path = "/api/webauthn/register/start",
        operation_id = "startWebAuthnRegistration",
        tags = ["Passkeys"],
    }]
    async fn start_web_authn_registration(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::PasskeyRegisterStart>,
    ) -> Result<Reply<replies::StartPasskeyRegistration>, Error>;

    /// Register a passkey.
    #[endpoint {
        method = POST,
        path = "/api/webauthn/register/complete",
        operation_id = "completeWebAuthnRegistration",
        tags = ["Passkeys"],
    }]
    async fn complete_web_authn_registration(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::PasskeyRegisterComplete>,
    ) -> Result<Reply<replies::CompletePasskeyRegistration>, Error>;

    /// Begin to log in, or to show a passkey.
    #[endpoint {
        method = POST,
        path = "/api/webauthn/start",
        operation_id = "startWebAuthnLogin",
        tags = ["Passkeys"],
    }]
    async fn start_web_authn_login(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::PasskeyStart>,
    ) -> Result<Reply<replies::StartPasskeyLogin>, Error>;

    /// Log in with a passkey.
    #[endpoint {
        method = POST,
        path = "/api/webauthn/login",
        operation_id = "completeWebAuthnLogin",
        tags = ["Passkeys"],
    }]
    async fn complete_web_authn_login(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::PasskeyLogin>,
    ) -> Result<Reply<replies::CompletePasskeyLogin>, Error>;

    /// Show a passkey without logging in.
    #[endpoint {
        method = POST,
        path = "/api/webauthn/assert",
        operation_id = "completeWebAuthnAssertion",
        tags = ["Passkeys"],
    }]
    async fn complete_web_authn_assertion(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::PasskeyLogin>,
    ) -> Result<Reply<replies::AssertPasskey>, Error>;

    /// Bring passkeys from another server.
    #[endpoint {
        method = POST,
        path = "/api/webauthn/import",
        operation_id = "importWebAuthnCredential",
        tags = ["Passkeys"],
    }]
    async fn import_web_authn_credential(
        context: RequestContext<Self::Context>,
        tenant: TenantHeader,
        body: LenientBody<requests::PasskeyImport>,
    ) -> Result<Reply<replies::ImportPasskeys>, Error>;
}

/// One passkey.
#[dropshot::api_description]
pub trait PasskeyByIdApi {
    /// State shared by all handlers.
    type Context;

    /// Read a passkey.
    #[endpoint {
        method = GET,
        path = "/api/webauthn/{id}",
        operation_id = "retrieveWebAuthnCredential",
        tags = ["Passkeys"],
    }]
    async fn retrieve_web_authn_credential(
        context: RequestContext<Self::Context>,
        path: Path<requests::PasskeyPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrievePasskey>, Error>;

    /// Remove a passkey.
    #[endpoint {
        method = DELETE,
        path = "/api/webauthn/{id}",
        operation_id = "deleteWebAuthnCredential",
        tags = ["Passkeys"],
    }]
    async fn delete_web_authn_credential(
        context: RequestContext<Self::Context>,
        path: Path<requests::PasskeyPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::DeletePasskeys>, Error>;
}
