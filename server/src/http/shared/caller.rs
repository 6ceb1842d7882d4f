//! The client of a request, as flows and the audit trail know it.

use crate::app::App;
use crate::edge::headers;
use countersign_api::DialectName;
use countersign_flows::Caller;
use dropshot::RequestContext;
use http::header::USER_AGENT;
use std::sync::Arc;

/// The caller of a request, without an API key and not known.
#[must_use]
pub fn caller(context: &RequestContext<Arc<App>>, dialect: DialectName) -> Caller {
    // A description for people, so bytes that are not UTF-8 are shown as such.
    let user_agent = context.request.headers().get(USER_AGENT).map(headers::text).unwrap_or_default();
    Caller {
        ip: context.request.remote_addr().ip(),
        is_relayed: false,
        user_agent: user_agent.into_owned(),
        dialect: dialect.as_str(),
        api_key_id: None,
        is_known: false,
    }
}
