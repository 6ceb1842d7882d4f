//! The client of a request, as flows and the audit trail know it.

use crate::app::App;
use crate::edge::headers;
use countersign_api::DialectName;
use countersign_domain::actor::Actor;
use countersign_domain::audit::RequestIds;
use countersign_domain::device::Device;
use countersign_domain::language::Languages;
use countersign_flows::Caller;
use dropshot::RequestContext;
use http::header::{ACCEPT_LANGUAGE, USER_AGENT};
use std::sync::Arc;

/// The caller of a request, as long as its credentials have not been looked at.
#[must_use]
pub fn caller(context: &RequestContext<Arc<App>>, dialect: DialectName) -> Caller {
    let accepted = context.request.headers().get(ACCEPT_LANGUAGE).map(headers::text);
    // A description to be read, so bytes that are not UTF-8 are shown as such.
    let user_agent = context.request.headers().get(USER_AGENT).map(headers::text).unwrap_or_default();
    Caller {
        ip: context.request.remote_addr().ip(),
        is_relayed: false,
        user_agent: user_agent.into_owned(),
        device: Device::default(),
        languages: accepted.as_deref().map(Languages::accepted).unwrap_or_default(),
        dialect: dialect.as_str(),
        actor: Actor::User,
        request: RequestIds {
            request_id: Some(context.request_id.clone()),
            trace_id: headers::trace_id(context.request.headers()),
        },
        is_known: false,
    }
}
