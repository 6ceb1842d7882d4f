//! Attempts that are claimed, judged, and recorded or completed in one transaction.

use crate::units::fail;
use crate::users::{NOON, User, guess, is_done};
use crate::world::World;
use countersign_domain::attempt::{Claimant, Proof};
use countersign_domain::challenge::Factor;
use countersign_domain::ids::MethodId;
use countersign_store::work::{
    AttemptEnded, AttemptSecondFactor, Claim, CompleteSecondFactor, FailAttempt, Granted, Ruling, SecondFactorCompleted,
};
use countersign_test_postgres::DatabaseKind;
use countersign_test_postgres::on_each_database;
use futures::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) type Ended = AttemptEnded<(), ()>;

/// An attempt with a code that is judged like this.
async fn attempt(
    world: &World,
    user: &User,
    claimant: &Claimant,
    judge: impl Fn(&Granted) -> Ruling<(), ()> + Send + Sync + 'static,
) -> Ended {
    let claim = user.claim(claimant.clone(), Factor::Totp, NOON);
    world.store.attempt_second_factor(AttemptSecondFactor { claim, judge: Box::new(judge) }).await.unwrap()
}

async fn wrong(world: &World, user: &User, claimant: &Claimant) -> Ended {
    let failed = fail(user, claimant, Factor::Totp, false);
    let judge = move |granted: &Granted| {
        Ruling::Fail(Box::new(FailAttempt { guess: granted.guess, charge: granted.charge, ..failed.clone() }))
    };
    attempt(world, user, claimant, judge).await
}

/// What a code completes that is right for a step of an app.
pub(crate) fn complete(user: &User, claimant: &Claimant, method_id: MethodId, step: i64) -> CompleteSecondFactor {
    user.pass(claimant.clone(), Proof::Totp { method_id, step, confirms: false })
}

pub(crate) async fn right(world: &World, user: &User, claimant: &Claimant, complete: CompleteSecondFactor) -> Ended {
    attempt(world, user, claimant, move |_| Ruling::Complete(Box::new(complete.clone()), ())).await
}

#[on_each_database]
async fn of_parallel_wrong_codes_as_many_are_judged_as_a_challenge_has_tries_14(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    let claimant = user.challenged(world, NOON).await;
    let judged = Arc::new(AtomicUsize::new(0));
    let attempts = (0..16).map(|_| {
        let (judged, failed) = (Arc::clone(&judged), fail(&user, &claimant, Factor::Totp, false));
        attempt(world, &user, &claimant, move |granted| {
            judged.fetch_add(1, Ordering::Relaxed);
            Ruling::Fail(Box::new(FailAttempt { guess: granted.guess, ..failed.clone() }))
        })
    });
    let ended = join_all(attempts).await;
    let failed = ended.iter().filter(|ended| matches!(ended, Ended::Failed { .. })).count();
    assert_eq!((failed, judged.load(Ordering::Relaxed)), (5, 5), "{ended:?}");
    let exhausted = ended.iter().filter(|ended| matches!(ended, Ended::NotGranted(Claim::ChallengeExhausted))).count();
    assert_eq!(exhausted, 1, "the sixth destroys the challenge: {ended:?}");
    assert_eq!(world.count("challenges"), 0);
    assert_eq!(world.count("accounts WHERE failed_attempts = 5"), 1);
    assert_eq!(world.count("audit_events WHERE kind = 'second-factor-rejected'"), 5);
}

#[on_each_database]
async fn a_right_code_ends_the_count_that_wrong_ones_began(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, app, _) = User::enrolled(world).await;
    let claimant = user.challenged(world, NOON).await;
    for _ in 0..4 {
        assert!(matches!(wrong(world, &user, &claimant).await, Ended::Failed { locks: false, .. }));
    }
    let level = NOON + 4 * guess();
    assert_eq!(world.count(&format!("accounts WHERE guesses_decay_at = {}", level.as_millis())), 1);
    let ended = right(world, &user, &claimant, complete(&user, &claimant, app, 7)).await;
    assert!(matches!(&ended, Ended::Completed(completed, ()) if is_done(completed)), "{ended:?}");
    assert_eq!(world.count("accounts WHERE failed_attempts = 0"), 1);
    assert_eq!(world.count(&format!("accounts WHERE guesses_decay_at = {}", level.as_millis())), 1, "those stay");
    assert_eq!(world.count("challenges"), 0);
}

#[on_each_database]
async fn what_is_withdrawn_or_does_not_take_effect_counts_nothing(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, app, _) = User::enrolled(world).await;
    let claimant = user.challenged(world, NOON).await;
    for _ in 0..8 {
        let ended = attempt(world, &user, &claimant, |_| Ruling::Withdraw(())).await;
        assert!(matches!(ended, Ended::Withdrawn(())), "{ended:?}");
    }
    // Step 1 was used to enrol.
    for _ in 0..8 {
        let ended = right(world, &user, &claimant, complete(&user, &claimant, app, 1)).await;
        assert!(matches!(ended, Ended::Completed(SecondFactorCompleted::ProofSpent, ())), "{ended:?}");
    }
    assert_eq!(world.count("accounts WHERE failed_attempts = 0"), 1);
    assert_eq!(world.count("challenges WHERE tries = 0"), 1);
    let ended = right(world, &user, &claimant, complete(&user, &claimant, app, 2)).await;
    assert!(matches!(&ended, Ended::Completed(completed, ()) if is_done(completed)), "{ended:?}");
}

#[on_each_database]
async fn one_step_completes_one_of_parallel_challenges_and_the_others_are_as_before(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, app, _) = User::enrolled(world).await;
    let mut claimants = Vec::new();
    for _ in 0..8 {
        claimants.push(user.challenged(world, NOON).await);
    }
    let passes = claimants.iter().map(|claimant| right(world, &user, claimant, complete(&user, claimant, app, 5)));
    let ended = join_all(passes).await;
    let done = ended.iter().filter(|ended| matches!(ended, Ended::Completed(completed, ()) if is_done(completed)));
    assert_eq!(done.count(), 1, "{ended:?}");
    assert_eq!(world.count("challenges WHERE tries = 0"), 7);
    assert_eq!(world.count("accounts WHERE failed_attempts = 0"), 1);
}
