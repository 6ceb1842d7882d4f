//! Units of work of administrators, and the audit trail as operators read it.

use super::*;
use countersign_domain::decisions::factor_reset::FactorReset;
use countersign_domain::user_search::NamePattern;
use countersign_store::work::{
    AuditOrder, AuditPlace, CountEverything, EventsToCount, FactorsReset, FindAuditEvents, ListUsers, NameRanges,
    ResetFactors,
};

/// Carries out each unit of work that only administrators have.
pub(crate) async fn everything(world: &World) {
    let store = &world.store;
    let (user, ..) = User::enrolled(world).await;
    let id = user.id();
    let email = user.email();
    let pattern = NamePattern::StartsWith(email.as_str());
    for named in [None, Some(NameRanges { email: pattern.emails(), username: pattern.usernames() })] {
        let list = ListUsers { tenant_id: TenantId::DEFAULT, named: named.clone(), after: None, limit: 500 };
        let users = store.list_users(list.clone()).await.unwrap();
        assert!(users.iter().any(|found| found.account.id == id), "{named:?}");
        assert!(
            store
                .list_users(ListUsers { after: Some(id), ..list })
                .await
                .unwrap()
                .iter()
                .all(|found| found.account.id > id)
        );
    }
    let kinds: Vec<String> =
        [EventKind::TwoFactorEnabled, EventKind::SignedUp].map(|kind| kind.name().to_owned()).to_vec();
    let tenants = vec![TenantId::DEFAULT];
    let events = Some(EventsToCount { since: NOON, kinds: kinds.clone() });
    let everything = CountEverything { tenants: tenants.clone(), now: NOON, events };
    let counted = store.statistics(everything).await.unwrap();
    let server = counted.server.as_ref().expect("everything is counted");
    assert!(
        counted.tenants[0].with_second_factor > 0 && server.sessions > 0 && server.events.len() == 2,
        "{counted:?}"
    );
    let of_tenants = store.statistics(CountEverything { tenants, now: NOON, events: None }).await.unwrap();
    assert!(of_tenants.tenants[0].with_second_factor > 0 && of_tenants.server.is_none(), "{of_tenants:?}");
    let stored = store.stored_about(id).await.unwrap().expect("a user");
    assert!(stored.tables.iter().any(|table| table.table == "methods" && !table.rows.is_empty()), "{stored:?}");
    for order in [AuditOrder::OldestFirst, AuditOrder::NewestFirst] {
        for account_id in [None, Some(id)] {
            for kinds in [Vec::new(), kinds.clone()] {
                let find = FindAuditEvents {
                    account_id,
                    kinds,
                    since: Some(NOON),
                    until: Some(NOON + HOUR),
                    order,
                    after: None,
                    limit: 1,
                };
                let first = store.audit_events(find.clone()).await.unwrap().remove(0);
                assert_eq!(store.audit_place(first.id).await.unwrap(), Some(first.place()));
                let AuditPlace { at, id } = first.place();
                for next in store.audit_events(FindAuditEvents { after: Some(first.place()), ..find }).await.unwrap() {
                    let is_after = match order {
                        AuditOrder::OldestFirst => (next.at, next.id) > (at, id),
                        AuditOrder::NewestFirst => (next.at, next.id) < (at, id),
                    };
                    assert!(is_after, "{first:?} {next:?}");
                }
            }
        }
    }
    for decision in [FactorReset::SwitchOff, FactorReset::NoFactor] {
        let reset = ResetFactors { account_id: id, audit: audit(id, NOON) };
        assert_eq!(store.reset_factors(reset).await.unwrap(), FactorsReset::Decided(decision));
    }
}
