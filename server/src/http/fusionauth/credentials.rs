//! Who calls: a service by its key, a person by their access token, or anybody.

use super::cookies::{self, ACCESS_TOKEN};
use super::values::{given, is_no_uuid};
use super::{Context, refusal};
use crate::flows::Caller;
use crate::http::shared::Authorization;
use countersign_api::DialectName;
use countersign_api::fusionauth::Error;
use countersign_api::fusionauth::TenantHeader;
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::jwt::Claims;
use countersign_domain::tenant::{Application, Tenant};
use countersign_store::work::Person;
use dropshot::ErrorStatusCode as Status;
use std::net::IpAddr;

/// Somebody who calls, and the tenant that the call names.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) caller: Caller,
    pub(super) tenant: Option<TenantId>,
}

/// A service, or a person.
pub(super) enum Who {
    Service(Call),
    Holder(Call, Box<(Person, Claims)>),
}

/// 401.
pub(super) fn unauthorized() -> Error {
    Error::of_status(Status::UNAUTHORIZED)
}

fn caller(context: &Context) -> Caller {
    crate::http::shared::caller(context, DialectName::FusionAuth)
}

/// Anybody, where no tenant can be named.
pub(super) fn anonymous(context: &Context) -> Caller {
    caller(context)
}

/// A call that needs no credentials.
///
/// # Errors
/// 400: the tenant is none.
pub(super) fn anybody(context: &Context, tenant: TenantHeader) -> Result<Call, Error> {
    Ok(Call { caller: caller(context), tenant: named_tenant(context, tenant)? })
}

fn named_tenant(context: &Context, header: TenantHeader) -> Result<Option<TenantId>, Error> {
    let Some(text) = header.into_inner() else { return Ok(None) };
    let id = TenantId::parse(&text).ok_or_else(|| is_no_uuid("tenantId"))?;
    match context.context().flows.directory.tenant(id) {
        Some(tenant) => Ok(Some(tenant.id)),
        None => Err(Error::of_field("tenantId", "invalid", "There is no such tenant.")),
    }
}

/// The value of `Authorization`, if it is a key and not a token.
fn shown_key(context: &Context) -> Option<String> {
    match Authorization::read(context.request.headers()) {
        Authorization::Other(key) => Some(key),
        Authorization::Absent | Authorization::Bearer(_) => None,
    }
}

/// A service whose key is good for this operation.
///
/// # Errors
/// 401, 400 (the tenant is none), 503.
pub(super) async fn require_service(context: &Context, tenant: TenantHeader) -> Result<Call, Error> {
    let flows = &context.context().flows;
    let key = shown_key(context).ok_or_else(unauthorized)?;
    let service = flows.service(&key).await.map_err(refusal::of_failure)?.ok_or_else(unauthorized)?;
    let name = &context.endpoint.operation_id;
    let operation = crate::operations::FUSIONAUTH.iter().find(|operation| operation.operation_id == name);
    if !operation.is_some_and(|operation| service.may(operation.method, operation.path)) {
        return Err(unauthorized());
    }
    let named = named_tenant(context, tenant)?;
    if service.tenant_id.is_some() && named.is_some() && service.tenant_id != named {
        return Err(unauthorized());
    }
    let caller = Caller { api_key_id: Some(service.key_id), ..caller(context) };
    Ok(Call { caller, tenant: service.tenant_id.or(named) })
}

/// Whether a service's key is shown that is good for this operation.
///
/// # Errors
/// 503.
pub(super) async fn is_service(context: &Context) -> Result<bool, Error> {
    let Some(key) = shown_key(context) else { return Ok(false) };
    let service = context.context().flows.service(&key).await.map_err(refusal::of_failure)?;
    let name = &context.endpoint.operation_id;
    let operation = crate::operations::FUSIONAUTH.iter().find(|operation| operation.operation_id == name);
    Ok(service.zip(operation).is_some_and(|(service, operation)| service.may(operation.method, operation.path)))
}

/// The access token that is shown: in the header, else in the cookie.
pub(super) fn shown_token(context: &Context) -> Option<String> {
    match Authorization::read(context.request.headers()) {
        Authorization::Bearer(token) => Some(token),
        Authorization::Other(_) => None,
        Authorization::Absent => cookies::read(context.request.headers(), ACCESS_TOKEN),
    }
}

/// A person whose access token is good.
///
/// # Errors
/// 401, 400 (the tenant is none), 503.
pub(super) async fn require_holder(context: &Context, tenant: TenantHeader) -> Result<(Call, Person, Claims), Error> {
    let call = anybody(context, tenant)?;
    let token = shown_token(context).ok_or_else(unauthorized)?;
    let holder = context.context().flows.holder(&token, call.tenant).await.map_err(refusal::of_failure)?;
    let (person, claims) = holder.ok_or_else(unauthorized)?;
    let tenant = Some(person.account.tenant_id);
    Ok((Call { tenant, ..call }, person, claims))
}

/// Either of them; whoever shows a key is a service.
///
/// # Errors
/// As of both.
pub(super) async fn require_either(context: &Context, tenant: TenantHeader) -> Result<Who, Error> {
    if shown_key(context).is_some() {
        return Ok(Who::Service(require_service(context, tenant).await?));
    }
    let (call, person, claims) = require_holder(context, tenant).await?;
    Ok(Who::Holder(call, Box::new((person, claims))))
}

impl Call {
    /// The call on behalf of somebody whose device a service names.
    pub(super) fn on_device(self, address: Option<&String>) -> Self {
        let address = given(address).and_then(|text| text.parse::<IpAddr>().ok());
        match (self.caller.api_key_id, address) {
            (Some(_), Some(ip)) => Self { caller: Caller { ip, ..self.caller }, ..self },
            _ => self,
        }
    }

    /// The application that the request names.
    ///
    /// # Errors
    /// 400: it is none of the tenant's.
    pub(super) fn application<'a>(
        &self,
        context: &'a Context,
        field: &str,
        text: Option<&str>,
    ) -> Result<Option<&'a Application>, Error> {
        let Some(text) = text else { return Ok(None) };
        let id = ApplicationId::parse(text).ok_or_else(|| is_no_uuid(field))?;
        let application = context.context().flows.directory.application(id);
        let application =
            application.filter(|application| self.tenant.is_none_or(|tenant| tenant == application.tenant_id));
        let message = format!("The [{field}] is not the id of an application.");
        application.map(Some).ok_or_else(|| Error::of_field(field, "invalid", message))
    }

    /// The tenant that the request is about.
    ///
    /// # Errors
    /// 400: it could be any of several.
    pub(super) fn tenant<'a>(
        &self,
        context: &'a Context,
        application: Option<&Application>,
    ) -> Result<&'a Tenant, Error> {
        let directory = &context.context().flows.directory;
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
