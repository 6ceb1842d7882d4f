//! The credentials of a request: a service by its API key, a user by an access token, or none.

use super::cookies::{self, ACCESS_TOKEN};
use super::values::{body_value, is_no_uuid};
use super::{Context, refusal};
use crate::edge::noted;
use crate::edge::proven::Proof;
use crate::http::shared::{Authorization, KeyCheck, check_key};
use countersign_api::DialectName;
use countersign_api::fusionauth::TenantHeader;
use countersign_api::fusionauth::requests::{DeviceInfo, MetaData};
use countersign_api::fusionauth::{BearerChallenge, Error};
use countersign_domain::account::LoginName;
use countersign_domain::actor::Actor;
use countersign_domain::assurance::Manager;
use countersign_domain::device::Device;
use countersign_domain::ids::{AccountId, ApplicationId, TenantId};
use countersign_domain::jwt::Claims;
use countersign_domain::language::Languages;
use countersign_domain::policy::Policy;
use countersign_domain::tenant::{Application, Tenant};
use countersign_domain::user::{AccountLookup, User};
use countersign_flows::Caller;
use countersign_flows::tokens::TokenPurpose;
use dropshot::ErrorStatusCode as Status;
use std::net::IpAddr;

/// A caller, and the tenant that the request names.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) caller: Caller,
    pub(super) tenant: Option<TenantId>,
}

/// A service, or the holder of an access token.
pub(super) enum Principal {
    Service(Call),
    Holder(Call, Box<(User, Claims)>),
}

/// 401 for an API key, which is of no scheme that a challenge could name.
pub(super) fn unauthorized() -> Error {
    Error::of_status(Status::UNAUTHORIZED)
}

/// 401 where an access token would do.
pub(super) fn token_missing() -> Error {
    unauthorized().with_challenge(&BearerChallenge::Missing)
}

/// 401 for an access token.
pub(super) fn token_invalid() -> Error {
    unauthorized().with_challenge(&BearerChallenge::Invalid)
}

/// 401 for an access token whose login has no second factor, or had it too long ago. It says which login would do.
pub(super) fn second_factor_due(policy: &Policy) -> Error {
    let max_age = policy.assurance_lifetime.as_secs();
    unauthorized().with_challenge(&BearerChallenge::Insufficient { acr: Claims::TWO_FACTORS, max_age })
}

/// The caller, where no tenant can be named.
pub(super) fn caller(context: &Context) -> Caller {
    crate::http::shared::caller(context, DialectName::FusionAuth)
}

/// A call that needs no credentials.
///
/// # Errors
/// 400: there is no such tenant.
pub(super) fn without_credentials(context: &Context, tenant: TenantHeader) -> Result<Call, Error> {
    let mut caller = caller(context);
    if presented_key(context).is_some() {
        // What a service accepts says nothing about its user.
        caller.languages = Languages::default();
    }
    Ok(Call { caller, tenant: named_tenant(context, tenant)? })
}

fn named_tenant(context: &Context, header: TenantHeader) -> Result<Option<TenantId>, Error> {
    let Some(text) = header.into_inner() else { return Ok(None) };
    let id = TenantId::parse(&text).ok_or_else(|| is_no_uuid("tenantId"))?;
    match context.context().flows.directory().tenant(id) {
        Some(tenant) => Ok(Some(tenant.id)),
        None => Err(Error::of_field("tenantId", "invalid", "There is no such tenant.")),
    }
}

/// The API key of the request: any `Authorization` that is no bearer token.
fn presented_key(context: &Context) -> Option<String> {
    match Authorization::read(context.request.headers()) {
        Authorization::Other(key) => Some(key),
        Authorization::Absent | Authorization::Bearer(_) => None,
    }
}

/// The service, whose key must allow this operation.
///
/// # Errors
/// 401, 400 (there is no such tenant), 503.
pub(super) async fn require_service(context: &Context, tenant: TenantHeader) -> Result<Call, Error> {
    let key = presented_key(context).ok_or_else(unauthorized)?;
    let checked = check_key(context, DialectName::FusionAuth, &key).await.map_err(refusal::of_failure)?;
    let KeyCheck::Allowed(service) = checked else { return Err(unauthorized()) };
    let named = named_tenant(context, tenant)?;
    if service.tenant_id.is_some() && named.is_some() && service.tenant_id != named {
        return Err(unauthorized());
    }
    // What a service accepts says nothing about its user.
    let languages = Languages::default();
    let caller = Caller { actor: Actor::Service(service.key_id), is_relayed: true, languages, ..caller(context) };
    Ok(Call { caller, tenant: service.tenant_id.or(named) })
}

/// A service, if the request has an API key; else a call that needs no credentials.
///
/// # Errors
/// As of both.
pub(super) async fn service_or_anybody(context: &Context, tenant: TenantHeader) -> Result<Call, Error> {
    match presented_key(context) {
        Some(_) => require_service(context, tenant).await,
        None => without_credentials(context, tenant),
    }
}

/// Whether the request has an API key that allows this operation.
///
/// # Errors
/// 503.
pub(super) async fn is_service(context: &Context) -> Result<bool, Error> {
    let Some(key) = presented_key(context) else { return Ok(false) };
    let checked = check_key(context, DialectName::FusionAuth, &key).await.map_err(refusal::of_failure)?;
    Ok(matches!(checked, KeyCheck::Allowed(_)))
}

/// The access token of the request: from the header, else from the cookie.
pub(super) fn presented_token(context: &Context) -> Option<String> {
    match Authorization::read(context.request.headers()) {
        Authorization::Bearer(token) => Some(token),
        Authorization::Other(_) => None,
        Authorization::Absent => cookies::read(context.request.headers(), ACCESS_TOKEN),
    }
}

/// The user of a valid access token.
///
/// # Errors
/// 401, 400 (there is no such tenant), 503.
pub(super) async fn require_holder(
    context: &Context,
    tenant: TenantHeader,
    purpose: TokenPurpose,
) -> Result<(Call, User, Claims), Error> {
    let call = without_credentials(context, tenant)?;
    let token = presented_token(context).ok_or_else(token_missing)?;
    let (user, claims) = holder_of(context, &token, call.tenant, purpose).await?;
    let caller = Caller { is_known: true, ..call.caller };
    Ok((Call { caller, tenant: Some(user.account.tenant_id) }, user, claims))
}

/// The user of an access token, and what it says.
///
/// # Errors
/// 401, 503.
pub(super) async fn holder_of(
    context: &Context,
    token: &str,
    tenant: Option<TenantId>,
    purpose: TokenPurpose,
) -> Result<(User, Claims), Error> {
    let app = context.context();
    let holder = app.flows.token_holder(token, tenant, purpose).await.map_err(refusal::of_failure)?;
    let (user, claims) = holder.ok_or_else(token_invalid)?;
    noted::account(user.account.id);
    app.proven.remember(token, Proof::User, app.flows.now());
    Ok((user, claims))
}

/// The user of a valid access token, as one who manages their second factors.
///
/// # Errors
/// 401 also where tokens for this audience manage none.
pub(super) async fn require_manager(
    context: &Context,
    tenant: TenantHeader,
    purpose: TokenPurpose,
) -> Result<(Call, User, Manager), Error> {
    let (call, user, claims) = require_holder(context, tenant, purpose).await?;
    let manager = context.context().flows.manager(&claims, &user.account).ok_or_else(token_invalid)?;
    Ok((call, user, manager))
}

/// Either of them, for a step of an enrolment.
///
/// # Errors
/// As of both.
pub(super) async fn require_either(context: &Context, tenant: TenantHeader) -> Result<Principal, Error> {
    require_principal(context, tenant, TokenPurpose::Enrolment).await
}

/// Either of them; a request with an API key is a service's.
///
/// # Errors
/// As of both.
pub(super) async fn require_principal(
    context: &Context,
    tenant: TenantHeader,
    purpose: TokenPurpose,
) -> Result<Principal, Error> {
    if presented_key(context).is_some() {
        return Ok(Principal::Service(require_service(context, tenant).await?));
    }
    let (call, user, claims) = require_holder(context, tenant, purpose).await?;
    Ok(Principal::Holder(call, Box::new((user, claims))))
}

/// The user whom one of these names names in a tenant.
///
/// # Errors
/// 503.
pub(super) async fn user_by_login(
    context: &Context,
    tenant: TenantId,
    names: Vec<LoginName>,
) -> Result<Option<User>, Error> {
    let user = context.context().flows.user_by_login(tenant, names).await.map_err(refusal::of_failure)?;
    Ok(user.inspect(|user| noted::account(user.account.id)))
}

impl Call {
    /// The user with this id, if the caller is allowed to see them.
    ///
    /// # Errors
    /// 503.
    pub(super) async fn user(&self, context: &Context, id: AccountId) -> Result<Option<User>, Error> {
        let user = context.context().flows.user(AccountLookup::Id(id), self.tenant).await;
        Ok(user.map_err(refusal::of_failure)?.inspect(|user| noted::account(user.account.id)))
    }

    /// Whether a service calls, with its API key.
    pub(super) fn is_service(&self) -> bool {
        self.caller.actor.is_service()
    }

    /// The call as made from the device that a service names (`ipAddress`), so that quotas count its network. A service that names
    /// none has no network: its own is that of all its users. Neither has a call without an API key, because clients leave the key
    /// out where it is not needed, whichever machine they run on.
    pub(super) fn on_device(self, address: Option<&String>) -> Self {
        let address = body_value(address).and_then(|text| text.parse::<IpAddr>().ok());
        match (self.caller.actor.is_service(), address) {
            (true, Some(ip)) => Self { caller: Caller { ip, is_relayed: false, ..self.caller }, ..self },
            (_, _) => Self { caller: Caller { is_relayed: true, ..self.caller }, ..self },
        }
    }

    /// The call with what it says of the user's device (`metaData`).
    pub(super) fn described(self, meta_data: Option<&MetaData>) -> Self {
        let Some(info) = meta_data.and_then(|meta_data| meta_data.device.as_ref()) else { return self };
        let DeviceInfo { name, description, kind } = info;
        let device = Device::described(name.as_deref(), description.as_deref(), kind.as_deref());
        Self { caller: Caller { device, ..self.caller }, ..self }
    }

    /// The application that the request names.
    ///
    /// # Errors
    /// 400: the tenant has no such application.
    pub(super) fn application<'a>(
        &self,
        context: &'a Context,
        field: &str,
        text: Option<&str>,
    ) -> Result<Option<&'a Application>, Error> {
        let Some(text) = text else { return Ok(None) };
        let id = ApplicationId::parse(text).ok_or_else(|| is_no_uuid(field))?;
        let application = context.context().flows.directory().application(id);
        let application =
            application.filter(|application| self.tenant.is_none_or(|tenant| tenant == application.tenant_id));
        let message = format!("The [{field}] is not the id of an application.");
        application.map(Some).ok_or_else(|| Error::of_field(field, "invalid", message))
    }

    /// The tenant that the request is about.
    ///
    /// # Errors
    /// 400: there is more than one tenant and none is named.
    pub(super) fn tenant<'a>(
        &self,
        context: &'a Context,
        application: Option<&Application>,
    ) -> Result<&'a Tenant, Error> {
        let directory = context.context().flows.directory();
        let id = self.tenant.or(application.map(|application| application.tenant_id));
        match id {
            Some(id) => Ok(directory.tenant(id).unwrap_or(directory.home())),
            None if directory.has_one_tenant() => Ok(directory.home()),
            None => {
                let message = "There is more than one tenant: name it in the header X-FusionAuth-TenantId.";
                Err(Error::general("TenantIdRequired", message))
            }
        }
    }
}
