//! Events of the audit trail, as JSON.

use super::time;
use countersign_api::admin::responses;
use countersign_domain::actor::Actor;
use countersign_domain::ids::{AccountId, AuditId, SessionId};
use countersign_domain::time::Timestamp;
use countersign_flows::reports::{AuditPage, AuditPlace, StoredAuditEvent};

/// A page of events.
#[must_use]
pub fn page(page: &AuditPage) -> responses::AuditEventPage {
    let next_cursor = page.next.map(cursor);
    responses::AuditEventPage { events: page.events.iter().map(event).collect(), next_cursor }
}

#[must_use]
pub fn event(event: &StoredAuditEvent) -> responses::AuditEvent {
    let actor = responses::Actor {
        kind: event.actor.kind().to_owned(),
        api_key_id: event.actor.api_key_id().map(|id| id.to_hyphenated()),
        name: match &event.actor {
            Actor::Operator(name) => Some(name.as_str().to_owned()),
            Actor::User | Actor::Server | Actor::Service(_) => None,
        },
    };
    responses::AuditEvent {
        id: event.id.to_hyphenated(),
        at: time(event.at),
        kind: event.kind.clone(),
        account: event.account_id.map(AccountId::to_hyphenated),
        session: event.session_id.map(SessionId::to_hyphenated),
        factor: event.factor.clone(),
        dialect: event.dialect.clone(),
        ip_address: Some(event.ip_address.clone()).filter(|address| !address.is_empty()),
        actor,
        request_id: event.request.request_id.clone(),
        trace_id: event.request.trace_id.clone(),
    }
}

/// A place in the trail as a text. It does not need the event, which is deleted some day.
#[must_use]
pub fn cursor(place: AuditPlace) -> String {
    format!("{}_{}", place.at.as_millis(), place.id.to_hyphenated())
}

/// Reads what [`cursor`] writes.
#[must_use]
pub fn place(cursor: &str) -> Option<AuditPlace> {
    let (at, id) = cursor.split_once('_')?;
    Some(AuditPlace { at: Timestamp::from_millis(at.parse().ok()?), id: AuditId::parse(id)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_other_texts_are_none() {
        let id = AuditId::parse("01a1fd04-be02-75f5-bdbd-868b7959e05d").expect("an id");
        let there = AuditPlace { at: Timestamp::from_millis(1_772_366_400_000), id };
        assert_eq!(cursor(there), "1772366400000_01a1fd04-be02-75f5-bdbd-868b7959e05d");
        assert_eq!(place(&cursor(there)), Some(there));
        for text in ["", "_", "x_01a1fd04-be02-75f5-bdbd-868b7959e05d", "1_x", "1"] {
            assert_eq!(place(text), None, "{text}");
        }
    }
}
