//! Passkeys: a ceremony counts once, for its own account, and a passkey ends with what it belongs to.

use crate::passkey_users::{MINUTE, addition, asserted, begun, ceremony, owner, passkey, registered, sign_in};
use crate::users::{HOUR, NOON, User, audit, by_email, decided, event};
use crate::world::World;
use countersign_domain::account::{Unusable, Versions};
use countersign_domain::assurance::{Assurance, FactorsRefused, Manager, SecondFactorDue};
use countersign_domain::audit::EventKind;
use countersign_domain::decisions::factor_reset::FactorReset;
use countersign_domain::decisions::passkey_management::{
    AddPasskey as AddDecision, PasskeysRefused, RemovePasskey as RemoveDecision,
};
use countersign_domain::decisions::passkey_use::PasskeyUse;
use countersign_domain::decisions::sign_in::SignIn;
use countersign_domain::passkey::Passkey;
use countersign_domain::passkey::ceremony::{Ceremony, Purpose};
use countersign_domain::time::Timestamp;
use countersign_store::work::{
    AddPasskey, BeginCeremony, FactorsReset, FindCeremony, PasskeyAdded, PasskeysRemoved, Purge, RemovePasskeys,
    RenamePasskey, ResetFactors, SignInCompleted, SpendCeremony, WhichPasskeys,
};
use countersign_store::{Options, Store};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

async fn find(world: &World, ceremony: &Ceremony, passkey: &Passkey, now: Timestamp) -> Option<(Ceremony, bool)> {
    let find = FindCeremony { digest: ceremony.digest, credential_id: Some(passkey.credential_id.clone()), now };
    let found = world.store.find_ceremony(find).await.unwrap()?;
    let is_found =
        found.passkey.is_some_and(|(found, account)| found.id == passkey.id && account.id == passkey.account_id);
    Some((found.ceremony, is_found))
}

#[on_each_database]
async fn a_passkey_is_stored_as_it_was_made(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let first = registered(&world.store, &user).await;
    let ceremony = begun(&world.store, Purpose::Registration(user.id()), user.account.versions()).await;
    let later = Passkey { created_at: NOON + MINUTE, ..passkey(&user) };
    let added = world.store.add_passkey(addition(&user, &ceremony, later)).await.unwrap();
    let PasskeyAdded::Added(second) = added else { panic!("{added:?}") };
    let second = *second;
    let stored = world.store.passkeys_of(user.id()).await.unwrap();
    assert!(stored == [first.clone(), second.clone()], "the oldest first, as they were made");
    assert_ne!(first.handle, second.handle);
    assert_eq!(first.public_key.to_cose().len(), 272);
    assert_eq!(world.count("passkeys WHERE attestation_object IS NOT NULL"), 2);
    assert_eq!(world.count("passkey_ceremonies"), 0, "both are spent");
    assert_eq!(world.count("audit_events WHERE kind = 'passkey-added'"), 2);
    assert_eq!(world.count("messages WHERE kind = 'factor-added'"), 2, "the user is notified of each");
    let stored = world.store.stored_about(user.id()).await.unwrap().unwrap();
    let rows = |name: &str| stored.tables.iter().find(|table| table.table == name).unwrap().rows.len();
    assert_eq!((rows("passkeys"), rows("passkeyCeremonies")), (2, 0));
    let renamed = RenamePasskey {
        account_id: user.id(),
        id: second.id,
        name: "Other key".to_owned(),
        event: event(EventKind::PasskeyRenamed, user.id(), NOON),
    };
    let other = User::signed_up(world).await;
    let not_theirs = RenamePasskey { account_id: other.id(), ..renamed.clone() };
    assert_eq!(world.store.rename_passkey(not_theirs).await.unwrap(), None);
    let renamed = world.store.rename_passkey(renamed).await.unwrap();
    assert_eq!(renamed, Some(Passkey { name: Some("Other key".to_owned()), ..second }));
    assert_eq!(world.count("audit_events WHERE kind = 'passkey-renamed'"), 1);
}

#[on_each_database]
async fn a_registration_counts_once_for_its_account_and_for_one_passkey_48_50(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, other) = (User::signed_up(world).await, User::signed_up(world).await);
    let ceremony = begun(&world.store, Purpose::Registration(user.id()), user.account.versions()).await;
    let taken = addition(&user, &ceremony, passkey(&user));
    let credential_id = taken.passkey.credential_id.clone();
    assert!(matches!(world.store.add_passkey(taken.clone()).await.unwrap(), PasskeyAdded::Added(_)));
    assert_eq!(world.store.add_passkey(taken).await.unwrap(), PasskeyAdded::Stale, "it is spent");
    // The credential id is one of all accounts.
    let theirs = begun(&world.store, Purpose::Registration(other.id()), other.account.versions()).await;
    let copy = Passkey { credential_id, ..passkey(&other) };
    assert_eq!(world.store.add_passkey(addition(&other, &theirs, copy)).await.unwrap(), PasskeyAdded::Taken);
    let again = addition(&other, &theirs, passkey(&other));
    assert_eq!(world.store.add_passkey(again).await.unwrap(), PasskeyAdded::Stale, "it is spent");
    let theirs = begun(&world.store, Purpose::Registration(other.id()), other.account.versions()).await;
    // One that has ended, and one of a sign-in.
    let mut late = addition(&other, &theirs, passkey(&other));
    late.audit = audit(other.id(), NOON + 5 * MINUTE);
    assert_eq!(world.store.add_passkey(late).await.unwrap(), PasskeyAdded::Stale);
    // The credentials are others than those that it began with.
    let versions = Versions { credentials: 1, factors: 0 };
    let begin = BeginCeremony { ceremony: ceremony_of(&user, versions), most: 16 };
    assert!(!world.store.begin_ceremony(begin).await.unwrap());
    let stale = AddPasskey { versions, ..addition(&other, &theirs, passkey(&other)) };
    assert_eq!(world.store.add_passkey(stale).await.unwrap(), PasskeyAdded::Stale);
    assert_eq!(world.count("passkeys"), 1);
}

fn ceremony_of(user: &User, versions: Versions) -> Ceremony {
    ceremony(Purpose::Registration(user.id()), versions)
}

#[on_each_database]
async fn adding_and_removing_ask_for_what_other_factors_ask_for_36_56(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    let Manager::Owner(assurance) = owner(&user) else { unreachable!("an owner") };
    let without = Manager::Owner(Assurance { second_factor_at: None, ..assurance });
    let due = FactorsRefused::SecondFactorDue(SecondFactorDue::Missing);
    let due = PasskeysRefused::Factors(due);
    let ceremony = begun(&world.store, Purpose::Registration(user.id()), user.account.versions()).await;
    let add = AddPasskey { manager: without, ..addition(&user, &ceremony, passkey(&user)) };
    let refused = PasskeyAdded::Refused(AddDecision::Refused(due));
    assert_eq!(world.store.add_passkey(add).await.unwrap(), refused);
    let added = registered(&world.store, &user).await;
    let other = User::signed_up(world).await;
    let remove = |user: &User, manager, which| RemovePasskeys {
        account_id: user.id(),
        which,
        manager,
        rules: Arc::default(),
        audit: audit(user.id(), NOON),
    };
    for (remove, outcome) in [
        (remove(&user, without, WhichPasskeys::One(added.id)), RemoveDecision::Refused(due)),
        (remove(&other, owner(&other), WhichPasskeys::One(added.id)), RemoveDecision::NoPasskey),
        (remove(&other, owner(&other), WhichPasskeys::All), RemoveDecision::NoPasskey),
        (remove(&user, owner(&user), WhichPasskeys::One(added.id)), RemoveDecision::Remove),
    ] {
        let removed = world.store.remove_passkeys(remove).await.unwrap();
        assert_eq!(removed, PasskeysRemoved::Decided(outcome));
    }
    assert_eq!((world.count("passkeys"), world.count("messages WHERE kind = 'factor-removed'")), (0, 1));
    let version = world.store.account(by_email(user.email())).await.unwrap().unwrap().factors_version;
    assert_eq!(version, user.account.factors_version + 1, "what was passed before counts no more");
}

#[on_each_database]
async fn an_assertion_opens_what_it_proves_and_spends_its_ceremony_48_52_n13(database: DatabaseKind) {
    let world = &World::start(database).await;
    let plain = User::signed_up(world).await;
    let (enrolled, _, _) = User::enrolled(world).await;
    for (user, user_verified, decision, kind) in [
        (&plain, false, SignIn::Granted { by_trust: false }, "passkey-signed-in"),
        (&plain, true, SignIn::Granted { by_trust: false }, "passkey-signed-in"),
        (&enrolled, true, SignIn::Granted { by_trust: false }, "passkey-signed-in"),
        (&enrolled, false, SignIn::SecondFactorDue, "challenge-opened"),
    ] {
        let passkey = registered(&world.store, user).await;
        let ceremony = begun(&world.store, Purpose::SignIn(None), Versions::default()).await;
        assert_eq!(find(world, &ceremony, &passkey, NOON).await, Some((ceremony.clone(), true)));
        assert_eq!(find(world, &ceremony, &passkey, ceremony.expires_at).await, None);
        let complete = sign_in(user, &passkey, &ceremony, asserted(8, user_verified));
        let before = world.count(&format!("audit_events WHERE kind = '{kind}'"));
        let outcome = decided(world.store.complete_sign_in(complete.clone()).await.unwrap());
        assert_eq!(outcome.decision, decision, "{user_verified}");
        assert_eq!(world.count(&format!("audit_events WHERE kind = '{kind}'")), before + 1);
        let again = world.store.complete_sign_in(complete).await.unwrap();
        assert!(matches!(again, SignInCompleted::Stale), "{again:?}");
        let stored = world.store.passkeys_of(user.id()).await.unwrap();
        let used = stored.into_iter().find(|stored| stored.id == passkey.id).unwrap();
        assert_eq!((used.counter, used.last_used_at), (8, Some(NOON)));
    }
    assert_eq!(world.count("challenges WHERE first_factor = 'passkey'"), 1);
}

#[on_each_database]
async fn a_counter_that_falls_is_refused_recorded_and_notified_of_54(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let passkey = registered(&world.store, &user).await;
    for (counter, outcome) in [(7, PasskeyUse::CounterFell), (6, PasskeyUse::CounterFell)] {
        let ceremony = begun(&world.store, Purpose::SignIn(None), Versions::default()).await;
        let complete = sign_in(&user, &passkey, &ceremony, asserted(counter, true));
        let refused = world.store.complete_sign_in(complete.clone()).await.unwrap();
        assert!(matches!(refused, SignInCompleted::PasskeyRefused(why) if why == outcome), "{refused:?}");
        let again = world.store.complete_sign_in(complete).await.unwrap();
        assert!(matches!(again, SignInCompleted::Stale), "{again:?}");
    }
    assert_eq!(world.count("audit_events WHERE kind = 'passkey-counter-fell'"), 2);
    assert_eq!(world.count("messages WHERE kind = 'passkey-misused'"), 2);
    assert_eq!(world.count("passkeys WHERE counter = 7 AND last_used_at IS NULL"), 1, "it stays as it was");
    let sessions = world.store.sessions_of((user.id(), NOON)).await.unwrap();
    assert_eq!(sessions.len(), 1, "that of the sign-up");
}

#[on_each_database]
async fn an_unusable_account_is_not_signed_in_to_55(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let passkey = registered(&world.store, &user).await;
    let id = user.id().to_text();
    let cases = [
        ("is_active = FALSE", Unusable::Inactive),
        ("is_active = TRUE, expires_at = 1", Unusable::Expired),
        (
            "expires_at = NULL, suspended_until = 1900000000000",
            Unusable::Suspended { until: Timestamp::from_millis(1_900_000_000_000) },
        ),
    ];
    for (counter, (change, why)) in (8..).zip(cases) {
        world.behind.execute(&format!("UPDATE accounts SET {change} WHERE id = '{id}'"));
        let ceremony = begun(&world.store, Purpose::SignIn(None), Versions::default()).await;
        let complete = sign_in(&user, &passkey, &ceremony, asserted(counter, true));
        let outcome = decided(world.store.complete_sign_in(complete).await.unwrap());
        assert_eq!(outcome.decision, SignIn::Refused(why));
    }
    assert_eq!(world.count("sessions"), 1, "that of the sign-up");
}

#[on_each_database]
async fn a_response_that_is_not_right_ends_its_ceremony_and_costs_the_account_nothing_57(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let passkey = registered(&world.store, &user).await;
    let limits = world.store.account_limits(user.id()).await.unwrap();
    for _ in 0..20 {
        let ceremony = begun(&world.store, Purpose::SignIn(None), Versions::default()).await;
        let event = || event(EventKind::PasskeyRejected, user.id(), NOON);
        let spend = |event| SpendCeremony { digest: ceremony.digest, event };
        assert!(world.store.spend_ceremony(spend(event())).await.unwrap());
        assert!(!world.store.spend_ceremony(spend(event())).await.unwrap(), "it is gone");
    }
    assert_eq!(world.count("audit_events WHERE kind = 'passkey-rejected'"), 20);
    let after = world.store.account_limits(user.id()).await.unwrap();
    assert_eq!(format!("{after:?}"), format!("{limits:?}"));
    let ceremony = begun(&world.store, Purpose::SignIn(None), Versions::default()).await;
    let complete = sign_in(&user, &passkey, &ceremony, asserted(8, false));
    assert!(decided(world.store.complete_sign_in(complete).await.unwrap()).decision.is_granted());
}

#[on_each_database]
async fn of_64_uses_of_one_assertion_by_two_nodes_one_opens_a_session_49(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let passkey = registered(&world.store, &user).await;
    let options = || Options { deadline: Duration::from_secs(60), ..world.options.clone() };
    let nodes = [Arc::new(Store::open(&options()).await.unwrap()), Arc::new(Store::open(&options()).await.unwrap())];
    for round in 0..5_u32 {
        let ceremony = begun(&world.store, Purpose::SignIn(None), Versions::default()).await;
        let mut running = JoinSet::new();
        for at in 0..64 {
            let node = Arc::clone(&nodes[at % 2]);
            let complete = sign_in(&user, &passkey, &ceremony, asserted(8 + round, true));
            running.spawn(async move { node.complete_sign_in(complete).await.unwrap() });
        }
        let outcomes = running.join_all().await;
        let opened = outcomes.iter().filter(|outcome| matches!(outcome, SignInCompleted::Decided(_))).count();
        let stale = outcomes.iter().filter(|outcome| matches!(outcome, SignInCompleted::Stale)).count();
        assert_eq!((opened, stale), (1, 63));
    }
    assert_eq!(world.count("sessions"), 6, "one for each round, and that of the sign-up");
}

#[on_each_database]
async fn ceremonies_are_few_and_end(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let mut begun_ones = Vec::new();
    for age in 0..5_u32 {
        let ceremony = Ceremony { created_at: NOON + age * MINUTE, ..ceremony_of(&user, user.account.versions()) };
        assert!(world.store.begin_ceremony(BeginCeremony { ceremony: ceremony.clone(), most: 3 }).await.unwrap());
        begun_ones.push(ceremony);
    }
    // An attacker who knows the password begins ceremonies of another challenge.
    let sign_in = begun_ones[0].challenge;
    for _ in 0..5 {
        let purpose = Purpose::SecondFactor { account_id: user.id(), sign_in };
        let ceremony = ceremony(purpose, user.account.versions());
        assert!(world.store.begin_ceremony(BeginCeremony { ceremony, most: 3 }).await.unwrap());
    }
    assert_eq!(world.count("passkey_ceremonies WHERE purpose = 'second-factor'"), 3);
    let passkey = passkey(&user);
    let mut left = Vec::new();
    for ceremony in &begun_ones {
        left.push(find(world, ceremony, &passkey, NOON).await.is_some());
    }
    assert_eq!(left, [false, false, true, true, true], "the oldest gave way");
    let purge = |now| world.store.purge(Purge { now, batch: 100 });
    assert_eq!(purge(NOON + 5 * MINUTE - Duration::from_millis(1)).await.unwrap().passkey_ceremonies, 0);
    assert_eq!(purge(NOON + 5 * MINUTE).await.unwrap().passkey_ceremonies, 6);
    registered(&world.store, &user).await;
    assert_eq!(purge(NOON + 10_000 * HOUR).await.unwrap().passkey_ceremonies, 0);
    assert_eq!(world.count("passkeys"), 1);
}

#[on_each_database]
async fn passkeys_end_with_a_reset_of_factors_and_with_the_account(database: DatabaseKind) {
    let world = &World::start(database).await;
    let plain = User::signed_up(world).await;
    let (enrolled, _, _) = User::enrolled(world).await;
    for (user, decision, kind) in [
        (&plain, FactorReset::RemovePasskeys, "passkey-removed"),
        (&enrolled, FactorReset::SwitchOff, "two-factor-disabled"),
    ] {
        registered(&world.store, user).await;
        let reset = ResetFactors { account_id: user.id(), audit: audit(user.id(), NOON) };
        let reset = world.store.reset_factors(reset).await.unwrap();
        assert_eq!(reset, FactorsReset::Decided(decision));
        assert_eq!((world.count("passkeys"), world.count(&format!("audit_events WHERE kind = '{kind}'"))), (0, 1));
    }
    let leaving = User::signed_up(world).await;
    registered(&world.store, &leaving).await;
    begun(&world.store, Purpose::Registration(leaving.id()), leaving.account.versions()).await;
    let deleted = event(EventKind::AccountDeleted, leaving.id(), NOON);
    assert!(world.store.delete_account((leaving.id(), deleted)).await.unwrap());
    assert_eq!((world.count("passkeys"), world.count("passkey_ceremonies")), (0, 0));
}
