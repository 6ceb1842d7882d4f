//! The operations of passkeys, taken apart for the modules that carry them out.

use super::{Context, FusionAuth, passkey_import, passkey_login, passkeys};
use crate::app::App;
use crate::edge::contexts::Lent;
use countersign_api::fusionauth::{Error, PasskeyApi, PasskeyByIdApi, TenantHeader, replies, requests};
use countersign_api::{CheckedQuery, LenientBody, Reply};
use dropshot::Path;
use std::sync::Arc;

impl PasskeyApi for FusionAuth {
    type Context = Arc<App>;

    async fn retrieve_web_authn_credentials_for_user(
        context: Context,
        query: CheckedQuery<requests::PasskeysQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrievePasskeys>, Error> {
        passkeys::list(&Lent::new(context), tenant, query.into_inner()).await
    }

    async fn delete_web_authn_credentials_for_user(
        context: Context,
        query: CheckedQuery<requests::PasskeysQuery>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::DeletePasskeys>, Error> {
        passkeys::remove_all(&Lent::new(context), tenant, query.into_inner()).await
    }

    async fn start_web_authn_registration(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::PasskeyRegisterStart>,
    ) -> Result<Reply<replies::StartPasskeyRegistration>, Error> {
        passkeys::start_registration(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn complete_web_authn_registration(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::PasskeyRegisterComplete>,
    ) -> Result<Reply<replies::CompletePasskeyRegistration>, Error> {
        passkeys::complete_registration(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn start_web_authn_login(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::PasskeyStart>,
    ) -> Result<Reply<replies::StartPasskeyLogin>, Error> {
        passkey_login::start(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn complete_web_authn_login(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::PasskeyLogin>,
    ) -> Result<Reply<replies::CompletePasskeyLogin>, Error> {
        passkey_login::login(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn complete_web_authn_assertion(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::PasskeyLogin>,
    ) -> Result<Reply<replies::AssertPasskey>, Error> {
        passkey_login::assert(&Lent::new(context), tenant, body.into_inner()).await
    }

    async fn import_web_authn_credential(
        context: Context,
        tenant: TenantHeader,
        body: LenientBody<requests::PasskeyImport>,
    ) -> Result<Reply<replies::ImportPasskeys>, Error> {
        passkey_import::import(&Lent::new(context), tenant, body.into_inner()).await
    }
}

impl PasskeyByIdApi for FusionAuth {
    type Context = Arc<App>;

    async fn retrieve_web_authn_credential(
        context: Context,
        path: Path<requests::PasskeyPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::RetrievePasskey>, Error> {
        passkeys::read(&Lent::new(context), tenant, &path.into_inner().id).await
    }

    async fn delete_web_authn_credential(
        context: Context,
        path: Path<requests::PasskeyPath>,
        tenant: TenantHeader,
    ) -> Result<Reply<replies::DeletePasskeys>, Error> {
        passkeys::remove(&Lent::new(context), tenant, &path.into_inner().id).await
    }
}
