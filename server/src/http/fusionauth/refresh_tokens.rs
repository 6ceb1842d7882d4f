//! Refresh tokens: read and revoke them, and log out. [`super::login`] exchanges them.

use super::cookies::{self, ACCESS_TOKEN, REFRESH_TOKEN};
use super::values::{account_id, blank, body_value, is_blank, is_no_uuid, query_switch, query_value};
use super::{Context, credentials, refusal};
use countersign_api::Reply;
use countersign_api::fusionauth::responses::{
    RefreshToken, RefreshTokenDevice, RefreshTokenMetaData, RefreshTokenResponse, RefreshTokensResponse,
};
use countersign_api::fusionauth::{Error, Errors, TenantHeader, replies, requests};
use countersign_api::reply::NoBody;
use countersign_domain::device::Device;
use countersign_domain::ids::{RefreshTokenId, TenantId};
use countersign_flows::refresh_tokens::{Logout, StoredRefreshToken};
use std::time::Duration;

fn shown(token: &StoredRefreshToken, tenant_id: TenantId) -> RefreshToken {
    RefreshToken {
        id: token.id.to_hyphenated(),
        user_id: token.account_id.to_hyphenated(),
        application_id: token.application_id.to_hyphenated(),
        tenant_id: tenant_id.to_hyphenated(),
        insert_instant: token.signed_in_at.as_millis(),
        start_instant: token.used_at.as_millis(),
        meta_data: RefreshTokenMetaData { device: shown_device(token) },
    }
}

fn shown_device(token: &StoredRefreshToken) -> RefreshTokenDevice {
    let Device { name, description, kind } = token.device.clone();
    RefreshTokenDevice {
        name: name.map(|name| name.as_str().to_owned()),
        description,
        kind,
        last_accessed_address: Some(token.ip_address.clone()).filter(|address| !address.is_empty()),
        last_accessed_instant: token.used_at.as_millis(),
    }
}

fn token_id(text: &str) -> Result<RefreshTokenId, Error> {
    RefreshTokenId::parse(text).filter(|_| text.contains('-')).ok_or_else(|| is_no_uuid("tokenId"))
}

/// `GET /api/jwt/refresh`
pub(super) async fn list(
    context: &Context,
    tenant: TenantHeader,
    query: requests::RefreshTokensQuery,
) -> Result<Reply<replies::RetrieveRefreshTokens>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let id = account_id("userId", query_value(query.user_id.as_ref()).ok_or_else(|| is_blank("userId"))?)?;
    let flows = &context.context().flows;
    let found = flows.refresh_tokens(call.tenant, id).await.map_err(refusal::of_failure)?;
    let (tokens, tenant_id) = found.ok_or_else(refusal::not_found)?;
    Ok(Reply::ok(RefreshTokensResponse {
        refresh_tokens: tokens.iter().map(|token| shown(token, tenant_id)).collect(),
    }))
}

/// `GET /api/jwt/refresh/{tokenId}`
pub(super) async fn read(
    context: &Context,
    tenant: TenantHeader,
    id: &str,
) -> Result<Reply<replies::RetrieveRefreshToken>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let found = context.context().flows.refresh_token(call.tenant, token_id(id)?).await.map_err(refusal::of_failure)?;
    let (token, tenant_id) = found.ok_or_else(refusal::not_found)?;
    Ok(Reply::ok(RefreshTokenResponse { refresh_token: shown(&token, tenant_id) }))
}

/// `DELETE /api/jwt/refresh`
pub(super) async fn revoke(
    context: &Context,
    tenant: TenantHeader,
    query: requests::RevokeRefreshTokenQuery,
    body: requests::RevokeRefreshToken,
) -> Result<Reply<replies::RevokeRefreshToken>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let flows = &context.context().flows;
    let given =
        |body: Option<&String>, query: Option<&String>| body_value(body).or(query_value(query)).map(str::to_owned);
    let token = given(body.token.as_ref(), query.token.as_ref());
    let user = given(body.user_id.as_ref(), query.user_id.as_ref());
    let application = given(body.application_id.as_ref(), query.application_id.as_ref());
    if let Some(token) = token {
        let revoked = flows.revoke_presented_token(&call.caller, call.tenant, &token, Logout::This).await;
        return match revoked.map_err(refusal::of_failure)? {
            true => Ok(Reply::ok(NoBody)),
            false => Err(refusal::not_found()),
        };
    }
    let user = user.map(|text| account_id("userId", &text)).transpose()?;
    let application = call.application(context, "applicationId", application.as_deref())?.map(|found| found.id);
    let is_done = match (user, application) {
        (Some(user), application) => flows.revoke_refresh_tokens(&call.caller, call.tenant, user, application).await,
        (None, Some(application)) => flows.revoke_application_tokens(&call.caller, application).await.map(|()| true),
        (None, None) => {
            let mut errors = Errors::default();
            for field in ["applicationId", "token", "userId"] {
                blank(&mut errors, field);
            }
            return Err(Error::of_errors(errors));
        }
    };
    match is_done.map_err(refusal::of_failure)? {
        true => Ok(Reply::ok(NoBody)),
        false => Err(refusal::not_found()),
    }
}

/// `DELETE /api/jwt/refresh/{tokenId}`
pub(super) async fn revoke_by_id(
    context: &Context,
    tenant: TenantHeader,
    id: &str,
) -> Result<Reply<replies::RevokeRefreshTokenById>, Error> {
    let call = credentials::require_service(context, tenant).await?;
    let flows = &context.context().flows;
    let revoked = flows.revoke_refresh_token_by_id(&call.caller, call.tenant, token_id(id)?).await;
    match revoked.map_err(refusal::of_failure)? {
        true => Ok(Reply::ok(NoBody)),
        false => Err(refusal::not_found()),
    }
}

/// `POST /api/logout`
pub(super) async fn logout(
    context: &Context,
    query: requests::LogoutQuery,
    body: requests::Logout,
) -> Result<Reply<replies::Logout>, Error> {
    let app = context.context();
    let caller = credentials::caller(context);
    let cookie = cookies::read(context.request.headers(), REFRESH_TOKEN);
    let token = body_value(body.refresh_token.as_ref()).or(query_value(query.refresh_token.as_ref()));
    let is_global = query_switch("global", query.global.as_ref())?;
    let is_global = body.global.or(is_global).unwrap_or(false);
    if let Some(token) = token.or(cookie.as_deref()) {
        let logout = if is_global { Logout::All } else { Logout::This };
        app.flows.revoke_presented_token(&caller, None, token, logout).await.map_err(refusal::of_failure)?;
    }
    let removed = [ACCESS_TOKEN, REFRESH_TOKEN].map(|name| cookies::set(app, name, "", Some(Duration::ZERO)));
    Ok(removed.into_iter().flatten().fold(Reply::ok(NoBody), Reply::with_cookie))
}
