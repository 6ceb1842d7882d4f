//! Passkeys: registering, listing and removing them.

use super::credentials::{self, Call};
use super::terms::terms;
use super::values::{account_id, body_value, is_blank, is_invalid, query_value};
use super::{Context, passkey_refusal, passkey_wire, refusal};
use crate::edge::noted;
use countersign_api::Reply;
use countersign_api::fusionauth::responses::{Attachment, PasskeyRegisterStartResponse, PasskeyResponse, PasskeysResponse};
use countersign_api::fusionauth::{Error, Errors, TenantHeader, replies, requests};
use countersign_api::reply::NoBody;
use countersign_domain::account::Account;
use countersign_domain::passkey::Passkey;
use countersign_domain::user::User;
use countersign_flows::passkeys::{
    PasskeyManager, PasskeyNotRemoved, PasskeyRequest, PresentedRegistration, WhichPasskeys,
};

/// What a passkey is meant for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Workflow {
    /// Logging in on any device.
    Bootstrap,
    General,
    /// Logging in again on this device.
    Reauthentication,
}

impl Workflow {
    /// # Errors
    /// 400.
    pub(super) fn read(text: Option<&String>) -> Result<Self, Error> {
        match body_value(text).ok_or_else(|| is_blank("workflow"))? {
            "bootstrap" => Ok(Self::Bootstrap),
            "general" => Ok(Self::General),
            "reauthentication" => Ok(Self::Reauthentication),
            _ => Err(is_invalid("workflow")),
        }
    }
}

/// `POST /api/webauthn/register/start`
pub(super) async fn start_registration(
    context: &Context,
    tenant: TenantHeader,
    body: requests::PasskeyRegisterStart,
) -> Result<Reply<replies::StartPasskeyRegistration>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let user = named(context, &call, body_value(body.user_id.as_ref())).await?;
    let display_name = body_value(body.display_name.as_ref()).ok_or_else(|| is_blank("displayName"))?;
    let workflow = Workflow::read(body.workflow.as_ref())?;
    let request = PasskeyRequest {
        user_name: body_value(body.name.as_ref()),
        display_name: Some(display_name),
        user_agent: body_value(body.user_agent.as_ref()),
        demands_verification: workflow != Workflow::General,
    };
    let attachment = (workflow == Workflow::Reauthentication).then_some(Attachment::Platform);
    let flows = &context.context().flows;
    let manager = PasskeyManager::Service(&user.account);
    let begun = flows.begin_passkey_registration(manager, request, &terms(flows.policy())).await;
    let begun = begun.map_err(refusal::of_failure)?.map_err(passkey_refusal::not_registered)?;
    let options = passkey_wire::creation_options(&begun.options, attachment);
    Ok(Reply::ok(PasskeyRegisterStartResponse { options }))
}

/// `POST /api/webauthn/register/complete`
pub(super) async fn complete_registration(
    context: &Context,
    tenant: TenantHeader,
    body: requests::PasskeyRegisterComplete,
) -> Result<Reply<replies::CompletePasskeyRegistration>, Error> {
    let call = credentials::without_credentials(context, tenant)?;
    let mut errors = Errors::default();
    let credential = passkey_wire::Registration::read(body.credential.as_ref(), &mut errors);
    let Some(credential) = credential.filter(|_| errors.is_empty()) else { return Err(Error::of_errors(errors)) };
    let user = named(context, &call, body_value(body.user_id.as_ref())).await?;
    let flows = &context.context().flows;
    let manager = PasskeyManager::Service(&user.account);
    let presented = PresentedRegistration { token: None, response: credential.encoded(), name: None };
    let terms = terms(flows.policy());
    let registered = flows.complete_passkey_registration(&call.caller, manager, presented, &terms).await;
    let passkey = registered.map_err(refusal::of_failure)?.map_err(passkey_refusal::not_registered)?;
    Ok(Reply::ok(PasskeyResponse { credential: passkey_wire::passkey(&passkey, &user.account) }))
}

/// `GET /api/webauthn`
pub(super) async fn list(
    context: &Context,
    tenant: TenantHeader,
    query: requests::PasskeysQuery,
) -> Result<Reply<replies::RetrievePasskeys>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let user = named(context, &call, query_value(query.user_id.as_ref())).await?;
    let passkeys = context.context().flows.passkeys(user.account.id).await.map_err(refusal::of_failure)?;
    let credentials = passkeys.iter().map(|passkey| passkey_wire::passkey(passkey, &user.account)).collect();
    Ok(Reply::ok(PasskeysResponse { credentials }))
}

/// `DELETE /api/webauthn`
pub(super) async fn remove_all(
    context: &Context,
    tenant: TenantHeader,
    query: requests::PasskeysQuery,
) -> Result<Reply<replies::DeletePasskeys>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let user = named(context, &call, query_value(query.user_id.as_ref())).await?;
    let manager = PasskeyManager::Service(&user.account);
    let removed = context.context().flows.remove_passkeys(&call.caller, manager, WhichPasskeys::All).await;
    match removed.map_err(refusal::of_failure)? {
        Ok(()) | Err(PasskeyNotRemoved::NoPasskey) => Ok(Reply::ok(NoBody)),
        Err(PasskeyNotRemoved::Refused(refused)) => Err(passkey_refusal::not_managed(refused)),
    }
}

/// `GET /api/webauthn/{id}`
pub(super) async fn read(
    context: &Context,
    tenant: TenantHeader,
    id: &str,
) -> Result<Reply<replies::RetrievePasskey>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let (passkey, account) = find(context, &call, id).await?;
    Ok(Reply::ok(PasskeyResponse { credential: passkey_wire::passkey(&passkey, &account) }))
}

/// `DELETE /api/webauthn/{id}`
pub(super) async fn remove(
    context: &Context,
    tenant: TenantHeader,
    id: &str,
) -> Result<Reply<replies::DeletePasskeys>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let (passkey, account) = find(context, &call, id).await?;
    let (manager, which) = (PasskeyManager::Service(&account), WhichPasskeys::One(passkey.id));
    let removed = context.context().flows.remove_passkeys(&call.caller, manager, which).await;
    match removed.map_err(refusal::of_failure)? {
        Ok(()) => Ok(Reply::ok(NoBody)),
        Err(PasskeyNotRemoved::NoPasskey) => Err(refusal::not_found()),
        Err(PasskeyNotRemoved::Refused(refused)) => Err(passkey_refusal::not_managed(refused)),
    }
}

/// The user whom a request names, if the caller is allowed to see them.
async fn named(context: &Context, call: &Call, user_id: Option<&str>) -> Result<User, Error> {
    let missing = || Error::of_field("userId", "missing", "The Id of the User was not specified.");
    let id = account_id("userId", user_id.ok_or_else(missing)?)?;
    call.user(context, id).await?.ok_or_else(refusal::not_found)
}

/// The passkey of a path, and its account, if the caller is allowed to see them.
async fn find(context: &Context, call: &Call, id: &str) -> Result<(Passkey, Account), Error> {
    let found = context.context().flows.passkey(id, call.tenant).await.map_err(refusal::of_failure)?;
    let (passkey, account) = found.ok_or_else(refusal::not_found)?;
    noted::account(account.id);
    Ok((passkey, account))
}
