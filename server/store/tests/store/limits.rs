//! Limits on passwords and on guesses at second factors.

use crate::units::{change, fail};
use crate::users::{HOUR, NOON, User, challenge_digest, event, guess, is_done, network, trust, window};
use crate::world::World;
use countersign_domain::attempt::{Claimant, Expected, Proof};
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::delivery::SendTo;
use countersign_domain::decisions::lifting::Lifting;
use countersign_domain::decisions::password_attempt::{PasswordAttempt, account_quota};
use countersign_domain::decisions::second_factor::Request;
use countersign_domain::limits::QuotaCount;
use countersign_domain::one_time_code::Subject;
use countersign_domain::policy::Policy;
use countersign_domain::quota::{AccountQuota, QuotaLimit, QuotaOwner, QuotaUse};
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use countersign_store::work::{
    ChangePassword, Changed, Claim, CompleteSecondFactor, FailAttempt, IssueCode, Issued, LiftLimits, PasswordUses,
    ReturnAttempt, TakePasswordTry,
};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use futures::future::join_all;

/// A password for an account, from network 1, from elsewhere if there is none, or from a device.
pub(crate) fn password_try(user: &User, from: Option<u8>, device: Option<Digest>, now: Timestamp) -> TakePasswordTry {
    let rate = Policy::default().password_guesses;
    let refilling = |name: String| QuotaUse { name, limit: QuotaLimit::Refilling(rate), owner: None };
    let owner = Some(QuotaOwner { account_id: user.id(), counts: AccountQuota::NetworkPasswords });
    let slow = |scope: &str| PasswordUses {
        by_name: refilling(format!("name {scope}")),
        by_account: refilling(match scope {
            "anywhere" => account_quota(user.id(), user.account.limits_epoch),
            _ => format!("account {scope}"),
        }),
    };
    let in_network = from.map(|seed| PasswordUses {
        by_name: window(&format!("name in {seed}")),
        by_account: QuotaUse { owner, ..window(&format!("account in {seed}")) },
    });
    TakePasswordTry {
        account_id: user.id(),
        in_network: in_network.clone(),
        in_known_network: in_network,
        anywhere: slow("anywhere"),
        network: from.map(|seed| (vec![network(user.id(), seed, now).digest], slow(&format!("known {seed}")))),
        device: device.map(|digest| (vec![digest], slow("device"))),
        versions: user.account.versions(),
        knows_account: false,
        now,
    }
}

async fn try_passwords(world: &World, tries: u32, wanted: &TakePasswordTry) -> Vec<PasswordAttempt> {
    let tries = join_all((0..tries).map(|_| world.store.take_password_try(wanted.clone()))).await;
    tries.into_iter().map(|taken| taken.unwrap().decision).collect()
}

fn judged(decisions: &[PasswordAttempt]) -> usize {
    decisions.iter().filter(|decision| **decision == PasswordAttempt::Judged).count()
}

#[on_each_database]
async fn passwords_from_anywhere_are_judged_as_often_as_the_limit_allows_14_n4(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let rate = Policy::default().password_guesses;
    let wanted = password_try(&user, None, None, NOON);
    let decisions = try_passwords(world, 80, &wanted).await;
    assert_eq!(judged(&decisions), 50, "parallel ones cannot exceed it");
    assert!(decisions.contains(&PasswordAttempt::TooMany { until: NOON + rate.interval }), "{decisions:?}");
    let later = password_try(&user, None, None, NOON + 2 * rate.interval);
    assert_eq!(judged(&try_passwords(world, 5, &later).await), 2, "it slows, and does not lock");
    // A right one gives its own back.
    let uses = vec![later.anywhere.by_name.clone(), later.anywhere.by_account.clone()];
    world.store.give_back(uses).await.unwrap();
    assert_eq!(judged(&try_passwords(world, 5, &later).await), 1);
    // Another network counts apart only if the account knows it.
    assert_eq!(judged(&try_passwords(world, 1, &password_try(&user, Some(1), None, NOON)).await), 0);
    world.store.complete_sign_in(user.sign_in(NOON)).await.unwrap();
    assert_eq!(world.count("known_networks"), 1);
    let known = password_try(&user, Some(1), None, NOON);
    assert_eq!(judged(&try_passwords(world, 20, &known).await), 10, "its own limit holds");
    let day = password_try(&user, Some(1), None, NOON + 24 * HOUR);
    world.behind.execute("UPDATE budgets SET expires_at = expires_at + 100000000000 WHERE name LIKE '%anywhere%'");
    assert_eq!(judged(&try_passwords(world, 1, &day).await), 0, "forgotten after a day");
}

#[on_each_database]
async fn a_known_network_is_written_anew_once_a_day(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let ends_at = |at: Timestamp| world.count(&format!("known_networks WHERE expires_at = {}", at.as_millis()));
    for (now, end) in [
        (NOON, NOON + 24 * HOUR),
        (NOON + 23 * HOUR, NOON + 24 * HOUR),
        (NOON + 25 * HOUR, NOON + 49 * HOUR),
        (NOON, NOON + 49 * HOUR),
    ] {
        world.store.complete_sign_in(user.sign_in(now)).await.unwrap();
        assert_eq!((ends_at(end), world.count("known_networks")), (1, 1), "{now:?}");
    }
}

#[on_each_database]
async fn a_trusted_device_has_a_password_limit_of_its_own(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, authenticator, _) = User::enrolled(world).await;
    let given = trust(NOON + 24 * HOUR);
    let claimant = user.challenged(world, NOON).await;
    let proof = Proof::Totp { method_id: authenticator, step: 2, confirms: false };
    let request = Request { trusts_device: true, without_grant: false };
    let pass = CompleteSecondFactor { request, trust: given.clone(), ..user.pass(claimant, proof) };
    assert!(is_done(&world.store.complete_second_factor(pass).await.unwrap()));
    assert_eq!(judged(&try_passwords(world, 60, &password_try(&user, None, None, NOON)).await), 50);
    let strange = password_try(&user, None, Some(challenge_digest()), NOON);
    assert_eq!(judged(&try_passwords(world, 1, &strange).await), 0);
    let device = password_try(&user, None, Some(given.digest), NOON);
    assert_eq!(judged(&try_passwords(world, 60, &device).await), 50, "bounded, too");
}

#[on_each_database]
async fn what_is_counted_against_an_account_is_shown_and_lifted(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    let policy = Policy::default();
    let limits = async || world.store.account_limits(user.id()).await.unwrap().unwrap().at(&policy, NOON);
    let nothing = limits().await;
    assert_eq!((nothing.failures, nothing.guesses, nothing.passwords, nothing.locked_until), (0, 0, 0, None));
    let claimant = user.challenged(world, NOON).await;
    user.issued(world, &claimant, 1).await;
    claim_all(world, &user, 10, NOON).await;
    try_passwords(world, 10, &password_try(&user, Some(1), None, NOON)).await;
    try_passwords(world, 1, &password_try(&user, Some(2), None, NOON)).await;
    try_passwords(world, 60, &password_try(&user, None, None, NOON)).await;
    let counted = limits().await;
    let until = Some(NOON + HOUR);
    let count = |counts, used, refused_until| QuotaCount { counts, used, limit: 10, refused_until };
    assert_eq!(
        counted.quotas,
        [
            count(AccountQuota::NetworkPasswords, 1, None),
            count(AccountQuota::NetworkPasswords, 10, until),
            count(AccountQuota::OwnSentCodes, 1, None),
        ]
    );
    assert_eq!((counted.failures, counted.locks, counted.guesses, counted.passwords), (10, 1, 10, 50));
    assert_eq!(counted.locked_until, Some(NOON + policy.account_lock));
    assert_eq!(counted.passwords_refused_until, Some(NOON + policy.password_guesses.interval));
    let lift = LiftLimits { account_id: user.id(), event: event(EventKind::AccountUnlocked, user.id(), NOON) };
    assert_eq!(world.store.lift_limits(lift.clone()).await.unwrap(), Some(Lifting::Lifted));
    // Again, there is nothing to be told of.
    assert_eq!(world.store.lift_limits(lift).await.unwrap(), Some(Lifting::NothingCounted));
    assert_eq!(limits().await, nothing);
    assert_eq!(world.count("budgets WHERE account_id IS NOT NULL"), 0);
    assert_eq!(world.count("audit_events WHERE kind = 'account-unlocked'"), 1);
    assert_eq!(world.count("accounts WHERE limits_epoch = 2"), 1);
    let claimant = user.challenged(world, NOON).await;
    assert!(matches!(user.claimed(world, &claimant, Factor::Totp).await, Claim::Granted(_)));
    let stranger = User::new();
    let event = event(EventKind::AccountUnlocked, stranger.id(), NOON);
    assert_eq!(world.store.lift_limits(LiftLimits { account_id: stranger.id(), event }).await.unwrap(), None);
    assert_eq!(world.store.account_limits(stranger.id()).await.unwrap(), None);
}

#[on_each_database]
async fn a_new_password_ends_the_lock_and_leaves_the_long_term_count(database: DatabaseKind) {
    for lifts_lock in [true, false] {
        let world = &World::start(database).await;
        let (user, _, _) = User::enrolled(world).await;
        claim_all(world, &user, 10, NOON).await;
        let change = ChangePassword { lifts_lock, ..change(&user, user.account.credentials_version) };
        assert_eq!(world.store.change_password(change).await.unwrap(), Changed::Done);
        let limits = world.store.account_limits(user.id()).await.unwrap().unwrap().at(&Policy::default(), NOON);
        assert_eq!((limits.locked_until.is_none(), limits.failures == 0, limits.guesses), (lifts_lock, lifts_lock, 10));
    }
}

/// Claims as many attempts as are granted, at most `most`, in challenges of their own.
async fn claim_all(world: &World, user: &User, most: usize, now: Timestamp) -> Vec<(Claimant, Claim)> {
    let mut claims = Vec::new();
    for _ in 0..most {
        let claimant = user.challenged(world, now).await;
        let claim = world.store.claim_attempt(user.claim(claimant.clone(), Factor::Totp, now)).await.unwrap();
        claims.push((claimant, claim));
    }
    claims
}

#[on_each_database]
async fn the_long_term_limit_is_exact_and_no_success_clears_it_n4(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, authenticator, _) = User::enrolled(world).await;
    let rate = Policy::default().account_guesses;
    let is_granted = |claim: &Claim| matches!(claim, Claim::Granted(_));
    // Nine wrong ones, and then the holder: the consecutive count never locks. Parallel claims cannot exceed the limit.
    let (mut granted, mut step) = (0, 20);
    for round in 0..12 {
        let claimants = join_all((0..9).map(|_| user.challenged(world, NOON))).await;
        let claims = join_all(claimants.iter().map(|claimant| user.claimed(world, claimant, Factor::Totp))).await;
        granted += claims.iter().filter(|claim| is_granted(claim)).count();
        if round < 11 {
            let claimant = user.challenged(world, NOON).await;
            assert!(is_granted(&user.claimed(world, &claimant, Factor::Totp).await), "round {round}");
            step += 1;
            let proof = Proof::Totp { method_id: authenticator, step, confirms: false };
            assert!(is_done(&world.store.complete_second_factor(user.pass(claimant, proof)).await.unwrap()));
        }
    }
    assert_eq!(granted, 100, "the successes gave their own guesses back and nothing else");
    let [(_, claim)] = claim_all(world, &user, 1, NOON).await.try_into().unwrap();
    assert!(matches!(claim, Claim::Locked { until } if until == NOON + rate.interval), "{claim:?}");
    // One guess decays in each interval.
    let later = claim_all(world, &user, 4, NOON + 3 * rate.interval).await;
    assert_eq!(later.iter().filter(|(_, claim)| is_granted(claim)).count(), 3);
    // A replay is no guess.
    let (claimant, _) = &later[0];
    world.store.fail_attempt(fail(&user, claimant, Factor::Totp, true)).await.unwrap();
    let more = claim_all(world, &user, 2, NOON + 3 * rate.interval).await;
    assert_eq!(more.iter().map(|(_, claim)| is_granted(claim)).collect::<Vec<_>>(), [true, false]);
}

#[on_each_database]
async fn a_right_code_that_was_the_last_of_the_quota_leaves_no_record_of_a_lock(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, authenticator, _) = User::enrolled(world).await;
    let mut claims = claim_all(world, &user, 10, NOON).await;
    let (claimant, last) = claims.pop().unwrap();
    let Claim::Granted(last) = last else { panic!("{last:?}") };
    assert!(last.locks);
    let proof = Proof::Totp { method_id: authenticator, step: 9, confirms: false };
    assert!(is_done(&world.store.complete_second_factor(user.pass(claimant.clone(), proof)).await.unwrap()));
    assert_eq!(world.count("accounts WHERE locked_until IS NULL AND failed_attempts = 0"), 1);
    assert_eq!(world.count("audit_events WHERE kind = 'account-locked'"), 0);
    // Nor does a wrong one whose lock a right one has lifted meanwhile.
    let lock_event = Some(event(EventKind::AccountLocked, user.id(), NOON));
    let wrong = FailAttempt { lock_event, ..fail(&user, &claimant, Factor::Totp, false) };
    assert!(!world.store.fail_attempt(wrong).await.unwrap(), "no lock stands");
    assert_eq!(world.count("audit_events WHERE kind = 'account-locked'"), 0);
}

fn give_back(user: &User, claimant: &Claimant, factor: Factor) -> ReturnAttempt {
    ReturnAttempt {
        claimant: claimant.clone(),
        expected: Expected::One(factor),
        account_id: user.id(),
        charge: guess(),
        event: event(EventKind::SecondFactorNotJudged, user.id(), NOON),
    }
}

/// More often than challenge, code and account have tries.
#[on_each_database]
async fn an_attempt_that_is_given_back_has_cost_nothing_n4(database: DatabaseKind) {
    let world = &World::start(database).await;
    for factor in [Factor::Totp, Factor::OneTimeCode, Factor::BackupCode] {
        let (user, _, _) = User::enrolled(world).await;
        for claimant in [user.challenged(world, NOON).await, user.in_session()] {
            if factor == Factor::OneTimeCode {
                user.issued(world, &claimant, 1).await;
            }
            for round in 0..12 {
                let claim = user.claimed(world, &claimant, factor).await;
                let Claim::Granted(granted) = claim else { panic!("{factor:?} round {round}: {claim:?}") };
                assert_eq!(granted.charge, guess());
                world.store.return_attempt(give_back(&user, &claimant, factor)).await.unwrap();
            }
        }
        let limits = world.store.account_limits(user.id()).await.unwrap().unwrap().at(&Policy::default(), NOON);
        assert_eq!((limits.failures, limits.locks, limits.guesses, limits.locked_until), (0, 0, 0, None), "{factor:?}");
    }
    assert_eq!(world.count("challenges WHERE tries > 0 OR failures > 0"), 0);
    assert_eq!(world.count("mailed_codes WHERE tries > 0 OR failures > 0"), 0);
    assert_eq!(world.count("audit_events WHERE kind = 'second-factor-not-judged'"), 72);
}

#[on_each_database]
async fn an_attempt_that_is_given_back_takes_its_lock_with_it(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    let mut claims = claim_all(world, &user, 10, NOON).await;
    let (claimant, last) = claims.pop().unwrap();
    assert!(matches!(last, Claim::Granted(granted) if granted.locks));
    world.store.return_attempt(give_back(&user, &claimant, Factor::Totp)).await.unwrap();
    let limits = world.store.account_limits(user.id()).await.unwrap().unwrap().at(&Policy::default(), NOON);
    assert_eq!((limits.failures, limits.locks, limits.guesses, limits.locked_until), (9, 0, 9, None));
    assert_eq!(world.count("audit_events WHERE kind = 'account-locked'"), 0);
    // The challenge has all its tries.
    assert_eq!(world.count("challenges WHERE tries = 0 AND failures = 0"), 1);
    assert_eq!(world.count("challenges WHERE tries = 1"), 9);
}

/// A code for a locked account is not issued, however it would be sent; a service may prove an address for it.
#[on_each_database]
async fn no_code_is_issued_for_a_locked_account(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    let open = user.challenged(world, NOON).await;
    claim_all(world, &user, 10, NOON).await;
    let until = NOON + Policy::default().account_lock;
    for claimant in [open, user.in_session()] {
        let issued = world.store.issue_code(user.issue(claimant, 1)).await.unwrap();
        assert!(matches!(issued, Issued::Locked { until: found } if found == until), "{issued:?}");
    }
    let address = user.email_address();
    let subject = Subject::Enable { account_id: user.id(), address: address.clone() };
    let claimant = Claimant::Holder { account_id: user.id(), subject };
    let enable = || IssueCode { to: SendTo::Address(address.clone()), ..user.issue(claimant.clone(), 2) };
    let issued = world.store.issue_code(enable()).await.unwrap();
    assert!(matches!(issued, Issued::Locked { .. }), "{issued:?}");
    assert_eq!((world.count("mailed_codes"), world.count("budgets WHERE name LIKE '%codes%'")), (0, 0));
    let by_service = IssueCode { is_service: true, ..enable() };
    assert!(matches!(world.store.issue_code(by_service).await.unwrap(), Issued::To { .. }));
    let later = IssueCode { now: until, ..enable() };
    assert!(matches!(world.store.issue_code(later).await.unwrap(), Issued::To { .. }));
}
