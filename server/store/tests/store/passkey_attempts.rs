//! Passkeys as a second factor: within the budgets of other factors, once, and for the claimant whose ceremony it is.

use crate::passkey_users::{begun_by, claim, owner, passkey, proof, registered, rules};
use crate::units::fail;
use crate::users::{NOON, User, audit, by_email, decided, is_done};
use crate::world::World;
use countersign_domain::address::MethodKind;
use countersign_domain::attempt::Claimant;
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::{Challenge, Factor, FirstFactor};
use countersign_domain::decisions::passkey_management::RemovePasskey as Decision;
use countersign_domain::passkey::Passkey;
use countersign_domain::passkey::ceremony::Ceremony;
use countersign_domain::terms::Rules;
use countersign_store::work::{
    AttemptEnded, AttemptSecondFactor, Claim, CompleteSignIn, FailAttempt, Granted, PasskeysRemoved, RemovePasskeys,
    Ruling, SecondFactorCompleted, WhichPasskeys,
};
use countersign_store::{Options, Store};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

type Ended = AttemptEnded<(), ()>;

/// Presents a passkey whose response is right.
async fn right(store: &Store, user: &User, claimant: &Claimant, ceremony: &Ceremony, passkey: &Passkey) -> Ended {
    let complete = user.pass(claimant.clone(), proof(passkey, ceremony, passkey.counter + 1));
    let judge = move |_: &Granted| Ruling::Complete(Box::new(complete.clone()), ());
    let attempt = AttemptSecondFactor { claim: claim(user, claimant, ceremony, passkey), judge: Box::new(judge) };
    store.attempt_second_factor(attempt).await.unwrap()
}

/// Presents a passkey whose response is wrong.
async fn wrong(store: &Store, user: &User, claimant: &Claimant, ceremony: &Ceremony, passkey: &Passkey) -> Ended {
    let failed = FailAttempt { ceremony: Some(ceremony.digest), ..fail(user, claimant, Factor::Passkey, false) };
    let judge = move |granted: &Granted| {
        Ruling::Fail(Box::new(FailAttempt { guess: granted.guess, charge: granted.charge, ..failed.clone() }))
    };
    let attempt = AttemptSecondFactor { claim: claim(user, claimant, ceremony, passkey), judge: Box::new(judge) };
    store.attempt_second_factor(attempt).await.unwrap()
}

fn is_right(ended: &Ended) -> bool {
    matches!(ended, Ended::Completed(completed, ()) if is_done(completed))
}

fn is_not_waited_for(ended: &Ended) -> bool {
    matches!(ended, Ended::NotGranted(Claim::NoCode))
}

#[on_each_database]
async fn a_passkey_completes_a_challenge_and_steps_a_session_up_once_48(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    registered(&world.store, &user).await;
    for (claimant, kind) in
        [(user.challenged(world, NOON).await, "second-factor-signed-in"), (user.in_session(), "second-factor-passed")]
    {
        let key = world.store.passkeys_of(user.id()).await.unwrap().remove(0);
        let ceremony = begun_by(&world.store, &user, &claimant).await;
        let ended = right(&world.store, &user, &claimant, &ceremony, &key).await;
        assert!(is_right(&ended), "{ended:?}");
        assert_eq!(world.count(&format!("audit_events WHERE kind = '{kind}'")), 1);
        let again = right(&world.store, &user, &claimant, &ceremony, &key).await;
        assert!(matches!(again, Ended::NotGranted(Claim::NoClaimant | Claim::NoCode)), "{again:?}");
    }
    assert_eq!(world.count("passkey_ceremonies"), 0);
    assert_eq!(world.count(&format!("passkeys WHERE counter = 9 AND last_used_at = {}", NOON.as_millis())), 1);
    assert_eq!(world.count("accounts WHERE failed_attempts = 0"), 1);
}

#[on_each_database]
async fn a_ceremony_is_of_one_claimant_and_its_account_51(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    let (other, _, _) = User::enrolled(world).await;
    let (mine, theirs) = (registered(&world.store, &user).await, registered(&world.store, &other).await);
    let (challenge, second) = (user.challenged(world, NOON).await, user.challenged(world, NOON).await);
    let ceremony = begun_by(&world.store, &user, &challenge).await;
    for claimant in [&second, &user.in_session()] {
        let ended = right(&world.store, &user, claimant, &ceremony, &mine).await;
        assert!(is_not_waited_for(&ended), "{ended:?}");
    }
    let of_session = begun_by(&world.store, &user, &user.in_session()).await;
    let ended = right(&world.store, &user, &challenge, &of_session, &mine).await;
    assert!(is_not_waited_for(&ended), "{ended:?}");
    // One that began before the factors changed.
    let before = "factors_version = factors_version - 1";
    world.behind.execute(&format!("UPDATE passkey_ceremonies SET {before} WHERE purpose = 'step-up'"));
    let ended = right(&world.store, &user, &user.in_session(), &of_session, &mine).await;
    assert!(is_not_waited_for(&ended), "{ended:?}");
    // A stranger's passkey, and one that nobody has, are looked at and are not the account's.
    for key in [&theirs, &passkey(&user)] {
        let granted = match world.store.claim_attempt(claim(&user, &challenge, &ceremony, key)).await.unwrap() {
            Claim::Granted(granted) => granted,
            other => panic!("{other:?}"),
        };
        let awaited = granted.material.passkey.expect("the ceremony waits");
        assert_eq!((awaited.ceremony.digest, awaited.passkey), (ceremony.digest, None));
    }
    assert!(is_right(&right(&world.store, &user, &challenge, &ceremony, &mine).await));
}

#[on_each_database]
async fn a_wrong_response_costs_a_try_and_its_ceremony_14_17(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    let key = registered(&world.store, &user).await;
    let claimant = user.challenged(world, NOON).await;
    for failures in 1..=5 {
        let ceremony = begun_by(&world.store, &user, &claimant).await;
        let ended = wrong(&world.store, &user, &claimant, &ceremony, &key).await;
        assert!(matches!(ended, Ended::Failed { locks: false, .. }), "{ended:?}");
        assert_eq!(world.count(&format!("accounts WHERE failed_attempts = {failures}")), 1);
        let again = wrong(&world.store, &user, &claimant, &ceremony, &key).await;
        let is_refused = matches!(&again, Ended::NotGranted(Claim::NoCode | Claim::ChallengeExhausted));
        assert!(is_refused, "{failures}: {again:?}");
    }
    let ceremony = begun_by(&world.store, &user, &claimant).await;
    let ended = right(&world.store, &user, &claimant, &ceremony, &key).await;
    assert!(matches!(ended, Ended::NotGranted(Claim::NoClaimant)), "{ended:?}");
}

#[on_each_database]
async fn of_64_responses_to_one_ceremony_by_two_nodes_one_counts_49(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    let options = || Options { deadline: Duration::from_secs(60), ..world.options.clone() };
    let nodes = [Arc::new(Store::open(&options()).await.unwrap()), Arc::new(Store::open(&options()).await.unwrap())];
    registered(&world.store, &user).await;
    for _ in 0..3 {
        let key = world.store.passkeys_of(user.id()).await.unwrap().remove(0);
        let claimant = user.challenged(world, NOON).await;
        let ceremony = begun_by(&world.store, &user, &claimant).await;
        let mut running = JoinSet::new();
        for at in 0..64 {
            let (node, user, claimant) = (Arc::clone(&nodes[at % 2]), user.clone(), claimant.clone());
            let (ceremony, key) = (ceremony.clone(), key.clone());
            running.spawn(async move { right(&node, &user, &claimant, &ceremony, &key).await });
        }
        let ended = running.join_all().await;
        assert_eq!(ended.iter().filter(|ended| is_right(ended)).count(), 1);
        let lost = |ended: &&Ended| {
            let is_gone = matches!(ended, Ended::Completed(SecondFactorCompleted::ClaimantGone, ()));
            is_gone || matches!(ended, Ended::NotGranted(Claim::NoClaimant | Claim::NoCode))
        };
        assert_eq!(ended.iter().filter(lost).count(), 63, "{ended:?}");
    }
    assert_eq!(world.count("accounts WHERE failed_attempts = 0"), 1);
}

#[on_each_database]
async fn a_challenge_offers_the_passkeys_of_this_relying_party_unless_one_opened_it_53(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    registered(&world.store, &user).await;
    let elsewhere = Arc::<Rules>::default();
    for (rules, first_factor, offered) in [
        (&rules(), FirstFactor::Password, true),
        (&rules(), FirstFactor::Passkey, false),
        (&elsewhere, FirstFactor::Password, false),
    ] {
        let plain = user.sign_in(NOON);
        let challenge = Challenge { first_factor, ..plain.challenge.clone() };
        let digest = challenge.digest;
        let sign_in = CompleteSignIn { challenge, rules: Arc::clone(rules), ..plain };
        let outcome = decided(world.store.complete_sign_in(sign_in).await.unwrap());
        let kinds: Vec<MethodKind> = outcome.methods.iter().map(|method| method.kind).collect();
        assert_eq!(kinds.contains(&MethodKind::Passkey), offered, "{first_factor:?} {kinds:?}");
        assert!(kinds.contains(&MethodKind::Authenticator));
        let waiting = world.store.waiting_sign_in((digest, NOON)).await.unwrap().expect("it waits");
        assert_eq!((waiting.challenge.first_factor, waiting.account.id), (first_factor, user.id()));
        let end = waiting.challenge.expires_at;
        assert!(world.store.waiting_sign_in((digest, end)).await.unwrap().is_none());
    }
}

#[on_each_database]
async fn removing_the_last_second_factor_switches_it_off(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, app, _) = User::enrolled(world).await;
    let remove = |user: &User, id| RemovePasskeys {
        account_id: user.id(),
        which: WhichPasskeys::One(id),
        manager: owner(user),
        rules: rules(),
        audit: audit(user.id(), NOON),
    };
    let spare = registered(&world.store, &user).await;
    let last = registered(&world.store, &user).await;
    let removed = world.store.remove_passkeys(remove(&user, spare.id)).await.unwrap();
    assert_eq!(removed, PasskeysRemoved::Decided(Decision::Remove), "others are left");
    // As if the app and mail had been removed, and the second factor passed since.
    world.behind.execute(&format!("DELETE FROM methods WHERE account_id = '{}'", user.id().to_text()));
    assert_eq!(world.count(&format!("methods WHERE id = '{}'", app.to_text())), 0);
    let account = world.store.account(by_email(user.email())).await.unwrap().unwrap();
    let user = User { account, ..user };
    let removed = world.store.remove_passkeys(remove(&user, last.id)).await.unwrap();
    assert_eq!(removed, PasskeysRemoved::Decided(Decision::RemoveAndSwitchOff));
    let account = world.store.account(by_email(user.email())).await.unwrap().unwrap();
    assert!(!account.two_factor_enabled);
    let kind = EventKind::TwoFactorDisabled.name();
    assert_eq!((world.count(&format!("audit_events WHERE kind = '{kind}'")), world.count("backup_codes")), (1, 0));
}
