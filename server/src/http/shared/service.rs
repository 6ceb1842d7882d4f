//! Whether an API key allows an operation, for every API that takes one.

use crate::app::App;
use crate::edge::noted;
use crate::edge::proven::Proof;
use crate::operations;
use countersign_api::DialectName;
use countersign_domain::api_key::Service;
use countersign_flows::FlowError;
use dropshot::RequestContext;
use std::sync::Arc;

/// What an API key is worth for one operation.
#[derive(Clone, Debug)]
pub enum KeyCheck {
    /// It is unknown or revoked, or its tenant is gone.
    Unknown,
    /// It is a key, but not for this operation.
    NotAllowed,
    Allowed(Service),
}

/// Looks an API key up, for the operation of the request. The rate limits of the requests that follow know what was found.
///
/// # Errors
/// When the database fails.
pub async fn check_key(
    context: &RequestContext<Arc<App>>,
    dialect: DialectName,
    key: &str,
) -> Result<KeyCheck, FlowError> {
    let app = context.context();
    let Some(service) = app.flows.service(key).await? else {
        app.proven.forget(key, Proof::Service);
        return Ok(KeyCheck::Unknown);
    };
    // In the log also if it may not do this.
    noted::api_key(service.key_id);
    let name = &context.endpoint.operation_id;
    let operation = operations::of(dialect).iter().find(|operation| operation.operation_id == name);
    if !operation.is_some_and(|operation| service.may(operation.method, operation.path)) {
        return Ok(KeyCheck::NotAllowed);
    }
    app.proven.remember(key, Proof::Service, app.flows.now());
    Ok(KeyCheck::Allowed(service))
}
