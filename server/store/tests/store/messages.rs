//! Messages that wait to be delivered: who has one, what becomes of it, what it costs.

use crate::users::{HOUR, NOON, User, event, notices, sealer};
use crate::world::{LEASE, World};
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::redelivery::Redelivery;
use countersign_domain::message::{Message, Notice, StoredMessage, TakenUse};
use countersign_domain::policy::Policy;
use countersign_domain::terms::Rules;
use countersign_domain::time::Timestamp;
use countersign_store::work::{IssueCode, Issued, TakeMessages, WhichMessages};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use futures::future::join_all;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

fn seconds(seconds: u64) -> Timestamp {
    NOON + Duration::from_secs(seconds)
}

/// A user with a second factor, whose notice was delivered long ago.
async fn enrolled(world: &World) -> User {
    let (user, _, _) = User::enrolled(world).await;
    world.behind.execute("DELETE FROM messages");
    user
}

fn uses(message: &StoredMessage) -> Vec<TakenUse> {
    sealer().open(message).unwrap().taken
}

/// Issues a code where the account gets so many an hour.
async fn issue(world: &World, user: &User, issue: IssueCode, limit: u32) -> Issued {
    let policy = Policy { one_time_codes: limit, ..Policy::default() };
    let rules = Arc::new(Rules { policy, ..Rules::default() });
    let issued = world.store.issue_code(IssueCode { rules, ..issue }).await.unwrap();
    assert!(!matches!(issued, Issued::NoClaimant | Issued::NoMethod), "{issued:?} for {:?}", user.id());
    issued
}

#[on_each_database]
async fn a_message_is_one_process_at_a_time(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = enrolled(world).await;
    user.issued(world, &user.challenged(world, NOON).await, 1).await;
    assert_eq!(world.taken("a", seconds(0)).await.len(), 1);
    assert_eq!(world.taken("b", seconds(19)).await.len(), 0, "it is the other process's");
    // Which has died.
    let again = world.taken("b", seconds(20)).await;
    assert_eq!((again.len(), again[0].attempts), (1, 2));
    assert!(!world.finished("a", &again[0], Redelivery::Delivered, Vec::new(), seconds(21)).await, "it is late");
    assert!(world.finished("b", &again[0], Redelivery::RetryAt(seconds(30)), Vec::new(), seconds(21)).await);
    assert_eq!(world.taken("a", seconds(29)).await.len(), 0);
    let last = world.taken("a", seconds(30)).await.remove(0);
    assert!(world.finished("a", &last, Redelivery::Delivered, Vec::new(), seconds(31)).await);
    assert_eq!(world.taken("a", NOON + HOUR).await.len(), 0);
    assert_eq!(world.count("messages WHERE state = 'sent' AND length(sealed) = 0 AND attempts = 3"), 1);
}

#[on_each_database]
async fn many_processes_share_what_is_due_and_none_is_taken_twice(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = enrolled(world).await;
    world.behind.execute("UPDATE accounts SET email_verified = TRUE");
    for _ in 0..100 {
        world.store.record(event(EventKind::PasswordChanged, user.id(), NOON)).await.unwrap();
    }
    let takers = (0..16).map(|taker| async move {
        let mut mine = Vec::new();
        for _ in 0..20 {
            let which = WhichMessages::Due { limit: 3 };
            let (owner, now) = (format!("{taker}"), NOON);
            let take = TakeMessages { which, owner, now, lease_ends_at: now + LEASE };
            let taken = world.store.take_messages(take).await.unwrap();
            assert!(taken.len() <= 3, "{taken:#?}");
            mine.extend(taken);
        }
        mine
    });
    let taken: Vec<_> = join_all(takers).await.into_iter().flatten().collect();
    assert_eq!(taken.len(), 100);
    assert_eq!(taken.iter().map(|message| message.id).collect::<BTreeSet<_>>().len(), 100);
}

#[on_each_database]
async fn a_newer_code_takes_the_place_of_one_that_waits_and_of_its_cost(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = enrolled(world).await;
    let claimant = user.challenged(world, NOON).await;
    for mac in 0..10 {
        let issued = issue(world, &user, user.issue(claimant.clone(), mac), 1).await;
        assert!(matches!(issued, Issued::To { .. }), "{mac}: {issued:?}");
    }
    assert_eq!(world.count("messages WHERE state = 'queued'"), 1);
    assert_eq!(world.count("messages WHERE state = 'superseded'"), 9);
    assert_eq!(world.count("budgets WHERE name LIKE '%mailed-codes%' AND spent <> 1"), 0);
    // What another challenge waits for stays.
    let other = user.challenged(world, NOON).await;
    assert!(matches!(issue(world, &user, user.issue(other, 1), 1).await, Issued::Exhausted { .. }));
    assert_eq!(world.count("messages WHERE state = 'queued'"), 1, "and a refused request takes nobody's place");
    world.delivered(NOON).await;
    let issued = issue(world, &user, user.issue(claimant, 11), 1).await;
    assert!(matches!(issued, Issued::Exhausted { .. }), "what was delivered counts: {issued:?}");
}

#[on_each_database]
async fn a_code_that_is_on_its_way_counts_until_it_has_failed(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = enrolled(world).await;
    let claimant = user.challenged(world, NOON).await;
    let send = |mac| issue(world, &user, user.issue(claimant.clone(), mac), 2);
    send(1).await;
    let first = world.taken("a", NOON).await.remove(0);
    assert!(matches!(send(2).await, Issued::To { .. }), "beside the first one");
    // The first one is superseded, so it is not tried again.
    assert!(world.finished("a", &first, Redelivery::RetryAt(seconds(1)), uses(&first), NOON).await);
    assert_eq!(world.count("messages WHERE state = 'dead'"), 1);
    assert_eq!(world.count("budgets WHERE name LIKE '%mailed-codes%' AND spent <> 1"), 0, "it is given back");
    let second = world.taken("a", seconds(1)).await.remove(0);
    send(3).await;
    assert!(world.finished("a", &second, Redelivery::Delivered, uses(&second), NOON).await);
    assert_eq!(world.count("budgets WHERE name LIKE '%mailed-codes%' AND spent <> 2"), 0, "it was delivered");
}

#[on_each_database]
async fn what_dies_undelivered_is_given_back_and_what_is_refused_is_not(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = enrolled(world).await;
    for (decision, spent) in [(Redelivery::Dead, 0), (Redelivery::Refused, 1)] {
        user.issued(world, &user.challenged(world, NOON).await, 1).await;
        let message = world.taken("a", NOON).await.remove(0);
        assert!(world.finished("a", &message, decision, uses(&message), NOON).await);
        let wrong = format!("budgets WHERE name LIKE '%mailed-codes%' AND spent <> {spent}");
        assert_eq!(world.count(&wrong), 0, "{decision:?}");
    }
    // A window that has begun since is another one.
    user.issued(world, &user.challenged(world, NOON).await, 1).await;
    let message = world.taken("a", NOON).await.remove(0);
    world.behind.execute(&format!("UPDATE budgets SET expires_at = {}", (NOON + 2 * HOUR).as_millis()));
    assert!(world.finished("a", &message, Redelivery::Dead, uses(&message), NOON).await);
    assert_eq!(world.count("budgets WHERE name LIKE '%mailed-codes%' AND spent <> 2"), 0);
}

#[on_each_database]
async fn a_notice_is_stored_with_its_event_n11(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = enrolled(world).await;
    let record = async |kind, at| world.store.record(event(kind, user.id(), at)).await.unwrap();
    record(EventKind::SignedIn, NOON).await;
    assert_eq!(world.count("messages"), 0, "that is no notice");
    record(EventKind::BackupCodeUsed, NOON).await;
    let message = world.taken("a", NOON).await.remove(0);
    let opened = sealer().open(&message).unwrap();
    assert_eq!(opened.to, user.email_address());
    assert!(matches!(opened.message, Message::Notice(Notice::RecoveryCodeUsed { left: 10 })), "{opened:?}");
    // An address that nobody has verified may be a stranger's.
    let limit = notices().unverified_a_day;
    for _ in 0..limit {
        record(EventKind::PasswordChanged, NOON).await;
    }
    assert_eq!(world.count("messages"), i64::from(limit));
    record(EventKind::PasswordChanged, NOON + 24 * HOUR).await;
    assert_eq!(world.count("messages"), i64::from(limit) + 1, "on the next day");
    world.behind.execute("UPDATE accounts SET email_verified = TRUE");
    for _ in 0..20 {
        record(EventKind::PasswordChanged, NOON).await;
    }
    assert_eq!(world.count("messages"), i64::from(limit) + 21);
    let off =
        countersign_domain::audit::AuditEvent { notices: None, ..event(EventKind::PasswordChanged, user.id(), NOON) };
    world.store.record(off).await.unwrap();
    assert_eq!(world.count("messages"), i64::from(limit) + 21);
}
