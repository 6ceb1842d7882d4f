//! Counts and the audit trail.

use super::pages::{NO_CURSOR, page_size};
use super::problems::{no_user, of_failure, of_parameter};
use super::{Context, credentials};
use crate::administration::{audit, statistics as counted};
use chrono::DateTime;
use countersign_api::admin::responses::AuditOrder as WantedOrder;
use countersign_api::admin::{Problem, replies, requests};
use countersign_api::reply::Reply;
use countersign_domain::audit::EventKind;
use countersign_domain::ids::AccountId;
use countersign_domain::time::Timestamp;
use countersign_flows::reports::{AuditOrder, AuditTrail, FindAuditEvents};
use dropshot::ErrorStatusCode as Status;

/// Events of a page where the request does not say.
const EVENTS_BY_DEFAULT: u32 = 100;

/// `GET /admin/statistics`
pub(super) async fn statistics(context: &Context) -> Result<Reply<replies::ReadStatistics>, Problem> {
    let call = credentials::require_service(context).await?;
    let counts = context.context().flows.counts(call.scope).await.map_err(of_failure)?;
    Ok(Reply::ok(counted::statistics(&counts)))
}

/// `GET /admin/audit-events`
pub(super) async fn audit_events(
    context: &Context,
    query: requests::AuditEventsQuery,
) -> Result<Reply<replies::ListAuditEvents>, Problem> {
    let call = credentials::require_service(context).await?;
    let trail = context.context().flows.audit_trail(call.scope, wanted(&query)?).await.map_err(of_failure)?;
    match trail {
        AuditTrail::Page(page) => Ok(Reply::ok(audit::page(&page))),
        AuditTrail::NoAccount => Err(no_user()),
        AuditTrail::AccountRequired => {
            let detail = "The API key is for one tenant: name an account of it.";
            Err(Problem::new(Status::BAD_REQUEST, "ACCOUNT_REQUIRED", detail))
        }
    }
}

/// The events that a query asks for.
fn wanted(query: &requests::AuditEventsQuery) -> Result<FindAuditEvents, Problem> {
    let account =
        |text: &str| AccountId::parse(text).ok_or_else(|| of_parameter("account", "Expected the id of a user."));
    let kind = |text: &str| {
        let is_known = EventKind::ALL.iter().any(|kind| kind.name() == text);
        is_known.then(|| text.to_owned()).ok_or_else(|| of_parameter("kind", "There is no such kind of event."))
    };
    let place = |text: &str| audit::place(text).ok_or_else(|| of_parameter("cursor", NO_CURSOR));
    Ok(FindAuditEvents {
        account_id: query.account.as_deref().map(account).transpose()?,
        kinds: query.kind.as_deref().map(kind).transpose()?.into_iter().collect(),
        since: time("since", query.since.as_deref())?,
        until: time("until", query.until.as_deref())?,
        order: match query.order {
            None | Some(WantedOrder::NewestFirst) => AuditOrder::NewestFirst,
            Some(WantedOrder::OldestFirst) => AuditOrder::OldestFirst,
        },
        after: query.cursor.as_deref().map(place).transpose()?,
        limit: page_size(query.limit, EVENTS_BY_DEFAULT),
    })
}

fn time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let read = |text: &str| {
        let instant = DateTime::parse_from_rfc3339(text);
        instant.map(|instant| Timestamp::from_millis(instant.timestamp_millis()))
    };
    let wrong = |_| of_parameter(name, "Expected a time such as 2026-11-20T09:30:00.000Z; a + is written as %2B.");
    text.map(read).transpose().map_err(wrong)
}
